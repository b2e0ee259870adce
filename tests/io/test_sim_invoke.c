/* bedrock-sim over real sockets: InvokeModel with its headers and chunks, CountTokens, the ledger
 * of both. */
#include "unit/unit.h"

#include "io/sim_kit.h"

#define CLAUDE "/model/anthropic.claude-3-haiku-20240307-v1%3A0/"
#define CLAUDE_SAYS(prompt)                                                                        \
    "{\"anthropic_version\":\"bedrock-2023-05-31\",\"max_tokens\":99,\"messages\":[{\"role\":"     \
    "\"user\",\"content\":\"" prompt "\"}]}"
#define LLAMA "/model/meta.llama3-8b-instruct-v1%3A0/"

static void call(const struct stand *stand, const char *path, const char *headers, const char *body,
                 struct heard *ret_heard)
{
    int fd = dial(stand);
    say(fd, path, headers, body);
    hear(fd, ANSWER_BYTES_MAX, ret_heard);
    (void)close(fd);
}

static void an_answer_of_invoke_model_counts_in_headers(void **state)
{
    (void)state;
    struct stand stand;
    struct heard heard;
    stand_up(&stand, false);
    call(&stand, LLAMA "invoke",
         "X-Amzn-Bedrock-Service-Tier: flex\r\n"
         "X-Amzn-Bedrock-PerformanceConfig-Latency: optimized\r\n",
         "{\"prompt\":\"Hello there\"}", &heard);
    assert_int_equal(heard.status, 200);
    assert_buf(&heard.body, "{\"generation\":\"Answer to: Hello there\",\"prompt_token_count\":3,"
                            "\"generation_token_count\":6,\"stop_reason\":\"stop\"}");
    assert_slice(http_header(heard.head, "x-amzn-bedrock-input-token-count"), "3");
    assert_slice(http_header(heard.head, "x-amzn-bedrock-output-token-count"), "6");
    assert_slice(http_header(heard.head, "x-amzn-bedrock-service-tier"), "flex");
    assert_slice(http_header(heard.head, "x-amzn-bedrock-performanceconfig-latency"), "optimized");
    assert_null(http_header(heard.head, "x-amzn-bedrock-cache-read-input-token-count").ptr);
    heard_done(&heard);
    /* an error counts nothing, whatever its status */
    call(&stand, LLAMA "invoke", "", "{\"prompt\":\"[[sim:fault=error_in_200]]\"}", &heard);
    assert_int_equal(heard.status, 200);
    assert_null(http_header(heard.head, "x-amzn-bedrock-input-token-count").ptr);
    heard_done(&heard);
    stand_down(&stand);
}

static void a_stream_of_invoke_model_comes_as_chunks(void **state)
{
    (void)state;
    struct stand stand;
    struct heard heard;
    bool between;
    enum err err;
    stand_up(&stand, false);
    call(&stand, CLAUDE "invoke-with-response-stream", "", CLAUDE_SAYS("Hello there"), &heard);
    assert_int_equal(heard.status, 200);
    assert_slice(http_header(heard.head, "content-type"), "application/vnd.amazon.eventstream");
    assert_slice(http_header(heard.head, "x-amzn-bedrock-content-type"), "application/json");
    /* message_start, the block's start, three deltas and stop, message_delta, message_stop */
    assert_int_equal(count_frames(&heard, &between, &err), 8);
    assert_true(between);
    heard_done(&heard);
    call(&stand, CLAUDE "invoke-with-response-stream", "",
         CLAUDE_SAYS("[[sim:fault=cut_stream;after=2]]"), &heard);
    assert_int_equal(heard.ending, ENDED_CLOSED);
    assert_int_equal(count_frames(&heard, &between, &err), 2);
    heard_done(&heard);
    call(&stand, CLAUDE "invoke-with-response-stream", "",
         CLAUDE_SAYS("[[sim:fault=no_metadata]] Hello there"), &heard);
    assert_int_equal(heard.ending, ENDED_WHOLE);
    assert_int_equal(count_frames(&heard, &between, &err), 7);
    heard_done(&heard);
    stand_down(&stand);
}

static void a_guardrail_of_invoke_model_is_named_in_headers(void **state)
{
    (void)state;
    static const char GUARDRAIL[] = "X-Amzn-Bedrock-GuardrailIdentifier: gr1\r\n"
                                    "X-Amzn-Bedrock-GuardrailVersion: DRAFT\r\n"
                                    "X-Amzn-Bedrock-Trace: ENABLED\r\n";
    struct stand stand;
    struct heard heard;
    stand_up(&stand, false);
    call(&stand, LLAMA "invoke", GUARDRAIL, "{\"prompt\":\"[[sim:guardrail=output]]\"}", &heard);
    assert_non_null(strstr(buf_text(&heard.body), "\"amazon-bedrock-guardrailAction\":\""
                                                  "INTERVENED\""));
    assert_non_null(strstr(buf_text(&heard.body), "\"amazon-bedrock-trace\":{\"guardrail\":{"
                                                  "\"input\":{\"gr1\":"));
    heard_done(&heard);
    call(&stand, LLAMA "invoke", GUARDRAIL, "{\"prompt\":\"Hello\"}", &heard);
    assert_non_null(strstr(buf_text(&heard.body), "\"amazon-bedrock-guardrailAction\":\"NONE\""));
    heard_done(&heard);
    stand_down(&stand);
}

static void a_wrong_header_of_invoke_model_is_rejected(void **state)
{
    (void)state;
    static const char *const HEADERS[] = {
        "X-Amzn-Bedrock-Service-Tier: cheap\r\n",
        "X-Amzn-Bedrock-PerformanceConfig-Latency: fast\r\n",
        "X-Amzn-Bedrock-Trace: enabled\r\n",
        "X-Amzn-Bedrock-GuardrailIdentifier: gr1\r\n",
        "X-Amzn-Bedrock-Request-Metadata: {\r\n",
        "X-Amzn-Bedrock-Request-Metadata: {\"team\":1}\r\n",
    };
    struct stand stand;
    struct heard heard;
    stand_up(&stand, false);
    for (size_t i = 0; i < COUNT_OF(HEADERS); i++) {
        call(&stand, LLAMA "invoke", HEADERS[i], "{\"prompt\":\"Hello\"}", &heard);
        assert_int_equal(heard.status, 400);
        assert_true(slice_starts(http_header(heard.head, "x-amzn-errortype"),
                                 SLICE("ValidationException:")));
        heard_done(&heard);
    }
    call(&stand, LLAMA "invoke", "X-Amzn-Bedrock-Request-Metadata: {\"team\":\"a\"}\r\n",
         "{\"prompt\":\"Hello\"}", &heard);
    assert_int_equal(heard.status, 200);
    heard_done(&heard);
    stand_down(&stand);
}

static void counted_tokens_are_not_billed(void **state)
{
    (void)state;
    struct stand stand;
    struct heard heard;
    stand_up(&stand, false);
    call(&stand, CLAUDE "count-tokens", "",
         "{\"input\":{\"converse\":{\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":"
         "\"twelve bytes\"}]}]}}}",
         &heard);
    assert_int_equal(heard.status, 200);
    assert_buf(&heard.body, "{\"inputTokens\":3}");
    heard_done(&heard);
    sim_stop(stand.sim);
    const char *ledger = stand_ledger(&stand);
    assert_int_equal(count_of(ledger, "\"operation\":\"CountTokens\""), 2);
    assert_int_equal(count_of(ledger, "\"billed\":false,\"input_tokens\":0,\"output_tokens\":0"),
                     1);
    stand_down(&stand);
}

static void the_ledger_has_the_counts_of_each_api(void **state)
{
    (void)state;
#define CACHED                                                                                     \
    "{\"anthropic_version\":\"bedrock-2023-05-31\",\"max_tokens\":99,\"messages\":[{\"role\":"     \
    "\"user\",\"content\":[{\"type\":\"text\",\"text\":\"twelve bytes\",\"cache_control\":{"       \
    "\"type\":\"ephemeral\"}}]}]}"
    struct stand stand;
    struct heard heard;
    stand_up(&stand, false);
    for (int i = 0; i < 2; i++) {
        call(&stand, CLAUDE "invoke", "", CACHED, &heard);
        assert_slice(http_header(heard.head, "x-amzn-bedrock-cache-read-input-token-count"),
                     i == 0 ? "0" : "3");
        assert_slice(http_header(heard.head, "x-amzn-bedrock-input-token-count"), "0");
        heard_done(&heard);
    }
    call(&stand, CLAUDE "invoke-with-response-stream", "",
         CLAUDE_SAYS("[[sim:reasoning=Let me think about it.]] Hi"), &heard);
    heard_done(&heard);
    sim_stop(stand.sim);
    const char *ledger = stand_ledger(&stand);
    assert_int_equal(count_of(ledger, "\"billed\":true,\"input_tokens\":3,\"output_tokens\":6,"
                                      "\"cache_read_tokens\":0,\"cache_write_tokens\":3"),
                     1);
    assert_int_equal(count_of(ledger, "\"billed\":true,\"input_tokens\":3,\"output_tokens\":6,"
                                      "\"cache_read_tokens\":3,\"cache_write_tokens\":0"),
                     1);
    assert_int_equal(count_of(ledger, "\"operation\":\"InvokeModelWithResponseStream\""), 2);
    assert_int_equal(count_of(ledger, "\"billed\":true,\"input_tokens\":11,\"output_tokens\":9"),
                     1);
    stand_down(&stand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_of_invoke_model_counts_in_headers),
        cmocka_unit_test(a_stream_of_invoke_model_comes_as_chunks),
        cmocka_unit_test(a_guardrail_of_invoke_model_is_named_in_headers),
        cmocka_unit_test(a_wrong_header_of_invoke_model_is_rejected),
        cmocka_unit_test(counted_tokens_are_not_billed),
        cmocka_unit_test(the_ledger_has_the_counts_of_each_api),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
