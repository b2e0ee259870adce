/* Texts with citations, put back as an answer had them. */
#include "wire/chat/blocks_parts.h"
#include "wire/formats/json_camel.h"

static const struct json *either(const struct json *object, const char *name, const char *other)
{
    const struct json *member = json_member(object, name);
    return member != NULL ? member : json_member(object, other);
}

static bool has_content(const struct json *citation)
{
    return either(citation, "sourceContent", "source_content") != NULL;
}

/* LangChain leaves these out: Bedrock does not take them back. */
static bool is_of_search(const struct json *citation)
{
    const struct json *location = json_member(citation, "location");
    return either(location, "searchResultLocation", "search_result_location") != NULL;
}

/* Bedrock takes back the citations that name their source's content; a text with others goes
 * without any, as in LangChain. */
bool blocks_can_cite(const struct piece *piece, const struct json *citations)
{
    bool is_kept = false;
    if (piece->role == ROLE_SYSTEM || !json_is(citations, JSON_ARRAY) ||
        !has_content(citations->first))
        return false;
    for (const struct json *citation = citations->first; citation != NULL;
         citation = citation->next) {
        if (is_of_search(citation))
            continue;
        if (!has_content(citation))
            return false;
        is_kept = true;
    }
    return is_kept;
}

static bool keep(struct arena *arena, const struct json *citations, struct slice *ret_json)
{
    struct buf json OWNED_BY(buf_done);
    size_t kept = 0;
    buf_init(&json, citations->source.len);
    buf_add_byte(&json, '[');
    for (const struct json *citation = citations->first; citation != NULL;
         citation = citation->next) {
        if (is_of_search(citation))
            continue;
        json_add_comma(&json);
        buf_add(&json, citation->source);
        kept++;
    }
    buf_add_byte(&json, ']');
    if (kept == citations->count)
        return json_camel(arena, citations->source, ret_json);
    return json.failed == OK && arena_copy(arena, buf_slice(&json), ret_json) &&
           json_camel(arena, *ret_json, ret_json);
}

enum err blocks_add_cited(const struct piece *piece, struct slice text,
                          const struct json *citations)
{
    struct block block = {.kind = BLOCK_CITED, .text = text};
    if (!keep(piece->reader->arena, citations, &block.json))
        return reader_no_memory(piece->reader);
    turns_add_block(piece->turns, piece->role, &block);
    return OK;
}
