/* Prompt caching on Converse: points of the request itself, of blocks, and of the field
 * cache_control, which come in LangChain's order and are four at most. What the guardrail is to see
 * of the last turn stands beside them. */
#include "unit/unit.h"

#include <stdio.h>

#include "unit/request_kit.h"

#define CLAUDE    "\"model\":\"anthropic.claude-sonnet-4-5-20250929-v1:0\","
#define NOVA      "\"model\":\"us.amazon.nova-pro-v1:0\","
#define LLAMA     "\"model\":\"meta.llama3-3-70b-instruct-v1:0\","
#define EPHEMERAL "\"cache_control\":{\"type\":\"ephemeral\"}"
#define HOUR      "\"cache_control\":{\"type\":\"ephemeral\",\"ttl\":\"1h\"}"
#define POINT     "{\"cachePoint\":{\"type\":\"default\"}}"
#define LONG      "{\"cachePoint\":{\"type\":\"default\",\"ttl\":\"1h\"}}"
#define USER(c)   "{\"role\":\"user\",\"content\":[" c "]}"
#define AI(c)     "{\"role\":\"assistant\",\"content\":[" c "]}"
#define TEXT(t)   "{\"text\":\"" t "\"}"
#define THREE     "[\"human\",\"a\"],[\"ai\",\"b\"],[\"human\",\"c\"]"

static void cache_control_marks_the_ends_of_system_and_of_the_last_turn(void **state)
{
    (void)state;
    assert_body("{" LLAMA EPHEMERAL ",\"messages\":[[\"system\",\"s\"]," THREE "]}",
                "{\"messages\":[" USER(TEXT("a")) "," AI(TEXT("b")) "," USER(
                    TEXT("c") "," POINT) "],\"system\":[" TEXT("s") "," POINT "]}");
    assert_body("{" LLAMA EPHEMERAL ",\"messages\":[[\"human\",\"a\"]]}",
                "{\"messages\":[" USER(TEXT("a") "," POINT) "]}");
}

/* AWS, "Simplified cache management for Claude": a point behind the history, too. */
static void claude_gets_a_point_behind_the_history(void **state)
{
    (void)state;
    assert_body("{" CLAUDE HOUR ",\"messages\":[[\"system\",\"s\"]," THREE "]}",
                "{\"messages\":[" USER(TEXT("a")) "," AI(TEXT("b") "," LONG) "," USER(
                    TEXT("c") "," LONG) "],\"system\":[" TEXT("s") "," LONG "]}");
    assert_body("{\"model\":\"arn:aws:bedrock:us-east-1:1:application-inference-profile/x\","
                "\"provider\":\"anthropic\"," EPHEMERAL ",\"messages\":[" THREE "]}",
                "{\"messages\":[" USER(TEXT("a")) "," AI(TEXT("b") "," POINT) "," USER(
                    TEXT("c") "," POINT) "]}");
}

static void no_point_stands_behind_reasoning(void **state)
{
    (void)state;
#define THOUGHT "{\"reasoningContent\":{\"reasoningText\":{\"text\":\"t\",\"signature\":\"s\"}}}"
    assert_body(
        "{" CLAUDE EPHEMERAL ",\"messages\":[[\"human\",\"a\"],[\"ai\",[" THOUGHT
        "]],[\"human\",\"c\"]]}",
        "{\"messages\":[" USER(TEXT("a")) "," AI(THOUGHT) "," USER(TEXT("c") "," POINT) "]}");
}

static void nova_gets_no_lifetime_and_no_history(void **state)
{
    (void)state;
    assert_body("{" NOVA HOUR ",\"messages\":[[\"system\",\"s\"]," THREE "]}",
                "{\"messages\":[" USER(TEXT("a")) "," AI(TEXT("b")) "," USER(
                    TEXT("c") "," POINT) "],\"system\":[" TEXT("s") "," POINT "]}");
}

#define SPEC   "{\"toolSpec\":{\"name\":\"n\",\"description\":\"d\",\"inputSchema\":{\"json\":{}}}}"
#define USE    "{\"toolUse\":{\"toolUseId\":\"t\",\"name\":\"n\",\"input\":{}}}"
#define RESULT "{\"toolResult\":{\"toolUseId\":\"t\",\"content\":[{\"text\":\"r\"}]}}"
#define TOOL_TURNS                                                                                 \
    "\"tools\":[" SPEC "],\"messages\":[[\"human\",\"a\"],[\"ai\",[" USE "]],[\"human\",[" RESULT  \
    "]]]"

static void a_turn_of_tools_is_no_place_for_novas_point(void **state)
{
    (void)state;
    assert_body("{" NOVA EPHEMERAL "," TOOL_TURNS "}",
                "{\"messages\":[" USER(TEXT("a")) "," AI(USE) "," USER(
                    RESULT) "],\"toolConfig\":{\"tools\":[" SPEC "]}}");
    assert_body("{" LLAMA EPHEMERAL "," TOOL_TURNS "}",
                "{\"messages\":[" USER(TEXT("a")) "," AI(USE) "," USER(
                    RESULT "," POINT) "],\"toolConfig\":{\"tools\":[" SPEC "," POINT "]}}");
}

static void five_minutes_are_not_said(void **state)
{
    (void)state;
    assert_body("{" LLAMA
                "\"cache_control\":{\"type\":\"ephemeral\",\"ttl\":\"5m\"},\"messages\":[["
                "\"human\",\"a\"]]}",
                "{\"messages\":[" USER(TEXT("a") "," POINT) "]}");
}

/* One's own points count, their places get no second one, and with one the history gets none. */
static void points_of_the_request_itself_count(void **state)
{
    (void)state;
    assert_body("{" CLAUDE EPHEMERAL ",\"messages\":[[\"system\",[\"s\"," LONG "]]," THREE "]}",
                "{\"messages\":[" USER(TEXT("a")) "," AI(TEXT("b")) "," USER(
                    TEXT("c") "," POINT) "],\"system\":[" TEXT("s") "," LONG "]}");
    assert_body("{" CLAUDE EPHEMERAL ",\"messages\":[[\"system\",\"s\"],[\"human\",[\"a\"," POINT
                "]],[\"ai\",\"b\"],[\"human\",[\"c\"," POINT "]]]}",
                "{\"messages\":[" USER(TEXT("a") "," POINT) "," AI(TEXT("b")) "," USER(
                    TEXT("c") "," POINT) "],\"system\":[" TEXT("s") "," POINT "]}");
}

static void a_request_has_at_most_four_points(void **state)
{
    (void)state;
    assert_body("{" CLAUDE EPHEMERAL ",\"messages\":[[\"system\",\"s\"],[\"human\",[\"a\"," POINT
                ",\"a\"," POINT "]],[\"ai\",[\"b\"," POINT "]],[\"human\",\"c\"]]}",
                "{\"messages\":[" USER(TEXT("a") "," POINT "," TEXT("a") "," POINT) "," AI(TEXT(
                    "b") "," POINT) "," USER(TEXT("c")) "],\"system\":[" TEXT("s") "," POINT "]}");
    assert_body("{" CLAUDE EPHEMERAL ",\"messages\":[[\"system\",\"s\"],[\"human\",[\"a\"," POINT
                ",\"a\"," POINT "]],[\"ai\",[\"b\"," POINT ",\"b\"," POINT "]],[\"human\",\"c\"]]}",
                "{\"messages\":[" USER(TEXT("a") "," POINT "," TEXT("a") "," POINT) "," AI(
                    TEXT("b") "," POINT "," TEXT(
                        "b") "," POINT) "," USER(TEXT("c")) "],\"system\":[" TEXT("s") "]}");
}

/* Anthropic's mark of a block is Converse's point behind it. */
static void cache_control_of_a_block_is_a_point_behind_it(void **state)
{
    (void)state;
    assert_body(
        "{" CLAUDE EPHEMERAL ",\"messages\":[[\"human\",[{\"type\":\"text\",\"text\":\"a\"," HOUR
        "},{\"type\":\"image_url\",\"image_url\":\"data:image/png;base64,Zm9v\"," EPHEMERAL
        "}]],[\"ai\",\"b\"],[\"human\",\"c\"]]}",
        "{\"messages\":[" USER(
            TEXT("a") "," LONG ",{\"image\":{\"format\":\"png\",\"source\":{\"bytes\":"
                      "\"Zm9v\"}}}," POINT) "," AI(TEXT("b")) "," USER(TEXT("c") "," POINT) "]}");
    assert_refused("{\"messages\":[[\"human\",[{\"type\":\"text\",\"text\":\"a\",\"cache_control\":"
                   "{\"type\":\"ephemeral\",\"ttl\":\"2h\"}}]]]}",
                   ERR_INVALID, "messages[0][1][0].cache_control.ttl");
    assert_refused("{\"messages\":[[\"human\",[{\"type\":\"text\",\"text\":\"a\",\"cache_control\":"
                   "7}]]]}",
                   ERR_INVALID, "messages[0][1][0].cache_control");
}

static void a_point_may_be_a_block_of_langchains(void **state)
{
    (void)state;
    assert_messages("[[\"human\",[\"a\",{\"type\":\"cache_point\"},{\"type\":\"cache_point\","
                    "\"cachePoint\":{\"type\":\"default\",\"ttl\":\"1h\"}}]]]",
                    "{\"messages\":[" USER(TEXT("a") "," POINT "," LONG) "]}");
}

/* --- the guardrail's part --- */

#define GUARDED(t) "{\"guardContent\":{\"text\":{\"text\":\"" t "\"}}}"
#define LAST_ONLY                                                                                  \
    "\"guardrail\":{\"guardrail_identifier\":\"g\",\"guardrail_version\":\"1\",\"last_turn_"       \
    "only\":"                                                                                      \
    "true}"
#define CONFIG ",\"guardrailConfig\":{\"guardrailIdentifier\":\"g\",\"guardrailVersion\":\"1\"}"

static void only_the_users_last_turn_is_for_the_guardrail(void **state)
{
    (void)state;
    assert_body("{" LAST_ONLY ",\"messages\":[" THREE ",[\"human\",[\"d\",{\"text\": \"e\"},"
                "{\"image\":{}}]]]}",
                "{\"messages\":[" USER(TEXT("a")) "," AI(TEXT("b")) "," USER(GUARDED(
                    "c") "," GUARDED("d") "," GUARDED("e") ",{\"image\":{}}") "]" CONFIG "}");
    assert_body("{" LAST_ONLY ",\"messages\":[[\"human\",\"a\"],[\"ai\",\"b\"]]}",
                "{\"messages\":[" USER(GUARDED("a")) "," AI(TEXT("b")) "]" CONFIG "}");
}

static void a_last_turn_without_text_gets_one_for_the_guardrail(void **state)
{
    (void)state;
    assert_body("{" LAST_ONLY "," LLAMA EPHEMERAL ",\"messages\":[[\"human\",[{\"image\":{}}]]]}",
                "{\"messages\":[" USER(
                    "{\"image\":{}}," GUARDED("[tool_result]") "," POINT) "]" CONFIG "}");
}

static void guard_content_is_read_in_all_its_forms(void **state)
{
    (void)state;
    assert_messages("[[\"system\",[{\"type\":\"guard_content\",\"text\":\"s\"}]],[\"human\",["
                    "{\"type\":\"guard_content\",\"text\":\"a\"},{\"type\":\"guard_content\","
                    "\"guard_content\":{\"type\":\"text\",\"text\":\"b\"}},{\"type\":"
                    "\"guard_content\",\"guardContent\":{\"text\":{\"text\":\"c\",\"qualifiers\":["
                    "\"query\"]}}}]]]",
                    "{\"messages\":[" USER(GUARDED("a") "," GUARDED(
                        "b") ",{\"guardContent\":{"
                             "\"text\":{\"text\":\"c\",\"qualifiers\":[\"query\"]}"
                             "}}") "],\"system\":[" GUARDED("s") "]}");
    assert_refused("{\"messages\":[[\"human\",[{\"type\":\"guard_content\"}]]]}", ERR_INVALID,
                   "messages[0][1][0].text");
}

/* --- what a search found, and what was cited --- */

static void a_search_result_becomes_converses(void **state)
{
    (void)state;
    assert_messages("[[\"human\",[{\"type\":\"search_result\",\"source\":\"s\",\"title\":\"t\","
                    "\"content\":[{\"type\":\"text\",\"text\":\"a\\u00e4\"},{\"text\":\"b\"}],"
                    "\"citations\":{\"enabled\":true}}]]]",
                    "{\"messages\":[" USER("{\"searchResult\":{\"source\":\"s\",\"title\":\"t\","
                                           "\"content\":[{\"text\":\"a\\u00e4\"},{\"text\":\"b\"}],"
                                           "\"citations\":{\"enabled\":true}}}") "]}");
    assert_refused(
        "{\"messages\":[[\"human\",[{\"type\":\"search_result\",\"source\":\"s\",\"title\""
        ":\"t\",\"content\":[{\"type\":\"image\"}]}]]]}",
        ERR_INVALID, "messages[0][1][0].content");
    assert_refused("{\"messages\":[[\"human\",[{\"type\":\"search_result\",\"source\":\"s\","
                   "\"content\":[]}]]]}",
                   ERR_INVALID, "messages[0][1][0].title");
}

#define CITED(more)                                                                                \
    "[[\"human\",\"a\"],[\"ai\",[{\"type\":\"text\",\"text\":\"b\",\"citations\":[" more           \
    "]}]],[\"human\",\"c\"]]"
#define OF_SEARCH                                                                                  \
    "{\"source_content\":[{\"text\":\"q\"}],\"location\":{\"search_result_location\":{}}}"

static void citations_of_a_search_are_left_out(void **state)
{
    (void)state;
    assert_messages(
        CITED("{\"source_content\":[{\"text\":\"p\"}],\"location\":{\"document_char\":"
              "{\"document_index\":0}}}," OF_SEARCH),
        "{\"messages\":[" USER(TEXT("a")) "," AI("{\"citationsContent\":{\"content\":[" TEXT(
            "b") "],\"citations\":[{\"sourceContent\":[{\"text\":\"p\"}],"
                 "\"location\":{\"documentChar\":{\"documentIndex\":0}}}]}}") "," USER(TEXT("c")) "]}");
    assert_messages(CITED(OF_SEARCH),
                    "{\"messages\":[" USER(TEXT("a")) "," AI(TEXT("b")) "," USER(TEXT("c")) "]}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cache_control_marks_the_ends_of_system_and_of_the_last_turn),
        cmocka_unit_test(claude_gets_a_point_behind_the_history),
        cmocka_unit_test(no_point_stands_behind_reasoning),
        cmocka_unit_test(nova_gets_no_lifetime_and_no_history),
        cmocka_unit_test(a_turn_of_tools_is_no_place_for_novas_point),
        cmocka_unit_test(five_minutes_are_not_said),
        cmocka_unit_test(points_of_the_request_itself_count),
        cmocka_unit_test(a_request_has_at_most_four_points),
        cmocka_unit_test(cache_control_of_a_block_is_a_point_behind_it),
        cmocka_unit_test(a_point_may_be_a_block_of_langchains),
        cmocka_unit_test(only_the_users_last_turn_is_for_the_guardrail),
        cmocka_unit_test(a_last_turn_without_text_gets_one_for_the_guardrail),
        cmocka_unit_test(guard_content_is_read_in_all_its_forms),
        cmocka_unit_test(a_search_result_becomes_converses),
        cmocka_unit_test(citations_of_a_search_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
