/* What the engine logs. ENGINE_LOG names an event and its fields and sends the line to the port
 * `log`. log_is_due limits lines that may come again and again: one of a kind about one thing in a
 * minute. */
#ifndef ENGINE_LOG_H
#define ENGINE_LOG_H

#include "engine/state.h"

#define LOG_AGAIN_MS 60000

/* Logs an event. Borrows the fields for the call. */
static inline void engine_log(const struct engine *engine, enum log_event event,
                              const struct log_field *fields, size_t count)
{
    engine->ports.log(engine->ports.self, event, fields, count);
}
/* Logs an event with its fields: ENGINE_LOG(engine, LOG_STALLED, FIELD_INT("stall_ms", stall_ms)).
 */
#define ENGINE_LOG(engine, event, ...)                                                             \
    engine_log((engine), (event), (const struct log_field[]){__VA_ARGS__},                         \
               COUNT_OF(((struct log_field[]){__VA_ARGS__})))

/* The fields that name a partition, and those that name a request by its record. */
#define PARTITION_FIELDS(partition)                                                                \
    FIELD_TEXT("topic", (partition)->topic), FIELD_INT("partition", (partition)->number)
#define REQUEST_FIELDS(job) PARTITION_FIELDS((job)->partition), FIELD_INT("offset", (job)->offset)

/* Whether a line may be logged now; if so, moves *due_ms a minute on. *due_ms (monotonic, at first
 * 0) belongs to the thing that the line is about. */
static inline bool log_is_due(const struct engine *engine, int64_t *due_ms)
{
    if (engine->now_ms < *due_ms)
        return false;
    *due_ms = engine->now_ms + LOG_AGAIN_MS;
    return true;
}

#endif
