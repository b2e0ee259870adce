#include "wire/bedrock/invoke/anthropic.h"
#include "wire/bedrock/invoke/places.h"

/* --- what the request asks for --- */

static bool is_thinking(const struct request *request, const struct json *fields)
{
    const struct json *type = json_member(json_member(fields, "thinking"), "type");
    if (type != NULL && json_equal_text(type, "disabled"))
        return false;
    return traits_has(&request->traits, TRAIT_THINKS_BY_DEFAULT) ||
           (type != NULL &&
            (json_equal_text(type, "enabled") || json_equal_text(type, "adaptive")));
}

static enum err cites(const struct block *block, bool *ret_cites)
{
    struct arena scratch OWNED_BY(arena_done);
    const struct json *root = NULL;
    enum err err = OK;
    arena_init(&scratch, DIALECT_SCRATCH_BYTES(block->json.len));
    if (block->kind == BLOCK_RAW)
        err = json_parse(&scratch, block->json, &root, NULL);
    const struct json *enabled = json_member(json_member(root, "citations"), "enabled");
    *ret_cites =
        json_is(enabled, JSON_TRUE) || (block->kind == BLOCK_DOCUMENT && block->cites == CITES);
    return err == OK ? OK : ERR_NO_MEMORY;
}

static enum err may_cite(const struct request *request, bool *ret_may)
{
    enum err err = OK;
    for (size_t i = 0; err == OK && i < request->turn_count; i++)
        for (size_t j = 0; err == OK && !*ret_may && j < request->turns[i].count; j++)
            err = cites(&request->turns[i].blocks[j], ret_may);
    return err;
}

enum err anthropic_wants_list(const struct request *request, bool is_stream, bool *ret_wants)
{
    struct arena scratch OWNED_BY(arena_done);
    const struct json *fields = NULL;
    struct slice own = request->additional_fields;
    *ret_wants = false;
    arena_init(&scratch, DIALECT_SCRATCH_BYTES(own.len));
    if (own.ptr != NULL && json_parse(&scratch, own, &fields, NULL) != OK)
        return ERR_NO_MEMORY;
    if (is_stream)
        *ret_wants = request->tool_count > 0 || json_member(fields, "tools") != NULL ||
                     is_thinking(request, fields);
    return may_cite(request, ret_wants);
}

/* --- counts --- */

enum err anthropic_read_usage(struct said *said, const char *name, const struct json *usage)
{
    struct said_counts counts = said_no_counts();
    const struct json *written = json_member(usage, "cache_creation");
    struct buf raw OWNED_BY(buf_done);
    buf_init(&raw, said->content.limit);
    if (!json_is(usage, JSON_OBJECT))
        return OK;
    counts.input = message_count(usage, "input_tokens");
    counts.output = message_count(usage, "output_tokens");
    counts.cache_read = message_count(usage, "cache_read_input_tokens");
    counts.cache_write = message_count(usage, "cache_creation_input_tokens");
    counts.cache_write_5m = message_count(written, "ephemeral_5m_input_tokens");
    counts.cache_write_1h = message_count(written, "ephemeral_1h_input_tokens");
    counts.reasoning =
        message_count(json_member(usage, "output_tokens_details"), "thinking_tokens");
    json_add_member(&raw, name, usage->source);
    if (raw.failed != OK)
        return message_failed(said->why, raw.failed);
    counts.raw = buf_slice(&raw);
    return said_usage(said, &counts);
}

/* --- a whole answer: a string of its texts, unless the model thought or cites, or a block has no
 * place in a string; then the blocks as they came --- */

static bool is_type(const struct json *block, const char *type)
{
    const struct json *member = json_member(block, "type");
    return member != NULL && json_equal_text(member, type);
}

static bool fits_string(const struct json *block)
{
    const struct json *citations = json_member(block, "citations");
    bool cites = json_is(citations, JSON_ARRAY) && citations->count > 0;
    return is_type(block, "tool_use") ||
           (is_type(block, "text") && json_is(json_member(block, "text"), JSON_STRING) && !cites);
}

static enum err add_call(struct said *said, struct message_texts *texts, const struct json *use)
{
    const struct json *input = json_member(use, "input");
    const struct json *name = json_member(use, "name"), *id = json_member(use, "id");
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, texts->content.limit);
    if (!json_is(name, JSON_STRING) || !json_is(id, JSON_STRING)) {
        said->is_list = true;
        return OK;
    }
    bool is_valid = input == NULL || input->kind == JSON_OBJECT;
    if (!is_valid)
        json_add_string(&text, input->source);
    if (text.failed != OK)
        return message_failed(said->why, text.failed);
    struct slice args = input == NULL ? SLICE("{}") : is_valid ? input->source : buf_slice(&text);
    message_add_call(texts, is_valid, name->source, args, id->source);
    return OK;
}

static size_t bytes_beside_text(const struct json *block)
{
    const struct json *thinking = json_member(block, "thinking");
    const struct json *input = json_member(block, "input");
    return (thinking == NULL ? 0 : thinking->source.len) + (input == NULL ? 0 : input->source.len);
}

static enum err read_block(struct said *said, struct message_texts *texts, const struct json *block)
{
    said->is_list = said->is_list || !fits_string(block);
    said->answer.text_bytes += bytes_beside_text(block);
    if (is_type(block, "tool_use"))
        return add_call(said, texts, block);
    return is_type(block, "text") ? said_string(said, json_member(block, "text")) : OK;
}

/* LangChain's content has objects and strings only. */
static void add_list(struct buf *content, const struct json *blocks)
{
    buf_add_byte(content, '[');
    for (const struct json *block = blocks->first; block != NULL; block = block->next) {
        if (block->kind != JSON_OBJECT && block->kind != JSON_STRING)
            continue;
        json_add_comma(content);
        buf_add(content, block->source);
    }
    buf_add_byte(content, ']');
}

enum err anthropic_read_completion(struct said *said, const struct json *root)
{
    enum err err = said_string(said, json_member(root, "completion"));
    return err == OK ? said_stop(said, json_member(root, "stop_reason")) : err;
}

enum err anthropic_read(struct said *said, const struct json *root)
{
    struct anthropic *own = said->own;
    const struct json *content = json_member(root, "content");
    enum err err = OK;
    if (json_is(json_member(root, "completion"), JSON_STRING))
        return anthropic_read_completion(said, root);
    if (!json_is(content, JSON_ARRAY))
        return places_read_text(said, root);
    for (const struct json *block = content->first; err == OK && block != NULL; block = block->next)
        err = read_block(said, &own->texts, block);
    said->is_list = said->is_list && content->count > 0;
    if (err == OK && said->is_list)
        add_list(&own->texts.content, content);
    if (err == OK)
        err = said_stop(said, json_member(root, "stop_reason"));
    return err == OK ? anthropic_read_usage(said, "usage", json_member(root, "usage")) : err;
}
