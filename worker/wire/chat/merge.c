#include "wire/chat/merge.h"

#include "wire/chat/values.h"

#define KWARGS_PATH "model_kwargs."

/* What LangChain takes out of model_kwargs when it speaks Converse: there these have places of
 * their own. */
static const struct request_field lifted[] = {
    {KWARGS_PATH "temperature", request_read_amount, offsetof(struct request, temperature)},
    {KWARGS_PATH "top_p", request_read_share, offsetof(struct request, top_p)},
    {KWARGS_PATH "top_k", request_read_count, offsetof(struct request, top_k)},
    {KWARGS_PATH "max_tokens", request_read_positive, offsetof(struct request, max_tokens)},
    {KWARGS_PATH "stop", request_read_stop, offsetof(struct request, stop)},
    {KWARGS_PATH "stop_sequences", request_read_stop, offsetof(struct request, stop)},
};

static const struct request_field *find_lifted(struct slice name)
{
    for (size_t i = 0; i < COUNT_OF(lifted); i++)
        if (slice_equal_text(name, lifted[i].name + sizeof KWARGS_PATH - 1))
            return &lifted[i];
    return NULL;
}

static enum err lift(struct reader *reader, const struct request_field *field,
                     const struct json *value)
{
    struct slice there = *(struct slice *)(void *)((char *)reader->request + field->target);
    if (there.ptr != NULL)
        return why_set(reader->why, ERR_INVALID, field->name,
                       "given twice: here and beside model_kwargs");
    return field->read(reader, field, value);
}

/* What is left of model_kwargs goes before the additional fields. */
static enum err add_kwargs(struct reader *reader, struct buf *members, size_t *ret_lifted)
{
    const struct json *kwargs = reader->model_kwargs;
    for (const struct json *member = kwargs->first; member != NULL; member = member->next) {
        const struct request_field *field = find_lifted(member->name);
        enum err err = OK;
        if (field == NULL && json_member_of(reader->additional_fields, member->name) != NULL)
            return why_set(reader->why, ERR_INVALID, "model_kwargs",
                           "has a member that additional_model_request_fields has, too");
        if (field == NULL) {
            json_add_copy(members, member);
            continue;
        }
        ++*ret_lifted;
        if (member->kind != JSON_NULL)
            err = lift(reader, field, member);
        if (err != OK)
            return err;
    }
    return OK;
}

static enum err check_counts(struct reader *reader)
{
    if (reader->model_kwargs != NULL && reader->model_kwargs->count > REQUEST_EXTRAS_MAX)
        return why_set(reader->why, ERR_INVALID, "model_kwargs", "more than %d members",
                       REQUEST_EXTRAS_MAX);
    if (reader->additional_fields != NULL && reader->additional_fields->count > REQUEST_EXTRAS_MAX)
        return why_set(reader->why, ERR_INVALID, "additional_model_request_fields",
                       "more than %d members", REQUEST_EXTRAS_MAX);
    return OK;
}

static enum err merge(struct reader *reader, struct buf *members)
{
    const struct json *kwargs = reader->model_kwargs, *additional = reader->additional_fields;
    struct request *request = reader->request;
    size_t lifted_count = 0;
    buf_add_byte(members, '{');
    enum err err = kwargs == NULL ? OK : add_kwargs(reader, members, &lifted_count);
    if (err != OK)
        return err;
    if (request->top_k.ptr != NULL && json_member(additional, "top_k") != NULL)
        return why_set(reader->why, ERR_INVALID, "top_k",
                       "given twice: additional_model_request_fields has it, too");
    /* One object alone goes on as it was written. */
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
    /* Names may grow when they are escaped anew: a control character takes six bytes. */
    buf_init(&members, 6 * reader->record->value.len);
    if (reader->model_kwargs == NULL && reader->additional_fields == NULL)
        return OK;
    enum err err = check_counts(reader);
    if (err != OK)
        return err;
    return merge(reader, &members);
}
