#include "wire/chat/blocks_parts.h"

#include "wire/formats/path.h"
#include "wire/formats/text.h"

/* --- text --- */

static enum err fill(struct turns *turns, struct slice text, const char *path,
                     struct slice *ret_text)
{
    struct reader *reader = turns->reader;
    struct buf filled OWNED_BY(buf_done);
    buf_init(&filled, REQUEST_TEXT_MAX);
    enum err err = template_fill(reader->scratch, text, turns->use, path, &filled, &reader->why);
    if (err != OK)
        return err;
    if (filled.len > reader->arena->limit - reader->arena->held)
        return why_set(&reader->why, ERR_REQUEST_TOO_LARGE, path,
                       "the filled template is too large");
    return arena_copy(reader->arena, buf_slice(&filled), ret_text) ? OK : reader_no_memory(reader);
}

enum err blocks_add_text(struct turns *turns, enum role role, enum text_place place,
                         struct slice text, const char *path)
{
    struct block block = {.kind = BLOCK_TEXT, .text = text};
    enum err err = turns->use == NULL ? OK : fill(turns, text, path, &block.text);
    if (err != OK)
        return err;
    bool is_message = place == TEXT_MESSAGE;
    if (is_message)
        turns_begin_message(turns, true);
    block.goes_on = is_message && turns->was_text && turns->last_role == role;
    if (text_is_blank(block.text)) {
        block.is_blank = place != TEXT_BLOCK;
        block.text = BLANK_TEXT;
    }
    turns->was_text = is_message;
    turns->last_role = role;
    turns_add_block(turns, role, &block);
    return OK;
}

enum err blocks_add_string(struct turns *turns, enum role role, enum text_place place,
                           const struct json *node, const char *path)
{
    struct slice text;
    enum err err = reader_string(turns->reader, path, node, &text);
    return err == OK ? blocks_add_text(turns, role, place, text, path) : err;
}

/* --- LangChain's text block --- */

static enum err check_text_members(const struct piece *piece)
{
    static const char *const members[] = {"type", "text",      "index",
                                          "id",   "citations", "annotations"};
    for (const struct json *member = piece->node->first; member != NULL; member = member->next) {
        if (slice_is_one_of(member->name, members, COUNT_OF(members)))
            continue;
        if (slice_equal_text(member->name, "cache_control"))
            return piece_refuse(
                piece, "cache_control", ERR_UNSUPPORTED_FIELD,
                "this version does not support this field yet (a block {\"cachePoint\": "
                "…} passes)");
        return reader_unknown_member(piece->reader, piece->path, member->name, members,
                                     COUNT_OF(members));
    }
    return OK;
}

/* Bedrock takes back the citations that name their source's content; others are dropped, as
 * LangChain does. It prints their names in snake case. */
static bool can_cite(const struct piece *piece, const struct json *citations, bool *ret_is_snake)
{
    *ret_is_snake = false;
    if (piece->role != ROLE_ASSISTANT || !json_is(citations, JSON_ARRAY) || citations->count == 0)
        return false;
    for (const struct json *citation = citations->first; citation != NULL;
         citation = citation->next) {
        if (json_member(citation, "sourceContent") != NULL)
            continue;
        if (json_member(citation, "source_content") == NULL)
            return false;
        *ret_is_snake = true;
    }
    return true;
}

/* Behind a string's closing quote; `from` is behind its opening one. */
static size_t string_end(struct slice text, size_t from)
{
    while (from < text.len && text.ptr[from] != '"')
        from += text.ptr[from] == '\\' ? 2 : 1;
    return from < text.len ? from + 1 : text.len;
}

static bool is_name(struct slice text, size_t behind)
{
    struct slice rest = slice_trim(slice_sub(text, behind, SIZE_MAX));
    return rest.len > 0 && rest.ptr[0] == ':';
}

/* source_content → sourceContent */
static void add_camel(struct buf *raw, struct slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        char next = i + 1 < name.len ? name.ptr[i + 1] : '\0';
        if (name.ptr[i] == '_' && i > 1 && next >= 'a' && next <= 'z') {
            buf_add_byte(raw, (char)(next - 'a' + 'A'));
            i++;
        } else {
            buf_add_byte(raw, name.ptr[i]);
        }
    }
}

/* The names of all members in Bedrock's own case, as they were before LangChain printed them; what
 * they say stays byte for byte. `source` was scanned before. */
static void add_camel_names(struct buf *raw, struct slice source)
{
    size_t end;
    for (size_t at = 0; at < source.len; at = end) {
        end = at + 1;
        if (source.ptr[at] == '"')
            end = string_end(source, at + 1);
        struct slice token = slice_sub(source, at, end - at);
        if (source.ptr[at] == '"' && is_name(source, end))
            add_camel(raw, token);
        else
            buf_add(raw, token);
    }
}

static enum err add_cited(const struct piece *piece, const struct json *text,
                          const struct json *citations, bool is_snake)
{
    struct block block = {.kind = BLOCK_CITED, .json = citations->source};
    struct buf raw OWNED_BY(buf_done);
    buf_init(&raw, citations->source.len);
    enum err err = reader_string(piece->reader, piece->path, text, &block.text);
    if (err != OK)
        return err;
    if (text_is_blank(block.text))
        return blocks_add_text(piece->turns, piece->role, TEXT_BLOCK, block.text, piece->path);
    if (is_snake)
        add_camel_names(&raw, citations->source);
    if (is_snake &&
        (raw.failed != OK || !arena_copy(piece->reader->arena, buf_slice(&raw), &block.json)))
        return reader_no_memory(piece->reader);
    turns_add_block(piece->turns, piece->role, &block);
    return OK;
}

enum err blocks_add_langchain_text(const struct piece *piece)
{
    const struct json *text = json_member(piece->node, "text");
    const struct json *citations = json_member(piece->node, "citations");
    enum err err = check_text_members(piece);
    if (err != OK)
        return err;
    if (!json_is(text, JSON_STRING))
        return piece_refuse(piece, "text", ERR_INVALID, "must be a string");
    bool is_snake;
    if (can_cite(piece, citations, &is_snake))
        return add_cited(piece, text, citations, is_snake);
    struct path path = path_member(piece->path, SLICE("text"));
    return blocks_add_string(piece->turns, piece->role, TEXT_BLOCK, text, path.text);
}

/* --- Converse's text block --- */

/* Byte for byte, unless Bedrock would refuse the text for being blank, or a template is to be
 * filled. */
enum err blocks_add_converse_text(const struct piece *piece, const struct json *text)
{
    struct block block = {.kind = BLOCK_TEXT, .is_converse = true, .json = piece->node->source};
    struct path path = path_member(piece->path, SLICE("text"));
    enum err err = reader_string(piece->reader, path.text, text, &block.text);
    if (err != OK)
        return err;
    if (piece->turns->use != NULL || text_is_blank(block.text))
        return blocks_add_text(piece->turns, piece->role, TEXT_BLOCK, block.text, path.text);
    turns_add_block(piece->turns, piece->role, &block);
    return OK;
}
