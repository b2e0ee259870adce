#include "unit/unit.h"

#include <stdio.h>

#include "unit/request_kit.h"

#define BODY(messages) "{\"messages\":[" messages "]}"
#define USER(blocks)   "{\"role\":\"user\",\"content\":[" blocks "]}"
#define MODEL(blocks)  "{\"role\":\"assistant\",\"content\":[" blocks "]}"
#define TEXT(text)     "{\"text\":\"" text "\"}"

static void every_form_of_a_message_is_read(void **state)
{
    (void)state;
    static const char *const forms[] = {
        "[[\"human\",\"a\"]]",
        "[[\"user\",[\"a\"]]]",
        "[{\"role\":\"user\",\"content\":\"a\"}]",
        "[{\"role\":\"human\",\"content\":[{\"type\":\"text\",\"text\":\"a\"}]}]",
        "[{\"type\":\"human\",\"content\":[{\"text\":\"a\"}]}]",
        "[{\"type\":\"HumanMessageChunk\",\"content\":\"a\",\"example\":false}]",
        ("[{\"content\":\"a\",\"additional_kwargs\":{\"x\":1},\"response_metadata\":{},"
         "\"type\":\"human\",\"name\":null,\"id\":null}]"),
    };
    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        char value[512];
        snprintf(value, sizeof value, "{\"messages\":%s}", forms[i]);
        assert_body(value, BODY(USER(TEXT("a"))));
    }
}

static void system_messages_are_gathered_in_order(void **state)
{
    (void)state;
    assert_messages("[[\"system\",\"1\"],[\"human\",\"a\"],{\"role\":\"system\",\"content\":[\"2\","
                    "{\"cachePoint\":{\"type\":\"default\"}}]},[\"human\",\"b\"]]",
                    "{\"messages\":[" USER(TEXT("a") "," TEXT("b")) "],\"system\":[" TEXT(
                        "1") "," TEXT("2") ",{\"cachePoint\":{\"type\":\"default\"}}]}");
}

static void messages_of_one_role_become_one_turn(void **state)
{
    (void)state;
    assert_messages("[[\"human\",\"a\"],[\"user\",\"b\"],[\"ai\",\"c\"],[\"assistant\",\"d\"],"
                    "[\"human\",\"e\"]]",
                    BODY(USER(TEXT("a\\nb")) "," MODEL(TEXT("c\\nd")) "," USER(TEXT("e"))));
}

/* As LangChain sends them: strings become one text, blocks stay unchanged. */
static void adjacent_messages_of_one_role_become_one_text(void **state)
{
    (void)state;
    assert_messages("[[\"system\",\"s\"],[\"system\",\"t\"],[\"human\",\"a\"],[\"human\",\"b\"],["
                    "\"human\",\"c\"],"
                    "[\"system\",\"u\"],[\"human\",\"d\"]]",
                    "{\"messages\":[" USER(TEXT("a\\nb\\nc") "," TEXT("d")) "],\"system\":[" TEXT(
                        "s\\nt") "," TEXT("u") "]}");
    assert_messages("[[\"human\",\"a\"],[\"human\",[\"b\",{\"type\":\"text\",\"text\":\"c\"}]],["
                    "\"human\",\"d\"],"
                    "[\"human\",\"e\"]]",
                    BODY(USER(TEXT("a") "," TEXT("b") "," TEXT("c") "," TEXT("d\\ne"))));
    assert_messages("[[\"human\",\"a\"],[\"ai\",\"b \"],[\"ai\",\" c \"]]",
                    BODY(USER(TEXT("a")) "," MODEL(TEXT("b \\n c"))));
}

static void white_space_is_a_line_of_the_text_that_consecutive_messages_become(void **state)
{
    (void)state;
    assert_messages("[[\"system\",\"\\n\"],[\"system\",\"s\"],[\"human\",\" \"],[\"human\",\"a\"],["
                    "\"human\",\"\"],[\"human\",\"\\n\"],[\"ai\",\"b\"],[\"ai\",\" \"]]",
                    "{\"messages\":[" USER(TEXT(" \\na\\n\\n")) "," MODEL(
                        TEXT("b")) "],\"system\":[" TEXT("\\n\\ns") "]}");
}

static void empty_strings_beside_others_are_left_out(void **state)
{
    (void)state;
    assert_messages("[[\"system\",\"\"],[\"system\",\"s\"],[\"human\",\"a\"],[\"human\",\"\"],["
                    "\"human\",\"b\"],"
                    "[\"ai\",\"x\"],[\"ai\",\"\"],[\"human\",[\"c\",\"\"]]]",
                    "{\"messages\":[" USER(TEXT("a\\nb")) "," MODEL(TEXT("x")) "," USER(
                        TEXT("c")) "],\"system\":[" TEXT("s") "]}");
    assert_messages("[[\"human\",[{\"text\":\"a\"}]],[\"human\",\"\"],[\"human\",\"b\"]]",
                    BODY(USER(TEXT("a") "," TEXT("b"))));
    assert_messages("[[\"human\",\"\"],[\"human\",\" \"]]", BODY(USER(TEXT("."))));
    assert_messages(
        "[[\"human\",\"a\"],[\"ai\",[{\"type\":\"reasoning_content\",\"reasoning_content\":"
        "{\"text\":\"r\"}}]],[\"ai\",\"x\"]]",
        BODY(USER(TEXT("a")) "," MODEL(TEXT("x"))));
}

static void blank_content_becomes_a_full_stop(void **state)
{
    (void)state;
    assert_messages("[[\"system\",\"\"],[\"human\",\" \\n\\u00a0\"],[\"ai\",[]],"
                    "[\"human\",[\"\",{\"text\":\" \"},\"x\"]]]",
                    "{\"messages\":[" USER(TEXT(".")) "," MODEL(TEXT(".")) "," USER(
                        TEXT(".") "," TEXT("x")) "],\"system\":[" TEXT(".") "]}");
}

static void a_final_assistant_turn_loses_trailing_white_space(void **state)
{
    (void)state;
    assert_messages(
        "[[\"human\",\"a \"],[\"ai\",\"b \"],[\"human\",\"c \"],[\"ai\",\"d \\n\"]]",
        BODY(USER(TEXT("a ")) "," MODEL(TEXT("b ")) "," USER(TEXT("c ")) "," MODEL(TEXT("d"))));
    assert_messages("[[\"human\",\"a\"],[\"ai\",[{\"text\":\"b\\u0020\"}]]]",
                    BODY(USER(TEXT("a")) "," MODEL(TEXT("b"))));
}

static void raw_converse_blocks_pass_byte_for_byte(void **state)
{
    (void)state;
    static const char *const blocks[] = {
        "{\"text\":\"caf\\u00e9\"}",
        "{ \"image\" : {\"format\":\"png\",\"source\":{\"bytes\":\"AA==\"}} }",
        "{\"document\":{\"name\":\"d\",\"format\":\"pdf\",\"source\":{\"bytes\":\"AA==\"}}}",
        "{\"video\":{\"format\":\"mp4\",\"source\":{\"s3Location\":{\"uri\":\"s3://b/k\"}}}}",
        "{\"audio\":{}}",
        "{\"toolUse\":{\"toolUseId\":\"t\",\"name\":\"n\",\"input\":{\"a_b\":1.0}}}",
        "{\"toolResult\":{\"toolUseId\":\"t\",\"content\":[{\"json\":{\"x\":1e2}}]}}",
        "{\"reasoningContent\":{\"reasoningText\":{\"text\":\"r\",\"signature\":\"s\"}}}",
        "{\"cachePoint\":{\"type\":\"default\"}}",
        "{\"guardContent\":{\"text\":{\"text\":\"g\"}}}",
        "{\"citationsContent\":{}}",
        "{\"searchResult\":{}}",
    };
    for (size_t i = 0; i < COUNT_OF(blocks); i++) {
        char value[512], body[512];
        snprintf(value, sizeof value,
                 "{\"tools\":[{\"cachePoint\":{}}],\"messages\":[[\"human\",[%s]]]}", blocks[i]);
        snprintf(body, sizeof body,
                 "{\"messages\":[" USER("%s") "],\"toolConfig\":{\"tools\":[{\"cachePoint\":{}}]}}",
                 blocks[i]);
        assert_body(value, body);
    }
}

static void a_response_message_can_be_sent_back(void **state)
{
    (void)state;
    assert_messages(
        "[[\"human\",\"a\"],{\"type\":\"ai\",\"id\":\"0193\",\"content\":\"b\",\"tool_calls\":[],"
        "\"invalid_tool_calls\":[],\"usage_metadata\":{\"input_tokens\":1},\"response_metadata\":"
        "{\"stopReason\":\"end_turn\"},\"additional_kwargs\":{}},[\"human\",\"c\"]]",
        BODY(USER(TEXT("a")) "," MODEL(TEXT("b")) "," USER(TEXT("c"))));
    /* the sum of a stream's chunks, as LangChain prints it */
    assert_messages(
        "[[\"human\",\"a\"],{\"type\":\"AIMessageChunk\",\"content\":[{\"type\":"
        "\"text\",\"text\":\"b\","
        "\"index\":0},{\"type\":\"text\",\"text\":\"c\",\"citations\":[{\"title\":"
        "\"t\","
        "\"sourceContent\":[]}],\"index\":1}],\"tool_calls\":[],\"tool_call_chunks\":[]"
        ","
        "\"chunk_position\":\"last\",\"name\":null},[\"human\",\"d\"]]",
        BODY(USER(TEXT("a")) "," MODEL(TEXT("b") ",{\"citationsContent\":{\"content\":"
                                                 "[" TEXT("c") "],\"citations\":[{\"title\":"
                                                               "\"t\",\"sourceContent\":[]}]"
                                                               "}}") "," USER(TEXT("d"))));
}

#define CITED(text, citations)                                                                     \
    "{\"citationsContent\":{\"content\":[" TEXT(text) "],\"citations\":" citations "}}"
#define CITING(text, citations)                                                                    \
    "{\"type\":\"text\",\"text\":\"" text "\",\"citations\":" citations "}"

static void citations_in_langchains_form_can_be_sent_back(void **state)
{
    (void)state;
    assert_messages(
        "[[\"human\",\"a\"],[\"ai\",[" CITING(
            "b",
            "[{\"title\":\"a_b\\\"c_d:\", \"source_content\" : [{\"text\":\"x_y\"}],"
            "\"location\":{\"document_char\":{\"document_index\":0,\"_1_x\":2}}}]") "]],"
                                                                                    "[\"human\","
                                                                                    "\"d\"]]",
        BODY(USER(TEXT("a")) "," MODEL(CITED(
            "b",
            "[{\"title\":\"a_b\\\"c_d:\", \"sourceContent\" : [{\"text\":\"x_y\"}],\"location\":"
            "{\"documentChar\":{\"documentIndex\":0,\"_1X\":2}}}]")) "," USER(TEXT("d"))));
    /* Bedrock rejects them without the source's content */
    assert_messages("[[\"human\",\"a\"],[\"ai\",[" CITING(
                        "b", "[{\"source_content\":[]},{\"title\":1}]") "]],[\"human\",\"d\"]]",
                    BODY(USER(TEXT("a")) "," MODEL(TEXT("b")) "," USER(TEXT("d"))));
}

static void a_final_cited_text_loses_trailing_white_space(void **state)
{
    (void)state;
    assert_messages(
        "[[\"human\",\"a\"],[\"ai\",[" CITING("b ", "[{\"sourceContent\":[]}]") "," CITING(
            "c \\n", "[{\"sourceContent\":[]}]") "]]]",
        BODY(USER(TEXT("a")) "," MODEL(
            CITED("b ", "[{\"sourceContent\":[]}]") "," CITED("c", "[{\"sourceContent\":[]}]"))));
}

static void unknown_blocks_of_an_answer_can_be_sent_back(void **state)
{
    (void)state;
    assert_messages(
        "[[\"human\",\"a\"],[\"ai\",[{\"contentBlockIndex\":0,\"start\":{}},{\"type\":\"text\","
        "\"text\":\"b\",\"index\":0},{\"contentBlockIndex\":1,\"delta\":{\"hologram\":{\"x\":1}}},"
        "{\"hologram\": {\"x\":1.50}}]],[\"human\",\"c\"],[\"ai\",[{\"contentBlockIndex\":2,"
        "\"start\":{\"image\":{}}}]],[\"human\",\"d\"]]",
        BODY(USER(TEXT("a")) "," MODEL(TEXT("b") ",{\"hologram\": {\"x\":1.50}}") "," USER(
            TEXT("c")) "," MODEL(TEXT(".")) "," USER(TEXT("d"))));
    assert_refused("{\"messages\":[[\"human\",[{\"hologram\":{}}]]]}", ERR_INVALID,
                   "messages[0][1][0].hologram");
    assert_refused("{\"messages\":[[\"human\",\"a\"],[\"ai\",[{\"hologram\":7}]]]}", ERR_INVALID,
                   "messages[1][1][0].hologram");
    assert_refused("{\"messages\":[[\"human\",[{\"contentBlockIndex\":0,\"start\":{}}]]]}",
                   ERR_INVALID, "messages[0][1][0].contentBlockIndex");
}

static void invalid_messages_are_rejected_with_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *messages, *field;
    } cases[] = {
        {"[]", "messages"},
        {"[\"Hi\"]", "messages[0]"},
        {"[17]", "messages[0]"},
        {"[[\"human\"]]", "messages[0]"},
        {"[[\"human\",\"a\",\"b\"]]", "messages[0]"},
        {"[[1,\"a\"]]", "messages[0][0]"},
        {"[[\"robot\",\"a\"]]", "messages[0][0]"},
        {"[[\"human\",17]]", "messages[0][1]"},
        {"[[\"human\",null]]", "messages[0][1]"},
        {"[{}]", "messages[0].role"},
        {"[{\"content\":\"a\"}]", "messages[0].role"},
        {"[{\"role\":\"user\"}]", "messages[0].content"},
        {"[{\"role\":\"user\",\"content\":null}]", "messages[0].content"},
        {"[{\"role\":\"user\",\"type\":\"human\",\"content\":\"a\"}]", "messages[0].role"},
        {"[{\"role\":\"User\",\"content\":\"a\"}]", "messages[0].role"},
        {"[{\"type\":\"message\",\"content\":\"a\"}]", "messages[0].type"},
        {"[{\"role\":\"user\",\"contents\":\"a\"}]", "messages[0].contents"},
        {"[{\"role\":\"user\",\"content\":\"a\",\"tool_calls\":1}]", "messages[0].tool_calls"},
        {"[{\"role\":\"user\",\"content\":\"a\",\"cache_control\":{}}]",
         "messages[0].cache_control"},
        {"[[\"ai\",\"a\"],[\"human\",\"b\"]]", "messages[0]"},
        {"[[\"system\",\"s\"],[\"ai\",\"a\"]]", "messages[1]"},
        {"[[\"human\",[17]]]", "messages[0][1][0]"},
        {"[[\"human\",[[]]]]", "messages[0][1][0]"},
        {"[[\"human\",[{}]]]", "messages[0][1][0]"},
        {"[[\"human\",[{\"txt\":\"a\"}]]]", "messages[0][1][0].txt"},
        {"[[\"human\",[{\"text\":1}]]]", "messages[0][1][0].text"},
        {"[[\"human\",[{\"text\":\"a\",\"image\":{}}]]]", "messages[0][1][0]"},
        {"[[\"human\",[{\"type\":\"text\"}]]]", "messages[0][1][0].text"},
        {"[[\"human\",[{\"type\":\"text\",\"text\":\"a\",\"colour\":1}]]]",
         "messages[0][1][0].colour"},
        {"[[\"human\",[{\"type\":\"hologram\"}]]]", "messages[0][1][0].type"},
        {"[[\"human\",[{\"type\":7}]]]", "messages[0][1][0].type"},
        {"[[\"human\",[{\"type\":\"reasoning_content\",\"reasoning_content\":{}}]]]",
         "messages[0][1][0].type"},
        {"[[\"human\",\"a\"],[\"ai\",[{\"type\":\"reasoning_content\"}]]]",
         "messages[1][1][0].reasoning_content"},
        {"[[\"system\",[{\"image\":{}}]],[\"human\",\"a\"]]", "messages[0][1][0]"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char value[512];
        snprintf(value, sizeof value, "{\"messages\":%s}", cases[i].messages);
        assert_refused(value, ERR_INVALID, cases[i].field);
    }
}

static void a_request_needs_messages_or_a_prompt(void **state)
{
    (void)state;
    assert_refused("{}", ERR_INVALID, "messages");
    assert_refused("{" SAID ",\"prompt\":{\"template\":[[\"human\",\"a\"]]}}", ERR_INVALID,
                   "prompt");
}

static void invalid_prompts_are_rejected_with_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *prompt;
        enum err err;
        const char *field;
    } cases[] = {
        {"{}", ERR_INVALID, "prompt.template"},
        {"{\"template\":1}", ERR_INVALID, "prompt.template"},
        {"{\"template\":[]}", ERR_INVALID, "prompt.template"},
        {"{\"template\":\"gone\"}", ERR_UNKNOWN_TEMPLATE, "prompt.template"},
        {"{\"template\":\"translate\"}", ERR_TEMPLATE_VARIABLES, "prompt.variables"},
        {"{\"template\":[[\"human\",\"{a\"]],\"variables\":{}}", ERR_INVALID,
         "prompt.template[0][1]"},
        {"{\"template\":[[\"human\",\"{a}\"]],\"variables\":{\"a\":[]}}", ERR_INVALID,
         "prompt.variables.a"},
        {"{\"template\":[[\"human\",\"{a}\"]],\"variables\":{\"b\":\"\",\"a\":\"\"}}",
         ERR_TEMPLATE_VARIABLES, "prompt.variables"},
        {"{\"template\":[[\"human\",\"a\"]],\"variables\":[]}", ERR_INVALID, "prompt.variables"},
        {"{\"template\":[[\"human\",\"a\"]],\"vars\":{}}", ERR_INVALID, "prompt.vars"},
        {"{\"template\":[[\"placeholder\",\"{h}\"]]}", ERR_INVALID, "prompt.template[0][0]"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char value[512];
        snprintf(value, sizeof value, "{\"prompt\":%s}", cases[i].prompt);
        assert_refused(value, cases[i].err, cases[i].field);
    }
}

static void a_prompt_in_place_of_a_template_name_is_not_quoted(void **state)
{
    (void)state;
    struct request_kit kit;
    request_kit_init(&kit);
    assert_int_equal(
        request_kit_read(&kit, SLICE("{\"prompt\":{\"template\":\"Tell a secret {a}\"}}")),
        ERR_UNKNOWN_TEMPLATE);
    assert_null(strstr(kit.why.message, "secret"));
    assert_int_equal(request_kit_read(&kit, SLICE("{\"prompt\":{\"template\":\"greet\"}}")),
                     ERR_UNKNOWN_TEMPLATE);
    assert_non_null(strstr(kit.why.message, "\"greet\""));
    request_kit_done(&kit);
}

static void an_unknown_template_lists_the_templates_and_the_nearest(void **state)
{
    (void)state;
    struct request_kit kit;
    request_kit_init(&kit);
    assert_int_equal(request_kit_read(&kit, SLICE("{\"prompt\":{\"template\":\"tanslate\"}}")),
                     ERR_UNKNOWN_TEMPLATE);
    assert_string_equal(kit.why.message, "the settings have no template \"tanslate\" (templates: "
                                         "translate); did you mean \"translate\"?");
    kit.catalog.template_count = 0;
    assert_int_equal(request_kit_read(&kit, SLICE("{\"prompt\":{\"template\":\"greet\"}}")),
                     ERR_UNKNOWN_TEMPLATE);
    assert_string_equal(kit.why.message,
                        "the settings have no template \"greet\" (they have none)");
    request_kit_done(&kit);
}

static void every_text_of_a_template_is_filled(void **state)
{
    (void)state;
    assert_body("{\"prompt\":{\"template\":[[\"human\",[{\"type\":\"text\",\"text\":\"{a}\"},"
                "{\"text\":\"{{{a}}}\"},\"{b}\",{\"image\":{\"x\":\"{a}\"}}]],[\"ai\",\"{b} \"]],"
                "\"variables\":{\"a\":\"\\\"1\\\"\",\"b\":2.50}}}",
                BODY(USER(TEXT("\\\"1\\\"") "," TEXT("{\\\"1\\\"}") "," TEXT(
                    "2.50") ",{\"image\":{\"x\":\"{a}\"}}") "," MODEL(TEXT("2.50"))));
}

static void a_blank_variable_makes_no_blank_text(void **state)
{
    (void)state;
    assert_body("{\"prompt\":{\"template\":[[\"human\",\"{a}\"]],\"variables\":{\"a\":\" \"}}}",
                BODY(USER(TEXT("."))));
}

static void a_request_counts_the_bytes_of_its_text_for_estimates(void **state)
{
    (void)state;
    struct request_kit kit;
    request_kit_init(&kit);
    assert_int_equal(request_kit_read(&kit, SLICE("{\"messages\":[[\"system\",\"abc\"],[\"human\","
                                                  "[\"\\u00e9\",{\"text\":\"12\"},{\"image\":{}}]],"
                                                  "[\"ai\",\"x  \"]]}")),
                     OK);
    assert_int_equal(kit.request.text_bytes, 3 + 2 + 2 + 1);
    assert_int_equal(kit.request.system_count, 1);
    assert_int_equal(kit.request.turn_count, 2);
    assert_int_equal(kit.request.turns[0].count, 3);
    request_kit_done(&kit);
}

/* One short template and one large value must not fill the memory. */
static void a_filled_template_stays_within_the_memory_limit(void **state)
{
    (void)state;
    struct request_kit kit;
    struct buf value OWNED_BY(buf_done);
    buf_init(&value, 4 << 20);
    buf_add_text(&value, "{\"prompt\":{\"template\":[[\"human\",\"");
    for (int i = 0; i < 10000; i++)
        buf_add_text(&value, "{a}");
    buf_add_text(&value, "\"]],\"variables\":{\"a\":\"");
    for (int i = 0; i < 100000; i++)
        buf_add_text(&value, "x");
    buf_add_text(&value, "\"}}}");
    request_kit_init(&kit);
    assert_int_equal(request_kit_read(&kit, buf_slice(&value)), ERR_REQUEST_TOO_LARGE);
    assert_string_equal(kit.why.field, "prompt.template[0][1]");
    request_kit_done(&kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_of_a_message_is_read),
        cmocka_unit_test(system_messages_are_gathered_in_order),
        cmocka_unit_test(messages_of_one_role_become_one_turn),
        cmocka_unit_test(adjacent_messages_of_one_role_become_one_text),
        cmocka_unit_test(white_space_is_a_line_of_the_text_that_consecutive_messages_become),
        cmocka_unit_test(empty_strings_beside_others_are_left_out),
        cmocka_unit_test(blank_content_becomes_a_full_stop),
        cmocka_unit_test(a_final_assistant_turn_loses_trailing_white_space),
        cmocka_unit_test(raw_converse_blocks_pass_byte_for_byte),
        cmocka_unit_test(a_response_message_can_be_sent_back),
        cmocka_unit_test(citations_in_langchains_form_can_be_sent_back),
        cmocka_unit_test(a_final_cited_text_loses_trailing_white_space),
        cmocka_unit_test(unknown_blocks_of_an_answer_can_be_sent_back),
        cmocka_unit_test(invalid_messages_are_rejected_with_their_place),
        cmocka_unit_test(a_request_needs_messages_or_a_prompt),
        cmocka_unit_test(invalid_prompts_are_rejected_with_their_place),
        cmocka_unit_test(a_prompt_in_place_of_a_template_name_is_not_quoted),
        cmocka_unit_test(an_unknown_template_lists_the_templates_and_the_nearest),
        cmocka_unit_test(every_text_of_a_template_is_filled),
        cmocka_unit_test(a_blank_variable_makes_no_blank_text),
        cmocka_unit_test(a_request_counts_the_bytes_of_its_text_for_estimates),
        cmocka_unit_test(a_filled_template_stays_within_the_memory_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
