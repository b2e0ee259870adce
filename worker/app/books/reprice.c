#include "app/books/reprice.h"

#include "wire/chat/traits.h"

void reprice_init(struct reprice *reprice, const struct price_table *prices)
{
    *reprice = (struct reprice){.prices = prices};
}

static struct price_query query_of(const struct entry *entry)
{
    struct slice said = entry->base_model.len > 0 ? entry->base_model : entry->model;
    struct price_query query = {
        .names = {entry->model, traits_id(said), traits_name(said)},
        .region = entry->region,
        .tier = entry->service_tier,
        .input_tokens = entry->counts[COUNT_INPUT],
        .at_ms = entry->started_ms,
    };
    query.is_global = slice_starts(query.names[PRICE_OF_ARN], SLICE(PRICE_GLOBAL "."));
    return query;
}

static void count_lack(struct reprice *reprice, enum price_lack lack)
{
    reprice->no_row += lack == PRICE_LACKS_ROW;
    reprice->no_class += lack == PRICE_LACKS_CLASS;
    reprice->odd += lack == PRICE_LACKS_COUNTS;
}

void reprice_entry(void *self, struct entry *entry)
{
    struct reprice *reprice = self;
    struct money_cost cost;
    enum price_class class = PRICE_INPUT;
    const struct price_query query = query_of(entry);
    const struct price_counts counts = {
        .input = entry->counts[COUNT_INPUT],
        .output = entry->counts[COUNT_OUTPUT],
        .cache_read = entry->counts[COUNT_CACHE_READ],
        .cache_write = entry->counts[COUNT_CACHE_WRITE],
        .cache_write_1h = entry->counts[COUNT_CACHE_WRITE_1H],
    };
    const struct price_row *row = price_find(reprice->prices, &reprice->memo, &query);
    enum price_lack lack = price_cost(reprice->prices, row, &counts, &cost, &class);
    count_lack(reprice, lack);
    if (!slice_equal_text(entry->currency, reprice->prices->currency))
        entry->recorded = 0; /* not comparable */
    entry->has_cost = lack == PRICE_LACKS_NOTHING;
    if (!entry->has_cost)
        return;
    entry->amount = cost.amount;
    entry->currency = slice_of_text(reprice->prices->currency);
    entry->part[PART_INPUT] = cost.input;
    entry->part[PART_OUTPUT] = cost.output;
    entry->part[PART_CACHE_READ] = cost.cache_read;
    entry->part[PART_CACHE_WRITE] = cost.cache_write;
}
