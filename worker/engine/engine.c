#include "engine/engine.h"

#include <string.h>

#include "base/check.h"
#include "base/instant.h"
#include "base/memory.h"
#include "engine/adopt.h"
#include "engine/batch.h"
#include "engine/budget_sums.h"
#include "engine/budgets.h"
#include "engine/lost_calls.h"
#include "engine/call.h"
#include "engine/chunk_topic.h"
#include "engine/cut.h"
#include "engine/delivered.h"
#include "engine/dispatch.h"
#include "engine/current.h"
#include "engine/history.h"
#include "engine/hold.h"
#include "engine/identity.h"
#include "engine/job.h"
#include "engine/job_pool.h"
#include "engine/lane.h"
#include "engine/line.h"
#include "engine/mark.h"
#include "engine/membership.h"
#include "engine/meter.h"
#include "engine/objects.h"
#include "engine/partition.h"
#include "engine/progress.h"
#include "engine/reply.h"
#include "engine/result.h"
#include "engine/route.h"
#include "engine/settle.h"
#include "engine/shelf.h"
#include "engine/slots.h"
#include "engine/sharing.h"
#include "engine/target.h"
#include "engine/terms.h"
#include "engine/withheld.h"
#include "engine/log.h"

#define TURN_MAX_MS     1000 /* the longest sleep: a tick */
#define HEARD_WITHIN_MS 333  /* the answer to a heartbeat */
#define STOP_GRACE_MS   5000 /* after drain_timeout, for the last commit */

/* ---- birth and death ---- */

static enum err rooms_init(struct engine *engine)
{
    enum err err = identities_init(engine);
    if (err == OK)
        err = slots_init(engine);
    if (err == OK)
        err = timers_init(&engine->timers, engine->config.max_held);
    if (err == OK)
        err = lanes_init(engine);
    if (err == OK)
        err = lines_init(engine);
    if (err == OK)
        err = reply_init(engine);
    if (err == OK)
        err = jobs_init(engine);
    if (err == OK)
        err = calls_init(engine);
    if (err == OK)
        err = delivered_init(engine);
    return err;
}

struct engine *engine_new(const struct engine_config *config, const struct ports *ports,
                          int64_t now_ms, int64_t wall_ms)
{
    CHECK(config->max_in_flight > 0 && config->max_held > 0 && config->batch_results_max > 0);
    struct engine *engine = memory_new(sizeof *engine);
    if (engine == NULL)
        return NULL;
    check_set_objects(objects_print);
    engine->config = *config;
    engine->config.identity_count = config->identity_count > 0 ? config->identity_count : 1;
    engine->config.catalog.memo = &engine->traits_memo;
    terms_init(engine);
    engine->ports = *ports;
    engine->now_ms = now_ms;
    engine->wall_ms = wall_ms;
    random_init(&engine->random, config->seed);
    engine->hash_seed = random_next(&engine->random);
    receivers_init(engine);
    link_init(&engine->lost_calls);
    shelf_init(engine);
    results_init(engine);
    hold_init(engine);
    withheld_init(engine);
    marks_init(engine);
    targets_init(engine);
    sharing_init(engine);
    budgets_init(engine);
    membership_init(engine);
    history_init(engine);
    meter_init(engine);
    cut_init(engine);
    engine->settle.fenced_ms = INT64_MIN;
    engine->stalled_ms = INT64_MIN;
    dispatch_pause(engine, now_ms);
    if (rooms_init(engine) == OK)
        return engine;
    engine_free(engine);
    return NULL;
}

void engine_free(struct engine *engine)
{
    if (engine == NULL)
        return;
    current_end(engine);
    calls_done(engine);
    results_free(engine);
    settle_done(engine);
    jobs_done(engine);
    shelf_free(engine); /* its pages refer to partitions */
    partitions_free(engine);
    lost_calls_free(engine);
    delivered_free(engine);
    targets_free(engine);
    budgets_free(engine);
    reply_done(engine);
    lanes_done(engine);
    lines_done(engine);
    timers_done(&engine->timers);
    membership_done(engine);
    identities_done(engine);
    memory_free(engine);
}

uint64_t engine_memory_bound(const struct engine_config *config)
{
    uint64_t jobs = (uint64_t)config->max_held * (sizeof(struct job) + JOB_ARENA_KEPT_MAX +
                                                  LANE_BYTES_PER_JOB + FAIR_BYTES_PER_ENTRY);
    /* The engine reads one request at a time. */
    uint64_t scratch = REQUEST_SCRATCH_BYTES(config->max_request_bytes);
    /* Requests take up to max_held_bytes; answers that wait for their commit take up to half of it
     * before calls stop. */
    return config->max_held_bytes + config->max_held_bytes / 2 + jobs +
           engine_calls_memory_bound(config) + scratch + REPLY_BYTES +
           delivered_bytes(config->exactly_once);
}

void engine_stats(const struct engine *engine, struct engine_stats *ret_stats)
{
    *ret_stats = engine->stats;
    ret_stats->held = held_count(engine);
    ret_stats->calling = calls_open(engine);
    ret_stats->held_bytes = held_bytes(engine);
    ret_stats->partitions = slots_used(engine);
}

/* ---- events of several rooms ---- */

void engine_time(struct engine *engine, int64_t now_ms, int64_t wall_ms)
{
    current_begin(engine);
    int64_t stall_ms = now_ms - engine->now_ms;
    engine->now_ms = now_ms;
    engine->wall_ms = wall_ms;
    if (stall_ms <= engine->config.stall_ms || slots_used(engine) == 0)
        return;
    engine->stalled_ms = now_ms;
    /* If the group removed this member during the stall, the answer to the next heartbeat reports
     * it.
     */
    dispatch_pause(engine, now_ms + engine->config.heartbeat_ms + HEARD_WITHIN_MS);
    ENGINE_LOG(engine, LOG_STALLED, FIELD_INT("stall_ms", stall_ms));
    partitions_doubt(engine);
}

void engine_credentials(struct engine *engine, uint32_t identity,
                        const struct credentials *credentials, struct slice reason)
{
    CHECK(identity < engine->config.identity_count);
    identity_set(engine, &engine->identities[identity], credentials, reason);
}

void engine_topic_found(struct engine *engine, uint32_t ticket, enum err err, int32_t partitions)
{
    if (chunk_topic_found(engine, ticket, err, partitions))
        return;
    struct link ready;
    link_init(&ready);
    reply_found(engine, ticket, err, partitions, &ready);
    while (!link_alone(&ready)) {
        struct job *job = LINK_OWNER(ready.next, struct job, reply_link);
        link_out(&job->reply_link);
        job_route(engine, job);
    }
    for (struct job *job; (job = reply_next(engine)) != NULL;)
        job_route(engine, job);
}

void engine_chunk_refused(struct engine *engine, struct call_ref ref)
{
    struct call *call = call_find(engine, ref);
    if (call != NULL)
        call->is_chunk_refused = true;
}

/* ---- calls ---- */

void engine_call_head(struct engine *engine, struct call_ref ref, int status, struct slice head)
{
    struct call *call = call_find(engine, ref);
    if (call != NULL)
        call_head(engine, call, status, head);
}

void engine_call_body(struct engine *engine, struct call_ref ref, struct slice bytes)
{
    struct call *call = call_find(engine, ref);
    if (call == NULL || call_body(engine, call, bytes))
        return;
    call_break_off(engine, call);
    job_call_ended(engine, call->job, NULL);
}

void engine_call_ended(struct engine *engine, struct call_ref ref, const struct call_end *end)
{
    struct call *call = call_find(engine, ref);
    if (call != NULL)
        job_call_ended(engine, call->job, end);
}

/* ---- stopping ---- */

static void log_draining(const struct engine *engine)
{
    struct buf until OWNED_BY(buf_done);
    buf_init(&until, 64);
    instant_add_rfc3339(&until, engine->wall_ms + engine->config.drain_timeout_ms);
    ENGINE_LOG(engine, LOG_DRAINING, FIELD_INT("calls", calls_open(engine)),
               FIELD_TEXT("until", buf_slice(&until)),
               FIELD_INT("timeout_ms", engine->config.drain_timeout_ms));
}

void engine_stop(struct engine *engine)
{
    if (engine->is_stopping || engine->has_ended)
        return;
    engine->is_stopping = true;
    engine->stop_until_ms = engine->now_ms + engine->config.drain_timeout_ms;
    engine->give_up_ms = engine->stop_until_ms + STOP_GRACE_MS;
    log_draining(engine);
    uint32_t cursor = 0;
    for (struct partition *partition; (partition = slots_next(engine, &cursor)) != NULL;) {
        partition_end_turns(engine, partition);
        partition_drop_waiting(engine, partition);
    }
    adopt_end(engine);
}

static void cancel_all(struct engine *engine)
{
    uint32_t cursor = 0;
    for (struct partition *partition; (partition = slots_next(engine, &cursor)) != NULL;)
        partition_cancel_calls(engine, partition);
}

void engine_hurry(struct engine *engine)
{
    if (engine->is_hurrying)
        return;
    engine_stop(engine);
    engine->is_hurrying = true;
    ENGINE_LOG(engine, LOG_STOP_HURRIED, FIELD_INT("calls", calls_open(engine)),
               FIELD_INT("timeout_ms", ENGINE_HURRY_MS));
    engine->give_up_ms = engine->now_ms + ENGINE_HURRY_MS;
    cancel_all(engine);
}

/* Whether there are no calls and no results, and every ledger is committed. */
static bool is_drained(struct engine *engine)
{
    return calls_open(engine) == 0 && results_queued(engine) == 0 && !batch_is_open(engine) &&
           slots_next_changed(engine, NULL) == NULL;
}

static void end(struct engine *engine, int exit_code)
{
    engine->has_ended = true;
    engine->ports.ended(engine->ports.self, exit_code);
}

static void log_uncommitted(struct engine *engine)
{
    ENGINE_LOG(engine, LOG_STOP_TIMED_OUT,
               FIELD_INT("results", (int64_t)results_queued(engine) + results_batched(engine)));
}

static void stop_turn(struct engine *engine, int64_t *ret_next_ms)
{
    if (engine->now_ms >= engine->stop_until_ms && calls_open(engine) > 0) {
        ENGINE_LOG(engine, LOG_DRAIN_TIMED_OUT, FIELD_INT("calls", calls_open(engine)));
        cancel_all(engine);
    }
    if (is_drained(engine)) {
        engine_log(engine, LOG_DRAINED, NULL, 0);
        end(engine, 0);
    } else if (engine->now_ms >= engine->give_up_ms) {
        log_uncommitted(engine);
        end(engine, 1);
    } else {
        int64_t next_ms = engine->stop_until_ms;
        if (engine->now_ms >= next_ms || engine->give_up_ms < next_ms)
            next_ms = engine->give_up_ms;
        if (next_ms < *ret_next_ms)
            *ret_next_ms = next_ms;
    }
}

/* ---- the turn ---- */

static void fire_timers(struct engine *engine)
{
    for (struct timer *timer; (timer = timers_pop(&engine->timers, engine->now_ms)) != NULL;)
        job_due(engine, LINK_OWNER(timer, struct job, due));
}

static void wake_lanes(struct engine *engine)
{
    for (struct job *job; (job = lane_take_woken(engine)) != NULL;)
        job_lead(engine, job);
}

int64_t engine_turn(struct engine *engine)
{
    int64_t next_ms = engine->now_ms + TURN_MAX_MS;
    if (engine->has_ended)
        return next_ms;
    fire_timers(engine);
    wake_lanes(engine);
    route_turn(engine, &next_ms);
    dispatch_turn(engine, &next_ms);
    wake_lanes(engine); /* jobs behind one that failed before its call */
    partitions_turn(engine, &next_ms);
    withheld_turn(engine, &next_ms);
    settle_turn(engine);
    adopt_turn(engine);
    cut_turn(engine, &next_ms);
    progress_turn(engine);
    budget_sums_turn(engine);
    if (engine->is_stopping)
        stop_turn(engine, &next_ms);
    else
        chunk_topic_turn(engine);
    if (lanes_are_woken(engine))
        return engine->now_ms;
    int64_t timer_ms = timers_next_ms(&engine->timers);
    return timer_ms < next_ms ? timer_ms : next_ms;
}
