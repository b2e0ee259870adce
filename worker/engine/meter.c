#include "engine/meter.h"

#include "engine/attempt.h"
#include "engine/call.h"
#include "engine/history.h"
#include "engine/target.h"

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

static bool is_known(const struct engine *engine, uint64_t hash)
{
    for (size_t i = 0; i < engine->meter.model_count; i++)
        if (engine->meter.models[i] == hash)
            return true;
    return false;
}

struct slice meter_model(const struct engine *engine, const struct target *target)
{
    if (is_of_settings(engine, target->model) || is_known(engine, target->hash))
        return target->model;
    return SLICE("other");
}

static void note_answer(struct engine *engine, const struct target *target)
{
    struct meter *meter = &engine->meter;
    if (meter->model_count < METER_MODELS_MAX && !is_known(engine, target->hash))
        meter->models[meter->model_count++] = target->hash;
}

/* ---- counters ---- */

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

static void add_tokens(struct metrics *metrics, struct slice model,
                       const struct usage_counts *counts)
{
    const struct {
        const char *kind;
        int64_t count;
    } kinds[] = {{"input", counts->input_tokens},
                 {"output", counts->output_tokens},
                 {"cache_read", counts->cache_read_tokens},
                 {"cache_write", counts->cache_write_tokens}};
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        const struct slice labels[] = {model, slice_of_text(kinds[i].kind)};
        if (kinds[i].count > 0)
            metrics_add(metrics, METRIC_TOKENS, labels, kinds[i].count);
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
    const struct slice labels[] = {model, attempt->region,
                                   slice_of_text(is_ok ? "ok" : err_code(verdict->why.err))};
    metrics_add(metrics, METRIC_CALLS, labels, 1);
    if (is_ok)
        metrics_observe(metrics, METRIC_CALL_DURATION, &model, attempt->duration_ms);
    if (attempt->first_token_ms >= 0)
        metrics_observe(metrics, METRIC_FIRST_TOKEN, &model, attempt->first_token_ms);
    if (!verdict->is_billable)
        return;
    struct slice reason =
        slice_of_text(verdict->estimated_reason == NULL ? "exact" : verdict->estimated_reason);
    metrics_add(metrics, METRIC_USAGE_RECORDS, &reason, 1);
    add_tokens(metrics, model, &verdict->counts);
}

void meter_batch(struct engine *engine, const char *outcome, int64_t duration_ms)
{
    struct slice label = slice_of_text(outcome);
    metrics_add(engine->config.metrics, METRIC_BATCHES, &label, 1);
    if (duration_ms >= 0)
        metrics_observe(engine->config.metrics, METRIC_BATCH_DURATION, NULL, duration_ms);
}
