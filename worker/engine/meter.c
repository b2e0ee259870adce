#include "engine/meter.h"

#include "engine/attempt.h"
#include "engine/call.h"
#include "engine/history.h"
#include "engine/target.h"

#define NANO_PART 1000 /* units of money in 10⁻⁹ */

/* ---- labels ---- */

static bool is_of_settings(const struct engine *engine, struct slice model)
{
    const struct catalog *catalog = &engine->config.catalog;
    if (slice_equal(catalog->default_model, model))
        return true;
    for (size_t i = 0; i < catalog->alias_count; i++)
        if (slice_equal(catalog->aliases[i].id, model))
            return true;
    return false;
}

/* Whether something with this hash answered: a model, or one in its region. */
static bool has_answered(const struct engine *engine, uint64_t hash)
{
    for (size_t i = 0; i < engine->meter.count; i++)
        if (engine->meter.answered[i] == hash)
            return true;
    return false;
}

static uint64_t hash_of(const struct engine *engine, struct slice model)
{
    return slice_hash(model, engine->hash_seed);
}

static struct slice label_of_model(const struct engine *engine, struct slice model)
{
    bool is_shown = is_of_settings(engine, model) || has_answered(engine, hash_of(engine, model));
    return is_shown ? model : SLICE("other");
}

struct slice meter_model(const struct engine *engine, const struct target *target)
{
    return label_of_model(engine, target->model);
}

static bool is_region_of_settings(const struct engine *engine, struct slice region)
{
    const struct catalog *catalog = &engine->config.catalog;
    if (slice_equal(engine->config.region, region))
        return true;
    for (size_t i = 0; i < catalog->alias_count; i++)
        if (slice_equal(catalog->aliases[i].region, region))
            return true;
    return false;
}

struct slice meter_region(const struct engine *engine, const struct target *target)
{
    bool is_shown = is_region_of_settings(engine, target->region) ||
                    has_answered(engine, hash_of(engine, target->region));
    return is_shown ? target->region : SLICE("other");
}

static void note(struct engine *engine, struct slice text)
{
    struct meter *meter = &engine->meter;
    uint64_t hash = hash_of(engine, text);
    if (meter->count < METER_LABELS_MAX && !has_answered(engine, hash))
        meter->answered[meter->count++] = hash;
}

static void note_answer(struct engine *engine, const struct target *target)
{
    if (!is_of_settings(engine, target->model))
        note(engine, target->model);
    if (!is_region_of_settings(engine, target->region))
        note(engine, target->region);
}

/* ---- counters ---- */

void meter_shelf(const struct engine *engine, const char *outcome, int64_t by)
{
    struct slice label = slice_of_text(outcome);
    metrics_add(engine->config.metrics, METRIC_SHELF, &label, by);
}

void meter_init(const struct engine *engine)
{
    static const char *const outcomes[] = {"committed", "aborted", "unknown"};
    static const char *const reasons[] = {"exact",     "stream_cut", "timeout",
                                          "cancelled", "no_counts",  "worker_lost"};
    static const char *const kept[] = {"kept", "used", "dropped"};
    metrics_add(engine->config.metrics, METRIC_UNPRICED, NULL, 0);
    for (size_t i = 0; i < COUNT_OF(kept); i++)
        meter_shelf(engine, kept[i], 0);
    for (size_t i = 0; i < COUNT_OF(outcomes); i++) {
        struct slice outcome = slice_of_text(outcomes[i]);
        metrics_add(engine->config.metrics, METRIC_BATCHES, &outcome, 0);
    }
    for (size_t i = 0; i < COUNT_OF(reasons); i++) {
        struct slice reason = slice_of_text(reasons[i]);
        metrics_add(engine->config.metrics, METRIC_USAGE_RECORDS, &reason, 0);
    }
}

void meter_taken(struct engine *engine, const struct job *job)
{
    history_taken(engine);
    metrics_add(engine->config.metrics, METRIC_REQUESTS_TAKEN, &job->partition->topic, 1);
}

void meter_first_call(struct engine *engine, const struct job *job)
{
    metrics_observe(engine->config.metrics, METRIC_WAIT, NULL, engine->now_ms - job->received_ms);
}

void meter_committed(struct engine *engine, const struct job *job)
{
    struct metrics *metrics = engine->config.metrics;
    struct slice code = slice_of_text(job->why.err == OK ? "ok" : err_code(job->why.err));
    history_committed(engine, job);
    metrics_add(metrics, METRIC_REQUESTS_FINISHED, &code, 1);
    if (job->record.timestamp_type != TIMESTAMP_NONE)
        metrics_observe(metrics, METRIC_REQUEST_DURATION, NULL,
                        engine->wall_ms - job->record.timestamp_ms);
}

static void add_bill(struct engine *engine, const struct output_bill *bill)
{
    struct metrics *metrics = engine->config.metrics;
    struct slice model = label_of_model(engine, bill->model);
    struct slice reason = slice_of_text(bill->reason == NULL ? "exact" : bill->reason);
    const struct {
        const char *kind;
        int64_t count;
    } kinds[] = {{"input", bill->input_tokens},
                 {"output", bill->output_tokens},
                 {"cache_read", bill->cache_read_tokens},
                 {"cache_write", bill->cache_write_tokens},
                 {"reasoning", bill->reasoning_tokens}};
    metrics_add(metrics, METRIC_USAGE_RECORDS, &reason, 1);
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        const struct slice labels[] = {model, slice_of_text(kinds[i].kind)};
        if (kinds[i].count > 0)
            metrics_add(metrics, METRIC_TOKENS, labels, kinds[i].count);
    }
    const struct slice cost_labels[] = {slice_of_text(bill->currency), model};
    if (bill->is_priced)
        metrics_add(metrics, METRIC_COST, cost_labels, bill->amount / NANO_PART);
    if (bill->is_unpriced)
        metrics_add(metrics, METRIC_UNPRICED, NULL, 1);
}

void meter_usage(struct engine *engine, const struct result *result)
{
    if (engine->config.metrics == NULL)
        return;
    for (struct link *link = result->outputs.next; link != &result->outputs; link = link->next) {
        const struct output *output = LINK_OWNER(link, struct output, link);
        if (output->kind == OUTPUT_USAGE)
            add_bill(engine, &output->bill);
    }
}

void meter_call(struct engine *engine, const struct job *job, const struct verdict *verdict)
{
    struct metrics *metrics = engine->config.metrics;
    const struct attempt *attempt = attempt_last(job);
    bool is_ok = verdict->why.err == OK;
    history_call(engine, job, verdict);
    if (metrics == NULL)
        return;
    if (is_ok)
        note_answer(engine, job->target);
    struct slice model = meter_model(engine, job->target);
    const struct slice labels[] = {model, meter_region(engine, job->target),
                                   slice_of_text(is_ok ? "ok" : err_code(verdict->why.err))};
    metrics_add(metrics, METRIC_CALLS, labels, 1);
    if (is_ok)
        metrics_observe(metrics, METRIC_CALL_DURATION, &model, attempt->duration_ms);
    if (attempt->first_token_ms >= 0)
        metrics_observe(metrics, METRIC_FIRST_TOKEN, &model, attempt->first_token_ms);
}

void meter_moved(struct engine *engine, const struct target *from, const struct target *to,
                 const char *reason)
{
    const struct slice labels[] = {meter_model(engine, from), meter_model(engine, to),
                                   slice_of_text(reason)};
    metrics_add(engine->config.metrics, METRIC_REQUESTS_MOVED, labels, 1);
}

void meter_batch(struct engine *engine, const char *outcome, int64_t duration_ms)
{
    struct slice label = slice_of_text(outcome);
    metrics_add(engine->config.metrics, METRIC_BATCHES, &label, 1);
    if (duration_ms >= 0)
        metrics_observe(engine->config.metrics, METRIC_BATCH_DURATION, NULL, duration_ms);
}
