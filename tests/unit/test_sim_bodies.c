/* bedrock-sim's checks of tools, media, settings and the bodies of InvokeModel. */
#include "unit/unit.h"

#include <stdio.h>

#include "sim/bodies/checks.h"
#include "unit/torture.h"

#define SAID   "The model returned the following errors: "
#define CLAUDE "anthropic.claude-3-haiku-20240307-v1:0"
#define LLAMA  "meta.llama3-70b-instruct-v1:0"
#define GPT    "openai.gpt-oss-20b-1:0"
#define TURN(role, blocks)                                                                         \
    "{\"role\":\"" role "\",\"content\":["                                                         \
    "" blocks "]}"
#define TEXT(text) "{\"text\":\"" text "\"}"
#define HELLO      "\"messages\":[" TURN("user", TEXT("Hello")) "]"
#define SPEC(name)                                                                                 \
    "{\"toolSpec\":{\"name\":\"" name "\",\"inputSchema\":{\"json\":{\"type\":\"object\"}}}}"
#define TOOLS      ",\"toolConfig\":{\"tools\":[" SPEC("f") "]}"
#define USE(id)    "{\"toolUse\":{\"toolUseId\":\"" id "\",\"name\":\"f\",\"input\":{}}}"
#define RESULT(id) "{\"toolResult\":{\"toolUseId\":\"" id "\",\"content\":[{\"json\":{\"a\":1}}]}}"
#define LOOP(calls, results)                                                                       \
    "{\"messages\":[" TURN("user", TEXT("a")) "," TURN("assistant", calls) "," TURN(               \
        "user", results) "]" TOOLS "}"
#define IMAGE(data) "{\"image\":{\"format\":\"png\",\"source\":{\"bytes\":\"" data "\"}}}"
#define FILE(name)                                                                                 \
    "{\"document\":{\"name\":\"" name "\",\"format\":\"txt\",\"source\":{\"bytes\":\"aGk=\"}}}"
#define FIELDS(fields) "{" HELLO ",\"additionalModelRequestFields\":{" fields "}"
#define C_HEAD         "{\"anthropic_version\":\"bedrock-2023-05-31\",\"max_tokens\":9,"
#define C_USER(text)   "{\"role\":\"user\",\"content\":\"" text "\"}"
#define C_USE(id)      "{\"type\":\"tool_use\",\"id\":\"" id "\",\"name\":\"f\",\"input\":{}}"
#define C_RESULT(id)   "{\"type\":\"tool_result\",\"tool_use_id\":\"" id "\",\"content\":\"x\"}"
#define C_LOOP(calls, results)                                                                     \
    C_HEAD "\"messages\":[" C_USER("a") "," TURN("assistant", calls) "," TURN("user", results) "]" \
                                                                                               "}"

/* A body and the beginning of its rejection; "" = accepted. */
static const struct {
    enum operation operation;
    const char *model, *body, *words;
} CASES[] = {
    /* tools and their results */
    {OPERATION_CONVERSE, CLAUDE, LOOP(USE("t1") "," USE("t2"), RESULT("t2") "," RESULT("t1")), ""},
    {OPERATION_CONVERSE, CLAUDE, LOOP(USE("t1"), RESULT("t2")),
     "Expected toolResult blocks at messages.2.content for the following Ids: t1"},
    {OPERATION_CONVERSE, CLAUDE, LOOP(USE("t1") "," USE("t2"), RESULT("t1")),
     "Expected toolResult blocks at messages.2.content for the following Ids: t2"},
    {OPERATION_CONVERSE, CLAUDE, LOOP(USE("t1"), RESULT("t1") "," RESULT("t2")),
     "The number of toolResult blocks at messages.2.content exceeds the number"},
    {OPERATION_CONVERSE, CLAUDE, LOOP(USE("t1") "," USE("t1"), RESULT("t1")),
     "The toolUse blocks at messages.1.content contain duplicate Ids: t1"},
    {OPERATION_CONVERSE, CLAUDE, "{\"messages\":[" TURN("user", USE("t1")) "]" TOOLS "}",
     SAID "messages.0.content.0: `toolUse` blocks are not allowed in user turns"},
    {OPERATION_CONVERSE, CLAUDE,
     "{" HELLO ",\"toolConfig\":{\"tools\":[" SPEC("f") "," SPEC("f") "]}}",
     SAID "tools: Tool names must be unique."},
    {OPERATION_CONVERSE, CLAUDE,
     "{" HELLO
     ",\"toolConfig\":{\"tools\":[{\"toolSpec\":{\"name\":\"f\",\"inputSchema\":{\"json\":{}}}}]}}",
     "The value at toolConfig.tools.0.toolSpec.inputSchema.json.type must be one of"},
    {OPERATION_CONVERSE, CLAUDE,
     "{" HELLO
     ",\"toolConfig\":{\"tools\":[" SPEC("f") "],\"toolChoice\":{\"tool\":{\"name\":\"g\"}}}}",
     SAID "Tool 'g' not found in provided tools"},
    {OPERATION_CONVERSE, CLAUDE,
     "{" HELLO ",\"toolConfig\":{\"tools\":[{\"systemTool\":{\"name\":\"nova_grounding\"}},"
     "{\"cachePoint\":{\"type\":\"default\"}}],\"toolChoice\":{\"auto\":{}}}}",
     ""},
    /* media */
    {OPERATION_CONVERSE, CLAUDE, "{\"messages\":[" TURN("user", FILE("a (1)")) "]}",
     "The content field in the Message object at messages.0 has a document block and no text"},
    {OPERATION_CONVERSE, CLAUDE, "{\"messages\":[" TURN("user", TEXT("a") "," FILE("a_b")) "]}",
     "The document file name can only contain"},
    {OPERATION_CONVERSE, CLAUDE,
     "{\"messages\":[" TURN("user", TEXT("a") "," FILE("a") "," FILE("a")) "]}",
     SAID "messages: document names must be unique"},
    {OPERATION_CONVERSE, CLAUDE,
     "{\"messages\":[" TURN("user", TEXT("a") "," FILE("a") "," IMAGE("aGk=")) "]}", ""},
    {OPERATION_CONVERSE, CLAUDE,
     "{\"messages\":[" TURN("user", TEXT("a")) "," TURN("assistant", IMAGE("aGk=")) "]}",
     SAID "messages.1.content.0: `image` blocks are not allowed in assistant turns"},
    /* the cache */
    {OPERATION_CONVERSE, CLAUDE,
     "{\"system\":[" TEXT("a") ",{\"cachePoint\":{\"type\":\"default\"}}],\"messages\":[" TURN(
         "user", TEXT("b") ",{\"cachePoint\":{\"type\":\"default\",\"ttl\":\"1h\"}}") "]}",
     SAID "a ttl='1h' cache_control block must not come after"},
    /* reasoning */
    {OPERATION_CONVERSE, CLAUDE,
     FIELDS("\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":1000}") "}",
     SAID "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024"},
    {OPERATION_CONVERSE, CLAUDE,
     FIELDS("\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":1024}") ",\"inferenceConfig\":{"
                                                                          "\"maxTokens\":1024}}",
     SAID "`max_tokens` must be greater"},
    {OPERATION_CONVERSE, CLAUDE,
     FIELDS("\"thinking\":{\"type\":\"adaptive\"}") ",\"toolConfig\":{\"tools\":[" SPEC(
         "f") "],\"toolChoice\":{\"any\":{}}}}",
     ""},
    {OPERATION_CONVERSE, "us.anthropic.claude-sonnet-4-20250514-v1:0",
     FIELDS("\"thinking\":{\"type\":\"adaptive\"}") ",\"toolConfig\":{\"tools\":[" SPEC(
         "f") "],\"toolChoice\":{\"any\":{}}}}",
     SAID "Thinking may not be enabled when tool_choice forces tool use."},
    /* what some models do not take */
    {OPERATION_CONVERSE, LLAMA,
     "{" HELLO ",\"toolConfig\":{\"tools\":[" SPEC("f") "],\"toolChoice\":{\"any\":{}}}}",
     "This model doesn't support the toolConfig.toolChoice.any field."},
    {OPERATION_CONVERSE, "mistral.mistral-large-2402-v1:0",
     "{" HELLO
     ",\"toolConfig\":{\"tools\":[" SPEC("f") "],\"toolChoice\":{\"tool\":{\"name\":\"f\"}}}}",
     "This model doesn't support the toolConfig.toolChoice.tool field."},
    {OPERATION_CONVERSE, "zai.glm-5.3",
     "{" HELLO
     ",\"toolConfig\":{\"tools\":[" SPEC("f") "],\"toolChoice\":{\"tool\":{\"name\":\"f\"}}}}",
     ""},
    {OPERATION_CONVERSE, "us.anthropic.claude-opus-4-7-v1",
     "{" HELLO ",\"inferenceConfig\":{\"temperature\":1}}",
     SAID "`temperature` is deprecated for this model."},
    {OPERATION_INVOKE, "us.anthropic.claude-opus-4-7-v1",
     C_HEAD "\"messages\":[" C_USER("a") "],\"top_p\":1}", "`top_p` is deprecated for this model."},
    {OPERATION_COUNT_TOKENS, LLAMA, "{\"input\":{\"converse\":{" HELLO "}}}",
     "The provided model doesn't support counting tokens."},
    {OPERATION_CONVERSE, "arn:aws:bedrock:us-east-1:123456789012:imported-model/abc", "{" HELLO "}",
     "This action doesn't support the model that you provided."},
    {OPERATION_CONVERSE, CLAUDE,
     "{\"messages\":[" TURN("user", TEXT("a")) "," TURN(
         "assistant", "{\"reasoningContent\":{\"reasoningText\":{\"text\":\"hm\"}}}") "]}",
     SAID "messages.1.content.0.thinking.signature: Field required"},
    {OPERATION_CONVERSE, CLAUDE,
     "{\"messages\":[" TURN("user", TEXT("a")) "," TURN(
         "assistant", "{\"reasoningContent\":{\"reasoningText\":{\"text\":\"hm\",\"signature\":"
                      "\"c2ltdWxhdGVk0000000000000000\"}}}") "]}",
     SAID "messages.1.content.0: Invalid `signature` in `thinking` block"},
    {OPERATION_CONVERSE, GPT,
     "{\"messages\":[" TURN("user", TEXT("a")) "," TURN(
         "assistant",
         "{\"reasoningContent\":{\"reasoningText\":{\"text\":\"hm\"}}}," TEXT("b")) "]}",
     ""},
    /* guardrails and output */
    {OPERATION_CONVERSE, CLAUDE, "{" HELLO ",\"guardrailConfig\":{\"guardrailIdentifier\":\"a\"}}",
     "The guardrail identifier or version provided"},
    {OPERATION_CONVERSE, CLAUDE,
     "{" HELLO ",\"guardrailConfig\":{\"guardrailIdentifier\":\"a\",\"guardrailVersion\":\"1\","
     "\"streamProcessingMode\":\"sync\"}}",
     "Malformed input request: #/guardrailConfig: extraneous key [streamProcessingMode]"},
    {OPERATION_CONVERSE_STREAM, CLAUDE,
     "{" HELLO ",\"guardrailConfig\":{\"guardrailIdentifier\":\"a\",\"guardrailVersion\":\"1\","
     "\"streamProcessingMode\":\"sync\"}}",
     ""},
    {OPERATION_CONVERSE, CLAUDE,
     "{" HELLO ",\"outputConfig\":{\"textFormat\":{\"type\":\"json_schema\",\"structure\":{"
     "\"jsonSchema\":{\"schema\":\"[]\"}}}}}",
     "The value at outputConfig.textFormat.structure.jsonSchema.schema is not"},
    {OPERATION_CONVERSE, CLAUDE,
     "{" HELLO ",\"outputConfig\":{\"textFormat\":{\"type\":\"json_schema\",\"structure\":{"
     "\"jsonSchema\":{\"schema\":\"{\\\"type\\\":\\\"object\\\"}\"}}}}}",
     SAID "output_format.schema: For 'object' type, 'additionalProperties' must be"},
    /* CountTokens */
    {OPERATION_COUNT_TOKENS, CLAUDE, "{\"input\":{\"converse\":{" HELLO "}}}", ""},
    {OPERATION_COUNT_TOKENS, CLAUDE,
     "{\"input\":{\"converse\":{" HELLO ",\"inferenceConfig\":{}}}}",
     "Malformed input request: #/input.converse: extraneous key [inferenceConfig]"},
    {OPERATION_COUNT_TOKENS, CLAUDE, "{\"input\":{\"invokeModel\":{\"body\":\"e30=\"}}}",
     "anthropic_version: Field required"},
    {OPERATION_COUNT_TOKENS, CLAUDE, "{}", "1 validation error detected: Value null at 'input'"},
    /* InvokeModel: anthropic */
    {OPERATION_INVOKE, CLAUDE, C_HEAD "\"messages\":[" C_USER("a") "]}", ""},
    {OPERATION_INVOKE, CLAUDE,
     "{\"anthropic_version\":\"bedrock-2023-05-31\",\"messages\":[" C_USER("a") "]}",
     "max_tokens: Field required"},
    {OPERATION_INVOKE, CLAUDE, C_HEAD "\"messages\":[" C_USER("a") "],\"stop\":[\"x\"]}",
     "stop: Extra inputs are not permitted"},
    {OPERATION_INVOKE, CLAUDE, C_HEAD "\"messages\":[" TURN("user", "{\"type\":\"video\"}") "]}",
     "messages.0.content.0: Input tag 'video' found using 'type' does not match"},
    {OPERATION_INVOKE, CLAUDE, C_HEAD "\"messages\":[" C_USER(" ") "]}",
     "messages: text content blocks must contain non-whitespace text"},
    {OPERATION_INVOKE, CLAUDE, C_HEAD "\"messages\":[" C_USER("a") "],\"temperature\":2}",
     "temperature: Member must have value less than or equal to 1"},
    {OPERATION_INVOKE, CLAUDE, C_LOOP(C_USE("t1"), C_RESULT("t1")), ""},
    {OPERATION_INVOKE, CLAUDE, C_LOOP(C_USE("t1"), C_RESULT("t2")),
     "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: t1."},
    {OPERATION_INVOKE, CLAUDE, C_LOOP("{\"type\":\"text\",\"text\":\"a\"}", C_RESULT("t2")),
     "messages.2: unexpected `tool_use_id` found in `tool_result` blocks: t2."},
    {OPERATION_INVOKE, CLAUDE,
     C_HEAD "\"messages\":[" C_USER("a") "],\"tools\":[],\"tool_choice\":{\"type\":\"tool\","
                                         "\"name\":\"g\"}}",
     "Tool 'g' not found in provided tools"},
    /* InvokeModel: the others */
    {OPERATION_INVOKE, LLAMA, "{\"prompt\":\"a\"}", ""},
    {OPERATION_INVOKE, LLAMA, "{\"prompt\":\"a\",\"stop\":[\"b\"]}",
     "Malformed input request: #: extraneous key [stop] is not permitted"},
    {OPERATION_INVOKE, LLAMA, "{\"prompt\":\"\"}",
     "1 validation error detected: Value '\"\"' at 'prompt' failed"},
    {OPERATION_INVOKE, "amazon.titan-text-lite-v1",
     "{\"inputText\":\"a\",\"textGenerationConfig\":{\"topK\":1}}",
     "Malformed input request: #/textGenerationConfig: extraneous key [topK]"},
    {OPERATION_INVOKE, "mistral.mistral-7b-instruct-v0:2", "{\"prompt\":\"a\",\"stop\":[\"b\"]}",
     ""},
    {OPERATION_INVOKE, "us.deepseek.r1-v1:0", "{\"prompt\":\"a\",\"messages\":[]}",
     "Malformed input request: #: extraneous key [messages]"},
    {OPERATION_INVOKE, "cohere.command-r-v1:0",
     "{\"message\":\"a\",\"chat_history\":[{\"role\":\"User\"}]}",
     "1 validation error detected: Value '\"User\"' at 'chat_history.0.role' failed"},
    {OPERATION_INVOKE, "amazon.nova-lite-v1:0", "{" HELLO ",\"schemaVersion\":\"messages-v1\"}",
     ""},
    {OPERATION_INVOKE, "amazon.nova-lite-v1:0", "{\"messages\":[" TURN("assistant", TEXT("a")) "]}",
     "A conversation must start with a user message."},
    {OPERATION_INVOKE, GPT,
     "{\"messages\":[{\"role\":\"tool\",\"tool_call_id\":\"c\",\"content\":\"x\"}]}",
     "messages.0: messages with role 'tool' must be a response to a preceding message"},
    {OPERATION_INVOKE, GPT,
     "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":{"
     "\"url\":\"https://example.com/a.png\"}}]}]}",
     "image_url: only base64 data URLs of images"},
    {OPERATION_INVOKE, "qwen.qwen3-32b-v1:0",
     "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],\"stop\":\"x\"}", ""},
    {OPERATION_INVOKE, "arn:aws:bedrock:us-east-1:123456789012:imported-model/abc",
     "{\"what\":[\"ever\"]}", ""},
    {OPERATION_INVOKE, CLAUDE, "{", "Malformed input request: not valid JSON at byte 1"},
};

static enum err check(struct arena *arena, size_t i, struct conversation *ret_conversation,
                      char words[CHECK_TEXT_MAX])
{
    const struct family *family;
    struct check_request request = {CASES[i].operation, slice_of_text(CASES[i].model),
                                    slice_of_text(CASES[i].body)};
    words[0] = '\0';
    return check_body(arena, &request, ret_conversation, &family, words);
}

static void bodies_are_judged_as_bedrock_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct arena arena OWNED_BY(arena_done);
        struct conversation conversation;
        char words[CHECK_TEXT_MAX];
        arena_init(&arena, 1 << 20);
        enum err err = check(&arena, i, &conversation, words);
        size_t len = strlen(CASES[i].words);
        words[len > 0 && len < CHECK_TEXT_MAX ? len : CHECK_TEXT_MAX - 1] = '\0';
        assert_string_equal(words, CASES[i].words);
        assert_int_equal(err, len > 0 ? ERR_REJECTED : OK);
    }
}

static struct conversation read(struct arena *arena, const char *model, const char *body)
{
    struct conversation conversation;
    const struct family *family;
    char words[CHECK_TEXT_MAX];
    struct check_request request = {OPERATION_INVOKE, slice_of_text(model), slice_of_text(body)};
    assert_int_equal(check_body(arena, &request, &conversation, &family, words), OK);
    return conversation;
}

static void the_last_user_turn_of_a_prompt_is_found(void **state)
{
    (void)state;
    static const struct {
        const char *model, *body;
    } PROMPTS[] = {
        {LLAMA,
         "{\"prompt\":\"<|begin_of_text|><|start_header_id|>user<|end_header_id|>\\n\\nno<|eot_id|>"
         "<|start_header_id|>user<|end_header_id|>\\n\\nyes<|eot_id|><|start_header_id|>assistant"
         "<|end_header_id|>\\n\\n\"}"},
        {LLAMA,
         "{\"prompt\":\"<|begin_of_text|><|header_start|>user<|header_end|>\\n\\nyes<|eot|>x\"}"},
        {"mistral.mistral-7b", "{\"prompt\":\"<s>[INST] no [/INST]a</s>[INST] yes [/INST]\"}"},
        {"deepseek.r1-v1:0", "{\"prompt\":\"<\uff5cUser\uff5c>no<\uff5c"
                             "Assistant\uff5c>a<\uff5cUser\uff5c>yes<\uff5c"
                             "Assistant\uff5c>\"}"},
        {"amazon.titan-text",
         "{\"inputText\":\"sys\\n\\nUser: no\\n\\nBot: a\\n\\nUser: yes\\n\\nBot:\"}"},
        {"arn:aws:bedrock:eu-west-1:123456789012:imported-model/abc", "{\"prompt\":\"yes\"}"},
        {"cohere.command-r-v1:0",
         "{\"message\":\"yes\",\"chat_history\":[{\"role\":\"USER\",\"message\":\"no\"}]}"},
        {GPT, "{\"messages\":[{\"role\":\"system\",\"content\":\"no\"},{\"role\":\"user\","
              "\"content\":\"yes\"}]}"},
    };
    for (size_t i = 0; i < COUNT_OF(PROMPTS); i++) {
        struct arena arena OWNED_BY(arena_done);
        arena_init(&arena, 1 << 20);
        assert_slice(read(&arena, PROMPTS[i].model, PROMPTS[i].body).prompt, "yes");
    }
}

static void what_a_request_asks_for_is_read_from_each_family(void **state)
{
    (void)state;
    struct arena arena OWNED_BY(arena_done);
    arena_init(&arena, 1 << 20);
    struct conversation claude = read(
        &arena, CLAUDE,
        C_HEAD "\"system\":\"Be.\",\"messages\":[" TURN(
            "user",
            "{\"type\":\"image\",\"source\":{\"type\":\"base64\","
            "\"media_type\":\"image/"
            "png\",\"data\":\"aGVsbG8=\"}},{\"type\":\"text\",\"text\":\"b\",\"cache_control\":{"
            "\"type\":\"ephemeral\",\"ttl\":\"1h\"}}") "],\"tools\":[{\"name\":\"f\",\"input_"
                                                       "schema\":{\"type\":\"object\"}}],"
                                                       "\"tool_choice\":{\"type\":\"any\"},\"stop_"
                                                       "sequences\":[\"x\"]}");
    assert_slice(claude.system, "Be.");
    assert_int_equal(claude.max_tokens, 9);
    assert_slice(claude.tools->name, "f");
    assert_int_equal(claude.choice, CHOICE_ANY);
    assert_int_equal(claude.media_count, 1);
    assert_slice(claude.media[0].format, "png");
    assert_int_equal(claude.media[0].bytes, 5);
    assert_int_equal(claude.mark_count, 1);
    assert_true(claude.marks[0].is_long);
    struct conversation chat =
        read(&arena, GPT,
             "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":"
             "{\"url\":"
             "\"data:image/"
             "gif;base64,aGVsbG8=\"}}]}],\"max_completion_tokens\":7,\"reasoning_effort\":\"low\","
             "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"g\",\"parameters\":{}}}],"
             "\"tool_choice\":{"
             "\"type\":\"function\",\"function\":{\"name\":\"g\"}}}");
    assert_int_equal(chat.max_tokens, 7);
    assert_true(chat.thinks);
    assert_int_equal(chat.choice, CHOICE_NAMED);
    assert_slice(chat.media[0].format, "gif");
    assert_int_equal(chat.media[0].bytes, 5);
}

static void a_body_tells_its_family_where_the_id_does_not(void **state)
{
    (void)state;
    static const struct {
        const char *body, *family;
    } BODIES[] = {
        {C_HEAD "\"messages\":[" C_USER("a") "]}", "anthropic"},
        {"{" HELLO ",\"inferenceConfig\":{}}", "nova"},
        {"{\"inputText\":\"a\"}", "titan"},
        {"{\"prompt\":\"a\",\"max_gen_len\":5}", "llama"},
        {"{\"message\":\"a\"}", "cohere"},
        {"{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}", "chat"},
        {"{\"prompt\":\"a\"}", "custom"},
    };
    assert_null(
        family_of_model(SLICE("arn:aws:bedrock:us-east-1:1:application-inference-profile/x1")));
    for (size_t i = 0; i < COUNT_OF(BODIES); i++) {
        struct arena arena OWNED_BY(arena_done);
        struct conversation conversation;
        const struct family *family;
        char words[CHECK_TEXT_MAX];
        struct check_request request = {OPERATION_INVOKE, SLICE_NULL,
                                        slice_of_text(BODIES[i].body)};
        arena_init(&arena, 1 << 20);
        assert_int_equal(check_body(&arena, &request, &conversation, &family, words), OK);
        assert_string_equal(family->name, BODIES[i].family);
    }
}

static void a_model_id_tells_its_family_behind_its_prefix(void **state)
{
    (void)state;
    static const struct {
        const char *model, *family;
    } IDS[] = {
        {"us.anthropic.claude-sonnet-4-5-20250929-v1:0", "anthropic"},
        {"arn:aws:bedrock:us-east-1::foundation-model/meta.llama3-8b-instruct-v1:0", "llama"},
        {"arn:aws:bedrock:us-east-1:1:inference-profile/eu.amazon.nova-pro-v1:0", "nova"},
        {"deepseek.v3-v1:0", "chat"},
        {"deepseek.r1-v1:0", "deepseek"},
        {"writer.palmyra-x5-v1:0", "writer"},
    };
    for (size_t i = 0; i < COUNT_OF(IDS); i++)
        assert_string_equal(family_of_model(slice_of_text(IDS[i].model))->name, IDS[i].family);
}

static bool check_all_once(void *self)
{
    bool good = true;
    (void)self;
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct arena arena OWNED_BY(arena_done);
        struct conversation conversation;
        char words[CHECK_TEXT_MAX];
        arena_init(&arena, 1 << 20);
        enum err err = check(&arena, i, &conversation, words);
        assert_true(err == OK || err == ERR_REJECTED || err == ERR_NO_MEMORY);
        good = good && err != ERR_NO_MEMORY;
    }
    return good;
}

static void checks_survive_failed_allocations(void **state)
{
    (void)state;
    assert_true(torture(check_all_once, NULL) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_are_judged_as_bedrock_does),
        cmocka_unit_test(the_last_user_turn_of_a_prompt_is_found),
        cmocka_unit_test(what_a_request_asks_for_is_read_from_each_family),
        cmocka_unit_test(a_body_tells_its_family_where_the_id_does_not),
        cmocka_unit_test(a_model_id_tells_its_family_behind_its_prefix),
        cmocka_unit_test(checks_survive_failed_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
