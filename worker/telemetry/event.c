#include "telemetry/event.h"

#include <string.h>

#include "base/check.h"
#include "base/instant.h"
#include "base/secrets.h"
#include "base/utf8.h"

#define FIELD_BYTES_MAX 512
#define EVENT_NAME_MAX  32

struct row {
    const char *name;
    enum log_level level;
    const char *sentence;
};

static const struct row ROWS[LOG_EVENT_COUNT] = {
#define EVENT(name, level, sentence) {#name, LOG_##level, sentence},
#include "telemetry/events.def"
#undef EVENT
};

#define EVENT(name, level, sentence)                                                               \
    _Static_assert(sizeof(#name) <= EVENT_NAME_MAX, "the name of an event is too long");
#include "telemetry/events.def"
#undef EVENT

/* The form of the line decides what must be escaped. */
enum form { AS_TEXT, AS_JSON };

static const struct row *row_of(enum log_event event)
{
    CHECK((unsigned)event < LOG_EVENT_COUNT);
    return &ROWS[event];
}

enum log_level log_event_level(enum log_event event)
{
    return row_of(event)->level;
}

const char *log_event_name(enum log_event event)
{
    /* Converted at the first use, because the preprocessor cannot change case; one copy per thread
     * needs no lock. */
    static _Thread_local char names[LOG_EVENT_COUNT][EVENT_NAME_MAX];
    const char *upper = row_of(event)->name;
    char *name = names[event];
    if (name[0] != '\0')
        return name;
    for (size_t i = 0; upper[i] != '\0'; i++)
        name[i] = (char)(upper[i] >= 'A' && upper[i] <= 'Z' ? upper[i] + ('a' - 'A') : upper[i]);
    return name;
}

const char *log_level_name(enum log_level level)
{
    static const char *const NAMES[] = {"error", "warn", "info", "debug"};
    CHECK((unsigned)level < COUNT_OF(NAMES));
    return NAMES[level];
}

static bool is_control(struct slice text, size_t at)
{
    unsigned char byte = (unsigned char)text.ptr[at];
    if (byte < 0x20 || byte == 0x7f)
        return true;
    /* U+0080 to U+009F: some terminals obey these as well. */
    return byte == 0xc2 && at + 1 < text.len && (unsigned char)text.ptr[at + 1] < 0xa0;
}

static void add_valid(struct buf *buf, struct slice text, enum form form)
{
    for (size_t at = 0; at < text.len; at++) {
        char byte = text.ptr[at];
        if (is_control(text, at)) {
            at += byte == '\xc2';
            byte = ' ';
        }
        if (form == AS_JSON && (byte == '"' || byte == '\\'))
            buf_add_byte(buf, '\\');
        buf_add_byte(buf, byte);
    }
}

/* The one door of the log: no field shows a secret that the worker knows. */
static void add_clean(struct buf *buf, struct slice text, enum form form)
{
    struct buf masked OWNED_BY(buf_done);
    size_t at, len;
    buf_init(&masked, SIZE_MAX);
    if (secrets_find(text, &at, &len)) {
        secrets_add_masked(&masked, text);
        text = masked.failed == OK ? buf_slice(&masked) : SLICE("?");
    }
    text = utf8_clip(text, FIELD_BYTES_MAX);
    while (text.len > 0) {
        size_t valid = utf8_valid_len(text);
        add_valid(buf, slice_sub(text, 0, valid), form);
        if (valid < text.len)
            buf_add_byte(buf, '?');
        text = slice_sub(text, valid + 1, SIZE_MAX);
    }
}

static void add_value(struct buf *buf, const struct log_field *field, enum form form)
{
    if (field->text.ptr == NULL)
        buf_add_int(buf, field->number);
    else
        add_clean(buf, field->text, form);
}

static const struct log_field *find(struct slice name, const struct log_field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (slice_equal_text(name, fields[i].name))
            return &fields[i];
    return NULL;
}

/* Adds the sentence with the values in place of the fields' names; a field that is missing shows as
 * `?`. */
static void add_sentence(struct buf *buf, enum log_event event, const struct log_field *fields,
                         size_t count, enum form form)
{
    struct slice rest = slice_of_text(row_of(event)->sentence);
    while (rest.len > 0) {
        size_t open = slice_find(rest, '{');
        add_valid(buf, slice_sub(rest, 0, open), form);
        if (open == rest.len)
            return;
        rest = slice_sub(rest, open + 1, SIZE_MAX);
        size_t close = slice_find(rest, '}');
        CHECK(close < rest.len);
        const struct log_field *field = find(slice_sub(rest, 0, close), fields, count);
        if (field == NULL)
            buf_add_byte(buf, '?');
        else
            add_value(buf, field, form);
        rest = slice_sub(rest, close + 1, SIZE_MAX);
    }
}

void log_add_sentence(struct buf *buf, enum log_event event, const struct log_field *fields,
                      size_t count)
{
    add_sentence(buf, event, fields, count, AS_TEXT);
}

void log_add_text(struct buf *buf, int64_t wall_ms, enum log_event event,
                  const struct log_field *fields, size_t count)
{
    instant_add_rfc3339(buf, wall_ms);
    buf_addf(buf, " %-5s ", log_level_name(log_event_level(event)));
    add_sentence(buf, event, fields, count, AS_TEXT);
    buf_add_byte(buf, '\n');
}

void log_add_json(struct buf *buf, int64_t wall_ms, enum log_event event,
                  const struct log_field *fields, size_t count)
{
    buf_add_text(buf, "{\"time\":\"");
    instant_add_rfc3339(buf, wall_ms);
    buf_addf(buf, "\",\"level\":\"%s\",\"event\":\"%s\",\"message\":\"",
             log_level_name(log_event_level(event)), log_event_name(event));
    add_sentence(buf, event, fields, count, AS_JSON);
    buf_add_byte(buf, '"');
    for (size_t i = 0; i < count; i++) {
        bool is_text = fields[i].text.ptr != NULL;
        buf_addf(buf, ",\"%s\":", fields[i].name);
        if (is_text)
            buf_add_byte(buf, '"');
        add_value(buf, &fields[i], AS_JSON);
        if (is_text)
            buf_add_byte(buf, '"');
    }
    buf_add_text(buf, "}\n");
}
