#include "unit/unit.h"

#include <stdio.h>

#include "unit/request_kit.h"

static void assert_model(const char *model, const char *id, const char *region)
{
    struct request_kit kit;
    char value[512];
    request_kit_init(&kit);
    snprintf(value, sizeof value, "{" SAID "%s%s%s}", model == NULL ? "" : ",\"model\":\"",
             model == NULL ? "" : model, model == NULL ? "" : "\"");
    assert_int_equal(request_kit_read(&kit, slice_of_text(value)), OK);
    assert_slice(kit.request.model, id);
    if (region == NULL)
        assert_null(kit.request.region.ptr);
    else
        assert_slice(kit.request.region, region);
    request_kit_done(&kit);
}

static void models_are_aliases_ids_or_arns(void **state)
{
    (void)state;
    assert_model("claude", "anthropic.claude-3-sonnet-20240229-v1:0", "eu-west-1");
    assert_model(NULL, "amazon.nova-lite-v1:0", NULL);
    assert_model("us.anthropic.claude-3-haiku-20240307-v1:0",
                 "us.anthropic.claude-3-haiku-20240307-v1:0", NULL);
    assert_model("arn:aws:bedrock:us-gov-west-1:123456789012:application-inference-profile/abc",
                 "arn:aws:bedrock:us-gov-west-1:123456789012:application-inference-profile/abc",
                 "us-gov-west-1");
    assert_model("arn:aws:bedrock:::foundation-model/x.y", "arn:aws:bedrock:::foundation-model/x.y",
                 NULL);
}

static void an_unknown_model_lists_the_aliases_and_the_nearest(void **state)
{
    (void)state;
    struct request_kit kit;
    request_kit_init(&kit);
    assert_int_equal(request_kit_read(&kit, SLICE("{" SAID ",\"model\":\"cluade\"}")),
                     ERR_UNKNOWN_MODEL);
    assert_string_equal(kit.why.message,
                        "\"cluade\" is neither an alias from the settings nor a model id or ARN "
                        "(aliases: claude, plain); did you mean \"claude\"?");
    assert_int_equal(request_kit_read(&kit, SLICE("{" SAID ",\"model\":\"gpt\"}")),
                     ERR_UNKNOWN_MODEL);
    assert_string_equal(kit.why.message, "\"gpt\" is neither an alias from the settings nor a "
                                         "model id or ARN (aliases: claude, plain)");
    kit.catalog.alias_count = 0;
    assert_int_equal(request_kit_read(&kit, SLICE("{" SAID ",\"model\":\"gpt\"}")),
                     ERR_UNKNOWN_MODEL);
    assert_non_null(strstr(kit.why.message, "ARN (the settings have no aliases)"));
    kit.catalog.default_model = SLICE("");
    assert_int_equal(request_kit_read(&kit, SLICE("{" SAID "}")), ERR_INVALID);
    assert_string_equal(kit.why.field, "model");
    kit.catalog.default_model = SLICE("gone");
    assert_int_equal(request_kit_read(&kit, SLICE("{" SAID "}")), ERR_UNKNOWN_MODEL);
    request_kit_done(&kit);
}

static void a_long_list_of_aliases_is_cut_and_counted(void **state)
{
    (void)state;
    struct request_kit kit;
    struct model_alias aliases[40];
    char name[129];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    request_kit_init(&kit);
    for (size_t i = 0; i < COUNT_OF(aliases); i++)
        aliases[i] = (struct model_alias){.name = SLICE("short"), .id = SLICE("a.b")};
    kit.catalog.aliases = aliases;
    kit.catalog.alias_count = COUNT_OF(aliases);
    assert_int_equal(request_kit_read(&kit, SLICE("{" SAID ",\"model\":\"x\"}")),
                     ERR_UNKNOWN_MODEL);
    assert_true(slice_ends(slice_of_text(kit.why.message), SLICE("short, short and 30 more)")));
    for (size_t i = 0; i < COUNT_OF(aliases); i++)
        aliases[i].name = slice_of_text(name);
    assert_int_equal(request_kit_read(&kit, SLICE("{" SAID ",\"model\":\"x\"}")),
                     ERR_UNKNOWN_MODEL);
    assert_true(slice_ends(slice_of_text(kit.why.message), SLICE("n and 39 more)")));
    request_kit_done(&kit);
}

/* The region goes into a host name. */
static void an_arn_cannot_contain_a_host(void **state)
{
    (void)state;
    static const char *const models[] = {
        "arn:aws:bedrock:evil.example/#:1:x",
        "arn:aws:bedrock:us-east-1@evil:1:x",
        "arn:aws:bedrock:-us:1:x",
        "arn:aws:bedrock:US-EAST-1:1:x",
        "arn:aws:bedrock",
        "arn:",
        "arn:aws:bedrock:us-east-1",
        "arn:aws:bedrock:a b:1:x",
    };
    for (size_t i = 0; i < COUNT_OF(models); i++) {
        char value[256];
        snprintf(value, sizeof value, "{" SAID ",\"model\":\"%s\"}", models[i]);
        assert_refused(value, ERR_INVALID, "model");
    }
}

/* The id goes into the path of the call. */
static void a_model_beside_bedrocks_pattern_is_unknown(void **state)
{
    (void)state;
    static const char *const models[] = {
        "../../etc/passwd",
        "..",
        ".x",
        "a/b.c",
        "a.b c",
        "a.b?x=1",
        "a.b_c",
        "us.\\u00e4.x",
        "arn:aws:bedrock:us-east-1:1:agent/x.y",
        "arn:aws:s3:us-east-1:1:imported-model/x",
        "arn:aws:bedrock:us-east-1:1:imported-model/../x",
        "arn:aws:bedrock:us-east-1:me:imported-model/x",
    };
    for (size_t i = 0; i < COUNT_OF(models); i++) {
        char value[256];
        snprintf(value, sizeof value, "{" SAID ",\"model\":\"%s\"}", models[i]);
        assert_refused(value, ERR_UNKNOWN_MODEL, "model");
    }
    assert_model("global.anthropic.claude-sonnet-4-5-20250929-v1:0",
                 "global.anthropic.claude-sonnet-4-5-20250929-v1:0", NULL);
    assert_model("arn:aws-us-gov:bedrock:us-gov-west-1:123456789012:prompt-router/a.b:1",
                 "arn:aws-us-gov:bedrock:us-gov-west-1:123456789012:prompt-router/a.b:1",
                 "us-gov-west-1");
}

static void an_alias_fills_in_what_the_request_leaves_out(void **state)
{
    (void)state;
    assert_body("{" SAID ",\"model\":\"claude\"}", ASKED
                "],\"inferenceConfig\":{\"maxTokens\":512,\"temperature\":0.25,"
                "\"stopSequences\":[\"END\"]},\"additionalModelRequestFields\":{\"top_k\":7}}");
    assert_body("{" SAID ",\"model\":\"claude\",\"temperature\":0,\"stop\":[],"
                "\"model_kwargs\":{\"max_tokens\":1},"
                "\"additional_model_request_fields\":{\"top_k\":1}}",
                ASKED "],\"inferenceConfig\":{\"maxTokens\":1,\"temperature\":0,"
                      "\"stopSequences\":[]},\"additionalModelRequestFields\":{\"top_k\":1}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(models_are_aliases_ids_or_arns),
        cmocka_unit_test(a_model_beside_bedrocks_pattern_is_unknown),
        cmocka_unit_test(an_unknown_model_lists_the_aliases_and_the_nearest),
        cmocka_unit_test(a_long_list_of_aliases_is_cut_and_counted),
        cmocka_unit_test(an_arn_cannot_contain_a_host),
        cmocka_unit_test(an_alias_fills_in_what_the_request_leaves_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
