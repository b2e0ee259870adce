#include "wire/bedrock/invoke/parts.h"

/* --- the request --- */

static void add_text_block(struct buf *buf, struct slice text)
{
    buf_add_byte(buf, '{');
    json_add_text_member(buf, "type", SLICE("text"));
    json_add_text_member(buf, "text", text);
    buf_add_byte(buf, '}');
}

/* One string stays a string, unless the model said it. */
static void add_texts(struct buf *buf, const struct block *blocks, size_t count, bool may_be_string)
{
    if (may_be_string && count == 1 && blocks[0].is_string) {
        json_add_string(buf, blocks[0].text);
        return;
    }
    buf_add_byte(buf, '[');
    for (size_t i = 0; i < count; i++) {
        json_add_comma(buf);
        add_text_block(buf, blocks[i].text);
    }
    buf_add_byte(buf, ']');
}

static void add_messages(struct invoke_body *body)
{
    const struct request *request = body->request;
    json_add_name(body->buf, "messages");
    buf_add_byte(body->buf, '[');
    for (size_t i = 0; i < request->turn_count; i++) {
        const struct turn *turn = &request->turns[i];
        bool is_user = turn->role == ROLE_USER;
        json_add_comma(body->buf);
        buf_add_byte(body->buf, '{');
        json_add_text_member(body->buf, "role", is_user ? SLICE("user") : SLICE("assistant"));
        json_add_name(body->buf, "content");
        add_texts(body->buf, turn->blocks, turn->count, is_user);
        buf_add_byte(body->buf, '}');
    }
    buf_add_byte(body->buf, ']');
}

static void write_body(struct invoke_body *body)
{
    const struct request *request = body->request;
    struct slice max_tokens = request->parameters[PARAMETER_MAX_TOKENS];
    body_add(body, "anthropic_version", SLICE("\"bedrock-2023-05-31\""));
    add_messages(body);
    if (request->system_count > 0) {
        json_add_name(body->buf, "system");
        add_texts(body->buf, request->system, request->system_count, true);
    }
    body_add(body, "max_tokens", max_tokens.ptr != NULL ? max_tokens : SLICE("1024"));
    body_add_parameter(body, "temperature", PARAMETER_TEMPERATURE);
    body_add_parameter(body, "top_p", PARAMETER_TOP_P);
    body_add_parameter(body, "top_k", PARAMETER_TOP_K);
    body_add_parameter(body, body->row->stop_key, PARAMETER_STOP);
}

/* --- the answer --- */

static enum err read_usage(struct said *said, const struct json *usage)
{
    struct said_counts counts = said_no_counts();
    if (!json_is(usage, JSON_OBJECT))
        return OK;
    counts.input = message_count(usage, "input_tokens");
    counts.output = message_count(usage, "output_tokens");
    counts.cache_read = message_count(usage, "cache_read_input_tokens");
    counts.cache_write = message_count(usage, "cache_creation_input_tokens");
    return said_usage(said, &counts);
}

static enum err read_answer(struct said *said, const struct json *root)
{
    const struct json *content = json_member(root, "content");
    enum err err = OK;
    if (!json_is(content, JSON_ARRAY))
        return said_wrong(said, "the answer has no content");
    for (const struct json *block = content->first; err == OK && block != NULL; block = block->next)
        if (json_equal_text(json_member(block, "type"), "text"))
            err = said_string(said, json_member(block, "text"));
    if (err == OK)
        err = said_stop(said, json_member(root, "stop_reason"));
    return err == OK ? read_usage(said, json_member(root, "usage")) : err;
}

static enum err hear_chunk(struct said *said, const struct json *chunk)
{
    const struct json *type = json_member(chunk, "type");
    const struct json *delta = json_member(chunk, "delta");
    if (json_equal_text(type, "message_start")) {
        said->step.is_chunk = true;
        return read_usage(said, json_member(json_member(chunk, "message"), "usage"));
    }
    if (json_equal_text(type, "content_block_delta"))
        return said_string(said, json_member(delta, "text"));
    if (json_equal_text(type, "message_stop"))
        said_end(said);
    if (!json_equal_text(type, "message_delta"))
        return OK;
    enum err err = said_stop(said, json_member(delta, "stop_reason"));
    return err == OK ? read_usage(said, json_member(chunk, "usage")) : err;
}

const struct shape shape_anthropic = {
    .write = write_body,
    .read = read_answer,
    .hear = hear_chunk,
};
