#include "wire/chat/blocks.h"

#include "wire/formats/path.h"
#include "wire/formats/text.h"

#define BLANK_TEXT SLICE(".") /* LangChain's stand-in: Bedrock refuses blank texts */

/* One block on its way; path is its own. */
struct piece {
    struct turns *turns;
    struct reader *reader;
    enum role role;
    const struct json *node;
    const char *path;
    enum block_kind kind; /* by its row of blocks.def, once that is found */
};

static enum err refuse(const struct piece *piece, const char *member, enum err err,
                       const char *words)
{
    if (member == NULL)
        return why_set(&piece->reader->why, err, piece->path, "%s", words);
    struct path path = path_member(piece->path, slice_of_text(member));
    return why_set(&piece->reader->why, err, path.text, "%s", words);
}

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

static enum err add_string(struct turns *turns, enum role role, enum text_place place,
                           const struct json *node, const char *path)
{
    struct slice text;
    enum err err = reader_string(turns->reader, path, node, &text);
    return err == OK ? blocks_add_text(turns, role, place, text, path) : err;
}

static void add_converse_form(const struct piece *piece, struct slice json)
{
    struct block block = {.kind = piece->kind, .is_converse = true, .json = json};
    turns_add_block(piece->turns, piece->role, &block);
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
            return refuse(piece, "cache_control", ERR_UNSUPPORTED_FIELD,
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

static enum err add_langchain_text(const struct piece *piece)
{
    const struct json *text = json_member(piece->node, "text");
    const struct json *citations = json_member(piece->node, "citations");
    enum err err = check_text_members(piece);
    if (err != OK)
        return err;
    if (!json_is(text, JSON_STRING))
        return refuse(piece, "text", ERR_INVALID, "must be a string");
    bool is_snake;
    if (can_cite(piece, citations, &is_snake))
        return add_cited(piece, text, citations, is_snake);
    struct path path = path_member(piece->path, SLICE("text"));
    return add_string(piece->turns, piece->role, TEXT_BLOCK, text, path.text);
}

/* --- LangChain's reasoning block --- */

static enum err add_reasoning_part(const struct piece *piece, struct buf *raw)
{
    struct slice converse;
    if (raw->failed != OK || !arena_copy(piece->reader->arena, buf_slice(raw), &converse))
        return reader_no_memory(piece->reader);
    add_converse_form(piece, converse);
    return OK;
}

/* Reasoning goes back only with its signature, or as the bytes that Bedrock encrypted; the rest it
 * would refuse. */
static enum err add_reasoning(const struct piece *piece)
{
    const struct json *reasoning = json_member(piece->node, "reasoning_content");
    const struct json *text = json_member(reasoning, "text");
    const struct json *signature = json_member(reasoning, "signature");
    const struct json *redacted = json_member(reasoning, "redacted_content");
    struct buf raw OWNED_BY(buf_done);
    buf_init(&raw, piece->node->source.len + 128);
    if (!json_is(reasoning, JSON_OBJECT))
        return refuse(piece, "reasoning_content", ERR_INVALID, "must be an object");
    enum err err = OK;
    if (json_is(signature, JSON_STRING) && !json_equal_text(signature, "")) {
        buf_add_text(&raw, "{\"reasoningContent\":{\"reasoningText\":{\"text\":");
        buf_add(&raw, json_is(text, JSON_STRING) ? text->source : SLICE("\"\""));
        buf_add_text(&raw, ",\"signature\":");
        buf_add(&raw, signature->source);
        buf_add_text(&raw, "}}}");
        err = add_reasoning_part(piece, &raw);
    }
    if (err != OK || !json_is(redacted, JSON_STRING))
        return err;
    buf_reset(&raw);
    buf_add_text(&raw, "{\"reasoningContent\":{\"redactedContent\":");
    buf_add(&raw, redacted->source);
    buf_add_text(&raw, "}}");
    return add_reasoning_part(piece, &raw);
}

typedef enum err add_block(const struct piece *piece);

static const struct {
    const char *type;
    enum block_kind kind;
    enum block_roles roles;
    add_block *add; /* NULL = of the contract, but not done by this version */
} types[] = {
#define BLOCK(kind, member, roles)
#define TYPE(type, kind, roles, reader) {type, BLOCK_##kind, BLOCK_ROLES_##roles, reader},
#define LATER(type)                     {type, BLOCK_RAW, BLOCK_ROLES_ANYONE, NULL},
#include "wire/chat/blocks.def"
#undef BLOCK
#undef TYPE
#undef LATER
};

static enum err add_langchain(struct piece *piece, const struct json *type)
{
    size_t row = 0;
    while (row < COUNT_OF(types) && !json_equal_text(type, types[row].type))
        row++;
    if (row == COUNT_OF(types))
        return refuse(piece, "type", ERR_INVALID, "unknown block type");
    if (types[row].add == NULL)
        return refuse(
            piece, NULL, ERR_UNSUPPORTED_FIELD,
            "this version does not support blocks of this type yet (Converse's own blocks pass)");
    if ((types[row].roles & 1U << piece->role) == 0)
        return refuse(piece, "type", ERR_INVALID, "is allowed in assistant messages only");
    piece->kind = types[row].kind;
    return types[row].add(piece);
}

/* --- Converse's own blocks --- */

/* Byte for byte, unless Bedrock would refuse the text for being blank, or a template is to be
 * filled. */
static enum err add_converse_text(const struct piece *piece, const struct json *text)
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

static enum err unknown_block(const struct piece *piece)
{
    const char *names[BLOCK_RAW];
    if (piece->node->count == 0)
        return refuse(piece, NULL, ERR_INVALID, "the block is empty");
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
    add_converse_form(piece, piece->node->source);
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
        return refuse(piece, NULL, ERR_INVALID,
                      "a block must have one member (Converse's form), or a type and its members");
    if ((block_rows[piece->kind].roles & 1U << piece->role) == 0)
        return refuse_in_system(piece);
    if (piece->kind == BLOCK_TEXT)
        return add_converse_text(piece, member);
    add_converse_form(piece, piece->node->source);
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
        return add_string(turns, role, TEXT_ELEMENT, node, path);
    if (node->kind != JSON_OBJECT)
        return refuse(&piece, NULL, ERR_INVALID, "a block must be an object or a string");
    const struct json *type = json_member(node, "type");
    return type != NULL ? add_langchain(&piece, type) : add_converse(&piece);
}

enum err blocks_add_content(struct turns *turns, enum role role, const struct json *content,
                            const char *path)
{
    if (content->kind == JSON_STRING)
        return add_string(turns, role, TEXT_MESSAGE, content, path);
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
