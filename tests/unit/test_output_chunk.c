#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/output_kit.h"
#include "unit/output_read.h"
#include "unit/torture.h"

#define HEAD                                                                                       \
    "{\"type\":\"AIMessageChunk\",\"id\":\"order-17\",\"run\":"                                    \
    "\"019aab1e-5000-7000-8000-000000000002\",\"attempt\":2,\"seq\":3,\"content\":"

static struct output *encode(const struct output_kit *kit)
{
    struct output *output = NULL;
    assert_int_equal(output_chunk(&kit->context, &kit->chunk, &output), OK);
    return output;
}

static void a_text_chunk_matches_the_golden_one(void **state)
{
    (void)state;
    struct output_kit kit;
    kit_init(&kit);
    struct output *output = encode(&kit);
    assert_int_equal(output->kind, OUTPUT_CHUNK);
    assert_text(output->topic, "bedrock.chunks");
    assert_text(output->key, "customer-7");
    assert_int_equal(output->partition, -1);
    assert_text(output->value,
                HEAD "[{\"type\":\"text\",\"text\":\" la\",\"index\":0}],\"last\":false}");
    output_free(output);
}

static void the_stop_reason_chunk_matches_the_golden_one(void **state)
{
    (void)state;
    struct output_kit kit;
    kit_init(&kit);
    kit.step = (struct stream_step){
        .is_chunk = true, .content = SLICE("[]"), .metadata = SLICE("\"stopReason\":\"end_turn\"")};
    struct output *output = encode(&kit);
    assert_text(output->value,
                HEAD "[],\"response_metadata\":{\"stopReason\":\"end_turn\"},\"last\":false}");
    output_free(output);
}

static void the_last_chunk_matches_the_golden_one(void **state)
{
    (void)state;
    struct output_kit kit;
    kit_init(&kit);
    kit.step = (struct stream_step){.is_chunk = true,
                                    .content = SLICE("[]"),
                                    .metadata = SLICE("\"metrics\":{\"latencyMs\":713}"),
                                    .has_usage = true,
                                    .is_last = true};
    struct output *output = encode(&kit);
    assert_text(output->value,
                HEAD "[],\"usage_metadata\":{\"input_tokens\":29,\"output_tokens\":21,"
                     "\"total_tokens\":50},\"response_metadata\":{\"metrics\":{\"latencyMs\":713},"
                     "\"ResponseMetadata\":{\"RequestId\":\"req-2\",\"HTTPStatusCode\":200,"
                     "\"RetryAttempts\":1},\"model_name\":\"" KIT_MODEL "\",\"model_provider\":"
                     "\"bedrock_converse\"},\"chunk_position\":\"last\",\"last\":true}");
    output_free(output);
}

static void a_tool_call_chunk_matches_the_golden_one(void **state)
{
    (void)state;
    struct output_kit kit;
    kit_init(&kit);
    kit.step.content = SLICE("[{\"type\":\"tool_use\",\"input\":\"{\\\"a\\\"\",\"index\":1}]");
    kit.step.tool_call_chunks =
        SLICE("[{\"type\":\"tool_call_chunk\",\"args\":\"{\\\"a\\\"\",\"index\":1}]");
    struct output *output = encode(&kit);
    assert_text(output->value,
                HEAD "[{\"type\":\"tool_use\",\"input\":\"{\\\"a\\\"\",\"index\":1}],"
                     "\"tool_call_chunks\":[{\"type\":\"tool_call_chunk\",\"args\":\"{\\\"a\\\"\","
                     "\"index\":1}],\"last\":false}");
    output_free(output);
}

static void the_closing_chunk_of_an_error_matches_the_golden_one(void **state)
{
    (void)state;
    struct output_kit kit;
    kit_init(&kit);
    kit.chunk.step = NULL;
    kit.chunk.why = &kit.why;
    kit.why = (struct why){.err = ERR_BROKEN_STREAM};
    struct output *output = encode(&kit);
    assert_text(output->value,
                HEAD "[],\"last\":true,\"error\":{\"code\":\"broken_stream\",\"type\":"
                     "\"broken_stream\",\"message\":\"the stream ended before its end\","
                     "\"retryable\":true}}");
    output_free(output);
}

static void a_chunk_is_a_cloud_event_in_binary_mode(void **state)
{
    (void)state;
    struct output_kit kit;
    kit_init(&kit);
    struct output *output = encode(&kit);
    assert_text(header_of(output, "ce_specversion"), "1.0");
    assert_text(header_of(output, "ce_id"), "019aab1e-5000-7000-8000-000000000002/3");
    assert_text(header_of(output, "ce_source"), "/bedrock-worker/bedrock-worker");
    assert_text(header_of(output, "ce_type"), "bedrock.chat.chunk.v1");
    assert_text(header_of(output, "ce_subject"), "order-17");
    assert_text(header_of(output, "ce_time"), "2026-11-22T10:00:01.423Z");
    assert_text(header_of(output, "content-type"), "application/json");
    output_free(output);
    kit.chunk.wall_ms = 0;
    output = encode(&kit);
    assert_false(has_header(output, "ce_time"));
    output_free(output);
}

static void a_chunk_goes_to_the_chunk_topic_with_the_echoed_headers(void **state)
{
    (void)state;
    struct output_kit kit;
    kit_init(&kit);
    kit.request.reply_topic = SLICE("replies");
    kit.request.reply_partition = 2;
    kit.record.key = SLICE_NULL;
    kit.chunk.partition = 11;
    struct output *output = encode(&kit);
    assert_text(output->topic, "bedrock.chunks");
    assert_int_equal(output->partition, 11);
    assert_null(output->key.ptr);
    assert_int_equal(output->header_count, 2 + 7);
    assert_text(output->headers[0].name, "kafka_correlationId");
    assert_memory_equal(output->headers[0].value.ptr, "\xff\x00\x80\x01", 4);
    assert_text(output->headers[1].name, "traceparent");
    output_free(output);
}

static void a_chunk_over_the_limit_is_rejected(void **state)
{
    (void)state;
    struct output_kit kit;
    kit_init(&kit);
    kit.context.output_bytes_max = 200;
    struct output *output = NULL;
    assert_int_equal(output_chunk(&kit.context, &kit.chunk, &output), ERR_TOO_LARGE);
    assert_null(output);
}

static bool encode_once(void *self)
{
    struct output_kit *kit = self;
    struct output *output = NULL;
    enum err err = output_chunk(&kit->context, &kit->chunk, &output);
    assert_true(err == OK || err == ERR_NO_MEMORY);
    assert_true((err == OK) == (output != NULL));
    output_free(output);
    return err == OK;
}

static void a_chunk_survives_failed_allocations(void **state)
{
    (void)state;
    struct output_kit kit;
    kit_init(&kit);
    assert_int_equal(torture(encode_once, &kit), 3);
    kit.step.is_last = kit.step.has_usage = true;
    assert_int_equal(torture(encode_once, &kit), 3);
}

static void assert_same(const struct output *a, const struct output *b)
{
    assert_true(slice_equal(a->topic, b->topic) && slice_equal(a->key, b->key));
    assert_true(slice_equal(a->value, b->value));
    assert_int_equal(a->partition, b->partition);
    assert_int_equal(a->header_count, b->header_count);
    for (size_t i = 0; i < a->header_count; i++) {
        assert_true(slice_equal(a->headers[i].name, b->headers[i].name));
        assert_true(slice_equal(a->headers[i].value, b->headers[i].value));
    }
}

static void a_chunk_of_a_run_has_the_headers_of_a_single_one(void **state)
{
    (void)state;
    struct output_kit kit;
    struct arena arena OWNED_BY(arena_done);
    struct chunk_run run;
    kit_init(&kit);
    arena_init(&arena, 1 << 16);
    for (int round = 0; round < 4; round++) {
        kit.record.traceparent = round % 2 == 0 ? SLICE_NULL : SLICE("00-ab-cd-01");
        kit.request.id = round < 2 ? SLICE("order-17") : SLICE("");
        assert_int_equal(output_chunk_run(&kit.context, &arena, &kit.record, &kit.request, &run),
                         OK);
        for (int64_t seq = 0; seq < 3; seq++) {
            kit.chunk.seq = seq;
            kit.chunk.wall_ms += 1000;
            kit.chunk.run = NULL;
            struct output *own = encode(&kit);
            kit.chunk.run = &run;
            struct output *shared = encode(&kit);
            assert_same(own, shared);
            output_free(own);
            output_free(shared);
        }
    }
    /* The limit counts the headers. */
    kit.context.output_bytes_max = run.bytes + 200;
    struct output *output = NULL;
    assert_int_equal(output_chunk(&kit.context, &kit.chunk, &output), ERR_TOO_LARGE);
    kit.context.output_bytes_max = 1 << 20;
    assert_int_equal(torture(encode_once, &kit), 2); /* a chunk and its text */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_chunk_matches_the_golden_one),
        cmocka_unit_test(the_stop_reason_chunk_matches_the_golden_one),
        cmocka_unit_test(the_last_chunk_matches_the_golden_one),
        cmocka_unit_test(a_tool_call_chunk_matches_the_golden_one),
        cmocka_unit_test(the_closing_chunk_of_an_error_matches_the_golden_one),
        cmocka_unit_test(a_chunk_is_a_cloud_event_in_binary_mode),
        cmocka_unit_test(a_chunk_goes_to_the_chunk_topic_with_the_echoed_headers),
        cmocka_unit_test(a_chunk_over_the_limit_is_rejected),
        cmocka_unit_test(a_chunk_survives_failed_allocations),
        cmocka_unit_test(a_chunk_of_a_run_has_the_headers_of_a_single_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
