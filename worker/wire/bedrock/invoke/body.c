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
    return (struct request_forms){.keeps_messages = !row->shape->joins_messages,
                                  .is_free = row->shape->is_free,
                                  .is_given = row->shape->is_given,
                                  .is_native = row->shape->is_native};
}

bool body_needs(const struct invoke_body *body, const char *name)
{
    return json_member(body->fields, name) == NULL;
}

uint32_t invoke_max_tokens(const struct family *family)
{
    return ((const struct invoke_row *)(const void *)family)->shape->max_tokens;
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

/* Members of an object, as they were written, without the one of this name (NULL = none). */
static void add_fields(struct buf *buf, const struct json *object, const char *except)
{
    if (object != NULL && json_is(object, JSON_OBJECT))
        for (const struct json *member = object->first; member != NULL; member = member->next)
            if (except == NULL || !slice_equal_text(member->name, except))
                json_add_copy(buf, member);
}

static void add_named(struct invoke_body *body)
{
    for (enum parameter i = 0; i < PARAMETER_COUNT; i++)
        body_add_parameter(
            body, i == PARAMETER_STOP ? body->row->stop_key : body->row->shape->names[i], i);
}

/* The parameters, and what the request's own fields say of them, in a member of the body. LangChain
 * sends an empty one, too, where the fields are in it. */
static void add_config(struct invoke_body *body)
{
    const struct shape *shape = body->row->shape;
    const struct json *given = json_member(body->fields, shape->config);
    struct invoke_body inner = *body;
    struct buf config OWNED_BY(buf_done);
    buf_init(&config, body->buf->limit);
    if (given != NULL && given->kind != JSON_OBJECT) {
        json_add_copy(body->buf, given);
        return;
    }
    inner.buf = &config;
    inner.fields = given;
    add_fields(&config, given, NULL);
    if (shape->config_has_fields && given == NULL) {
        inner.fields = body->fields;
        add_fields(&config, body->fields, shape->prompt_name);
    }
    add_named(&inner);
    if (config.failed != OK)
        body->buf->failed = config.failed;
    if (config.len == 0 && !shape->config_has_fields)
        return;
    json_add_name(body->buf, shape->config);
    buf_add_byte(body->buf, '{');
    buf_add(body->buf, buf_slice(&config));
    buf_add_byte(body->buf, '}');
}

void body_add_parameters(struct invoke_body *body)
{
    if (body->row->shape->config != NULL)
        add_config(body);
    else
        add_named(body);
}

/* The request's own members of the body. Where the family has them in its config, only the
 * conversation's, or, where the request has a config of its own, all of them. */
static void add_own(struct invoke_body *body)
{
    const struct shape *shape = body->row->shape;
    const struct json *prompt =
        shape->prompt_name == NULL ? NULL : json_member(body->fields, shape->prompt_name);
    bool has_config = shape->config != NULL && json_member(body->fields, shape->config) != NULL;
    if (!shape->config_has_fields || has_config)
        add_fields(body->buf, body->fields, shape->config);
    else if (prompt != NULL)
        json_add_copy(body->buf, prompt);
}

/* AWS, "Use a guardrail with the base inference operations": how a stream waits for its guardrail
 * stands in the body of every family; all else of it in headers. */
static void add_guardrail(struct invoke_body *body)
{
    static const char CONFIG[] = "amazon-bedrock-guardrailConfig";
    struct slice mode = body->request->guardrail.stream_mode;
    if (mode.ptr == NULL || !body->request->stream || !body_needs(body, CONFIG))
        return;
    json_add_name(body->buf, CONFIG);
    buf_add_byte(body->buf, '{');
    json_add_text_member(body->buf, "streamProcessingMode",
                         slice_equal_text(mode, "async") ? SLICE("ASYNCHRONOUS")
                                                         : SLICE("SYNCHRONOUS"));
    buf_add_byte(body->buf, '}');
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
    add_own(&body);
    body.row->shape->write(&body);
    add_guardrail(&body);
    buf_add_byte(ret_body, '}');
    return ret_body->failed;
}
