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

static void messages_of_a_user_are_one_and_those_of_the_model_stay_apart(void **state)
{
    (void)state;
    assert_sent(
        "\"messages\":[[\"system\",\"s\"],[\"user\",\"a\"],[\"user\",\"b\"],[\"ai\",\"c\"],[\"ai\","
        "[{"
        "\"type\":\"text\",\"text\":\" \"}]],[\"user\",[\"d\",{\"type\":\"text\",\"text\":\"\"}]]]",
        "{\"anthropic_version\":\"bedrock-2023-05-31\",\"messages\":[{\"role\":\"user\",\"co"
        "ntent\":[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"text\",\"text\":\"b\"}]},{"
        "\"role\":"
        "\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"c\"}]},{\"role\":\"assistant\","
        "\"content\":[{\"type\":\"text\",\"text\":\".\"}]},{\"role\":\"user\",\"content\":[{\"type"
        "\":\"text\",\"text\":\"d\"}]}],\"system\":\"s\",\"max_tokens\":1024}");
}

static void thinking_stands_first_and_results_before_words(void **state)
{
    (void)state;
    assert_sent(
        "\"tools\":[{\"name\":\"f\",\"description\":\"\",\"input_schema\":{\"type\":\"object\"},\""
        "cache_control\":{\"type\":\"ephemeral\"}},{\"type\":\"function\",\"function\":{\"nam"
        "e\":\"g\",\"parameters\":{\"type\":\"object\",\"properties\":{\"aB\":{\"type\":[\"string"
        "\",\"null\"]}}}}}],\"tool_choice\":\"f\",\"messages\":[[\"user\",\"a\"],{\"role\":\"ai\","
        "\"content\":[{\"type\":\"text\",\"text\":\"b\"},{\"type\":\"thinking\",\"thinking\":\"h\","
        "\"signature\":\"s\"}],\"tool_calls\":[{\"name\":\"f\",\"args\":{\"x\":1.50},\"id\":\"t1\"}"
        "]},{\"role\":\"tool\",\"tool_call_id\":\"t1\",\"status\":\"error\",\"content\":\"no\"},["
        "\"user\",\"so?\"]]",
        "{\"anthropic_version\":\"bedrock-2023-05-31\",\"messages\":[{\"role\":\"user\",\"co"
        "ntent\":\"a\"},{\"role\":\"assistant\",\"content\":[{\"type\":\"thinking\",\"thinking\""
        ":\"h\",\"signature\":\"s\"},{\"type\":\"text\",\"text\":\"b\"},{\"type\":\"tool_use\","
        "\"nam"
        "e\":\"f\",\"input\":{\"x\":1.50},\"id\":\"t1\"}]},{\"role\":\"user\",\"content\":[{"
        "\"type\""
        ":\"tool_result\",\"content\":\"no\",\"tool_use_id\":\"t1\",\"is_error\":true},{\"type"
        "\":\"text\",\"text\":\"so?\"}]}],\"max_tokens\":1024,\"tools\":[{\"name\":\"f\",\"input_"
        "schema\":{\"type\":\"object\"},\"description\":\"f\",\"cache_control\":{\"type\":\"eph"
        "emeral\"}},{\"name\":\"g\",\"description\":\"g\",\"input_schema\":{\"type\":\"object\","
        "\"properties\":{\"aB\":{\"type\":[\"string\",\"null\"]}}}}],\"tool_choice\":{\"type\":"
        "\"tool\",\"name\":\"f\"}}");
}

static void media_are_in_anthropics_form(void **state)
{
    (void)state;
    assert_sent(
        "\"messages\":[[\"user\",[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"image\",\"base64\""
        ":\"AAAA\",\"mime_type\":\"image/png\"},{\"type\":\"document\",\"source\":{\"type\":\"te"
        "xt\",\"media_type\":\"text/plain\",\"data\":\"d\"},\"index\":3},{\"type\":\"file\",\"bas"
        "e64\":\"AAAA\",\"mime_type\":\"application/pdf\",\"name\":\"n\"}]]]",
        "{\"anthropic_version\":\"bedrock-2023-05-31\",\"messages\":[{\"role\":\"user\",\"co"
        "ntent\":[{\"type\":\"document\",\"source\":{\"type\":\"text\",\"media_type\":\"text/pl"
        "ain\",\"data\":\"d\"}},{\"type\":\"document\",\"source\":{\"type\":\"base64\",\"media_ty"
        "pe\":\"application/pdf\",\"data\":\"AAAA\"},\"title\":\"n\"},{\"type\":\"text\",\"text\":"
        "\"a\"},{\"type\":\"image\",\"source\":{\"type\":\"base64\",\"media_type\":\"image/png\","
        "\"data\":\"AAAA\"}}]}],\"max_tokens\":1024}");
}

static void cache_points_become_cache_control(void **state)
{
    (void)state;
    assert_sent(
        "\"cache_control\":{\"type\":\"ephemeral\",\"ttl\":\"1h\"},\"messages\":[[\"system\",[{"
        "\"type\":\"text\",\"text\":\"s\"},{\"cachePoint\":{\"type\":\"default\"}}]],[\"user\",\"a"
        "\"]]",
        "{\"anthropic_version\":\"bedrock-2023-05-31\",\"messages\":[{\"role\":\"user\",\"co"
        "ntent\":[{\"type\":\"text\",\"text\":\"a\",\"cache_control\":{\"type\":\"ephemeral\",\"t"
        "tl\":\"1h\"}}]}],\"system\":[{\"type\":\"text\",\"text\":\"s\",\"cache_control\":{\"type"
        "\":\"ephemeral\"}}],\"max_tokens\":1024}");
}

static void fields_of_the_model_stand_in_the_body(void **state)
{
    (void)state;
    assert_sent(
        "\"stop\":[\"X\"],\"top_k\":3,\"model_kwargs\":{\"anthropic_beta\":[\"b\"],\"thinking\""
        ":{\"type\":\"enabled\",\"budget_tokens\":1024}},\"messages\":[[\"user\",\"a\"]]",
        "{\"anthropic_beta\":[\"b\"],\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":102"
        "4},\"anthropic_version\":\"bedrock-2023-05-31\",\"messages\":[{\"role\":\"user\",\""
        "content\":\"a\"}],\"max_tokens\":1024,\"top_k\":3,\"stop_sequences\":[\"X\"]}");
}

static void a_call_stands_beside_the_text(void **state)
{
    (void)state;
    struct invoke_kit kit;
    invoke_kit_ask(&kit, SONNET, "\"messages\":[[\"human\",\"Hi\"]]");
    assert_int_equal(
        invoke_kit_decode(
            &kit,
            "{\"content\":[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"tool_use\",\"id\":\"t\","
            "\"name"
            "\":\"f\",\"input\":{\"x\":1.50}},{\"type\":\"tool_use\",\"id\":\"u\",\"name\":\"f\","
            "\"input\""
            ":\"no\"}],\"stop_reason\":\"tool_use\",\"usage\":{\"input_tokens\":1,\"output_token"
            "s\":2}}"),
        OK);
    assert_slice(kit.answer.content, "\"a\"");
    assert_slice(kit.answer.tool_calls,
                 "[{\"name\":\"f\",\"args\":{\"x\":1.50},\"id\":\"t\",\"type\":\"tool_call\"}]");
    assert_slice(
        kit.answer.invalid_tool_calls,
        "[{\"name\":\"f\",\"args\":\"\\\"no\\\"\",\"id\":\"u\",\"type\":\"invalid_tool_call\"}]");
    invoke_kit_done(&kit);
}

static void what_has_no_place_in_a_string_makes_a_list(void **state)
{
    (void)state;
    struct invoke_kit kit;
    invoke_kit_ask(&kit, SONNET, "\"messages\":[[\"human\",\"Hi\"]]");
    assert_int_equal(invoke_kit_decode(&kit, "{\"content\":[{\"type\":\"redacted_thinking\","
                                             "\"data\":\"AbCd\"},{\"type\":\"text\",\"t"
                                             "ext\":\"a\"}]}"),
                     OK);
    assert_slice(
        kit.answer.content,
        "[{\"type\":\"redacted_thinking\",\"data\":\"AbCd\"},{\"type\":\"text\",\"text\":\"a\"}]");
    assert_slice(kit.answer.tool_calls, "[]");
    assert_slice(kit.answer.invalid_tool_calls, "[]");
    invoke_kit_done(&kit);
}

/* Chunks in, a line of what each gave out. */
static void assert_stream(const char *rest, const char *const *chunks, const char *gave,
                          const char *content)
{
    struct invoke_kit kit;
    invoke_kit_ask(&kit, SONNET, rest);
    for (; *chunks != NULL; chunks++)
        assert_int_equal(invoke_kit_chunk(&kit, *chunks), OK);
    assert_int_equal(invoke_kit_end(&kit), OK);
    assert_buf(&kit.chunks, gave);
    assert_slice(kit.answer.content, content);
    invoke_kit_done(&kit);
}

#define START "{\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":5}}}"
#define STOP                                                                                       \
    "{\"type\":\"message_stop\",\"amazon-bedrock-invocationMetrics\":{\"outputTokenCount\":2}}"

static void a_stream_with_thinking_is_a_stream_of_lists(void **state)
{
    (void)state;
    static const char *const CHUNKS[] = {
        START,
        "{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"thinkin"
        "g\",\"thinking\":\"\",\"signature\":\"\"}}",
        "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"thinking_delta\""
        ",\"thinking\":\"h\"}}",
        "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"thinking_delta\""
        ",\"thinking\":\"m\"}}",
        "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"signature_delta"
        "\",\"signature\":\"s\"}}",
        "{\"type\":\"content_block_start\",\"index\":1,\"content_block\":{\"type\":\"redacte"
        "d_thinking\",\"data\":\"AbCd\"}}",
        "{\"type\":\"content_block_delta\",\"index\":2,\"delta\":{\"type\":\"text_delta\",\"te"
        "xt\":\"a\"}}",
        "{\"type\":\"content_block_delta\",\"index\":2,\"delta\":{\"type\":\"citations_delta"
        "\",\"citation\":{\"cited_text\":\"q\"}}}",
        STOP,
        NULL};
    assert_stream(
        "\"stream\":true,\"model_kwargs\":{\"thinking\":{\"type\":\"adaptive\"}},\"messages\""
        ":[[\"human\",\"Hi\"]]",
        CHUNKS,
        "[]\n"
        "[{\"type\":\"thinking\",\"thinking\":\"h\",\"index\":0}]\n"
        "[{\"type\":\"thinking\",\"thinking\":\"m\",\"index\":0}]\n"
        "[{\"type\":\"thinking\",\"signature\":\"s\",\"index\":0}]\n"
        "[{\"type\":\"redacted_thinking\",\"data\":\"AbCd\",\"index\":1}]\n"
        "[{\"type\":\"text\",\"text\":\"a\",\"index\":2}]\n"
        "[{\"type\":\"text\",\"text\":\"\",\"citations\":[{\"cited_text\":\"q\"}],\"index\":2}]\n"
        "[] usage last\n",
        "[{\"type\":\"thinking\",\"thinking\":\"hm\",\"signature\":\"s\",\"index\":0},{\"type\":\""
        "redacted_thinking\",\"data\":\"AbCd\",\"index\":1},{\"type\":\"text\",\"text\":\"a\",\"c"
        "itations\":[{\"cited_text\":\"q\"}],\"index\":2}]");
}

static void a_string_stream_that_gets_a_call_becomes_a_list(void **state)
{
    (void)state;
    static const char *const CHUNKS[] = {
        START,
        "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"te"
        "xt\":\"a\"}}",
        "{\"type\":\"content_block_start\",\"index\":1,\"content_block\":{\"type\":\"tool_us"
        "e\",\"id\":\"t\",\"name\":\"f\",\"input\":{}}}",
        "{\"type\":\"content_block_delta\",\"index\":1,\"delta\":{\"type\":\"input_json_delt"
        "a\",\"partial_json\":\"{\\\"x\\\"\"}}",
        "{\"type\":\"content_block_delta\",\"index\":1,\"delta\":{\"type\":\"input_json_delt"
        "a\",\"partial_json\":\":1}\"}}",
        STOP,
        NULL};
    assert_stream(
        "\"stream\":true,\"messages\":[[\"human\",\"Hi\"]]", CHUNKS,
        "\"\"\n"
        "\"a\"\n"
        "[{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"f\",\"input\":{},\"index\":1}] calls "
        "[{\"name\":\"f\",\"args\":\"\",\"id\":\"t\",\"index\":1,\"type\":\"tool_call_chunk\"}]\n"
        "[{\"type\":\"tool_use\",\"partial_json\":\"{\\\"x\\\"\",\"index\":1}] calls "
        "[{\"args\":\"{\\\"x\\\"\",\"index\":1,\"type\":\"tool_call_chunk\"}]\n"
        "[{\"type\":\"tool_use\",\"partial_json\":\":1}\",\"index\":1}] calls "
        "[{\"args\":\":1}\",\"index\":1,\"type\":\"tool_call_chunk\"}]\n"
        "[] usage last\n",
        "[\"a\",{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"f\",\"input\":{},\"partial_json\":"
        "\"{"
        "\\\"x\\\":1}\",\"index\":1}]");
}

static void odd_blocks_of_a_stream_are_no_calls_and_break_nothing(void **state)
{
    (void)state;
    static const char *const CHUNKS[] = {
        START,
        "{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{}}",
        "{\"type\":\"content_block_start\",\"index\":1,\"content_block\":{\"type\":\"tool_use\","
        "\"id\":\"t\",\"name\":5}}",
        "{\"type\":\"content_block_delta\",\"index\":1,\"delta\":{\"type\":\"input_json_delta\","
        "\"partial_json\":\"{}\"}}",
        "{\"type\":\"content_block_delta\",\"index\":2,\"delta\":{\"type\":\"input_json_delta\","
        "\"partial_json\":\"{}\"}}",
        "{\"type\":\"content_block_delta\",\"delta\":{\"type\":\"text_delta\",\"text\":\"a\"}}",
        STOP,
        NULL};
    assert_stream("\"stream\":true,\"messages\":[[\"human\",\"Hi\"]]", CHUNKS,
                  "\"\"\n"
                  "[{\"type\":\"tool_use\",\"id\":\"t\",\"name\":5,\"index\":1}]\n"
                  "[{\"type\":\"tool_use\",\"partial_json\":\"{}\",\"index\":1}]\n"
                  "[{\"type\":\"tool_use\",\"partial_json\":\"{}\",\"index\":2}]\n"
                  "[{\"type\":\"text\",\"text\":\"a\"}]\n"
                  "[] usage last\n",
                  "[\"\",{\"type\":\"tool_use\",\"id\":\"t\",\"name\":5,\"partial_json\":\"{}\","
                  "\"index\":1},{\"type\":\"tool_use\",\"partial_json\":\"{}\",\"index\":2},"
                  "{\"type\":\"text\",\"text\":\"a\"}]");
}

static void a_chunk_that_makes_no_sense_breaks_the_stream(void **state)
{
    (void)state;
    static const struct {
        const char *chunk, *words;
    } ROWS[] = {
        {"[]", "a chunk that is not a JSON object"},
        {"{\"type\":\"error\",\"error\":{\"message\":\"m\"}}", "the model ended it with an error"},
    };
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct invoke_kit kit;
        invoke_kit_ask(&kit, SONNET, "\"stream\":true,\"messages\":[[\"human\",\"Hi\"]]");
        assert_int_equal(invoke_kit_chunk(&kit, ROWS[i].chunk), ERR_BROKEN_STREAM);
        assert_string_equal(kit.why.message, ROWS[i].words);
        invoke_kit_done(&kit);
    }
}

static void a_stream_without_its_end_is_broken(void **state)
{
    (void)state;
    struct invoke_kit kit;
    struct usage_counts counts;
    size_t text_bytes;
    invoke_kit_ask(&kit, SONNET, "\"stream\":true,\"messages\":[[\"human\",\"Hi\"]]");
    assert_int_equal(invoke_kit_chunk(&kit, START), OK);
    assert_int_equal(invoke_kit_chunk(&kit,
                                      "{\"type\":\"content_block_delta\",\"index\":0,"
                                      "\"delta\":{\"type\":\"text_delta\",\"text\":\"abc\"}}"),
                     OK);
    assert_int_equal(invoke_kit_end(&kit), ERR_BROKEN_STREAM);
    dialect_stream_heard(kit.dialect, kit.stream, &counts, &text_bytes);
    assert_false(counts.known);
    assert_int_equal(text_bytes, 3);
    invoke_kit_done(&kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_request_is_byte_for_byte_the_seeds),
        cmocka_unit_test(a_whole_answer_has_its_counts_from_the_headers),
        cmocka_unit_test(a_stream_of_texts_is_a_stream_of_strings),
        cmocka_unit_test(messages_of_a_user_are_one_and_those_of_the_model_stay_apart),
        cmocka_unit_test(thinking_stands_first_and_results_before_words),
        cmocka_unit_test(media_are_in_anthropics_form),
        cmocka_unit_test(cache_points_become_cache_control),
        cmocka_unit_test(fields_of_the_model_stand_in_the_body),
        cmocka_unit_test(a_call_stands_beside_the_text),
        cmocka_unit_test(what_has_no_place_in_a_string_makes_a_list),
        cmocka_unit_test(a_stream_with_thinking_is_a_stream_of_lists),
        cmocka_unit_test(a_string_stream_that_gets_a_call_becomes_a_list),
        cmocka_unit_test(odd_blocks_of_a_stream_are_no_calls_and_break_nothing),
        cmocka_unit_test(a_chunk_that_makes_no_sense_breaks_the_stream),
        cmocka_unit_test(a_stream_without_its_end_is_broken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
