#include "wire/chat/blocks.h"

#include "wire/chat/blocks_parts.h"
#include "wire/formats/path.h"

#define TYPE_SHOWN_BYTES 64

static const struct {
    const char *type;
    enum block_kind kind;
    enum block_roles roles;
    blocks_add *add;
} types[] = {
#define BLOCK(kind, member, roles)
#define TYPE(type, kind, roles, reader) {type, BLOCK_##kind, BLOCK_ROLES_##roles, reader},
#include "wire/chat/blocks.def"
#undef BLOCK
#undef TYPE
};

/* A block in the form of the model's vendor, as it came; what LangChain adds to an answer's goes.
 */
static enum err add_native(const struct piece *piece)
{
    struct block block = {.kind = BLOCK_RAW};
    struct buf json OWNED_BY(buf_done);
    buf_init(&json, 6 * piece->node->source.len);
    buf_add_byte(&json, '{');
    for (const struct json *member = piece->node->first; member != NULL; member = member->next)
        if (!slice_equal_text(member->name, "index") &&
            !slice_equal_text(member->name, "cache_control"))
            json_add_copy(&json, member);
    buf_add_byte(&json, '}');
    enum err err = blocks_read_cache(piece, &block.cache);
    if (err == OK)
        err = blocks_check_source(piece);
    if (err != OK)
        return err;
    if (json.failed != OK || !arena_copy(piece->reader->arena, buf_slice(&json), &block.json))
        return reader_no_memory(piece->reader);
    turns_add_block(piece->turns, piece->role, &block);
    return OK;
}

/* A vendor's own block cannot be sent; left out it would be missed. */
static enum err unknown_type(const struct piece *piece, const struct json *type)
{
    struct path path = path_member(piece->path, SLICE("type"));
    struct slice name;
    if (!json_is(type, JSON_STRING))
        return why_set(&piece->reader->why, ERR_INVALID, path.text, "must be a string");
    if (!json_string(piece->reader->scratch, type, &name))
        return reader_no_memory(piece->reader);
    return why_set(&piece->reader->why, ERR_INVALID, path.text,
                   "Bedrock has no blocks of the type \"%.*s\"; leave out another vendor's blocks",
                   SLICE_ARG(slice_sub(name, 0, TYPE_SHOWN_BYTES)));
}

static enum err misplaced_type(const struct piece *piece, enum block_roles roles)
{
    static const struct {
        enum block_roles roles;
        const char *words;
    } places[] = {
        {BLOCK_ROLES_ASSISTANT, "is allowed in assistant messages only"},
        {BLOCK_ROLES_TOOL, "is allowed in tool results only"},
        {BLOCK_ROLES_SPEAKER, "is allowed in user and assistant messages only"},
        {BLOCK_ROLES_SHOWN, "is not allowed in system messages"},
        {BLOCK_ROLES_UNSHOWN, "is not allowed in tool results"},
    };
    const char *words = "is not allowed here";
    for (size_t i = 0; i < COUNT_OF(places); i++)
        if (places[i].roles == roles)
            words = places[i].words;
    return piece_refuse(piece, "type", ERR_INVALID, words);
}

static enum err add_langchain(struct piece *piece, const struct json *type)
{
    const struct request_forms *forms = &piece->reader->request->forms;
    size_t row = 0;
    if (forms->is_native != NULL && piece->role != ROLE_SYSTEM && forms->is_native(piece->node))
        return add_native(piece);
    while (row < COUNT_OF(types) && !json_equal_text(type, types[row].type))
        row++;
    if (row == COUNT_OF(types))
        return unknown_type(piece, type);
    if ((types[row].roles & 1U << piece->role) == 0)
        return misplaced_type(piece, types[row].roles);
    piece->kind = types[row].kind;
    return types[row].add(piece);
}

/* --- Converse's own blocks --- */

/* The kinds whose Converse form is read, too. */
static blocks_add_inner *const converse_readers[BLOCK_RAW] = {
    [BLOCK_TEXT] = blocks_add_converse_text,
    [BLOCK_IMAGE] = blocks_add_converse_media,
    [BLOCK_VIDEO] = blocks_add_converse_media,
    [BLOCK_DOCUMENT] = blocks_add_converse_media,
    [BLOCK_AUDIO] = blocks_add_converse_media,
    [BLOCK_GUARD] = blocks_add_converse_guard,
    [BLOCK_TOOL_USE] = blocks_add_converse_use,
    [BLOCK_TOOL_RESULT] = blocks_add_converse_result,
    [BLOCK_REASONING] = blocks_add_converse_reasoning,
    [BLOCK_JSON] = blocks_add_converse_json,
};

static enum err unknown_block(const struct piece *piece)
{
    const char *names[BLOCK_RAW];
    if (piece->node->count == 0)
        return piece_refuse(piece, NULL, ERR_INVALID, "the block is empty");
    for (enum block_kind i = 0; i < BLOCK_RAW; i++)
        names[i] = block_rows[i].member;
    return reader_unknown_member(piece->reader, piece->path, piece->node->first->name, names,
                                 COUNT_OF(names));
}

/* What an answer had and no form of LangChain's has a place for. Of a stream: in pieces, which only
 * tell of a block. Of a whole answer: a block that Bedrock knows, and this list does not. */
static bool is_piece_of_stream(const struct piece *piece)
{
    return piece->role == ROLE_ASSISTANT && piece->node->count == 2 &&
           json_is(json_member(piece->node, "contentBlockIndex"), JSON_NUMBER) &&
           (json_is(json_member(piece->node, "start"), JSON_OBJECT) ||
            json_is(json_member(piece->node, "delta"), JSON_OBJECT));
}

static bool is_of_an_answer(const struct piece *piece)
{
    return piece->role == ROLE_ASSISTANT && piece->node->count == 1 &&
           piece->node->first->kind == JSON_OBJECT;
}

static const char *place_of(enum role role)
{
    static const char *const PLACES[] = {"a system message", "a user message",
                                         "an assistant message", "a tool result"};
    return PLACES[role];
}

static enum err misplaced(const struct piece *piece)
{
    struct buf takes OWNED_BY(buf_done);
    buf_init(&takes, WHY_MESSAGE_MAX);
    for (enum block_kind i = 0; i < BLOCK_RAW; i++)
        if ((block_rows[i].roles & 1U << piece->role) != 0)
            buf_addf(&takes, "%s%s", takes.len > 0 ? ", " : "", block_rows[i].member);
    return why_set(&piece->reader->why, ERR_INVALID, piece->path,
                   "%s may have these blocks only: %s", place_of(piece->role), buf_text(&takes));
}

/* Reads as much of it as others than Converse need. */
static enum err add_inner(const struct piece *piece, const struct json *inner)
{
    if (piece->kind < BLOCK_RAW && converse_readers[piece->kind] != NULL)
        return converse_readers[piece->kind](piece, inner);
    piece_add_converse(piece, piece->node->source);
    return OK;
}

static enum err add_unknown(const struct piece *piece)
{
    if (is_piece_of_stream(piece))
        return OK;
    if (!is_of_an_answer(piece))
        return unknown_block(piece);
    piece_add_converse(piece, piece->node->source);
    return OK;
}

static enum err add_converse(struct piece *piece)
{
    const struct json *member = piece->node->first;
    piece->kind = member == NULL ? BLOCK_RAW : block_kind_of(member->name);
    if (piece->kind == BLOCK_RAW)
        return add_unknown(piece);
    if (piece->node->count > 1)
        return piece_refuse(
            piece, NULL, ERR_INVALID,
            "a block must have one member (Converse's form), or a type and its members");
    if ((block_rows[piece->kind].roles & 1U << piece->role) == 0)
        return misplaced(piece);
    return add_inner(piece, member);
}

/* --- what LangChain wraps --- */

static enum err add_element(struct turns *turns, enum role role, const struct json *node,
                            const char *path);

/* One member of several as a block of its own. */
static enum err add_member(const struct piece *piece, const struct json *member, const char *path)
{
    struct buf text OWNED_BY(buf_done);
    struct slice copy;
    const struct json *block;
    buf_init(&text, 6 * member->name.len + member->source.len + 8);
    buf_add_byte(&text, '{');
    json_add_copy(&text, member);
    buf_add_byte(&text, '}');
    if (text.failed != OK || !arena_copy(piece->reader->arena, buf_slice(&text), &copy) ||
        json_parse(piece->reader->scratch, copy, &block, NULL) != OK)
        return reader_no_memory(piece->reader);
    return add_element(piece->turns, piece->role, block, path);
}

/* {"value"}: a block that LangChain's content_blocks does not know, or several in one object. */
enum err blocks_add_non_standard(const struct piece *piece)
{
    static const char *const members[] = {"type", "value", "id", "index"};
    const struct json *value = json_member(piece->node, "value");
    struct path path = path_member(piece->path, SLICE("value"));
    enum err err = blocks_check_members(piece, members, COUNT_OF(members));
    if (err != OK)
        return err;
    if (!json_is(value, JSON_OBJECT))
        return piece_refuse(piece, "value", ERR_INVALID, "must be an object");
    if (value->count <= 1 || json_member(value, "type") != NULL)
        return add_element(piece->turns, piece->role, value, path.text);
    for (const struct json *member = value->first; err == OK && member != NULL;
         member = member->next)
        err = add_member(piece, member, path.text);
    return err;
}

/* --- content --- */

static enum err add_element(struct turns *turns, enum role role, const struct json *node,
                            const char *path)
{
    struct piece piece = {
        .turns = turns,
        .reader = turns->reader,
        .role = role,
        .node = node,
        .path = path,
        .read_content = blocks_add_content,
        .add_inner = add_inner,
    };
    if (node->kind == JSON_STRING)
        return blocks_add_string(turns, role, TEXT_ELEMENT, node, path);
    if (node->kind != JSON_OBJECT)
        return piece_refuse(&piece, NULL, ERR_INVALID, "a block must be an object or a string");
    const struct json *type = json_member(node, "type");
    return type != NULL ? add_langchain(&piece, type) : add_converse(&piece);
}

enum err blocks_add_content(struct turns *turns, enum role role, const struct json *content,
                            const char *path)
{
    if (content->kind == JSON_STRING)
        return blocks_add_string(turns, role, TEXT_MESSAGE, content, path);
    if (content->kind != JSON_ARRAY)
        return why_set(&turns->reader->why, ERR_INVALID, path,
                       "must be a string or an array of blocks");
    size_t before = turns->system_count + turns->said_count, index = 0;
    turns->was_text = false;
    turns_begin_message(turns, false);
    for (const struct json *node = content->first; node != NULL; node = node->next)
        if (!turns_note(turns, add_element(turns, role, node, path_element(path, index++).text)))
            return OK;
    /* Nothing came of it: an empty array, or what cannot go back. */
    if (turns->system_count + turns->said_count == before) {
        bool is_free = turns->reader->request->forms.is_free;
        struct block block = {
            .kind = BLOCK_TEXT, .is_blank = !is_free, .text = is_free ? SLICE("") : BLANK_TEXT};
        turns_add_block(turns, role, &block);
    }
    return OK;
}

enum err blocks_add_tool_message(struct turns *turns, struct slice id, bool is_error,
                                 const struct json *content, const char *path)
{
    struct piece piece = {
        .turns = turns,
        .reader = turns->reader,
        .role = ROLE_USER,
        .path = path,
        .read_content = blocks_add_content,
        .add_inner = add_inner,
    };
    struct tool_result result = {.id = id, .is_error = is_error, .is_message = true};
    turns_begin_message(turns, json_is(content, JSON_STRING));
    turns->was_text = false;
    return blocks_add_result(&piece, &result, content, path);
}

enum err blocks_add_call(struct turns *turns, struct slice id, struct slice name,
                         const struct json *input, const char *path)
{
    struct block block = {.kind = BLOCK_TOOL_USE, .is_call = true, .use = {.id = id, .name = name}};
    enum err err = blocks_call_input(turns->reader, input, path, &block.use.input);
    if (err != OK)
        return err;
    turns->has_calls = true;
    turns_add_block(turns, ROLE_ASSISTANT, &block);
    return OK;
}
