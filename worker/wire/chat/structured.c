#include "wire/chat/structured.h"

#include "wire/chat/values.h"
#include "wire/formats/json_schema.h"
#include "wire/formats/path.h"

#define FIELD_NAME    "structured_output"
#define TOOL_NAME_MAX 64
#define RETRIES_MAX   3

/* --- the field --- */

static const char *const methods[] = {
    [STRUCTURED_FUNCTION_CALLING] = "function_calling",
    [STRUCTURED_JSON_SCHEMA] = "json_schema",
    [STRUCTURED_PROMPT_PREFILL] = "prompt_prefill",
};

static bool is_name(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        char byte = text.ptr[i];
        bool is_letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
        if (!is_letter && !(byte >= '0' && byte <= '9') && byte != '_' && byte != '-')
            return false;
    }
    return text.len > 0 && text.len <= TOOL_NAME_MAX;
}

enum err structured_check_name(struct reader *reader, const struct json *value, const char *path,
                               const char *hint)
{
    struct slice text;
    if (!json_is(value, JSON_STRING))
        return why_set(&reader->why, ERR_INVALID, path, "must be a string");
    if (!json_string(reader->scratch, value, &text))
        return reader_no_memory(reader);
    if (!is_name(text))
        return why_set(&reader->why, ERR_INVALID, path,
                       "must be 1 to %d letters, digits, _ and -%s", TOOL_NAME_MAX, hint);
    return OK;
}

static enum err read_name(struct reader *reader, const struct json *value, const char *path)
{
    enum err err = structured_check_name(reader, value, path, "");
    if (err == OK)
        reader->request->structured.name = value->source;
    return err;
}

static bool is_function(const struct json *schema)
{
    return json_is(json_member(schema, "name"), JSON_STRING) &&
           (json_is(json_member(schema, "parameters"), JSON_OBJECT) ||
            json_is(json_member(schema, "input_schema"), JSON_OBJECT));
}

static enum err read_schema(struct reader *reader, const struct json *value, const char *path)
{
    if (value->kind != JSON_OBJECT)
        return why_set(&reader->why, ERR_INVALID, path, "must be an object: a JSON Schema");
    if (is_function(value) || json_is(json_member(value, "function"), JSON_OBJECT) ||
        json_is(json_member(value, "toolSpec"), JSON_OBJECT))
        return why_set(&reader->why, ERR_INVALID, path,
                       "must be a JSON Schema, not a tool: give the schema of its parameters, and "
                       "its name as " FIELD_NAME ".name");
    reader->schema = value;
    reader->request->structured.schema = value->source;
    return OK;
}

static enum err read_method(struct reader *reader, const struct json *value, const char *path)
{
    for (enum structured_method i = STRUCTURED_FUNCTION_CALLING; i < COUNT_OF(methods); i++) {
        if (json_equal_text(value, methods[i])) {
            reader->request->structured.method = i;
            return OK;
        }
    }
    return why_set(&reader->why, ERR_INVALID, path,
                   "must be function_calling, json_schema or prompt_prefill");
}

static enum err read_switch(struct reader *reader, const struct json *value, const char *path,
                            bool *ret_switch)
{
    if (value->kind != JSON_TRUE && value->kind != JSON_FALSE)
        return why_set(&reader->why, ERR_INVALID, path, "must be true or false");
    *ret_switch = value->kind == JSON_TRUE;
    return OK;
}

static enum err read_strict(struct reader *reader, const struct json *value, const char *path)
{
    bool is_strict;
    enum err err = read_switch(reader, value, path, &is_strict);
    if (err == OK)
        reader->request->structured.strict = value->source;
    return err;
}

static enum err read_include_raw(struct reader *reader, const struct json *value, const char *path)
{
    return read_switch(reader, value, path, &reader->request->structured.include_raw);
}

static enum err read_validate(struct reader *reader, const struct json *value, const char *path)
{
    return read_switch(reader, value, path, &reader->request->structured.validate);
}

static enum err read_retry_invalid(struct reader *reader, const struct json *value,
                                   const char *path)
{
    int64_t calls;
    if (!json_int64(value, &calls) || calls < 0 || calls > RETRIES_MAX)
        return why_set(&reader->why, ERR_INVALID, path, "must be a whole number from 0 to %d",
                       RETRIES_MAX);
    reader->request->structured.retry_invalid = (int)calls;
    return OK;
}

static const struct member {
    const char *name;
    enum err (*read)(struct reader *reader, const struct json *value, const char *path);
} members[] = {
    {"name", read_name},
    {"schema", read_schema},
    {"method", read_method},
    {"strict", read_strict},
    {"include_raw", read_include_raw},
    {"validate", read_validate},
    {"retry_invalid", read_retry_invalid},
};

static enum err read_member(struct reader *reader, const struct json *member)
{
    const char *names[COUNT_OF(members)];
    struct path path = path_member(FIELD_NAME, member->name);
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        names[i] = members[i].name;
        if (slice_equal_text(member->name, names[i]))
            return member->kind == JSON_NULL ? OK : members[i].read(reader, member, path.text);
    }
    return reader_unknown_member(reader, FIELD_NAME, member->name, names, COUNT_OF(names));
}

/* What several members say together. */
static enum err check_whole(struct reader *reader, const struct json *value)
{
    const struct structured_output *structured = &reader->request->structured;
    const struct json *schema = json_member(value, "schema");
    if (schema == NULL || schema->kind == JSON_NULL)
        return why_set(&reader->why, ERR_INVALID, FIELD_NAME ".schema", "missing");
    if (structured->retry_invalid > 0 && !structured->validate)
        return why_set(&reader->why, ERR_INVALID, FIELD_NAME ".retry_invalid",
                       "needs \"validate\": true beside it");
    if (structured->validate && reader->schema != NULL)
        return json_schema_check(reader->scratch, schema, FIELD_NAME ".schema", &reader->why);
    return OK;
}

enum err request_read_structured(struct reader *reader, const struct request_field *field,
                                 const struct json *value)
{
    bool goes_on = true;
    (void)field;
    if (value->kind != JSON_OBJECT)
        return why_set(&reader->why, ERR_INVALID, FIELD_NAME, "must be an object");
    reader->request->structured.method = STRUCTURED_FUNCTION_CALLING;
    for (const struct json *member = value->first; goes_on && member != NULL; member = member->next)
        goes_on = reader_note(reader, read_member(reader, member));
    return goes_on ? check_whole(reader, value) : OK;
}
