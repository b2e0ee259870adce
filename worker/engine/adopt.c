#include "engine/adopt.h"

#include "base/check.h"
#include "engine/hold.h"
#include "engine/job.h"
#include "engine/job_pool.h"
#include "engine/lane.h"
#include "engine/lost_calls.h"
#include "engine/meter.h"
#include "engine/result.h"
#include "engine/shelf.h"
#include "engine/target.h"
#include "engine/trace.h"

/* Whether the tenure that has the partition now will not get this record any more. */
static bool has_come(struct partition *place, int64_t offset)
{
    const struct partition *owner = shelf_owner(place);
    return owner != NULL && owner->step == PARTITION_ACTIVE &&
           (offset < owner->ledger.next || !ledger_is_open(&owner->ledger, offset));
}

static void shelve(struct engine *engine, struct job *job)
{
    CHECK(job->step == JOB_CALLING || job->step == JOB_FINISHED || job->step == JOB_ANSWERED);
    if (job->step == JOB_FINISHED) {
        if (job->result.place == RESULT_QUEUED)
            result_withdraw(engine, &job->result);
        job_go(engine, job, JOB_ANSWERED);
    }
    if (job->call != NULL)
        job->call->is_chunk_refused = true; /* a run of another owner may be under way */
    lane_leave(engine, job);
    link_out(&job->link);
    job->is_blocked = job->is_turn_lost = false;
    shelf_put(engine, job);
    meter_shelf(engine, "kept", 1);
    if (has_come(job->partition, job->offset))
        job_forsake(engine, job, "its record came before its batch had ended");
}

void job_outlive(struct engine *engine, struct job *job)
{
    if (job->calls > 0 && shelf_takes(engine))
        shelve(engine, job);
    else
        job_forsake(engine, job, NULL);
}

/* What the map of the new tenure says of the job's last call. */
static void settle_adopted_call(struct engine *engine, struct job *job, struct ledger_taken *taken)
{
    struct ledger *ledger = &job->partition->ledger;
    struct told *told = &job->result.told;
    bool is_sure = told->begun > 0 && told->batch == 0;
    bool is_ours = taken->was_running && is_sure && !told->is_booked && taken->begun == told->begun;
    if (is_ours)
        ledger_forget_call(ledger, job->offset);
    else if (taken->was_running)
        job_settle_earlier_call(engine, job, taken);
    bool was_booked = told->is_booked;
    /* Also where only a batch of unknown outcome tells the call: usage names the record that it may
     * have got. */
    told->is_booked = told->begun > 0 && !is_ours && taken->begun >= told->begun;
    if (told->is_booked && !was_booked)
        result_name_lost(engine, &job->result, job->partition);
    if (told->is_booked) {
        told->batch = 0; /* that stays, whatever becomes of the batch */
        return;
    }
    *told = (struct told){.begun = 0};
    ledger_begin(ledger, job->offset);
    if (job->call == NULL)
        ledger_call_ended(ledger, job->offset, job->result.has_usage);
}

static void adopt(struct engine *engine, struct partition *partition, struct job *job)
{
    struct ledger_taken taken = ledger_take(&partition->ledger, job->offset, job->index);
    CHECK(taken.is_open);
    job_move(engine, job, partition);
    list_add_last(&partition->jobs, &job->link_partition);
    settle_adopted_call(engine, job, &taken);
    job->is_blocked = !lane_enter(engine, job);
    if (job->step == JOB_ANSWERED && !job->is_blocked)
        job_submit(engine, job);
}

static void was_committed(struct engine *engine, struct job *job)
{
    shelf_leave(job);
    meter_shelf(engine, "used", 1);
    meter_usage(engine, &job->result);
    meter_committed(engine, job);
    trace_process(engine, job, true);
    job_free(engine, job);
}

/* ---- a record comes ---- */

bool adopt_record(struct engine *engine, struct partition *partition, const struct record *record)
{
    struct job *job = shelf_first(partition);
    for (; job != NULL && job->offset < record->offset; job = shelf_first(partition))
        job_forsake(engine, job, "the log does not have its record any more");
    if (job == NULL || job->offset != record->offset)
        return false;
    if (!shelf_is_record(engine, job, record)) {
        job_forsake(engine, job, "its offset has another record now");
        return false;
    }
    shelf_give(engine, job);
    meter_shelf(engine, "used", 1);
    adopt(engine, partition, job);
    return true;
}

/* ---- a ledger is opened ---- */

/* The outcome of a batch that was unknown, for all jobs that it had: it was whole. */
static void settle_batch(struct engine *engine, uint64_t batch, bool is_made)
{
    lost_calls_settle(engine, batch, is_made);
    struct partition *place = NULL;
    while ((place = shelf_next(engine, place)) != NULL)
        for (struct link *link = place->jobs.next; link != &place->jobs;) {
            struct job *job = LINK_OWNER(link, struct job, link_partition);
            link = link->next;
            if (job->unknown_batch != batch)
                continue;
            job->unknown_batch = 0;
            if (is_made)
                was_committed(engine, job);
        }
}

void adopt_none(struct engine *engine, const struct partition *partition)
{
    for (struct job *job; (job = shelf_first(partition)) != NULL;)
        job_forsake(engine, job, "its topic was recreated");
}

void adopt_opened(struct engine *engine, struct partition *partition, int64_t offset,
                  struct slice metadata)
{
    bool is_made;
    uint64_t batch = shelf_settle_unknown(partition, offset, metadata, &is_made);
    if (batch != 0)
        settle_batch(engine, batch, is_made);
    /* The shelf may have had no job of it. */
    batch = lost_calls_committed(engine, partition, offset, metadata);
    if (batch != 0)
        settle_batch(engine, batch, true);
    struct job *first = shelf_first(partition);
    if (first == NULL)
        return;
    uint32_t topic_hash = first->partition->topic_hash;
    if (topic_hash != 0 && partition->topic_hash != 0 && topic_hash != partition->topic_hash) {
        adopt_none(engine, partition);
        return;
    }
    struct link *jobs = &first->partition->jobs;
    for (struct link *link = jobs->next; link != jobs;) {
        struct job *job = LINK_OWNER(link, struct job, link_partition);
        link = link->next;
        if (!ledger_is_open(&partition->ledger, job->offset))
            job_forsake(engine, job, "another worker answered it");
    }
}

/* ---- ends ---- */

void adopt_below(struct engine *engine, const struct partition *partition, int64_t end)
{
    struct job *first = shelf_first(partition);
    if (first == NULL)
        return;
    struct link *jobs = &first->partition->jobs;
    for (struct link *link = jobs->next; link != jobs;) {
        struct job *job = LINK_OWNER(link, struct job, link_partition);
        link = link->next;
        if (job->offset >= end)
            job_forsake(engine, job, "the log was cut below it");
    }
}

void adopt_end(struct engine *engine)
{
    for (struct job *job; (job = shelf_oldest(engine, true, true)) != NULL;)
        job_forsake(engine, job, "the worker stops");
    for (struct job *job; (job = shelf_oldest(engine, false, true)) != NULL;)
        job_forsake(engine, job, "the worker stops");
}

/* ---- room ---- */

static bool has_room(struct engine *engine, const struct partition *partition)
{
    return jobs_are_free(engine) && hold_room_bytes(engine, partition) > 0;
}

/* Whether nothing but the shelf holds what a request needs: no commit will free it. */
static bool is_shelf_all(const struct engine *engine, const struct partition *partition)
{
    return partition->is_refused && shelf_count(engine) == held_count(engine);
}

bool adopt_make_room(struct engine *engine, const struct partition *partition)
{
    while (!has_room(engine, partition)) {
        if (shelf_is_forming(engine))
            return false;
        bool is_any = is_shelf_all(engine, partition);
        struct job *job = shelf_oldest(engine, true, is_any);
        if (job == NULL)
            job = shelf_oldest(engine, false, is_any);
        if (job == NULL)
            return false;
        job_forsake(engine, job, "another request needs its room");
    }
    return true;
}

void adopt_turn(struct engine *engine)
{
    struct job *job;
    while (targets_next_ready(engine, NULL) != NULL && !shelf_is_forming(engine) &&
           results_bytes(engine) >= engine->config.max_held_bytes / 2 &&
           (job = shelf_oldest(engine, true, false)) != NULL)
        job_forsake(engine, job, "answers fill the memory");
    shelf_turn(engine);
}
