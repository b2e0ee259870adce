/* The fields that say how Bedrock serves a request: how they are read, and what Converse gets. */
#include "unit/unit.h"

#include "unit/request_kit.h"

#define GUARDED "\"guardrail\":{\"guardrail_identifier\":\"g1\",\"guardrail_version\":\"DRAFT\""
#define SENT    "\"guardrailConfig\":{\"guardrailIdentifier\":\"g1\",\"guardrailVersion\":\"DRAFT\""

static void a_guardrail_is_sent_with_the_stream_mode_only_to_a_stream(void **state)
{
    (void)state;
    assert_body("{" SAID "," GUARDED "}}", ASKED "]," SENT "}}");
    assert_body("{" SAID "," GUARDED ",\"trace\":\"enabled_full\",\"last_turn_only\":null,"
                "\"stream_processing_mode\":\"async\"}}",
                ASKED "]," SENT ",\"trace\":\"enabled_full\"}}");
    assert_body("{" SAID "," GUARDED ",\"trace\":true}}",
                ASKED "]," SENT ",\"trace\":\"enabled\"}}");
    assert_body("{" SAID "," GUARDED ",\"trace\":false}}", ASKED "]," SENT "}}");
    assert_body("{" SAID ",\"stream\":true," GUARDED ",\"stream_processing_mode\":\"async\"}}",
                ASKED "]," SENT ",\"streamProcessingMode\":\"async\"}}");
    assert_body("{" SAID ",\"stream\":true,\"guardrail\":{\"guardrailIdentifier\":\"g1\","
                "\"guardrailVersion\":\"DRAFT\",\"streamProcessingMode\":\"sync\"}}",
                ASKED "]," SENT ",\"streamProcessingMode\":\"sync\"}}");
}

static void a_wrong_guardrail_is_rejected_at_its_member(void **state)
{
    (void)state;
    assert_refused("{" SAID ",\"guardrail\":\"g1\"}", ERR_INVALID, "guardrail");
    assert_refused("{" SAID ",\"guardrail\":{}}", ERR_INVALID, "guardrail.guardrail_identifier");
    assert_refused("{" SAID ",\"guardrail\":{\"guardrailIdentifier\":\"g1\"}}", ERR_INVALID,
                   "guardrail.guardrail_version");
    assert_refused("{" SAID "," GUARDED ",\"trace\":\"on\"}}", ERR_INVALID, "guardrail.trace");
    assert_refused("{" SAID "," GUARDED ",\"last_turn_only\":\"yes\"}}", ERR_INVALID,
                   "guardrail.last_turn_only");
    assert_refused("{" SAID "," GUARDED ",\"guardrailVersion\":\"1\"}}", ERR_INVALID,
                   "guardrail.guardrail_version");
    assert_refused("{" SAID "," GUARDED ",\"stream_mode\":\"sync\"}}", ERR_INVALID,
                   "guardrail.stream_mode");
}

static void latency_tier_and_output_form_are_sent(void **state)
{
    (void)state;
    assert_body("{" SAID ",\"performance\":{\"latency\":\"optimized\"}}",
                ASKED "],\"performanceConfig\":{\"latency\":\"optimized\"}}");
    assert_body("{" SAID ",\"service_tier\":\"flex\"}",
                ASKED "],\"serviceTier\":{\"type\":\"flex\"}}");
    assert_body("{" SAID ",\"output_config\":{ \"textFormat\" :{\"a\":1.50}}}",
                ASKED "],\"outputConfig\":{ \"textFormat\" :{\"a\":1.50}}}");
}

static void a_value_that_bedrock_does_not_know_is_rejected_with_those_it_knows(void **state)
{
    (void)state;
    struct request_kit kit;
    request_kit_init(&kit);
    assert_int_equal(request_kit_read(&kit, SLICE("{" SAID ",\"service_tier\":\"fast\"}")),
                     ERR_INVALID);
    assert_string_equal(kit.why.field, "service_tier");
    assert_string_equal(kit.why.message, "must be priority, default, flex or reserved");
    request_kit_done(&kit);
    assert_refused("{" SAID ",\"service_tier\":{\"type\":\"flex\"}}", ERR_INVALID, "service_tier");
    assert_refused("{" SAID ",\"performance\":{\"latency\":7}}", ERR_INVALID,
                   "performance.latency");
    assert_refused("{" SAID ",\"performance\":{}}", ERR_INVALID, "performance.latency");
    assert_refused("{" SAID ",\"reasoning\":{\"effort\":\"most\"}}", ERR_INVALID,
                   "reasoning.effort");
    assert_refused("{" SAID ",\"cache_control\":{\"type\":\"default\"}}", ERR_INVALID,
                   "cache_control.type");
    assert_refused("{" SAID ",\"cache_control\":{\"type\":\"ephemeral\",\"ttl\":\"2h\"}}",
                   ERR_INVALID, "cache_control.ttl");
    assert_refused("{" SAID ",\"output_config\":[]}", ERR_INVALID, "output_config");
}

static void a_providers_case_is_ignored(void **state)
{
    (void)state;
    struct request_kit kit;
    request_kit_init(&kit);
    assert_int_equal(
        request_kit_read(&kit, SLICE("{" SAID ",\"model\":\"arn:aws:bedrock:us-east-1:1:"
                                     "application-inference-profile/x\",\"provider\":\"Anthropic\","
                                     "\"base_model\":\"us.anthropic.claude-opus-4-7\"}")),
        OK);
    assert_slice(kit.request.provider, "anthropic");
    assert_slice(kit.request.traits.provider, "anthropic");
    assert_slice(kit.request.traits.name, "anthropic.claude-opus-4-7");
    request_kit_done(&kit);
    assert_refused("{" SAID ",\"provider\":\"\"}", ERR_INVALID, "provider");
    assert_refused("{" SAID ",\"base_model\":7}", ERR_INVALID, "base_model");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_guardrail_is_sent_with_the_stream_mode_only_to_a_stream),
        cmocka_unit_test(a_wrong_guardrail_is_rejected_at_its_member),
        cmocka_unit_test(latency_tier_and_output_form_are_sent),
        cmocka_unit_test(a_value_that_bedrock_does_not_know_is_rejected_with_those_it_knows),
        cmocka_unit_test(a_providers_case_is_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
