/* Claude on InvokeModel: bodies byte for byte as langchain-aws 1.9.1 sends them (ChatBedrock with a
 * client that records), answers and streams as it reads them. */
#include "unit/unit.h"

#include "unit/invoke_kit.h"

#define SONNET "anthropic.claude-3-sonnet-20240229-v1:0"

static void assert_sent(const char *rest, const char *body)
{
    struct invoke_kit kit;
    invoke_kit_ask(&kit, SONNET, rest);
    assert_buf(&kit.body, body);
    invoke_kit_done(&kit);
}

static void a_text_request_is_byte_for_byte_the_seeds(void **state)
{
    (void)state;
    assert_sent("\"temperature\":0,\"messages\":[[\"system\",\"You are a helpful assistant that "
                "translates English to French. Translate the user sentence.\"],"
                "[\"human\",\"I love programming.\"]]",
                "{\"anthropic_version\":\"bedrock-2023-05-31\",\"messages\":[{\"role\":\"user\","
                "\"content\":\"I love programming.\"}],\"system\":\"You are a helpful assistant "
                "that translates English to French. Translate the user sentence.\","
                "\"max_tokens\":1024,\"temperature\":0}");
}

static void a_whole_answer_has_its_counts_from_the_headers(void **state)
{
    (void)state;
    struct invoke_kit kit;
    invoke_kit_ask(&kit, SONNET, "\"messages\":[[\"human\",\"Hi\"]]");
    buf_add_text(&kit.head, "X-Amzn-Bedrock-Input-Token-Count: 29\r\n"
                            "X-Amzn-Bedrock-Output-Token-Count: 21\r\n");
    assert_int_equal(
        invoke_kit_decode(&kit,
                          "{\"content\":[{\"type\":\"text\",\"text\":\"Voi\"},"
                          "{\"type\":\"text\",\"text\":\"ci\"}],\"stop_reason\":\"end_turn\"}"),
        OK);
    assert_slice(kit.answer.content, "\"Voici\"");
    assert_slice(kit.answer.stop_reason, "end_turn");
    assert_slice(kit.answer.additional_kwargs,
                 "\"usage\":{\"prompt_tokens\":29,\"completion_tokens\":21,"
                 "\"cache_read_input_tokens\":0,\"cache_write_input_tokens\":0,"
                 "\"total_tokens\":50},\"stop_reason\":\"end_turn\",\"model_id\":\"" SONNET "\"");
    assert_int_equal(kit.answer.usage.total_tokens, 50);
    invoke_kit_done(&kit);
}

static void a_stream_of_texts_is_a_stream_of_strings(void **state)
{
    (void)state;
    struct invoke_kit kit;
    invoke_kit_ask(&kit, SONNET, "\"stream\":true,\"messages\":[[\"human\",\"Hi\"]]");
    static const char *const CHUNKS[] = {
        "{\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":5}}}",
        "{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\","
        "\"text\":\"\"}}",
        "{\"type\":\"ping\"}",
        "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\","
        "\"text\":\"He\"}}",
        "{\"type\":\"content_block_stop\",\"index\":0}",
        "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{"
        "\"output_tokens\":3}}",
        "{\"type\":\"message_stop\",\"amazon-bedrock-invocationMetrics\":{\"inputTokenCount\":5,"
        "\"outputTokenCount\":2}}",
    };
    for (size_t i = 0; i < COUNT_OF(CHUNKS); i++)
        assert_int_equal(invoke_kit_chunk(&kit, CHUNKS[i]), OK);
    assert_int_equal(invoke_kit_end(&kit), OK);
    assert_buf(&kit.chunks, "\"\"\n\"He\"\n\"\" {\"stop_reason\":\"end_turn\"}\n\"\" usage last\n");
    assert_slice(kit.answer.content, "\"He\"");
    assert_int_equal(kit.answer.usage.output_tokens, 3);
    invoke_kit_done(&kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_request_is_byte_for_byte_the_seeds),
        cmocka_unit_test(a_whole_answer_has_its_counts_from_the_headers),
        cmocka_unit_test(a_stream_of_texts_is_a_stream_of_strings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
