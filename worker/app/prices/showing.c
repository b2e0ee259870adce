#include "app/prices/showing.h"

#include "app/prices/import_rows.h"
#include "base/glob.h"
#include "base/instant.h"

/* Whether the row's model is one of the names, wherever it was called. */
static bool is_for_model(const struct price_row *row, const struct price_query *query)
{
    for (size_t i = 0; i < PRICE_NAMES; i++)
        if (query->names[i].len > 0 && glob_match(row->model, query->names[i], false))
            return true;
    return false;
}

static void add_region_lack(struct buf *buf, const struct price_row *row,
                            const struct price_query *query)
{
    if (query->is_global)
        buf_add_text(buf, "the call is by a global profile; such a row says region: global");
    else if (slice_equal_text(row->region, PRICE_GLOBAL))
        buf_add_text(buf, "the call is not by a global profile");
    else
        buf_addf(buf, "the call's region is %.*s", SLICE_ARG(query->region));
}

/* Why a row for the model is not the one. */
static void add_lack(struct buf *buf, const struct price_row *row, const struct price_query *query)
{
    enum price_name name;
    struct slice tier = query->tier.len > 0 ? query->tier : SLICE(PRICE_TIER);
    if (!price_row_is_for(row, query, &name)) {
        add_region_lack(buf, row, query);
    } else if (!slice_equal(row->tier, tier)) {
        buf_addf(buf, "the call's tier is %.*s", SLICE_ARG(tier));
    } else if (row->context_over > 0 && query->input_tokens <= row->context_over) {
        buf_addf(buf, "the input is %lld tokens", (long long)query->input_tokens);
    } else if (query->at_ms < row->from_ms) {
        buf_add_text(buf, "it begins at ");
        instant_add_rfc3339(buf, row->from_ms);
    } else if (query->at_ms >= row->to_ms) {
        buf_add_text(buf, "it ended at ");
        instant_add_rfc3339(buf, row->to_ms);
    } else {
        buf_add_text(buf, "it is less specific than the one that applies");
    }
}

static void add_call(struct buf *buf, const struct price_query *query)
{
    struct slice tier = query->tier.len > 0 ? query->tier : SLICE(PRICE_TIER);
    buf_addf(buf, "call      %.*s", SLICE_ARG(query->names[PRICE_AS_CALLED]));
    if (!slice_equal(query->names[PRICE_AS_CALLED], query->names[PRICE_WITHOUT_PREFIX]))
        buf_addf(buf, ", which is also %.*s", SLICE_ARG(query->names[PRICE_WITHOUT_PREFIX]));
    buf_addf(buf, "\n          in %.*s%s, tier %.*s, %lld input tokens, begun at ",
             SLICE_ARG(query->region), query->is_global ? " by a global profile" : "",
             SLICE_ARG(tier), (long long)query->input_tokens);
    instant_add_rfc3339(buf, query->at_ms);
    buf_add_byte(buf, '\n');
}

static void add_row(struct buf *buf, const char *label, const struct price_row *row)
{
    buf_addf(buf, "%-9s line %u: ", label, row->line);
    price_row_add(buf, row);
}

bool price_show(struct buf *buf, const struct price_table *table, const char *file,
                const struct price_query *query)
{
    const struct price_row *found = price_find(table, NULL, query);
    add_call(buf, query);
    buf_addf(buf, "prices    %s, version %s, in %s for a million tokens\n", file, table->version,
             table->currency);
    if (found != NULL)
        add_row(buf, "applies", found);
    else
        buf_add_text(buf, "applies   no row: such a call has no cost in its records");
    buf_add_byte(buf, '\n');
    for (size_t i = 0; i < table->count; i++) {
        const struct price_row *row = &table->rows[i];
        if (row == found || !is_for_model(row, query))
            continue;
        add_row(buf, "not", row);
        buf_add_text(buf, "\n          because ");
        add_lack(buf, row, query);
        buf_add_byte(buf, '\n');
    }
    return found != NULL;
}
