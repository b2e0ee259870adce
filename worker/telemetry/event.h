/* Log events: one list (events.def) of name, level and sentence. A sentence names its fields in
 * braces. A line is printed as text or as JSON; the JSON form has the sentence and every field that
 * the caller gives, also those that the sentence does not name. Values come from the worker or are
 * clipped names from outside; callers never pass prompts, answers or secrets. Nothing fails except
 * the buf. */
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

/* A named value: text (borrowed), or a number when the text is null. */
struct log_field {
    const char *name;
    struct slice text;
    int64_t number;
};

#define FIELD_TEXT(field_name, slice) ((struct log_field){(field_name), (slice), 0})
#define FIELD_INT(field_name, value)  ((struct log_field){(field_name), SLICE_NULL, (value)})

enum log_level log_event_level(enum log_event event);
/* Such as `partition_started`. Valid until the calling thread ends. */
const char *log_event_name(enum log_event event);
/* Such as `warn`; a constant. */
const char *log_level_name(enum log_level level);

/* Appends the sentence alone; values as below. */
void log_add_sentence(struct buf *buf, enum log_event event, const struct log_field *fields,
                      size_t count);
/* Appends `2026-11-22T10:00:00.123Z info  bedrock.requests-3 starts at offset 42` and a newline;
 * `wall_ms` is since 1970. A field that the caller does not give shows as `?`. In text values,
 * control characters become blanks, invalid UTF-8 becomes `?`, and 512 bytes are the most. */
void log_add_text(struct buf *buf, int64_t wall_ms, enum log_event event,
                  const struct log_field *fields, size_t count);
/* Appends {"time":…,"level":…,"event":…,"message":…,<fields>} and a newline; values as above. */
void log_add_json(struct buf *buf, int64_t wall_ms, enum log_event event,
                  const struct log_field *fields, size_t count);

#endif
