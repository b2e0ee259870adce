/* Families whose conversation is a text, and Cohere and imported models: bodies with the vendors'
 * marks, answers and streams. Texts and their order are langchain-aws 1.9.1's (ChatBedrock with a
 * client that records). */
#include "unit/unit.h"

#include "unit/invoke_kit.h"

#define LLAMA3   "meta.llama3-1-8b-instruct-v1:0"
#define LLAMA4   "us.meta.llama4-scout-17b-instruct-v1:0"
#define MISTRAL  "mistral.mistral-7b-instruct-v0:2"
#define DEEPSEEK "us.deepseek.r1-v1:0"
#define TITAN    "amazon.titan-text-express-v1"
#define COHERE   "cohere.command-r-v1:0"

#define TALK                                                                                       \
    "\"messages\":[[\"system\",\"Be brief.\"],[\"human\",\"Hi\"],[\"ai\",\"Hello.\"],"             \
    "[\"human\",\"How are you?\"]]"
#define HI    "\"messages\":[[\"human\",\"Hi\"]]"
#define STOPS "\"stop\":[\"END\"]"
#define SET   "\"max_tokens\":64,\"temperature\":0.5,\"top_p\":0.90"

static void assert_sent(const char *model, const char *rest, const char *body)
{
    struct invoke_kit kit;
    invoke_kit_ask(&kit, model, rest);
    assert_buf(&kit.body, body);
    invoke_kit_done(&kit);
}

static void assert_answer(const char *model, const char *rest, const char *answer,
                          const char *content, const char *stop_reason)
{
    struct invoke_kit kit;
    invoke_kit_ask(&kit, model, rest);
    enum err err = invoke_kit_decode(&kit, answer);
    if (err != OK)
        fail_msg("%s: %s", answer, kit.why.message);
    assert_slice(kit.answer.content, content);
    if (stop_reason != NULL)
        assert_slice(kit.answer.stop_reason, stop_reason);
    else
        assert_null(kit.answer.stop_reason.ptr);
    invoke_kit_done(&kit);
}

/* --- bodies --- */

static void llama_3_has_two_line_breaks_behind_each_header(void **state)
{
    (void)state;
    assert_sent(LLAMA3, SET "," TALK,
                "{\"prompt\":\"<|begin_of_text|><|start_header_id|>system<|end_header_id|>\\n\\n"
                "Be brief.<|eot_id|><|start_header_id|>user<|end_header_id|>\\n\\nHi<|eot_id|>"
                "<|start_header_id|>assistant<|end_header_id|>\\n\\nHello.<|eot_id|>"
                "<|start_header_id|>user<|end_header_id|>\\n\\nHow are you?<|eot_id|>"
                "<|start_header_id|>assistant<|end_header_id|>\\n\\n\","
                "\"max_gen_len\":64,\"temperature\":0.5,\"top_p\":0.90}");
}

static void llama_4_has_other_marks_than_llama_3(void **state)
{
    (void)state;
    assert_sent(LLAMA4, TALK,
                "{\"prompt\":\"<|begin_of_text|><|header_start|>system<|header_end|>\\n\\n"
                "Be brief.<|eot|><|header_start|>user<|header_end|>\\n\\nHi<|eot|>"
                "<|header_start|>assistant<|header_end|>\\n\\nHello.<|eot|>"
                "<|header_start|>user<|header_end|>\\n\\nHow are you?<|eot|>"
                "<|header_start|>assistant<|header_end|>\\n\\n\"}");
}

static void mistral_says_the_systems_text_in_the_first_instruction(void **state)
{
    (void)state;
    assert_sent(MISTRAL, SET ",\"top_k\":9," STOPS "," TALK,
                "{\"prompt\":\"<s>[INST] Be brief.\\n\\nHi [/INST] Hello.</s>"
                "[INST] How are you? [/INST]\",\"max_tokens\":64,\"temperature\":0.5,"
                "\"top_p\":0.90,\"top_k\":9,\"stop\":[\"END\"]}");
}

static void deepseek_has_bars_of_full_width(void **state)
{
    (void)state;
    assert_sent(DEEPSEEK, STOPS "," TALK,
                "{\"prompt\":\"<\uff5c"
                "begin\u2581of\u2581sentence\uff5c>Be brief.<\uff5cUser\uff5c>Hi"
                "<\uff5c"
                "Assistant\uff5c>Hello.<\uff5c"
                "end\u2581of\u2581sentence\uff5c><\uff5cUser\uff5c>"
                "How are you?<\uff5c"
                "Assistant\uff5c>\",\"stop\":[\"END\"]}");
}

static void titan_has_its_parameters_in_a_member(void **state)
{
    (void)state;
    assert_sent(TITAN, SET "," STOPS "," TALK,
                "{\"inputText\":\"Be brief.\\n\\nUser: Hi\\n\\nBot: Hello.\\n\\nUser: How are "
                "you?\\n\\nBot:\",\"textGenerationConfig\":{\"maxTokenCount\":64,"
                "\"temperature\":0.5,\"topP\":0.90,\"stopSequences\":[\"END\"]}}");
    assert_sent(TITAN, HI,
                "{\"inputText\":\"\\n\\nUser: Hi\\n\\nBot:\",\"textGenerationConfig\":{}}");
}

static void titans_own_fields_go_where_its_parameters_are(void **state)
{
    (void)state;
    assert_sent(TITAN, "\"max_tokens\":9,\"model_kwargs\":{\"topP\":0.50,\"x\":{}}," HI,
                "{\"inputText\":\"\\n\\nUser: Hi\\n\\nBot:\",\"textGenerationConfig\":{"
                "\"topP\":0.50,\"x\":{},\"maxTokenCount\":9}}");
    assert_sent(TITAN,
                "\"max_tokens\":9,\"model_kwargs\":{\"textGenerationConfig\":{\"topP\":0.50,"
                "\"maxTokenCount\":7},\"y\":1}," HI,
                "{\"y\":1,\"inputText\":\"\\n\\nUser: Hi\\n\\nBot:\",\"textGenerationConfig\":{"
                "\"topP\":0.50,\"maxTokenCount\":7}}");
    assert_sent(TITAN, "\"max_tokens\":9,\"model_kwargs\":{\"inputText\":\"raw\"}," HI,
                "{\"inputText\":\"raw\",\"textGenerationConfig\":{\"maxTokenCount\":9}}");
    assert_sent(TITAN, "\"model_kwargs\":{\"textGenerationConfig\":null}," HI,
                "{\"inputText\":\"\\n\\nUser: Hi\\n\\nBot:\",\"textGenerationConfig\":null}");
}

static void cohere_has_the_last_message_and_those_before_it(void **state)
{
    (void)state;
    assert_sent(COHERE, SET ",\"top_k\":9," STOPS "," TALK,
                "{\"chat_history\":[{\"role\":\"USER\",\"message\":\"Hi\"},{\"role\":\"CHATBOT\","
                "\"message\":\"Hello.\"}],\"message\":\"How are you?\",\"preamble\":\"Be brief.\","
                "\"max_tokens\":64,\"temperature\":0.5,\"p\":0.90,\"k\":9,"
                "\"stop_sequences\":[\"END\"]}");
    assert_sent(COHERE, HI, "{\"chat_history\":[],\"message\":\"Hi\"}");
}

static void an_assistants_last_turn_is_what_the_answer_goes_on_with(void **state)
{
    (void)state;
#define BEGUN "\"messages\":[[\"human\",\"Hi\"],[\"ai\",\"Well\"]]"
    assert_sent(LLAMA3, BEGUN,
                "{\"prompt\":\"<|begin_of_text|><|start_header_id|>user<|end_header_id|>\\n\\nHi"
                "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\\n\\nWell\"}");
    assert_sent(MISTRAL, BEGUN, "{\"prompt\":\"<s>[INST] Hi [/INST] Well\"}");
    assert_sent(TITAN, BEGUN,
                "{\"inputText\":\"\\n\\nUser: Hi\\n\\nBot: Well\","
                "\"textGenerationConfig\":{}}");
    assert_sent(COHERE, BEGUN,
                "{\"chat_history\":[{\"role\":\"USER\",\"message\":\"Hi\"},"
                "{\"role\":\"CHATBOT\",\"message\":\"Well\"}],\"message\":\"\"}");
}

static void texts_of_one_message_are_lines(void **state)
{
    (void)state;
    assert_sent(MISTRAL,
                "\"messages\":[{\"role\":\"system\",\"content\":[\"S\",{\"text\":\"T\"}]},"
                "{\"role\":\"user\",\"content\":[\"a\",{\"type\":\"text\",\"text\":\"b\\\"\"}]}]",
                "{\"prompt\":\"<s>[INST] S\\nT\\n\\na\\nb\\\" [/INST]\"}");
    assert_sent(LLAMA3,
                "\"messages\":[{\"role\":\"user\",\"content\":[\"a\"]},"
                "{\"role\":\"user\",\"content\":[\"b\",\"c\"]}]",
                "{\"prompt\":\"<|begin_of_text|><|start_header_id|>user<|end_header_id|>\\n\\na"
                "<|eot_id|><|start_header_id|>user<|end_header_id|>\\n\\nb\\nc<|eot_id|>"
                "<|start_header_id|>assistant<|end_header_id|>\\n\\n\"}");
}

static void messages_keep_their_order_and_their_blanks(void **state)
{
    (void)state;
#define ORDER                                                                                      \
    "\"messages\":[[\"ai\",\"Hello\"],[\"system\",\"Be\"],[\"system\",\"brief\"],[\"human\",\"\"]" \
    "]"
    assert_sent(LLAMA4, ORDER,
                "{\"prompt\":\"<|begin_of_text|><|header_start|>assistant<|header_end|>\\n\\nHello"
                "<|eot|><|header_start|>system<|header_end|>\\n\\nBe<|eot|><|header_start|>system"
                "<|header_end|>\\n\\nbrief<|eot|><|header_start|>user<|header_end|>\\n\\n<|eot|>"
                "<|header_start|>assistant<|header_end|>\\n\\n\"}");
    assert_sent(MISTRAL, ORDER, "{\"prompt\":\"<s> Hello</s>[INST] Be\\nbrief\\n\\n [/INST]\"}");
    assert_sent(MISTRAL, "\"messages\":[[\"system\",\"Be\"]]",
                "{\"prompt\":\"<s>[INST] Be [/INST]\"}");
    assert_sent(MISTRAL, "\"messages\":[[\"system\",\"Be\"],[\"ai\",\"Well \"]]",
                "{\"prompt\":\"<s>[INST] Be [/INST] Well \"}");
    assert_sent(COHERE, ORDER,
                "{\"chat_history\":[{\"role\":\"CHATBOT\",\"message\":\"Hello\"}],\"message\":\"\","
                "\"preamble\":\"Be\\nbrief\"}");
}

static void a_text_with_citations_is_its_text(void **state)
{
    (void)state;
    assert_sent(MISTRAL,
                "\"messages\":[[\"human\",\"Hi\"],{\"role\":\"assistant\",\"content\":["
                "{\"citationsContent\":{\"content\":[{\"text\":\"o\\u006ee\"},{\"text\":\"two\"}],"
                "\"citations\":[]}},{\"type\":\"text\",\"text\":\"three\",\"citations\":["
                "{\"source_content\":[{\"text\":\"x\"}]}]}]},[\"human\",\"And?\"]]",
                "{\"prompt\":\"<s>[INST] Hi [/INST] one\\ntwo\\nthree</s>[INST] And? [/INST]\"}");
}

static void own_fields_of_the_body_win(void **state)
{
    (void)state;
    assert_sent(LLAMA3,
                "\"additional_model_request_fields\":{\"max_gen_len\":1.0,\"prompt\":\"raw\","
                "\"images\":[1.50]},\"max_tokens\":7," HI,
                "{\"max_gen_len\":1.0,\"prompt\":\"raw\",\"images\":[1.50]}");
    assert_sent(COHERE,
                "\"model_kwargs\":{\"chat_history\":[],\"preamble\":\"P\",\"message\":\"M\"}," TALK,
                "{\"chat_history\":[],\"preamble\":\"P\",\"message\":\"M\"}");
}

/* --- answers --- */

static void each_family_says_its_text_and_why_it_stopped(void **state)
{
    (void)state;
    assert_answer(LLAMA3, HI, "{\"generation\":\"a\\n\",\"stop_reason\":\"length\"}", "\"a\\n\"",
                  "length");
    assert_answer(MISTRAL, HI, "{\"outputs\":[{\"text\":\"a\",\"stop_reason\":\"stop\"}]}", "\"a\"",
                  "stop");
    assert_answer(DEEPSEEK, HI, "{\"choices\":[{\"text\":\"a\",\"stop_reason\":\"stop\"}]}",
                  "\"a\"", "stop");
    assert_answer(TITAN, HI,
                  "{\"results\":[{\"outputText\":\"a\",\"completionReason\":\"FINISH\"}]}", "\"a\"",
                  "FINISH");
    assert_answer(COHERE, HI, "{\"text\":\"a\",\"finish_reason\":\"COMPLETE\"}", "\"a\"",
                  "COMPLETE");
}

static void counts_come_from_the_headers_else_from_the_body(void **state)
{
    (void)state;
    struct invoke_kit kit;
    invoke_kit_ask(&kit, LLAMA3, HI);
    buf_add_text(&kit.head, "X-Amzn-Bedrock-Output-Token-Count: 9\r\n");
    assert_int_equal(invoke_kit_decode(&kit, "{\"generation\":\"a\",\"prompt_token_count\":5,"
                                             "\"generation_token_count\":8,\"stop_reason\":null}"),
                     OK);
    assert_true(kit.answer.usage.known);
    assert_int_equal(kit.answer.usage.input_tokens, 5);
    assert_int_equal(kit.answer.usage.output_tokens, 9);
    assert_int_equal(kit.answer.usage.total_tokens, 14);
    assert_slice(kit.answer.usage.raw, "{\"prompt_token_count\":5,\"generation_token_count\":8,"
                                       "\"x-amzn-bedrock-output-token-count\":9}");
    invoke_kit_done(&kit);
    invoke_kit_ask(&kit, TITAN, HI);
    assert_int_equal(invoke_kit_decode(&kit, "{\"inputTextTokenCount\":3.0,\"results\":["
                                             "{\"tokenCount\":4,\"outputText\":\"\"}]}"),
                     OK);
    assert_int_equal(kit.answer.usage.total_tokens, 7);
    assert_slice(kit.answer.content, "\"\"");
    invoke_kit_done(&kit);
}

static void llamas_answer_is_cut_at_the_first_stop_text(void **state)
{
    (void)state;
    const char *stops = "\"stop\":[\"END\",\"\\n\\nQ:\"]," HI;
    assert_answer(LLAMA3, stops,
                  "{\"generation\":\"one END two\\n\\nQ: three\",\"stop_reason\":\"length\"}",
                  "\"one \"", "stop_sequence");
    assert_answer(LLAMA4, stops, "{\"generation\":\"one\\n\\nQ: END\"}", "\"one\"",
                  "stop_sequence");
    assert_answer(LLAMA3, stops, "{\"generation\":\"one EN\",\"stop_reason\":\"length\"}",
                  "\"one EN\"", "length");
    /* Mistral stops by itself: a stop text in its answer is a part of it. */
    assert_answer(MISTRAL, stops,
                  "{\"outputs\":[{\"text\":\"an END\",\"stop_reason\":\"length\"}]}", "\"an END\"",
                  "length");
}

static void the_counts_of_a_cut_answer_stay_bedrocks(void **state)
{
    (void)state;
    struct invoke_kit kit;
    invoke_kit_ask(&kit, LLAMA3, STOPS "," HI);
    assert_int_equal(invoke_kit_decode(&kit, "{\"generation\":\"one END two\","
                                             "\"prompt_token_count\":5,"
                                             "\"generation_token_count\":8}"),
                     OK);
    assert_int_equal(kit.answer.usage.output_tokens, 8);
    assert_int_equal(kit.answer.text_bytes, strlen("one END two"));
    invoke_kit_done(&kit);
}

/* --- answers in another form --- */

static void a_text_is_found_where_another_family_has_it(void **state)
{
    (void)state;
    assert_answer(LLAMA3, HI,
                  "{\"object\":\"text_completion\",\"choices\":[{\"index\":0,\"text\":\" I'm\","
                  "\"finish_reason\":\"length\"}],\"usage\":{\"prompt_tokens\":6}}",
                  "\" I'm\"", "length");
    assert_answer(MISTRAL, HI,
                  "{\"choices\":[{\"message\":{\"content\":[{\"type\":\"text\",\"text\":\"a\"},"
                  "\"b\",7]},\"finish_reason\":\"stop\"}]}",
                  "\"ab\"", "stop");
    assert_answer(COHERE, HI, "{\"generations\":[{\"text\":\"a\",\"finish_reason\":\"MAX\"}]}",
                  "\"a\"", "MAX");
    assert_answer(TITAN, HI,
                  "{\"output\":{\"message\":{\"content\":[{\"text\":\"a\"}]}},"
                  "\"stopReason\":\"end_turn\"}",
                  "\"a\"", "end_turn");
    assert_answer(DEEPSEEK, HI, "[{\"generated_text\":\"a\"}]", "\"a\"", NULL);
    assert_answer(LLAMA4, HI, "{\"x\":[{\"answer\":{\"output\":\"a\"}}]}", "\"a\"", NULL);
}

static void odd_members_do_not_lose_an_answer(void **state)
{
    (void)state;
    assert_answer(LLAMA3, HI,
                  "{\"generation\":\"a\",\"stop_reason\":7,\"prompt_token_count\":-1,"
                  "\"generation_token_count\":1e999}",
                  "\"a\"", NULL);
    assert_answer(LLAMA3, HI, "{\"generation\":null,\"stop_reason\":\"stop\"}", "\"\"", "stop");
    assert_answer(MISTRAL, HI, "{\"outputs\":{\"text\":\"a\"}}", "\"a\"", NULL);
    assert_answer(MISTRAL, HI, "{\"outputs\":[],\"choices\":[],\"stop_reason\":\"x\"}", "\"\"",
                  "x");
    assert_answer(TITAN, HI, "{\"results\":[{\"outputText\":\"a\\ud800\"}],\"results\":1}",
                  "\"a\xef\xbf\xbd\"", NULL);
}

static void an_answer_without_any_text_is_bad(void **state)
{
    (void)state;
    static const char *const ANSWERS[] = {
        "{}", "[]", "7", "{\"generation\":7}", "\"x\"", "{\"choices\":[{}]}"};
    for (size_t i = 0; i < COUNT_OF(ANSWERS); i++) {
        struct invoke_kit kit;
        invoke_kit_ask(&kit, LLAMA3, HI);
        assert_int_equal(invoke_kit_decode(&kit, ANSWERS[i]), ERR_BAD_ANSWER);
        invoke_kit_done(&kit);
    }
}

static void a_counted_answer_without_any_text_is_its_json(void **state)
{
    (void)state;
    static const char *const MODELS[] = {LLAMA3, "us.amazon.nova-lite-v1:0",
                                         "openai.gpt-oss-20b-1:0"};
    for (size_t i = 0; i < COUNT_OF(MODELS); i++) {
        struct invoke_kit kit;
        invoke_kit_ask(&kit, MODELS[i], HI);
        buf_add_text(&kit.head, "X-Amzn-Bedrock-Input-Token-Count: 5\r\n"
                                "X-Amzn-Bedrock-Output-Token-Count: 9\r\n");
        assert_int_equal(invoke_kit_decode(&kit, "{\"answer\": [\"a\", 1.50]}"), OK);
        assert_slice(kit.answer.content, "\"{\\\"answer\\\": [\\\"a\\\", 1.50]}\"");
        assert_int_equal(kit.answer.usage.total_tokens, 14);
        invoke_kit_done(&kit);
    }
}

/* --- streams --- */

static void assert_stream(const char *model, const char *rest, const char *const *chunks,
                          const char *seen)
{
    struct invoke_kit kit;
    invoke_kit_ask(&kit, model, rest);
    for (size_t i = 0; chunks[i] != NULL; i++) {
        enum err err = invoke_kit_chunk(&kit, chunks[i]);
        if (err != OK)
            fail_msg("%s: %s", chunks[i], kit.why.message);
    }
    assert_buf(&kit.chunks, seen);
    if (invoke_kit_end(&kit) != OK)
        fail_msg("%s", kit.why.message);
    assert_true(kit.answer.usage.known);
    invoke_kit_done(&kit);
}

#define METRICS                                                                                    \
    "\"amazon-bedrock-invocationMetrics\":{\"inputTokenCount\":5,\"outputTokenCount\":8,"          \
    "\"invocationLatency\":9,\"firstByteLatency\":1}"

static void a_stream_of_llama_has_its_counts_whatever_stopped_it(void **state)
{
    (void)state;
    static const char *const CHUNKS[] = {
        "{\"generation\":\"Vo\",\"prompt_token_count\":5,\"generation_token_count\":1,"
        "\"stop_reason\":null}",
        "{\"generation\":\"ici\\n\",\"prompt_token_count\":null,\"generation_token_count\":2,"
        "\"stop_reason\":null}",
        "{\"generation\":\"\",\"prompt_token_count\":null,\"generation_token_count\":2,"
        "\"stop_reason\":\"length\"," METRICS "}",
        NULL,
    };
    assert_stream(LLAMA3, HI, CHUNKS,
                  "\"Vo\"\n\"ici\\n\"\n\"\" {\"stop_reason\":\"length\"} usage last\n");
}

static void the_metrics_of_a_stream_count_and_not_its_chunks(void **state)
{
    (void)state;
    struct invoke_kit kit;
    invoke_kit_ask(&kit, LLAMA3, HI);
    assert_int_equal(invoke_kit_chunk(&kit, "{\"generation\":\"a\",\"prompt_token_count\":50,"
                                            "\"generation_token_count\":80,\"stop_reason\":"
                                            "\"stop\"," METRICS "}"),
                     OK);
    assert_int_equal(invoke_kit_end(&kit), OK);
    assert_int_equal(kit.answer.usage.input_tokens, 5);
    assert_int_equal(kit.answer.usage.output_tokens, 8);
    invoke_kit_done(&kit);
}

static void a_stream_of_titan_is_often_one_chunk(void **state)
{
    (void)state;
    static const char *const CHUNKS[] = {
        "{\"outputText\":\"Voici\",\"index\":0,\"totalOutputTextTokenCount\":8,"
        "\"completionReason\":\"FINISH\",\"inputTextTokenCount\":5," METRICS "}",
        NULL,
    };
    assert_stream(TITAN, HI, CHUNKS, "\"Voici\" {\"stop_reason\":\"FINISH\"} usage last\n");
}

static void streams_of_mistral_and_deepseek_end_with_their_metrics(void **state)
{
    (void)state;
    static const char *const MISTRALS[] = {
        "{\"outputs\":[{\"text\":\"Vo\",\"stop_reason\":null}]}",
        "{\"outputs\":[{\"text\":\"ici\",\"stop_reason\":\"length\"}]," METRICS "}",
        NULL,
    };
    static const char *const DEEPSEEKS[] = {
        "{\"choices\":[{\"index\":0,\"text\":\"Vo\",\"stop_reason\":null}]}",
        "{\"choices\":[{\"index\":0,\"text\":\"ici\",\"stop_reason\":\"x\"}]," METRICS "}",
        NULL,
    };
    assert_stream(MISTRAL, HI, MISTRALS,
                  "\"Vo\"\n\"ici\" {\"stop_reason\":\"length\"} usage last\n");
    assert_stream(DEEPSEEK, HI, DEEPSEEKS, "\"Vo\"\n\"ici\" {\"stop_reason\":\"x\"} usage last\n");
}

static void a_stream_of_cohere_ends_with_its_last_event(void **state)
{
    (void)state;
    static const char *const CHUNKS[] = {
        "{\"is_finished\":false,\"event_type\":\"stream-start\",\"generation_id\":\"x\"}",
        "{\"is_finished\":false,\"event_type\":\"text-generation\",\"text\":\"Voici\"}",
        "{\"is_finished\":true,\"event_type\":\"stream-end\",\"finish_reason\":\"COMPLETE\","
        "\"response\":{\"text\":\"Voici\",\"chat_history\":[{\"message\":\"Voici\"}]}," METRICS "}",
        NULL,
    };
    assert_stream(COHERE, HI, CHUNKS,
                  "\"Voici\"\n\"\" {\"stop_reason\":\"COMPLETE\"} usage last\n");
}

static void a_stream_of_llama_holds_back_what_may_begin_a_stop_text(void **state)
{
    (void)state;
    static const char *const CUT[] = {
        "{\"generation\":\"one E\"}",
        "{\"generation\":\"N\"}",
        "{\"generation\":\"D two E\"}",
        "{\"generation\":\" three\"}",
        "{\"generation\":\"\",\"stop_reason\":\"stop\"," METRICS "}",
        NULL,
    };
    static const char *const WHOLE[] = {
        "{\"generation\":\"one E\"}",
        "{\"generation\":\"\",\"stop_reason\":\"stop\"," METRICS "}",
        NULL,
    };
    static const char *const LATE[] = {
        "{\"generation\":\"one E\"}",
        "{" METRICS "}",
        NULL,
    };
    assert_stream(
        LLAMA3, STOPS "," HI, CUT,
        "\"one \"\n\"\"\n\"\"\n\"\"\n\"\" {\"stop_reason\":\"stop_sequence\"} usage last\n");
    assert_stream(LLAMA3, STOPS "," HI, WHOLE,
                  "\"one \"\n\"E\" {\"stop_reason\":\"stop\"} usage last\n");
    assert_stream(LLAMA3, STOPS "," HI, LATE, "\"one \"\n\"E\" usage last\n");
}

static void a_stream_that_ends_without_metrics_has_the_familys_counts(void **state)
{
    (void)state;
    struct invoke_kit kit;
    invoke_kit_ask(&kit, LLAMA3, HI);
    assert_int_equal(invoke_kit_chunk(&kit, "{\"generation\":\"a\",\"prompt_token_count\":5,"
                                            "\"generation_token_count\":1}"),
                     OK);
    assert_int_equal(invoke_kit_end(&kit), ERR_BROKEN_STREAM);
    assert_int_equal(invoke_kit_chunk(&kit, "{\"generation\":\"\",\"generation_token_count\":2,"
                                            "\"stop_reason\":\"stop\"}"),
                     OK);
    assert_int_equal(invoke_kit_end(&kit), OK);
    assert_int_equal(kit.answer.usage.total_tokens, 7);
    assert_slice(kit.answer.usage.raw, "{\"generation_token_count\":2}");
    invoke_kit_done(&kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(llama_3_has_two_line_breaks_behind_each_header),
        cmocka_unit_test(llama_4_has_other_marks_than_llama_3),
        cmocka_unit_test(mistral_says_the_systems_text_in_the_first_instruction),
        cmocka_unit_test(deepseek_has_bars_of_full_width),
        cmocka_unit_test(titan_has_its_parameters_in_a_member),
        cmocka_unit_test(titans_own_fields_go_where_its_parameters_are),
        cmocka_unit_test(cohere_has_the_last_message_and_those_before_it),
        cmocka_unit_test(an_assistants_last_turn_is_what_the_answer_goes_on_with),
        cmocka_unit_test(texts_of_one_message_are_lines),
        cmocka_unit_test(messages_keep_their_order_and_their_blanks),
        cmocka_unit_test(a_text_with_citations_is_its_text),
        cmocka_unit_test(own_fields_of_the_body_win),
        cmocka_unit_test(each_family_says_its_text_and_why_it_stopped),
        cmocka_unit_test(counts_come_from_the_headers_else_from_the_body),
        cmocka_unit_test(llamas_answer_is_cut_at_the_first_stop_text),
        cmocka_unit_test(the_counts_of_a_cut_answer_stay_bedrocks),
        cmocka_unit_test(a_text_is_found_where_another_family_has_it),
        cmocka_unit_test(odd_members_do_not_lose_an_answer),
        cmocka_unit_test(an_answer_without_any_text_is_bad),
        cmocka_unit_test(a_counted_answer_without_any_text_is_its_json),
        cmocka_unit_test(a_stream_of_llama_has_its_counts_whatever_stopped_it),
        cmocka_unit_test(the_metrics_of_a_stream_count_and_not_its_chunks),
        cmocka_unit_test(a_stream_of_titan_is_often_one_chunk),
        cmocka_unit_test(streams_of_mistral_and_deepseek_end_with_their_metrics),
        cmocka_unit_test(a_stream_of_cohere_ends_with_its_last_event),
        cmocka_unit_test(a_stream_of_llama_holds_back_what_may_begin_a_stop_text),
        cmocka_unit_test(a_stream_that_ends_without_metrics_has_the_familys_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
