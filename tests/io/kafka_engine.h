/* The engine of the tests of io's Kafka rooms: it answers each record with a copy of it in the
 * topic of its header `to`, else in the topic `out`, commits in batches, releases what is revoked
 * once it is committed, and notes every event. Its lock guards all its members but the atomic ones,
 * which io asks for through a constant engine. */
#ifndef IO_KAFKA_ENGINE_H
#define IO_KAFKA_ENGINE_H

#include "unit/unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/memory.h"
#include "io/io.h"

#define KIT_PARTS_MAX    64
#define KIT_OUTPUTS_MAX  20000
#define KIT_BATCH_MAX    500
#define KIT_PATIENCE_MS  120000
#define KIT_TOPIC_MAX    64
#define KIT_METADATA_MAX 20000
#define KIT_TICKET_HELD  1000000 /* of reads that decide an unknown outcome */
#define KIT_TICKET_TEST  2000000 /* of reads that a test asks for */

struct kit_part {
    bool is_known, is_started, is_revoked, is_released, is_lost;
    struct tenure tenure;
    char topic[KIT_TOPIC_MAX];
    int32_t partition;
    int64_t read_offset; /* what was committed; -1 = nothing */
    char read_metadata[64];
    int64_t first_offset, next_offset;
    int64_t end_position; /* of the last end that was heard; -1 = none */
    int out_of_range;
    size_t pending; /* records whose copies are not committed */
};

struct kit_output {
    struct output *output;
    uint32_t slot, epoch;
    int64_t offset;
};

/* What tests set and read; under the lock. */
struct engine {
    pthread_mutex_t lock;
    struct ports ports;
    struct kit_part parts[KIT_PARTS_MAX];
    struct kit_output queue[KIT_OUTPUTS_MAX];
    size_t queue_count;
    struct output *batch_outputs[KIT_BATCH_MAX];
    struct batch_offset batch_offsets[KIT_PARTS_MAX];
    char batch_metadata[KIT_METADATA_MAX];
    size_t batch_count; /* the first ones of the queue */
    bool is_batch_open, is_judging, is_stopping, has_ended;
    uint64_t batch_id, batch_acknowledged;
    int64_t now_ms, retry_at_ms;
    /* set by tests */
    _Atomic size_t room_limit; /* records pending at once */
    bool is_holding;           /* commit nothing */
    int metadata_bytes;        /* at least, of each offset */
    int64_t start_at;          /* instead of what was committed; -1 = as committed */
    struct slice out_topic;
    void (*errand)(struct engine *engine, void *argument); /* for the next turn (kit_ask) */
    void *errand_argument;
    /* read by tests */
    size_t assigned, revoked, lost, released, records, doubles, answered, refused;
    int outcomes[BATCH_FENCED + 1];
    struct batch_end last_end;
    struct batch_refusal last_refusal; /* the first of the last refused batch */
    size_t last_refusals, refused_sure;
    char last_reason[128];
    size_t chunks_refused;
    struct call_ref last_chunk;
    int topics_answered;
    enum err topic_err;
    int32_t topic_partitions;
    int watermarks_answered;
    int64_t low, high;
    atomic_bool wants_group; /* set by tests */
    int looks;
    struct group_look look; /* the last one */
    int reads_answered;
    enum err read_err;
    int64_t read_offset;
    char read_metadata[64];
};

UNUSED static void kit_sleep_ms(int64_t delay_ms)
{
    struct timespec delay = {.tv_sec = delay_ms / 1000, .tv_nsec = (delay_ms % 1000) * 1000000L};
    nanosleep(&delay, NULL);
}

UNUSED static void kit_lock(struct engine *engine)
{
    pthread_mutex_lock(&engine->lock);
}

UNUSED static void kit_unlock(struct engine *engine)
{
    pthread_mutex_unlock(&engine->lock);
}

/* ---- the engine's events ---- */

static struct kit_part *kit_part_of(struct engine *engine, struct tenure tenure)
{
    struct kit_part *part = &engine->parts[tenure.slot];
    return part->is_known && part->tenure.epoch == tenure.epoch ? part : NULL;
}

/* The same, where an ended tenure would be a fault of io. */
static struct kit_part *kit_known_part(struct engine *engine, struct tenure tenure)
{
    struct kit_part *part = kit_part_of(engine, tenure);
    CHECK(part != NULL);
    return part;
}

void engine_time(struct engine *engine, int64_t now_ms, int64_t wall_ms)
{
    (void)wall_ms;
    kit_lock(engine);
    engine->now_ms = now_ms;
    kit_unlock(engine);
}

void engine_partition_assigned(struct engine *engine, struct tenure tenure, struct slice topic,
                               int32_t partition)
{
    kit_lock(engine);
    assert_true(tenure.slot < KIT_PARTS_MAX && topic.len < KIT_TOPIC_MAX);
    struct kit_part *part = &engine->parts[tenure.slot];
    *part = (struct kit_part){
        .is_known = true, .tenure = tenure, .partition = partition, .end_position = -1};
    memcpy(part->topic, topic.ptr, topic.len);
    engine->assigned++;
    engine->ports.offsets_read(engine->ports.self, tenure, tenure.epoch);
    kit_unlock(engine);
}

/* Forgets copies of records whose tenure is over; what was not committed is fetched again by its
 * new owner. */
UNUSED static void kit_forget_lost(struct engine *engine)
{
    size_t left = 0;
    for (size_t i = 0; i < engine->queue_count; i++) {
        const struct kit_part *part = &engine->parts[engine->queue[i].slot];
        if (part->is_known && part->tenure.epoch == engine->queue[i].epoch)
            engine->queue[left++] = engine->queue[i];
        else
            output_free(engine->queue[i].output);
    }
    engine->queue_count = left;
}

void engine_partition_revoked(struct engine *engine, struct tenure tenure)
{
    kit_lock(engine);
    struct kit_part *part = kit_known_part(engine, tenure);
    part->is_revoked = true;
    engine->revoked++;
    kit_unlock(engine);
}

void engine_partition_lost(struct engine *engine, struct tenure tenure)
{
    kit_lock(engine);
    struct kit_part *part = kit_part_of(engine, tenure);
    if (part != NULL) { /* else it was released, after its last offsets */
        part->is_known = false;
        part->is_lost = true;
    }
    engine->lost++;
    if (engine->is_judging)
        engine->is_judging = engine->is_batch_open = false;
    kit_unlock(engine);
}

/* Drops the first `count` of the queue. */
UNUSED static void kit_done(struct engine *engine, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        output_free(engine->queue[i].output);
        if (engine->parts[engine->queue[i].slot].tenure.epoch == engine->queue[i].epoch)
            engine->parts[engine->queue[i].slot].pending--;
        engine->answered++;
    }
    memmove(engine->queue, engine->queue + count,
            (engine->queue_count - count) * sizeof engine->queue[0]);
    engine->queue_count -= count;
}

UNUSED static void kit_judge(struct engine *engine, enum err err, int64_t offset)
{
    engine->is_judging = false;
    engine->is_batch_open = false;
    if (err != OK) {
        engine->is_batch_open = engine->is_judging = true;
        engine->ports.offsets_read(engine->ports.self, engine->batch_offsets[0].tenure,
                                   KIT_TICKET_HELD);
    } else if (offset >= engine->batch_offsets[0].offset) {
        kit_done(engine, engine->batch_count);
    }
}

void engine_offsets_read(struct engine *engine, struct tenure tenure, uint32_t ticket, enum err err,
                         const struct committed *committed)
{
    kit_lock(engine);
    int64_t offset = committed == NULL ? -1 : committed->offset;
    struct slice metadata = committed == NULL ? SLICE("") : committed->metadata;
    struct kit_part *part = kit_known_part(engine, tenure);
    if (ticket == KIT_TICKET_HELD) {
        kit_judge(engine, err, offset);
    } else if (ticket == KIT_TICKET_TEST) {
        engine->reads_answered++;
        engine->read_err = err;
        engine->read_offset = offset;
        snprintf(engine->read_metadata, sizeof engine->read_metadata, "%.*s", SLICE_ARG(metadata));
    } else if (err != OK) {
        engine->ports.offsets_read(engine->ports.self, tenure, ticket);
    } else {
        part->read_offset = offset;
        snprintf(part->read_metadata, sizeof part->read_metadata, "%.*s", SLICE_ARG(metadata));
        part->is_started = true;
        int64_t start = engine->start_at >= 0 ? engine->start_at : offset;
        part->first_offset = part->next_offset = start >= 0 ? start : 0;
        engine->ports.partition_start(engine->ports.self, tenure, start >= 0 ? start : -2, -1);
    }
    kit_unlock(engine);
}

void engine_siblings_read(struct engine *engine, struct tenure tenure, uint32_t ticket,
                          enum err err, const struct committed *siblings, size_t count)
{
    (void)engine, (void)tenure, (void)ticket, (void)err, (void)siblings, (void)count;
}

void engine_offsets_committed(struct engine *engine, struct tenure tenure, uint64_t batch)
{
    kit_lock(engine);
    (void)kit_part_of(engine, tenure);
    assert_true(batch >= engine->batch_acknowledged && batch <= engine->batch_id);
    engine->batch_acknowledged = batch;
    kit_unlock(engine);
}

void engine_watermarks_read(struct engine *engine, struct tenure tenure, enum err err, int64_t low,
                            int64_t high)
{
    kit_lock(engine);
    struct kit_part *part = kit_part_of(engine, tenure);
    if (part != NULL && err == OK) {
        engine->low = low;
        engine->high = high;
        engine->watermarks_answered++;
        if (part->out_of_range > 0 && part->next_offset != low) {
            part->next_offset = low;
            engine->ports.partition_start(engine->ports.self, tenure, low, -1);
        }
    } else if (part != NULL) {
        engine->ports.watermarks_read(engine->ports.self, tenure);
    }
    kit_unlock(engine);
}

void engine_partition_high(struct engine *engine, struct tenure tenure, int64_t high)
{
    (void)engine, (void)tenure, (void)high;
}

void engine_partition_out_of_range(struct engine *engine, struct tenure tenure, int64_t end)
{
    (void)end;
    kit_lock(engine);
    struct kit_part *part = kit_known_part(engine, tenure);
    part->out_of_range++;
    engine->ports.watermarks_read(engine->ports.self, tenure);
    kit_unlock(engine);
}

bool engine_is_full(const struct engine *engine)
{
    return engine->queue_count >= engine->room_limit;
}

bool engine_wants_group(const struct engine *engine)
{
    return engine->wants_group;
}

void engine_group_looked(struct engine *engine, const struct group_look *look)
{
    kit_lock(engine);
    engine->looks++;
    engine->look = *look;
    kit_unlock(engine);
}

void engine_partition_empty(struct engine *engine, struct tenure tenure)
{
    (void)engine, (void)tenure;
}

bool engine_partition_is_idle(struct engine *engine, struct tenure tenure)
{
    (void)engine, (void)tenure;
    return false;
}

size_t engine_room(struct engine *engine, struct tenure tenure)
{
    kit_lock(engine);
    struct kit_part *part = kit_part_of(engine, tenure);
    bool is_open = part != NULL && !part->is_revoked && !engine->is_stopping;
    size_t room = is_open && engine->queue_count < engine->room_limit
                      ? engine->room_limit - engine->queue_count
                      : 0;
    kit_unlock(engine);
    return room;
}

static struct output *kit_copy(struct engine *engine, const struct record *record)
{
    struct output *output = memory_new(sizeof *output);
    assert_non_null(output);
    arena_init(&output->arena, 32U << 20);
    struct record copy;
    assert_true(record_copy(&output->arena, record, &copy));
    const struct header *to = headers_last(copy.headers, "to");
    output->topic = to != NULL ? to->value : engine->out_topic;
    output->partition = -1;
    output->key = copy.key;
    output->value = copy.value;
    output->headers = copy.headers.list;
    output->header_count = copy.headers.count;
    return output;
}

void engine_record(struct engine *engine, struct tenure tenure, const struct record *record)
{
    kit_lock(engine);
    struct kit_part *part = kit_known_part(engine, tenure);
    assert_true(part->is_started && engine->queue_count < KIT_OUTPUTS_MAX);
    if (record->offset < part->next_offset)
        engine->doubles++;
    part->next_offset = record->offset + 1;
    part->pending++;
    engine->records++;
    engine->queue[engine->queue_count++] = (struct kit_output){.output = kit_copy(engine, record),
                                                               .slot = tenure.slot,
                                                               .epoch = tenure.epoch,
                                                               .offset = record->offset};
    kit_unlock(engine);
}

void engine_partition_end(struct engine *engine, struct tenure tenure, int64_t position)
{
    kit_lock(engine);
    struct kit_part *part = kit_known_part(engine, tenure);
    part->end_position = position;
    kit_unlock(engine);
}

void engine_batch_ended(struct engine *engine, const struct batch_end *end)
{
    kit_lock(engine);
    assert_true(engine->is_batch_open && end->id == engine->batch_id);
    engine->is_batch_open = false;
    engine->outcomes[end->outcome]++;
    engine->last_end = *end;
    snprintf(engine->last_reason, sizeof engine->last_reason, "%.*s", SLICE_ARG(end->reason));
    engine->last_end.reason = SLICE_NULL;
    if (end->refusal_count > 0)
        engine->last_refusal = end->refusals[0];
    engine->last_refusals = end->refusal_count;
    engine->retry_at_ms = engine->now_ms + 100;
    if (end->outcome == BATCH_COMMITTED) {
        kit_done(engine, engine->batch_count);
    } else if (end->outcome == BATCH_REFUSED) {
        engine->refused++;
        for (size_t i = 0; i < end->refusal_count; i++) {
            struct kit_output *blamed = &engine->queue[end->refusals[i].index];
            engine->refused_sure += end->refusals[i].is_sure;
            if (!end->refusals[i].is_sure)
                continue;
            blamed->output->topic = engine->out_topic;
            blamed->output->value = SLICE("refused");
        }
    } else if (end->outcome == BATCH_UNKNOWN || end->outcome == BATCH_FENCED) {
        engine->is_batch_open = engine->is_judging = true;
        engine->ports.offsets_read(engine->ports.self, engine->batch_offsets[0].tenure,
                                   KIT_TICKET_HELD);
    }
    kit_unlock(engine);
}

void engine_topic_found(struct engine *engine, uint32_t ticket, enum err err, int32_t partitions)
{
    (void)ticket;
    kit_lock(engine);
    engine->topics_answered++;
    engine->topic_err = err;
    engine->topic_partitions = partitions;
    kit_unlock(engine);
}

void engine_chunk_refused(struct engine *engine, struct call_ref call)
{
    kit_lock(engine);
    engine->chunks_refused++;
    engine->last_chunk = call;
    kit_unlock(engine);
}

void engine_call_head(struct engine *engine, struct call_ref call, int status, struct slice head)
{
    (void)engine, (void)call, (void)status, (void)head;
}

void engine_call_body(struct engine *engine, struct call_ref call, struct slice bytes)
{
    (void)engine, (void)call, (void)bytes;
}

void engine_call_ended(struct engine *engine, struct call_ref call, const struct call_end *end)
{
    (void)engine, (void)call, (void)end;
}

void engine_credentials(struct engine *engine, uint32_t identity,
                        const struct credentials *credentials, struct slice reason)
{
    (void)engine, (void)identity, (void)credentials, (void)reason;
}

void engine_stop(struct engine *engine)
{
    kit_lock(engine);
    engine->is_stopping = true;
    kit_unlock(engine);
}

void engine_hurry(struct engine *engine)
{
    engine_stop(engine);
}

/* One batch of the first copies in the queue, with the offsets behind them. */
UNUSED static void kit_cut(struct engine *engine)
{
    size_t count = engine->queue_count < KIT_BATCH_MAX ? engine->queue_count : KIT_BATCH_MAX;
    size_t offsets = 0;
    int place[KIT_PARTS_MAX];
    memset(place, -1, sizeof place);
    snprintf(engine->batch_metadata, sizeof engine->batch_metadata, "batch %-*u",
             engine->metadata_bytes, (unsigned)engine->batch_id + 1);
    for (size_t i = 0; i < count; i++) {
        const struct kit_output *queued = &engine->queue[i];
        const struct kit_part *part = &engine->parts[queued->slot];
        engine->batch_outputs[i] = queued->output;
        if (place[queued->slot] < 0)
            place[queued->slot] = (int)offsets++;
        engine->batch_offsets[place[queued->slot]] =
            (struct batch_offset){.tenure = part->tenure,
                                  .topic = slice_of_text(part->topic),
                                  .partition = part->partition,
                                  .offset = queued->offset + 1,
                                  .metadata = slice_of_text(engine->batch_metadata)};
    }
    engine->batch_count = count;
    engine->is_batch_open = true;
    struct batch batch = {.id = ++engine->batch_id,
                          .outputs = engine->batch_outputs,
                          .output_count = count,
                          .offsets = engine->batch_offsets,
                          .offset_count = offsets};
    engine->ports.batch_commit(engine->ports.self, &batch);
}

UNUSED static void kit_release_drained(struct engine *engine)
{
    for (size_t i = 0; i < KIT_PARTS_MAX; i++) {
        struct kit_part *part = &engine->parts[i];
        if (!part->is_known || !part->is_revoked || part->pending > 0)
            continue;
        part->is_known = false;
        part->is_released = true;
        engine->released++;
        engine->ports.partition_release(engine->ports.self, part->tenure);
    }
}

int64_t engine_turn(struct engine *engine)
{
    kit_lock(engine);
    if (engine->errand != NULL)
        engine->errand(engine, engine->errand_argument);
    engine->errand = NULL;
    if (!engine->is_batch_open)
        kit_forget_lost(engine);
    if (!engine->is_batch_open && engine->queue_count > 0 && !engine->is_holding &&
        engine->now_ms >= engine->retry_at_ms)
        kit_cut(engine);
    kit_release_drained(engine);
    if (engine->is_stopping && engine->queue_count == 0 && !engine->has_ended) {
        engine->has_ended = true;
        engine->ports.ended(engine->ports.self, 0);
    }
    int64_t next_ms = engine->now_ms + 50;
    kit_unlock(engine);
    return next_ms;
}

#endif
