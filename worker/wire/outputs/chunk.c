#include "wire/outputs/output.h"

#include <string.h>

#include "base/check.h"
#include "base/instant.h"
#include "wire/formats/json.h"
#include "wire/outputs/draft.h"

#define CHUNK_TYPE        "bedrock.chat.chunk.v1"
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

/* ---- the headers of a run ---- */

static void add_header(struct chunk_run *run, const char *name, struct slice value)
{
    run->list[run->count++] = (struct header){.name = slice_of_text(name), .value = value};
    run->bytes += strlen(name) + value.len;
}

static bool is_echoed(const struct output_context *context, const struct record *record, size_t i)
{
    struct slice name = record->headers.list[i].name;
    bool is_replaced =
        record->traceparent.ptr != NULL && slice_equal_nocase(name, SLICE("traceparent"));
    return !is_replaced && output_echoes(context, name);
}

enum err output_chunk_run(const struct output_context *context, struct arena *arena,
                          const struct record *record, const struct request *request,
                          struct chunk_run *ret_run)
{
    *ret_run = (struct chunk_run){
        .list = arena_new_array(arena, record->headers.count + DRAFT_HEADERS_MAX,
                                sizeof *ret_run->list),
    };
    if (ret_run->list == NULL)
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < record->headers.count; i++) {
        if (!is_echoed(context, record, i))
            continue;
        ret_run->list[ret_run->count++] = record->headers.list[i];
        ret_run->bytes += record->headers.list[i].name.len + record->headers.list[i].value.len;
    }
    ret_run->id = ret_run->count;
    add_header(ret_run, "ce_id", SLICE(""));
    add_header(ret_run, "ce_specversion", SLICE("1.0"));
    add_header(ret_run, "ce_source", context->source);
    add_header(ret_run, "ce_type", SLICE(CHUNK_TYPE));
    if (request->id.len > 0)
        add_header(ret_run, "ce_subject", request->id);
    ret_run->time = ret_run->count;
    add_header(ret_run, "ce_time", SLICE(""));
    add_header(ret_run, "content-type", SLICE("application/json"));
    if (record->traceparent.ptr != NULL)
        add_header(ret_run, "traceparent", record->traceparent);
    return OK;
}

static void add_id(struct buf *body, const struct chunk_facts *facts)
{
    buf_add(body, uuid_slice(&facts->attempt->call));
    buf_add_byte(body, '/');
    buf_add_int(body, facts->seq);
}

/* Seals a chunk with the headers of its run: only id and time are written. */
static enum err end_in_run(const struct draft *draft, const struct chunk_facts *facts,
                           struct output **ret_output)
{
    struct output *output = draft->output;
    struct chunk_run *run = facts->run;
    size_t id = draft->body->len;
    add_id(draft->body, facts);
    size_t time = draft->body->len;
    instant_add_rfc3339(draft->body, facts->wall_ms);
    enum err err = draft->body->failed;
    if (err == OK &&
        run->bytes + facts->record->key.len > draft->context->output_bytes_max - draft->body->len)
        err = ERR_TOO_LARGE;
    if (err != OK) {
        output_free(output);
        return err;
    }
    struct slice all = buf_slice(draft->body);
    run->list[run->id].value = slice_sub(all, id, time - id);
    run->list[run->time].value = slice_sub(all, time, all.len - time);
    output->topic = draft->context->chunks_topic;
    output->partition = facts->partition;
    output->key = facts->record->key;
    output->value = slice_sub(all, 0, draft->value_len);
    output->headers = run->list;
    output->header_count = run->count;
    output->held_bytes = sizeof *output + output->body.room;
    *ret_output = output;
    return OK;
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
    if (facts->run != NULL)
        return end_in_run(&draft, facts, ret_output);
    draft_header_begins(&draft, "ce_id");
    add_id(draft.body, facts);
    draft_header_ends(&draft);
    draft_event_headers(&draft, CHUNK_TYPE, facts->request->id, facts->wall_ms);
    draft_traceparent(&draft, facts->record);
    struct draft_address address = {.topic = context->chunks_topic,
                                    .partition = facts->partition,
                                    .key = facts->record->key,
                                    .headers = facts->record->headers,
                                    .keep = output_echoes};
    return draft_end(&draft, &address, ret_output);
}
