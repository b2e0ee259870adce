/* Amazon Nova on InvokeModel: Converse's messages in another body, and its events as members
 * of the chunks. */
#include "unit/unit.h"

#include "unit/invoke_kit.h"

#define NOVA "us.amazon.nova-lite-v1:0"
#define HI   "\"messages\":[[\"human\",\"Hi\"]]"

static void assert_sent(const char *rest, const char *body)
{
    struct invoke_kit kit;
    invoke_kit_ask(&kit, NOVA, rest);
    assert_buf(&kit.body, body);
    invoke_kit_done(&kit);
}

static void a_body_has_converses_messages_and_its_own_config(void **state)
{
    (void)state;
    assert_sent("\"max_tokens\":64,\"temperature\":0.5,\"top_p\":0.90,\"top_k\":20,\"stop\":["
                "\"END\"],\"messages\":[[\"system\",\"Be brief.\"],[\"human\",\"Hi\"]]",
                "{\"schemaVersion\":\"messages-v1\",\"messages\":[{\"role\":\"user\",\"content\":"
                "[{\"text\":\"Hi\"}]}],\"system\":[{\"text\":\"Be brief.\"}],\"inferenceConfig\":"
                "{\"maxTokens\":64,\"temperature\":0.5,\"topP\":0.90,\"topK\":20,"
                "\"stopSequences\":[\"END\"]}}");
    assert_sent(HI, "{\"schemaVersion\":\"messages-v1\",\"messages\":[{\"role\":\"user\","
                    "\"content\":[{\"text\":\"Hi\"}]}]}");
}

static void own_fields_join_the_body_and_its_config(void **state)
{
    (void)state;
    assert_sent("\"max_tokens\":9,\"top_p\":1,\"model_kwargs\":{\"inferenceConfig\":{\"topK\":20,"
                "\"topP\":0.50},\"reasoningConfig\":{}}," HI,
                "{\"reasoningConfig\":{},\"schemaVersion\":\"messages-v1\",\"messages\":[{\"role\":"
                "\"user\",\"content\":[{\"text\":\"Hi\"}]}],\"inferenceConfig\":{\"topK\":20,"
                "\"topP\":0.50,\"maxTokens\":9}}");
}

static void a_whole_answer_is_converses(void **state)
{
    (void)state;
    struct invoke_kit kit;
    invoke_kit_ask(&kit, NOVA, HI);
    assert_int_equal(
        invoke_kit_decode(&kit, "{\"output\":{\"message\":{\"content\":[{\"text\":\"Voici\"}],"
                                "\"role\":\"assistant\"}},\"stopReason\":\"end_turn\",\"usage\":{"
                                "\"inputTokens\":7,\"outputTokens\":53,\"totalTokens\":60,"
                                "\"cacheReadInputTokenCount\":2,\"cacheWriteInputTokenCount\":0}}"),
        OK);
    assert_slice(kit.answer.content, "\"Voici\"");
    assert_slice(kit.answer.tool_calls, "[]");
    assert_slice(kit.answer.stop_reason, "end_turn");
    assert_int_equal(kit.answer.usage.input_tokens, 9);
    assert_int_equal(kit.answer.usage.total_tokens, 62);
    assert_int_equal(kit.answer.text_bytes, 5);
    invoke_kit_done(&kit);
    invoke_kit_ask(&kit, NOVA, HI);
    assert_int_equal(
        invoke_kit_decode(&kit, "{\"output\":{\"message\":{\"content\":[{\"text\":\"a\"},"
                                "{\"toolUse\":{\"toolUseId\":\"t\",\"name\":\"w\",\"input\":{"
                                "\"n\":1.50}}}]}},\"stopReason\":\"tool_use\"}"),
        OK);
    assert_slice(kit.answer.content,
                 "[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"tool_use\",\"name\":\"w\","
                 "\"input\":{\"n\":1.50},\"id\":\"t\"}]");
    assert_slice(kit.answer.tool_calls,
                 "[{\"name\":\"w\",\"args\":{\"n\":1.50},\"id\":\"t\",\"type\":\"tool_call\"}]");
    invoke_kit_done(&kit);
}

static void an_answer_in_another_form_keeps_its_text(void **state)
{
    (void)state;
    struct invoke_kit kit;
    invoke_kit_ask(&kit, NOVA, HI);
    assert_int_equal(
        invoke_kit_decode(&kit, "{\"choices\":[{\"message\":{\"content\":\"a\",\"tool_calls\":[{"
                                "\"id\":\"c\",\"function\":{\"name\":\"w\"}}]}}]}"),
        OK);
    assert_slice(kit.answer.content, "\"a\"");
    assert_slice(kit.answer.tool_calls,
                 "[{\"name\":\"w\",\"args\":{},\"id\":\"c\",\"type\":\"tool_call\"}]");
    invoke_kit_done(&kit);
}

static void hear_all(struct invoke_kit *kit, const char *const *chunks)
{
    for (size_t i = 0; chunks[i] != NULL; i++) {
        enum err err = invoke_kit_chunk(kit, chunks[i]);
        if (err != OK)
            fail_msg("%s: %s", chunks[i], kit->why.message);
    }
}

#define DELTA(index, delta)                                                                        \
    "{\"contentBlockDelta\":{\"delta\":" delta ",\"contentBlockIndex\":" index "}}"
#define STOP(index) "{\"contentBlockStop\":{\"contentBlockIndex\":" index "}}"
#define LAST                                                                                       \
    "{\"metadata\":{\"usage\":{\"inputTokens\":5,\"outputTokens\":8},\"metrics\":{},\"trace\":{}}" \
    ",\"amazon-bedrock-invocationMetrics\":{\"inputTokenCount\":5,\"outputTokenCount\":8}}"

/* Each piece of a text comes as a block. */
static void texts_that_follow_each_other_are_one_block(void **state)
{
    (void)state;
    struct invoke_kit kit;
    static const char *const CHUNKS[] = {
        "{\"messageStart\":{\"role\":\"assistant\"}}",
        DELTA("0", "{\"text\":\"Vo\"}"),
        STOP("0"),
        DELTA("1", "{\"text\":\"ici\"}"),
        STOP("1"),
        "{\"contentBlockStart\":{\"start\":{\"toolUse\":{\"toolUseId\":\"t\",\"name\":\"w\"}},"
        "\"contentBlockIndex\":2}}",
        DELTA("2", "{\"toolUse\":{\"input\":\"{\\\"n\\\":1.50}\"}}"),
        STOP("2"),
        DELTA("3", "{\"text\":\"!\"}"),
        "{\"messageStop\":{\"stopReason\":\"tool_use\"}}",
        LAST,
        NULL,
    };
    invoke_kit_ask(&kit, NOVA, HI);
    hear_all(&kit, CHUNKS);
    assert_buf(&kit.chunks,
               "[]\n[{\"type\":\"text\",\"text\":\"Vo\",\"index\":0}]\n"
               "[{\"type\":\"text\",\"text\":\"ici\",\"index\":0}]\n"
               "[{\"type\":\"tool_use\",\"name\":\"w\",\"id\":\"t\",\"index\":2}] calls "
               "[{\"name\":\"w\",\"args\":\"\",\"id\":\"t\",\"index\":2,\"type\":"
               "\"tool_call_chunk\"}]\n"
               "[{\"type\":\"tool_use\",\"input\":\"{\\\"n\\\":1.50}\",\"index\":2}] calls "
               "[{\"args\":\"{\\\"n\\\":1.50}\",\"index\":2,\"type\":\"tool_call_chunk\"}]\n"
               "[{\"type\":\"text\",\"text\":\"!\",\"index\":3}]\n"
               "[] {\"stop_reason\":\"tool_use\"}\n[] usage last\n");
    assert_int_equal(invoke_kit_end(&kit), OK);
    assert_slice(kit.answer.content,
                 "[{\"type\":\"text\",\"text\":\"Voici\",\"index\":0},{\"type\":\"tool_use\","
                 "\"name\":\"w\",\"id\":\"t\",\"input\":\"{\\\"n\\\":1.50}\",\"index\":2},"
                 "{\"type\":\"text\",\"text\":\"!\",\"index\":3}]");
    assert_slice(kit.answer.tool_calls,
                 "[{\"name\":\"w\",\"args\":{\"n\":1.50},\"id\":\"t\",\"type\":\"tool_call\"}]");
    assert_int_equal(kit.answer.usage.total_tokens, 13);
    assert_int_equal(kit.answer.text_bytes, 6 + 10);
    invoke_kit_done(&kit);
}

static void a_stream_in_another_form_goes_on_in_it(void **state)
{
    (void)state;
    struct invoke_kit kit;
    static const char *const CHUNKS[] = {
        "{\"choices\":[{\"delta\":{\"content\":\"a\",\"tool_calls\":[{\"index\":0,\"id\":\"c\","
        "\"function\":{\"name\":\"w\"}}]}}]}",
        DELTA("0", "{\"text\":\"b\"}"),
        LAST,
        NULL,
    };
    invoke_kit_ask(&kit, NOVA, HI);
    hear_all(&kit, CHUNKS);
    assert_int_equal(invoke_kit_end(&kit), OK);
    assert_slice(kit.answer.content, "\"a\"");
    invoke_kit_done(&kit);
}

static void odd_events_do_not_break_a_stream(void **state)
{
    (void)state;
    struct invoke_kit kit;
    static const char *const CHUNKS[] = {
        "7",
        "{\"contentBlockDelta\":{\"delta\":7}}",
        "{\"contentBlockDelta\":{\"delta\":{\"text\":7},\"contentBlockIndex\":-3}}",
        "{\"contentBlockDelta\":{\"delta\":{\"text\":\"a\"},\"contentBlockIndex\":1e99}}",
        "{\"contentBlockStart\":{\"start\":null},\"messageStop\":[],\"metadata\":{\"usage\":[]}}",
        "{\"messageStop\":{\"stopReason\":\"end_turn\"},\"metadata\":{\"usage\":{\"inputTokens\":"
        "-1,\"outputTokens\":9223372036854775807}}}",
        NULL,
    };
    invoke_kit_ask(&kit, NOVA, HI);
    hear_all(&kit, CHUNKS);
    assert_int_equal(invoke_kit_end(&kit), OK);
    assert_false(kit.answer.usage.known);
    invoke_kit_done(&kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_has_converses_messages_and_its_own_config),
        cmocka_unit_test(own_fields_join_the_body_and_its_config),
        cmocka_unit_test(a_whole_answer_is_converses),
        cmocka_unit_test(an_answer_in_another_form_keeps_its_text),
        cmocka_unit_test(texts_that_follow_each_other_are_one_block),
        cmocka_unit_test(a_stream_in_another_form_goes_on_in_it),
        cmocka_unit_test(odd_events_do_not_break_a_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
