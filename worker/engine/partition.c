#include "engine/partition.h"

#include <string.h>

#include "base/check.h"
#include "base/memory.h"
#include "engine/batch.h"
#include "engine/booked.h"
#include "engine/hold.h"
#include "engine/job.h"
#include "engine/membership.h"
#include "engine/result.h"
#include "engine/slots.h"
#include "engine/tell.h"

static void log_partition(struct engine *engine, enum log_event event,
                          const struct partition *partition, const struct log_field *more,
                          size_t count)
{
    struct log_field fields[8] = {
        FIELD_TEXT("topic", partition->topic),
        FIELD_INT("partition", partition->number),
    };
    CHECK(count + 2 <= COUNT_OF(fields));
    for (size_t i = 0; i < count; i++)
        fields[2 + i] = more[i];
    engine->ports.log(engine->ports.self, event, fields, 2 + count);
}

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
    link_init(&partition->jobs);
    link_init(&partition->parked);
    buf_init(&partition->batch_map, LEDGER_MAP_BYTES_MAX);
    CHECK(ledger_init(&partition->ledger, engine->config.offset_map_bytes_max) == OK);
    slot_put(engine, partition);
    hold_recount(engine);
    return partition;
}

static void partition_free(struct partition *partition)
{
    CHECK(link_alone(&partition->jobs));
    buf_done(&partition->batch_map);
    ledger_done(&partition->ledger);
    memory_free(partition);
}

void partitions_free(struct engine *engine)
{
    uint32_t cursor = 0;
    for (struct partition *partition; (partition = slots_next(engine, &cursor)) != NULL;) {
        link_init(&partition->jobs); /* the jobs are freed already */
        partition_free(partition);
    }
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

void partition_read(struct engine *engine, struct partition *partition)
{
    if (engine->batch.is_open && !engine->batch.is_unknown) {
        partition->read_again_ms = engine->now_ms; /* as soon as the batch has ended */
        partition->is_read_pending = false;        /* what was asked before comes too early */
        return;
    }
    partition->read_again_ms = INT64_MAX;
    partition->is_read_pending = true;
    partition->read_ticket = ++engine->next_ticket;
    engine->ports.offsets_read(engine->ports.self, partition->tenure, partition->read_ticket);
}

void partitions_doubt(struct engine *engine)
{
    uint32_t cursor = 0;
    for (struct partition *partition; (partition = slots_next(engine, &cursor)) != NULL;) {
        partition->is_verified = false;
        partition_read(engine, partition);
    }
}

static void start(struct engine *engine, struct partition *partition, enum err metadata_err)
{
    struct ledger *ledger = &partition->ledger;
    int64_t offset = ledger->committed_offset;
    partition->step = PARTITION_ACTIVE;
    partition->is_verified = true;
    struct log_field at = FIELD_INT("offset", offset);
    partition->ledger.is_changed = metadata_err != OK; /* what cannot be read is replaced */
    if (metadata_err != OK)
        log_partition(engine,
                      metadata_err == ERR_NOT_ALLOWED ? LOG_METADATA_FOREIGN : LOG_METADATA_DAMAGED,
                      partition, &at, 1);
    if (offset < 0) {
        log_partition(engine, LOG_PARTITION_EARLIEST, partition, NULL, 0);
        engine->ports.partition_start(engine->ports.self, partition->tenure, -2);
        return;
    }
    size_t begun = 0;
    for (size_t i = 0; i < ledger->count; i++)
        begun += ledger->entries[i].was_running;
    struct log_field more[] = {
        at,
        FIELD_INT("open", (int64_t)ledger->count),
        FIELD_INT("begun", (int64_t)begun),
    };
    log_partition(engine, LOG_PARTITION_STARTED, partition, more, COUNT_OF(more));
    engine->ports.partition_start(engine->ports.self, partition->tenure, offset);
}

static void unpark(struct engine *engine, struct partition *partition)
{
    struct link parked;
    link_init(&parked);
    list_move_all(&partition->parked, &parked);
    while (!link_alone(&parked))
        job_unpark(engine, LINK_OWNER(parked.next, struct job, link));
}

/* The same tenure begins anew from what the broker has: somebody else committed here, or the topic
 * is another one. */
static struct partition *begin_anew(struct engine *engine, struct partition *partition)
{
    struct tenure tenure = partition->tenure;
    char topic[sizeof partition->topic_text];
    memcpy(topic, partition->topic_text, sizeof topic);
    struct slice name = slice_of(topic, partition->topic.len);
    int32_t number = partition->number;
    partition_end_tenure(engine, partition);
    return partition_new(engine, tenure, name, number);
}

static void verify(struct engine *engine, struct partition *partition, int64_t offset,
                   struct slice metadata)
{
    bool agrees = batch_learn(engine, partition, offset, metadata) &&
                  ledger_agrees(&partition->ledger, offset, metadata);
    if (agrees) {
        partition->is_verified = true;
        unpark(engine, partition);
        return;
    }
    log_partition(engine, LOG_LEDGER_DIFFERS, partition, NULL, 0);
    if (partition->step == PARTITION_REVOKING) {
        partition_give_up(engine, partition);
        return;
    }
    /* Whoever committed here owns it now, and the group will say so. If it does not, begin from
     * what is there. */
    partition = begin_anew(engine, partition);
    partition->read_again_ms = engine->now_ms + engine->config.stall_ms;
}

void engine_offsets_read(struct engine *engine, struct tenure tenure, uint32_t ticket, enum err err,
                         int64_t offset, struct slice metadata)
{
    struct partition *partition = slot_find(engine, tenure);
    if (partition == NULL || !partition->is_read_pending || ticket != partition->read_ticket)
        return;
    partition->is_read_pending = false;
    if (err != OK) {
        struct log_field error = FIELD_TEXT("error", slice_of_text(err_words(err)));
        if (err != ERR_UNSTABLE && !partition->is_read_told)
            log_partition(engine, LOG_OFFSETS_UNREADABLE, partition, &error, 1);
        partition->is_read_told = err != ERR_UNSTABLE;
        partition->read_again_ms = engine->now_ms + OFFSETS_AGAIN_MS;
        return;
    }
    partition->is_read_told = false;
    if (partition->step == PARTITION_READING)
        start(engine, partition, ledger_open(&partition->ledger, offset, metadata));
    else
        verify(engine, partition, offset, metadata);
}

/* ---- the log is not what it was ---- */

void engine_partition_out_of_range(struct engine *engine, struct tenure tenure)
{
    struct partition *partition = slot_find(engine, tenure);
    if (partition != NULL && partition->step == PARTITION_ACTIVE)
        engine->ports.watermarks_read(engine->ports.self, tenure);
}

void engine_watermarks_read(struct engine *engine, struct tenure tenure, enum err err, int64_t low,
                            int64_t high)
{
    struct partition *partition = slot_find(engine, tenure);
    if (partition == NULL || partition->step != PARTITION_ACTIVE)
        return;
    if (err != OK) { /* ask again; io waits between its tries */
        engine->ports.watermarks_read(engine->ports.self, tenure);
        return;
    }
    int64_t next = partition->ledger.next;
    if (next > high) {
        struct log_field more[] = {FIELD_INT("offset", next), FIELD_INT("high", high)};
        log_partition(engine, LOG_PARTITION_RECREATED, partition, more, COUNT_OF(more));
        int64_t committed = partition->ledger.committed_offset;
        struct buf map OWNED_BY(buf_done);
        buf_init(&map, LEDGER_MAP_BYTES_MAX);
        buf_add(&map, buf_slice(&partition->ledger.committed_map));
        partition = begin_anew(engine, partition);
        booked_clear(engine, partition);
        (void)ledger_open(&partition->ledger, committed, buf_slice(&map));
        ledger_restart(&partition->ledger, low);
        partition->step = PARTITION_ACTIVE;
        partition->is_verified = true;
    } else if (next < low) {
        int64_t lost = ledger_truncate(&partition->ledger, low);
        struct log_field more[] = {FIELD_INT("low", low), FIELD_INT("offset", next),
                                   FIELD_INT("lost", lost)};
        log_partition(engine, LOG_PARTITION_TRUNCATED, partition, more, COUNT_OF(more));
    }
    engine->ports.partition_start(engine->ports.self, tenure, partition->ledger.next);
}

/* ---- intake ---- */

/* What requests wait for when it is not a target. */
static const char *const WAITS[] = {"their commit", "earlier ones of their key",
                                    "the look-up of their reply topic"};

static uint32_t *count_of(const struct job *job, uint32_t waits[COUNT_OF(WAITS)])
{
    if (job_is_finished(job))
        return &waits[0];
    if (job->step == JOB_BLOCKED)
        return &waits[1];
    return job->target == NULL ? &waits[2] : &job->target->counted;
}

/* What most of the requests of a partition wait for, and how many do. */
static struct slice awaited(struct engine *engine, const struct partition *partition,
                            uint32_t *ret_waiting)
{
    uint32_t waits[COUNT_OF(WAITS)] = {0};
    for (struct link *link = engine->targets.next; link != &engine->targets; link = link->next)
        LINK_OWNER(link, struct target, link)->counted = 0;
    for (struct link *link = partition->jobs.next; link != &partition->jobs; link = link->next)
        ++*count_of(LINK_OWNER(link, struct job, link_partition), waits);
    size_t most = 0;
    for (size_t i = 1; i < COUNT_OF(WAITS); i++)
        most = waits[i] > waits[most] ? i : most;
    struct slice what = slice_of_text(WAITS[most]);
    *ret_waiting = waits[most];
    for (struct link *link = engine->targets.next; link != &engine->targets; link = link->next) {
        const struct target *target = LINK_OWNER(link, struct target, link);
        if (target->counted <= *ret_waiting)
            continue;
        *ret_waiting = target->counted;
        what = target->model;
    }
    return what;
}

static void tell_full_share(struct engine *engine, struct partition *partition, const char *setting)
{
    if (!tell_now(engine, &partition->share_told_ms))
        return;
    uint32_t waiting;
    struct slice target = awaited(engine, partition, &waiting);
    struct log_field more[] = {
        FIELD_TEXT("setting", slice_of_text(setting)),
        FIELD_INT("held", partition->held),
        FIELD_INT("waiting", waiting),
        FIELD_TEXT("target", target),
    };
    log_partition(engine, LOG_SHARE_FULL, partition, more, COUNT_OF(more));
}

static void tell_full_map(struct engine *engine, struct partition *partition)
{
    if (!tell_now(engine, &partition->map_told_ms))
        return;
    struct log_field more[] = {
        FIELD_INT("open", (int64_t)partition->ledger.count),
        FIELD_INT("offset", ledger_front(&partition->ledger)),
    };
    log_partition(engine, LOG_PARTITION_FULL_MAP, partition, more, COUNT_OF(more));
}

size_t engine_room(struct engine *engine, struct tenure tenure)
{
    struct partition *partition = slot_find(engine, tenure);
    if (partition == NULL || engine->is_stopping || partition->step != PARTITION_ACTIVE)
        return 0;
    uint64_t room = hold_room_count(engine, partition);
    uint64_t bytes = hold_room_bytes(engine, partition);
    size_t map = ledger_room(&partition->ledger);
    if (room == 0 || bytes == 0)
        tell_full_share(engine, partition,
                        room == 0 ? "delivery.max_held" : "delivery.max_held_bytes");
    if (map == 0)
        tell_full_map(engine, partition);
    uint64_t by_bytes = bytes == 0 ? 0 : bytes / engine->config.max_request_bytes + 1;
    room = room < by_bytes ? room : by_bytes;
    return room < map ? room : map;
}

void engine_record(struct engine *engine, struct tenure tenure, const struct record *record)
{
    struct partition *partition = slot_find(engine, tenure);
    if (partition == NULL || partition->step != PARTITION_ACTIVE)
        return;
    if (ledger_fits(&partition->ledger, record->offset)) {
        job_take(engine, partition, record);
        return;
    }
    /* The map is full, and the log has no record any more where the map spoke of one: this one is
     * above. It is fetched again when there is room. */
    ledger_end(&partition->ledger, record->offset);
    engine->ports.partition_start(engine->ports.self, tenure, record->offset);
}

void engine_partition_end(struct engine *engine, struct tenure tenure, int64_t position)
{
    struct partition *partition = slot_find(engine, tenure);
    if (partition != NULL && partition->step == PARTITION_ACTIVE)
        ledger_end(&partition->ledger, position);
}

/* ---- the end of a tenure ---- */

/* Jobs leave the list while it is walked, so each step begins at its head; finished ones go behind.
 */
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
    return job->call == NULL && !job_is_finished(job);
}

static bool is_calling(const struct job *job)
{
    return job->call != NULL;
}

static bool is_finished(const struct job *job)
{
    return job->step == JOB_FINISHED;
}

void partition_drop_waiting(struct engine *engine, struct partition *partition)
{
    each_job(engine, partition, is_waiting, job_drop);
}

void partition_cancel_calls(struct engine *engine, struct partition *partition)
{
    each_job(engine, partition, is_calling, job_cancel);
}

/* Its calls will be in the books of this process: what the next one to have it finds in the map is
 * one of these two, or was known before and has not come yet. */
static void remember_calls(struct engine *engine, const struct partition *partition)
{
    const struct ledger *ledger = &partition->ledger;
    struct offset_open *calls;
    if (partition->step == PARTITION_READING) /* nothing of it was seen */
        return;
    booked_prune(engine, partition);
    size_t count = ledger_told_running(ledger, ledger->committed_offset,
                                       buf_slice(&ledger->committed_map), &calls);
    booked_add(engine, partition, calls, count);
    memory_free(calls);
    if (!partition->is_in_batch)
        return;
    count = ledger_told_running(ledger, partition->batch_offset, buf_slice(&partition->batch_map),
                                &calls);
    booked_add(engine, partition, calls, count);
    memory_free(calls);
}

void partition_end_tenure(struct engine *engine, struct partition *partition)
{
    uint32_t dropped = partition->results, calls = partition->calling;
    remember_calls(engine, partition);
    slot_clear(engine, partition);
    partition->is_gone = true;
    hold_recount(engine);
    partition_drop_waiting(engine, partition);
    partition_cancel_calls(engine, partition);
    each_job(engine, partition, is_finished, job_orphan);
    results_orphan(engine, partition);
    if (dropped > 0 || calls > 0) {
        struct log_field more[] = {FIELD_INT("dropped", dropped), FIELD_INT("calls", calls)};
        log_partition(engine, LOG_PARTITION_LOST, partition, more, COUNT_OF(more));
    }
    if (partition->is_in_batch) /* it stays until the batch has ended, which may be now */
        batch_lost_witness(engine, partition);
    else
        partition_settle(engine, partition);
}

void partition_settle(struct engine *engine, struct partition *partition)
{
    (void)engine;
    if (partition->is_gone && partition->results == 0 && partition->held == 0 &&
        !partition->is_in_batch)
        partition_free(partition);
}

void engine_partition_lost(struct engine *engine, struct tenure tenure)
{
    struct partition *partition = slot_find(engine, tenure);
    if (partition != NULL)
        partition_end_tenure(engine, partition);
}

void engine_partition_revoked(struct engine *engine, struct tenure tenure)
{
    struct partition *partition = slot_find(engine, tenure);
    if (partition == NULL) {
        engine->ports.partition_release(engine->ports.self, tenure);
        return;
    }
    if (partition->step == PARTITION_READING) {
        partition_give_up(engine, partition);
        return;
    }
    partition->step = PARTITION_REVOKING;
    partition->revoke_until_ms = engine->now_ms + engine->config.drain_timeout_ms;
    partition_drop_waiting(engine, partition);
    struct log_field more = FIELD_INT("calls", partition->calling);
    log_partition(engine, LOG_PARTITION_REVOKED, partition, &more, 1);
}

void partition_give_up(struct engine *engine, struct partition *partition)
{
    struct tenure tenure = partition->tenure;
    partition_end_tenure(engine, partition);
    engine->ports.partition_release(engine->ports.self, tenure);
}

/* Everything of it is committed: the partition goes back. */
static void release(struct engine *engine, struct partition *partition)
{
    struct log_field more = FIELD_INT("offset", partition->ledger.committed_offset);
    log_partition(engine, LOG_PARTITION_RELEASED, partition, &more, 1);
    partition_give_up(engine, partition);
}

static void revoke_turn(struct engine *engine, struct partition *partition, int64_t *ret_next_ms)
{
    int64_t give_up_ms = partition->revoke_until_ms + REVOKE_GRACE_MS;
    bool is_over = engine->now_ms >= partition->revoke_until_ms;
    if (is_over && partition->calling > 0) {
        struct log_field calls = FIELD_INT("calls", partition->calling);
        engine->ports.log(engine->ports.self, LOG_DRAIN_TIMED_OUT, &calls, 1);
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

void partitions_turn(struct engine *engine, int64_t *ret_next_ms)
{
    bool may_read = !engine->batch.is_open || engine->batch.is_unknown;
    uint32_t cursor = 0;
    for (struct partition *partition; (partition = slots_next(engine, &cursor)) != NULL;) {
        if (partition->read_again_ms <= engine->now_ms && may_read)
            partition_read(engine, partition);
        else if (may_read && partition->read_again_ms < *ret_next_ms)
            *ret_next_ms = partition->read_again_ms;
        if (partition->step == PARTITION_REVOKING)
            revoke_turn(engine, partition, ret_next_ms);
    }
}
