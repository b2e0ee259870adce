#include "wire/chat/merge.h"

#include "wire/chat/values.h"
#include "wire/formats/path.h"

/* What LangChain takes out of model_kwargs: parameters have places of their own. PARAMETER_COUNT =
 * stays in it. Where the request writes the whole body, all stay. */
static enum parameter lifted(const struct reader *reader, struct slice name)
{
    enum parameter found = 0;
    if (slice_equal_text(reader->request->provider, "custom"))
        return PARAMETER_COUNT;
    while (found < PARAMETER_COUNT && !slice_equal_text(name, parameter_rows[found].name) &&
           !slice_equal_text(name, parameter_rows[found].other))
        found++;
    return found;
}

static enum err lift(struct reader *reader, enum parameter parameter, const struct json *member)
{
    struct path path = path_member("model_kwargs", member->name);
    if (reader->request->parameters[parameter].ptr != NULL)
        return why_set(&reader->why, ERR_INVALID, path.text,
                       "given twice: here and as a field of the request");
    return parameter_read(reader, parameter, path.text, member);
}

/* The members of an object, escaped again: a control character takes six bytes. */
static size_t bytes_max(const struct json *object)
{
    return object == NULL ? 0 : 6 * object->source.len;
}

/* Whether additional_model_request_fields has the member, too; then it wins, as in LangChain. A
 * parameter that Converse has a place for stays one all the same. */
static bool is_overruled(const struct reader *reader, const struct json *member,
                         enum parameter parameter)
{
    bool is_own = parameter == PARAMETER_COUNT || parameter_rows[parameter].converse == NULL;
    return is_own && json_member_of(reader->additional_fields, member->name) != NULL;
}

/* What is left of model_kwargs goes before the additional fields. False: the reading ends. */
static bool add_kwargs(struct reader *reader, struct buf *members, size_t *ret_lifted)
{
    const struct json *kwargs = reader->model_kwargs;
    bool goes_on = true;
    for (const struct json *member = kwargs->first; goes_on && member != NULL;
         member = member->next) {
        enum parameter parameter = lifted(reader, member->name);
        bool stays = parameter == PARAMETER_COUNT;
        bool is_dropped = is_overruled(reader, member, parameter);
        enum err err = OK;
        if (!stays && !is_dropped && member->kind != JSON_NULL)
            err = lift(reader, parameter, member);
        else if (stays && !is_dropped)
            json_add_copy(members, member);
        *ret_lifted += !stays;
        goes_on = reader_note(reader, err);
    }
    return goes_on;
}

static bool check_own_fields(struct reader *reader)
{
    bool goes_on = true;
    for (enum parameter i = 0; goes_on && i < PARAMETER_COUNT; i++)
        if (reader->request->parameters[i].ptr != NULL && reader_has_own_field(reader, i))
            goes_on = reader_note(
                reader, why_set(&reader->why, ERR_INVALID, parameter_rows[i].name,
                                "given twice: additional_model_request_fields also has it"));
    return goes_on;
}

static enum err check_counts(struct reader *reader)
{
    if (reader->model_kwargs != NULL && reader->model_kwargs->count > REQUEST_EXTRAS_MAX)
        return why_set(&reader->why, ERR_INVALID, "model_kwargs", "has more than %d members",
                       REQUEST_EXTRAS_MAX);
    if (reader->additional_fields != NULL && reader->additional_fields->count > REQUEST_EXTRAS_MAX)
        return why_set(&reader->why, ERR_INVALID, "additional_model_request_fields",
                       "has more than %d members", REQUEST_EXTRAS_MAX);
    return OK;
}

static enum err merge(struct reader *reader, struct buf *members)
{
    const struct json *kwargs = reader->model_kwargs, *additional = reader->additional_fields;
    struct request *request = reader->request;
    size_t lifted_count = 0;
    buf_add_byte(members, '{');
    if ((kwargs != NULL && !add_kwargs(reader, members, &lifted_count)) ||
        !check_own_fields(reader))
        return OK;
    /* A single object stays as it was written. */
    if (kwargs == NULL || (additional == NULL && lifted_count == 0)) {
        request->additional_fields = kwargs == NULL ? additional->source : kwargs->source;
        return OK;
    }
    if (additional != NULL)
        for (const struct json *member = additional->first; member != NULL; member = member->next)
            json_add_copy(members, member);
    if (additional == NULL && members->len == 1)
        return OK;
    buf_add_byte(members, '}');
    if (members->failed != OK ||
        !arena_copy(reader->arena, buf_slice(members), &request->additional_fields))
        return reader_no_memory(reader);
    return OK;
}

enum err merge_fields(struct reader *reader)
{
    struct buf members OWNED_BY(buf_done);
    buf_init(&members, 2 + bytes_max(reader->model_kwargs) + bytes_max(reader->additional_fields));
    if (reader->model_kwargs == NULL && reader->additional_fields == NULL)
        return OK;
    enum err err = check_counts(reader);
    if (err != OK)
        return err;
    err = merge(reader, &members);
    reader->request->has_own_fields = reader->request->additional_fields.ptr != NULL;
    return err;
}

/* --- under what the request has --- */

/* Whether a parameter that goes to the model's own fields has this name. */
static bool is_own_parameter(const struct request *request, struct slice name)
{
    enum parameter parameter = parameter_find(name);
    return parameter != PARAMETER_COUNT && parameter_rows[parameter].converse == NULL &&
           request->parameters[parameter].ptr != NULL;
}

static enum err parse(struct reader *reader, struct slice object, const struct json **ret_node)
{
    enum err err = json_parse(reader->scratch, object, ret_node, NULL);
    return err == OK ? OK : reader_no_memory(reader);
}

/* `over` NULL: the request has no additional fields. */
static enum err unite(struct reader *reader, const struct json *under, const struct json *over)
{
    struct request *request = reader->request;
    struct buf members OWNED_BY(buf_done);
    buf_init(&members, 2 + bytes_max(under) + bytes_max(over));
    buf_add_byte(&members, '{');
    for (const struct json *member = under->first; member != NULL; member = member->next)
        if (json_member_of(over, member->name) == NULL && !is_own_parameter(request, member->name))
            json_add_copy(&members, member);
    for (const struct json *member = over == NULL ? NULL : over->first; member != NULL;
         member = member->next)
        json_add_copy(&members, member);
    if (members.len == 1)
        return OK;
    buf_add_byte(&members, '}');
    if (members.failed != OK ||
        !arena_copy(reader->arena, buf_slice(&members), &request->additional_fields))
        return reader_no_memory(reader);
    return OK;
}

enum err merge_under(struct reader *reader, struct slice object)
{
    const struct json *under = NULL, *over = NULL;
    enum err err = parse(reader, object, &under);
    if (err == OK && reader->request->additional_fields.ptr != NULL)
        err = parse(reader, reader->request->additional_fields, &over);
    return err == OK ? unite(reader, under, over) : err;
}
