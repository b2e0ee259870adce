/* What is known of models: which name and provider they have, and what is remembered of them. */
#include "unit/unit.h"

#include "wire/chat/traits.h"

#define ARN "arn:aws:bedrock:us-east-1:123456789012:"

static void assert_traits(const char *model, const char *base_model, const char *name,
                          const char *provider)
{
    struct model_traits traits =
        traits_of(slice_of_text(model), slice_of_text(base_model), SLICE_NULL);
    assert_slice(traits.name, name);
    if (provider == NULL)
        assert_null(traits.provider.ptr);
    else
        assert_slice(traits.provider, provider);
}

static void a_name_has_no_geo_prefix_and_no_arn(void **state)
{
    (void)state;
    assert_traits("us-gov.anthropic.claude-x", NULL, "anthropic.claude-x", "anthropic");
    assert_traits("amazon.nova-lite-v1:0", NULL, "amazon.nova-lite-v1:0", "amazon");
    assert_traits("arn:aws:bedrock:us-east-1::foundation-model/meta.llama3-8b", NULL,
                  "meta.llama3-8b", "meta");
    assert_traits(ARN "inference-profile/eu.amazon.nova-pro-v1:0", NULL, "amazon.nova-pro-v1:0",
                  "amazon");
    assert_traits(ARN "custom-model/amazon.titan-text-lite-v1:0:4k/abc", NULL,
                  "amazon.titan-text-lite-v1:0:4k", "amazon");
    assert_traits(ARN "provisioned-model/abc", NULL, "abc", NULL);
    assert_traits(ARN "application-inference-profile/abc", "us.mistral.x", "mistral.x", "mistral");
}

static void a_given_provider_wins(void **state)
{
    (void)state;
    struct model_traits traits =
        traits_of(SLICE(ARN "imported-model/abc"), SLICE_NULL, SLICE("meta"));
    assert_slice(traits.provider, "meta");
}

static void a_memo_changes_nothing(void **state)
{
    (void)state;
    static struct traits_memo memo;
    static char long_name[2 * TRAITS_MEMO_NAME_BYTES];
    memset(long_name, 'x', sizeof long_name - 1);
    const char *const models[] = {"anthropic.claude-opus-4-7",
                                  "anthropic.claude-0pus-4-7",

                                  "openai.gpt-oss-120b-1:0",
                                  "amazon.nova-lite-v1:0",
                                  "us.anthropic.claude-opus-4-7",
                                  "anthropic.claude-opus-4-70",
                                  "deepseek.r1-v1:0",
                                  "a.b",
                                  "",
                                  long_name,
                                  ARN "imported-model/abc"};
    for (size_t round = 0; round < 3; round++) {
        for (size_t i = 0; i < COUNT_OF(models); i++) {
            struct slice model = slice_of_text(models[i]);
            struct model_traits known = traits_recall(&memo, model, SLICE_NULL, SLICE_NULL);
            struct model_traits found = traits_of(model, SLICE_NULL, SLICE_NULL);
            assert_int_equal(known.has, found.has);
            assert_true(slice_equal(known.name, found.name));
        }
    }
    struct slice base = SLICE("anthropic.claude-opus-4-7");
    assert_true(slice_equal(traits_recall(&memo, SLICE("a.b"), base, SLICE_NULL).name, base));
    assert_int_equal(traits_recall(&memo, SLICE("a.b"), base, SLICE_NULL).has,
                     traits_of(base, SLICE_NULL, SLICE_NULL).has);
}

static uint32_t burndown(const char *model)
{
    struct model_traits traits = traits_of(slice_of_text(model), SLICE_NULL, SLICE_NULL);
    return traits_burndown(&traits);
}

static uint32_t max_output(const char *model)
{
    struct model_traits traits = traits_of(slice_of_text(model), SLICE_NULL, SLICE_NULL);
    return traits_max_output(&traits);
}

static void an_output_token_of_claude_3_7_and_later_counts_five_times(void **state)
{
    (void)state;
    assert_int_equal(burndown("anthropic.claude-3-7-sonnet-20250219-v1:0"), 5);
    assert_int_equal(burndown("us.anthropic.claude-sonnet-4-20250514-v1:0"), 5);
    assert_int_equal(burndown("global.anthropic.claude-opus-5"), 5);
    assert_int_equal(burndown(ARN "inference-profile/us.anthropic.claude-haiku-4-5-x"), 5);
    assert_int_equal(burndown("anthropic.claude-3-5-sonnet-20241022-v2:0"), 1);
    assert_int_equal(burndown("anthropic.claude-3-haiku-20240307-v1:0"), 1);
    assert_int_equal(burndown("anthropic.claude-v2:1"), 1);
    assert_int_equal(burndown("amazon.nova-pro-v1:0"), 1);
    assert_int_equal(burndown(ARN "application-inference-profile/abc"), 1);
    assert_int_equal(burndown(""), 1);
}

static void the_longest_answer_is_that_of_the_family(void **state)
{
    (void)state;
    assert_int_equal(max_output("anthropic.claude-3-haiku-20240307-v1:0"), 4096);
    assert_int_equal(max_output("us.anthropic.claude-sonnet-4-20250514-v1:0"), 64000);
    assert_int_equal(max_output("anthropic.claude-opus-4-20250514-v1:0"), 32000);
    assert_int_equal(max_output("anthropic.claude-sonnet-4-6"), 128000);
    assert_int_equal(max_output("amazon.nova-2-lite-v1:0"), 65535);
    assert_int_equal(max_output("amazon.nova-lite-v1:0"), 10000);
    assert_int_equal(max_output("vendor.unknown"), 8192);
    assert_int_equal(max_output(""), 8192);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_has_no_geo_prefix_and_no_arn),
        cmocka_unit_test(a_given_provider_wins),
        cmocka_unit_test(a_memo_changes_nothing),
        cmocka_unit_test(an_output_token_of_claude_3_7_and_later_counts_five_times),
        cmocka_unit_test(the_longest_answer_is_that_of_the_family),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
