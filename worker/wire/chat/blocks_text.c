#include "wire/chat/blocks_parts.h"

#include "wire/formats/path.h"
#include "wire/formats/text.h"

/* --- text --- */

enum err blocks_fill(struct turns *turns, struct slice text, const char *path,
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

/* Where messages stay apart, a tool may answer nothing. */
static bool may_be_blank(const struct request_forms *forms, enum role role, enum text_place place)
{
    return forms->is_free || (forms->keeps_messages && role == ROLE_TOOL && place == TEXT_MESSAGE);
}

enum err blocks_add_text(struct turns *turns, enum role role, enum text_place place,
                         struct slice text, const char *path)
{
    const struct request_forms *forms = &turns->reader->request->forms;
    struct block block = {.kind = BLOCK_TEXT, .text = text};
    enum err err = turns->use == NULL ? OK : blocks_fill(turns, text, path, &block.text);
    if (err != OK)
        return err;
    bool is_message = place == TEXT_MESSAGE;
    if (is_message)
        turns_begin_message(turns, true);
    block.goes_on =
        is_message && !forms->keeps_messages && turns->was_text && turns->last_role == role;
    if (!may_be_blank(forms, role, place) && text_is_blank(block.text)) {
        block.is_blank = place != TEXT_BLOCK || forms->keeps_messages;
        if (!block.is_blank)
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

static const char *const members[] = {"type",      "text",        "index",         "id",
                                      "citations", "annotations", "cache_control", "extras"};

/* With the citations that it may have, unless it is blank. */
static enum err add_said(const struct piece *piece, const struct json *text)
{
    const struct json *citations = json_member(piece->node, "citations");
    struct path path = path_member(piece->path, SLICE("text"));
    struct slice said;
    enum err err = reader_string(piece->reader, path.text, text, &said);
    if (err == OK && blocks_can_cite(piece, citations) && !text_is_blank(said))
        return blocks_add_cited(piece, said, citations);
    return err != OK ? err
                     : blocks_add_text(piece->turns, piece->role, TEXT_BLOCK, said, path.text);
}

enum err blocks_add_langchain_text(const struct piece *piece)
{
    struct slice cache;
    enum err err = blocks_check_members(piece, members, COUNT_OF(members));
    if (err == OK)
        err = blocks_read_cache(piece, &cache);
    if (err == OK)
        err = add_said(piece, json_member(piece->node, "text"));
    if (err == OK && cache.ptr != NULL)
        turns_last_block(piece->turns, piece->role)->cache = cache;
    return err;
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
