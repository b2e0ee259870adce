#include "unit/unit.h"

#include <stdio.h>

#include "base/random.h"
#include "unit/decode_kit.h"
#include "unit/torture.h"
#include "wire/bedrock/converse/converse.h"
#include "wire/formats/json.h"

static void assert_path(const char *model, bool stream, const char *expected)
{
    struct buf path OWNED_BY(buf_done);
    buf_init(&path, 4096);
    dialect_add_path(&dialect_converse, slice_of_text(model), stream, &path);
    assert_buf(&path, expected);
}

static void the_path_names_the_model_percent_encoded(void **state)
{
    (void)state;
    assert_path("anthropic.claude-3-sonnet-20240229-v1:0", false,
                "/model/anthropic.claude-3-sonnet-20240229-v1%3A0/converse");
    assert_path(
        "arn:aws:bedrock:us-east-1:1:inference-profile/x", true,
        "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fx/converse-stream");
}

static void the_seed_page_answer_is_decoded(void **state)
{
    (void)state;
    struct decoded decoded;
    decode(&decoded, ANSWER("{\"text\":\"Voici la traduction en fran\xc3\xa7"
                            "ais :\\n\\nJ'aime la programmation.\"}"));
    assert_int_equal(decoded.err, OK);
    assert_slice(decoded.answer.content, "\"Voici la traduction en fran\xc3\xa7"
                                         "ais :\\n\\nJ'aime la programmation.\"");
    assert_slice(decoded.answer.tool_calls, "[]");
    assert_slice(decoded.answer.invalid_tool_calls, "[]");
    assert_slice(decoded.answer.stop_reason, "end_turn");
    assert_slice(decoded.answer.metadata, "\"metrics\":{\"latencyMs\":672}");
    assert_null(decoded.answer.service_tier.ptr);
    assert_true(decoded.answer.usage.known);
    assert_int_equal(decoded.answer.usage.input_tokens, 29);
    assert_int_equal(decoded.answer.usage.output_tokens, 21);
    assert_int_equal(decoded.answer.usage.total_tokens, 50);
    assert_int_equal(decoded.answer.usage.cache_write_1h_tokens, ANSWER_COUNT_ABSENT);
    assert_int_equal(decoded.answer.usage.reasoning_tokens, ANSWER_COUNT_ABSENT);
    assert_slice(decoded.answer.usage.raw,
                 "{\"inputTokens\":29,\"outputTokens\":21,\"totalTokens\":50}");
    decoded_done(&decoded);
}

/* --- the rest of an answer --- */

static void a_billed_answer_with_odd_content_is_kept(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"\"content\":\"text\"", "\"text\""},
        {"\"content\":null", "[]"},
        {"\"content\":{\"text\":\"a\"}", "[{\"text\":\"a\"}]"},
        {"\"content\":7", "[{\"type\":\"non_standard\",\"value\":7}]"},
        {"\"role\":\"assistant\"", "[]"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char body[512];
        snprintf(body, sizeof body,
                 "{\"output\":{\"message\":{%s}},\"usage\":{\"inputTokens\":1,\"outputTokens\":2}}",
                 cases[i][0]);
        assert_content(body, cases[i][1], "[]", "[]");
    }
    assert_content("{\"usage\":{\"outputTokens\":0}}", "[]", "[]", "[]");
}

static void an_answer_with_many_members_is_kept(void **state)
{
    (void)state;
    struct decoded decoded;
    struct buf body OWNED_BY(buf_done);
    buf_init(&body, 8192);
    buf_add_text(&body, "{\"output\":{\"message\":{\"content\":[]}}");
    for (int i = 0; i < 100; i++)
        buf_addf(&body, ",\"m%d\":%d", i, i);
    buf_add_byte(&body, '}');
    decode(&decoded, buf_text(&body));
    assert_int_equal(decoded.err, OK);
    assert_true(slice_starts(decoded.answer.metadata, SLICE("\"m0\":0,\"m1\":1,")));
    decoded_done(&decoded);
}

static void further_members_of_an_answer_become_metadata(void **state)
{
    (void)state;
    struct decoded decoded;
    decode(&decoded,
           "{\"output\":{\"message\":{\"content\":[],\"role\":\"assistant\"}},\"stopReason\":"
           "\"new_\\u0072eason\",\"additionalModelResponseFields\":{\"usage\":"
           "{\"output_tokens_details\":{\"thinking_tokens\":7}}},\"trace\":{\"guardrail\":{\"a\":0."
           "50}},"
           "\"performanceConfig\":{\"latency\":\"optimized\"},\"serviceTier\":{\"type\":\"flex\"},"
           "\"model_name\":\"not ours\",\"p\":\"abc\",\"empty\":null,\"unheard of\":[1]}");
    assert_int_equal(decoded.err, OK);
    assert_slice(decoded.answer.stop_reason, "new_reason");
    assert_slice(decoded.answer.service_tier, "flex");
    assert_int_equal(decoded.answer.usage.reasoning_tokens, 7);
    assert_false(decoded.answer.usage.known);
    assert_slice(
        decoded.answer.metadata,
        "\"additionalModelResponseFields\":{\"usage\":{\"output_tokens_details\":"
        "{\"thinking_tokens\":7}}},\"trace\":{\"guardrail\":{\"a\":0.50}},"
        "\"performanceConfig\":{\"latency\":\"optimized\"},\"serviceTier\":{\"type\":\"flex\"},"
        "\"unheard of\":[1]");
    decoded_done(&decoded);
}

static void assert_usage(const char *usage, struct usage_counts expected)
{
    struct decoded decoded;
    char body[512];
    snprintf(body, sizeof body, "{\"output\":{\"message\":{\"content\":[]}},\"usage\":%s}", usage);
    decode(&decoded, body);
    assert_int_equal(decoded.err, OK);
    assert_int_equal(decoded.answer.usage.known, expected.known);
    assert_true(decoded.answer.usage.input_tokens == expected.input_tokens);
    assert_true(decoded.answer.usage.output_tokens == expected.output_tokens);
    assert_true(decoded.answer.usage.total_tokens == expected.total_tokens);
    assert_true(decoded.answer.usage.cache_read_tokens == expected.cache_read_tokens);
    assert_true(decoded.answer.usage.cache_write_tokens == expected.cache_write_tokens);
    assert_true(decoded.answer.usage.cache_write_1h_tokens == expected.cache_write_1h_tokens);
    int64_t count = decoded.answer.usage.cache_write_5m_tokens;
    assert_int_equal(count > 0 ? count : 0, expected.cache_write_5m_tokens);
    decoded_done(&decoded);
}

static void input_tokens_include_cached_tokens(void **state)
{
    (void)state;
    const struct usage_counts cached = {.known = true,
                                        .input_tokens = 10 + 200 + 30,
                                        .output_tokens = 5,
                                        .total_tokens = 245,
                                        .cache_read_tokens = 200,
                                        .cache_write_tokens = 30,
                                        .cache_write_5m_tokens = 5,
                                        .cache_write_1h_tokens = 25};
    struct usage_counts short_lived = cached;
    short_lived.cache_write_5m_tokens = 0;
    short_lived.cache_write_1h_tokens = ANSWER_COUNT_ABSENT;
    assert_usage(
        "{\"inputTokens\":10,\"outputTokens\":5,\"totalTokens\":245,\"cacheReadInputTokens\":200,"
        "\"cacheWriteInputTokens\":30,\"cacheDetails\":[{\"ttl\":\"1h\",\"inputTokens\":20},"
        "{\"ttl\":\"1h\",\"inputTokens\":5.0},{\"ttl\":\"5m\",\"inputTokens\":5}]}",
        cached);
    assert_usage("{\"inputTokens\":10.0,\"outputTokens\":5,\"cacheReadInputTokenCount\":200,"
                 "\"cacheWriteInputTokenCount\":30,\"serverToolUsage\":{}}",
                 short_lived);
}

static void invalid_counts_count_as_unknown(void **state)
{
    (void)state;
    const struct usage_counts unknown = {.cache_write_1h_tokens = ANSWER_COUNT_ABSENT};
    assert_usage("{}", unknown);
    assert_usage("[]", unknown);
    assert_usage("{\"inputTokens\":1}", unknown);
    assert_usage("{\"inputTokens\":-1,\"outputTokens\":1}", unknown);
    assert_usage("{\"inputTokens\":1.5,\"outputTokens\":1}", unknown);
    assert_usage("{\"inputTokens\":\"1\",\"outputTokens\":1}", unknown);
    assert_usage("{\"inputTokens\":9223372036854775807,\"outputTokens\":1}", unknown);
    assert_usage(
        "{\"inputTokens\":9223372036854775807,\"outputTokens\":0,\"cacheReadInputTokens\":1}",
        unknown);
}

static void bodies_that_are_not_answers_are_rejected_with_a_reason(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "",
        "<html><body>It works</body></html>",
        "{\"message\":\"The security token included in the request is expired\"}",
        "{\"output\":{\"message\":{\"content\":\"text\"}}}",
        "{\"output\":{\"message\":[]}}",
        "{\"output\":null}",
        "{\"usage\":{}}",
        "[]",
        "null",
        "{\"output\":{\"message\":{\"content\":[]}}",
    };
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        struct decoded decoded;
        decode(&decoded, bodies[i]);
        assert_int_equal(decoded.err, ERR_BAD_ANSWER);
        assert_true(decoded.why.message[0] != '\0');
        assert_null(strstr(decoded.why.message, "expired"));
        decoded_done(&decoded);
    }
}

/* The call was billed. */
static void an_html_page_is_named_as_one(void **state)
{
    (void)state;
    struct decoded decoded;
    decode(&decoded, " <!DOCTYPE html><html><body>Welcome</body></html>");
    assert_int_equal(decoded.err, ERR_BAD_ANSWER);
    assert_non_null(strstr(decoded.why.message, "a proxy's page?"));
    decoded_done(&decoded);
    decode(&decoded, "{");
    assert_null(strstr(decoded.why.message, "page"));
    decoded_done(&decoded);
}

static void a_billed_answer_with_invalid_text_is_kept_with_its_counts(void **state)
{
    (void)state;
    static const struct {
        const char *blocks, *content;
    } cases[] = {
        {"{\"text\":\"a\\u0000b\"}", "\"a\xef\xbf\xbd"
                                     "b\""},
        {"{\"text\":\"a\\ud83d\"}", "\"a\xef\xbf\xbd\""},
        {"{\"text\":\"a\xff\"}", "\"a\xef\xbf\xbd\""},
        {"{\"text\":\"a\nb\"}", "\"a\\u000ab\""},
        {"{\"text\":\"a\"}],\"role\":\"assistant\",\"content\":[", "\"a\""},
        {"{\"newKind\":{\"x\":1,\"x\":2}}", "[{\"newKind\":{\"x\":1,\"x\":2}}]"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct decoded decoded;
        struct buf body OWNED_BY(buf_done);
        buf_init(&body, 4096);
        buf_addf(
            &body,
            "{\"output\":{\"message\":{\"content\":[%s]}},\"stopReason\":\"end_turn\",\"usage\":"
            "{\"inputTokens\":29,\"outputTokens\":2100,\"totalTokens\":2129}}",
            cases[i].blocks);
        decode(&decoded, buf_text(&body));
        assert_int_equal(decoded.err, OK);
        assert_slice(decoded.answer.content, cases[i].content);
        assert_int_equal(decoded.answer.usage.output_tokens, 2100);
        decoded_done(&decoded);
    }
}

static void an_answer_larger_than_its_arena_fails_as_too_large(void **state)
{
    (void)state;
    struct buf body OWNED_BY(buf_done);
    struct arena arena;
    struct answer answer;
    struct why why;
    buf_init(&body, 1 << 20);
    buf_add_text(&body, "{\"output\":{\"message\":{\"content\":[{\"text\":\"");
    for (size_t i = 0; i < 60000; i++)
        buf_add_byte(&body, 'x');
    buf_add_text(&body, "\"}]}}}");
    arena_init(&arena, 50000);
    assert_int_equal(dialect_decode(&dialect_converse, &arena,
                                    &(struct heard){.status = 200, .body = buf_slice(&body)},
                                    &answer, &why),
                     ERR_RESPONSE_TOO_LARGE);
    arena_done(&arena);
}

/* Whatever the blocks are: the content is JSON again, with as many blocks, and the calls are JSON.
 */
static void any_mixture_of_blocks_decodes_to_json(void **state)
{
    (void)state;
    static const char *const blocks[] = {
        "{\"text\":\"a\\\"\"}",
        "{\"toolUse\":{\"toolUseId\":\"t\",\"name\":\"n\",\"input\":3}}",
        "{\"toolUse\":{\"toolUseId\":\"t\",\"name\":\"n\",\"input\":{\"\":[]}}}",
        "{\"x\":null}",
        "[]",
        "{\"reasoningContent\":{\"reasoningText\":{}}}",
        "{\"citationsContent\":{}}",
        "{\"reasoningContent\":{\"redactedContent\":\"\"}}"};
    struct random random;
    random_init(&random, 7);
    for (int round = 0; round < 2000; round++) {
        struct buf body OWNED_BY(buf_done);
        struct decoded decoded;
        const struct json *content = NULL, *calls = NULL, *invalid = NULL;
        size_t count = random_below(&random, 6);
        buf_init(&body, 1 << 16);
        buf_add_text(&body, "{\"output\":{\"message\":{\"content\":[");
        for (size_t i = 0; i < count; i++)
            buf_addf(&body, "%s%s", i > 0 ? "," : "",
                     blocks[random_below(&random, COUNT_OF(blocks))]);
        buf_add_text(&body, "]}}}");
        decode(&decoded, buf_text(&body));
        assert_int_equal(decoded.err, OK);
        assert_int_equal(json_parse(&decoded.arena, decoded.answer.content, &content, NULL), OK);
        assert_int_equal(json_parse(&decoded.arena, decoded.answer.tool_calls, &calls, NULL), OK);
        assert_int_equal(
            json_parse(&decoded.arena, decoded.answer.invalid_tool_calls, &invalid, NULL), OK);
        assert_true(content->kind == JSON_STRING ? count == 1 : content->count == count);
        decoded_done(&decoded);
    }
}

static bool decode_once(void *self)
{
    struct arena arena;
    struct answer answer;
    struct why why;
    arena_init(&arena, DECODE_KIT_LIMIT);
    enum err err =
        dialect_decode(&dialect_converse, &arena,
                       &(struct heard){.status = 200, .body = slice_of_text(self)}, &answer, &why);
    if (err == OK)
        assert_slice(answer.stop_reason, "end_turn");
    else
        assert_int_equal(err, ERR_NO_MEMORY);
    arena_done(&arena);
    return err == OK;
}

static void decoding_survives_failed_allocations(void **state)
{
    (void)state;
    char body[] =
        ANSWER("{\"text\":\"a\"},{\"toolUse\":{\"toolUseId\":\"t\",\"name\":\"n\",\"input\":3}},"
               "{\"toolUse\":{\"toolUseId\":\"t\",\"name\":\"n\",\"input\":{}}},"
               "{\"reasoningContent\":{\"reasoningText\":{\"text\":\"w\"}}},{\"y\":1}");
    assert_true(torture(decode_once, body) > 0);
}

static void assert_text_bytes(const char *body, size_t bytes)
{
    struct decoded decoded;
    decode(&decoded, body);
    assert_int_equal(decoded.err, OK);
    assert_int_equal(decoded.answer.text_bytes, bytes);
    decoded_done(&decoded);
}

static void an_answer_counts_the_bytes_that_the_model_wrote(void **state)
{
    (void)state;
    assert_text_bytes(ANSWER(""), 0);
    assert_text_bytes(ANSWER("{\"text\":\"hi\"}"), 2);
    assert_text_bytes(ANSWER("{\"text\":\"a\\n\\\"\\u00e9\"},{\"image\":{\"format\":\"png\"}}"), 5);
    assert_text_bytes(
        ANSWER("{\"reasoningContent\":{\"reasoningText\":{\"text\":\"hm\",\"signature\":\"s\"}}},"
               "{\"toolUse\":{\"toolUseId\":\"t\",\"name\":\"n\",\"input\":{\"a\":1}}},"
               "{\"citationsContent\":{\"content\":[{\"text\":\"ab\"},{\"text\":\"c\"}],"
               "\"citations\":[]}},7"),
        2 + 7 + 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_path_names_the_model_percent_encoded),
        cmocka_unit_test(the_seed_page_answer_is_decoded),

        cmocka_unit_test(a_billed_answer_with_odd_content_is_kept),
        cmocka_unit_test(an_answer_with_many_members_is_kept),
        cmocka_unit_test(further_members_of_an_answer_become_metadata),
        cmocka_unit_test(input_tokens_include_cached_tokens),
        cmocka_unit_test(invalid_counts_count_as_unknown),
        cmocka_unit_test(an_answer_counts_the_bytes_that_the_model_wrote),
        cmocka_unit_test(bodies_that_are_not_answers_are_rejected_with_a_reason),
        cmocka_unit_test(an_html_page_is_named_as_one),
        cmocka_unit_test(a_billed_answer_with_invalid_text_is_kept_with_its_counts),
        cmocka_unit_test(an_answer_larger_than_its_arena_fails_as_too_large),
        cmocka_unit_test(any_mixture_of_blocks_decodes_to_json),
        cmocka_unit_test(decoding_survives_failed_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
