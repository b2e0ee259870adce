#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "unit/output_kit.h"
#include "unit/output_read.h"
#include "unit/torture.h"

#define ATTEMPTS                                                                                   \
    "\"attempts\":[{\"attempt\":1,\"call\":\"019aab1e-5000-7000-8000-000000000001\",\"model\":"    \
    "\"" KIT_MODEL "\",\"region\":\"us-east-1\",\"status\":429,\"error\":\"ThrottlingException\"," \
    "\"duration_ms\":12,\"bedrock_request_id\":\"req-1\"},{\"attempt\":2,\"call\":"                \
    "\"019aab1e-5000-7000-8000-000000000002\",\"model\":\"" KIT_MODEL                              \
    "\",\"region\":\"us-east-1\",\"status\":200,\"duration_ms\":701,"                              \
    "\"bedrock_request_id\":\"req-2\"}]"
#define POSITION                                                                                   \
    "\"request\":{\"topic\":\"bedrock.requests\",\"partition\":3,\"offset\":42,\"timestamp\":"     \
    "\"2026-11-22T10:00:00.083Z\"}"

static struct output *encode(const struct output_kit *kit)
{
    struct output *output = NULL;
    assert_int_equal(output_response(&kit->context, &kit->response, &output), OK);
    return output;
}

static void a_response_matches_the_golden_one(void **state)
{
    (void)state;
    struct output_kit kit;
    kit_init(&kit);
    kit.attempts[1].first_token_ms = 300;
    struct output *output = encode(&kit);
    assert_int_equal(output->kind, OUTPUT_RESPONSE);
    assert_text(output->topic, "bedrock.responses");
    assert_text(output->key, "customer-7");
    assert_int_equal(output->partition, -1);
    assert_text(
        output->value,
        "{\"id\":\"order-17\",\"status\":\"ok\",\"model\":\"" KIT_MODEL
        "\",\"model_requested\":\"claude\",\"stop_reason\":\"end_turn\",\"message\":{\"type\":"
        "\"ai\",\"id\":"
        "\"019aab1e-5000-7000-8000-000000000002\",\"content\":\"" KIT_TEXT "\","
        "\"tool_calls\":[],\"invalid_tool_calls\":[],\"usage_metadata\":{\"input_tokens\":29,"
        "\"output_tokens\":21,\"total_tokens\":50},\"response_metadata\":{\"ResponseMetadata\":"
        "{\"RequestId\":\"req-2\",\"HTTPStatusCode\":200,\"RetryAttempts\":1},\"stopReason\":"
        "\"end_turn\",\"metrics\":{\"latencyMs\":672},\"model_name\":\"" KIT_MODEL
        "\",\"model_provider\":\"bedrock_converse\"}},\"usage\":{\"input_tokens\":29,"
        "\"output_tokens\":21,\"total_tokens\":50,\"cache_read_tokens\":0,"
        "\"cache_write_tokens\":0,\"convention\":\"langchain\",\"raw\":{\"inputTokens\":29,"
        "\"outputTokens\":21,\"totalTokens\":50}}," ATTEMPTS
        ",\"timing\":{\"received_at\":\"2026-11-22T10:00:00.123Z\",\"answered_at\":"
        "\"2026-11-22T10:00:01.927Z\",\"queued_ms\":40,\"waited_ms\":1103,"
        "\"first_token_ms\":300,\"duration_ms\":701}," POSITION ",\"metadata\":{\"order\":17}}");
    output_free(output);
}

/* A fallback: the request named another model and API. */
static void a_response_says_the_cost_behind_the_counts_and_only_with_them(void **state)
{
    (void)state;
    static const char COST[] = "\"totalTokens\":50}},\"cost\":{\"amount\":\"0.000402\","
                               "\"currency\":\"USD\",\"prices\":\"2026-08-06-0123456789ab\",";
    struct output_cost cost = {.cost = KIT_COST};
    output_cost_write(&cost);
    struct output_kit kit;
    kit_init(&kit);
    kit.response.cost = &cost;
    struct output *output = encode(&kit);
    assert_non_null(memmem(output->value.ptr, output->value.len, COST, sizeof COST - 1));
    output_free(output);
    kit.answer.usage.known = false;
    output = encode(&kit);
    assert_null(memmem(output->value.ptr, output->value.len, "\"cost\"", 6));
    output_free(output);
}

static void a_response_names_the_model_and_api_of_its_last_attempt(void **state)
{
    (void)state;
    static const struct api_name OTHER = {
        .api = "invoke", .provider = "bedrock", .stop_reason = "stop_reason"};
    struct output_kit kit;
    kit_init(&kit);
    kit.attempts[1].model = SLICE("other.model");
    kit.attempts[1].api = &OTHER;
    struct output *output = encode(&kit);
    const char *value = output->value.ptr;
    assert_non_null(strstr(value, "\"status\":\"ok\",\"model\":\"other.model\","));
    assert_non_null(
        strstr(value, "\"model_name\":\"other.model\",\"model_provider\":\"bedrock\"}"));
    output_free(output);
}

static void an_error_response_matches_the_golden_one(void **state)
{
    (void)state;
    struct output_kit kit;
    kit_init(&kit);
    kit_fail(&kit);
    kit.request.model = SLICE_NULL;
    kit.request.metadata = SLICE_NULL;
    kit.response.attempt_count = 0;
    struct output *output = encode(&kit);
    assert_text(output->value,
                "{\"id\":\"order-17\",\"status\":\"error\",\"error\":{\"code\":\"rejected\","
                "\"type\":\"ValidationException\",\"message\":\"messages[0].content: messages must "
                "not be empty\","
                "\"retryable\":false,\"field\":\"messages[0].content\"},\"attempts\":[],"
                "\"timing\":{\"received_at\":\"2026-11-22T10:00:00.123Z\",\"answered_at\":"
                "\"2026-11-22T10:00:01.927Z\",\"queued_ms\":40,\"waited_ms\":1103}," POSITION "}");
    assert_text(header_of(output, "bedrock-error-code"), "rejected");
    output_free(output);
}

static void an_error_without_a_message_gets_the_tables(void **state)
{
    (void)state;
    struct output_kit kit;
    kit_init(&kit);
    kit_fail(&kit);
    kit.why = (struct why){.err = ERR_EXPIRED};
    struct output *output = encode(&kit);
    struct arena arena;
    arena_init(&arena, 1 << 20);
    const struct json *error = json_member(value_of(&arena, output), "error");
    assert_true(json_equal_text(json_member(error, "code"), "expired"));
    assert_true(json_equal_text(json_member(error, "type"), "expired"));
    assert_true(json_equal_text(json_member(error, "message"), err_words(ERR_EXPIRED)));
    assert_null(json_member(error, "field"));
    arena_done(&arena);
    output_free(output);
}

static void a_response_is_a_cloud_event_in_binary_mode(void **state)
{
    (void)state;
    struct output_kit kit;
    kit_init(&kit);
    struct output *output = encode(&kit);
    assert_text(header_of(output, "ce_specversion"), "1.0");
    assert_text(header_of(output, "ce_id"), "bedrock.requests/3/42/1795341600083");
    assert_text(header_of(output, "ce_source"), "/bedrock-worker/bedrock-worker");
    assert_text(header_of(output, "ce_type"), "bedrock.chat.response.v1");
    assert_text(header_of(output, "ce_subject"), "order-17");
    assert_text(header_of(output, "ce_time"), "2026-11-22T10:00:01.927Z");
    assert_text(header_of(output, "content-type"), "application/json");
    assert_false(has_header(output, "bedrock-error-code"));
    output_free(output);
}

static void a_record_without_a_timestamp_has_none_in_its_response(void **state)
{
    (void)state;
    struct output_kit kit;
    kit_init(&kit);
    kit.record.timestamp_type = TIMESTAMP_NONE;
    kit.record.timestamp_ms = -1;
    struct output *output = encode(&kit);
    struct arena arena;
    arena_init(&arena, 1 << 20);
    const struct json *request = json_member(value_of(&arena, output), "request");
    assert_non_null(json_member(request, "offset"));
    assert_null(json_member(request, "timestamp"));
    assert_text(header_of(output, "ce_id"), "bedrock.requests/3/42/-1");
    arena_done(&arena);
    output_free(output);
}

static void a_record_without_a_timestamp_has_no_queued_time(void **state)
{
    (void)state;
    struct output_kit kit;
    kit_init(&kit);
    kit.record.timestamp_ms = -1; /* the type does not matter */
    kit.response.queued_ms = KIT_WALL_MS + 1;
    struct output *output = encode(&kit);
    struct arena arena;
    arena_init(&arena, 1 << 20);
    const struct json *timing = json_member(value_of(&arena, output), "timing");
    assert_null(json_member(timing, "queued_ms"));
    assert_non_null(json_member(timing, "waited_ms"));
    arena_done(&arena);
    output_free(output);
}

static void headers_are_echoed_as_bytes_in_order_with_repeats(void **state)
{
    (void)state;
    struct output_kit kit;
    kit_init(&kit);
    struct header headers[] = {
        {SLICE("X-Correlation-Id"), slice_of("\xff\x00\x80\x01", 4)},
        {SLICE("not-ours"), SLICE("a")},
        {SLICE("kafka_correlationId"), SLICE_NULL},
        {SLICE("TRACEPARENT"), SLICE("")},
        {SLICE("X-Correlation-Id"), SLICE("again")},
    };
    kit.record.headers = (struct headers){headers, COUNT_OF(headers)};
    struct output *output = encode(&kit);
    memset(headers, 0, sizeof headers);
    assert_text(output->headers[0].name, "X-Correlation-Id");
    assert_int_equal(output->headers[0].value.len, 4);
    assert_memory_equal(output->headers[0].value.ptr, "\xff\x00\x80\x01", 4);
    assert_text(output->headers[1].name, "kafka_correlationId");
    assert_null(output->headers[1].value.ptr);
    assert_text(output->headers[2].name, "TRACEPARENT");
    assert_non_null(output->headers[2].value.ptr);
    assert_int_equal(output->headers[2].value.len, 0);
    assert_text(output->headers[3].value, "again");
    assert_text(output->headers[4].name, "ce_id");
    assert_int_equal(output->header_count, 4 + 7);
    output_free(output);
}

static void reserved_headers_are_never_echoed(void **state)
{
    (void)state;
    struct output_kit kit;
    kit_init(&kit);
    kit.globs[0] = SLICE("*");
    struct header headers[] = {
        {SLICE("ce_id"), SLICE("x")},
        {SLICE("CE_expirytime"), SLICE("x")},
        {SLICE("Content-Type"), SLICE("x")},
        {SLICE("__TypeId__"), SLICE("x")},
        {SLICE("spring_json_header_types"), SLICE("x")},
        {SLICE("kafka_replyTopic"), SLICE("x")},
        {SLICE("kafka_replyPartition"), SLICE("x")},
        {SLICE("bedrock-error-code"), SLICE("x")},
        {SLICE("anything"), SLICE("else")},
    };
    kit.record.headers = (struct headers){headers, COUNT_OF(headers)};
    struct output *output = encode(&kit);
    assert_int_equal(output->header_count, 1 + 7);
    assert_text(output->headers[0].name, "anything");
    assert_text(header_of(output, "ce_id"), "bedrock.requests/3/42/1795341600083");
    output_free(output);
}

static void null_keys_stay_null_and_empty_keys_stay_empty(void **state)
{
    (void)state;
    struct output_kit kit;
    kit_init(&kit);
    kit.record.key = SLICE_NULL;
    struct output *output = encode(&kit);
    assert_null(output->key.ptr);
    output_free(output);
    kit.record.key = SLICE("");
    output = encode(&kit);
    assert_non_null(output->key.ptr);
    assert_int_equal(output->key.len, 0);
    output_free(output);
}

static void a_reply_topic_gets_the_response_unless_it_was_rejected(void **state)
{
    (void)state;
    struct output_kit kit;
    kit_init(&kit);
    char topic[] = "replies.a";
    kit.request.reply_topic = slice_of(topic, strlen(topic));
    kit.request.reply_partition = 5;
    struct output *output = encode(&kit);
    topic[0] = 'X';
    assert_text(output->topic, "replies.a");
    assert_int_equal(output->partition, 5);
    output_free(output);
    kit_fail(&kit);
    kit.why.err = ERR_REPLY_REFUSED;
    output = encode(&kit);
    assert_text(output->topic, "bedrock.responses");
    assert_int_equal(output->partition, -1);
    assert_text(header_of(output, "bedrock-error-code"), "reply_topic_refused");
    output_free(output);
}

static void cache_counts_take_langchains_form(void **state)
{
    (void)state;
    struct output_kit kit;
    kit_init(&kit);
    struct usage_counts *usage = &kit.answer.usage;
    usage->input_tokens = 129;
    usage->total_tokens = 150;
    usage->cache_read_tokens = 60;
    usage->cache_write_tokens = 40;
    usage->reasoning_tokens = 7;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct output *output = encode(&kit);
    const struct json *message = json_member(value_of(&arena, output), "message");
    assert_text(json_member(message, "usage_metadata")->source,
                "{\"input_tokens\":129,\"output_tokens\":21,\"total_tokens\":150,"
                "\"input_token_details\":{\"cache_read\":60,\"cache_creation\":40},"
                "\"output_token_details\":{\"reasoning\":7}}");
    output_free(output);
    usage->cache_write_5m_tokens = 25;
    usage->cache_write_1h_tokens = 15;
    output = encode(&kit);
    const struct json *root = value_of(&arena, output);
    const struct json *metadata = json_member(json_member(root, "message"), "usage_metadata");
    assert_text(json_member(metadata, "input_token_details")->source,
                "{\"cache_read\":60,\"cache_creation\":0,\"ephemeral_5m_input_tokens\":25,"
                "\"ephemeral_1h_input_tokens\":15}");
    const struct json *counts = json_member(root, "usage");
    assert_text(json_member(counts, "cache_write_1h_tokens")->source, "15");
    assert_text(json_member(counts, "reasoning_tokens")->source, "7");
    output_free(output);
    arena_done(&arena);
}

static void an_answer_without_counts_or_stop_reason_leaves_them_out(void **state)
{
    (void)state;
    struct output_kit kit;
    kit_init(&kit);
    kit.answer = (struct answer){.content = SLICE("[]")};
    kit.attempts[1].bedrock_request_id[0] = '\0';
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct output *output = encode(&kit);
    const struct json *root = value_of(&arena, output);
    const struct json *message = json_member(root, "message");
    assert_null(json_member(root, "usage"));
    assert_null(json_member(root, "stop_reason"));
    assert_null(json_member(message, "usage_metadata"));
    assert_text(json_member(message, "content")->source, "[]");
    assert_text(json_member(message, "tool_calls")->source, "[]");
    assert_text(json_member(message, "response_metadata")->source,
                "{\"ResponseMetadata\":{\"HTTPStatusCode\":200,\"RetryAttempts\":1},"
                "\"model_name\":\"" KIT_MODEL "\",\"model_provider\":\"bedrock_converse\"}");
    output_free(output);
    arena_done(&arena);
}

static void metadata_and_raw_usage_keep_their_source_text(void **state)
{
    (void)state;
    struct output_kit kit;
    kit_init(&kit);
    kit.request.metadata =
        SLICE("{ \"n\": 1.0E+2, \"big\": 12345678901234567890123, \"z\": null }");
    kit.answer.usage.raw = SLICE("{ \"inputTokens\" : 29.0 }");
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct output *output = encode(&kit);
    const struct json *root = value_of(&arena, output);
    assert_true(slice_equal(json_member(root, "metadata")->source, kit.request.metadata));
    const struct json *usage = json_member(root, "usage");
    assert_true(slice_equal(json_member(usage, "raw")->source, kit.answer.usage.raw));
    output_free(output);
    arena_done(&arena);
}

static void foreign_text_is_cut_before_invalid_utf8(void **state)
{
    (void)state;
    struct output_kit kit;
    kit_init(&kit);
    kit_fail(&kit);
    memcpy(kit.attempts[0].error, "Thr\xc3(", 6);
    memcpy(kit.attempts[0].bedrock_request_id, "\xff", 2);
    memcpy(kit.why.message, "a\"b\n\xe2\x82", 7);
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct output *output = encode(&kit);
    const struct json *root = value_of(&arena, output);
    const struct json *attempt = json_member(root, "attempts")->first;
    assert_text(json_member(attempt, "error")->source, "\"Thr\"");
    assert_text(json_member(attempt, "bedrock_request_id")->source, "\"\"");
    assert_text(json_member(json_member(root, "error"), "message")->source,
                "\"messages[0].content: a\\\"b\\n\"");
    output_free(output);
    arena_done(&arena);
}

static void an_error_without_a_field_has_only_its_message(void **state)
{
    (void)state;
    struct output_kit kit;
    kit_init(&kit);
    kit_fail(&kit);
    kit.why.field[0] = '\0';
    kit.why.message[0] = '\0';
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct output *output = encode(&kit);
    const struct json *error = json_member(value_of(&arena, output), "error");
    assert_text(json_member(error, "message")->source, "\"Bedrock found the request invalid\"");
    assert_null(json_member(error, "field"));
    output_free(output);
    arena_done(&arena);
}

static void an_output_counts_its_memory_and_stops_at_its_limit(void **state)
{
    (void)state;
    struct output_kit kit;
    kit_init(&kit);
    struct output *output = encode(&kit);
    assert_int_equal(output->held_bytes, sizeof *output + output->body.room + output->arena.held);
    assert_true(output->held_bytes < 2 * output->value.len + 1024);
    output_free(output);

    static char huge[100000];
    memset(huge, 'x', sizeof huge);
    struct header headers[] = {{SLICE("correlation"), slice_of(huge, sizeof huge)}};
    kit.record.headers = (struct headers){headers, 1};
    output = encode(&kit);
    assert_int_equal(output->headers[0].value.len, sizeof huge);
    assert_true(output->held_bytes > sizeof huge);
    output_free(output);

    int64_t live = memory_live();
    kit.context.output_bytes_max = sizeof huge;
    output = NULL;
    assert_int_equal(output_response(&kit.context, &kit.response, &output), ERR_TOO_LARGE);
    kit.context.output_bytes_max = 100;
    assert_int_equal(output_response(&kit.context, &kit.response, &output), ERR_TOO_LARGE);
    assert_null(output);
    assert_int_equal(memory_live(), live);
}

static void a_usual_response_allocates_one_block_for_its_value(void **state)
{
    (void)state;
    struct output_kit kit;
    kit_init(&kit);
    struct output *output = NULL;
    memory_fail_after(3);
    enum err err = output_response(&kit.context, &kit.response, &output);
    memory_fail_after(-1);
    assert_int_equal(err, OK);
    output_free(output);
}

static bool encode_both(void *self)
{
    struct output_kit *kit = self;
    struct output *output = NULL;
    enum err err = output_response(&kit->context, &kit->response, &output);
    if (err != OK) {
        assert_int_equal(err, ERR_NO_MEMORY);
        assert_null(output);
        return false;
    }
    output_free(output);
    return true;
}

static void a_response_survives_failed_allocations(void **state)
{
    (void)state;
    struct output_kit kit;
    kit_init(&kit);
    assert_true(torture(encode_both, &kit) > 0);
    kit_fail(&kit);
    assert_true(torture(encode_both, &kit) > 0);
    output_free(NULL);
}

static const char PROFILE[] = "arn:aws:bedrock:us-east-1:1:application-inference-profile/x";

static void assert_model(struct output_kit *kit, const char *metadata)
{
    struct output *output = NULL;
    assert_int_equal(output_response(&kit->context, &kit->response, &output), OK);
    struct buf value OWNED_BY(buf_done);
    buf_init(&value, 1 << 16);
    buf_add(&value, output->value);
    assert_non_null(strstr(buf_text(&value), metadata));
    output_free(output);
}

static void a_base_model_and_its_profile_are_named_as_langchain_does(void **state)
{
    (void)state;
    struct output_kit kit;
    kit_init(&kit);
    struct api_name api = *kit.attempts[1].api;
    kit.attempts[1].api = &api;
    kit.request.base_model = SLICE("anthropic.claude-x");
    kit.request.model = kit.attempts[1].model = slice_of_text(PROFILE);
    api.tells_base_model = true;
    assert_model(&kit, "\"model_name\":\"anthropic.claude-x\",\"inference_profile_id\":\"arn:aws:"
                       "bedrock:us-east-1:1:application-inference-profile/x\",\"model_provider\"");
    kit.request.base_model = SLICE_NULL;
    assert_model(&kit, "\"model_name\":\"arn:aws:bedrock:us-east-1:1:application-inference-profile/"
                       "x\",\"inference_profile_id\":\"arn");
    /* Another model was called. */
    kit.request.base_model = SLICE("anthropic.claude-x");
    kit.attempts[1].model = SLICE("other.model");
    assert_model(&kit, "\"model_name\":\"other.model\",\"model_provider\"");
    kit.attempts[1].model = kit.request.model;
    api.tells_base_model = false;
    assert_model(&kit, "application-inference-profile/x\",\"model_provider\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_response_matches_the_golden_one),
        cmocka_unit_test(a_response_says_the_cost_behind_the_counts_and_only_with_them),
        cmocka_unit_test(a_response_names_the_model_and_api_of_its_last_attempt),
        cmocka_unit_test(an_error_response_matches_the_golden_one),
        cmocka_unit_test(an_error_without_a_message_gets_the_tables),
        cmocka_unit_test(a_response_is_a_cloud_event_in_binary_mode),
        cmocka_unit_test(a_record_without_a_timestamp_has_none_in_its_response),
        cmocka_unit_test(a_record_without_a_timestamp_has_no_queued_time),
        cmocka_unit_test(headers_are_echoed_as_bytes_in_order_with_repeats),
        cmocka_unit_test(reserved_headers_are_never_echoed),
        cmocka_unit_test(null_keys_stay_null_and_empty_keys_stay_empty),
        cmocka_unit_test(a_reply_topic_gets_the_response_unless_it_was_rejected),
        cmocka_unit_test(cache_counts_take_langchains_form),
        cmocka_unit_test(an_answer_without_counts_or_stop_reason_leaves_them_out),
        cmocka_unit_test(metadata_and_raw_usage_keep_their_source_text),
        cmocka_unit_test(foreign_text_is_cut_before_invalid_utf8),
        cmocka_unit_test(an_error_without_a_field_has_only_its_message),
        cmocka_unit_test(an_output_counts_its_memory_and_stops_at_its_limit),
        cmocka_unit_test(a_usual_response_allocates_one_block_for_its_value),
        cmocka_unit_test(a_response_survives_failed_allocations),
        cmocka_unit_test(a_base_model_and_its_profile_are_named_as_langchain_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
