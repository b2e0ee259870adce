#include "wire/chat/blocks_parts.h"
#include "wire/formats/json_mend.h"
#include "wire/formats/json_partial.h"

#define NO_INPUT SLICE("{}")

/* --- input --- */

/* Mended and completed, as a request may have it: what Bedrock could not read (a member twice) is
 * none. Each step frees the nodes of the one before. */
static enum err parse_input(struct arena *nodes, struct slice text, const struct json **ret_root)
{
    struct slice mended, whole;
    enum err err = json_parse(nodes, text, ret_root, NULL);
    if (err != ERR_FORMAT)
        return err;
    arena_reset(nodes);
    if (!json_mend(nodes, text, &mended))
        return ERR_NO_MEMORY;
    err = json_complete(nodes, mended, &whole);
    return err == OK ? json_parse(nodes, whole, ret_root, NULL) : err;
}

/* The nodes of a text lie in an arena apart, so that many texts need no more room than one; with
 * what the scratch arena has left, for that is what the reading may hold. */
static enum err input_of_text(struct reader *reader, struct slice text, const char *path,
                              struct slice *ret_input)
{
    struct arena nodes OWNED_BY(arena_done);
    const struct json *root;
    arena_init(&nodes, reader->scratch->limit - reader->scratch->held);
    enum err err = parse_input(&nodes, text, &root);
    if (err == ERR_NO_MEMORY && text.len > nodes.limit / 8)
        return why_set(&reader->why, ERR_REQUEST_TOO_LARGE, path,
                       "the text of the arguments is too large to be mended");
    if (err == ERR_NO_MEMORY)
        return reader_no_memory(reader);
    if (err != OK || root->kind != JSON_OBJECT)
        return OK;
    return arena_copy(reader->arena, root->source, ret_input) ? OK : reader_no_memory(reader);
}

enum err blocks_call_input(struct reader *reader, const struct json *input, const char *path,
                           struct slice *ret_input)
{
    struct slice text;
    *ret_input = NO_INPUT;
    if (json_is(input, JSON_OBJECT))
        *ret_input = input->source;
    if (!json_is(input, JSON_STRING))
        return OK;
    if (!json_string(reader->scratch, input, &text))
        return reader_no_memory(reader);
    return input_of_text(reader, text, path, ret_input);
}

/* --- LangChain's blocks --- */

/* {"id", "name"} and the input under its own name */
static enum err add_use(const struct piece *piece, const struct json *input)
{
    struct block block = {.kind = BLOCK_TOOL_USE};
    enum err err = piece_name(piece, "id", &block.use.id);
    if (err == OK)
        err = piece_name(piece, "name", &block.use.name);
    if (err == OK)
        err = blocks_read_cache(piece, &block.cache);
    if (err == OK)
        err = blocks_call_input(piece->reader, input, piece->path, &block.use.input);
    if (err == OK)
        turns_add_block(piece->turns, piece->role, &block);
    return err;
}

enum err blocks_add_tool_use(const struct piece *piece)
{
    static const char *const members[] = {"type",  "id",     "name",         "input",
                                          "index", "caller", "partial_json", "cache_control",
                                          "extras"};
    enum err err = blocks_check_members(piece, members, COUNT_OF(members));
    return err == OK ? add_use(piece, json_member(piece->node, "input")) : err;
}

enum err blocks_add_tool_call(const struct piece *piece)
{
    static const char *const members[] = {"type",  "id",     "name",         "args",
                                          "index", "extras", "cache_control"};
    enum err err = blocks_check_members(piece, members, COUNT_OF(members));
    return err == OK ? add_use(piece, json_member(piece->node, "args")) : err;
}

/* A call whose arguments were no JSON: its result needs the call all the same. */
enum err blocks_add_invalid_tool_call(const struct piece *piece)
{
    static const char *const members[] = {"type", "id", "name", "args", "error", "index", "extras"};
    enum err err = blocks_check_members(piece, members, COUNT_OF(members));
    bool is_named = reader_is_full_string(json_member(piece->node, "id")) &&
                    reader_is_full_string(json_member(piece->node, "name"));
    return err == OK && is_named ? add_use(piece, NULL) : err;
}

/* --- Converse's block --- */

static struct slice string_source(const struct json *node)
{
    return json_is(node, JSON_STRING) ? node->source : SLICE_NULL;
}

enum err blocks_add_converse_use(const struct piece *piece, const struct json *inner)
{
    struct block block = {.kind = BLOCK_TOOL_USE, .is_converse = true, .json = piece->node->source};
    const struct json *input = json_member(inner, "input");
    block.use.id = string_source(json_member(inner, "toolUseId"));
    block.use.name = string_source(json_member(inner, "name"));
    block.use.input = input == NULL ? NO_INPUT : input->source;
    turns_add_block(piece->turns, piece->role, &block);
    return OK;
}
