/* Calls and their results in a conversation: messages of tools, tool_calls, and the blocks of both.
 */
#include "unit/unit.h"

#include <stdio.h>

#include "unit/request_kit.h"

#define TOOLS          ",\"tools\":[{\"cachePoint\":{}}]"
#define CONFIG         ",\"toolConfig\":{\"tools\":[{\"cachePoint\":{}}]}"
#define USER(blocks)   "{\"role\":\"user\",\"content\":[" blocks "]}"
#define MODEL(blocks)  "{\"role\":\"assistant\",\"content\":[" blocks "]}"
#define TEXT(text)     "{\"text\":\"" text "\"}"
#define USE(id, input) "{\"toolUse\":{\"toolUseId\":\"" id "\",\"name\":\"f\",\"input\":" input "}}"
#define RESULT(id, parts, status)                                                                  \
    "{\"toolResult\":{\"toolUseId\":\"" id "\",\"content\":[" parts "],\"status\":\"" status "\"}" \
    "}"
#define CALLS(calls) "{\"type\":\"ai\",\"content\":\"\",\"tool_calls\":[" calls "]}"
#define CALL(id)     "{\"name\":\"f\",\"args\":{\"a_b\":1.0},\"id\":\"" id "\",\"type\":\"tool_call\"}"
#define DONE(id)     "{\"type\":\"tool\",\"tool_call_id\":\"" id "\",\"content\":\"ok\"}"

/* With a tool, so that calls stay calls. */
static void assert_turns(const char *messages, const char *turns)
{
    char value[4096], body[4096];
    (void)snprintf(value, sizeof value, "{\"messages\":[[\"human\",\"Hi\"],%s]" TOOLS "}",
                   messages);
    (void)snprintf(body, sizeof body, "{\"messages\":[" USER(TEXT("Hi")) ",%s]" CONFIG "}", turns);
    assert_body(value, body);
}

static void assert_wrong(const char *messages, const char *field)
{
    char value[4096];
    (void)snprintf(value, sizeof value, "{\"messages\":[[\"human\",\"Hi\"],%s]" TOOLS "}",
                   messages);
    assert_refused(value, ERR_INVALID, field);
}

/* --- tool_calls --- */

static void calls_of_a_message_stand_behind_its_text(void **state)
{
    (void)state;
    assert_turns(CALLS(CALL("c")), MODEL(USE("c", "{\"a_b\":1.0}")));
    assert_turns(
        "{\"type\":\"ai\",\"content\":\"wait\",\"tool_calls\":[" CALL("c") "," CALL("d") "]}",
        MODEL(TEXT("wait") "," USE("c", "{\"a_b\":1.0}") "," USE("d", "{\"a_b\":1.0}")));
}

static void calls_in_openais_form_have_their_arguments_as_text(void **state)
{
    (void)state;
    assert_turns(
        "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"c\",\"type\":"
        "\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a_b\\\": 1.0}\"}}]}",
        MODEL(USE("c", "{\"a_b\": 1.0}")));
    assert_turns(
        "{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"c\",\"function\":{\"name\":\"f\"}}]}",
        MODEL(USE("c", "{}")));
}

static void calls_of_consecutive_messages_stand_behind_all_their_texts(void **state)
{
    (void)state;
    assert_turns("{\"type\":\"ai\",\"content\":\"a\",\"tool_calls\":[" CALL(
                     "c") "]},{\"type\":\"ai\",\"content\":\"b\",\"tool_calls\":[" CALL("d") "]}",
                 MODEL(TEXT("a\\nb") "," USE("c", "{\"a_b\":1.0}") "," USE("d", "{\"a_b\":1.0}")));
}

static void a_turn_that_only_calls_has_no_stand_in(void **state)
{
    (void)state;
    assert_turns("{\"type\":\"ai\",\"content\":\" \",\"tool_calls\":[" CALL("c") "]}",
                 MODEL(USE("c", "{\"a_b\":1.0}")));
    assert_turns("{\"type\":\"ai\",\"content\":\".\",\"tool_calls\":[" CALL("c") "]}",
                 MODEL(USE("c", "{\"a_b\":1.0}")));
    assert_turns("{\"type\":\"ai\",\"content\":[],\"tool_calls\":[" CALL("c") "]}",
                 MODEL(USE("c", "{\"a_b\":1.0}")));
}

static void a_call_of_the_message_wins_over_the_blocks(void **state)
{
    (void)state;
    assert_turns("{\"type\":\"ai\",\"content\":[{\"type\":\"tool_use\",\"id\":\"c\",\"name\":"
                 "\"old\",\"input\":{}},\"x\"],\"tool_calls\":[" CALL("c") "," CALL("d") "]}",
                 MODEL(USE("c", "{\"a_b\":1.0}") "," TEXT("x") "," USE("d", "{\"a_b\":1.0}")));
    assert_turns("{\"type\":\"ai\",\"content\":[{\"toolUse\":{\"toolUseId\":\"c\",\"name\":\"old\","
                 "\"input\":{}}}],\"tool_calls\":[" CALL("c") "]}",
                 MODEL(USE("c", "{\"a_b\":1.0}")));
}

static void wrong_calls_are_rejected_with_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *call, *field;
    } cases[] = {
        {"7", "messages[1].tool_calls[0]"},
        {"{\"name\":\"f\",\"args\":{}}", "messages[1].tool_calls[0].id"},
        {"{\"id\":\"c\",\"args\":{}}", "messages[1].tool_calls[0].name"},
        {"{\"id\":\"\",\"name\":\"f\"}", "messages[1].tool_calls[0].id"},
        {"{\"id\":\"c\",\"name\":\"f\",\"arguments\":{}}", "messages[1].tool_calls[0].arguments"},
        {"{\"id\":\"c\",\"function\":7}", "messages[1].tool_calls[0].function"},
        {"{\"id\":\"c\",\"function\":{\"arguments\":\"{}\"}}",
         "messages[1].tool_calls[0].function.name"},
    };
    char message[512];
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        (void)snprintf(message, sizeof message, CALLS("%s"), cases[i].call);
        assert_wrong(message, cases[i].field);
    }
    assert_wrong("{\"role\":\"user\",\"content\":\"x\",\"tool_calls\":[" CALL("c") "]}",
                 "messages[1].tool_calls");
    assert_wrong("{\"role\":\"ai\",\"content\":null,\"tool_calls\":[]}", "messages[1].content");
}

static void many_calls_are_matched_by_their_ids(void **state)
{
    (void)state;
    struct request_kit kit;
    struct buf value OWNED_BY(buf_done);
    buf_init(&value, 8 << 20);
    buf_add_text(&value, "{\"messages\":[[\"human\",\"Hi\"],{\"role\":\"ai\",\"content\":[");
    for (int i = 0; i < 20000; i++)
        buf_addf(&value, "%s{\"type\":\"tool_use\",\"id\":\"c%d\",\"name\":\"old\"}",
                 i > 0 ? "," : "", i);
    buf_add_text(&value, "],\"tool_calls\":[");
    for (int i = 20000; i > 0; i--)
        buf_addf(&value, "{\"id\":\"c%d\",\"name\":\"new\"},", i);
    buf_add_text(&value, "{\"id\":\"c0\",\"name\":\"new\"}]}]}");
    request_kit_init(&kit);
    assert_int_equal(request_kit_read(&kit, buf_slice(&value)), OK);
    const struct turn *turn = &kit.request.turns[1];
    assert_int_equal(turn->count, 20001);
    for (size_t i = 0; i < turn->count; i++)
        assert_slice(turn->blocks[i].use.name, "\"new\"");
    assert_slice(turn->blocks[20000].use.id, "\"c20000\"");
    request_kit_done(&kit);
}

/* --- messages of tools --- */

static void results_and_human_messages_share_the_users_turn(void **state)
{
    (void)state;
    assert_turns(CALLS(CALL("c") "," CALL("d")) "," DONE(
                     "c") ",[\"human\",\"a\"],[\"human\",\"b\"]," DONE("d") ",[\"human\",\"\"]",
                 MODEL(USE("c", "{\"a_b\":1.0}") "," USE("d", "{\"a_b\":1.0}")) "," USER(
                     RESULT("c", TEXT("ok"), "success") "," TEXT("a\\nb") "," RESULT(
                         "d", TEXT("ok"), "success") "," TEXT(".")));
}

static void a_result_has_its_status(void **state)
{
    (void)state;
    assert_turns(CALLS(CALL("c")) ",{\"role\":\"tool\",\"tool_call_id\":\"c\",\"status\":\"error\","
                                  "\"artifact\":{\"x\":1},\"name\":\"f\",\"content\":\"no\"}",
                 MODEL(USE("c", "{\"a_b\":1.0}")) "," USER(RESULT("c", TEXT("no"), "error")));
}

static void an_empty_result_says_a_stand_in(void **state)
{
    (void)state;
    static const char *const empty[] = {"\"\"", "[]", "null",
                                        "[{\"type\":\"text\",\"text\":\" \"}]", "[\"\"]"};
    char messages[512];
    for (size_t i = 0; i < COUNT_OF(empty); i++) {
        (void)snprintf(messages, sizeof messages,
                       "[\"ai\",\"x\"],{\"role\":\"tool\",\"tool_call_id\":\"c\",\"content\":%s}",
                       empty[i]);
        assert_turns(messages, MODEL(TEXT("x")) "," USER(RESULT("c", TEXT("."), "success")));
    }
}

static void a_result_may_have_blocks(void **state)
{
    (void)state;
    assert_turns(
        "[\"ai\",\"x\"],{\"role\":\"tool\",\"tool_call_id\":\"c\",\"content\":[\"a\",{\"type\":"
        "\"text\",\"text\":\"b\"},{\"type\":\"json\",\"json\":{\"a_b\":1.50}},{\"json\":[1]},{"
        "\"image\":{\"format\":\"png\"}},{\"document\":{}},{\"searchResult\":{}}]}",
        MODEL(TEXT("x")) "," USER(RESULT(
            "c",
            TEXT("a") "," TEXT("b") ",{\"json\":{\"a_b\":1.50}},{\"json\":[1]},{\"image\":{"
                                    "\"format\":\"png\"}},{\"document\":{}},{\"searchResult\":{}}",
            "success")));
}

static void cache_points_stand_behind_the_result(void **state)
{
    (void)state;
    assert_turns("[\"ai\",\"x\"],{\"role\":\"tool\",\"tool_call_id\":\"c\",\"content\":[{"
                 "\"cachePoint\":{\"type\":\"default\"}},\"a\"]}",
                 MODEL(TEXT("x")) "," USER(
                     RESULT("c", TEXT("a"), "success") ",{\"cachePoint\":{\"type\":\"default\"}}"));
    assert_turns(
        "[\"ai\",\"x\"],[\"human\",[{\"type\":\"tool_result\",\"tool_use_id\":\"c\",\"content\":[{"
        "\"cachePoint\":{\"type\":\"default\"}}]},\"z\"]]",
        MODEL(TEXT("x")) "," USER(RESULT(
            "c", TEXT("."), "success") ",{\"cachePoint\":{\"type\":\"default\"}}," TEXT("z")));
}

static void pictures_stand_behind_the_result_where_models_do_not_see_them_in_it(void **state)
{
    (void)state;
    static const char message[] = "[\"ai\",\"x\"],{\"role\":\"tool\",\"tool_call_id\":\"c\","
                                  "\"content\":[{\"cachePoint\":{}},{\"image\":{}},\"a\"]}";
    char value[1024];
    (void)snprintf(
        value, sizeof value,
        "{\"model\":\"mistral.pixtral-large-2502-v1:0\",\"messages\":[[\"human\",\"Hi\"],%s]" TOOLS
        "}",
        message);
    assert_body(value, "{\"messages\":[" USER(TEXT("Hi")) "," MODEL(TEXT("x")) "," USER(
                           RESULT("c", TEXT("a"),
                                  "success") ",{\"image\":{}},{\"cachePoint\":{}}") "]" CONFIG "}");
    assert_turns(message, MODEL(TEXT("x")) "," USER(RESULT("c", "{\"image\":{}}," TEXT("a"),
                                                           "success") ",{\"cachePoint\":{}}"));
}

static void a_result_of_very_many_texts_has_room(void **state)
{
    (void)state;
    struct request_kit kit;
    struct buf value OWNED_BY(buf_done);
    buf_init(&value, 8 << 20);
    buf_add_text(&value,
                 "{\"messages\":[{\"role\":\"tool\",\"tool_call_id\":\"c\",\"content\":[\"x\"");
    for (int i = 0; i < 150000; i++)
        buf_add_text(&value, ",\"x\"");
    buf_add_text(&value, "]}]}");
    request_kit_init(&kit);
    assert_int_equal(request_kit_read(&kit, buf_slice(&value)), OK);
    assert_int_equal(kit.request.turns[0].blocks[0].result.count, 150001);
    request_kit_done(&kit);
}

static void a_result_without_a_call_is_bedrocks_to_judge(void **state)
{
    (void)state;
    assert_turns("[\"ai\",\"x\"]," DONE("nobody"),
                 MODEL(TEXT("x")) "," USER(RESULT("nobody", TEXT("ok"), "success")));
}

static void wrong_messages_of_tools_are_rejected_with_their_place(void **state)
{
    (void)state;
    assert_wrong("[\"tool\",\"x\"]", "messages[1][0]");
    assert_wrong("{\"role\":\"tool\",\"content\":\"x\"}", "messages[1].tool_call_id");
    assert_wrong("{\"role\":\"tool\",\"tool_call_id\":7,\"content\":\"x\"}",
                 "messages[1].tool_call_id");
    assert_wrong("{\"role\":\"tool\",\"tool_call_id\":\"c\",\"status\":\"bad\",\"content\":\"x\"}",
                 "messages[1].status");
    assert_wrong("{\"role\":\"tool\",\"tool_call_id\":\"c\",\"content\":7}", "messages[1].content");
    assert_wrong("{\"role\":\"tool\",\"tool_call_id\":\"c\",\"content\":[{\"guardContent\":{}}]}",
                 "messages[1].content[0]");
    assert_wrong("{\"role\":\"tool\",\"tool_call_id\":\"c\",\"content\":[{\"type\":\"tool_use\","
                 "\"id\":\"c\",\"name\":\"f\"}]}",
                 "messages[1].content[0].type");
    assert_wrong("{\"role\":\"tool\",\"tool_call_id\":\"c\",\"content\":[{\"type\":\"audio\"}]}",
                 "messages[1].content[0].type");
    assert_wrong("{\"role\":\"user\",\"tool_call_id\":\"c\",\"content\":\"x\"}",
                 "messages[1].tool_call_id");
    assert_wrong("{\"role\":\"ai\",\"status\":\"error\",\"content\":\"x\"}", "messages[1].status");
}

/* --- blocks --- */

static void every_block_of_a_call_is_sent(void **state)
{
    (void)state;
    static const char *const blocks[] = {
        "{\"type\":\"tool_use\",\"id\":\"c\",\"name\":\"f\",\"input\":{\"a\":1},\"index\":0}",
        "{\"type\":\"tool_use\",\"id\":\"c\",\"name\":\"f\",\"input\":{\"a\":1},\"extras\":{}}",
        "{\"type\":\"server_tool_use\",\"id\":\"c\",\"name\":\"f\",\"input\":{\"a\":1}}",
        "{\"type\":\"tool_call\",\"id\":\"c\",\"name\":\"f\",\"args\":{\"a\":1}}",
        "{\"type\":\"tool_use\",\"id\":\"c\",\"name\":\"f\",\"input\":\"{\\\"a\\\":1\"}",
        "{\"toolUse\":{\"toolUseId\":\"c\",\"name\":\"f\",\"input\":{\"a\":1}}}",
    };
    char messages[512];
    for (size_t i = 0; i < COUNT_OF(blocks); i++) {
        (void)snprintf(messages, sizeof messages, "[\"ai\",[\"x\",%s]]", blocks[i]);
        assert_turns(messages, MODEL(TEXT("x") "," USE("c", "{\"a\":1}")));
    }
}

static void an_input_that_is_no_object_is_empty(void **state)
{
    (void)state;
    static const char *const inputs[] = {"\"\"", "\"[1]\"", "\"nope\"",         "null",
                                         "7",    "[]",      "\"{\\\"a\\\":1]\""};
    char messages[512];
    for (size_t i = 0; i < COUNT_OF(inputs); i++) {
        (void)snprintf(
            messages, sizeof messages,
            "[\"ai\",[\"x\",{\"type\":\"tool_use\",\"id\":\"c\",\"name\":\"f\",\"input\":%s}]]",
            inputs[i]);
        assert_turns(messages, MODEL(TEXT("x") "," USE("c", "{}")));
    }
}

static void an_invalid_call_goes_back_without_its_arguments(void **state)
{
    (void)state;
    assert_turns("[\"ai\",[\"x\",{\"type\":\"invalid_tool_call\",\"id\":\"c\",\"name\":\"f\","
                 "\"args\":\"{\",\"error\":\"e\"}]]",
                 MODEL(TEXT("x") "," USE("c", "{}")));
    assert_turns("[\"ai\",[\"x\",{\"type\":\"invalid_tool_call\",\"id\":null,\"name\":\"f\","
                 "\"args\":\"{\"}]]",
                 MODEL(TEXT("x")));
}

static void every_block_of_a_result_is_sent(void **state)
{
    (void)state;
    assert_turns(
        "[\"ai\",\"x\"],[\"human\",[{\"type\":\"tool_result\",\"tool_use_id\":\"c\",\"content\":"
        "\"a\"},{\"type\":\"tool_result\",\"tool_use_id\":\"d\",\"is_error\":true,\"content\":[{"
        "\"type\":\"text\",\"text\":\"a\"}]},{\"type\":\"tool_result\",\"tool_use_id\":\"e\"}]]",
        MODEL(TEXT("x")) "," USER(RESULT("c", TEXT("a"), "success") "," RESULT(
            "d", TEXT("a"), "error") "," RESULT("e", TEXT("."), "success")));
    assert_turns(
        "[\"ai\",[{\"type\":\"server_tool_result\",\"tool_use_id\":\"c\",\"content\":[\"a\"]},{"
        "\"toolResult\":{\"content\":[{\"json\":1.0},{\"new\":{}}]}}]]",
        MODEL(RESULT("c", TEXT("a"),
                     "success") ",{\"toolResult\":{\"content\":[{\"json\":1.0},{\"new\":{}}]}}"));
}

static void what_langchain_wraps_is_unwrapped(void **state)
{
    (void)state;
    assert_turns(
        "[\"ai\",[{\"type\":\"non_standard\",\"value\":{\"toolUse\":{\"toolUseId\":\"c\",\"name\":"
        "\"f\",\"input\":{}}}},{\"type\":\"non_standard\",\"value\":{\"text\":\"x\",\"cachePoint\":"
        "{\"type\":\"default\"}}},{\"type\":\"non_standard\",\"value\":{\"type\":\"text\",\"text\":"
        "\"y\"}}]]",
        MODEL(USE("c", "{}") "," TEXT("x") ",{\"cachePoint\":{\"type\":\"default\"}}," TEXT("y")));
}

static void wrong_blocks_are_rejected_with_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *block, *field;
    } cases[] = {
        {"{\"type\":\"tool_use\",\"name\":\"f\"}", "messages[1].content[0].id"},
        {"{\"type\":\"tool_use\",\"id\":\"c\"}", "messages[1].content[0].name"},
        {"{\"type\":\"tool_use\",\"id\":7,\"name\":\"f\"}", "messages[1].content[0].id"},
        {"{\"type\":\"tool_use\",\"id\":\"c\",\"name\":\"f\",\"args\":{}}",
         "messages[1].content[0].args"},
        {"{\"type\":\"tool_use\",\"id\":\"c\",\"name\":\"f\",\"cache_control\":7}",
         "messages[1].content[0].cache_control"},
        {"{\"type\":\"tool_result\",\"content\":\"x\"}", "messages[1].content[0].tool_use_id"},
        {"{\"type\":\"tool_result\",\"tool_use_id\":\"c\",\"is_error\":\"no\"}",
         "messages[1].content[0].is_error"},
        {"{\"type\":\"tool_result\",\"tool_use_id\":\"c\",\"content\":7}",
         "messages[1].content[0].content"},
        {"{\"type\":\"tool_result\",\"tool_use_id\":\"c\",\"content\":[{\"type\":\"thinking\","
         "\"thinking\":\"x\"}]}",
         "messages[1].content[0].content[0].type"},
        {"{\"type\":\"json\",\"json\":1}", "messages[1].content[0].type"},
        {"{\"json\":1}", "messages[1].content[0]"},
        {"{\"type\":\"non_standard\"}", "messages[1].content[0].value"},
        {"{\"type\":\"non_standard\",\"value\":{}}", "messages[1].content[0].value"},
        {"{\"type\":\"non_standard\",\"value\":{\"type\":\"x\"}}",
         "messages[1].content[0].value.type"},
        {"{\"type\":\"non_standard\",\"value\":{\"text\":\"x\",\"y\":7}}",
         "messages[1].content[0].value.y"},
    };
    char message[512];
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        (void)snprintf(message, sizeof message, "{\"role\":\"ai\",\"content\":[%s]}",
                       cases[i].block);
        assert_wrong(message, cases[i].field);
    }
}

/* --- a request without tools --- */

static void without_tools_calls_and_results_become_texts(void **state)
{
    (void)state;
    assert_messages(
        "[[\"human\",\"Hi\"],{\"type\":\"ai\",\"content\":\"x\",\"tool_calls\":[{\"name\":\"f\","
        "\"args\":{\"a\":[1,2.50,\"\\u00e9\\\"\"]},\"id\":\"c\"},{\"name\":\"g\",\"args\":{},"
        "\"id\":\"d\"}]},{\"type\":\"tool\",\"tool_call_id\":\"c\",\"content\":[\"a\",{\"type\":"
        "\"json\",\"json\":{\"k\":1}}]},{\"type\":\"tool\",\"tool_call_id\":\"d\",\"content\":[{"
        "\"image\":{}}]},[\"human\",\"so\"]]",
        "{\"messages\":[" USER(TEXT("Hi")) "," MODEL(TEXT("x") "," TEXT(
            "[Called f with parameters: {\\\"a\\\": [1, 2.50, "
            "\\\"é\\\\\\\"\\\"]}]") "," TEXT("[Called g]")) "," USER(TEXT("[Tool output: "
                                                                          "a{\\\"k\\\": 1}]") "," TEXT("so")) "]"
                                                                                                              "}");
}

static void raw_blocks_become_texts_too(void **state)
{
    (void)state;
    assert_messages(
        "[[\"human\",[{\"toolUse\":{\"input\":[ "
        "]}},{\"toolUse\":{\"name\":\"\\u0066\",\"input\":{\"a\":1}}},{\"toolResult\":{\"content\":"
        "[{\"text\":\"r\"},{\"json\":[1,2]}]}}]]]",
        "{\"messages\":[" USER(TEXT("[Called function]") "," TEXT(
            "[Called f with parameters: {\\\"a\\\": 1}]") "," TEXT("[Tool output: r[1, 2]]")) "]}");
}

static void a_turn_of_which_nothing_is_left_says_a_stand_in(void **state)
{
    (void)state;
    assert_messages("[[\"human\",[{\"toolResult\":{\"content\":[{\"image\":{}}]}}]]]",
                    "{\"messages\":[" USER(TEXT(".")) "]}");
}

/* --- system messages alone --- */

static void system_messages_alone_get_a_users_turn(void **state)
{
    (void)state;
    assert_messages("[[\"system\",\"a\"],[\"developer\",\"b\"]]",
                    "{\"messages\":[" USER(TEXT(".")) "],\"system\":[" TEXT("a\\nb") "]}");
    assert_refused("{\"messages\":[]}", ERR_INVALID, "messages");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_of_a_message_stand_behind_its_text),
        cmocka_unit_test(calls_in_openais_form_have_their_arguments_as_text),
        cmocka_unit_test(calls_of_consecutive_messages_stand_behind_all_their_texts),
        cmocka_unit_test(a_turn_that_only_calls_has_no_stand_in),
        cmocka_unit_test(a_call_of_the_message_wins_over_the_blocks),
        cmocka_unit_test(many_calls_are_matched_by_their_ids),
        cmocka_unit_test(wrong_calls_are_rejected_with_their_place),
        cmocka_unit_test(results_and_human_messages_share_the_users_turn),
        cmocka_unit_test(a_result_has_its_status),
        cmocka_unit_test(an_empty_result_says_a_stand_in),
        cmocka_unit_test(a_result_may_have_blocks),
        cmocka_unit_test(cache_points_stand_behind_the_result),
        cmocka_unit_test(pictures_stand_behind_the_result_where_models_do_not_see_them_in_it),
        cmocka_unit_test(a_result_of_very_many_texts_has_room),
        cmocka_unit_test(a_result_without_a_call_is_bedrocks_to_judge),
        cmocka_unit_test(wrong_messages_of_tools_are_rejected_with_their_place),
        cmocka_unit_test(every_block_of_a_call_is_sent),
        cmocka_unit_test(an_input_that_is_no_object_is_empty),
        cmocka_unit_test(an_invalid_call_goes_back_without_its_arguments),
        cmocka_unit_test(every_block_of_a_result_is_sent),
        cmocka_unit_test(what_langchain_wraps_is_unwrapped),
        cmocka_unit_test(wrong_blocks_are_rejected_with_their_place),
        cmocka_unit_test(without_tools_calls_and_results_become_texts),
        cmocka_unit_test(raw_blocks_become_texts_too),
        cmocka_unit_test(a_turn_of_which_nothing_is_left_says_a_stand_in),
        cmocka_unit_test(system_messages_alone_get_a_users_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
