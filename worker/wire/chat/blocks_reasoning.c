#include "wire/chat/blocks_parts.h"

/* Which reasoning goes back: langchain-aws, _bedrock_reasoning_block. Without its signature only to
 * models that take it so; what a model encrypted goes as it is; none to models that take none, and
 * none of another provider's (turns->drops_reasoning). */

static enum err add_text(const struct piece *piece, const struct json *text,
                         const struct json *signature)
{
    struct block block = {.kind = BLOCK_REASONING};
    const struct model_traits *traits = &piece->reader->request->traits;
    bool is_signed = reader_is_full_string(signature);
    bool goes_unsigned =
        reader_is_full_string(text) && traits_has(traits, TRAIT_UNSIGNED_REASONING);
    if (piece->turns->drops_reasoning || (!is_signed && !goes_unsigned))
        return OK;
    if (is_signed)
        block.reasoning.signature = signature->source;
    block.text = SLICE("");
    if (json_is(text, JSON_STRING) && !json_string(piece->reader->arena, text, &block.text))
        return reader_no_memory(piece->reader);
    turns_add_block(piece->turns, piece->role, &block);
    return OK;
}

static void add_redacted(const struct piece *piece, const struct json *redacted)
{
    struct block block = {.kind = BLOCK_REASONING};
    if (piece->turns->drops_reasoning || !reader_is_full_string(redacted))
        return;
    block.reasoning.redacted = redacted->source;
    turns_add_block(piece->turns, piece->role, &block);
}

enum err blocks_add_reasoning(const struct piece *piece)
{
    const struct json *reasoning = json_member(piece->node, "reasoning_content");
    if (!json_is(reasoning, JSON_OBJECT))
        return piece_refuse(piece, "reasoning_content", ERR_INVALID, "must be an object");
    enum err err =
        add_text(piece, json_member(reasoning, "text"), json_member(reasoning, "signature"));
    if (err == OK)
        add_redacted(piece, json_member(reasoning, "redacted_content"));
    return err;
}

/* Anthropic's: {"thinking", "signature"} */
enum err blocks_add_thinking(const struct piece *piece)
{
    static const char *const members[] = {"type", "thinking", "signature", "index", "extras"};
    const struct json *thinking = json_member(piece->node, "thinking");
    enum err err = blocks_check_members(piece, members, COUNT_OF(members));
    if (err != OK)
        return err;
    if (!json_is(thinking, JSON_STRING))
        return piece_refuse(piece, "thinking", ERR_INVALID, "must be a string");
    return add_text(piece, thinking, json_member(piece->node, "signature"));
}

/* Anthropic's: {"data"} */
enum err blocks_add_redacted_thinking(const struct piece *piece)
{
    static const char *const members[] = {"type", "data", "index", "extras"};
    const struct json *data = json_member(piece->node, "data");
    enum err err = blocks_check_members(piece, members, COUNT_OF(members));
    if (err != OK)
        return err;
    if (!json_is(data, JSON_STRING))
        return piece_refuse(piece, "data", ERR_INVALID, "must be a string");
    add_redacted(piece, data);
    return OK;
}

/* LangChain's content_blocks: {"reasoning", "extras": {"signature", "redacted_content"}} */
enum err blocks_add_standard_reasoning(const struct piece *piece)
{
    static const char *const members[] = {"type", "reasoning", "extras", "id", "index", "summary"};
    const struct json *extras = json_member(piece->node, "extras");
    const struct json *reasoning = json_member(piece->node, "reasoning");
    enum err err = blocks_check_members(piece, members, COUNT_OF(members));
    if (err != OK)
        return err;
    if (reasoning != NULL && reasoning->kind != JSON_STRING)
        return piece_refuse(piece, "reasoning", ERR_INVALID, "must be a string");
    err = add_text(piece, reasoning, json_member(extras, "signature"));
    if (err == OK)
        add_redacted(piece, json_member(extras, "redacted_content"));
    return err;
}

enum err blocks_add_converse_reasoning(const struct piece *piece, const struct json *inner)
{
    struct block block = {
        .kind = BLOCK_REASONING, .is_converse = true, .json = piece->node->source};
    const struct json *said = json_member(inner, "reasoningText");
    const struct json *text = json_member(said, "text");
    const struct json *signature = json_member(said, "signature");
    const struct json *redacted = json_member(inner, "redactedContent");
    if (json_is(signature, JSON_STRING))
        block.reasoning.signature = signature->source;
    if (json_is(redacted, JSON_STRING))
        block.reasoning.redacted = redacted->source;
    if (json_is(text, JSON_STRING) && !json_string(piece->reader->arena, text, &block.text))
        return reader_no_memory(piece->reader);
    turns_add_block(piece->turns, piece->role, &block);
    return OK;
}
