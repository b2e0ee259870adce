/* What a guardrail is to look at, and what a search found. */
#include "wire/chat/blocks_parts.h"
#include "wire/formats/json_camel.h"
#include "wire/formats/path.h"

/* --- guard content --- */

static enum err add_guard_text(const struct piece *piece, const char *path, const struct json *text)
{
    struct block block = {.kind = BLOCK_GUARD};
    enum err err = blocks_read_cache(piece, &block.cache);
    if (err == OK)
        err = reader_string(piece->reader, path, text, &block.text);
    if (err == OK && piece->turns->use != NULL)
        err = blocks_fill(piece->turns, block.text, path, &block.text);
    if (err == OK)
        turns_add_block(piece->turns, piece->role, &block);
    return err;
}

/* The text in Converse's form, {"text": {"text": …}}, if it is one without more. */
static const struct json *plain_text_of(const struct json *inner)
{
    const struct json *text = json_member(inner, "text");
    const struct json *plain = json_member(text, "text");
    return json_is(inner, JSON_OBJECT) && inner->count == 1 && json_is(plain, JSON_STRING) ? plain
                                                                                           : NULL;
}

enum err blocks_add_converse_guard(const struct piece *piece, const struct json *inner)
{
    struct block block = {.kind = BLOCK_GUARD, .is_converse = true, .json = piece->node->source};
    const struct json *text = plain_text_of(inner);
    if (text != NULL && !json_string(piece->reader->arena, text, &block.text))
        return reader_no_memory(piece->reader);
    turns_add_block(piece->turns, piece->role, &block);
    return OK;
}

static enum err add_guard_form(const struct piece *piece, const struct json *inner)
{
    struct buf json OWNED_BY(buf_done);
    struct slice camel, converse;
    buf_init(&json, inner->source.len + 64);
    if (!json_camel(piece->reader->arena, inner->source, &camel))
        return reader_no_memory(piece->reader);
    buf_add_byte(&json, '{');
    json_add_member(&json, "guardContent", camel);
    buf_add_byte(&json, '}');
    if (json.failed != OK || !arena_copy(piece->reader->arena, buf_slice(&json), &converse))
        return reader_no_memory(piece->reader);
    piece_add_converse(piece, converse);
    return OK;
}

/* {"type": "guard_content", "text": …}, or as answers print it, with {"type": "text", "text": …}
 * in guard_content. */
enum err blocks_add_guard(const struct piece *piece)
{
    static const char *const members[] = {"type",  "text", "guard_content", "guardContent",
                                          "index", "id",   "cache_control"};
    const struct json *inner = json_member(piece->node, "guard_content");
    const char *name = inner != NULL ? "guard_content" : "guardContent";
    struct path path = path_member(piece->path, slice_of_text(name));
    enum err err = blocks_check_members(piece, members, COUNT_OF(members));
    if (inner == NULL)
        inner = json_member(piece->node, "guardContent");
    if (err != OK)
        return err;
    if (inner == NULL)
        return add_guard_text(piece, path_member(piece->path, SLICE("text")).text,
                              json_member(piece->node, "text"));
    if (!json_is(inner, JSON_OBJECT))
        return piece_refuse(piece, name, ERR_INVALID, "must be an object");
    if (json_is(json_member(inner, "text"), JSON_STRING))
        return add_guard_text(piece, path_member(path.text, SLICE("text")).text,
                              json_member(inner, "text"));
    return add_guard_form(piece, inner);
}

/* --- search results --- */

static bool is_text_item(const struct json *item)
{
    const struct json *type = json_member(item, "type");
    return (type == NULL || json_equal_text(type, "text")) &&
           json_is(json_member(item, "text"), JSON_STRING);
}

static enum err add_texts(const struct piece *piece, struct buf *json)
{
    const struct json *content = json_member(piece->node, "content");
    json_add_name(json, "content");
    buf_add_byte(json, '[');
    if (!json_is(content, JSON_ARRAY))
        return piece_refuse(piece, "content", ERR_INVALID, "must be an array of text blocks");
    for (const struct json *item = content->first; item != NULL; item = item->next) {
        if (!is_text_item(item))
            return piece_refuse(piece, "content", ERR_INVALID,
                                "must have text blocks only: {\"type\": \"text\", \"text\": …}");
        json_add_comma(json);
        buf_add_byte(json, '{');
        json_add_member(json, "text", json_member(item, "text")->source);
        buf_add_byte(json, '}');
    }
    buf_add_byte(json, ']');
    return OK;
}

static enum err add_source(const struct piece *piece, struct buf *json)
{
    static const char *const names[] = {"source", "title"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const struct json *text = json_member(piece->node, names[i]);
        if (!json_is(text, JSON_STRING))
            return piece_refuse(piece, names[i], ERR_INVALID, "must be a string");
        json_add_member(json, names[i], text->source);
    }
    return OK;
}

static enum err add_citations(const struct piece *piece, struct buf *json)
{
    const struct json *citations = json_member(piece->node, "citations");
    const struct json *enabled = json_member(citations, "enabled");
    if (citations == NULL || citations->kind == JSON_NULL)
        return OK;
    if (!json_is(enabled, JSON_TRUE) && !json_is(enabled, JSON_FALSE))
        return piece_refuse(piece, "citations", ERR_INVALID,
                            "must be {\"enabled\": true} or {\"enabled\": false}");
    json_add_name(json, "citations");
    buf_add_byte(json, '{');
    json_add_member(json, "enabled", enabled->source);
    buf_add_byte(json, '}');
    return OK;
}

enum err blocks_add_search_result(const struct piece *piece)
{
    static const char *const members[] = {"type",  "source", "title",         "content",
                                          "index", "id",     "cache_control", "citations"};
    struct block block = {.kind = BLOCK_SEARCH_RESULT, .is_converse = true};
    struct buf json OWNED_BY(buf_done);
    buf_init(&json, piece->node->source.len + 128);
    buf_add_text(&json, "{\"searchResult\":{");
    enum err err = blocks_check_members(piece, members, COUNT_OF(members));
    if (err == OK)
        err = blocks_read_cache(piece, &block.cache);
    if (err == OK)
        err = add_source(piece, &json);
    if (err == OK)
        err = add_texts(piece, &json);
    if (err == OK)
        err = add_citations(piece, &json);
    buf_add_text(&json, "}}");
    if (err != OK)
        return err;
    if (json.failed != OK || !arena_copy(piece->reader->arena, buf_slice(&json), &block.json))
        return reader_no_memory(piece->reader);
    turns_add_block(piece->turns, piece->role, &block);
    return OK;
}
