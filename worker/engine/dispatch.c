#include "engine/dispatch.h"

#include "engine/day_quota.h"
#include "engine/budgets.h"
#include "engine/job.h"
#include "engine/mark.h"
#include "engine/membership.h"
#include "engine/pacing.h"
#include "engine/partition.h"
#include "engine/refusal.h"
#include "engine/result.h"
#include "engine/target.h"
#include "engine/log.h"

/* ---- the gates: WAIT_NOTHING = open; else *ret_again_ms is when one may open by itself ---- */

static enum wait credentials_gate(struct engine *engine, struct target *target,
                                  int64_t *ret_again_ms)
{
    bool is_open =
        target->identity->has_credentials && !refusal_stops(engine, target, ret_again_ms);
    return is_open ? WAIT_NOTHING : WAIT_CREDENTIALS;
}

/* Without a membership, other workers may own the partitions. */
static enum wait membership_gate(struct engine *engine, struct target *target,
                                 int64_t *ret_again_ms)
{
    (void)target;
    enum membership_news standing = membership_standing(engine);
    if (standing == MEMBERSHIP_SAME)
        return WAIT_NOTHING;
    if (standing == MEMBERSHIP_GONE)
        *ret_again_ms = membership_again_ms(engine);
    return WAIT_MEMBERSHIP;
}

static enum wait stall_gate(struct engine *engine, struct target *target, int64_t *ret_again_ms)
{
    (void)target;
    *ret_again_ms = engine->dispatch.after_ms;
    return engine->now_ms < engine->dispatch.after_ms ? WAIT_STALL : WAIT_NOTHING;
}

/* Closed while answers that cannot be committed (no broker) fill the memory. Those on the shelf, or
 * behind an earlier request of their key, wait for no commit: it stays open for that request. */
static enum wait answers_gate(struct engine *engine, struct target *target, int64_t *ret_again_ms)
{
    (void)target, (void)ret_again_ms;
    bool has_room = results_bytes(engine) < engine->config.max_held_bytes / 2;
    bool are_waiting = results_queued(engine) + results_batched(engine) > 0;
    return has_room || !are_waiting ? WAIT_NOTHING : WAIT_ANSWERS;
}

static enum wait slot_gate(struct engine *engine, struct target *target, int64_t *ret_again_ms)
{
    (void)target, (void)ret_again_ms;
    return calls_room(engine) > 0 ? WAIT_NOTHING : WAIT_SLOT;
}

static enum wait pace_gate(struct engine *engine, struct target *target, int64_t *ret_again_ms)
{
    if (target_has_pace(engine, target, ret_again_ms))
        return WAIT_NOTHING;
    return day_quota_is_spent(engine, target) ? WAIT_DAY : WAIT_PACE;
}

static enum wait share_gate(struct engine *engine, struct target *target, int64_t *ret_again_ms)
{
    (void)ret_again_ms;
    return target_has_share(engine, target) ? WAIT_NOTHING : WAIT_SHARE;
}

enum wait dispatch_gate(struct engine *engine, struct target *target, int64_t *ret_again_ms)
{
    static enum wait (*const GATES[])(struct engine *, struct target *, int64_t *) = {
        credentials_gate, membership_gate, stall_gate, answers_gate,
        slot_gate,        pace_gate,       share_gate};
    enum wait wait = WAIT_NOTHING;
    for (size_t i = 0; i < COUNT_OF(GATES) && wait == WAIT_NOTHING; i++) {
        *ret_again_ms = INT64_MAX;
        wait = GATES[i](engine, target, ret_again_ms);
    }
    return wait;
}

/* ---- turns ---- */

static void log_wait(struct engine *engine, struct target *target, enum wait wait)
{
    if (wait == WAIT_SHARE)
        target_log_share(engine, target);
    if (wait == WAIT_ANSWERS && log_is_due(engine, &engine->dispatch.answers_log_due_ms))
        ENGINE_LOG(engine, LOG_CALLS_PAUSED, FIELD_INT("bytes", (int64_t)results_bytes(engine)));
}

/* The job that may call next, still in its queue; NULL = none now. *ret_lacks_share: a target has
 * had no share of the slots. */
static struct job *look_for_job(struct engine *engine, int64_t *ret_next_ms, bool *ret_lacks_share)
{
    struct target *target = NULL;
    *ret_lacks_share = false;
    while ((target = targets_next_ready(engine, target)) != NULL) {
        int64_t again_ms;
        enum wait wait = dispatch_gate(engine, target, &again_ms);
        if (wait == WAIT_NOTHING)
            return target_take_turn(engine, target);
        if (again_ms < *ret_next_ms)
            *ret_next_ms = again_ms;
        log_wait(engine, target, wait);
        *ret_lacks_share = *ret_lacks_share || wait == WAIT_SHARE;
        if (wait_whose(wait) == WAIT_OF_WORKER)
            break;
    }
    return NULL;
}

/* Looks again when a target whose pace holds it has freed what another one lacked. */
static struct job *next_job(struct engine *engine, int64_t *ret_next_ms)
{
    struct job *job;
    bool lacks_share;
    do {
        engine->targets.has_freed_share = false;
        job = look_for_job(engine, ret_next_ms, &lacks_share);
    } while (job == NULL && lacks_share && engine->targets.has_freed_share);
    return job;
}

void dispatch_pause(struct engine *engine, int64_t until_ms)
{
    engine->dispatch.after_ms = until_ms;
}

/* The gates of a marked job, which has its slot and its share. */
static bool may_start(struct engine *engine, struct job *job, int64_t *ret_next_ms)
{
    static enum wait (*const GATES[])(struct engine *, struct target *, int64_t *) = {
        credentials_gate, membership_gate, stall_gate, answers_gate};
    int64_t again_ms = INT64_MAX;
    bool may = true;
    for (size_t i = 0; i < COUNT_OF(GATES) && may; i++)
        may = GATES[i](engine, job->target, &again_ms) == WAIT_NOTHING;
    may = may && pacing_confirm(engine, job, &again_ms);
    if (!may && again_ms < *ret_next_ms)
        *ret_next_ms = again_ms;
    return may;
}

/* Begins the calls whose marks are committed. What cannot begin now waits for its turn again. */
static void start_marked(struct engine *engine, int64_t *ret_next_ms)
{
    for (struct job *job; (job = marks_next_ready(engine)) != NULL;)
        job_start_marked(engine, job, may_start(engine, job, ret_next_ms));
}

void dispatch_turn(struct engine *engine, int64_t *ret_next_ms)
{
    if (engine->is_stopping)
        return;
    for (struct job *job; (job = budgets_next_open(engine)) != NULL;)
        job_unhold(engine, job);
    if (targets_next_ready(engine, NULL) == NULL && !marks_are_ready(engine))
        return;
    if (membership_recent(engine) == MEMBERSHIP_CHANGED)
        partitions_doubt(engine);
    start_marked(engine, ret_next_ms);
    for (struct job *job; (job = next_job(engine, ret_next_ms)) != NULL;)
        job_call(engine, job);
    start_marked(engine, ret_next_ms); /* with a mark that an earlier attempt left */
}

/* ---- why a job waits ---- */

enum wait wait_of(struct engine *engine, const struct job *job)
{
    switch (job->step) {
    case JOB_ROUTING:
        return WAIT_REPLY_TOPIC;
    case JOB_BLOCKED:
        return WAIT_KEY;
    case JOB_WAITING: {
        int64_t again_ms;
        enum wait wait = dispatch_gate(engine, job->target, &again_ms);
        return wait == WAIT_NOTHING ? WAIT_TURN : wait;
    }
    case JOB_HELD:
        return WAIT_BUDGET;
    case JOB_PARKED:
        return WAIT_OFFSETS;
    case JOB_MARKED:
        return WAIT_MARK;
    case JOB_CALLING:
        return WAIT_ANSWER;
    case JOB_RESTING:
        return WAIT_RETRY;
    case JOB_ANSWERED:
        return job->is_shelved ? WAIT_SHELF : WAIT_KEY;
    case JOB_FINISHED:
    case JOB_BATCHED:
        return WAIT_COMMIT;
    case JOB_FREE:
    case JOB_TAKEN:
    case JOB_STEP_COUNT:
        break;
    }
    return WAIT_NOTHING;
}
