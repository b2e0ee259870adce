#include "wire/bedrock/invoke/parts.h"

#include "base/glob.h"

const struct invoke_row *invoke_row_of(const struct dialect *dialect)
{
    return (const struct invoke_row *)(const void *)dialect->family;
}

bool invoke_serves(const struct family *family, const struct request *request)
{
    const struct invoke_row *row = (const struct invoke_row *)(const void *)family;
    const struct model_traits *traits = &request->traits;
    return slice_equal_text(traits->provider, row->provider) &&
           glob_match(slice_of_text(row->models), traits->name, true);
}

struct request_forms invoke_forms(const struct family *family)
{
    const struct invoke_row *row = (const struct invoke_row *)(const void *)family;
    return (struct request_forms){.keeps_messages = true, .is_native = row->shape->is_native};
}

bool body_needs(const struct invoke_body *body, const char *name)
{
    return json_member(body->fields, name) == NULL;
}

void body_add(struct invoke_body *body, const char *name, struct slice raw_value)
{
    if (body_needs(body, name))
        json_add_member(body->buf, name, raw_value);
}

void body_add_parameter(struct invoke_body *body, const char *name, enum parameter parameter)
{
    if (name != NULL)
        body_add(body, name, body->request->parameters[parameter]);
}

/* The request's own members of the body, as they were written. */
static void add_fields(struct invoke_body *body)
{
    if (body->fields != NULL)
        for (const struct json *member = body->fields->first; member != NULL; member = member->next)
            json_add_copy(body->buf, member);
}

enum err invoke_encode(const struct dialect *dialect, const struct request *request,
                       struct buf *ret_body)
{
    struct arena scratch OWNED_BY(arena_done);
    struct invoke_body body = {.buf = ret_body, .row = invoke_row_of(dialect), .request = request};
    struct slice fields = request->additional_fields;
    arena_init(&scratch, DIALECT_SCRATCH_BYTES(fields.len));
    if (fields.ptr != NULL) {
        enum err err = json_parse(&scratch, fields, &body.fields, NULL);
        if (err != OK)
            return err;
    }
    buf_add_byte(ret_body, '{');
    add_fields(&body);
    body.row->shape->write(&body);
    buf_add_byte(ret_body, '}');
    return ret_body->failed;
}
