/* Reasoning that is put back: what goes back to which model. */
#include "unit/unit.h"

#include <stdio.h>

#include "unit/request_kit.h"

#define CLAUDE "anthropic.claude-3-7-sonnet-20250219-v1:0"
#define SAYS(blocks)                                                                               \
    "{\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"a\"}]},{\"role\":\"assistant\","   \
    "\"content\":[" blocks "]},{\"role\":\"user\",\"content\":[{\"text\":\"z\"}]}]}"
#define SIGNED   "{\"reasoningContent\":{\"reasoningText\":{\"text\":\"hm\",\"signature\":\"c2ln\"}}}"
#define UNSIGNED "{\"reasoningContent\":{\"reasoningText\":{\"text\":\"hm\"}}}"
#define REDACTED "{\"reasoningContent\":{\"redactedContent\":\"AA==\"}}"
#define NOTHING  "{\"text\":\".\"}"

/* An answer with this block, and members behind its content, put back to a model. */
static void assert_back(const char *model, const char *block, const char *members, const char *sent)
{
    char value[2048], body[2048];
    (void)snprintf(value, sizeof value,
                   "{\"model\":\"%s\",\"messages\":[[\"human\",\"a\"],{\"role\":\"ai\",\"content\":"
                   "[%s]%s},[\"human\",\"z\"]]}",
                   model, block, members);
    (void)snprintf(body, sizeof body, SAYS("%s"), sent);
    assert_body(value, body);
}

static const char signed_block[] = "{\"type\":\"reasoning_content\",\"reasoning_content\":{"
                                   "\"text\":\"hm\",\"signature\":\"c2ln\"},\"index\":0}";
static const char unsigned_block[] =
    "{\"type\":\"reasoning_content\",\"reasoning_content\":{\"text\":\"hm\"}}";
static const char redacted_block[] =
    "{\"type\":\"reasoning_content\",\"reasoning_content\":{\"redacted_content\":\"AA==\"}}";

static void signed_and_encrypted_reasoning_goes_back(void **state)
{
    (void)state;
    static const struct {
        const char *block, *sent;
    } cases[] = {
        {signed_block, SIGNED},
        {"{\"type\":\"thinking\",\"thinking\":\"hm\",\"signature\":\"c2ln\"}", SIGNED},
        {"{\"type\":\"reasoning\",\"reasoning\":\"hm\",\"extras\":{\"signature\":\"c2ln\"}}",
         SIGNED},
        {redacted_block, REDACTED},
        {"{\"type\":\"redacted_thinking\",\"data\":\"AA==\"}", REDACTED},
        {"{\"type\":\"reasoning\",\"extras\":{\"redacted_content\":\"AA==\"}}", REDACTED},
        {"{\"type\":\"reasoning_content\",\"reasoning_content\":{\"text\":\"hm\",\"signature\":"
         "\"c2ln\",\"redacted_content\":\"AA==\"}}",
         SIGNED "," REDACTED},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_back(CLAUDE, cases[i].block, "", cases[i].sent);
}

static void unsigned_reasoning_goes_back_to_models_that_take_it(void **state)
{
    (void)state;
    static const char *const takers[] = {"openai.gpt-oss-120b-1:0", "us.amazon.nova-2-lite-v1:0",
                                         "deepseek.v3-v1:0", "minimax.minimax-m2",
                                         "moonshot.kimi-k2-thinking"};
    static const char *const others[] = {CLAUDE, "qwen.qwen3-32b-v1:0",
                                         "mistral.mistral-large-2402-v1:0"};
    for (size_t i = 0; i < COUNT_OF(takers); i++) {
        assert_back(takers[i], unsigned_block, "", UNSIGNED);
        assert_back(takers[i], "{\"type\":\"thinking\",\"thinking\":\"hm\"}", "", UNSIGNED);
        assert_back(takers[i], "{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"}", "",
                    NOTHING);
    }
    for (size_t i = 0; i < COUNT_OF(others); i++)
        assert_back(others[i], unsigned_block, "", NOTHING);
}

static void no_reasoning_goes_back_to_models_that_take_none(void **state)
{
    (void)state;
    static const char *const models[] = {"us.deepseek.r1-v1:0", "amazon.nova-pro-v1:0",
                                         "us.amazon.nova-micro-v1:0"};
    for (size_t i = 0; i < COUNT_OF(models); i++) {
        assert_back(models[i], signed_block, "", NOTHING);
        assert_back(models[i], redacted_block, "", NOTHING);
        assert_back(models[i], UNSIGNED, "", UNSIGNED); /* Converse's own form passes */
    }
}

static void reasoning_of_another_provider_is_dropped(void **state)
{
    (void)state;
    static const struct {
        const char *metadata, *sent;
    } cases[] = {
        {"{\"model_name\":\"us.anthropic.claude-3-opus-20240229-v1:0\",\"model_provider\":"
         "\"bedrock_converse\"}",
         SIGNED},
        {"{\"model_name\":\"anthropic.claude-3-opus-20240229-v1:0\"}", SIGNED},
        {"{\"model_name\":\"openai.gpt-oss-120b-1:0\",\"model_provider\":\"bedrock\"}", NOTHING},
        {"{\"model_name\":\"openai.gpt-oss-120b-1:0\"}", NOTHING},
        {"{\"model_name\":\"arn:aws:bedrock:us-east-1:1:application-inference-profile/abc\"}",
         SIGNED},
        {"{\"model_provider\":\"openai\"}", NOTHING},
        {"{\"model_name\":7,\"model_provider\":null}", SIGNED},
        {"null", SIGNED},
    };
    char members[512];
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        (void)snprintf(members, sizeof members, ",\"response_metadata\":%s", cases[i].metadata);
        assert_back(CLAUDE, signed_block, members, cases[i].sent);
    }
}

static void an_answer_of_reasoning_alone_keeps_its_calls(void **state)
{
    (void)state;
    assert_body("{\"model\":\"" CLAUDE
                "\",\"tools\":[{\"cachePoint\":{}}],\"messages\":[[\"human\",\"a\"],{\"role\":"
                "\"ai\",\"content\":[{\"type\":\"thinking\",\"thinking\":\"hm\"}],\"tool_calls\":[{"
                "\"id\":\"c\",\"name\":\"f\",\"args\":{}}]}]}",
                "{\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"a\"}]},{\"role\":"
                "\"assistant\",\"content\":[{\"toolUse\":{\"toolUseId\":\"c\",\"name\":\"f\","
                "\"input\":{}}}]}],\"toolConfig\":{\"tools\":[{\"cachePoint\":{}}]}}");
}

static void wrong_reasoning_is_rejected_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *block, *field;
    } cases[] = {
        {"{\"type\":\"thinking\"}", "messages[1][1][0].thinking"},
        {"{\"type\":\"thinking\",\"thinking\":\"x\",\"text\":\"y\"}", "messages[1][1][0].text"},
        {"{\"type\":\"redacted_thinking\",\"data\":7}", "messages[1][1][0].data"},
        {"{\"type\":\"reasoning\",\"reasoning\":7}", "messages[1][1][0].reasoning"},
        {"{\"type\":\"reasoning_content\",\"reasoning_content\":7}",
         "messages[1][1][0].reasoning_content"},
    };
    char value[512];
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        (void)snprintf(value, sizeof value, "{\"messages\":[[\"human\",\"a\"],[\"ai\",[%s]]]}",
                       cases[i].block);
        assert_refused(value, ERR_INVALID, cases[i].field);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signed_and_encrypted_reasoning_goes_back),
        cmocka_unit_test(unsigned_reasoning_goes_back_to_models_that_take_it),
        cmocka_unit_test(no_reasoning_goes_back_to_models_that_take_none),
        cmocka_unit_test(reasoning_of_another_provider_is_dropped),
        cmocka_unit_test(an_answer_of_reasoning_alone_keeps_its_calls),
        cmocka_unit_test(wrong_reasoning_is_rejected_with_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
