/* Structured output of answers: the value, what is wrong with it, and whether to ask again. */
#include "unit/unit.h"

#include "wire/chat/parsed.h"

#define SCRATCH_MAX ((size_t)32 << 20)
#define SCHEMA      "{\"properties\":{\"a\":{\"type\":\"array\"},\"n\":{\"type\":\"integer\"}}}"

static struct arena arena;

static void setup_answer(struct request *request, struct answer *answer,
                         enum structured_method method)
{
    arena_init(&arena, SCRATCH_MAX);
    *request = (struct request){.structured = {.name = SLICE("\"T\""), .schema = SLICE(SCHEMA)}};
    request->structured.method = method;
    *answer = (struct answer){
        .content = SLICE("\"\""), .tool_calls = SLICE("[]"), .invalid_tool_calls = SLICE("[]")};
}

static void parse(const struct request *request, struct answer *answer)
{
    parsed_read(&arena, SCRATCH_MAX, request, answer);
}

static void without_structured_output_nothing_is_parsed(void **state)
{
    (void)state;
    struct request request;
    struct answer answer;
    setup_answer(&request, &answer, STRUCTURED_NONE);
    answer.content = SLICE("\"{}\"");
    parse(&request, &answer);
    assert_null(answer.parsed.ptr);
    assert_null(answer.parsing_error.ptr);
    arena_done(&arena);
}

static void numbers_of_a_value_keep_their_digits(void **state)
{
    (void)state;
    struct request request;
    struct answer answer;
    setup_answer(&request, &answer, STRUCTURED_JSON_SCHEMA);
    answer.content =
        SLICE("\"```json\\n{\\\"n\\\": 1.50, \\\"m\\\":123456789012345678901.0e-2}```\"");
    parse(&request, &answer);
    assert_slice(answer.parsed, "{\"n\":1.50,\"m\":123456789012345678901.0e-2}");
    arena_done(&arena);
    setup_answer(&request, &answer, STRUCTURED_FUNCTION_CALLING);
    answer.tool_calls = SLICE("[{\"name\":\"T\",\"args\":{\"n\":1.50,\"a\":\"[1.0, 2e0]\"}}]");
    parse(&request, &answer);
    assert_slice(answer.parsed, "{\"n\":1.50,\"a\":[1.0,2e0]}");
    arena_done(&arena);
}

static void a_value_is_one_line_and_its_texts_stay(void **state)
{
    (void)state;
    struct request request;
    struct answer answer;
    setup_answer(&request, &answer, STRUCTURED_JSON_SCHEMA);
    answer.content =
        SLICE("\"{\\n  \\\"a b\\\": \\\"c \\\\\\\" \\\\\\\\\\\",\\t\\\"d\\\" : [ ]\\r\\n}\"");
    parse(&request, &answer);
    assert_slice(answer.parsed, "{\"a b\":\"c \\\" \\\\\",\"d\":[]}");
    arena_done(&arena);
}

static void texts_of_several_blocks_are_one(void **state)
{
    (void)state;
    struct request request;
    struct answer answer;
    setup_answer(&request, &answer, STRUCTURED_PROMPT_PREFILL);
    answer.content = SLICE("[{\"type\":\"reasoning_content\",\"text\":\"{\"},{\"type\":\"text\","
                           "\"text\":\"{\\\"n\\\"\"},\":\",{\"text\":\"1}\"}]");
    parse(&request, &answer);
    assert_slice(answer.parsed, "{\"n\":1}");
    arena_done(&arena);
}

static void assert_error(const struct answer *answer, const char *words)
{
    assert_true(answer->is_invalid);
    assert_slice(answer->parsing_error, words);
}

static void an_answer_without_a_value_says_why(void **state)
{
    (void)state;
    struct request request;
    struct answer answer;
    setup_answer(&request, &answer, STRUCTURED_JSON_SCHEMA);
    answer.content = SLICE("\"Sorry\"");
    answer.stop_reason = SLICE("max_tokens");
    parse(&request, &answer);
    assert_null(answer.parsed.ptr);
    assert_error(&answer, "the text of the answer is no JSON; the answer was cut at max_tokens");
    arena_done(&arena);
    setup_answer(&request, &answer, STRUCTURED_FUNCTION_CALLING);
    answer.invalid_tool_calls = SLICE("[{\"name\":\"T\",\"args\":\"[1]\"}]");
    parse(&request, &answer);
    assert_error(&answer, "the arguments of the tool call are no JSON object");
    arena_done(&arena);
}

static void only_a_model_that_was_to_call_is_wrong_without_a_call(void **state)
{
    (void)state;
    struct request request;
    struct answer answer;
    setup_answer(&request, &answer, STRUCTURED_FUNCTION_CALLING);
    answer.tool_calls = SLICE("[{\"name\":\"U\",\"args\":{}}]");
    parse(&request, &answer);
    assert_null(answer.parsed.ptr);
    assert_null(answer.parsing_error.ptr);
    request.structured.must_call = true;
    parse(&request, &answer);
    assert_error(&answer, "the model did not call the tool; while it thinks, it cannot be forced");
    arena_done(&arena);
    setup_answer(&request, &answer, STRUCTURED_FUNCTION_CALLING);
    request.structured.validate = true;
    parse(&request, &answer);
    assert_error(&answer, "the model did not call the tool");
    arena_done(&arena);
}

static void a_value_that_is_not_valid_comes_with_its_faults(void **state)
{
    (void)state;
    struct request request;
    struct answer answer;
    setup_answer(&request, &answer, STRUCTURED_FUNCTION_CALLING);
    request.structured.validate = true;
    answer.tool_calls = SLICE("[{\"name\":\"T\",\"args\":{\"n\":\"x\",\"a\":1}}]");
    parse(&request, &answer);
    assert_slice(answer.parsed, "{\"n\":\"x\",\"a\":1}");
    assert_error(&answer, "the value is not valid for the schema:\n$.n: must be a whole number\n"
                          "$.a: must be an array");
    arena_done(&arena);
    setup_answer(&request, &answer, STRUCTURED_FUNCTION_CALLING);
    answer.tool_calls = SLICE("[{\"name\":\"T\",\"args\":{\"n\":\"x\"}}]");
    parse(&request, &answer);
    assert_null(answer.parsing_error.ptr);
    arena_done(&arena);
}

static void a_call_of_the_requests_own_tools_is_no_answer_yet(void **state)
{
    (void)state;
    struct request request;
    struct answer answer;
    setup_answer(&request, &answer, STRUCTURED_JSON_SCHEMA);
    request.structured.validate = true;
    answer.tool_calls = SLICE("[{\"name\":\"T\",\"args\":{}}]");
    parse(&request, &answer);
    assert_false(answer.is_invalid);
    assert_null(answer.parsing_error.ptr);
    arena_done(&arena);
}

static void what_memory_does_not_hold_is_an_error(void **state)
{
    (void)state;
    struct request request;
    struct answer answer;
    setup_answer(&request, &answer, STRUCTURED_JSON_SCHEMA);
    answer.content = SLICE("\"{}\"");
    parsed_read(&arena, 16, &request, &answer);
    assert_true(answer.is_invalid);
    assert_null(answer.parsed.ptr);
    assert_non_null(answer.parsing_error.ptr);
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_structured_output_nothing_is_parsed),
        cmocka_unit_test(numbers_of_a_value_keep_their_digits),
        cmocka_unit_test(a_value_is_one_line_and_its_texts_stay),
        cmocka_unit_test(texts_of_several_blocks_are_one),
        cmocka_unit_test(an_answer_without_a_value_says_why),
        cmocka_unit_test(only_a_model_that_was_to_call_is_wrong_without_a_call),
        cmocka_unit_test(a_value_that_is_not_valid_comes_with_its_faults),
        cmocka_unit_test(a_call_of_the_requests_own_tools_is_no_answer_yet),
        cmocka_unit_test(what_memory_does_not_hold_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
