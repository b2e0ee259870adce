#include "wire/chat/request.h"

#include <string.h>

#include "base/instant.h"
#include "base/utf8.h"
#include "wire/chat/conversation.h"
#include "wire/chat/foreign.h"
#include "wire/chat/merge.h"
#include "wire/chat/model.h"
#include "wire/chat/options.h"
#include "wire/chat/structured_sent.h"
#include "wire/chat/tool_choice.h"
#include "wire/chat/tool_fields.h"
#include "wire/chat/values.h"
#include "wire/formats/path.h"
#include "wire/formats/text.h"

#define SCHEMA_ID_BYTES 5 /* Confluent Platform, "Wire format" */

#define ROW(name, read, target, kind) {#name, read, target, kind, sizeof #name - 1},
static const struct request_field fields[] = {
#define FIELD(name, read)         ROW(name, read, 0, JSON_NULL)
#define VALUE(name, read, member) ROW(name, read, offsetof(struct request, member), JSON_NULL)
/* Put together at the end. */
#define PART(name, kind, member) ROW(name, request_read_part, offsetof(struct reader, member), kind)
/* The settings know the form. */
#define PRESET(name, read, member, form) VALUE(name, read, member)
#include "wire/chat/request_fields.def"
#undef FIELD
#undef VALUE
#undef PRESET
#undef PART
#define PARAMETER(id, name, form, least, most, other, converse)                                    \
    ROW(name, request_read_parameter, PARAMETER_##id, JSON_NULL)
#include "wire/chat/parameters.def"
#undef PARAMETER
};
#undef ROW

/* --- headers --- */

static enum err check_headers(const struct record *record, struct why *ret_why)
{
    size_t bytes = 0;
    if (record->headers.count > HEADERS_MAX || record->headers.count < record->headers_sent)
        return why_set(ret_why, ERR_MALFORMED, NULL, "the record has more than %d headers",
                       HEADERS_MAX);
    for (size_t i = 0; i < record->headers.count; i++)
        bytes += record->headers.list[i].name.len + record->headers.list[i].value.len;
    if (bytes > HEADERS_BYTES_MAX)
        return why_set(ret_why, ERR_MALFORMED, NULL, "the record's headers have more than %d bytes",
                       HEADERS_BYTES_MAX);
    return OK;
}

static bool default_id(struct arena *arena, const struct record *record, struct slice *ret_id)
{
    struct buf id OWNED_BY(buf_done);
    buf_init(&id, record->topic.len + 64);
    buf_add(&id, record->topic);
    buf_addf(&id, "-%d-%lld", record->partition, (long long)record->offset);
    return id.failed == OK && arena_copy(arena, buf_slice(&id), ret_id);
}

/* Wrong headers of id and reply are only noted: they fail no request that says the same itself
 * (check_defaults). */
static void id_from_headers(const struct record *record, struct request *request)
{
    struct slice id = headers_text(record->headers, "ce_id");
    if (id.ptr == NULL)
        return;
    request->is_id_bad = utf8_valid_len(id) < id.len || !request_is_name(id, REQUEST_ID_MAX);
    if (!request->is_id_bad)
        request->id = id;
}

static void reply_from_headers(const struct record *record, struct request *request)
{
    struct slice topic = headers_text(record->headers, "kafka_replyTopic");
    const struct header *header = headers_last(record->headers, "kafka_replyPartition");
    if (topic.ptr == NULL)
        return;
    request->is_reply_topic_bad = !text_is_topic(topic);
    if (request->is_reply_topic_bad)
        return;
    request->reply_topic = topic;
    request->reply_by_header = true;
    if (header == NULL || header->value.ptr == NULL)
        return;
    const unsigned char *bytes = (const unsigned char *)header->value.ptr;
    request->is_reply_partition_bad = header->value.len != 4 || bytes[0] > 0x7f;
    if (!request->is_reply_partition_bad)
        request->reply_partition = (int32_t)((uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
                                             (uint32_t)bytes[2] << 8 | bytes[3]);
}

static bool expiry_from_headers(const struct record *record, struct request *request)
{
    struct slice text = headers_text(record->headers, "ce_expirytime");
    return text.ptr == NULL || instant_from_rfc3339(text, &request->expires_wall_ms);
}

enum err request_from_headers(struct arena *arena, const struct record *record,
                              struct request *ret_request, struct why *ret_why)
{
    *ret_request = (struct request){
        .tenant = SLICE("default"),
        .expires_wall_ms = REQUEST_NO_LIMIT,
        .reply_partition = -1,
    };
    why_clear(ret_why);
    id_from_headers(record, ret_request);
    if (ret_request->id.ptr == NULL && !default_id(arena, record, &ret_request->id))
        return why_set(ret_why, ERR_NO_MEMORY, NULL, "%s", "");
    reply_from_headers(record, ret_request);
    bool is_expiry_good = expiry_from_headers(record, ret_request);
    enum err err = check_headers(record, ret_why);
    if (err == OK && !is_expiry_good)
        err = why_set(ret_why, ERR_INVALID, "ce_expirytime", "must be an RFC 3339 time");
    return err;
}

/* --- the value --- */

/* JSON behind Confluent's wire format: a zero byte and the schema's id in four bytes. */
static bool has_schema_id(struct slice value)
{
    return value.len > SCHEMA_ID_BYTES && value.ptr[0] == '\0' &&
           slice_starts(slice_trim(slice_sub(value, SCHEMA_ID_BYTES, SIZE_MAX)), SLICE("{"));
}

static enum err parse_value(struct reader *reader, const struct json **ret_root)
{
    struct json_fault fault;
    struct slice value = reader->record->value;
    if (value.ptr == NULL)
        return why_set(&reader->why, ERR_MALFORMED, NULL, "the record has no value (a tombstone)");
    if (value.len == 0)
        return why_set(&reader->why, ERR_MALFORMED, NULL, "the record's value is empty");
    if (has_schema_id(value))
        return why_set(&reader->why, ERR_MALFORMED, NULL,
                       "the value begins with the five bytes of a Confluent Schema Registry "
                       "serializer; send plain JSON");
    enum err err = json_parse(reader->scratch, value, ret_root, &fault);
    if (err == ERR_NO_MEMORY)
        return reader_no_memory(reader);
    if (err != OK)
        return why_set(&reader->why, ERR_MALFORMED, NULL, "%s at line %zu, column %zu: %s",
                       fault.is_json ? "unsupported JSON" : "invalid JSON", fault.line,
                       fault.column, fault.words);
    if (!json_is(*ret_root, JSON_OBJECT))
        return why_set(&reader->why, ERR_MALFORMED, NULL, "the value must be a JSON object");
    if (json_member(*ret_root, "specversion") != NULL &&
        (json_member(*ret_root, "data") != NULL || json_member(*ret_root, "data_base64") != NULL))
        return why_set(&reader->why, ERR_MALFORMED, NULL,
                       "the value is a CloudEvent in structured mode; send its data as the "
                       "value and its attributes as ce_ headers");
    return OK;
}

/* What a value gives, by the rows of the fields; NULL = not given, or null. */
struct given {
    const struct json *values[COUNT_OF(fields)];
};

static size_t find_field(struct slice name)
{
    size_t found = 0;
    while (found < COUNT_OF(fields) && (fields[found].name_len != name.len ||
                                        memcmp(fields[found].name, name.ptr, name.len) != 0))
        found++;
    return found;
}

static enum err refuse_name(struct reader *reader, struct slice name)
{
    const char *names[COUNT_OF(fields)];
    struct path path = path_member("", name);
    struct buf hint OWNED_BY(buf_done);
    buf_init(&hint, WHY_MESSAGE_MAX);
    if (foreign_add_hint(&hint, name))
        return why_set(&reader->why, ERR_INVALID, path.text, "no such field; %s", buf_text(&hint));
    for (size_t i = 0; i < COUNT_OF(fields); i++)
        names[i] = fields[i].name;
    return reader_unknown_member(reader, "", name, names, COUNT_OF(names));
}

/* Finds the row of each member, and notes those that have none. */
static void find_fields(struct reader *reader, const struct json *root, struct given *ret_given)
{
    bool goes_on = true;
    for (const struct json *member = root->first; member != NULL; member = member->next) {
        size_t at = find_field(member->name);
        bool is_given = at < COUNT_OF(fields) && member->kind != JSON_NULL;
        enum err err = OK;
        if (at == COUNT_OF(fields) && goes_on)
            err = refuse_name(reader, member->name);
        if (is_given)
            ret_given->values[at] = member;
        goes_on = reader_note(reader, err) && goes_on;
    }
}

static bool gives(const struct json *root, const char *name)
{
    const struct json *member = json_member(root, name);
    return member != NULL && member->kind != JSON_NULL;
}

/* Every field is read, whatever the one before was: the error response wants the id, the metadata
 * and the rest. */
static void read_fields(struct reader *reader, const struct given *given)
{
    for (size_t i = 0; i < COUNT_OF(fields); i++)
        if (given->values[i] != NULL)
            (void)reader_note(reader, fields[i].read(reader, &fields[i], given->values[i]));
}

/* The headers that count where the value says nothing: `ce_id` for `id`, `kafka_replyTopic` for
 * `reply_to`. */
static void check_defaults(struct reader *reader, const struct json *root)
{
    const struct request *request = reader->request;
    enum err err = OK;
    if (request->is_id_bad && !gives(root, "id"))
        (void)reader_note(reader, why_set(&reader->why, ERR_INVALID, "ce_id",
                                          "must be 1 to %d characters of UTF-8 without controls",
                                          REQUEST_ID_MAX));
    if (gives(root, "reply_to"))
        return;
    if (request->is_reply_topic_bad)
        err = why_set(&reader->why, ERR_REPLY_REFUSED, "kafka_replyTopic", "is not a topic name");
    else if (request->is_reply_partition_bad)
        err = why_set(&reader->why, ERR_INVALID, "kafka_replyPartition",
                      "must be a partition as 4 bytes, big-endian");
    (void)reader_note(reader, err);
}

/* Reads what several fields say together. A field that is wrong is a mistake already; what only
 * follows from it is none. */
static void read_whole(struct reader *reader, const struct json *root)
{
    bool is_model_wrong = gives(root, "model") && reader->request->model_requested.ptr == NULL;
    bool is_said_wrong = (gives(root, "messages") && reader->messages == NULL) ||
                         (gives(root, "prompt") && reader->prompt == NULL);
    bool goes_on = reader_note(reader, merge_fields(reader));
    if (goes_on && !is_model_wrong)
        goes_on = reader_note(reader, model_resolve(reader));
    if (goes_on && reader->mistakes.count == 0)
        goes_on = reader_note(reader, tool_choice_check(reader));
    if (goes_on)
        goes_on = reader_note(
            reader, structured_apply(reader, gives(root, "tools") || gives(root, "tool_choice")));
    if (goes_on && !is_said_wrong)
        (void)reader_note(reader, conversation_read(reader));
    if (reader->mistakes.count == 0 && reader->catalog->check != NULL)
        (void)reader_note(reader, reader->catalog->check(reader->request, &reader->why));
    if (reader->request->count_tokens) /* no answer that could be parsed */
        reader->request->structured.method = STRUCTURED_NONE;
}

static void read_value(struct reader *reader)
{
    struct given given = {.values = {NULL}};
    const struct json *root = NULL;
    enum err err = parse_value(reader, &root);
    if (err != OK) {
        (void)reader_note(reader, err);
        return;
    }
    check_defaults(reader, root);
    find_fields(reader, root, &given);
    read_fields(reader, &given);
    read_whole(reader, root);
}

/* The first mistake with its place, and the others behind it. */
static void tell_mistakes(struct reader *reader, struct why *ret_why)
{
    struct mistakes *mistakes = &reader->mistakes;
    struct slice others;
    size_t shown = mistakes->count < MISTAKES_SHOWN_MAX ? mistakes->count : MISTAKES_SHOWN_MAX;
    *ret_why = mistakes->first;
    if (mistakes->count > shown)
        buf_addf(&mistakes->others, "; and %s%zu more",
                 mistakes->count == MISTAKES_MAX ? "at least " : "", mistakes->count - shown);
    if (mistakes->others.len > 0 && mistakes->others.failed == OK &&
        arena_copy(reader->arena, buf_slice(&mistakes->others), &others))
        ret_why->others = others.ptr;
}

static enum err read_all(struct reader *reader, struct slice more, struct why *ret_why)
{
    enum err err = ret_why->err;
    buf_init(&reader->mistakes.others, WHY_OTHERS_MAX - 1);
    if (err == OK && more.ptr != NULL &&
        json_parse_loosely(reader->scratch, more, &reader->more, NULL) != OK)
        err = reader_no_memory(reader);
    if (reader_note(reader, err))
        read_value(reader);
    if (reader->mistakes.count > 0)
        tell_mistakes(reader, ret_why);
    buf_done(&reader->mistakes.others);
    return ret_why->err;
}

enum err request_read_on(struct arena *arena, const struct request_source *source,
                         struct slice more, struct request *ret_request, struct why *ret_why)
{
    struct arena scratch OWNED_BY(arena_done);
    struct reader reader = {
        .arena = arena,
        .scratch = &scratch,
        .record = source->record,
        .catalog = source->catalog,
        .in_place = source->in_place,
        .request = ret_request,
        .why = *ret_why,
    };
    arena_init(&scratch, REQUEST_SCRATCH_BYTES(source->record->value.len + more.len));
    return read_all(&reader, more, ret_why);
}

enum err request_read(struct arena *arena, const struct record *record,
                      const struct catalog *catalog, struct request *ret_request,
                      struct why *ret_why)
{
    struct request_source source = {record, catalog, NULL};
    return request_read_on(arena, &source, SLICE_NULL, ret_request, ret_why);
}
