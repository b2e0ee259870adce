/* Requests that count tokens: path, body and answer of CountTokens, and what the response says. */
#include "unit/unit.h"

#include "unit/request_kit.h"
#include "wire/formats/base64.h"

#define COUNT ",\"count_tokens\":true"

static void assert_path(const char *model, const char *more, const char *path)
{
    struct request_kit kit;
    struct buf url OWNED_BY(buf_done), value OWNED_BY(buf_done);
    request_kit_init(&kit);
    buf_init(&url, 4096);
    buf_init(&value, 4096);
    buf_addf(&value, "{" SAID COUNT ",\"stream\":true,\"model\":\"%s\"%s}", model, more);
    assert_int_equal(request_kit_read(&kit, buf_slice(&value)), OK);
    const struct dialect *dialect = dialect_for(NULL, &kit.request);
    assert_false(dialect_streams(dialect, &kit.request));
    dialect_add_request_path(dialect, &kit.request, kit.request.model, false, &url);
    assert_buf(&url, path);
    request_kit_done(&kit);
}

static void tokens_are_counted_by_the_model_itself(void **state)
{
    (void)state;
    assert_path("anthropic.claude-opus-4-6-v1", "",
                "/model/anthropic.claude-opus-4-6-v1/count-tokens");
    assert_path("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "",
                "/model/anthropic.claude-sonnet-4-5-20250929-v1%3A0/count-tokens");
    assert_path("arn:aws:bedrock:eu-west-1:1:inference-profile/eu.amazon.nova-lite-v1:0", "",
                "/model/amazon.nova-lite-v1%3A0/count-tokens");
    assert_path("arn:aws:bedrock:eu-west-1:1:application-inference-profile/x",
                ",\"base_model\":\"anthropic.claude-opus-4-6-v1\"",
                "/model/anthropic.claude-opus-4-6-v1/count-tokens");
    assert_path("arn:aws:bedrock:eu-west-1:1:provisioned-model/x", "",
                "/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A1%3Aprovisioned-model%2Fx/count-tokens");
}

static void converse_counts_what_the_model_would_read(void **state)
{
    (void)state;
    assert_body("{\"messages\":[[\"system\",\"Be kind.\"],[\"human\",\"Hi\"]],\"temperature\":1,"
                "\"service_tier\":\"flex\",\"model_kwargs\":{\"a\":1.50}" COUNT "}",
                "{\"input\":{\"converse\":{\"messages\":[{\"role\":\"user\",\"content\":"
                "[{\"text\":\"Hi\"}]}],\"system\":[{\"text\":\"Be kind.\"}],"
                "\"additionalModelRequestFields\":{\"a\":1.50}}}}");
}

static void tools_are_counted(void **state)
{
    (void)state;
#define TOOLS                                                                                      \
    "[{\"toolSpec\":{\"name\":\"t\",\"description\":\"d\",\"inputSchema\":{\"json\":{}}}}]"
    assert_body("{" SAID ",\"tools\":" TOOLS COUNT "}",
                "{\"input\":{\"converse\":{\"messages\":[{\"role\":\"user\",\"content\":"
                "[{\"text\":\"Hi\"}]}],\"toolConfig\":{\"tools\":" TOOLS "}}}}");
}

static void another_api_counts_the_whole_body(void **state)
{
    (void)state;
    struct slice front = SLICE("{\"input\":{\"invokeModel\":{\"body\":\""), back = SLICE("\"}}}");
    struct request_kit kit;
    struct buf sent OWNED_BY(buf_done), counted OWNED_BY(buf_done), body OWNED_BY(buf_done);
    size_t flaw = 0;
    request_kit_init(&kit);
    buf_init(&sent, 1 << 16);
    buf_init(&counted, 1 << 16);
    buf_init(&body, 1 << 16);
    kit.catalog.default_model = SLICE("anthropic.claude-3-haiku-20240307-v1:0");
    assert_int_equal(request_kit_read(&kit, SLICE("{" SAID ",\"api\":\"invoke\"" COUNT "}")), OK);
    const struct dialect *dialect = dialect_for(NULL, &kit.request);
    assert_int_equal(dialect_encode(dialect, &kit.request, &counted), OK);
    kit.request.count_tokens = false;
    assert_int_equal(dialect_encode(dialect, &kit.request, &sent), OK);
    struct slice text = buf_slice(&counted);
    assert_true(slice_starts(text, front) && slice_ends(text, back));
    text = slice_sub(text, front.len, text.len - front.len - back.len);
    assert_int_equal(base64_add_decoded(&body, text, &flaw), OK);
    assert_true(slice_equal(buf_slice(&body), buf_slice(&sent)));
    request_kit_done(&kit);
}

static enum err decode(const char *body, struct answer *ret_answer, struct why *ret_why)
{
    struct request request = {.count_tokens = true};
    struct arena arena OWNED_BY(arena_done);
    struct heard heard = {
        .status = 200, .head = SLICE(""), .request = &request, .body = slice_of_text(body)};
    arena_init(&arena, 1 << 20);
    return dialect_decode(&dialect_converse, &arena, &heard, ret_answer, ret_why);
}

static void the_count_is_the_input_and_nothing_else(void **state)
{
    (void)state;
    struct answer answer;
    struct why why;
    assert_int_equal(decode("{\"inputTokens\":42,\"more\":{}}", &answer, &why), OK);
    assert_true(answer.usage.known);
    assert_int_equal(answer.usage.input_tokens, 42);
    assert_null(answer.content.ptr);
    static const char *const NONE[] = {"",
                                       "7",
                                       "{}",
                                       "<html>",
                                       "{\"inputTokens\":-1}",
                                       "{\"inputTokens\":\"7\"}",
                                       "{\"inputTokens\":1e30}"};
    for (size_t i = 0; i < COUNT_OF(NONE); i++) {
        assert_int_equal(decode(NONE[i], &answer, &why), ERR_BAD_ANSWER);
        assert_string_equal(why.message, "the answer has no count of inputTokens");
    }
}

static void count_tokens_is_a_switch(void **state)
{
    (void)state;
    assert_refused("{" SAID ",\"count_tokens\":1}", ERR_INVALID, "count_tokens");
    assert_body("{" SAID ",\"count_tokens\":false}", ASKED "]}");
    assert_body("{" SAID ",\"count_tokens\":null}", ASKED "]}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_are_counted_by_the_model_itself),
        cmocka_unit_test(converse_counts_what_the_model_would_read),
        cmocka_unit_test(tools_are_counted),
        cmocka_unit_test(another_api_counts_the_whole_body),
        cmocka_unit_test(the_count_is_the_input_and_nothing_else),
        cmocka_unit_test(count_tokens_is_a_switch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
