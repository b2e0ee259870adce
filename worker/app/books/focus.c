#include "app/books/focus.h"

#include "app/books/period.h"
#include "app/books/rows.h"
#include "base/instant.h"

#define VALUES      7 /* of FOCUS_COLUMNS */
#define FIELD_BYTES 8192

enum value { DAY, TENANT, MODEL, REGION, TIER, ESTIMATED, LABELS };

/* A class of tokens: what is neither read from a cache nor written to one is input. */
static const struct class
{
    const char *meter, *id;
    enum entry_part part;
} CLASSES[] = {
    {"Input Tokens", "input", PART_INPUT},
    {"Output Tokens", "output", PART_OUTPUT},
    {"Cache Read Tokens", "cache_read", PART_CACHE_READ},
    {"Cache Write Tokens", "cache_write", PART_CACHE_WRITE},
};

struct charge {
    const struct book *book;
    const struct sums *sums;
    const struct class *class;
    struct slice values[VALUES];
    struct slice account;
    int64_t day_ms, month_ms, next_month_ms;
    int64_t tokens;
};

static int64_t tokens_of(const struct sums *sums, enum entry_part part)
{
    const int64_t *counts = sums->counts;
    switch (part) {
    case PART_INPUT:
        return counts[COUNT_INPUT] - counts[COUNT_CACHE_READ] - counts[COUNT_CACHE_WRITE];
    case PART_OUTPUT:
        return counts[COUNT_OUTPUT];
    case PART_CACHE_READ:
        return counts[COUNT_CACHE_READ];
    case PART_CACHE_WRITE:
        return counts[COUNT_CACHE_WRITE];
    case ENTRY_PARTS:
        break;
    }
    return 0;
}

static struct slice tier_of(const struct charge *charge)
{
    return charge->values[TIER].len > 0 ? charge->values[TIER] : SLICE("default");
}

/* ---- fields ---- */

typedef void add_field(struct buf *buf, const struct charge *charge);

static void add_cost(struct buf *buf, const struct charge *charge)
{
    if (view_has_cost(charge->sums))
        money_add_sum(buf, &charge->sums->part[charge->class->part]);
}

/* What a token cost, where all of the row cost the same. */
static void add_unit_price(struct buf *buf, const struct charge *charge)
{
    const struct money_sum *cost = &charge->sums->part[charge->class->part];
    uint64_t tokens = (uint64_t)charge->tokens;
    if (charge->sums->unpriced == 0 && cost->high == 0 && cost->low <= INT64_MAX &&
        cost->low % tokens == 0)
        money_add_amount(buf, (int64_t)(cost->low / tokens));
}

static void add_currency(struct buf *buf, const struct charge *charge)
{
    buf_add_text(buf, charge->book->currency);
}

static void add_account(struct buf *buf, const struct charge *charge)
{
    buf_add(buf, charge->account);
}

static void add_month_begin(struct buf *buf, const struct charge *charge)
{
    instant_add_rfc3339(buf, charge->month_ms);
}

static void add_month_end(struct buf *buf, const struct charge *charge)
{
    instant_add_rfc3339(buf, charge->next_month_ms);
}

static void add_day_begin(struct buf *buf, const struct charge *charge)
{
    instant_add_rfc3339(buf, charge->day_ms);
}

static void add_day_end(struct buf *buf, const struct charge *charge)
{
    instant_add_rfc3339(buf, charge->day_ms + PERIOD_DAY_MS);
}

static void add_description(struct buf *buf, const struct charge *charge)
{
    buf_addf(buf, "%s of %.*s", charge->class->meter, SLICE_ARG(charge->values[MODEL]));
}

static void add_tokens(struct buf *buf, const struct charge *charge)
{
    buf_add_int(buf, charge->tokens);
}

static void add_region(struct buf *buf, const struct charge *charge)
{
    buf_add(buf, charge->values[REGION]);
}

static void add_model(struct buf *buf, const struct charge *charge)
{
    buf_add(buf, charge->values[MODEL]);
}

static void add_meter(struct buf *buf, const struct charge *charge)
{
    buf_add_text(buf, charge->class->meter);
}

static void add_price_id(struct buf *buf, const struct charge *charge)
{
    buf_addf(buf, "%.*s/%.*s/%.*s/%s", SLICE_ARG(charge->values[MODEL]),
             SLICE_ARG(charge->values[REGION]), SLICE_ARG(tier_of(charge)), charge->class->id);
}

static void add_tenant(struct buf *buf, const struct charge *charge)
{
    buf_add(buf, charge->values[TENANT]);
}

static void add_tags(struct buf *buf, const struct charge *charge)
{
    buf_add(buf, charge->values[LABELS]);
}

static void add_estimated(struct buf *buf, const struct charge *charge)
{
    buf_add(buf, charge->values[ESTIMATED]);
}

static void add_tier(struct buf *buf, const struct charge *charge)
{
    buf_add(buf, tier_of(charge));
}

static void add_unpriced(struct buf *buf, const struct charge *charge)
{
    buf_add_int(buf, charge->sums->unpriced);
}

static const struct {
    const char *name;
    add_field *add;
    const char *text; /* instead, the same in all rows */
} FIELDS[] = {
    {"BilledCost", add_cost, NULL},
    {"BillingAccountId", add_account, NULL},
    {"BillingAccountName", add_account, NULL},
    {"BillingCurrency", add_currency, NULL},
    {"BillingPeriodEnd", add_month_end, NULL},
    {"BillingPeriodStart", add_month_begin, NULL},
    {"ChargeCategory", NULL, "Usage"},
    {"ChargeClass", NULL, ""},
    {"ChargeDescription", add_description, NULL},
    {"ChargeFrequency", NULL, "Usage-Based"},
    {"ChargePeriodEnd", add_day_end, NULL},
    {"ChargePeriodStart", add_day_begin, NULL},
    {"ConsumedQuantity", add_tokens, NULL},
    {"ConsumedUnit", NULL, "Tokens"},
    {"ContractedCost", add_cost, NULL},
    {"ContractedUnitPrice", add_unit_price, NULL},
    {"EffectiveCost", add_cost, NULL},
    {"InvoiceIssuerName", NULL, "Amazon Web Services"},
    {"ListCost", add_cost, NULL},
    {"ListUnitPrice", add_unit_price, NULL},
    {"PricingCategory", NULL, "Standard"},
    {"PricingCurrency", add_currency, NULL},
    {"PricingQuantity", add_tokens, NULL},
    {"PricingUnit", NULL, "Tokens"},
    {"ProviderName", NULL, "Amazon Web Services"},
    {"PublisherName", NULL, "Amazon Web Services"},
    {"RegionId", add_region, NULL},
    {"RegionName", add_region, NULL},
    {"ResourceId", add_model, NULL},
    {"ResourceName", add_model, NULL},
    {"ResourceType", NULL, "Model"},
    {"ServiceCategory", NULL, "AI and Machine Learning"},
    {"ServiceName", NULL, "Amazon Bedrock"},
    {"ServiceSubcategory", NULL, "Generative AI"},
    {"SkuId", add_model, NULL},
    {"SkuMeter", add_meter, NULL},
    {"SkuPriceId", add_price_id, NULL},
    {"SubAccountId", add_tenant, NULL},
    {"SubAccountName", add_tenant, NULL},
    {"SubAccountType", NULL, "Tenant"},
    {"Tags", add_tags, NULL},
    {"x_Estimated", add_estimated, NULL},
    {"x_ServiceTier", add_tier, NULL},
    {"x_UnpricedCalls", add_unpriced, NULL},
};

#define FIELD_COUNT (sizeof FIELDS / sizeof FIELDS[0])

/* ---- rows ---- */

void focus_add_heading(struct buf *buf)
{
    for (size_t i = 0; i < FIELD_COUNT; i++)
        buf_addf(buf, "%s%s", i > 0 ? "," : "", FIELDS[i].name);
    buf_add_text(buf, "\r\n");
}

static void add_charge(struct buf *buf, const struct charge *charge)
{
    struct buf field;
    buf_init(&field, FIELD_BYTES);
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        if (i > 0)
            buf_add_byte(buf, ',');
        buf_reset(&field);
        if (FIELDS[i].add != NULL)
            FIELDS[i].add(&field, charge);
        else
            buf_add_text(&field, FIELDS[i].text);
        rows_add_csv_field(buf, buf_slice(&field));
    }
    buf_add_text(buf, "\r\n");
    buf_done(&field);
}

void focus_add(struct buf *buf, const struct book *book, const struct tally_row *row,
               struct slice account)
{
    struct charge charge = {.book = book, .sums = &row->sums, .account = account};
    struct slice key = row->key;
    for (size_t i = 0; i < VALUES; i++)
        charge.values[i] = columns_next_value(&key);
    if (!period_read_time(charge.values[DAY], 0, &charge.day_ms))
        return; /* never: it was printed from a time */
    period_of_month(charge.day_ms, &charge.month_ms, &charge.next_month_ms);
    for (size_t i = 0; i < COUNT_OF(CLASSES); i++) {
        charge.class = &CLASSES[i];
        charge.tokens = tokens_of(&row->sums, CLASSES[i].part);
        if (charge.tokens > 0)
            add_charge(buf, &charge);
    }
}
