#include "wire/chat/blocks.h"

#include "wire/chat/blocks_parts.h"
#include "wire/formats/path.h"

static const struct {
    const char *type;
    enum block_kind kind;
    enum block_roles roles;
    blocks_add *add; /* NULL = of the contract, but not done by this version */
} types[] = {
#define BLOCK(kind, member, roles)
#define TYPE(type, kind, roles, reader) {type, BLOCK_##kind, BLOCK_ROLES_##roles, reader},
#define LATER(type)                     {type, BLOCK_RAW, BLOCK_ROLES_ANYONE, NULL},
#include "wire/chat/blocks.def"
#undef BLOCK
#undef TYPE
#undef LATER
};

/* A block in the form of the model's vendor, as it came. */
static void add_native(const struct piece *piece)
{
    struct block block = {.kind = BLOCK_RAW, .json = piece->node->source};
    turns_add_block(piece->turns, piece->role, &block);
}

static enum err add_langchain(struct piece *piece, const struct json *type)
{
    const struct request_forms *forms = &piece->reader->request->forms;
    size_t row = 0;
    if (forms->is_native != NULL && forms->is_native(piece->node)) {
        add_native(piece);
        return OK;
    }
    while (row < COUNT_OF(types) && !json_equal_text(type, types[row].type))
        row++;
    if (row == COUNT_OF(types))
        return piece_refuse(piece, "type", ERR_INVALID, "unknown block type");
    if (types[row].add == NULL)
        return piece_refuse(
            piece, NULL, ERR_UNSUPPORTED_FIELD,
            "this version does not support blocks of this type yet (Converse's own blocks pass)");
    if ((types[row].roles & 1U << piece->role) == 0)
        return piece_refuse(piece, "type", ERR_INVALID,
                            piece->role == ROLE_SYSTEM ? "is not allowed in system messages"
                                                       : "is allowed in assistant messages only");
    piece->kind = types[row].kind;
    return types[row].add(piece);
}

/* --- Converse's own blocks --- */

/* The kinds whose Converse form is read, too. */
static blocks_add_inner *const converse_readers[BLOCK_RAW] = {
    [BLOCK_TEXT] = blocks_add_converse_text,   [BLOCK_IMAGE] = blocks_add_converse_media,
    [BLOCK_VIDEO] = blocks_add_converse_media, [BLOCK_DOCUMENT] = blocks_add_converse_media,
    [BLOCK_AUDIO] = blocks_add_converse_media, [BLOCK_GUARD] = blocks_add_converse_guard,
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

static enum err add_unknown(const struct piece *piece)
{
    if (is_piece_of_stream(piece))
        return OK;
    if (!is_of_an_answer(piece))
        return unknown_block(piece);
    piece_add_converse(piece, piece->node->source);
    return OK;
}

static enum err refuse_in_system(const struct piece *piece)
{
    struct buf takes OWNED_BY(buf_done);
    buf_init(&takes, WHY_MESSAGE_MAX);
    for (enum block_kind i = 0; i < BLOCK_RAW; i++)
        if ((block_rows[i].roles & 1U << ROLE_SYSTEM) != 0)
            buf_addf(&takes, "%s%s", takes.len > 0 ? ", " : "", block_rows[i].member);
    return why_set(&piece->reader->why, ERR_INVALID, piece->path,
                   "a system message may have these blocks only: %s", buf_text(&takes));
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
        return refuse_in_system(piece);
    if (converse_readers[piece->kind] != NULL)
        return converse_readers[piece->kind](piece, member);
    piece_add_converse(piece, piece->node->source);
    return OK;
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
        struct block block = {.kind = BLOCK_TEXT, .is_blank = true, .text = BLANK_TEXT};
        turns_add_block(turns, role, &block);
    }
    return OK;
}
