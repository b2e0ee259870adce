#include "wire/bedrock/invoke/anthropic.h"

#include "base/glob.h"

#define MAX_TOKENS 1024 /* where a request names none; LangChain's, too */

/* --- the conversation --- */

/* A string stays a string where it is a user's whole turn. */
static bool is_string(const struct turn *turn)
{
    const struct block *only = turn->blocks;
    return turn->role == ROLE_USER && turn->count == 1 && only->kind == BLOCK_TEXT &&
           only->is_string && only->cache.ptr == NULL;
}

/* How many blocks make one message: a user's turn is one, of a model's each stays its own. */
static size_t count_message(const struct turn *turn, size_t from)
{
    size_t count = 1;
    if (turn->role == ROLE_USER)
        return turn->count;
    while (from + count < turn->count && !turn->blocks[from + count].begins)
        count++;
    return count;
}

static void add_turn(struct buf *buf, const struct turn *turn, struct slice cache)
{
    bool is_user = turn->role == ROLE_USER;
    for (size_t from = 0, count; from < turn->count; from += count) {
        count = count_message(turn, from);
        bool is_last = from + count == turn->count;
        json_add_comma(buf);
        buf_add_byte(buf, '{');
        json_add_text_member(buf, "role", is_user ? SLICE("user") : SLICE("assistant"));
        json_add_name(buf, "content");
        if (is_string(turn) && cache.ptr == NULL)
            json_add_string(buf, turn->blocks->text);
        else
            anthropic_add_content(buf, turn->blocks + from, count, turn->role,
                                  is_last ? cache : SLICE_NULL);
        buf_add_byte(buf, '}');
    }
}

/* The cache_control of the request stands on the last block. */
static void add_messages(struct invoke_body *body)
{
    const struct request *request = body->request;
    if (!body_needs(body, "messages"))
        return;
    json_add_name(body->buf, "messages");
    buf_add_byte(body->buf, '[');
    for (size_t i = 0; i < request->turn_count; i++)
        add_turn(body->buf, &request->turns[i],
                 i + 1 == request->turn_count ? request->cache_control : SLICE_NULL);
    buf_add_byte(body->buf, ']');
}

static void add_system(struct invoke_body *body)
{
    const struct request *request = body->request;
    const struct block *first = request->system;
    if (request->system_count == 0 || !body_needs(body, "system"))
        return;
    json_add_name(body->buf, "system");
    if (request->system_count == 1 && first->is_string && first->cache.ptr == NULL)
        json_add_string(body->buf, first->text);
    else
        anthropic_add_content(body->buf, first, request->system_count, ROLE_SYSTEM, SLICE_NULL);
}

static void add_max_tokens(struct invoke_body *body)
{
    struct slice given = body->request->parameters[PARAMETER_MAX_TOKENS];
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, 32);
    buf_add_int(&text, MAX_TOKENS);
    body_add(body, "max_tokens", given.ptr != NULL ? given : buf_slice(&text));
}

static void write_body(struct invoke_body *body)
{
    body_add(body, "anthropic_version", SLICE("\"bedrock-2023-05-31\""));
    add_messages(body);
    add_system(body);
    add_max_tokens(body);
    body_add_parameter(body, "temperature", PARAMETER_TEMPERATURE);
    body_add_parameter(body, "top_p", PARAMETER_TOP_P);
    body_add_parameter(body, "top_k", PARAMETER_TOP_K);
    body_add_parameter(body, body->row->stop_key, PARAMETER_STOP);
    anthropic_add_tools(body);
}

/* --- blocks that pass as they came --- */

static bool has_only(const struct json *block, const char *const *names, size_t count)
{
    for (const struct json *member = block->first; member != NULL; member = member->next)
        if (!slice_is_one_of(member->name, names, count))
            return false;
    return true;
}

/* A text with the citations of Claude's own answers. */
static bool is_cited(const struct json *block)
{
    static const char *const names[] = {"type", "text", "citations", "cache_control", "index"};
    const struct json *citations = json_member(block, "citations");
    if (!json_is(citations, JSON_ARRAY) || citations->count == 0 ||
        !json_is(json_member(block, "text"), JSON_STRING) ||
        !has_only(block, names, COUNT_OF(names)))
        return false;
    for (const struct json *item = citations->first; item != NULL; item = item->next)
        if (!json_is(json_member(item, "cited_text"), JSON_STRING))
            return false;
    return true;
}

/* Bedrock has no sources of the type url or file; the reader of media says what to do. */
static bool is_own_source(const struct json *source)
{
    const struct json *type = json_member(source, "type");
    return json_is(source, JSON_OBJECT) && !json_equal_text(type, "url") &&
           !json_equal_text(type, "file");
}

static bool is_native(const struct json *block)
{
    static const char *const own[] = {"search_result", "server_tool_use", "*_tool_result"};
    const struct json *type = json_member(block, "type");
    if (json_equal_text(type, "text"))
        return is_cited(block);
    if (json_equal_text(type, "document"))
        return is_own_source(json_member(block, "source"));
    if (!json_is(type, JSON_STRING))
        return false;
    struct slice name = slice_sub(type->source, 1, type->source.len - 2);
    for (size_t i = 0; i < COUNT_OF(own); i++)
        if (glob_match(slice_of_text(own[i]), name, false))
            return true;
    return false;
}

/* --- the shape --- */

const struct shape shape_anthropic = {
    .is_native = is_native,
    .max_tokens = MAX_TOKENS,
    .counts_well = true, /* recorded streams: the count of message_delta is the whole answer's */
    .write = write_body,
    .begin = anthropic_begin,
    .read = anthropic_read,
    .hear = anthropic_hear,
    .keep = anthropic_keep,
    .done = anthropic_done,
};
