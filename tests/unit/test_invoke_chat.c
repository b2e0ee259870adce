/* Families that take OpenAI's chat completions: bodies as langchain-aws 1.9.1 sends them
 * (ChatBedrock with a client that records), answers and streams. */
#include "unit/unit.h"

#include "unit/invoke_kit.h"

#define OPENAI "openai.gpt-oss-20b-1:0"
#define QWEN   "qwen.qwen3-32b-v1:0"
#define JAMBA  "ai21.jamba-1-5-mini-v1:0"
#define WRITER "us.writer.palmyra-x5-v1:0"

#define HI "\"messages\":[[\"human\",\"Hi\"]]"
#define TALK                                                                                       \
    "\"messages\":[[\"system\",\"Be brief.\"],[\"human\",\"Hi\"],[\"ai\",\"Hello.\"],"             \
    "[\"human\",\"How are you?\"]]"
#define TALKED                                                                                     \
    "\"messages\":[{\"role\":\"system\",\"content\":\"Be brief.\"},"                               \
    "{\"role\":\"user\",\"content\":\"Hi\"},{\"role\":\"assistant\",\"content\":\"Hello.\"},"      \
    "{\"role\":\"user\",\"content\":\"How are you?\"}]"
#define SET "\"max_tokens\":64,\"temperature\":0.5,\"top_p\":0.90,\"stop\":[\"END\"],"

static void assert_sent(const char *model, const char *rest, const char *body)
{
    struct invoke_kit kit;
    invoke_kit_ask(&kit, model, rest);
    assert_buf(&kit.body, body);
    invoke_kit_done(&kit);
}

static void assert_messages_sent(const char *messages, const char *sent)
{
    struct buf rest OWNED_BY(buf_done), body OWNED_BY(buf_done);
    buf_init(&rest, INVOKE_KIT_LIMIT);
    buf_init(&body, INVOKE_KIT_LIMIT);
    buf_addf(&rest, "\"messages\":[%s]", messages);
    buf_addf(&body, "{\"messages\":[%s]}", sent);
    assert_sent(QWEN, buf_text(&rest), buf_text(&body));
}

/* --- bodies --- */

static void messages_stay_apart_and_parameters_have_openais_names(void **state)
{
    (void)state;
    assert_sent(OPENAI, SET TALK,
                "{" TALKED ",\"max_completion_tokens\":64,\"temperature\":0.5,\"top_p\":0.90,"
                "\"stop\":[\"END\"]}");
    static const char *const OTHERS[] = {QWEN, JAMBA, WRITER};
    for (size_t i = 0; i < COUNT_OF(OTHERS); i++)
        assert_sent(OTHERS[i], SET TALK,
                    "{" TALKED ",\"max_tokens\":64,\"temperature\":0.5,\"top_p\":0.90,"
                    "\"stop\":[\"END\"]}");
}

static void texts_of_one_message_are_lines_of_a_string(void **state)
{
    (void)state;
    assert_messages_sent(
        "{\"role\":\"user\",\"content\":[\"a\",{\"type\":\"text\",\"text\":\"b\"}]}",
        "{\"role\":\"user\",\"content\":\"a\\nb\"}");
}

static void an_image_is_a_data_url_among_the_parts(void **state)
{
    (void)state;
    assert_messages_sent(
        "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"see\"},{\"type\":"
        "\"image_url\",\"image_url\":{\"url\":\"data:image/jpeg;base64,iVBORw0KGgo=\"}}]}",
        "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"see\"},{\"type\":"
        "\"image_url\",\"image_url\":{\"url\":\"data:image/jpeg;base64,iVBORw0KGgo=\"}}]}");
}

static void tools_and_their_turns_have_openais_form(void **state)
{
    (void)state;
    assert_sent(
        OPENAI,
        "\"tools\":[{\"name\":\"w\",\"description\":\"Weather\",\"input_schema\":{\"type\":"
        "\"object\",\"properties\":{\"n\":{\"anyOf\":[{\"type\":\"null\"},{\"type\":"
        "\"number\",\"maximum\":1.50}]}}}},{\"type\":\"function\",\"function\":{\"name\":\"v\","
        "\"strict\":true,\"parameters\":{}}}],\"tool_choice\":\"w\",\"messages\":["
        "[\"human\",\"Weather?\"],{\"role\":\"ai\",\"content\":\"\",\"tool_calls\":[{\"name\":"
        "\"w\",\"args\":{\"city\":\"Z\\u00fcrich\",\"n\":1.50},\"id\":\"c1\"},{\"name\":\"v\","
        "\"args\":{},\"id\":\"c2\"}]},{\"role\":\"tool\",\"content\":\"sunny\","
        "\"tool_call_id\":\"c1\"},{\"role\":\"tool\",\"content\":[\"a\",\"b\"],"
        "\"tool_call_id\":\"c2\"},[\"human\",\"And?\"]]",
        "{\"messages\":[{\"role\":\"user\",\"content\":\"Weather?\"},{\"role\":\"assistant\","
        "\"content\":\"\",\"tool_calls\":[{\"type\":\"function\",\"id\":\"c1\",\"function\":{"
        "\"name\":\"w\",\"arguments\":\"{\\\"city\\\": \\\"Z\xc3\xbcrich\\\", \\\"n\\\": 1.50}\"}},"
        "{\"type\":\"function\",\"id\":\"c2\",\"function\":{\"name\":\"v\",\"arguments\":"
        "\"{}\"}}]},{\"role\":\"tool\",\"tool_call_id\":\"c1\",\"content\":\"sunny\"},{\"role\":"
        "\"tool\",\"tool_call_id\":\"c2\",\"content\":\"a\\nb\"},{\"role\":\"user\",\"content\":"
        "\"And?\"}],\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"w\","
        "\"description\":\"Weather\",\"parameters\":{\"type\":\"object\",\"properties\":{\"n\":{"
        "\"anyOf\":[{\"type\":\"null\"},{\"type\":\"number\",\"maximum\":1.50}]}}}}},{\"type\":"
        "\"function\",\"function\":{\"name\":\"v\",\"parameters\":{},\"strict\":true}}],"
        "\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"w\"}}}");
}

static void a_tool_result_in_json_is_a_text(void **state)
{
    (void)state;
    assert_messages_sent(
        "[\"human\",\"a\"],{\"role\":\"ai\",\"content\":\"b\",\"tool_calls\":[{\"name\":\"w\","
        "\"args\":{},\"id\":\"c\"}]},{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":"
        "\"and\"},{\"type\":\"tool_result\",\"tool_use_id\":\"c\",\"content\":[{\"type\":\"text\","
        "\"text\":\"t\"},{\"json\":{\"n\":[1.50,null]}}]}]}",
        "{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"assistant\",\"content\":\"b\","
        "\"tool_calls\":[{\"type\":\"function\",\"id\":\"c\",\"function\":{\"name\":\"w\","
        "\"arguments\":\"{}\"}}]},{\"role\":\"tool\",\"tool_call_id\":\"c\",\"content\":"
        "\"t\\n{\\\"n\\\": [1.50, null]}\"},{\"role\":\"user\",\"content\":\"and\"}");
}

static void a_tool_choice_has_openais_word(void **state)
{
    (void)state;
    static const char *const WORDS[][2] = {{"auto", "auto"}, {"any", "required"}, {"none", "none"}};
    for (size_t i = 0; i < COUNT_OF(WORDS); i++) {
        struct buf rest OWNED_BY(buf_done), body OWNED_BY(buf_done);
        buf_init(&rest, INVOKE_KIT_LIMIT);
        buf_init(&body, INVOKE_KIT_LIMIT);
        buf_addf(&rest,
                 "\"tools\":[{\"name\":\"w\",\"input_schema\":{}}],\"tool_choice\":\"%s\"," HI,
                 WORDS[i][0]);
        buf_addf(&body,
                 "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"tools\":[{"
                 "\"type\":\"function\",\"function\":{\"name\":\"w\",\"parameters\":{}}}],"
                 "\"tool_choice\":\"%s\"}",
                 WORDS[i][1]);
        assert_sent(JAMBA, buf_text(&rest), buf_text(&body));
    }
}

static void consecutive_messages_stay_apart(void **state)
{
    (void)state;
    assert_messages_sent("[\"human\",\"a\"],[\"human\",\"b\"]",
                         "{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"user\",\"content\":"
                         "\"b\"}");
}

/* --- what has no place --- */

static void assert_unfit(const char *model, const char *rest, enum err err, const char *field)
{
    struct buf value OWNED_BY(buf_done);
    buf_init(&value, INVOKE_KIT_LIMIT);
    buf_addf(&value, "{\"model\":\"%s\",\"api\":\"invoke\",%s}", model, rest);
    assert_refused(buf_text(&value), err, field);
}

static void what_a_family_has_no_place_for_is_rejected(void **state)
{
    (void)state;
#define IMAGE                                                                                      \
    "\"messages\":[{\"role\":\"user\",\"content\":[{\"image\":{\"format\":\"png\",\"source\":{"    \
    "\"bytes\":\"iVBORw0KGgo=\"}}}]}]"
#define TOOL "\"tools\":[{\"name\":\"w\",\"input_schema\":{}}]," HI
    assert_unfit("mistral.mistral-7b-instruct-v0:2", IMAGE, ERR_UNSUPPORTED_FIELD, "messages");
    assert_unfit(JAMBA, IMAGE, ERR_UNSUPPORTED_FIELD, "messages");
    assert_unfit("meta.llama3-1-8b-instruct-v1:0", TOOL, ERR_UNSUPPORTED_FIELD, "tools");
    assert_unfit("cohere.command-r-v1:0", TOOL, ERR_UNSUPPORTED_FIELD, "tools");
    assert_unfit(QWEN, "\"top_k\":3," HI, ERR_UNSUPPORTED_FIELD, "top_k");
    assert_unfit(QWEN, "\"tools\":[\"nova_grounding\"]," HI, ERR_UNSUPPORTED_FIELD, "tools");
    assert_unfit(QWEN, "\"tools\":[{\"cachePoint\":{\"type\":\"default\"}}]," HI,
                 ERR_UNSUPPORTED_FIELD, "tools");
    assert_unfit(QWEN,
                 "\"tools\":[{\"name\":\"w\",\"input_schema\":{},\"cache_control\":{\"type\":"
                 "\"ephemeral\"}}]," HI,
                 ERR_UNSUPPORTED_FIELD, "tools");
    assert_unfit(QWEN,
                 "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\","
                 "\"cache_control\":{\"type\":\"ephemeral\"}}]}]",
                 ERR_UNSUPPORTED_FIELD, "messages");
    assert_unfit(QWEN,
                 "\"messages\":[{\"role\":\"user\",\"content\":[{\"image\":{\"format\":\"png\","
                 "\"source\":{}}}]}]",
                 ERR_INVALID, "messages");
    assert_unfit("moonshot.kimi-k2", HI, ERR_INVALID, "model");
}

static void a_request_to_a_custom_model_gives_the_body_and_nothing_else(void **state)
{
    (void)state;
#define CUSTOM "arn:aws:bedrock:us-east-1:123456789012:imported-model/abc"
    assert_unfit(CUSTOM, "\"provider\":\"custom\"," HI, ERR_INVALID, "model_kwargs");
    assert_unfit(CUSTOM,
                 "\"provider\":\"custom\",\"model_kwargs\":{\"a\":1},\"stop\":[\"END\"]," HI,
                 ERR_UNSUPPORTED_FIELD, "stop");
}

static void a_request_that_gives_the_body_needs_no_messages(void **state)
{
    (void)state;
    struct invoke_kit kit;
    invoke_kit_ask(&kit, CUSTOM, "\"provider\":\"custom\",\"model_kwargs\":{\"max_tokens\":1.50}");
    assert_buf(&kit.body, "{\"max_tokens\":1.50}");
    assert_int_equal(kit.ask.request.text_bytes, strlen("{\"max_tokens\":1.50}"));
    invoke_kit_done(&kit);
    assert_unfit(CUSTOM, "\"provider\":\"meta\",\"model_kwargs\":{\"a\":1}", ERR_INVALID,
                 "messages");
}

static void llamas_stop_texts_are_few(void **state)
{
    (void)state;
    struct buf stops OWNED_BY(buf_done);
    buf_init(&stops, INVOKE_KIT_LIMIT);
    buf_add_text(&stops, "\"stop\":[\"x\"");
    for (int i = 0; i < 64; i++)
        buf_addf(&stops, ",\"%d\"", i);
    buf_add_text(&stops, "]," HI);
    assert_unfit("meta.llama3-1-8b-instruct-v1:0", buf_text(&stops), ERR_INVALID, "stop");
}

static void own_fields_go_into_the_body_as_they_are(void **state)
{
    (void)state;
    assert_sent(OPENAI,
                "\"max_tokens\":9,\"model_kwargs\":{\"response_format\":{\"type\":\"json_object\"},"
                "\"max_completion_tokens\":8.0,\"reasoning_effort\":\"low\"}," HI,
                "{\"response_format\":{\"type\":\"json_object\"},\"max_completion_tokens\":8.0,"
                "\"reasoning_effort\":\"low\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]"
                "}");
    assert_sent(QWEN,
                "\"model_kwargs\":{\"messages\":[],\"tools\":[],\"tool_choice\":\"auto\"}," HI,
                "{\"messages\":[],\"tools\":[],\"tool_choice\":\"auto\"}");
}

/* --- whole answers --- */

static void an_answer_is_a_text_and_its_counts_are_in_usage(void **state)
{
    (void)state;
    struct invoke_kit kit;
    invoke_kit_ask(&kit, OPENAI, HI);
    assert_int_equal(
        invoke_kit_decode(&kit, "{\"choices\":[{\"index\":0,\"finish_reason\":\"stop\",\"message\":"
                                "{\"role\":\"assistant\",\"content\":\"<reasoning>r</reasoning>a\"}"
                                "}],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":5,"
                                "\"total_tokens\":14,\"prompt_tokens_details\":{\"cached_tokens\":4"
                                "},\"completion_tokens_details\":{\"reasoning_tokens\":3}}}"),
        OK);
    assert_slice(kit.answer.content, "\"<reasoning>r</reasoning>a\"");
    assert_slice(kit.answer.tool_calls, "[]");
    assert_slice(kit.answer.stop_reason, "stop");
    assert_int_equal(kit.answer.usage.input_tokens, 9);
    assert_int_equal(kit.answer.usage.cache_read_tokens, 0);
    assert_int_equal(kit.answer.usage.output_tokens, 5);
    assert_int_equal(kit.answer.usage.total_tokens, 14);
    assert_int_equal(kit.answer.usage.reasoning_tokens, 3);
    invoke_kit_done(&kit);
}

static void an_answer_cut_in_its_reasoning_has_an_empty_text(void **state)
{
    (void)state;
    struct invoke_kit kit;
    invoke_kit_ask(&kit, OPENAI, HI);
    assert_int_equal(invoke_kit_decode(&kit, "{\"choices\":[{\"message\":{\"content\":null},"
                                             "\"finish_reason\":\"length\"}]}"),
                     OK);
    assert_slice(kit.answer.content, "\"\"");
    assert_slice(kit.answer.stop_reason, "length");
    invoke_kit_done(&kit);
}

static void tool_calls_stand_beside_the_text(void **state)
{
    (void)state;
    struct invoke_kit kit;
    invoke_kit_ask(&kit, QWEN, HI);
    assert_int_equal(
        invoke_kit_decode(
            &kit, "{\"choices\":[{\"finish_reason\":\"tool_calls\",\"message\":{\"content\":null,"
                  "\"tool_calls\":[{\"id\":\"c1\",\"type\":\"function\",\"function\":{\"name\":"
                  "\"w\",\"arguments\":\"{\\\"n\\\": 1.50, \\\"s\\\": \\\"\\u00e9\\\"}\"}},"
                  "{\"id\":\"c2\",\"function\":{\"name\":\"v\",\"arguments\":\"\"}},"
                  "{\"id\":\"c3\",\"function\":{\"name\":\"u\",\"arguments\":{\"a\": [1]}}},"
                  "{\"id\":\"c4\",\"function\":{\"name\":\"t\",\"arguments\":\"{\\\"cut\"}},"
                  "{\"id\":7,\"function\":{\"arguments\":\"[1]\"}},"
                  "{\"id\":\"c5\"},7]}}]}"),
        OK);
    assert_slice(kit.answer.content, "\"\"");
    assert_slice(kit.answer.tool_calls,
                 "[{\"name\":\"w\",\"args\":{\"n\": 1.50, \"s\": \"\xc3\xa9\"},\"id\":\"c1\","
                 "\"type\":\"tool_call\"},{\"name\":\"v\",\"args\":{},\"id\":\"c2\",\"type\":"
                 "\"tool_call\"},{\"name\":\"u\",\"args\":{\"a\": [1]},\"id\":\"c3\",\"type\":"
                 "\"tool_call\"}]");
    assert_slice(
        kit.answer.invalid_tool_calls,
        "[{\"name\":\"t\",\"args\":\"{\\\"cut\",\"id\":\"c4\",\"type\":"
        "\"invalid_tool_call\"},{\"name\":\"\",\"args\":\"[1]\",\"id\":\"call_4\",\"type\":"
        "\"invalid_tool_call\"}]");
    invoke_kit_done(&kit);
}

/* --- streams --- */

#define METRICS                                                                                    \
    "\"amazon-bedrock-invocationMetrics\":{\"inputTokenCount\":5,\"outputTokenCount\":8}"

static void hear_all(struct invoke_kit *kit, const char *const *chunks)
{
    for (size_t i = 0; chunks[i] != NULL; i++) {
        enum err err = invoke_kit_chunk(kit, chunks[i]);
        if (err != OK)
            fail_msg("%s: %s", chunks[i], kit->why.message);
    }
}

static void assert_stream(const char *model, const char *const *chunks, const char *seen)
{
    struct invoke_kit kit;
    invoke_kit_ask(&kit, model, "\"stream\":true," HI);
    hear_all(&kit, chunks);
    assert_buf(&kit.chunks, seen);
    if (invoke_kit_end(&kit) != OK)
        fail_msg("%s", kit.why.message);
    assert_true(kit.answer.usage.known);
    assert_int_equal(kit.answer.usage.total_tokens, 13);
    invoke_kit_done(&kit);
}

static void a_stream_is_of_strings_and_ends_with_its_counts(void **state)
{
    (void)state;
    static const char *const CHUNKS[] = {
        "{\"id\":\"x\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":"
        "\"\"},\"finish_reason\":null}]}",
        "{\"id\":\"x\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Vo\"}}]}",
        "{\"id\":\"x\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"ici\"}}]}",
        "{\"id\":\"x\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"tool_calls\"}]}",
        "{\"id\":\"x\",\"choices\":[],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":8}"
        "," METRICS "}",
        NULL,
    };
    assert_stream(
        QWEN, CHUNKS,
        "\"\"\n\"Vo\"\n\"ici\"\n\"\" {\"stop_reason\":\"tool_calls\"}\n\"\" usage last\n");
}

static void writers_last_word_says_nothing(void **state)
{
    (void)state;
    static const char *const CHUNKS[] = {
        "{\"choices\":[{\"delta\":{\"content\":\"Voici\"}}]}",
        "{\"choices\":[{\"delta\":{\"content\":null},\"finish_reason\":\"length\"}]," METRICS "}",
        "\"[DONE]\"",
        NULL,
    };
    static const char *const BARE[] = {
        "{\"choices\":[{\"delta\":{\"content\":\"Voici\"}}]}",
        "{\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]," METRICS "}",
        "[DONE]",
        NULL,
    };
    assert_stream(WRITER, CHUNKS, "\"Voici\"\n\"\" {\"stop_reason\":\"length\"} usage last\n");
    assert_stream(WRITER, BARE, "\"Voici\"\n\"\" {\"stop_reason\":\"stop\"} usage last\n");
}

static void tool_calls_come_in_pieces(void **state)
{
    (void)state;
    struct invoke_kit kit;
    static const char *const CHUNKS[] = {
        "{\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"c1\",\"type\":"
        "\"function\",\"function\":{\"name\":\"w\",\"arguments\":\"\"}}]}}]}",
        "{\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":"
        "\"{\\\"a\\\"\"}}]}}]}",
        "{\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":"
        "\":1}\"}},{\"index\":1,\"id\":\"c2\",\"function\":{\"name\":\"v\",\"arguments\":\"{\"}}]}}"
        "]}",
        "{\"choices\":[{\"delta\":{},\"finish_reason\":\"tool_calls\"}]," METRICS "}",
        NULL,
    };
    invoke_kit_ask(&kit, OPENAI, HI);
    hear_all(&kit, CHUNKS);
    assert_buf(
        &kit.chunks,
        "\"\" calls [{\"name\":\"w\",\"args\":\"\",\"id\":\"c1\",\"index\":0,\"type\":"
        "\"tool_call_chunk\"}]\n"
        "\"\" calls [{\"args\":\"{\\\"a\\\"\",\"index\":0,\"type\":\"tool_call_chunk\"}]\n"
        "\"\" calls [{\"args\":\":1}\",\"index\":0,\"type\":\"tool_call_chunk\"},{\"name\":\"v\","
        "\"args\":\"{\",\"id\":\"c2\",\"index\":1,\"type\":\"tool_call_chunk\"}]\n"
        "\"\" {\"stop_reason\":\"tool_calls\"} usage last\n");
    assert_int_equal(invoke_kit_end(&kit), OK);
    assert_slice(kit.answer.tool_calls,
                 "[{\"name\":\"w\",\"args\":{\"a\":1},\"id\":\"c1\",\"type\":\"tool_call\"}]");
    assert_slice(kit.answer.invalid_tool_calls,
                 "[{\"name\":\"v\",\"args\":\"{\",\"id\":\"c2\",\"type\":\"invalid_tool_call\"}]");
    invoke_kit_done(&kit);
}

static void a_name_and_an_id_are_sent_once_and_a_missing_id_is_made(void **state)
{
    (void)state;
    struct invoke_kit kit;
    static const char *const CHUNKS[] = {
        "{\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":3,\"function\":{\"name\":\"w\","
        "\"arguments\":\"{\"}}]}}]}",
        "{\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":3,\"id\":\"late\",\"function\":{"
        "\"name\":\"w\",\"arguments\":\"}\"}}]},\"finish_reason\":\"tool_calls\"}]," METRICS "}",
        NULL,
    };
    invoke_kit_ask(&kit, OPENAI, HI);
    hear_all(&kit, CHUNKS);
    assert_buf(&kit.chunks,
               "\"\" calls [{\"name\":\"w\",\"args\":\"{\",\"id\":\"call_3\",\"index\":3,\"type\":"
               "\"tool_call_chunk\"}]\n"
               "\"\" calls [{\"args\":\"}\",\"index\":3,\"type\":\"tool_call_chunk\"}] "
               "{\"stop_reason\":\"tool_calls\"} usage last\n");
    assert_int_equal(invoke_kit_end(&kit), OK);
    assert_slice(kit.answer.tool_calls,
                 "[{\"name\":\"w\",\"args\":{},\"id\":\"call_3\",\"type\":\"tool_call\"}]");
    invoke_kit_done(&kit);
}

/* --- custom --- */

static void a_custom_model_gets_the_body_and_its_answer_is_the_content(void **state)
{
    (void)state;
    struct invoke_kit kit;
    invoke_kit_ask(&kit, "arn:aws:bedrock:us-east-1:123456789012:imported-model/abc",
                   "\"provider\":\"custom\",\"model_kwargs\":{\"prompt\":\"Hi\",\"topP\":2.0}," HI);
    assert_buf(&kit.body, "{\"prompt\":\"Hi\",\"topP\":2.0}");
    assert_int_equal(invoke_kit_decode(&kit, "{\"a\": \"\\u00e9\", \"n\": 1.50}"), OK);
    assert_slice(kit.answer.content, "\"{\\\"a\\\": \\\"\\\\u00e9\\\", \\\"n\\\": 1.50}\"");
    static const char *const CHUNKS[] = {"{\"a\":1}", "{\"b\":2," METRICS "}", NULL};
    hear_all(&kit, CHUNKS);
    assert_buf(&kit.chunks, "\"{\\\"a\\\":1}\"\n\"\\n{\\\"b\\\":2,\\\"amazon-bedrock-"
                            "invocationMetrics\\\":{\\\"inputTokenCount\\\":5,"
                            "\\\"outputTokenCount\\\":8}}\" usage last\n");
    assert_int_equal(invoke_kit_end(&kit), OK);
    invoke_kit_done(&kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_stay_apart_and_parameters_have_openais_names),
        cmocka_unit_test(texts_of_one_message_are_lines_of_a_string),
        cmocka_unit_test(an_image_is_a_data_url_among_the_parts),
        cmocka_unit_test(tools_and_their_turns_have_openais_form),
        cmocka_unit_test(a_tool_result_in_json_is_a_text),
        cmocka_unit_test(a_tool_choice_has_openais_word),
        cmocka_unit_test(consecutive_messages_stay_apart),
        cmocka_unit_test(what_a_family_has_no_place_for_is_rejected),
        cmocka_unit_test(a_request_to_a_custom_model_gives_the_body_and_nothing_else),
        cmocka_unit_test(a_request_that_gives_the_body_needs_no_messages),
        cmocka_unit_test(llamas_stop_texts_are_few),
        cmocka_unit_test(own_fields_go_into_the_body_as_they_are),
        cmocka_unit_test(an_answer_is_a_text_and_its_counts_are_in_usage),
        cmocka_unit_test(an_answer_cut_in_its_reasoning_has_an_empty_text),
        cmocka_unit_test(tool_calls_stand_beside_the_text),
        cmocka_unit_test(a_stream_is_of_strings_and_ends_with_its_counts),
        cmocka_unit_test(writers_last_word_says_nothing),
        cmocka_unit_test(tool_calls_come_in_pieces),
        cmocka_unit_test(a_name_and_an_id_are_sent_once_and_a_missing_id_is_made),
        cmocka_unit_test(a_custom_model_gets_the_body_and_its_answer_is_the_content),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
