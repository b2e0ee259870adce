#include "wire/chat/values.h"

#include "base/instant.h"
#include "base/utf8.h"
#include "wire/formats/text.h"

bool request_is_name(struct slice text, size_t max)
{
    return text.len > 0 && utf8_count(text) <= max && !text_has_control(text);
}

static enum err refuse(struct reader *reader, const struct request_field *field, const char *words)
{
    return why_set(reader->why, ERR_INVALID, field->name, "%s", words);
}

static void keep(struct reader *reader, const struct request_field *field, struct slice value)
{
    *(struct slice *)(void *)((char *)reader->request + field->target) = value;
}

/* --- names and switches --- */

static enum err read_name(struct reader *reader, const struct request_field *field,
                          const struct json *value, size_t max, struct slice *ret_name)
{
    struct slice name;
    enum err err = reader_string(reader, field->name, value, &name);
    if (err != OK)
        return err;
    if (!request_is_name(name, max))
        return why_set(reader->why, ERR_INVALID, field->name,
                       "must be 1 to %zu characters without controls", max);
    *ret_name = name;
    return OK;
}

enum err request_read_id(struct reader *reader, const struct request_field *field,
                         const struct json *value)
{
    return read_name(reader, field, value, REQUEST_ID_MAX, &reader->request->id);
}

enum err request_read_tenant(struct reader *reader, const struct request_field *field,
                             const struct json *value)
{
    return read_name(reader, field, value, REQUEST_TENANT_MAX, &reader->request->tenant);
}

enum err request_read_model(struct reader *reader, const struct request_field *field,
                            const struct json *value)
{
    return read_name(reader, field, value, REQUEST_MODEL_MAX, &reader->request->model_requested);
}

enum err request_read_reply_to(struct reader *reader, const struct request_field *field,
                               const struct json *value)
{
    struct slice topic;
    enum err err = reader_string(reader, field->name, value, &topic);
    if (err != OK)
        return err;
    /* The partition in the headers was meant for the topic in the headers. */
    reader->request->reply_topic = SLICE_NULL;
    reader->request->reply_partition = -1;
    reader->request->reply_by_header = false;
    if (!text_is_topic(topic))
        return why_set(reader->why, ERR_REPLY_REFUSED, field->name, "not a topic's name");
    reader->request->reply_topic = topic;
    return OK;
}

enum err request_read_stream(struct reader *reader, const struct request_field *field,
                             const struct json *value)
{
    if (value->kind != JSON_TRUE && value->kind != JSON_FALSE)
        return refuse(reader, field, "must be true or false");
    reader->request->stream = value->kind == JSON_TRUE;
    return OK;
}

enum err request_read_api(struct reader *reader, const struct request_field *field,
                          const struct json *value)
{
    if (json_equal_text(value, "auto") || json_equal_text(value, "converse"))
        return OK;
    if (json_equal_text(value, "invoke"))
        return why_set(reader->why, ERR_UNSUPPORTED_FIELD, field->name,
                       "this version speaks Converse alone: auto or converse");
    return refuse(reader, field, "must be auto, converse or invoke");
}

/* --- time limits --- */

static void limit(struct request *request, int64_t wall_ms)
{
    if (wall_ms < request->expires_wall_ms)
        request->expires_wall_ms = wall_ms;
}

enum err request_read_expires_at(struct reader *reader, const struct request_field *field,
                                 const struct json *value)
{
    struct slice text;
    int64_t wall_ms;
    enum err err = reader_string(reader, field->name, value, &text);
    if (err != OK)
        return err;
    if (!instant_from_rfc3339(text, &wall_ms))
        return refuse(reader, field, "must be an RFC 3339 time, such as 2026-11-22T10:00:00Z");
    limit(reader->request, wall_ms);
    return OK;
}

enum err request_read_ttl_ms(struct reader *reader, const struct request_field *field,
                             const struct json *value)
{
    int64_t ttl_ms, wall_ms;
    const struct record *record = reader->record;
    if (!json_int64(value, &ttl_ms) || ttl_ms < 0)
        return refuse(reader, field, "must be a whole number of milliseconds from 0");
    if (record->timestamp_type == TIMESTAMP_NONE || record->timestamp_ms < 0)
        return refuse(reader, field, "counts from the record's timestamp, and the record has none");
    if (!__builtin_add_overflow(record->timestamp_ms, ttl_ms, &wall_ms))
        limit(reader->request, wall_ms);
    return OK;
}

/* --- numbers: checked for their sense, passed on as they were written --- */

enum err request_read_amount(struct reader *reader, const struct request_field *field,
                             const struct json *value)
{
    double amount;
    if (!json_double(value, &amount) || amount < 0)
        return refuse(reader, field, "must be a number from 0");
    keep(reader, field, value->source);
    return OK;
}

enum err request_read_share(struct reader *reader, const struct request_field *field,
                            const struct json *value)
{
    double share;
    if (!json_double(value, &share) || share < 0 || share > 1)
        return refuse(reader, field, "must be a number from 0 to 1");
    keep(reader, field, value->source);
    return OK;
}

/* `1024.0` and `1e3` are whole numbers to JSON, but not to Bedrock's parser. */
static enum err keep_whole(struct reader *reader, const struct request_field *field,
                           const struct json *value, int64_t whole)
{
    struct buf digits OWNED_BY(buf_done);
    struct slice text = value->source;
    buf_init(&digits, 32);
    buf_add_int(&digits, whole);
    if (digits.failed != OK || (!slice_equal(text, buf_slice(&digits)) &&
                                !arena_copy(reader->arena, buf_slice(&digits), &text)))
        return reader_no_memory(reader);
    keep(reader, field, text);
    return OK;
}

enum err request_read_count(struct reader *reader, const struct request_field *field,
                            const struct json *value)
{
    int64_t count;
    if (!json_int64(value, &count) || count < 0)
        return refuse(reader, field, "must be a whole number from 0");
    return keep_whole(reader, field, value, count);
}

enum err request_read_positive(struct reader *reader, const struct request_field *field,
                               const struct json *value)
{
    int64_t count;
    if (!json_int64(value, &count) || count < 1)
        return refuse(reader, field, "must be a whole number from 1");
    return keep_whole(reader, field, value, count);
}

/* --- texts in lists and maps --- */

static bool all_are_strings(const struct json *list)
{
    for (const struct json *item = list->first; item != NULL; item = item->next)
        if (item->kind != JSON_STRING)
            return false;
    return true;
}

static bool has_empty(const struct json *list)
{
    for (const struct json *item = list->first; item != NULL; item = item->next)
        if (json_equal_text(item, ""))
            return true;
    return false;
}

enum err request_read_stop(struct reader *reader, const struct request_field *field,
                           const struct json *value)
{
    struct slice array = value->source;
    if (json_equal_text(value, "") || has_empty(value))
        return refuse(reader, field, "an empty text stops nothing");
    if (value->kind == JSON_STRING) {
        struct buf text OWNED_BY(buf_done);
        buf_init(&text, value->source.len + 2);
        buf_add_byte(&text, '[');
        buf_add(&text, value->source);
        buf_add_byte(&text, ']');
        if (text.failed != OK || !arena_copy(reader->arena, buf_slice(&text), &array))
            return reader_no_memory(reader);
    } else if (value->kind != JSON_ARRAY || !all_are_strings(value)) {
        return refuse(reader, field, "must be a string or an array of strings");
    }
    keep(reader, field, array);
    return OK;
}

enum err request_read_text_list(struct reader *reader, const struct request_field *field,
                                const struct json *value)
{
    if (value->kind != JSON_ARRAY || !all_are_strings(value))
        return refuse(reader, field, "must be an array of strings");
    keep(reader, field, value->source);
    return OK;
}

enum err request_read_text_map(struct reader *reader, const struct request_field *field,
                               const struct json *value)
{
    if (value->kind != JSON_OBJECT || !all_are_strings(value))
        return refuse(reader, field, "must be an object of strings");
    keep(reader, field, value->source);
    return OK;
}

enum err request_read_labels(struct reader *reader, const struct request_field *field,
                             const struct json *value)
{
    if (value->kind != JSON_OBJECT || !all_are_strings(value))
        return refuse(reader, field, "must be an object of strings");
    if (value->count > REQUEST_LABELS_MAX)
        return why_set(reader->why, ERR_INVALID, field->name, "more than %d labels",
                       REQUEST_LABELS_MAX);
    for (const struct json *label = value->first; label != NULL; label = label->next) {
        struct slice text;
        if (!json_string(reader->scratch, label, &text))
            return reader_no_memory(reader);
        if (label->name.len > REQUEST_LABEL_MAX || text.len > REQUEST_LABEL_MAX)
            return why_set(reader->why, ERR_INVALID, field->name, "a label of more than %d bytes",
                           REQUEST_LABEL_MAX);
    }
    keep(reader, field, value->source);
    return OK;
}

enum err request_read_object(struct reader *reader, const struct request_field *field,
                             const struct json *value)
{
    if (value->kind != JSON_OBJECT)
        return refuse(reader, field, "must be an object");
    keep(reader, field, value->source);
    return OK;
}

/* --- what is put together at the end --- */

enum err request_read_part(struct reader *reader, const struct request_field *field,
                           const struct json *value)
{
    struct slice name = slice_of_text(field->name);
    bool is_messages = slice_equal_text(name, "messages");
    if (is_messages && value->kind != JSON_ARRAY)
        return refuse(reader, field, "must be an array of messages");
    if (!is_messages && value->kind != JSON_OBJECT)
        return refuse(reader, field, "must be an object");
    if (is_messages)
        reader->messages = value;
    else if (slice_equal_text(name, "prompt"))
        reader->prompt = value;
    else if (slice_equal_text(name, "model_kwargs"))
        reader->model_kwargs = value;
    else
        reader->additional_fields = value;
    return OK;
}
