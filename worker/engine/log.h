/* What the engine logs. A line is one call that names its event and its fields; the line goes to
 * the port `log`. Lines that could come again and again are held back: one of a kind about one
 * thing in a minute. */
#ifndef ENGINE_LOG_H
#define ENGINE_LOG_H

#include "engine/state.h"

#define LOG_AGAIN_MS 60000

/* Logs an event whose sentence needs no fields, or with fields: ENGINE_LOG(engine, LOG_STALLED,
 * FIELD_INT("stall_ms", stall_ms)). The fields are borrowed for the call. */
static inline void engine_log(const struct engine *engine, enum log_event event,
                              const struct log_field *fields, size_t count)
{
    engine->ports.log(engine->ports.self, event, fields, count);
}
#define ENGINE_LOG(engine, event, ...)                                                             \
    engine_log((engine), (event), (const struct log_field[]){__VA_ARGS__},                         \
               COUNT_OF(((struct log_field[]){__VA_ARGS__})))

/* The fields that name a partition, and those that name a request by its record. */
#define PARTITION_FIELDS(partition)                                                                \
    FIELD_TEXT("topic", (partition)->topic), FIELD_INT("partition", (partition)->number)
#define REQUEST_FIELDS(job) PARTITION_FIELDS((job)->partition), FIELD_INT("offset", (job)->offset)

/* Whether a line may be logged now; if so, the next one not before a minute is over. *again_ms is
 * kept with the thing that the line is about, and 0 at first. */
static inline bool log_is_due(const struct engine *engine, int64_t *again_ms)
{
    if (engine->now_ms < *again_ms)
        return false;
    *again_ms = engine->now_ms + LOG_AGAIN_MS;
    return true;
}

#endif
