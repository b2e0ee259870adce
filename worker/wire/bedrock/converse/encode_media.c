#include "wire/bedrock/converse/parts.h"

/* {"bytes": "…"}, or {"s3Location": {"uri": "s3://…", "bucketOwner": "…"}} */
static void add_source(struct buf *body, const struct block *block)
{
    json_add_name(body, "source");
    if (block->media.uri.ptr != NULL) {
        buf_add_text(body, "{\"s3Location\":{");
        json_add_text_member(body, "uri", block->media.uri);
        json_add_text_member(body, "bucketOwner", block->media.owner);
        buf_add_text(body, "}}");
        return;
    }
    buf_add_text(body, "{\"bytes\":\"");
    buf_add(body, block->media.bytes); /* base64: nothing to escape */
    buf_add_text(body, "\"}");
}

void converse_add_media(struct buf *body, const struct block *block)
{
    buf_add_byte(body, '{');
    json_add_name(body, block_rows[block->kind].member);
    if (block->json.ptr != NULL) {
        buf_add(body, block->json);
        buf_add_byte(body, '}');
        return;
    }
    buf_add_byte(body, '{');
    json_add_text_member(body, "format", block->media.format);
    json_add_text_member(body, "name", block->media.name);
    add_source(body, block);
    json_add_text_member(body, "context", block->text);
    block_add_cites(body, block);
    buf_add_text(body, "}}");
}
