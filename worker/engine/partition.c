#include "engine/partition.h"

#include <string.h>

#include "base/check.h"
#include "base/memory.h"
#include "engine/adopt.h"
#include "engine/batch.h"
#include "engine/current.h"
#include "engine/delivered.h"
#include "engine/hold.h"
#include "engine/job.h"
#include "engine/lane.h"
#include "engine/lost_calls.h"
#include "engine/membership.h"
#include "engine/result.h"
#include "engine/shelf.h"
#include "engine/slots.h"
#include "engine/log.h"

#define REVOKE_GRACE_MS 5000 /* after drain_timeout, for the last commit */

static struct partition *partition_new(struct engine *engine, struct tenure tenure,
                                       struct slice topic, int32_t number)
{
    struct partition *partition = memory_new(sizeof *partition);
    CHECK(partition != NULL && topic.len < sizeof partition->topic_text);
    partition->tenure = tenure;
    memcpy(partition->topic_text, topic.ptr, topic.len);
    partition->topic = slice_of(partition->topic_text, topic.len);
    partition->number = number;
    partition->read_again_ms = INT64_MAX;
    partition->high = -1;
    link_init(&partition->jobs);
    link_init(&partition->parked);
    link_init(&partition->link_due);
    buf_init(&partition->batch_map, LEDGER_MAP_BYTES_MAX);
    CHECK(ledger_init(&partition->ledger, engine->config.offset_map_bytes_max) == OK);
    partition->ledger.changes = &engine->slots.changed;
    slot_put(engine, partition);
    shelf_attach(engine, partition);
    hold_enter(engine, partition);
    return partition;
}

void partition_free(struct partition *partition)
{
    current_drop_partition(partition);
    link_out(&partition->link_due);
    buf_done(&partition->batch_map);
    ledger_done(&partition->ledger);
    memory_free(partition->delivered);
    memory_free(partition);
}

void partitions_free(struct engine *engine)
{
    uint32_t cursor = 0;
    for (struct partition *partition; (partition = slots_next(engine, &cursor)) != NULL;)
        partition_free(partition);
    slots_done(engine);
}

/* ---- assigned: read, then start ---- */

void engine_partition_assigned(struct engine *engine, struct tenure tenure, struct slice topic,
                               int32_t number)
{
    struct partition *partition = partition_new(engine, tenure, topic, number);
    if (membership_look(engine) == MEMBERSHIP_CHANGED)
        partitions_doubt(engine);
    partition_read(engine, partition);
}

void partition_read_at(struct engine *engine, struct partition *partition, int64_t at_ms)
{
    partition->read_again_ms = at_ms;
    slot_set_due(engine, partition);
}

void partition_read(struct engine *engine, struct partition *partition)
{
    if (batch_is_under_way(engine)) {
        partition_read_at(engine, partition, engine->now_ms); /* when the batch has ended */
        partition->is_read_pending = false;                   /* a read under way may be too old */
        return;
    }
    partition->read_again_ms = INT64_MAX;
    partition->is_read_pending = true;
    partition->read_ticket = ++engine->next_ticket;
    engine->ports.offsets_read(engine->ports.self, partition->tenure, partition->read_ticket);
}

void partition_doubt(struct engine *engine, struct partition *partition)
{
    partition->is_verified = false;
    partition_read(engine, partition);
}

void partitions_doubt(struct engine *engine)
{
    uint32_t cursor = 0;
    for (struct partition *partition; (partition = slots_next(engine, &cursor)) != NULL;)
        partition_doubt(engine, partition);
}

/* ---- the end of a tenure ---- */

/* `act` may free jobs of the list, so each step takes its head; jobs that stay go to the end. */
static void each_job(struct engine *engine, struct partition *partition,
                     bool (*applies)(const struct job *),
                     void (*act)(struct engine *, struct job *))
{
    struct link rest;
    link_init(&rest);
    list_move_all(&partition->jobs, &rest);
    while (!link_alone(&rest)) {
        struct job *job = LINK_OWNER(rest.next, struct job, link_partition);
        link_out(&job->link_partition);
        list_add_last(&partition->jobs, &job->link_partition);
        if (applies(job))
            act(engine, job);
    }
}

static bool is_waiting(const struct job *job)
{
    return job->call == NULL && !job_is_finished(job) && job->step != JOB_ANSWERED;
}

static bool is_calling(const struct job *job)
{
    return job->call != NULL;
}

static bool is_finished(const struct job *job)
{
    return job->step == JOB_FINISHED || job->step == JOB_ANSWERED;
}

/* A job from the shelf may have a call or an answer while an earlier request of its key waits: that
 * one is dropped, so the job's turn does not come in this tenure. */
void partition_end_turns(struct engine *engine, struct partition *partition)
{
    struct link *next;
    for (struct link *link = partition->jobs.next; link != &partition->jobs; link = next) {
        struct job *job = LINK_OWNER(link, struct job, link_partition);
        next = link->next;
        bool is_from_shelf = job->call != NULL || job->step == JOB_ANSWERED;
        if (!job->is_blocked || !is_from_shelf || !lane_waits(engine, job))
            continue;
        job->is_turn_lost = true;
        if (engine->is_stopping)
            job_forsake(engine, job, NULL);
    }
}

void partition_drop_waiting(struct engine *engine, struct partition *partition)
{
    each_job(engine, partition, is_waiting, job_drop);
}

void partition_cancel_calls(struct engine *engine, struct partition *partition)
{
    each_job(engine, partition, is_calling, job_cancel);
}

static void log_lost(struct engine *engine, const struct partition *partition, bool is_kept,
                     uint32_t answers, uint32_t calls)
{
    if (is_kept)
        ENGINE_LOG(engine, LOG_PARTITION_SHELVED, PARTITION_FIELDS(partition),
                   FIELD_INT("answers", answers), FIELD_INT("calls", calls),
                   FIELD_INT("keep_ms", engine->config.keep_lost_ms));
    else
        ENGINE_LOG(engine, LOG_PARTITION_LOST, PARTITION_FIELDS(partition),
                   FIELD_INT("dropped", answers), FIELD_INT("calls", calls));
}

/* What was paid for goes to the shelf; without one, only its usage goes out. */
static void end_tenure(struct engine *engine, struct partition *partition)
{
    bool is_kept = shelf_takes(engine);
    uint32_t answers = partition->results, calls = partition->calling;
    if (is_kept) { /* an answer that its job kept is one of them */
        partition_drop_waiting(engine, partition);
        answers = partition->held - calls;
    }
    lost_calls_tell(engine, partition);
    slot_clear(engine, partition);
    hold_leave(engine, partition);
    partition->is_gone = true;
    shelf_detach(partition);
    delivered_return(engine, partition);
    partition_drop_waiting(engine, partition);
    each_job(engine, partition, is_calling, job_outlive);
    each_job(engine, partition, is_finished, job_outlive);
    results_orphan(engine, partition);
    if (answers > 0 || calls > 0)
        log_lost(engine, partition, is_kept, answers, calls);
    partition_settle(partition);
}

struct partition *partition_restart(struct engine *engine, struct partition *partition)
{
    struct tenure tenure = partition->tenure;
    char topic[sizeof partition->topic_text];
    memcpy(topic, partition->topic_text, sizeof topic);
    struct slice name = slice_of(topic, partition->topic.len);
    int32_t number = partition->number;
    end_tenure(engine, partition);
    return partition_new(engine, tenure, name, number);
}

void partition_settle(struct partition *partition)
{
    if (!partition->is_gone || partition->is_in_batch || partition->results > 0)
        return;
    CHECK(partition->held == 0 && link_alone(&partition->jobs));
    partition_free(partition);
}

void engine_partition_lost(struct engine *engine, struct tenure tenure)
{
    struct partition *partition = slot_find(engine, tenure);
    if (partition != NULL)
        end_tenure(engine, partition);
}

void engine_partition_high(struct engine *engine, struct tenure tenure, int64_t high)
{
    struct partition *partition = slot_find(engine, tenure);
    if (partition != NULL)
        partition->high = high;
}

void engine_partition_revoked(struct engine *engine, struct tenure tenure)
{
    struct partition *partition = slot_find(engine, tenure);
    if (partition == NULL) {
        engine->ports.partition_release(engine->ports.self, tenure);
        return;
    }
    if (!partition_has_ledger(partition)) {
        partition_give_up(engine, partition);
        return;
    }
    partition->step = PARTITION_REVOKING;
    slot_set_due(engine, partition);
    partition->revoke_until_ms = engine->now_ms + engine->config.drain_timeout_ms;
    partition_end_turns(engine, partition);
    partition_drop_waiting(engine, partition);
    ENGINE_LOG(engine, LOG_PARTITION_REVOKED, PARTITION_FIELDS(partition),
               FIELD_INT("calls", partition->calling),
               FIELD_INT("timeout_ms", engine->config.drain_timeout_ms));
}

void partition_give_up(struct engine *engine, struct partition *partition)
{
    struct tenure tenure = partition->tenure;
    end_tenure(engine, partition);
    engine->ports.partition_release(engine->ports.self, tenure);
}

static void release(struct engine *engine, struct partition *partition)
{
    ENGINE_LOG(engine, LOG_PARTITION_RELEASED, PARTITION_FIELDS(partition),
               FIELD_INT("offset", partition->ledger.committed_offset));
    partition_give_up(engine, partition);
}

static void revoke_turn(struct engine *engine, struct partition *partition, int64_t *ret_next_ms)
{
    int64_t give_up_ms = partition->revoke_until_ms + REVOKE_GRACE_MS;
    bool is_over = engine->now_ms >= partition->revoke_until_ms;
    if (is_over && partition->calling > 0) {
        ENGINE_LOG(engine, LOG_DRAIN_TIMED_OUT, FIELD_INT("calls", partition->calling));
        partition_cancel_calls(engine, partition);
    }
    if (partition->calling == 0 && partition->results == 0 && !partition->is_in_batch &&
        !partition->ledger.is_changed)
        release(engine, partition);
    else if (engine->now_ms >= give_up_ms)
        partition_give_up(engine, partition);
    else if (*ret_next_ms > (is_over ? give_up_ms : partition->revoke_until_ms))
        *ret_next_ms = is_over ? give_up_ms : partition->revoke_until_ms;
}

/* Removes the partitions that are not due any more; returns the first that is, and makes it the
 * last.
 */
static struct partition *take_due(struct engine *engine, struct link *due)
{
    for (struct link *link; (link = list_first(due)) != NULL;) {
        struct partition *partition = LINK_OWNER(link, struct partition, link_due);
        link_out(link);
        if (partition->is_gone ||
            (partition->read_again_ms == INT64_MAX && partition->step != PARTITION_REVOKING))
            continue;
        slot_set_due(engine, partition);
        return partition;
    }
    return NULL;
}

void partitions_turn(struct engine *engine, int64_t *ret_next_ms)
{
    bool may_read = !batch_is_under_way(engine);
    struct link due;
    link_init(&due);
    list_move_all(&engine->slots.due, &due);
    for (struct partition *partition; (partition = take_due(engine, &due)) != NULL;) {
        if (partition->read_again_ms <= engine->now_ms && may_read)
            partition_read(engine, partition);
        else if (may_read && partition->read_again_ms < *ret_next_ms)
            *ret_next_ms = partition->read_again_ms;
        if (partition->step == PARTITION_REVOKING)
            revoke_turn(engine, partition, ret_next_ms);
    }
}
