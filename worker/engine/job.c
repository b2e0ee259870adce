#include "engine/job.h"

#include "base/check.h"
#include "base/memory.h"
#include "engine/attempt.h"
#include "engine/budgets.h"
#include "engine/lost_calls.h"
#include "engine/chunks.h"
#include "engine/delivered.h"
#include "engine/identity.h"
#include "engine/job_limits.h"
#include "engine/job_pool.h"
#include "engine/kept.h"
#include "engine/lane.h"
#include "engine/mark.h"
#include "engine/meter.h"
#include "engine/outcome.h"
#include "engine/pacing.h"
#include "engine/refusal.h"
#include "engine/reply.h"
#include "engine/result.h"
#include "engine/route.h"
#include "engine/shelf.h"
#include "engine/target.h"
#include "engine/tenancy.h"
#include "engine/trace.h"
#include "engine/log.h"
#include "wire/bedrock/dialect.h"
#include "wire/bedrock/quote.h"
#include "wire/chat/parsed.h"

bool job_is_finished(const struct job *job)
{
    return job->step == JOB_FINISHED || job->step == JOB_BATCHED;
}

static void job_fail(struct engine *engine, struct job *job);
static void job_finish(struct engine *engine, struct job *job);

/* ---- 1. taken: read and checked ---- */

/* Reads the value even when the headers are wrong, so the error goes to the request's reply topic.
 */
static enum err read_request(struct engine *engine, struct job *job)
{
    enum err err = request_from_headers(&job->arena, &job->record, &job->request, &job->why);
    if (job->record.value.len <= engine->config.max_request_bytes)
        return request_read(&job->arena, &job->record, &job->terms->catalog, &job->request,
                            &job->why);
    if (err != OK)
        return err;
    return why_set(&job->why, ERR_REQUEST_TOO_LARGE, NULL,
                   "the request has %zu bytes, delivery.max_request_size allows %llu",
                   job->record.value.len, (unsigned long long)engine->config.max_request_bytes);
}

static void abandon(struct engine *engine, struct job *job, uint32_t begun)
{
    (void)why_set(
        &job->why, ERR_ABANDONED, NULL,
        "%u times a worker died, or lost the partition, while a call for this request was "
        "under way or about to begin",
        begun);
    ENGINE_LOG(engine, LOG_REQUEST_ABANDONED, REQUEST_FIELDS(job), FIELD_INT("begun", begun));
}

void job_settle_earlier_call(struct engine *engine, struct job *job, struct ledger_taken *taken)
{
    struct ledger *ledger = &job->partition->ledger;
    bool is_recorded;
    if (!lost_calls_forget(engine, job->partition, &job->record, taken->begun, &is_recorded)) {
        outcome_dead_owners_call(engine, job, taken);
    } else if (is_recorded) {
        ledger_spend_call(ledger, job->offset);
    } else {
        ledger_forget_call(ledger, job->offset);
        taken->begun--;
    }
}

/* Its answer, with its usage, was delivered in an earlier tenure: only its offset is missing. */
static void finish_repeated(struct engine *engine, struct job *job,
                            const struct ledger_taken *taken)
{
    if (taken->was_running)
        ledger_forget_call(&job->partition->ledger, job->offset);
    job->is_repeated = true;
    job_submit(engine, job);
}

void job_take(struct engine *engine, struct partition *partition, const struct record *record)
{
    struct job *job = job_next_free(engine);
    struct ledger_taken taken = ledger_take(&partition->ledger, record->offset, job->index);
    if (!taken.is_open)
        return;
    job_start(engine, job, partition, record);
    engine->stats.taken++;
    meter_taken(engine, job);
    CHECK(record_copy(&job->arena, record, &job->record));
    trace_take(engine, job);
    if (read_request(engine, job) != OK || tenancy_check(job) != OK)
        CHECK(job->why.err != OK);
    if (delivered_before(engine, partition, &job->record)) {
        finish_repeated(engine, job, &taken);
        return;
    }
    if (taken.was_running)
        job_settle_earlier_call(engine, job, &taken);
    if (taken.begun >= engine->config.max_begun)
        abandon(engine, job, taken.begun);
    job_charge(engine, job);
    /* Its place in the lane is its record's, however long the look-up takes. */
    if (job->why.err == OK)
        job->is_blocked = !lane_enter(engine, job);
    job_route(engine, job);
}

/* ---- 2. routed: its reply topic is checked ---- */

static void job_wait(struct engine *engine, struct job *job, bool at_front);
static void job_line_up(struct engine *engine, struct job *job);

void job_route(struct engine *engine, struct job *job)
{
    struct why why;
    why_clear(&why);
    link_out(&job->reply_link);
    enum err err = reply_check(engine, job, &why);
    if (err == ERR_UNSTABLE) {
        if (job->step == JOB_TAKEN)
            job_go(engine, job, JOB_ROUTING);
        return;
    }
    if (err != OK) {
        job->request.reply_topic = SLICE_NULL;
        job->request.reply_partition = -1;
        if (job->why.err == OK)
            job->why = why;
    }
    if (job->why.err != OK)
        job_fail(engine, job);
    else
        job_line_up(engine, job);
}

/* ---- 3. in line: behind the earlier ones of its key, then for a call slot of its target ---- */

static void job_line_up(struct engine *engine, struct job *job)
{
    if (job_is_expired(engine, job)) {
        job_fail(engine, job);
        return;
    }
    if (!job->is_blocked) {
        job_wait(engine, job, false);
        return;
    }
    job_go(engine, job, JOB_BLOCKED);
    job_watch_limits(engine, job);
}

static void job_wait(struct engine *engine, struct job *job, bool at_front)
{
    if (route_choose(engine, job, at_front) != OK) {
        job_fail(engine, job);
        return;
    }
    job_go(engine, job, JOB_WAITING);
    target_enqueue(engine, job->target, job, at_front);
    job_watch_limits(engine, job);
}

void job_lead(struct engine *engine, struct job *job)
{
    job->is_blocked = false;
    if (job->step == JOB_BLOCKED) /* else its reply topic is still being looked up */
        job_wait(engine, job, job->calls > 0);
    else if (job->step == JOB_ANSWERED && !job->is_turn_lost)
        job_submit(engine, job);
}

void job_unpark(struct engine *engine, struct job *job)
{
    CHECK(job->step == JOB_PARKED);
    link_out(&job->link);
    job_wait(engine, job, job->calls > 0);
}

/* Whether the request itself may be the cause of a target's failures: others go before it. */
static bool is_suspect(const struct job *job)
{
    return pacing_is_down(job->target) && err_remedy(job->why.err) == DO_RETRY &&
           job->why.err != ERR_CONNECTION;
}

/* Back in line: behind the leader of its lane, or in its target's queue. */
static void job_rested(struct engine *engine, struct job *job, bool at_front)
{
    if (job->is_blocked) {
        job_go(engine, job, JOB_BLOCKED);
        job_watch_limits(engine, job);
    } else {
        job_wait(engine, job, at_front);
    }
}

void job_due(struct engine *engine, struct job *job)
{
    if (job->is_shelved) {
        job_forsake(engine, job, "delivery.keep_lost is over");
        return;
    }
    if (job->step == JOB_RESTING) {
        job_rested(engine, job, !is_suspect(job));
        return;
    }
    if (job_is_expired(engine, job) || job_is_out_of_time(engine, job))
        job_fail(engine, job);
    else
        job_watch_limits(engine, job);
}

/* ---- 4. called ---- */

/* Leaves the queue, the marked jobs, or those that are held. */
static void leave_line(struct engine *engine, struct job *job)
{
    if (job->step == JOB_WAITING)
        target_dequeue(engine, job->target, job);
    if (job->step == JOB_MARKED)
        mark_leave(engine, job);
    if (job->step == JOB_HELD)
        budgets_leave(engine, job);
}

/* Whether it may be called as far as its partition and its time limits go. Else it is parked or
 * has failed. */
static bool is_callable(struct engine *engine, struct job *job)
{
    if (!job->partition->is_verified) {
        leave_line(engine, job);
        job_go(engine, job, JOB_PARKED);
        list_add_last(&job->partition->parked, &job->link);
        return false;
    }
    if (job_is_expired(engine, job) || job_is_out_of_time(engine, job)) {
        job_fail(engine, job);
        return false;
    }
    return true;
}

static void job_begin(struct engine *engine, struct job *job)
{
    why_clear(&job->why);
    job->result.told = (struct told){.begun = 0};
    if (call_begin(engine, job, attempt_begin(engine, job), &job->why) != OK) {
        attempt_undo(engine, job);
        job_fail(engine, job);
        return;
    }
    if (job->step == JOB_MARKED)
        mark_use(engine, job);
    target_begin_call(engine, job);
    timers_stop(&engine->timers, &job->due);
    job_go(engine, job, JOB_CALLING);
    ledger_begin(&job->partition->ledger, job->offset);
    job->partition->calling++;
    engine->stats.calls++;
    if (job->calls > 1) {
        engine->stats.retries++;
    } else {
        job->rested_ms = pacing_rested_ms(engine, job->target);
        meter_first_call(engine, job);
    }
}

/* Whether its tenant's budget allows the call. Else it is held or has failed. */
static bool is_affordable(struct engine *engine, struct job *job)
{
    enum budget_answer answer = budgets_admit(engine, job);
    if (answer == BUDGET_SPENT)
        job_fail(engine, job);
    if (answer != BUDGET_HELD)
        return answer == BUDGET_OPEN;
    leave_line(engine, job);
    job_go(engine, job, JOB_HELD);
    budgets_hold(engine, job);
    job_watch_limits(engine, job);
    return false;
}

void job_unhold(struct engine *engine, struct job *job)
{
    CHECK(job->step == JOB_HELD);
    leave_line(engine, job);
    job_wait(engine, job, job->calls > 0);
}

void job_call(struct engine *engine, struct job *job)
{
    if (!is_callable(engine, job) || !is_affordable(engine, job))
        return;
    if (!engine->config.write_ahead) {
        job_begin(engine, job);
        return;
    }
    target_take(engine, job->target, job);
    mark_set(engine, job);
}

void job_start_marked(struct engine *engine, struct job *job, bool may)
{
    if (!is_callable(engine, job))
        return;
    if (may) {
        CHECK(ledger_may_begin(&job->partition->ledger, job->offset));
        job_begin(engine, job);
        return;
    }
    mark_leave(engine, job);
    job_wait(engine, job, true);
}

/* ---- 5. the call ended: answered, tried again, or failed ---- */

static bool try_again(struct engine *engine, struct job *job, const struct verdict *verdict,
                      int64_t *ret_delay_ms)
{
    struct retry_cause cause = {
        .err = verdict->why.err,
        .retry_after_ms = verdict->retry_after_ms,
        .is_refreshed = identity_has_changed(job->target->identity, job->call->attempt),
        .is_blameless = pacing_is_down(job->target) && !verdict->is_billable,
        .elapsed_ms = job_elapsed_ms(engine, job),
        .left_ms = job_left_ms(engine, job),
    };
    return retry_again(&job->terms->retry, &job->retry, &cause, &engine->random, ret_delay_ms);
}

static void job_rest(struct engine *engine, struct job *job, const struct verdict *verdict,
                     int64_t delay_ms)
{
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, WHY_MESSAGE_MAX);
    verdict_add_failure(verdict, &text);
    const struct attempt *attempt = attempt_last(job);
    ENGINE_LOG(engine, LOG_CALL_FAILED, FIELD_TEXT("call", uuid_slice(&attempt->call)),
               REQUEST_FIELDS(job), FIELD_TEXT("error", slice_of_text(attempt->error)),
               FIELD_INT("attempt", attempt->number), FIELD_INT("delay_ms", delay_ms),
               FIELD_TEXT("reason", buf_slice(&text)));
    job->why = verdict->why; /* in case the time limit passes before another attempt */
    job_go(engine, job, JOB_RESTING);
    job_charge(engine, job);
    if (err_remedy(verdict->why.err) == DO_PACE) /* its target's quota says when it is called */
        job_rested(engine, job, true);
    else if (route_leads_away(engine, job))
        job_rested(engine, job, true);
    else
        timers_set(&engine->timers, &job->due, engine->now_ms + delay_ms);
}

/* Whether the worker stops or the partition leaves: no call begins, unanswered requests stay in
 * Kafka. */
static bool is_leaving(const struct engine *engine, const struct job *job)
{
    return engine->is_stopping || job->partition->is_gone ||
           job->partition->step == PARTITION_REVOKING;
}

/* Waits for credentials that the service accepts. */
static void job_wait_for_credentials(struct engine *engine, struct job *job,
                                     const struct verdict *verdict)
{
    job->why = verdict->why; /* in case the time limit passes before */
    job_go(engine, job, JOB_RESTING);
    job_charge(engine, job);
    job_wait(engine, job, true);
}

static void job_failed_call(struct engine *engine, struct job *job, const struct verdict *verdict)
{
    struct call *call = job->call;
    bool was_cancelled = call->is_cancelling;
    int64_t delay_ms = 0;
    bool is_refused = refusal_hear(engine, job, verdict) && !was_cancelled;
    bool again = is_refused || (!was_cancelled && (try_again(engine, job, verdict, &delay_ms) ||
                                                   route_is_rejected(job, verdict)));
    if (verdict->is_billable)
        outcome_call_usage(engine, job, verdict);
    if (job->partition->is_gone)
        lost_calls_add(engine, job->partition, &job->result, lost_calls_hash(engine, &job->record),
                       verdict->is_billable);
    job->result.told = (struct told){.begun = 0};
    job->call = NULL;
    call_free(engine, call);
    if (was_cancelled || job->is_shelved || (again && is_leaving(engine, job))) {
        job_go(engine, job, JOB_RESTING);
        job_drop(engine, job);
    } else if (is_refused) {
        job_wait_for_credentials(engine, job, verdict);
    } else if (again) {
        job_rest(engine, job, verdict, delay_ms);
    } else {
        job->why = verdict->why;
        job_fail(engine, job);
    }
}

/* Whether one more call may begin for an answer that is not valid. */
static bool may_ask_again(const struct engine *engine, const struct job *job)
{
    return !is_leaving(engine, job) && job_left_ms(engine, job) > 0 &&
           !job_is_out_of_time(engine, job);
}

static void ask_again(struct engine *engine, struct job *job)
{
    /* in case the time limit passes before, and the kept answer cannot be published */
    (void)why_set(&job->why, ERR_TIMEOUT, NULL, "no valid answer came in time");
    job_go(engine, job, JOB_RESTING);
    job_charge(engine, job);
    job_wait(engine, job, true);
}

void job_call_ended(struct engine *engine, struct job *job, const struct call_end *end)
{
    struct call *call = job->call;
    struct verdict verdict;
    call_judge(engine, call, end, &verdict);
    if (call->is_chunk_refused)
        job->last_run_seq = 0; /* a chunk is missing: nothing may follow it */
    attempt_end(engine, job, &verdict.why);
    meter_call(engine, job, &verdict);
    trace_attempt(engine, job, &verdict);
    job->partition->calling--;
    target_end_call(engine, job, &verdict);
    if (err_remedy(verdict.why.err) == DO_PACE)
        engine->stats.throttled++;
    if (!job->partition->is_gone && !job->result.told.is_booked)
        ledger_call_ended(&job->partition->ledger, job->offset, verdict.is_billable);
    if (verdict.why.err != OK) {
        job_failed_call(engine, job, &verdict);
        return;
    }
    bool is_refused = refusal_hear(engine, job, &verdict);
    CHECK(!is_refused);
    parsed_read(&call->receiver->arena, DIALECT_SCRATCH_BYTES(engine->config.max_answer_bytes),
                &job->request, &verdict.answer);
    bool is_kept = may_ask_again(engine, job) && kept_take(engine, job, &verdict.answer);
    bool is_answer = !is_kept && outcome_answer(engine, job, &verdict);
    if (!is_answer && verdict.is_billable)
        outcome_call_usage(engine, job, &verdict);
    if (is_answer)
        trace_chat(engine, job, &verdict.answer);
    job->call = NULL;
    call_free(engine, call);
    if (is_kept)
        ask_again(engine, job);
    else if (is_answer)
        job_finish(engine, job);
    else
        job_fail(engine, job);
}

/* ---- 6. finished: its outputs exist, and the next of its lane may go on ---- */

void job_submit(struct engine *engine, struct job *job)
{
    link_out(&job->link);
    job_go(engine, job, JOB_FINISHED);
    ledger_finish(&job->partition->ledger, job->offset);
    result_submit(engine, &job->result, job->partition, job->offset);
    job_charge(engine, job);
    lane_leave(engine, job);
}

static void job_finish(struct engine *engine, struct job *job)
{
    budgets_give_up(engine, job);
    /* Only a call that came from the shelf ends behind an earlier request of its key. */
    bool is_early = job->step == JOB_CALLING && (job->is_blocked || job->is_turn_lost);
    leave_line(engine, job);
    engine->stats.answered++;
    if (job->why.err != OK)
        engine->stats.failed++;
    if (job->is_shelved || is_early) {
        job_go(engine, job, JOB_ANSWERED);
        job_charge(engine, job);
    } else {
        timers_stop(&engine->timers, &job->due);
        job_submit(engine, job);
    }
    if (job->is_shelved)
        shelf_answered(job);
}

/* Finishes with the answer that was kept. False: there is none. */
static bool job_finish_kept(struct engine *engine, struct job *job)
{
    bool may_go_out = !job->partition->is_gone || job->is_shelved; /* now, or in a later tenure */
    if (job->kept == NULL || !may_go_out || !outcome_kept(engine, job))
        return false;
    trace_chat(engine, job, &job->kept->answer);
    job_finish(engine, job);
    return true;
}

/* Finishes with the error in job->why, unless an answer was kept. */
static void job_fail(struct engine *engine, struct job *job)
{
    CHECK(job->why.err != OK);
    if (job->attempt_count > 0)
        quote_hide(&job->request, attempt_last(job)->status, &job->why);
    if (job_finish_kept(engine, job))
        return;
    chunks_close(engine, job);
    trace_chat(engine, job, NULL);
    outcome_error(engine, job);
    ENGINE_LOG(engine, LOG_REQUEST_REJECTED, REQUEST_FIELDS(job),
               FIELD_TEXT("code", slice_of_text(err_code(job->why.err))),
               FIELD_TEXT("field", slice_of_text(job->why.field)));
    job_finish(engine, job);
}

/* ---- 7. committed ---- */

void job_committed(struct engine *engine, struct job *job)
{
    CHECK(job->step == JOB_BATCHED);
    if (!job->is_repeated)
        meter_committed(engine, job);
    trace_process(engine, job, true);
    job_free(engine, job);
}

void job_orphan(struct engine *engine, struct job *job)
{
    CHECK(job->step == JOB_FINISHED || job->step == JOB_ANSWERED);
    uint64_t hash = lost_calls_hash(engine, &job->record);
    outcome_orphan(engine, job);
    if (job->partition->is_gone)
        lost_calls_add(engine, job->partition, &job->result, hash, job->result.has_usage);
    else
        ledger_drop(&job->partition->ledger, job->offset, hash);
    trace_process(engine, job, false);
    job_free(engine, job);
}

/* ---- off the road: an unanswered request stays in Kafka ---- */

/* Leaves the shelf, if the job is on it, unused. */
static void leave_shelf(struct engine *engine, struct job *job, const char *reason)
{
    if (!job->is_shelved)
        return;
    ENGINE_LOG(engine, LOG_SHELF_DROPPED, REQUEST_FIELDS(job),
               FIELD_TEXT("reason", slice_of_text(reason)));
    meter_shelf(engine, "dropped", 1);
    shelf_leave(job);
}

void job_drop(struct engine *engine, struct job *job)
{
    CHECK(job->call == NULL && !job_is_finished(job));
    if (job_finish_kept(engine, job))
        return;
    leave_line(engine, job);
    leave_shelf(engine, job, "its call failed");
    trace_chat(engine, job, NULL);
    trace_process(engine, job, false);
    lane_leave(engine, job);
    if (!job->partition->is_gone)
        ledger_drop(&job->partition->ledger, job->offset, lost_calls_hash(engine, &job->record));
    job_free(engine, job);
}

void job_cancel(struct engine *engine, struct job *job)
{
    CHECK(job->step == JOB_CALLING);
    struct call *call = job->call;
    call->is_cancelling = true;
    call_break_off(engine, call);
    job_call_ended(engine, job, NULL);
}

void job_forsake(struct engine *engine, struct job *job, const char *reason)
{
    leave_shelf(engine, job, reason);
    if (job->call != NULL)
        job_cancel(engine, job);
    else
        job_orphan(engine, job);
}
