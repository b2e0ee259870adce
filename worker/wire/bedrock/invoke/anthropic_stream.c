#include "wire/bedrock/invoke/anthropic.h"

/* --- begin and end, of whole answers too --- */

enum err anthropic_begin(struct said *said)
{
    struct anthropic *own = arena_new(said->arena, sizeof *own);
    if (own == NULL)
        return ERR_NO_MEMORY;
    message_init(&own->texts, said->content.limit);
    pieces_init(&own->pieces, said);
    said->own = own;
    return anthropic_wants_list(said->request, !said->is_whole, &said->is_list);
}

void anthropic_done(struct said *said)
{
    struct anthropic *own = said->own;
    if (own == NULL)
        return;
    message_done(&own->texts);
    pieces_done(&own->pieces);
}

enum err anthropic_keep(struct said *said, struct answer *ret_answer)
{
    struct anthropic *own = said->own;
    if (said->is_list && !said->is_whole)
        return pieces_keep(&own->pieces, own->opening, ret_answer);
    if (!said->is_list)
        json_add_string(&own->texts.content, buf_slice(&said->text));
    return message_keep(&own->texts, said->arena, ret_answer);
}

/* --- blocks --- */

/* A stream of strings gets a block that is none. LangChain's sum is a list from then on, which
 * begins with what was said. */
static enum err become_list(struct said *said)
{
    struct anthropic *own = said->own;
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, said->content.limit);
    if (said->is_list)
        return OK;
    json_add_string(&text, buf_slice(&said->text));
    enum err err = message_keep_buf(said->arena, &text, &own->opening);
    if (err != OK)
        return message_failed(said->why, err);
    said->is_list = true;
    buf_add_byte(&said->content, '[');
    return OK;
}

static bool is_type(const struct json *node, const char *type)
{
    const struct json *member = json_member(node, "type");
    return member != NULL && json_equal_text(member, type);
}

static void add_call_chunk(struct said *said, int64_t index, const struct json *use,
                           struct slice args)
{
    const struct json *name = json_member(use, "name"), *id = json_member(use, "id");
    json_add_comma(&said->tool_calls);
    buf_add_byte(&said->tool_calls, '{');
    json_add_member(&said->tool_calls, "name", name == NULL ? SLICE_NULL : name->source);
    json_add_member(&said->tool_calls, "args", args);
    json_add_member(&said->tool_calls, "id", id == NULL ? SLICE_NULL : id->source);
    json_add_int_member(&said->tool_calls, "index", index);
    json_add_text_member(&said->tool_calls, "type", SLICE("tool_call_chunk"));
    buf_add_byte(&said->tool_calls, '}');
}

/* Texts and thinking begin with their first delta. */
static enum err hear_start(struct said *said, int64_t index, const struct json *chunk)
{
    struct anthropic *own = said->own;
    const struct json *block = json_member(chunk, "content_block");
    bool is_call = false, has_type = json_is(json_member(block, "type"), JSON_STRING);
    if (!has_type || is_type(block, "text") || is_type(block, "thinking"))
        return OK;
    enum err err = become_list(said);
    if (err == OK)
        err = pieces_begin(&own->pieces, index, block, &is_call);
    if (err == OK && is_call)
        add_call_chunk(said, index, block, SLICE("\"\""));
    return err;
}

static enum err hear_text(struct said *said, int64_t index, const struct json *delta)
{
    struct anthropic *own = said->own;
    const struct json *text = json_member(delta, "text");
    return said->is_list ? pieces_say(&own->pieces, index, "text", "text", text)
                         : said_string(said, text);
}

static enum err hear_input(struct said *said, int64_t index, const struct json *delta)
{
    struct anthropic *own = said->own;
    const struct json *json = json_member(delta, "partial_json");
    enum err err = become_list(said);
    if (err == OK)
        err = pieces_say(&own->pieces, index, NULL, "partial_json", json);
    if (err == OK && json_is(json, JSON_STRING) && pieces_is_call(&own->pieces, index))
        add_call_chunk(said, index, NULL, json->source);
    return err;
}

static enum err hear_thinking(struct said *said, int64_t index, const struct json *delta)
{
    struct anthropic *own = said->own;
    const char *name = is_type(delta, "thinking_delta") ? "thinking" : "signature";
    enum err err = become_list(said);
    return err == OK ? pieces_say(&own->pieces, index, "thinking", name, json_member(delta, name))
                     : err;
}

static enum err hear_citation(struct said *said, int64_t index, const struct json *delta)
{
    struct anthropic *own = said->own;
    enum err err = become_list(said);
    return err == OK ? pieces_cite(&own->pieces, index, json_member(delta, "citation")) : err;
}

typedef enum err hear_delta_of(struct said *said, int64_t index, const struct json *delta);

static enum err hear_delta(struct said *said, int64_t index, const struct json *chunk)
{
    static const struct {
        const char *type;
        hear_delta_of *hear;
    } deltas[] = {
        {"text_delta", hear_text},          {"input_json_delta", hear_input},
        {"thinking_delta", hear_thinking},  {"signature_delta", hear_thinking},
        {"citations_delta", hear_citation},
    };
    const struct json *delta = json_member(chunk, "delta");
    for (size_t i = 0; i < COUNT_OF(deltas); i++)
        if (is_type(delta, deltas[i].type))
            return deltas[i].hear(said, index, delta);
    return OK;
}

/* --- the message --- */

static enum err hear_message_start(struct said *said, int64_t index, const struct json *chunk)
{
    (void)index;
    said->step.is_chunk = true;
    return anthropic_read_usage(said, "message_start",
                                json_member(json_member(chunk, "message"), "usage"));
}

static enum err hear_message_delta(struct said *said, int64_t index, const struct json *chunk)
{
    const struct json *delta = json_member(chunk, "delta");
    const struct json *stop = json_member(delta, "stop_sequence");
    (void)index;
    enum err err = said_stop(said, json_member(delta, "stop_reason"));
    if (err == OK && json_is(stop, JSON_STRING))
        err = said_metadata(said, "stop_sequence", stop);
    return err == OK ? anthropic_read_usage(said, "message_delta", json_member(chunk, "usage"))
                     : err;
}

static enum err hear_message_stop(struct said *said, int64_t index, const struct json *chunk)
{
    (void)index;
    (void)chunk;
    said_end(said);
    return OK;
}

static enum err hear_error(struct said *said, int64_t index, const struct json *chunk)
{
    (void)index;
    (void)chunk;
    return said_wrong(said, "the model ended it with an error");
}

static const struct {
    const char *type;
    hear_delta_of *hear;
} chunks[] = {
    {"content_block_delta", hear_delta},   {"content_block_start", hear_start},
    {"message_start", hear_message_start}, {"message_delta", hear_message_delta},
    {"message_stop", hear_message_stop},   {"error", hear_error},
};

/* `ping`, content_block_stop and what is unknown say nothing. What a block's chunk without an index
 * says stands by itself. */
enum err anthropic_hear(struct said *said, const struct json *chunk)
{
    int64_t index;
    if (!json_is(chunk, JSON_OBJECT))
        return said_wrong(said, "a chunk that is not a JSON object");
    if (json_is(json_member(chunk, "completion"), JSON_STRING) && !said->is_list)
        return anthropic_read_completion(said, chunk);
    for (size_t i = 0; i < COUNT_OF(chunks); i++) {
        if (!is_type(chunk, chunks[i].type))
            continue;
        if (!json_int64(json_member(chunk, "index"), &index) || index < 0)
            index = NO_INDEX;
        return chunks[i].hear(said, index, chunk);
    }
    return OK;
}
