/* The gauges of a scrape, read from the engine's nouns: engine_meter_gauges of engine/engine.h. */
#include "engine/dispatch.h"
#include "engine/hold.h"
#include "engine/meter.h"
#include "engine/pacing.h"
#include "engine/result.h"
#include "engine/shelf.h"
#include "engine/partition.h"
#include "engine/slots.h"
#include "engine/target.h"
#include "engine/wait.h"

static void count_requests(struct engine *engine, const struct partition *partition,
                           uint32_t counts[WAIT_COUNT], int64_t *oldest_ms)
{
    for (struct link *link = partition->jobs.next; link != &partition->jobs; link = link->next) {
        const struct job *job = LINK_OWNER(link, struct job, link_partition);
        counts[wait_of(engine, job)]++;
        if (job->received_ms < *oldest_ms)
            *oldest_ms = job->received_ms;
    }
}

static void set_requests(struct engine *engine)
{
    uint32_t counts[WAIT_COUNT] = {0};
    int64_t oldest_ms = engine->now_ms;
    uint32_t cursor = 0;
    for (struct partition *partition; (partition = slots_next(engine, &cursor)) != NULL;)
        count_requests(engine, partition, counts, &oldest_ms);
    for (struct partition *place = NULL; (place = shelf_next(engine, place)) != NULL;)
        count_requests(engine, place, counts, &oldest_ms);
    for (enum wait wait = 0; wait < WAIT_COUNT; wait++) {
        struct slice state = slice_of_text(wait_state(wait));
        metrics_set(engine->config.metrics, METRIC_REQUESTS, &state, counts[wait]);
    }
    metrics_set(engine->config.metrics, METRIC_OLDEST_REQUEST, NULL, engine->now_ms - oldest_ms);
}

/* Of all lines. */
static void set_lines(struct engine *engine)
{
    static const char *const priorities[] = {
        [FAIR_HIGH] = "high", [FAIR_NORMAL] = "normal", [FAIR_LOW] = "low"};
    int64_t requests[FAIR_CLASSES] = {0}, tenants[FAIR_CLASSES] = {0};
    for (const struct target *target = NULL; (target = targets_next(engine, target)) != NULL;) {
        for (enum fair_class class = 0; class < FAIR_CLASSES; class ++) {
            requests[class] += target->line.classes[class].waiting;
            tenants[class] += target->line.classes[class].tenant_count;
        }
    }
    for (enum fair_class class = 0; class < FAIR_CLASSES; class ++) {
        struct slice label = slice_of_text(priorities[class]);
        metrics_set(engine->config.metrics, METRIC_REQUESTS_WAITING, &label, requests[class]);
        metrics_set(engine->config.metrics, METRIC_TENANTS_WAITING, &label, tenants[class]);
    }
}

static void set_quota(struct engine *engine, const struct target *target, struct slice model,
                      struct slice region)
{
    struct pacing_figures figures = pacing_figures(engine, target);
    const struct slice requests[] = {model, region, SLICE("requests")};
    const struct slice tokens[] = {model, region, SLICE("tokens")};
    if (figures.requests_a_minute >= 0)
        metrics_set(engine->config.metrics, METRIC_QUOTA_RATE, requests, figures.requests_a_minute);
    if (figures.tokens_a_minute >= 0)
        metrics_set(engine->config.metrics, METRIC_QUOTA_RATE, tokens, figures.tokens_a_minute);
    metrics_set(engine->config.metrics, METRIC_QUOTA_WAIT, requests, figures.wait_ms);
}

static void set_targets(struct engine *engine)
{
    struct metrics *metrics = engine->config.metrics;
    const struct slice other[] = {SLICE("other"), SLICE("other")};
    int64_t others = 0;
    for (const struct target *target = NULL; (target = targets_next(engine, target)) != NULL;) {
        const struct slice labels[] = {meter_model(engine, target), meter_region(engine, target),
                                       slice_of_text(pacing_state(target))};
        if (slice_equal(labels[0], other[0]) || slice_equal(labels[1], other[1])) {
            others += target->calling;
            continue;
        }
        metrics_set(metrics, METRIC_CALLS_IN_FLIGHT, labels, target->calling);
        metrics_set(metrics, METRIC_TARGET_STATE, labels, 1);
        set_quota(engine, target, labels[0], labels[1]);
    }
    if (others > 0)
        metrics_set(metrics, METRIC_CALLS_IN_FLIGHT, other, others);
    metrics_set(metrics, METRIC_CALL_SLOTS, NULL, engine->config.max_in_flight);
    metrics_set(metrics, METRIC_QUOTA_SHARE, NULL, (int64_t)(engine->sharing.share * 1000 + 0.5));
}

static void set_partition(struct engine *engine, const struct partition *partition)
{
    struct metrics *metrics = engine->config.metrics;
    char number[16];
    struct buf text = {.ptr = number, .room = sizeof number, .limit = sizeof number};
    buf_add_int(&text, partition->number);
    const struct slice labels[] = {partition->topic, buf_slice(&text)};
    const struct job *first = partition->jobs.next == &partition->jobs
                                  ? NULL
                                  : LINK_OWNER(partition->jobs.next, struct job, link_partition);
    metrics_set(metrics, METRIC_FRONT_AGE, labels,
                first == NULL ? 0 : engine->now_ms - first->received_ms);
    if (!partition_has_ledger(partition))
        return;
    const struct ledger *ledger = &partition->ledger;
    int64_t committed =
        ledger->committed_offset < 0 ? ledger_front(ledger) : ledger->committed_offset;
    metrics_set(metrics, METRIC_BACKLOG, labels, ledger_backlog(ledger, partition->high));
    metrics_set(metrics, METRIC_MAP_RATIO, labels, ledger_fill(ledger));
    if (partition->high >= 0) /* it may be older than the commit */
        metrics_set(metrics, METRIC_COMMIT_LAG, labels,
                    partition->high > committed ? partition->high - committed : 0);
}

static void set_credentials(struct engine *engine)
{
    int64_t first_ms = INT64_MAX;
    for (uint32_t i = 0; i < engine->config.identity_count; i++) {
        const struct identity *identity = &engine->identities[i];
        if (identity->has_credentials && identity->credentials.expires_wall_ms < first_ms)
            first_ms = identity->credentials.expires_wall_ms;
    }
    if (first_ms != INT64_MAX)
        metrics_set(engine->config.metrics, METRIC_CREDENTIALS_EXPIRY, NULL, first_ms);
}

void engine_meter_gauges(struct engine *engine)
{
    struct metrics *metrics = engine->config.metrics;
    uint32_t cursor = 0;
    if (metrics == NULL)
        return;
    set_requests(engine);
    set_lines(engine);
    set_targets(engine);
    for (const struct partition *partition; (partition = slots_next(engine, &cursor)) != NULL;)
        set_partition(engine, partition);
    set_credentials(engine);
    metrics_set(metrics, METRIC_USAGE_UNPUBLISHED, NULL, results_tokens(engine));
    metrics_set(metrics, METRIC_SHELF_REQUESTS, NULL, shelf_count(engine));
    metrics_set(metrics, METRIC_SHELF_BYTES, NULL, (int64_t)shelf_bytes(engine));
    metrics_set(metrics, METRIC_HELD_BYTES, NULL, (int64_t)held_bytes(engine));
    metrics_set(metrics, METRIC_HELD_BYTES_LIMIT, NULL, (int64_t)engine->config.max_held_bytes);
}
