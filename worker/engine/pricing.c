#include "engine/pricing.h"

#include "engine/log.h"
#include "wire/chat/traits.h"

static struct slice tier_of(const struct job *job, const struct attempt *attempt)
{
    if (attempt->service_tier[0] != '\0')
        return slice_of_text(attempt->service_tier);
    return job->request.service_tier.ptr != NULL ? job->request.service_tier : SLICE(PRICE_TIER);
}

/* The id of an application's profile says no model, so the request may name one. */
static struct price_query query_of(const struct job *job, const struct attempt *attempt,
                                   const struct usage_counts *counts, int64_t at_ms)
{
    struct slice base = job->request.base_model;
    bool has_base = base.len > 0 && slice_equal(attempt->model, job->request.model);
    struct slice said = has_base ? base : attempt->model;
    struct price_query query = {
        .names = {attempt->model, traits_id(said), traits_name(said)},
        .region = attempt->region,
        .tier = tier_of(job, attempt),
        .input_tokens = counts->input_tokens,
        .at_ms = at_ms,
    };
    query.is_global = slice_starts(query.names[PRICE_OF_ARN], SLICE(PRICE_GLOBAL "."));
    return query;
}

static void log_lack(struct engine *engine, const struct price_query *query, enum price_lack lack,
                     enum price_class class, const struct price_table *prices)
{
    struct slice why = SLICE("no row of the price file applies");
    if (lack == PRICE_LACKS_COUNTS)
        why = SLICE("its token counts contradict each other or exceed what a cost can hold");
    else if (lack == PRICE_LACKS_CLASS)
        why = SLICE("the row that applies lacks a price for tokens that it used");
    if (!log_is_due(engine, &engine->price_log_due_ms))
        return;
    ENGINE_LOG(engine, LOG_PRICE_MISSING, FIELD_TEXT("model", query->names[PRICE_AS_CALLED]),
               FIELD_TEXT("region", query->region), FIELD_TEXT("tier", query->tier),
               FIELD_TEXT("reason", why),
               FIELD_TEXT("class", slice_of_text(lack == PRICE_LACKS_CLASS ? price_class_name(class)
                                                                           : "any")),
               FIELD_TEXT("prices", slice_of_text(prices->version)));
}

const struct output_cost *pricing_cost(struct engine *engine, const struct job *job,
                                       const struct attempt *attempt,
                                       const struct usage_counts *counts, int64_t at_ms, bool logs,
                                       struct output_cost *ret_cost)
{
    const struct price_table *prices = job->terms->prices;
    if (prices == NULL)
        return NULL;
    enum price_class class = PRICE_INPUT;
    const struct price_query query = query_of(job, attempt, counts, at_ms);
    const struct price_row *row = price_find(prices, &engine->price_memo, &query);
    const struct price_counts by_class = {
        .input = counts->input_tokens,
        .output = counts->output_tokens,
        .cache_read = counts->cache_read_tokens,
        .cache_write = counts->cache_write_tokens,
        .cache_write_1h = counts->cache_write_1h_tokens,
    };
    enum price_lack lack = price_cost(prices, row, &by_class, &ret_cost->cost, &class);
    output_cost_write(ret_cost);
    if (lack != PRICE_LACKS_NOTHING && logs)
        log_lack(engine, &query, lack, class, prices);
    return ret_cost;
}
