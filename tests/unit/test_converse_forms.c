#include "unit/unit.h"

#include "unit/decode_kit.h"

/* --- blocks --- */

static void exactly_one_text_becomes_a_string(void **state)
{
    (void)state;
    assert_content(ANSWER("{\"text\":\"a\\u00e9\"}"), "\"a\\u00e9\"", "[]", "[]");
    assert_content(ANSWER(""), "[]", "[]", "[]");
    assert_content(ANSWER("{\"text\":\"a\"},{\"text\":\"b\"}"),
                   "[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"text\",\"text\":\"b\"}]", "[]",
                   "[]");
}

static void tool_uses_become_blocks_and_calls(void **state)
{
    (void)state;
    assert_content(
        ANSWER("{\"text\":\"a\"},{\"toolUse\":{\"toolUseId\":\"t1\",\"name\":\"get\","
               "\"input\":{\"some_thing\":1.0}}},{\"toolUse\":{\"toolUseId\":\"t2\","
               "\"name\":\"go\",\"type\":\"tool_use\",\"input\":{},\"caller\":[1]}}"),
        "[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"tool_use\",\"name\":\"get\","
        "\"input\":{\"some_thing\":1.0},\"id\":\"t1\"},{\"type\":\"tool_use\",\"name\":"
        "\"go\",\"input\":{},\"id\":\"t2\",\"caller\":[1]}]",
        "[{\"name\":\"get\",\"args\":{\"some_thing\":1.0},\"id\":\"t1\",\"type\":"
        "\"tool_call\"},{\"name\":\"go\",\"args\":{},\"id\":\"t2\",\"type\":\"tool_call\"}]",
        "[]");
}

static void a_tool_use_with_invalid_input_is_an_invalid_call(void **state)
{
    (void)state;
    assert_content(ANSWER("{\"toolUse\":{\"toolUseId\":\"t\",\"name\":\"n\",\"input\":[\"a\"]}}"),
                   "[{\"type\":\"tool_use\",\"name\":\"n\",\"input\":[\"a\"],\"id\":\"t\"}]", "[]",
                   "[{\"name\":\"n\",\"args\":\"[\\\"a\\\"]\",\"id\":\"t\",\"type\":"
                   "\"invalid_tool_call\"}]");
}

static void tools_that_bedrock_runs_are_not_tool_calls(void **state)
{
    (void)state;
    assert_content(ANSWER("{\"toolUse\":{\"toolUseId\":\"t\",\"name\":\"n\",\"input\":{},\"type\":"
                          "\"server_tool_use\"}}"),
                   "[{\"type\":\"server_tool_use\",\"name\":\"n\",\"input\":{},\"id\":\"t\"}]",
                   "[]", "[]");
}

static void reasoning_and_citations_take_langchains_form(void **state)
{
    (void)state;
    assert_content(
        ANSWER("{\"reasoningContent\":{\"reasoningText\":{\"text\":\"w\",\"signature\":\"s\"}}},"
               "{\"reasoningContent\":{\"redactedContent\":\"AA==\"}},{\"citationsContent\":"
               "{\"content\":[{\"text\":\"c\"}],\"citations\":[{\"sourceContent\":[]}]}}"),
        "[{\"type\":\"reasoning_content\",\"reasoning_content\":{\"text\":\"w\",\"signature\":"
        "\"s\"}},{\"type\":\"reasoning_content\",\"reasoning_content\":{\"redacted_content\":"
        "\"AA==\"}},{\"type\":\"text\",\"text\":\"c\",\"citations\":[{\"source_content\":[]}]}]",
        "[]", "[]");
}

static void reasoning_without_a_signature_has_an_empty_one(void **state)
{
    (void)state;
    assert_content(ANSWER("{\"reasoningContent\":{\"reasoningText\":{\"text\":\"w\",\"new\":1}}}"),
                   "[{\"type\":\"reasoning_content\",\"reasoning_content\":{\"text\":\"w\","
                   "\"signature\":\"\",\"new\":1}}]",
                   "[]", "[]");
}

static void every_cited_text_has_the_citations(void **state)
{
    (void)state;
    assert_content(
        ANSWER("{\"citationsContent\":{\"content\":[{\"text\":\"a\"},{\"text\":\"b\"}],"
               "\"citations\":[{\"title\":\"t\"}]}},{\"citationsContent\":{\"content\":"
               "[{\"text\":\"c\"}]}}"),
        "[{\"type\":\"text\",\"text\":\"a\",\"citations\":[{\"title\":\"t\"}]},{\"type\":\"text\","
        "\"text\":\"b\",\"citations\":[{\"title\":\"t\"}]},{\"type\":\"text\",\"text\":\"c\"}]",
        "[]", "[]");
}

/* Else an answer could grow by its square. */
static void of_many_texts_the_last_one_has_long_citations(void **state)
{
    (void)state;
    struct decoded decoded;
    struct buf body OWNED_BY(buf_done);
    buf_init(&body, 4096);
    buf_add_text(&body,
                 "{\"output\":{\"message\":{\"content\":[{\"citationsContent\":{\"content\":[");
    for (int i = 0; i < 20; i++)
        buf_add_text(&body, i == 0 ? "{\"text\":\"x\"}" : ",{\"text\":\"x\"}");
    buf_addf(&body, "],\"citations\":[{\"title\":\"%0500d\"}]}}]}}}", 7);
    decode(&decoded, buf_text(&body));
    assert_int_equal(decoded.err, OK);
    assert_true(decoded.answer.content.len < 20 * 25 + 600);
    assert_non_null(memmem(decoded.answer.content.ptr, decoded.answer.content.len, "007\"}]}]", 8));
    decoded_done(&decoded);
}

static void a_cited_text_without_citations_becomes_a_string(void **state)
{
    (void)state;
    assert_content(
        ANSWER("{\"citationsContent\":{\"content\":[{\"text\":\"a\"}],\"citations\":[]}}"), "\"a\"",
        "[]", "[]");
}

static void only_the_names_of_citations_change(void **state)
{
    (void)state;
    assert_content(
        ANSWER(
            "{\"citationsContent\":{\"content\":[{\"text\":\"a\"}],\"citations\":[{\"title\":"
            "\"aB\",\"sourceContent\":[{\"text\":\"cD\"}],\"location\":{\"searchResultLocation\":"
            "{\"searchResultIndex\":1.0,\"start\":0,\"deepValue\":{\"aB\":{\"cD\":1}}}}},"
            "{\"HTTPName\":1,\"a\\u0042\":2,\"odd nameX\":3,\"x2Y\":4}]}}"),
        "[{\"type\":\"text\",\"text\":\"a\",\"citations\":[{\"title\":\"aB\",\"source_content\":"
        "[{\"text\":\"cD\"}],\"location\":{\"search_result_location\":{\"search_result_index\":1.0,"
        "\"start\":0,\"deep_value\":{\"a_b\":{\"cD\":1}}}}},{\"http_name\":1,\"a_b\":2,\"odd "
        "nameX\":3,"
        "\"x2y\":4}]}]",
        "[]", "[]");
}

static void media_take_langchains_form(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"{\"image\": {\"format\":\"png\",\"source\":{\"bytes\":\"AA==\"}}}",
         "{\"type\":\"image\",\"source\":{\"media_type\":\"image/png\",\"type\":\"base64\","
         "\"data\":\"AA==\"}}"},
        {"{\"video\":{\"format\":\"three_gp\",\"source\":{\"s3Location\":{\"uri\":\"s3://b/k\","
         "\"bucketOwner\":\"1\"}}}}",
         "{\"type\":\"video\",\"source\":{\"media_type\":\"video/"
         "three_gp\",\"type\":\"s3Location\","
         "\"data\":{\"uri\":\"s3://b/k\",\"bucket_owner\":\"1\"}}}"},
        {"{\"image\":{\"format\":\"png\",\"source\":{\"bytes\":\"\"},\"error\":{\"message\":\"m\"}}"
         "}",
         "{\"type\":\"image\",\"source\":{\"media_type\":\"image/png\",\"type\":\"base64\","
         "\"data\":\"\"},\"error\":{\"message\":\"m\"}}"},
        {"{\"document\":{\"format\":\"txt\",\"name\":\"n\",\"source\":{\"s3Location\":{\"uri\":"
         "\"u\"}}}}",
         "{\"type\":\"document\",\"document\":{\"format\":\"txt\",\"name\":\"n\",\"source\":"
         "{\"s3Location\":{\"uri\":\"u\"}}}}"},
        {"{\"guardContent\":{\"text\":{\"text\":\"g\",\"qualifiers\":[\"query\"]}}}",
         "{\"type\":\"guard_content\",\"guard_content\":{\"type\":\"text\",\"text\":\"g\"}}"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char body[512], content[512];
        snprintf(body, sizeof body, ANSWER("%s"), cases[i][0]);
        snprintf(content, sizeof content, "[%s]", cases[i][1]);
        assert_content(body, content, "[]", "[]");
    }
}

static void tool_results_take_langchains_form(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"{\"toolResult\":{\"toolUseId\":\"t\",\"content\":[{\"text\":\"a\"},{\"json\":{"
         "\"someKey\":"
         "1.50}},{\"hologram\":1},7],\"status\":\"error\",\"type\":\"x\",\"new\":1}}",
         "{\"type\":\"tool_result\",\"tool_use_id\":\"t\",\"is_error\":true,\"content\":[{\"type\":"
         "\"text\",\"text\":\"a\"},{\"type\":\"json\",\"json\":{\"someKey\":1.50}},{\"hologram\":1}"
         ","
         "{\"type\":\"non_standard\",\"value\":7}],\"new\":1}"},
        {"{\"toolResult\":{\"toolUseId\":\"t\",\"content\":[]}}",
         "{\"type\":\"tool_result\",\"tool_use_id\":\"t\",\"is_error\":false,\"content\":[]}"},
        {"{\"toolResult\":{\"toolUseId\":\"t\"}}",
         "{\"type\":\"tool_result\",\"tool_use_id\":\"t\",\"is_error\":false,\"content\":\"\"}"},
        {"{\"serverToolResult\":{\"toolUseId\":\"t\",\"content\":[]}}",
         "{\"type\":\"server_tool_result\",\"tool_use_id\":\"t\",\"is_error\":false,\"content\":"
         "\"\"}"},
        {"{\"serverToolUse\":{\"toolUseId\":\"t\",\"name\":\"n\",\"input\":{\"aB\":1}}}",
         "{\"type\":\"server_tool_use\",\"name\":\"n\",\"input\":{\"aB\":1},\"id\":\"t\"}"},
        {"{\"json\":{\"aB\":1.0}}", "{\"type\":\"json\",\"json\":{\"aB\":1.0}}"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char body[512], content[512];
        snprintf(body, sizeof body, ANSWER("%s"), cases[i][0]);
        snprintf(content, sizeof content, "[%s]", cases[i][1]);
        assert_content(body, content, "[]", "[]");
    }
}

/* LangChain's messages hold strings and objects only. */
static void values_that_are_no_blocks_are_wrapped(void **state)
{
    (void)state;
    assert_content(ANSWER("17,null,\"a\",[1],{\"type\":\"text\"},{}"),
                   "[{\"type\":\"non_standard\",\"value\":17},{\"type\":\"non_standard\",\"value\":"
                   "null},{\"type\":\"non_standard\",\"value\":\"a\"},{\"type\":\"non_standard\","
                   "\"value\":[1]},{\"type\":\"non_standard\",\"value\":{\"type\":\"text\"}},{}]",
                   "[]", "[]");
}

static void blocks_of_unknown_kinds_are_kept_unchanged(void **state)
{
    (void)state;
    static const char no_source[] = "{\"citationsContent\":{\"content\":[{\"text\":\"a\"}],"
                                    "\"citations\":[{\"sourceContent\":[{\"text\":null}]}]}}";
    static const char *const blocks[] = {
        "{\"hologram\":{\"x\":1.50}}",
        "{\"audio\": {\"format\":\"mp3\",\"source\":{\"bytes\":\"AA==\"}}}",
        "{\"searchResult\":{\"source\":\"s\",\"title\":\"t\",\"content\":[]}}",
        "{\"cachePoint\":{\"type\":\"default\"}}",
        "{\"text\":\"a\",\"more\":1}",
        "{\"text\":17}",
        "{}",
        "{\"image\":7}",
        "{\"image\":{\"format\":\"png\"}}",
        "{\"image\":{\"format\":1,\"source\":{\"bytes\":\"AA==\"}}}",
        "{\"image\":{\"format\":\"png\",\"source\":{\"bytes\":7}}}",
        "{\"image\":{\"format\":\"png\",\"source\":{\"bytes\":\"\",\"s3Location\":{}}}}",
        "{\"video\":{\"format\":\"mp4\",\"source\":{\"s3Location\":\"s3://\"}}}",
        "{\"document\":[]}",
        "{\"guardContent\":{\"image\":{\"format\":\"png\",\"source\":{\"bytes\":\"\"}}}}",
        "{\"guardContent\":{\"text\":\"g\"}}",
        "{\"toolResult\":{\"content\":[]}}",
        "{\"toolResult\":{\"toolUseId\":\"t\",\"content\":\"a\"}}",
        "{\"toolResult\":null}",
        "{\"toolUse\":{\"name\":\"n\"}}",
        "{\"toolUse\":7}",
        "{\"toolUse\":{\"toolUseId\":\"t\",\"name\":\"n\",\"input\":{},\"type\":\"text\"}}",
        no_source,
        "{\"reasoningContent\":{\"reasoningText\":\"x\"}}",
        "{\"reasoningContent\":{\"reasoningText\":{}}}",
        "{\"reasoningContent\":{\"reasoningText\":{\"text\":\"x\",\"signature\":1}}}",
        "{\"reasoningContent\":{\"redactedContent\":{}}}",
        "{\"reasoningContent\":{\"a\":1,\"b\":2}}",
        "{\"citationsContent\":{\"content\":[{\"text\":\"a\"},{\"image\":7}],\"citations\":[]}}",
        "{\"citationsContent\":{\"content\":[{\"text\":\"a\",\"b\":1}],\"citations\":[]}}",
        "{\"citationsContent\":{\"content\":[{\"text\":\"a\"}],\"citations\":7}}",
        "{\"citationsContent\":{\"content\":[{\"text\":\"a\"}],\"citations\":[7]}}",
        "{\"citationsContent\":{\"content\":[{\"text\":\"a\"}],\"more\":7}}",
        "{\"citationsContent\":{\"content\":[],\"citations\":[]}}",
    };
    for (size_t i = 0; i < COUNT_OF(blocks); i++) {
        char body[512], content[256];
        snprintf(body, sizeof body, ANSWER("%s"), blocks[i]);
        snprintf(content, sizeof content, "[%s]", blocks[i]);
        assert_content(body, content, "[]", "[]");
    }
}

/* --- reasoning in the text --- */

static void assert_thinking(bool has_trait, const char *text, const char *content)
{
    char body[512];
    struct decoded decoded = {.err = OK};
    struct request request = {.traits = {.has = has_trait ? 1U << TRAIT_INLINE_REASONING : 0}};
    snprintf(body, sizeof body, ANSWER("{\"text\":\"%s\"}"), text);
    arena_init(&decoded.arena, DECODE_KIT_LIMIT);
    assert_int_equal(
        dialect_decode(
            &dialect_converse, &decoded.arena,
            &(struct heard){.status = 200, .body = slice_of_text(body), .request = &request},
            &decoded.answer, &decoded.why),
        OK);
    assert_slice(decoded.answer.content, content);
    decoded_done(&decoded);
}

#define THOUGHT(text)                                                                              \
    "{\"type\":\"reasoning_content\",\"reasoning_content\":{\"text\":\"" text "\"}}"
#define SAID(text) "{\"type\":\"text\",\"text\":\"" text "\"}"

static void reasoning_in_a_text_becomes_a_block(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"<thinking> It\\nrains. </thinking>\\n\\nTake \\u00e9",
         "[" THOUGHT("It\\nrains.") "," SAID("\\n\\nTake \xc3\xa9") "]"},
        {"a<thinking>b</thinking>c\\u003cthinking>d</thinking> ",
         "[" SAID("a") "," THOUGHT("b") "," SAID("c") "," THOUGHT("d") "]"},
        {"<thinking>a<thinking>b</thinking>c</thinking>",
         "[" THOUGHT("a<thinking>b") "," SAID("c</thinking>") "]"},
        {"<thinking>a</thinking><thinking>b", "[" THOUGHT("a") "," SAID("<thinking>b") "]"},
        {"<thinking> </thinking>a", "\"a\""},
        {"<thinking></thinking> ", "[]"},
        {"<thinking>a", "\"<thinking>a\""},
        {"</thinking>a<thinking>", "\"</thinking>a<thinking>\""},
        {"", "\"\""},
        {" ", "\" \""},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_thinking(true, cases[i][0], cases[i][1]);
    assert_thinking(false, "<thinking>a</thinking>b", "\"<thinking>a</thinking>b\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exactly_one_text_becomes_a_string),
        cmocka_unit_test(tool_uses_become_blocks_and_calls),
        cmocka_unit_test(a_tool_use_with_invalid_input_is_an_invalid_call),
        cmocka_unit_test(tools_that_bedrock_runs_are_not_tool_calls),
        cmocka_unit_test(reasoning_and_citations_take_langchains_form),
        cmocka_unit_test(reasoning_without_a_signature_has_an_empty_one),
        cmocka_unit_test(every_cited_text_has_the_citations),
        cmocka_unit_test(of_many_texts_the_last_one_has_long_citations),
        cmocka_unit_test(a_cited_text_without_citations_becomes_a_string),
        cmocka_unit_test(only_the_names_of_citations_change),
        cmocka_unit_test(media_take_langchains_form),
        cmocka_unit_test(tool_results_take_langchains_form),
        cmocka_unit_test(values_that_are_no_blocks_are_wrapped),
        cmocka_unit_test(blocks_of_unknown_kinds_are_kept_unchanged),
        cmocka_unit_test(reasoning_in_a_text_becomes_a_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
