#include "wire/outputs/output.h"

#include "base/check.h"
#include "wire/formats/json.h"
#include "wire/outputs/draft.h"

#define CHUNK_FRAME_BYTES 520 /* beside the texts that are counted one by one */
#define CHUNK_LAST_BYTES  900 /* more on the last chunk: counts and metadata, or the error */

/* The last chunk says what the response's message says of the call and the model, so that the sum
 * of a run has the same response_metadata. */
static void add_metadata(struct buf *body, const struct chunk_facts *facts)
{
    const struct stream_step *step = facts->step;
    if (step->metadata.len == 0 && !step->is_last)
        return;
    json_add_name(body, "response_metadata");
    buf_add_byte(body, '{');
    output_add_members(body, step->metadata);
    if (step->is_last) {
        output_add_call_metadata(body, facts->attempt);
        output_add_model_metadata(body, facts->request, facts->attempt);
    }
    buf_add_byte(body, '}');
}

static void add_step(struct buf *body, const struct chunk_facts *facts)
{
    const struct stream_step *step = facts->step;
    json_add_member(body, "content", step->content.ptr != NULL ? step->content : SLICE("[]"));
    json_add_member(body, "tool_call_chunks", step->tool_call_chunks);
    if (step->has_usage && facts->usage != NULL)
        output_add_usage_metadata(body, facts->usage);
    add_metadata(body, facts);
    if (step->is_last)
        json_add_text_member(body, "chunk_position", SLICE("last"));
    json_add_bool_member(body, "last", step->is_last);
}

/* LangChain's AIMessageChunk. */
static void add_value(struct buf *body, const struct chunk_facts *facts)
{
    buf_add_byte(body, '{');
    json_add_text_member(body, "type", SLICE("AIMessageChunk"));
    json_add_text_member(body, "id", facts->request->id);
    json_add_text_member(body, "run", uuid_slice(&facts->attempt->call));
    json_add_int_member(body, "attempt", facts->attempt->number);
    json_add_int_member(body, "seq", facts->seq);
    if (facts->gap > 0)
        json_add_int_member(body, "gap", facts->gap);
    if (facts->step != NULL) {
        add_step(body, facts);
    } else {
        json_add_member(body, "content", SLICE("[]"));
        json_add_bool_member(body, "last", true);
        output_add_error(body, facts->why);
    }
    buf_add_byte(body, '}');
}

static size_t expected_bytes(const struct chunk_facts *facts)
{
    size_t bytes = CHUNK_FRAME_BYTES + 2 * facts->request->id.len;
    if (facts->step == NULL)
        return bytes + CHUNK_LAST_BYTES;
    return bytes + facts->step->content.len + facts->step->tool_call_chunks.len +
           facts->step->metadata.len + (facts->step->is_last ? CHUNK_LAST_BYTES : 0);
}

enum err output_chunk(const struct output_context *context, const struct chunk_facts *facts,
                      struct output **ret_output)
{
    CHECK((facts->step == NULL) != (facts->why == NULL));
    struct draft draft;
    enum err err = draft_begin(&draft, context, OUTPUT_CHUNK, expected_bytes(facts));
    if (err != OK)
        return err;
    add_value(draft.body, facts);
    draft_value_ends(&draft);
    draft_header_begins(&draft, "ce_id");
    buf_add(draft.body, uuid_slice(&facts->attempt->call));
    buf_add_byte(draft.body, '/');
    buf_add_int(draft.body, facts->seq);
    draft_header_ends(&draft);
    draft_event_headers(&draft, "bedrock.chat.chunk.v1", facts->request->id, facts->wall_ms);
    draft_traceparent(&draft, facts->record);
    struct draft_address address = {.topic = context->chunks_topic,
                                    .partition = facts->partition,
                                    .key = facts->record->key,
                                    .headers = facts->record->headers,
                                    .keep = output_echoes};
    return draft_end(&draft, &address, ret_output);
}
