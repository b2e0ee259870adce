#include "engine/moved.h"

#include "engine/log.h"
#include "engine/meter.h"
#include "engine/way.h"

#define NAME_BYTES (REQUEST_MODEL_MAX + 256)

/* The pair's place; a new one takes that of the pair whose line was due first. */
static struct moved_pair *pair_of(struct engine *engine, uint64_t hash)
{
    struct moved_pair *list = engine->moved.list, *oldest = &list[0];
    for (size_t i = 0; i < MOVED_PAIRS; i++) {
        if (list[i].hash == hash)
            return &list[i];
        if (list[i].due_ms < oldest->due_ms)
            oldest = &list[i];
    }
    *oldest = (struct moved_pair){.hash = hash};
    return oldest;
}

static void write_name(const struct target *target, char ret_name[MOVED_NAME_BYTES])
{
    struct buf name OWNED_BY(buf_done);
    buf_init(&name, NAME_BYTES);
    buf_addf(&name, "%.*s in %.*s", SLICE_ARG(target->model), SLICE_ARG(target->region));
    why_copy(ret_name, MOVED_NAME_BYTES, buf_slice(&name));
}

static void log_pair(struct engine *engine, struct moved_pair *pair)
{
    if (pair->count == 0 || !log_is_due(engine, &pair->due_ms))
        return;
    ENGINE_LOG(engine, LOG_REQUEST_MOVED, FIELD_INT("count", (int64_t)pair->count),
               FIELD_TEXT("from", slice_of_text(pair->from)),
               FIELD_TEXT("to", slice_of_text(pair->to)),
               FIELD_TEXT("reason", slice_of_text(move_text(pair->why))));
    pair->count = 0;
}

void moved_note(struct engine *engine, const struct target *from, const struct target *to,
                enum move why)
{
    struct moved_pair *pair = pair_of(engine, from->hash ^ (to->hash << 1 | to->hash >> 63));
    if (pair->from[0] == '\0') {
        write_name(from, pair->from);
        write_name(to, pair->to);
    }
    pair->count++;
    pair->why = why;
    log_pair(engine, pair);
    meter_moved(engine, from, to, move_label(why));
}

void moved_log(struct engine *engine)
{
    for (size_t i = 0; i < MOVED_PAIRS; i++)
        log_pair(engine, &engine->moved.list[i]);
}
