/* Log events: one declared list (events.def) of level, name and sentence. A sentence names its
 * fields in braces; every field of a line is in the JSON form too. Values are ours or clipped
 * names; never prompts, answers or secrets. */
#ifndef TELEMETRY_EVENT_H
#define TELEMETRY_EVENT_H

#include "base/buf.h"
#include "base/slice.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

enum log_event {
#define EVENT(name, level, sentence) LOG_##name,
#include "telemetry/events.def"
#undef EVENT
    LOG_EVENT_COUNT
};

/* A named value: text, or a number when text is null. */
struct log_field {
    const char *name;
    struct slice text;
    int64_t number;
};

#define FIELD_TEXT(field_name, slice) ((struct log_field){(field_name), (slice), 0})
#define FIELD_INT(field_name, value)  ((struct log_field){(field_name), SLICE_NULL, (value)})

enum log_level log_event_level(enum log_event event);
const char *log_event_name(enum log_event event); /* lower case with '_' */
const char *log_level_name(enum log_level level);

/* `2026-11-22T10:00:00.123Z info  partition bedrock.requests-3 starts at offset 42` + newline. Text
 * values have their control characters replaced and are clipped at 512 bytes; invalid UTF-8 becomes
 * '?'. */
void log_add_words(struct buf *buf, int64_t wall_ms, enum log_event event,
                   const struct log_field *fields, size_t count);
/* {"time":…,"level":…,"event":…,"message":…,<fields>} + newline. */
void log_add_json(struct buf *buf, int64_t wall_ms, enum log_event event,
                  const struct log_field *fields, size_t count);

#endif
