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
    return why_set(&reader->why, ERR_INVALID, field->name, "%s", words);
}

static void keep(struct reader *reader, const struct request_field *field, struct slice value)
{
    *(struct slice *)(void *)((char *)reader->request + field->target) = value;
}

/* --- one of a few texts --- */

bool choices_have(const char *choices, struct slice text)
{
    struct slice rest = slice_of_text(choices);
    for (size_t len; rest.len > 0; rest = slice_sub(rest, len + 1, SIZE_MAX)) {
        len = slice_find(rest, '|');
        if (slice_equal(text, slice_sub(rest, 0, len)))
            return true;
    }
    return false;
}

enum err choices_refuse(struct reader *reader, const char *path, const char *choices,
                        const char *behind)
{
    struct buf words OWNED_BY(buf_done);
    struct slice rest = slice_of_text(choices);
    buf_init(&words, WHY_MESSAGE_MAX);
    for (size_t len; rest.len > 0; rest = slice_sub(rest, len + 1, SIZE_MAX)) {
        len = slice_find(rest, '|');
        buf_add_text(&words, words.len == 0 ? "" : len == rest.len ? " or " : ", ");
        buf_add(&words, slice_sub(rest, 0, len));
    }
    return why_set(&reader->why, ERR_INVALID, path, "must be %s%s", buf_text(&words), behind);
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
        return why_set(&reader->why, ERR_INVALID, field->name,
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

enum err request_read_priority(struct reader *reader, const struct request_field *field,
                               const struct json *value)
{
    static const char CHOICES[] = "high|normal|low";
    enum request_priority *priority = &reader->request->priority;
    struct slice name;
    enum err err = reader_string(reader, field->name, value, &name);
    if (err != OK)
        return err;
    if (!choices_have(CHOICES, name))
        return choices_refuse(reader, field->name, CHOICES, "");
    *priority = slice_equal_text(name, "high")  ? PRIORITY_HIGH
                : slice_equal_text(name, "low") ? PRIORITY_LOW
                                                : PRIORITY_NORMAL;
    return OK;
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
        return why_set(&reader->why, ERR_REPLY_REFUSED, field->name, "is not a topic name");
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

static enum err refuse_api(struct reader *reader, const struct request_field *field)
{
    struct buf known OWNED_BY(buf_done);
    buf_init(&known, WHY_MESSAGE_MAX);
    for (size_t i = 0; i < reader->catalog->api_count; i++)
        buf_addf(&known, " or %s", reader->catalog->apis[i]->api);
    return why_set(&reader->why, ERR_INVALID, field->name, "must be auto%s", buf_text(&known));
}

enum err request_read_api(struct reader *reader, const struct request_field *field,
                          const struct json *value)
{
    const struct catalog *catalog = reader->catalog;
    struct slice name;
    enum err err = reader_string(reader, field->name, value, &name);
    if (err != OK || slice_equal_text(name, "auto"))
        return err;
    for (size_t i = 0; i < catalog->api_count; i++) {
        if (slice_equal_text(name, catalog->apis[i]->api)) {
            reader->request->api = name;
            return OK;
        }
    }
    return refuse_api(reader, field);
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
        return refuse(reader, field, "needs the record's timestamp, and the record has none");
    if (!__builtin_add_overflow(record->timestamp_ms, ttl_ms, &wall_ms))
        limit(reader->request, wall_ms);
    return OK;
}

/* --- texts in lists and maps --- */

static bool all_are_strings(const struct json *list)
{
    for (const struct json *item = list->first; item != NULL; item = item->next)
        if (item->kind != JSON_STRING)
            return false;
    return true;
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
        return why_set(&reader->why, ERR_INVALID, field->name, "has more than %d labels",
                       REQUEST_LABELS_MAX);
    for (const struct json *label = value->first; label != NULL; label = label->next) {
        struct slice text;
        if (!json_string(reader->scratch, label, &text))
            return reader_no_memory(reader);
        if (label->name.len > REQUEST_LABEL_MAX || text.len > REQUEST_LABEL_MAX)
            return why_set(&reader->why, ERR_INVALID, field->name,
                           "has a label of more than %d bytes", REQUEST_LABEL_MAX);
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

/* --- parameters: checked for their sense, passed on as they were written --- */

static enum err refuse_parameter(struct reader *reader, const struct parameter_row *row,
                                 const char *path)
{
    const char *whole = row->form == PARAMETER_WHOLE ? "whole " : "";
    if (row->form == PARAMETER_TEXTS)
        return why_set(&reader->why, ERR_INVALID, path, "must be a string or an array of strings");
    if (row->most == 0)
        return why_set(&reader->why, ERR_INVALID, path, "must be a %snumber from %d", whole,
                       row->least);
    return why_set(&reader->why, ERR_INVALID, path, "must be a %snumber from %d to %d", whole,
                   row->least, row->most);
}

static bool is_number(const struct parameter_row *row, const struct json *value)
{
    double number;
    return json_double(value, &number) && number >= row->least &&
           (row->most == 0 || number <= row->most);
}

/* `1024.0` and `1e3` are whole numbers to JSON, but not to Bedrock's parser. */
static bool add_whole(const struct parameter_row *row, const struct json *value, struct buf *text)
{
    int64_t whole;
    if (!json_int64(value, &whole) || whole < row->least)
        return false;
    buf_add_int(text, whole);
    return true;
}

static bool has_empty(const struct json *list)
{
    for (const struct json *item = list->first; item != NULL; item = item->next)
        if (json_equal_text(item, ""))
            return true;
    return false;
}

/* One text becomes an array of it. */
static bool add_texts(const struct json *value, struct buf *text)
{
    bool is_one = value->kind == JSON_STRING;
    if (!is_one && (value->kind != JSON_ARRAY || !all_are_strings(value)))
        return false;
    buf_add_text(text, is_one ? "[" : "");
    buf_add(text, value->source);
    buf_add_text(text, is_one ? "]" : "");
    return true;
}

enum err parameter_read(struct reader *reader, enum parameter parameter, const char *path,
                        const struct json *value)
{
    const struct parameter_row *row = &parameter_rows[parameter];
    struct slice kept = value->source;
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, value->source.len + 32);
    bool is_good = row->form == PARAMETER_NUMBER  ? is_number(row, value)
                   : row->form == PARAMETER_WHOLE ? add_whole(row, value, &text)
                                                  : add_texts(value, &text);
    if (row->form == PARAMETER_TEXTS && (json_equal_text(value, "") || has_empty(value)))
        return why_set(&reader->why, ERR_INVALID, path, "must not have an empty text");
    if (!is_good)
        return refuse_parameter(reader, row, path);
    if (text.failed != OK || (text.len > 0 && !slice_equal(kept, buf_slice(&text)) &&
                              !arena_copy(reader->arena, buf_slice(&text), &kept)))
        return reader_no_memory(reader);
    reader->request->parameters[parameter] = kept;
    return OK;
}

enum err request_read_parameter(struct reader *reader, const struct request_field *field,
                                const struct json *value)
{
    return parameter_read(reader, (enum parameter)field->target, field->name, value);
}

/* --- what is put together at the end --- */

enum err request_read_part(struct reader *reader, const struct request_field *field,
                           const struct json *value)
{
    if (value->kind != field->kind)
        return refuse(reader, field,
                      field->kind == JSON_ARRAY ? "must be an array" : "must be an object");
    *(const struct json **)(void *)((char *)reader + field->target) = value;
    return OK;
}
