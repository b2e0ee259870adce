#include "wire/request_parts.h"

#include "wire/path.h"
#include "wire/text.h"

#define BLANK_TEXT SLICE(".") /* LangChain's stand-in: Bedrock refuses blank texts */

/* The members of Converse's content block, of which a block has one. */
static const struct {
    const char *name;
    bool in_system;
} converse_kinds[] = {
    {"text", true},
    {"image", false},
    {"document", false},
    {"video", false},
    {"audio", false},
    {"toolUse", false},
    {"toolResult", false},
    {"guardContent", true},
    {"cachePoint", true},
    {"searchResult", false},
    {"reasoningContent", false},
    {"citationsContent", false},
};

/* LangChain's kinds of block that have no way to Converse in this version. */
static const char *const later_kinds[] = {
    "image",
    "image_url",
    "audio",
    "input_audio",
    "video",
    "video_url",
    "file",
    "document",
    "text-plain",
    "tool_use",
    "tool_call",
    "tool_result",
    "server_tool_use",
    "server_tool_result",
    "server_tool_call",
    "invalid_tool_call",
    "thinking",
    "redacted_thinking",
    "reasoning",
    "guard_content",
    "cache_point",
    "search_result",
    "json",
    "non_standard",
};

/* One block on its way; path is its own. */
struct piece {
    struct conversation *conversation;
    struct reader *reader;
    enum role role;
    const struct json *node;
    const char *path;
};

static enum err refuse(const struct piece *piece, const char *member, enum err err,
                       const char *words)
{
    if (member == NULL)
        return why_set(piece->reader->why, err, piece->path, "%s", words);
    struct path path = path_member(piece->path, slice_of_text(member));
    return why_set(piece->reader->why, err, path.text, "%s", words);
}

/* --- text --- */

static enum err fill(struct conversation *conversation, struct slice text, const char *path,
                     struct slice *ret_text)
{
    struct reader *reader = conversation->reader;
    struct buf filled OWNED_BY(buf_done);
    buf_init(&filled, REQUEST_TEXT_MAX);
    enum err err =
        template_fill(reader->scratch, text, conversation->use, path, &filled, reader->why);
    if (err != OK)
        return err;
    if (filled.len > reader->arena->limit - reader->arena->held)
        return why_set(reader->why, ERR_REQUEST_TOO_LARGE, path,
                       "the filled template is too large");
    return arena_copy(reader->arena, buf_slice(&filled), ret_text) ? OK : reader_no_memory(reader);
}

enum err conversation_add_text(struct conversation *conversation, enum role role,
                               enum text_place place, struct slice text, const char *path)
{
    struct block block = {.is_text = true, .text = text};
    enum err err = conversation->use == NULL ? OK : fill(conversation, text, path, &block.text);
    if (err != OK)
        return err;
    bool is_message = place == TEXT_MESSAGE;
    block.goes_on = is_message && conversation->was_text && conversation->last_role == role;
    if (text_is_blank(block.text)) {
        block.is_blank = place != TEXT_BLOCK;
        block.text = BLANK_TEXT;
    }
    conversation->was_text = is_message;
    conversation->last_role = role;
    conversation_add_block(conversation, role, &block);
    return OK;
}

static enum err add_string(struct conversation *conversation, enum role role, enum text_place place,
                           const struct json *node, const char *path)
{
    struct slice text;
    enum err err = reader_string(conversation->reader, path, node, &text);
    return err == OK ? conversation_add_text(conversation, role, place, text, path) : err;
}

static void add_raw(const struct piece *piece, struct slice converse, struct slice text)
{
    struct block block = {.text = text, .converse = converse};
    conversation_add_block(piece->conversation, piece->role, &block);
}

/* --- LangChain's text block --- */

static enum err check_text_members(const struct piece *piece)
{
    static const char *const members[] = {"type", "text",      "index",
                                          "id",   "citations", "annotations"};
    for (const struct json *member = piece->node->first; member != NULL; member = member->next) {
        bool is_known = false;
        for (size_t i = 0; i < COUNT_OF(members); i++)
            is_known = is_known || slice_equal_text(member->name, members[i]);
        if (is_known)
            continue;
        if (slice_equal_text(member->name, "cache_control"))
            return refuse(
                piece, "cache_control", ERR_UNSUPPORTED_FIELD,
                "this version does not do this field yet (a block {\"cachePoint\": …} passes)");
        return reader_unknown_member(piece->reader, piece->path, member->name, members,
                                     COUNT_OF(members));
    }
    return OK;
}

/* Bedrock takes back the citations that name their source's content; others are dropped, as
 * LangChain does. */
static bool can_cite(const struct piece *piece, const struct json *citations)
{
    if (piece->role != ROLE_ASSISTANT || !json_is(citations, JSON_ARRAY) || citations->count == 0)
        return false;
    for (const struct json *citation = citations->first; citation != NULL;
         citation = citation->next)
        if (json_member(citation, "sourceContent") == NULL)
            return false;
    return true;
}

/* {"citationsContent": {"content": [{"text": …}], "citations": …}} */
static enum err add_cited(const struct piece *piece, const struct json *text,
                          const struct json *citations)
{
    struct slice decoded, converse;
    struct buf raw OWNED_BY(buf_done);
    buf_init(&raw, text->source.len + citations->source.len + 64);
    enum err err = reader_string(piece->reader, piece->path, text, &decoded);
    if (err != OK)
        return err;
    if (text_is_blank(decoded))
        return conversation_add_text(piece->conversation, piece->role, TEXT_BLOCK, decoded,
                                     piece->path);
    buf_add_text(&raw, "{\"citationsContent\":{\"content\":[{\"text\":");
    buf_add(&raw, text->source);
    buf_add_text(&raw, "}],\"citations\":");
    buf_add(&raw, citations->source);
    buf_add_text(&raw, "}}");
    if (raw.failed != OK || !arena_copy(piece->reader->arena, buf_slice(&raw), &converse))
        return reader_no_memory(piece->reader);
    add_raw(piece, converse, decoded);
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
    if (can_cite(piece, citations))
        return add_cited(piece, text, citations);
    struct path path = path_member(piece->path, SLICE("text"));
    return add_string(piece->conversation, piece->role, TEXT_BLOCK, text, path.text);
}

/* --- LangChain's reasoning block --- */

static enum err add_reasoning_part(const struct piece *piece, struct buf *raw)
{
    struct slice converse;
    if (raw->failed != OK || !arena_copy(piece->reader->arena, buf_slice(raw), &converse))
        return reader_no_memory(piece->reader);
    add_raw(piece, converse, SLICE_NULL);
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
    if (piece->role != ROLE_ASSISTANT)
        return refuse(piece, "type", ERR_INVALID, "reasoning belongs to assistant messages");
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

static enum err add_langchain(const struct piece *piece, const struct json *type)
{
    if (json_equal_text(type, "text"))
        return add_langchain_text(piece);
    if (json_equal_text(type, "reasoning_content"))
        return add_reasoning(piece);
    for (size_t i = 0; i < COUNT_OF(later_kinds); i++)
        if (json_equal_text(type, later_kinds[i]))
            return refuse(
                piece, NULL, ERR_UNSUPPORTED_FIELD,
                "this version does not do blocks of this type yet (Converse's own blocks pass)");
    return refuse(piece, "type", ERR_INVALID, "no such type of block");
}

/* --- Converse's own blocks --- */

/* Byte for byte, unless Bedrock would refuse the text for being blank, or a template is to be
 * filled. */
static enum err add_converse_text(const struct piece *piece, const struct json *text)
{
    struct block block = {.is_text = true, .converse = piece->node->source};
    struct path path = path_member(piece->path, SLICE("text"));
    enum err err = reader_string(piece->reader, path.text, text, &block.text);
    if (err != OK)
        return err;
    if (piece->conversation->use != NULL || text_is_blank(block.text))
        return conversation_add_text(piece->conversation, piece->role, TEXT_BLOCK, block.text,
                                     path.text);
    conversation_add_block(piece->conversation, piece->role, &block);
    return OK;
}

static enum err unknown_block(const struct piece *piece)
{
    const char *names[COUNT_OF(converse_kinds)];
    if (piece->node->count == 0)
        return refuse(piece, NULL, ERR_INVALID, "an empty block");
    for (size_t i = 0; i < COUNT_OF(converse_kinds); i++)
        names[i] = converse_kinds[i].name;
    return reader_unknown_member(piece->reader, piece->path, piece->node->first->name, names,
                                 COUNT_OF(names));
}

static enum err add_converse(const struct piece *piece)
{
    const struct json *member = piece->node->first;
    size_t kind = 0;
    while (kind < COUNT_OF(converse_kinds) &&
           (member == NULL || !slice_equal_text(member->name, converse_kinds[kind].name)))
        kind++;
    if (kind == COUNT_OF(converse_kinds))
        return unknown_block(piece);
    if (piece->node->count > 1)
        return refuse(piece, NULL, ERR_INVALID,
                      "a block has one member (Converse's own), or a type and what belongs to it");
    if (piece->role == ROLE_SYSTEM && !converse_kinds[kind].in_system)
        return refuse(piece, NULL, ERR_INVALID,
                      "a system message takes text, guardContent and cachePoint");
    if (slice_equal_text(member->name, "text"))
        return add_converse_text(piece, member);
    add_raw(piece, piece->node->source, SLICE_NULL);
    return OK;
}

/* --- content --- */

static enum err add_element(struct conversation *conversation, enum role role,
                            const struct json *node, const char *path)
{
    struct piece piece = {
        .conversation = conversation,
        .reader = conversation->reader,
        .role = role,
        .node = node,
        .path = path,
    };
    if (node->kind == JSON_STRING)
        return add_string(conversation, role, TEXT_ELEMENT, node, path);
    if (node->kind != JSON_OBJECT)
        return refuse(&piece, NULL, ERR_INVALID, "a block is an object or a string");
    const struct json *type = json_member(node, "type");
    return type != NULL ? add_langchain(&piece, type) : add_converse(&piece);
}

enum err conversation_add_content(struct conversation *conversation, enum role role,
                                  const struct json *content, const char *path)
{
    if (content->kind == JSON_STRING)
        return add_string(conversation, role, TEXT_MESSAGE, content, path);
    if (content->kind != JSON_ARRAY)
        return why_set(conversation->reader->why, ERR_INVALID, path,
                       "must be a string or an array of blocks");
    size_t before = conversation->system_count + conversation->said_count, index = 0;
    conversation->was_text = false;
    for (const struct json *node = content->first; node != NULL; node = node->next) {
        enum err err = add_element(conversation, role, node, path_element(path, index++).text);
        if (err != OK)
            return err;
    }
    /* Nothing came of it: an empty array, or reasoning that cannot go back. */
    if (conversation->system_count + conversation->said_count == before) {
        struct block block = {.is_text = true, .is_blank = true, .text = BLANK_TEXT};
        conversation_add_block(conversation, role, &block);
    }
    return OK;
}
