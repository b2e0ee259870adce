/* The requests of a world: drawn once for each log, before the world begins, and checked at its
 * end.
 */
#include "world.h"

#include <string.h>

#include "wire/formats/offset_map.h"

#define KEYS             3
#define SLOW_MODEL_TURNS 10 /* of a pinned world: every so many requests one is slow */

static enum reply_kind draw_reply(struct world *world)
{
    uint64_t dice = random_below(&world->random, 100);
    return dice < 70   ? REPLY_NONE
           : dice < 85 ? REPLY_GOOD
           : dice < 90 ? REPLY_MISSING
           : dice < 95 ? REPLY_FORBIDDEN
                       : REPLY_VANISHED;
}

static void draw_record(struct world *world, struct fake_record *record, bool has_gaps)
{
    struct random *random = &world->random;
    uint64_t dice = random_below(random, 100);
    *record = (struct fake_record){
        .kind = has_gaps && dice < 20 ? REQUEST_GAP
                : dice < 24           ? REQUEST_BAD_JSON
                : dice < 28           ? REQUEST_EXPIRING
                : dice < 32           ? REQUEST_REFUSED_ANSWER
                                      : REQUEST_GOOD,
        .may_call = true,
    };
    record->key = (int)random_below(random, KEYS + 1) - 1;
    record->model = (int)random_below(random, MODELS_MAX);
    record->stream = random_below(random, 3) == 0;
    record->wants_json = random_below(random, 8) == 0;
    record->is_count = !record->wants_json && random_below(random, 12) == 0;
    record->stream = record->stream && !record->is_count;
    record->reply = draw_reply(world);
}

/* Every tenth request is for a slow model; nothing else happens. */
static void pin_record(struct fake_record *record, int64_t offset)
{
    *record = (struct fake_record){
        .key = -1,
        .model = offset % SLOW_MODEL_TURNS == 0 ? 0 : 1 + (int)(offset % 2),
        .may_call = true,
    };
}

void kafka_make_records(struct world *world, struct fake_log *log, int64_t planned)
{
    log->low = log->end = 0;
    log->planned = planned;
    for (size_t key = 0; key < COUNT_OF(log->last_answers); key++)
        log->last_answers[key] = (struct last_answer){-1, -1};
    memset(log->records, 0, sizeof log->records);
    kafka_draw_records(world, log, 0);
}

void kafka_draw_records(struct world *world, struct fake_log *log, int64_t from)
{
    bool has_gaps = random_below(&world->random, 2) == 0;
    for (int64_t offset = from; offset < log->planned; offset++) {
        if (world->pin == PIN_FLOOD)
            log->records[offset] = (struct fake_record){.key = -1, .may_call = true};
        else if (world->pin == PIN_SLOW_MODEL)
            pin_record(&log->records[offset], offset);
        else
            draw_record(world, &log->records[offset], has_gaps);
        log->records[offset].epoch = log->epoch;
    }
}

void kafka_make(struct world *world)
{
    world->log_count = 1 + (int)random_below(&world->random, LOGS_MAX);
    for (int i = 0; i < world->log_count; i++) {
        struct fake_log *log = &world->logs[i];
        log->offset = -1;
        log->owner = -1;
        log->next_owner = -1;
        log->committer = -1;
        kafka_make_records(world, log,
                           10 + (int64_t)random_below(&world->random, RECORDS_MAX - 10));
        struct sim_event *event = world_add(world, EVENT_PRODUCE, NULL, 0);
        event->a = i;
    }
}

/* ---- at the end ---- */

static bool has_gaps_alone(const struct fake_log *log, int64_t from)
{
    for (int64_t offset = from < 0 ? 0 : from; offset < log->end; offset++)
        if (log->records[offset].kind != REQUEST_GAP)
            return false;
    return true;
}

/* Every request is answered, nothing is open, and the calls of dead workers are recorded. */
void kafka_check_end(struct world *world)
{
    bool is_shaken = !world->config.exactly_once && world->is_shaken;
    MUST(world, kafka_all_answered(world));
    for (int i = 0; i < world->log_count; i++) {
        const struct fake_log *log = &world->logs[i];
        static struct offset_open open[4096];
        size_t count = 0;
        int64_t last;
        if (log->offset < 0 && has_gaps_alone(log, 0))
            continue; /* recreated at the very end: there was nothing to commit */
        MUST(world, offset_map_read(slice_of(log->metadata, log->metadata_len), log->offset, open,
                                    COUNT_OF(open), &count, &last) == OK);
        for (size_t k = 0; k < count; k++) /* a call that outlived its record was cancelled */
            MUST(world, kafka_record(world, i, open[k].offset)->is_gone || is_shaken);
        /* Gaps at the end are passed only while a worker is free to commit. */
        MUST(world,
             has_gaps_alone(log, log->offset) || log->records[log->offset].is_gone || is_shaken);
        for (int64_t offset = 0; offset < log->end; offset++)
            MUST(world, !log->records[offset].is_lost_expected || log->records[offset].is_gone ||
                            is_shaken);
    }
}
