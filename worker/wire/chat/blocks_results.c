#include "wire/chat/blocks_parts.h"

#include "wire/formats/path.h"

/* Providers whose models see pictures in a tool's result; for the others they stand behind it, as
 * langchain-aws has it (_messages_to_bedrock). */
static const char *const seeing_providers[] = {"anthropic", "amazon", "meta"};

/* --- what cannot stand in a result --- */

enum place { PLACE_RESULT, PLACE_BEHIND_FIRST, PLACE_BEHIND_LAST };

static enum place place_of(const struct block *block, bool hoists)
{
    if (block->kind == BLOCK_CACHE_POINT)
        return PLACE_BEHIND_LAST;
    return hoists && block->kind == BLOCK_IMAGE ? PLACE_BEHIND_FIRST : PLACE_RESULT;
}

static bool hoists_images(const struct reader *reader, bool is_message)
{
    struct slice provider = reader->request->traits.provider;
    return is_message && provider.len > 0 &&
           !slice_is_one_of(provider, seeing_providers, COUNT_OF(seeing_providers));
}

/* The content of a result, apart from the turns around it. */
static struct turns inside(const struct turns *turns)
{
    return (struct turns){
        .reader = turns->reader, .use = turns->use, .document_names = turns->document_names};
}

static enum err keep_parts(struct reader *reader, const struct turns *inner, bool hoists,
                           struct block *result)
{
    struct slice blank = reader->request->forms.is_free ? SLICE("") : BLANK_TEXT;
    size_t count = inner->said_count > 0 ? inner->said_count : 1;
    if (count * sizeof(struct block) > reader->arena->limit - reader->arena->held)
        return why_set(&reader->why, ERR_REQUEST_TOO_LARGE, "messages",
                       "the tool results have too many blocks for a request of this size");
    struct block *parts = arena_new_array(reader->arena, count, sizeof *parts);
    if (parts == NULL)
        return reader_no_memory(reader);
    result->result.parts = parts;
    for (size_t i = 0; i < inner->said_count; i++)
        if (place_of(&inner->blocks[i], hoists) == PLACE_RESULT)
            parts[result->result.count++] = inner->blocks[i];
    if (result->result.count == 0)
        parts[result->result.count++] = (struct block){.kind = BLOCK_TEXT, .text = blank};
    return OK;
}

static void add_behind(const struct piece *piece, const struct turns *inner, bool hoists,
                       bool is_apart)
{
    for (enum place place = PLACE_BEHIND_FIRST; place <= PLACE_BEHIND_LAST; place++) {
        for (size_t i = 0; i < inner->said_count; i++) {
            struct block block = inner->blocks[i];
            block.is_apart = is_apart;
            if (place_of(&block, hoists) == place)
                turns_add_block(piece->turns, piece->role, &block);
        }
    }
}

enum err blocks_add_result(const struct piece *piece, const struct tool_result *result,
                           const struct json *content, const char *path)
{
    struct turns *turns = piece->turns;
    struct turns inner = inside(turns);
    struct block block = {.kind = BLOCK_TOOL_RESULT,
                          .is_apart = result->is_message,
                          .cache = result->cache,
                          .result = {.id = result->id}};
    bool hoists = hoists_images(piece->reader, result->is_message);
    block.result.status = result->is_error ? RESULT_ERROR : RESULT_SUCCESS;
    enum err err = turns_make_room(&inner, turns_count_blocks(content), 1);
    if (err == OK && content != NULL)
        err = piece->read_content(&inner, ROLE_TOOL, content, path);
    turns->is_broken = turns->is_broken || inner.is_broken;
    turns->document_names = inner.document_names;
    if (err != OK || inner.is_broken)
        return err;
    turns_drop_blanks(&inner);
    err = keep_parts(piece->reader, &inner, hoists, &block);
    if (err != OK)
        return err;
    turns_add_block(turns, piece->role, &block);
    add_behind(piece, &inner, hoists, result->is_message);
    return OK;
}

/* --- LangChain's blocks --- */

enum err blocks_add_tool_result(const struct piece *piece)
{
    static const char *const members[] = {"type",  "tool_use_id", "content",       "is_error",
                                          "index", "id",          "cache_control", "extras"};
    struct tool_result result = {.id = SLICE_NULL};
    struct path path = path_member(piece->path, SLICE("content"));
    const struct json *is_error = json_member(piece->node, "is_error");
    const struct json *content = json_member(piece->node, "content");
    enum err err = blocks_check_members(piece, members, COUNT_OF(members));
    if (err == OK)
        err = piece_name(piece, "tool_use_id", &result.id);
    if (err == OK)
        err = blocks_read_cache(piece, &result.cache);
    if (err != OK)
        return err;
    if (is_error != NULL && is_error->kind > JSON_TRUE)
        return piece_refuse(piece, "is_error", ERR_INVALID, "must be true or false");
    result.is_error = json_is(is_error, JSON_TRUE);
    return blocks_add_result(piece, &result, json_is(content, JSON_NULL) ? NULL : content,
                             path.text);
}

enum err blocks_add_json(const struct piece *piece)
{
    static const char *const members[] = {"type", "json", "index", "id"};
    const struct json *value = json_member(piece->node, "json");
    enum err err = blocks_check_members(piece, members, COUNT_OF(members));
    if (err != OK)
        return err;
    if (value == NULL)
        return piece_refuse(piece, "json", ERR_INVALID, "missing");
    struct block block = {.kind = BLOCK_JSON, .json = value->source};
    piece->reader->request->text_bytes += value->source.len;
    turns_add_block(piece->turns, piece->role, &block);
    return OK;
}

/* --- Converse's blocks --- */

enum err blocks_add_converse_json(const struct piece *piece, const struct json *inner)
{
    struct block block = {.kind = BLOCK_JSON, .json = inner->source};
    turns_add_block(piece->turns, piece->role, &block);
    return OK;
}

/* For other APIs; what is unknown there passes all the same. */
static enum err read_part(const struct piece *piece, struct turns *inner, const struct json *node,
                          const char *path)
{
    struct piece part = *piece;
    part.turns = inner;
    part.role = ROLE_TOOL;
    part.node = node;
    part.path = path;
    part.kind = node->kind == JSON_OBJECT && node->count == 1 ? block_kind_of(node->first->name)
                                                              : BLOCK_RAW;
    if (part.kind < BLOCK_RAW && (block_rows[part.kind].roles & BLOCK_ROLES_TOOL) != 0)
        return piece->add_inner(&part, node->first);
    piece_add_converse(&part, node->source);
    return OK;
}

static enum err read_parts(const struct piece *piece, const struct json *content, const char *path,
                           struct block *block)
{
    struct turns inner = inside(piece->turns);
    size_t index = 0;
    enum err err = turns_make_room(&inner, content->count, 1);
    for (const struct json *node = content->first; err == OK && node != NULL; node = node->next)
        err = read_part(piece, &inner, node, path_element(path, index++).text);
    piece->turns->document_names = inner.document_names;
    return err == OK ? keep_parts(piece->reader, &inner, false, block) : err;
}

enum err blocks_add_converse_result(const struct piece *piece, const struct json *inner)
{
    struct block block = {
        .kind = BLOCK_TOOL_RESULT, .is_converse = true, .json = piece->node->source};
    const struct json *id = json_member(inner, "toolUseId");
    const struct json *status = json_member(inner, "status");
    const struct json *content = json_member(inner, "content");
    struct path path = path_member(piece->path, SLICE("toolResult"));
    enum err err = OK;
    if (json_is(id, JSON_STRING))
        block.result.id = id->source;
    if (json_equal_text(status, "success"))
        block.result.status = RESULT_SUCCESS;
    if (json_equal_text(status, "error"))
        block.result.status = RESULT_ERROR;
    if (json_is(content, JSON_ARRAY) && content->count > 0)
        err = read_parts(piece, content, path_member(path.text, SLICE("content")).text, &block);
    if (err == OK)
        turns_add_block(piece->turns, piece->role, &block);
    return err;
}
