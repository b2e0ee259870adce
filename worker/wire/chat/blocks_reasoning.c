#include "wire/chat/blocks_parts.h"

static enum err add_reasoning_part(const struct piece *piece, struct buf *raw)
{
    struct slice converse;
    if (raw->failed != OK || !arena_copy(piece->reader->arena, buf_slice(raw), &converse))
        return reader_no_memory(piece->reader);
    piece_add_converse(piece, converse);
    return OK;
}

/* Reasoning goes back only with its signature, or as the bytes that Bedrock encrypted; the rest it
 * would refuse. */
enum err blocks_add_reasoning(const struct piece *piece)
{
    const struct json *reasoning = json_member(piece->node, "reasoning_content");
    const struct json *text = json_member(reasoning, "text");
    const struct json *signature = json_member(reasoning, "signature");
    const struct json *redacted = json_member(reasoning, "redacted_content");
    struct buf raw OWNED_BY(buf_done);
    buf_init(&raw, piece->node->source.len + 128);
    if (!json_is(reasoning, JSON_OBJECT))
        return piece_refuse(piece, "reasoning_content", ERR_INVALID, "must be an object");
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
