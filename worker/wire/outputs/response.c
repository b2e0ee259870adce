#include "wire/outputs/output.h"

#include "base/check.h"
#include "base/instant.h"
#include "wire/formats/json.h"
#include "wire/outputs/draft.h"
#include "wire/outputs/letter_names.h"

/* What a response holds beside the texts that are counted one by one: names, numbers, instants,
 * headers. */
#define RESPONSE_FRAME_BYTES 2000
#define ATTEMPT_BYTES        320

static size_t expected_bytes(const struct response_facts *facts)
{
    const struct request *request = facts->request;
    size_t bytes = RESPONSE_FRAME_BYTES + facts->attempt_count * ATTEMPT_BYTES +
                   2 * request->id.len + 3 * request->model.len + request->model_requested.len +
                   request->metadata.len + 2 * facts->record->topic.len;
    if (facts->answer != NULL)
        bytes += facts->answer->parsed.len + facts->answer->parsing_error.len +
                 facts->answer->content.len + facts->answer->tool_calls.len +
                 facts->answer->invalid_tool_calls.len + facts->answer->metadata.len +
                 facts->answer->usage.raw.len + 2 * facts->answer->additional_kwargs.len;
    return bytes;
}

/* The call that gave the answer, or the last that failed; NULL = none was made. */
static const struct attempt *last_of(const struct response_facts *facts)
{
    if (facts->answered != NULL)
        return facts->answered;
    return facts->attempt_count == 0 ? NULL : &facts->attempts[facts->attempt_count - 1];
}

/* LangChain's AIMessage. */
static void add_message(struct buf *body, const struct response_facts *facts)
{
    const struct answer *answer = facts->answer;
    const struct attempt *last = last_of(facts);
    json_add_name(body, "message");
    buf_add_byte(body, '{');
    json_add_text_member(body, "type", SLICE("ai"));
    json_add_text_member(body, "id", uuid_slice(&last->call));
    json_add_member(body, "content", answer->content.ptr != NULL ? answer->content : SLICE("\"\""));
    json_add_member(body, "tool_calls",
                    answer->tool_calls.ptr != NULL ? answer->tool_calls : SLICE("[]"));
    json_add_member(body, "invalid_tool_calls",
                    answer->invalid_tool_calls.ptr != NULL ? answer->invalid_tool_calls
                                                           : SLICE("[]"));
    if (answer->additional_kwargs.len > 0) {
        json_add_name(body, "additional_kwargs");
        buf_add_byte(body, '{');
        buf_add(body, answer->additional_kwargs);
        buf_add_byte(body, '}');
    }
    if (answer->usage.known)
        output_add_usage_metadata(body, &answer->usage);
    json_add_name(body, "response_metadata");
    buf_add_byte(body, '{');
    output_add_call_metadata(body, last);
    if (answer->additional_kwargs.len == 0)
        json_add_text_member(body, last->api->stop_reason, answer->stop_reason);
    output_add_members(body, answer->additional_kwargs);
    output_add_members(body, answer->metadata);
    output_add_model_metadata(body, facts->request, last);
    buf_add(body, SLICE("}}"));
}

static void add_attempt(struct buf *body, const struct attempt *attempt)
{
    buf_add_byte(body, '{');
    json_add_int_member(body, "attempt", attempt->number);
    json_add_text_member(body, "call", uuid_slice(&attempt->call));
    json_add_text_member(body, "model", attempt->model);
    json_add_text_member(body, "region", attempt->region);
    json_add_int_member(body, "status", attempt->status);
    output_add_foreign_member(body, "error", attempt->error);
    json_add_int_member(body, "duration_ms", attempt->duration_ms);
    output_add_foreign_member(body, "bedrock_request_id", attempt->bedrock_request_id);
    buf_add_byte(body, '}');
}

static void add_attempts(struct buf *body, const struct response_facts *facts)
{
    json_add_name(body, "attempts");
    buf_add_byte(body, '[');
    for (size_t i = 0; i < facts->attempt_count; i++) {
        if (i > 0)
            buf_add_byte(body, ',');
        add_attempt(body, &facts->attempts[i]);
    }
    buf_add_byte(body, ']');
}

static bool has_timestamp(const struct record *record)
{
    return record->timestamp_type != TIMESTAMP_NONE && record->timestamp_ms >= 0;
}

static void add_timing(struct buf *body, const struct response_facts *facts)
{
    const struct attempt *last = last_of(facts);
    json_add_name(body, "timing");
    buf_add_byte(body, '{');
    output_add_instant_member(body, "received_at", facts->received_wall_ms);
    output_add_instant_member(body, "answered_at", facts->answered_wall_ms);
    if (has_timestamp(facts->record))
        json_add_int_member(body, "queued_ms", facts->queued_ms);
    json_add_int_member(body, "waited_ms", facts->waited_ms);
    if (last != NULL && last->first_token_ms >= 0)
        json_add_int_member(body, "first_token_ms", last->first_token_ms);
    if (last != NULL)
        json_add_int_member(body, "duration_ms", last->duration_ms);
    buf_add_byte(body, '}');
}

static void add_position(struct buf *body, const struct record *record)
{
    json_add_name(body, "request");
    buf_add_byte(body, '{');
    json_add_text_member(body, "topic", record->topic);
    json_add_int_member(body, "partition", record->partition);
    json_add_int_member(body, "offset", record->offset);
    if (has_timestamp(record))
        output_add_instant_member(body, "timestamp", record->timestamp_ms);
    buf_add_byte(body, '}');
}

/* Bedrock counted the request's tokens, and no model answered. */
static void add_count(struct buf *body, const struct usage_counts *counts)
{
    json_add_name(body, "usage");
    buf_add_byte(body, '{');
    json_add_int_member(body, "input_tokens", counts->input_tokens);
    buf_add_byte(body, '}');
}

/* The one that answered, and what the request named where that is another text. */
static void add_model(struct buf *body, const struct request *request, struct slice model)
{
    json_add_text_member(body, "model", model);
    if (model.len > 0 && request->model_requested.len > 0 &&
        !slice_equal(request->model_requested, model))
        json_add_text_member(body, "model_requested", request->model_requested);
}

static void add_value(struct buf *body, const struct response_facts *facts)
{
    const struct request *request = facts->request;
    const struct attempt *last = last_of(facts);
    bool is_ok = facts->answer != NULL;
    buf_add_byte(body, '{');
    json_add_text_member(body, "id", request->id);
    json_add_text_member(body, "status", is_ok ? SLICE("ok") : SLICE("error"));
    add_model(body, request, last == NULL ? request->model : last->model);
    if (is_ok && request->count_tokens) {
        add_count(body, &facts->answer->usage);
    } else if (is_ok) {
        json_add_text_member(body, "stop_reason", facts->answer->stop_reason);
        add_message(body, facts);
        json_add_member(body, "parsed", facts->answer->parsed);
        json_add_text_member(body, "parsing_error", facts->answer->parsing_error);
        if (facts->answer->usage.known) {
            output_add_usage(body, &facts->answer->usage);
            output_add_cost(body, facts->cost);
        }
    } else {
        output_add_error(body, facts->why);
    }
    add_attempts(body, facts);
    add_timing(body, facts);
    add_position(body, facts->record);
    json_add_member(body, "metadata", request->metadata);
    buf_add_byte(body, '}');
}

/* Names the record, so a repeated publication has the same id and another request never does: a
 * recreated topic repeats offsets, hence the timestamp. */
static void add_event_id(struct draft *draft, const struct record *record)
{
    struct buf *body = draft->body;
    bool has_time = record->timestamp_type != TIMESTAMP_NONE;
    draft_header_begins(draft, "ce_id");
    buf_add(body, record->topic);
    buf_add_byte(body, '/');
    buf_add_int(body, record->partition);
    buf_add_byte(body, '/');
    buf_add_int(body, record->offset);
    buf_add_byte(body, '/');
    buf_add_int(body, has_time ? record->timestamp_ms : -1);
    draft_header_ends(draft);
}

enum err output_response(const struct output_context *context, const struct response_facts *facts,
                         struct output **ret_output)
{
    CHECK((facts->answer == NULL) != (facts->why == NULL));
    CHECK(facts->answer == NULL || facts->attempt_count > 0);
    struct draft draft;
    enum err err = draft_begin(&draft, context, OUTPUT_RESPONSE, expected_bytes(facts));
    if (err != OK)
        return err;
    add_value(draft.body, facts);
    draft_value_ends(&draft);
    add_event_id(&draft, facts->record);
    draft_event_headers(&draft, "bedrock.chat.response.v1", facts->request->id,
                        facts->answered_wall_ms);
    draft_traceparent(&draft, facts->record);
    if (facts->why != NULL)
        draft_header(&draft, LETTER_CODE, slice_of_text(err_code(facts->why->err)));
    if (facts->is_over_soft)
        draft_header(&draft, "bedrock-budget", SLICE("soft"));
    bool was_refused = facts->why != NULL && facts->why->err == ERR_REPLY_REFUSED;
    bool has_reply_topic = facts->request->reply_topic.ptr != NULL && !was_refused;
    struct draft_address address = {
        .topic = has_reply_topic ? facts->request->reply_topic : context->responses_topic,
        .topic_is_foreign = has_reply_topic,
        .partition = has_reply_topic ? facts->request->reply_partition : -1,
        .key = facts->record->key,
        .headers = facts->record->headers,
        .keep = output_echoes};
    return draft_end(&draft, &address, ret_output);
}
