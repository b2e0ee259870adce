/* bedrock-sim's answers in the form of each family, whole and streamed. */
#include "unit/unit.h"

#include "sim/answers/reply.h"
#include "sim/bodies/checks.h"
#include "wire/bedrock/eventstream.h"
#include "wire/formats/base64.h"

#define TOOL                                                                                       \
    "{\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"string\"}},\"required\":[\"city\"]" \
    "}"
#define CONVERSE(prompt, more)                                                                     \
    "{\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"" prompt "\"}]}]" more "}"
#define CONVERSE_TOOLS                                                                             \
    ",\"toolConfig\":{\"tools\":[{\"toolSpec\":{\"name\":\"f\",\"inputSchema\":{\"json\":" TOOL    \
    "}}},{\"toolSpec\":{\"name\":\"g\",\"inputSchema\":{\"json\":" TOOL "}}}]}"
#define CLAUDE_BODY(prompt, more)                                                                  \
    "{\"anthropic_version\":\"bedrock-2023-05-31\",\"max_tokens\":99,\"messages\":[{\"role\":"     \
    "\"user\",\"content\":\"" prompt "\"}]" more "}"
#define CHAT_BODY(prompt, more)                                                                    \
    "{\"messages\":[{\"role\":\"user\",\"content\":\"" prompt "\"}]" more "}"

struct desk {
    struct sim_config *config;
    struct planner planner;
    struct arena arena;
    struct plan plan;
};

static void desk_open(struct desk *desk)
{
    desk->config = sim_config_new();
    assert_non_null(desk->config);
    assert_int_equal(planner_init(&desk->planner, desk->config), OK);
    arena_init(&desk->arena, 1 << 24);
}

static void desk_close(struct desk *desk)
{
    arena_done(&desk->arena);
    planner_done(&desk->planner);
    sim_config_free(desk->config);
}

static enum err plan(struct desk *desk, enum operation operation, const char *model,
                     const char *body, char words[CHECK_TEXT_MAX])
{
    struct conversation conversation;
    const struct family *family;
    struct check_request request = {operation, slice_of_text(model), slice_of_text(body)};
    enum err err = check_body(&desk->arena, &request, &conversation, &family, words);
    if (err != OK)
        return err;
    struct plan_facts facts = {
        &conversation, slice_of_text(model), operation, SLICE_NULL, family, 0};
    return plan_make(&desk->planner, &facts, &desk->arena, &desk->plan, words);
}

/* The whole answer; it lies in the desk's arena. */
static const struct json *ask(struct desk *desk, enum operation operation, const char *model,
                              const char *body)
{
    struct buf head OWNED_BY(buf_done), tail OWNED_BY(buf_done);
    struct slice whole;
    const struct json *root;
    char words[CHECK_TEXT_MAX] = "";
    enum err err = plan(desk, operation, model, body, words);
    assert_string_equal(words, "");
    assert_int_equal(err, OK);
    buf_init(&head, 1 << 20);
    buf_init(&tail, 1 << 20);
    sim_reply_whole(&head, &tail, &desk->plan, 7);
    buf_add(&head, buf_slice(&tail));
    assert_int_equal(head.failed, OK);
    assert_true(arena_copy(&desk->arena, buf_slice(&head), &whole));
    assert_int_equal(json_parse(&desk->arena, whole, &root, NULL), OK);
    return root;
}

/* The node at a path such as output.message.content.1.toolUse. */
static const struct json *at(const struct json *node, const char *path)
{
    struct slice rest = slice_of_text(path);
    while (node != NULL && rest.len > 0) {
        size_t dot = slice_find(rest, '.');
        struct slice name = slice_sub(rest, 0, dot);
        int64_t index;
        rest = slice_sub(rest, dot + 1, rest.len);
        if (!json_is(node, JSON_ARRAY)) {
            node = json_member_of(node, name);
            continue;
        }
        assert_true(slice_to_int64(name, &index));
        for (node = node->first; node != NULL && index > 0; index--)
            node = node->next;
    }
    return node;
}

#define assert_node(root, path, text)                                                              \
    do {                                                                                           \
        const struct json *node_seen = at(root, path);                                             \
        assert_non_null(node_seen);                                                                \
        assert_slice(node_seen->source, text);                                                     \
    } while (0)

/* The payloads of the stream of the desk's plan, one after the other: of InvokeModel the chunks. */
static void read_stream(struct desk *desk, const struct json **ret_payloads, size_t *ret_count)
{
    struct buf bytes OWNED_BY(buf_done);
    struct reply_stream stream = {.phase = REPLY_START};
    struct event_reader reader;
    struct event event;
    buf_init(&bytes, 1 << 20);
    while (sim_reply_frame(&bytes, &desk->plan, &stream, 7))
        continue;
    assert_int_equal(bytes.failed, OK);
    event_reader_init(&reader, 1 << 20);
    assert_int_equal(event_reader_hear(&reader, buf_slice(&bytes)), OK);
    for (*ret_count = 0; event_reader_next(&reader, &event) == OK; (*ret_count)++) {
        struct buf chunk OWNED_BY(buf_done);
        struct slice text = event.payload;
        size_t offset;
        buf_init(&chunk, 1 << 20);
        assert_true(arena_copy(&desk->arena, text, &text));
        assert_int_equal(json_parse(&desk->arena, text, &ret_payloads[*ret_count], NULL), OK);
        if (!desk->plan.is_invoke)
            continue;
        assert_slice(event.type, "chunk");
        assert_true(
            json_string(&desk->arena, json_member(ret_payloads[*ret_count], "bytes"), &text));
        assert_int_equal(base64_add_decoded(&chunk, text, &offset), OK);
        assert_true(arena_copy(&desk->arena, buf_slice(&chunk), &text));
        assert_int_equal(json_parse(&desk->arena, text, &ret_payloads[*ret_count], NULL), OK);
    }
    assert_true(event_reader_is_between(&reader));
    event_reader_done(&reader);
}

#define PAYLOADS_MAX 64

/* The texts at `path` of all payloads, joined. */
static void join(struct desk *desk, const char *path, struct buf *ret_text)
{
    const struct json *payloads[PAYLOADS_MAX];
    size_t count;
    read_stream(desk, payloads, &count);
    assert_true(count < PAYLOADS_MAX);
    for (size_t i = 0; i < count; i++) {
        struct slice piece;
        const struct json *node = at(payloads[i], path);
        if (!json_is(node, JSON_STRING))
            continue;
        assert_true(json_string(&desk->arena, node, &piece));
        buf_add(ret_text, piece);
    }
}

/* Of each family: a body; where the text, the reason and, in chunks, the text stand. */
static const struct {
    const char *model, *body, *text, *reason, *end_word, *piece;
} FAMILIES[] = {
    {"anthropic.claude-3-haiku-20240307-v1:0", CLAUDE_BODY("Hello there", ""), "content.0.text",
     "stop_reason", "\"end_turn\"", "delta.text"},
    {"amazon.nova-lite-v1:0", CONVERSE("Hello there", ""), "output.message.content.0.text",
     "stopReason", "\"end_turn\"", "contentBlockDelta.delta.text"},
    {"amazon.titan-text-lite-v1", "{\"inputText\":\"User: Hello there\\n\\nBot:\"}",
     "results.0.outputText", "results.0.completionReason", "\"FINISH\"", "outputText"},
    {"meta.llama3-8b-instruct-v1:0", "{\"prompt\":\"Hello there\"}", "generation", "stop_reason",
     "\"stop\"", "generation"},
    {"mistral.mistral-7b-instruct-v0:2", "{\"prompt\":\"[INST] Hello there [/INST]\"}",
     "outputs.0.text", "outputs.0.stop_reason", "\"stop\"", "outputs.0.text"},
    {"us.deepseek.r1-v1:0", "{\"prompt\":\"Hello there\"}", "choices.0.text",
     "choices.0.stop_reason", "\"stop\"", "choices.0.text"},
    {"openai.gpt-oss-20b-1:0", CHAT_BODY("Hello there", ""), "choices.0.message.content",
     "choices.0.finish_reason", "\"stop\"", "choices.0.delta.content"},
    {"cohere.command-r-v1:0", "{\"message\":\"Hello there\"}", "text", "finish_reason",
     "\"COMPLETE\"", "text"},
    {"arn:aws:bedrock:us-east-1:123456789012:imported-model/abc", "{\"prompt\":\"Hello there\"}",
     "choices.0.text", "choices.0.stop_reason", "\"stop\"", "choices.0.text"},
};

static void each_family_answers_in_its_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(FAMILIES); i++) {
        struct desk desk;
        struct buf text OWNED_BY(buf_done);
        desk_open(&desk);
        buf_init(&text, 4096);
        const struct json *root = ask(&desk, OPERATION_INVOKE, FAMILIES[i].model, FAMILIES[i].body);
        assert_node(root, FAMILIES[i].text, "\"Answer to: Hello there\"");
        assert_node(root, FAMILIES[i].reason, FAMILIES[i].end_word);
        join(&desk, FAMILIES[i].piece, &text);
        assert_buf(&text, "Answer to: Hello there");
        desk_close(&desk);
    }
}

static void a_stream_of_each_family_counts_beside_its_last_chunk(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(FAMILIES); i++) {
        struct desk desk;
        const struct json *payloads[PAYLOADS_MAX];
        size_t count;
        desk_open(&desk);
        (void)ask(&desk, OPERATION_INVOKE, FAMILIES[i].model, FAMILIES[i].body);
        read_stream(&desk, payloads, &count);
        for (size_t j = 0; j + 1 < count; j++)
            assert_null(json_member(payloads[j], "amazon-bedrock-invocationMetrics"));
        assert_node(payloads[count - 1], "amazon-bedrock-invocationMetrics.outputTokenCount", "6");
        desk.plan.fault = FAULT_NO_METADATA;
        read_stream(&desk, payloads, &count);
        assert_null(json_member(payloads[count - 1], "amazon-bedrock-invocationMetrics"));
        desk_close(&desk);
    }
}

static void writer_says_that_its_stream_is_done(void **state)
{
    (void)state;
    struct desk desk;
    const struct json *payloads[PAYLOADS_MAX];
    size_t count;
    desk_open(&desk);
    (void)ask(&desk, OPERATION_INVOKE, "writer.palmyra-x5-v1:0", CHAT_BODY("Hi", ""));
    read_stream(&desk, payloads, &count);
    assert_slice(payloads[count - 1]->source, "\"[DONE]\"");
    assert_node(payloads[count - 2], "choices.0.finish_reason", "\"stop\"");
    desk_close(&desk);
}

static void a_forced_tool_is_called_with_an_input_that_fits(void **state)
{
    (void)state;
    struct desk desk;
    struct buf input OWNED_BY(buf_done);
    desk_open(&desk);
    buf_init(&input, 4096);
    const struct json *root = ask(
        &desk, OPERATION_CONVERSE, "m",
        CONVERSE("x", ",\"toolConfig\":{\"tools\":[{\"toolSpec\":{\"name\":\"f\",\"inputSchema\":{"
                      "\"json\":" TOOL "}}}],\"toolChoice\":{\"any\":{}}}"));
    assert_node(root, "output.message.content.0.toolUse.input", "{\"city\":\"city\"}");
    assert_node(root, "output.message.content.0.toolUse.name", "\"f\"");
    assert_node(root, "stopReason", "\"tool_use\"");
    assert_null(at(root, "output.message.content.1"));
    join(&desk, "delta.toolUse.input", &input);
    assert_buf(&input, "{\"city\":\"city\"}");
    buf_reset(&input);
    root = ask(&desk, OPERATION_INVOKE, "anthropic.claude-3-haiku-20240307-v1:0",
               CLAUDE_BODY("x", ",\"tools\":[{\"name\":\"f\",\"input_schema\":" TOOL
                                "}],\"tool_choice\":{\"type\":\"tool\",\"name\":\"f\"}"));
    assert_node(root, "content.0.input", "{\"city\":\"city\"}");
    assert_node(root, "stop_reason", "\"tool_use\"");
    join(&desk, "delta.partial_json", &input);
    assert_buf(&input, "{\"city\":\"city\"}");
    buf_reset(&input);
    root = ask(&desk, OPERATION_INVOKE, "qwen.qwen3-32b-v1:0",
               CHAT_BODY("x", ",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\","
                              "\"parameters\":" TOOL "}}],\"tool_choice\":\"required\""));
    assert_node(root, "choices.0.message.tool_calls.0.function.arguments",
                "\"{\\\"city\\\":\\\"city\\\"}\"");
    assert_node(root, "choices.0.message.content", "null");
    assert_node(root, "choices.0.finish_reason", "\"tool_calls\"");
    join(&desk, "choices.0.delta.tool_calls.0.function.arguments", &input);
    assert_buf(&input, "{\"city\":\"city\"}");
    desk_close(&desk);
}

static void a_prompt_orders_calls_of_tools(void **state)
{
    (void)state;
    struct desk desk;
    char words[CHECK_TEXT_MAX];
    desk_open(&desk);
    const struct json *root = ask(&desk, OPERATION_CONVERSE, "m",
                                  CONVERSE("[[sim:calls=3;text=Three.]]", CONVERSE_TOOLS));
    assert_node(root, "output.message.content.0.text", "\"Three.\"");
    assert_node(root, "output.message.content.1.toolUse.name", "\"f\"");
    assert_node(root, "output.message.content.2.toolUse.name", "\"g\"");
    assert_node(root, "output.message.content.3.toolUse.name", "\"f\"");
    root = ask(&desk, OPERATION_CONVERSE, "m",
               CONVERSE("[[sim:tool=g;input={\\\"city\\\": 1.0}]]", CONVERSE_TOOLS));
    assert_node(root, "output.message.content.0.toolUse.name", "\"g\"");
    assert_node(root, "output.message.content.0.toolUse.input", "{\"city\": 1.0}");
    assert_int_equal(
        plan(&desk, OPERATION_CONVERSE, "m", CONVERSE("[[sim:tool=h]]", CONVERSE_TOOLS), words),
        ERR_INVALID);
    assert_string_equal(words, "the request has no tool `h` to call");
    assert_int_equal(plan(&desk, OPERATION_CONVERSE, "m",
                          CONVERSE("[[sim:tool=f;input={a}]]", CONVERSE_TOOLS), words),
                     ERR_INVALID);
    assert_string_equal(words, "the input that bedrock-sim is to give the tool `f` is not JSON");
    /* without an order the answer is text */
    root = ask(&desk, OPERATION_CONVERSE, "m", CONVERSE("Hi", CONVERSE_TOOLS));
    assert_node(root, "stopReason", "\"end_turn\"");
    desk_close(&desk);
}

static void a_tool_result_is_answered_with_text(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk);
    const struct json *root =
        ask(&desk, OPERATION_CONVERSE, "m",
            "{\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"[[sim:tool=f]] a\"}]},{"
            "\"role\":\"assistant\",\"content\":[{\"toolUse\":{\"toolUseId\":\"t\",\"name\":\"f\","
            "\"input\":{}}}]},{\"role\":\"user\",\"content\":[{\"toolResult\":{\"toolUseId\":\"t\","
            "\"content\":[{\"json\":{\"degrees\":21}}]}}]}]" CONVERSE_TOOLS "}");
    assert_node(root, "output.message.content.0.text", "\"Answer to: {\\\"degrees\\\":21}\"");
    desk_close(&desk);
}

static void max_tokens_cuts_the_input_of_a_call(void **state)
{
    (void)state;
    struct desk desk;
    struct buf input OWNED_BY(buf_done);
    desk_open(&desk);
    buf_init(&input, 4096);
    const struct json *root =
        ask(&desk, OPERATION_CONVERSE, "m",
            CONVERSE("[[sim:tool=f]]", CONVERSE_TOOLS ",\"inferenceConfig\":{\"maxTokens\":2}"));
    assert_node(root, "output.message.content.0.toolUse.input", "{}");
    assert_node(root, "stopReason", "\"max_tokens\"");
    join(&desk, "delta.toolUse.input", &input);
    assert_buf(&input, "{\"city\":");
    desk_close(&desk);
}

static void an_answer_in_json_fits_the_schema_of_the_request(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk);
    const struct json *root =
        ask(&desk, OPERATION_CONVERSE, "m",
            CONVERSE("x", ",\"outputConfig\":{\"textFormat\":{\"type\":\"json_schema\","
                          "\"structure\":{\"jsonSchema\":{\"schema\":"
                          "\"{\\\"type\\\":\\\"integer\\\",\\\"minimum\\\":4}\"}}}}"));
    assert_node(root, "output.message.content.0.text", "\"4\"");
    /* a prompt with a schema, and the beginning of an answer */
    root = ask(&desk, OPERATION_CONVERSE, "amazon.nova-lite-v1:0",
               "{\"system\":[{\"text\":\"Fit {\\\"type\\\":\\\"integer\\\",\\\"minimum\\\":5}\"}],"
               "\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"x\"}]},{\"role\":"
               "\"assistant\",\"content\":[{\"text\":\"```json\"}]}],\"inferenceConfig\":{"
               "\"stopSequences\":[\"```\"]}}");
    assert_node(root, "output.message.content.0.text", "\"5\\n\"");
    assert_node(root, "stopReason", "\"stop_sequence\"");
    desk_close(&desk);
}

static void reasoning_stands_before_the_text_and_is_signed_by_claude(void **state)
{
    (void)state;
    struct desk desk;
    struct buf text OWNED_BY(buf_done);
    desk_open(&desk);
    buf_init(&text, 4096);
    const struct json *root = ask(
        &desk, OPERATION_CONVERSE, "anthropic.claude-3-7-sonnet-20250219-v1:0",
        CONVERSE("[[sim:reasoning=Hm.]]", ",\"additionalModelResponseFieldPaths\":[\"/usage\"]"));
    assert_node(root, "output.message.content.0.reasoningContent.reasoningText.text", "\"Hm.\"");
    assert_non_null(at(root, "output.message.content.0.reasoningContent.reasoningText.signature"));
    assert_node(root, "additionalModelResponseFields.usage.output_tokens_details.thinking_tokens",
                "1");
    join(&desk, "delta.reasoningContent.text", &text);
    assert_buf(&text, "Hm.");
    root = ask(&desk, OPERATION_CONVERSE, "openai.gpt-oss-20b-1:0",
               CONVERSE("x", ",\"additionalModelRequestFields\":{\"reasoning_effort\":\"low\"}"));
    assert_node(root, "output.message.content.0.reasoningContent.reasoningText.text",
                "\"I think about: x\"");
    assert_null(at(root, "output.message.content.0.reasoningContent.reasoningText.signature"));
    root = ask(&desk, OPERATION_CONVERSE, "m", CONVERSE("[[sim:redacted=1]]", ""));
    assert_non_null(at(root, "output.message.content.0.reasoningContent.redactedContent"));
    root = ask(&desk, OPERATION_INVOKE, "openai.gpt-oss-20b-1:0",
               CHAT_BODY("[[sim:reasoning=Hm.]]", ""));
    assert_node(root, "choices.0.message.content", "\"<reasoning>Hm.</reasoning>Answer to:\"");
    buf_reset(&text);
    join(&desk, "choices.0.delta.content", &text);
    assert_buf(&text, "<reasoning>Hm.</reasoning>Answer to:");
    desk_close(&desk);
}

static void the_cache_is_written_first_and_read_later(void **state)
{
    (void)state;
#define CACHED                                                                                     \
    "{\"system\":[{\"text\":\"0123456789abcdef\"},{\"cachePoint\":{\"type\":\"default\",\"ttl\":"  \
    "\"1h\"}}],\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"x\"}]}]}"
    struct desk desk;
    desk_open(&desk);
    const struct json *root = ask(&desk, OPERATION_CONVERSE, "anthropic.claude-x", CACHED);
    assert_node(root, "usage",
                "{\"cacheDetails\":[{\"inputTokens\":4,\"ttl\":\"1h\"}],\"cacheReadInputTokens\":0,"
                "\"cacheWriteInputTokens\":4,\"inputTokens\":1,\"outputTokens\":3,"
                "\"totalTokens\":8}");
    root = ask(&desk, OPERATION_CONVERSE, "anthropic.claude-x", CACHED);
    assert_node(root, "usage",
                "{\"cacheReadInputTokens\":4,\"cacheWriteInputTokens\":0,\"inputTokens\":1,"
                "\"outputTokens\":3,\"totalTokens\":8}");
    /* another model has another cache; one without a cache counts none */
    root = ask(&desk, OPERATION_CONVERSE, "anthropic.claude-y", CACHED);
    assert_node(root, "usage.cacheReadInputTokens", "0");
    root = ask(&desk, OPERATION_CONVERSE, "meta.llama3-x", CACHED);
    assert_null(at(root, "usage.cacheReadInputTokens"));
    desk_close(&desk);
}

static void a_guardrail_blocks_what_the_prompt_says(void **state)
{
    (void)state;
#define GUARD                                                                                      \
    ",\"guardrailConfig\":{\"guardrailIdentifier\":\"gr\",\"guardrailVersion\":\"1\",\"trace\":"   \
    "\"enabled\"}"
    struct desk desk;
    desk_open(&desk);
    const struct json *root =
        ask(&desk, OPERATION_CONVERSE, "m", CONVERSE("[[sim:guardrail=input]]", GUARD));
    assert_node(root, "stopReason", "\"guardrail_intervened\"");
    assert_node(root, "usage.inputTokens", "0");
    assert_node(root, "trace.guardrail.inputAssessment.gr.topicPolicy.topics.0.action",
                "\"BLOCKED\"");
    root = ask(&desk, OPERATION_CONVERSE, "m", CONVERSE("[[sim:guardrail=output]]", GUARD));
    assert_node(root, "trace.guardrail.outputAssessments.gr.0.topicPolicy.topics.0.action",
                "\"BLOCKED\"");
    root = ask(&desk, OPERATION_CONVERSE, "m", CONVERSE("[[sim:guardrail=input]] x", ""));
    assert_node(root, "stopReason", "\"end_turn\"");
    root = ask(&desk, OPERATION_CONVERSE, "m", CONVERSE("x", GUARD));
    assert_node(root, "stopReason", "\"end_turn\"");
    assert_node(root, "trace.guardrail.actionReason", "\"No action.\"");
    desk_close(&desk);
}

static void an_answer_says_how_it_was_served_and_why_it_ended(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk);
    const struct json *root =
        ask(&desk, OPERATION_CONVERSE, "m",
            CONVERSE("Hi STOP", ",\"serviceTier\":{\"type\":\"flex\"},\"performanceConfig\":{"
                                "\"latency\":\"optimized\"},\"inferenceConfig\":{"
                                "\"stopSequences\":[\"STOP\"]},"
                                "\"additionalModelResponseFieldPaths\":[\"/stop_sequence\"]"));
    assert_node(root, "serviceTier.type", "\"flex\"");
    assert_node(root, "performanceConfig.latency", "\"optimized\"");
    assert_node(root, "additionalModelResponseFields.stop_sequence", "\"STOP\"");
    assert_node(root, "output.message.content.0.text", "\"Answer to: Hi \"");
    desk_close(&desk);
}

static void media_are_named_in_the_answer(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk);
    const struct json *root =
        ask(&desk, OPERATION_CONVERSE, "m",
            "{\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"See\"},{\"image\":{"
            "\"format\":\"png\",\"source\":{\"bytes\":\"aGVsbG8=\"}}},{\"video\":{\"format\":"
            "\"mp4\",\"source\":{\"s3Location\":{\"uri\":\"s3://a/b\"}}}}]}]}");
    assert_node(root, "output.message.content.0.text",
                "\"Answer to: See [image png, 5 bytes] [video mp4, in S3]\"");
    desk_close(&desk);
}

static void a_citation_stands_under_its_text(void **state)
{
    (void)state;
    struct desk desk;
    const struct json *payloads[PAYLOADS_MAX];
    size_t count;
    desk_open(&desk);
    const struct json *root =
        ask(&desk, OPERATION_CONVERSE, "m", CONVERSE("[[sim:citations=1]]", ""));
    assert_non_null(at(root, "output.message.content.0.citationsContent.citations.0.location"));
    read_stream(&desk, payloads, &count);
    assert_non_null(at(payloads[count - 4], "delta.citation.sourceContent.0.text"));
    root =
        ask(&desk, OPERATION_INVOKE, "anthropic.claude-x", CLAUDE_BODY("[[sim:citations=1]]", ""));
    assert_node(root, "content.0.citations.0.type", "\"char_location\"");
    desk_close(&desk);
}

static void scripted_answers_call_tools_that_the_request_has(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk);
    assert_true(
        sim_config_read(desk.config,
                        SLICE("answers: [{prompt: rain, tool: g, input: '{\"city\": \"Oslo\"}', "
                              "reasoning: Where?}, {prompt: snow, tool: none, text: Snow.}]"),
                        "f"));
    const struct json *root =
        ask(&desk, OPERATION_CONVERSE, "m", CONVERSE("Does it rain?", CONVERSE_TOOLS));
    assert_node(root, "output.message.content.0.reasoningContent.reasoningText.text", "\"Where?\"");
    assert_node(root, "output.message.content.1.toolUse.input", "{\"city\": \"Oslo\"}");
    root = ask(&desk, OPERATION_CONVERSE, "m", CONVERSE("Does it snow?", CONVERSE_TOOLS));
    assert_node(root, "output.message.content.0.text", "\"Snow.\"");
    desk_close(&desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_family_answers_in_its_form),
        cmocka_unit_test(a_stream_of_each_family_counts_beside_its_last_chunk),
        cmocka_unit_test(writer_says_that_its_stream_is_done),
        cmocka_unit_test(a_forced_tool_is_called_with_an_input_that_fits),
        cmocka_unit_test(a_prompt_orders_calls_of_tools),
        cmocka_unit_test(a_tool_result_is_answered_with_text),
        cmocka_unit_test(max_tokens_cuts_the_input_of_a_call),
        cmocka_unit_test(an_answer_in_json_fits_the_schema_of_the_request),
        cmocka_unit_test(reasoning_stands_before_the_text_and_is_signed_by_claude),
        cmocka_unit_test(the_cache_is_written_first_and_read_later),
        cmocka_unit_test(a_guardrail_blocks_what_the_prompt_says),
        cmocka_unit_test(an_answer_says_how_it_was_served_and_why_it_ended),
        cmocka_unit_test(media_are_named_in_the_answer),
        cmocka_unit_test(a_citation_stands_under_its_text),
        cmocka_unit_test(scripted_answers_call_tools_that_the_request_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
