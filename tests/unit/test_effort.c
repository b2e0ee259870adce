/* reasoning.effort: which levels a model has, and what it is sent for one. Checked against the
 * profiles of langchain-aws 1.9.1. */
#include "unit/unit.h"

#include <stdio.h>

#include "unit/request_kit.h"

#define FIELDS "],\"additionalModelRequestFields\":"

static void assert_effort(const char *model, const char *level, const char *fields)
{
    char value[512], body[512];
    (void)snprintf(value, sizeof value,
                   "{" SAID ",\"model\":\"%s\",\"reasoning\":{\"effort\":\"%s\"}}", model, level);
    (void)snprintf(body, sizeof body, "%s%s%s}", ASKED, fields[0] == '\0' ? "]" : FIELDS, fields);
    assert_body(value, body);
}

static void each_family_has_its_own_form(void **state)
{
    (void)state;
    assert_effort("us.amazon.nova-2-lite-v1:0", "low",
                  "{\"reasoningConfig\":{\"type\":\"enabled\",\"maxReasoningEffort\":\"low\"}}");
    assert_effort("global.anthropic.claude-opus-4-6-v1", "max",
                  "{\"thinking\":{\"type\":\"adaptive\"},\"output_config\":{\"effort\":\"max\"}}");
    assert_effort("openai.gpt-oss-120b-1:0", "medium", "{\"reasoning_effort\":\"medium\"}");
    assert_effort("openai.gpt-5.6-sol", "none", "{\"reasoning\":{\"effort\":\"none\"}}");
    assert_effort("moonshot.kimi-k2-thinking", "high", "{\"reasoning_effort\":\"high\"}");
    assert_effort("us.zai.glm-5.3", "xhigh", "{\"reasoning_effort\":\"xhigh\"}");
}

static void a_model_without_levels_gets_none(void **state)
{
    (void)state;
    assert_effort("anthropic.claude-3-haiku-20240307-v1:0", "high", "");
    assert_effort("us.xai.grok-4.6", "high", "");
    assert_effort("anthropic.claude-sonnet-4-5-20250929-v1:0", "high", "");
}

static void assert_levels(const char *model, const char *wrong, const char *message)
{
    struct request_kit kit;
    char value[512];
    request_kit_init(&kit);
    (void)snprintf(value, sizeof value,
                   "{" SAID ",\"model\":\"%s\",\"reasoning\":{\"effort\":\"%s\"}}", model, wrong);
    assert_int_equal(request_kit_read(&kit, slice_of_text(value)), ERR_INVALID);
    assert_string_equal(kit.why.field, "reasoning.effort");
    assert_string_equal(kit.why.message, message);
    request_kit_done(&kit);
}

static void a_level_that_the_model_does_not_have_is_rejected_with_those_it_has(void **state)
{
    (void)state;
    assert_levels("amazon.nova-2-lite-v1:0", "max", "must be low, medium or high for this model");
    assert_levels("moonshotai.kimi-k2.5", "medium", "must be low, high or max for this model");
    assert_levels("openai.gpt-6-astra", "none",
                  "must be low, medium, high, xhigh or max for this model");
    assert_levels("google.gemma-4-31b", "low", "must be none or high for this model");
    assert_levels("anthropic.claude-opus-4-5-20251101-v1:0", "xhigh",
                  "must be low, medium or high for this model");
}

static void explicit_fields_win(void **state)
{
    (void)state;
    assert_body("{" SAID ",\"model\":\"anthropic.claude-opus-4-7\","
                "\"reasoning\":{\"effort\":\"low\"},\"additional_model_request_fields\":"
                "{\"thinking\":{\"type\":\"disabled\"},\"x\":1.0}}",
                ASKED FIELDS "{\"output_config\":{\"effort\":\"low\"},"
                             "\"thinking\":{\"type\":\"disabled\"},\"x\":1.0}}");
    assert_body("{" SAID ",\"model\":\"anthropic.claude-opus-4-7\",\"top_k\":3,"
                "\"reasoning\":{\"effort\":\"low\"},\"model_kwargs\":{\"output_config\":{}}}",
                ASKED FIELDS "{\"thinking\":{\"type\":\"adaptive\"},\"output_config\":{},"
                             "\"top_k\":3}}");
}

static void a_base_model_says_which_levels_an_arn_has(void **state)
{
    (void)state;
    assert_body("{" SAID
                ",\"model\":\"arn:aws:bedrock:us-east-1:1:application-inference-profile/x\","
                "\"base_model\":\"anthropic.claude-opus-4-7\",\"reasoning\":{\"effort\":\"low\"}}",
                ASKED FIELDS "{\"thinking\":{\"type\":\"adaptive\"},"
                             "\"output_config\":{\"effort\":\"low\"}}}");
}

/* AWS's guide to Nova 2: with maxReasoningEffort high, maxTokens must not be set. */
static void nova_gets_no_max_tokens_at_its_highest_level(void **state)
{
    (void)state;
    assert_body("{" SAID ",\"model\":\"amazon.nova-2-lite-v1:0\",\"max_tokens\":9,\"top_p\":1,"
                "\"reasoning\":{\"effort\":\"high\"}}",
                ASKED "],\"inferenceConfig\":{\"topP\":1},\"additionalModelRequestFields\":"
                      "{\"reasoningConfig\":{\"type\":\"enabled\","
                      "\"maxReasoningEffort\":\"high\"}}}");
    assert_body("{" SAID ",\"model\":\"amazon.nova-2-lite-v1:0\",\"max_tokens\":9,"
                "\"model_kwargs\":{\"reasoningConfig\":{\"type\":\"disabled\","
                "\"maxReasoningEffort\":\"high\"}}}",
                ASKED "],\"inferenceConfig\":{\"maxTokens\":9},\"additionalModelRequestFields\":"
                      "{\"reasoningConfig\":{\"type\":\"disabled\","
                      "\"maxReasoningEffort\":\"high\"}}}");
    assert_body("{" SAID ",\"max_tokens\":9,\"model_kwargs\":{\"reasoningConfig\":7}}",
                ASKED "],\"inferenceConfig\":{\"maxTokens\":9},"
                      "\"additionalModelRequestFields\":{\"reasoningConfig\":7}}");
}

static void additional_fields_win_over_model_kwargs(void **state)
{
    (void)state;
    assert_body("{" SAID ",\"model_kwargs\":{\"a\":1,\"b\":2},"
                "\"additional_model_request_fields\":{\"b\":3}}",
                ASKED FIELDS "{\"a\":1,\"b\":3}}");
    assert_body("{" SAID ",\"model_kwargs\":{\"b\":2},"
                "\"additional_model_request_fields\":{\"b\":3}}",
                ASKED FIELDS "{\"b\":3}}");
    assert_body("{" SAID ",\"model_kwargs\":{\"top_k\":2,\"temperature\":1},"
                "\"additional_model_request_fields\":{\"top_k\":3}}",
                ASKED "],\"inferenceConfig\":{\"temperature\":1},"
                      "\"additionalModelRequestFields\":{\"top_k\":3}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_family_has_its_own_form),
        cmocka_unit_test(a_model_without_levels_gets_none),
        cmocka_unit_test(a_level_that_the_model_does_not_have_is_rejected_with_those_it_has),
        cmocka_unit_test(explicit_fields_win),
        cmocka_unit_test(a_base_model_says_which_levels_an_arn_has),
        cmocka_unit_test(nova_gets_no_max_tokens_at_its_highest_level),
        cmocka_unit_test(additional_fields_win_over_model_kwargs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
