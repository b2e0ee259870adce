/* One request and its result, for the tests of the encoders and for tests/checks/print_outputs.c:
 * the page's translation, throttled once. Every fact may be changed before it is encoded. */
#ifndef UNIT_OUTPUT_KIT_H
#define UNIT_OUTPUT_KIT_H

#include <string.h>

#include "wire/bedrock/converse/converse.h"
#include "wire/outputs/output.h"

#define KIT_WALL_MS INT64_C(1795341600123) /* 2026-11-22T10:00:00.123Z */
#define KIT_MODEL   "anthropic.claude-3-sonnet-20240229-v1:0"
#define KIT_COST                                                                                   \
    ((struct money_cost){.is_known = true,                                                         \
                         .currency = "USD",                                                        \
                         .prices = "2026-08-06-0123456789ab",                                      \
                         .input = 87000000,                                                        \
                         .output = 315000000,                                                      \
                         .amount = 402000000})
#define KIT_TEXT "Voici la traduction en français :\\n\\nJ'aime la programmation."

struct output_kit {
    struct slice globs[3];
    struct header headers[4];
    struct output_context context;
    struct record record;
    struct request request;
    struct answer answer;
    struct attempt attempts[2];
    struct why why;
    struct response_facts response;
    struct usage_facts usage;
    struct stream_step step;
    struct chunk_facts chunk;
};

static inline void kit_attempt(struct attempt *attempt, int number, const char *call, int status)
{
    *attempt = (struct attempt){.number = number,
                                .model = SLICE(KIT_MODEL),
                                .region = SLICE("us-east-1"),
                                .api = &api_converse.name,
                                .status = status,
                                .started_wall_ms = KIT_WALL_MS + 1000 * number,
                                .duration_ms = status == 200 ? 701 : 12,
                                .first_token_ms = -1};
    memcpy(attempt->call.text, call, UUID_TEXT_LEN);
}

static inline void kit_request(struct output_kit *kit)
{
    kit->headers[0] =
        (struct header){SLICE("kafka_correlationId"), slice_of("\xff\x00\x80\x01", 4)};
    kit->headers[1] = (struct header){SLICE("content-type"), SLICE("text/plain")};
    kit->headers[2] = (struct header){
        SLICE("traceparent"), SLICE("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")};
    kit->headers[3] = (struct header){SLICE("x-private"), SLICE("no")};
    kit->record = (struct record){.topic = SLICE("bedrock.requests"),
                                  .partition = 3,
                                  .offset = 42,
                                  .timestamp_ms = KIT_WALL_MS - 40,
                                  .timestamp_type = TIMESTAMP_CREATE,
                                  .key = SLICE("customer-7"),
                                  .value = SLICE("{\"id\":\"order-17\"}"),
                                  .headers = {kit->headers, COUNT_OF(kit->headers)}};
    kit->request = (struct request){.id = SLICE("order-17"),
                                    .model_requested = SLICE("claude"),
                                    .model = SLICE(KIT_MODEL),
                                    .metadata = SLICE("{\"order\":17}"),
                                    .tenant = SLICE("default"),
                                    .reply_partition = -1};
}

static inline void kit_answer(struct output_kit *kit)
{
    kit->answer = (struct answer){
        .content = SLICE("\"" KIT_TEXT "\""),
        .tool_calls = SLICE("[]"),
        .invalid_tool_calls = SLICE("[]"),
        .stop_reason = SLICE("end_turn"),
        .metadata = SLICE("\"metrics\":{\"latencyMs\":672}"),
        .usage = {.input_tokens = 29,
                  .output_tokens = 21,
                  .total_tokens = 50,
                  .cache_write_1h_tokens = ANSWER_COUNT_ABSENT,
                  .reasoning_tokens = ANSWER_COUNT_ABSENT,
                  .known = true,
                  .raw = SLICE("{\"inputTokens\":29,\"outputTokens\":21,\"totalTokens\":50}")}};
}

static inline void kit_facts(struct output_kit *kit)
{
    kit->response = (struct response_facts){.record = &kit->record,
                                            .request = &kit->request,
                                            .answer = &kit->answer,
                                            .attempts = kit->attempts,
                                            .attempt_count = COUNT_OF(kit->attempts),
                                            .received_wall_ms = KIT_WALL_MS,
                                            .answered_wall_ms = KIT_WALL_MS + 1804,
                                            .queued_ms = 40,
                                            .waited_ms = 1103};
    kit->usage = (struct usage_facts){.record = &kit->record,
                                      .request = &kit->request,
                                      .attempt = &kit->attempts[1],
                                      .answer = &kit->answer,
                                      .counts = kit->answer.usage,
                                      .final = true,
                                      .wall_ms = KIT_WALL_MS + 1804};
    kit->step = (struct stream_step){
        .is_chunk = true, .content = SLICE("[{\"type\":\"text\",\"text\":\" la\",\"index\":0}]")};
    kit->chunk = (struct chunk_facts){.record = &kit->record,
                                      .request = &kit->request,
                                      .attempt = &kit->attempts[1],
                                      .seq = 3,
                                      .step = &kit->step,
                                      .usage = &kit->answer.usage,
                                      .partition = -1,
                                      .wall_ms = KIT_WALL_MS + 1300};
}

static inline void kit_init(struct output_kit *kit)
{
    *kit = (struct output_kit){
        .globs = {SLICE("traceparent"), SLICE("tracestate"), SLICE("*correlation*")}};
    kit->context = (struct output_context){.source = SLICE("/bedrock-worker/bedrock-worker"),
                                           .group_id = SLICE("bedrock-worker"),
                                           .responses_topic = SLICE("bedrock.responses"),
                                           .chunks_topic = SLICE("bedrock.chunks"),
                                           .usage_topic = SLICE("bedrock.usage"),
                                           .dead_letters_topic = SLICE("bedrock.dead-letters"),
                                           .budgets_topic = SLICE("bedrock.budgets"),
                                           .echo_headers = kit->globs,
                                           .echo_header_count = COUNT_OF(kit->globs),
                                           .output_bytes_max = 1 << 20};
    kit_request(kit);
    kit_answer(kit);
    kit_attempt(&kit->attempts[0], 1, "019aab1e-5000-7000-8000-000000000001", 429);
    kit_attempt(&kit->attempts[1], 2, "019aab1e-5000-7000-8000-000000000002", 200);
    memcpy(kit->attempts[0].error, "ThrottlingException", sizeof "ThrottlingException");
    memcpy(kit->attempts[0].bedrock_request_id, "req-1", sizeof "req-1");
    memcpy(kit->attempts[1].bedrock_request_id, "req-2", sizeof "req-2");
    kit->why = (struct why){.err = ERR_REJECTED,
                            .type = "ValidationException",
                            .field = "messages[0].content",
                            .message = "messages must not be empty"};
    kit_facts(kit);
}

/* The facts of a request that ended in `kit->why`. */
static inline void kit_fail(struct output_kit *kit)
{
    kit->response.answer = NULL;
    kit->response.why = &kit->why;
    kit->usage.answer = NULL;
}

#endif
