/* Defaults of an alias beside the parameters, what its `drop` leaves out, and how the settings read
 * both. */
#include "unit/unit.h"

#include "unit/request_kit.h"
#include "unit/settings_kit.h"
#include "wire/chat/presets.h"
#include "wire/chat/unsent.h"

#define ALIAS(members)    "models: {aliases: {a: {id: x.y, " members "}}}\n"
#define DEFAULTS(members) ALIAS("defaults: {" members "}")
#define OPUS(members)     "models: {aliases: {a: {id: anthropic.claude-opus-4-7, " members "}}}\n"
#define INFER             "],\"inferenceConfig\":"

/* The body that a request to the alias `a` of these settings becomes. */
static void assert_alias_body(const char *settings, const char *value, const char *body)
{
    struct request_kit kit;
    struct reading *reading = read_text(settings);
    struct buf sent OWNED_BY(buf_done);
    assert_good(reading);
    request_kit_init(&kit);
    buf_init(&sent, 1 << 20);
    kit.catalog.default_model = SLICE("a");
    kit.catalog.aliases = reading->settings.models_aliases.list;
    kit.catalog.alias_count = reading->settings.models_aliases.count;
    if (request_kit_read(&kit, slice_of_text(value)) != OK)
        fail_msg("%s: %s (%s)", err_name(kit.err), kit.why.message, kit.why.field);
    assert_int_equal(dialect_encode(&dialect_converse, &kit.request, &sent), OK);
    assert_buf(&sent, body);
    request_kit_done(&kit);
    end(reading);
}

static void an_alias_can_set_a_default_for_every_preset(void **state)
{
    (void)state;
    size_t count = 0;
    const struct preset_row *rows = preset_rows(&count);
    struct reading *reading = read_text(DEFAULTS(
        "provider: Meta, base_model: meta.llama3, reasoning: {effort: high}, service_tier: flex, "
        "guardrail: {guardrail_identifier: g, guardrail_version: 1, last_turn_only: true}, "
        "cache_control: {type: ephemeral}, performance: {latency: optimized}, "
        "output_config: {a: 1.50}, request_metadata: {team: 7}, "
        "additional_model_response_field_paths: [/usage], "
        "additional_model_request_fields: {k: [1, 'true', true, {b: no}]}"));
    assert_good(reading);
    const struct request *presets = reading->settings.models_aliases.list[0].presets;
    assert_non_null(presets);
    for (size_t i = 0; i < count; i++)
        if (*(const char *const *)(const void *)((const char *)presets + rows[i].at) == NULL)
            fail_msg("%s has no default", rows[i].name);
    assert_slice(presets->provider, "meta");
    assert_slice(presets->guardrail.version, "1");
    assert_true(presets->guardrail.last_turn_only);
    assert_slice(presets->output_config, "{\"a\":1.50}");
    assert_slice(presets->request_metadata, "{\"team\":\"7\"}");
    assert_slice(presets->additional_fields, "{\"k\":[1,\"true\",true,{\"b\":\"no\"}]}");
    end(reading);
}

static void a_default_counts_only_where_the_request_gives_nothing(void **state)
{
    (void)state;
    static const char SETTINGS[] =
        DEFAULTS("service_tier: flex, "
                 "guardrail: {guardrail_identifier: g, guardrail_version: '2', trace: enabled}");
    assert_alias_body(SETTINGS, "{" SAID ",\"service_tier\":null}",
                      ASKED "],\"guardrailConfig\":{\"guardrailIdentifier\":\"g\","
                            "\"guardrailVersion\":\"2\",\"trace\":\"enabled\"},"
                            "\"serviceTier\":{\"type\":\"flex\"}}");
    assert_alias_body(SETTINGS,
                      "{" SAID ",\"service_tier\":\"default\",\"guardrail\":{"
                      "\"guardrail_identifier\":\"h\",\"guardrail_version\":\"1\"}}",
                      ASKED "],\"guardrailConfig\":{\"guardrailIdentifier\":\"h\","
                            "\"guardrailVersion\":\"1\"},\"serviceTier\":{\"type\":\"default\"}}");
}

static void additional_fields_of_an_alias_join_those_of_the_request(void **state)
{
    (void)state;
    static const char SETTINGS[] =
        DEFAULTS("additional_model_request_fields: {a: 1, b: 2, top_k: 3}");
    assert_alias_body(SETTINGS, "{" SAID "}",
                      ASKED "],\"additionalModelRequestFields\":{\"a\":1,\"b\":2,\"top_k\":3}}");
    assert_alias_body(SETTINGS, "{" SAID ",\"model_kwargs\":{\"b\":null,\"c\":1e2}}",
                      ASKED "],\"additionalModelRequestFields\":{\"a\":1,\"top_k\":3,\"b\":null,"
                            "\"c\":1e2}}");
    assert_alias_body(SETTINGS, "{" SAID ",\"top_k\":5,\"model_kwargs\":{\"c\":0}}",
                      ASKED "],\"additionalModelRequestFields\":{\"a\":1,\"b\":2,\"c\":0,"
                            "\"top_k\":5}}");
}

static void a_parameter_wins_over_the_same_field_of_an_alias(void **state)
{
    (void)state;
    static const char OWN[] = "additional_model_request_fields: {top_k: 3}";
    char settings[256];
    (void)snprintf(settings, sizeof settings, DEFAULTS("top_k: 4, %s"), OWN);
    assert_alias_body(settings, "{" SAID "}",
                      ASKED "],\"additionalModelRequestFields\":{\"top_k\":4}}");
    (void)snprintf(settings, sizeof settings, DEFAULTS("%s"), OWN);
    assert_alias_body(settings, "{" SAID ",\"top_k\":5}",
                      ASKED "],\"additionalModelRequestFields\":{\"top_k\":5}}");
    assert_alias_body(settings, "{" SAID ",\"model_kwargs\":{\"top_k\":5}}",
                      ASKED "],\"additionalModelRequestFields\":{\"top_k\":5}}");
}

static void models_without_sampling_get_no_temperature_and_top_p(void **state)
{
    (void)state;
    static const char VALUE[] = "{" SAID ",\"temperature\":0.5,\"top_p\":0.9,\"max_tokens\":9}";
    assert_alias_body(OPUS(""), VALUE, ASKED INFER "{\"maxTokens\":9}}");
    assert_alias_body(OPUS("drop: []"), VALUE,
                      ASKED INFER "{\"maxTokens\":9,\"temperature\":0.5,\"topP\":0.9}}");
    assert_alias_body(OPUS("drop: [max_tokens]"), VALUE, ASKED "]}");
    assert_alias_body(ALIAS("drop: [top_p]"), VALUE,
                      ASKED INFER "{\"maxTokens\":9,\"temperature\":0.5}}");
    assert_alias_body(ALIAS("drop: [temperature], defaults: {temperature: 1}"), "{" SAID "}",
                      ASKED "]}");
}

static void what_a_model_refuses_is_sent_on_invoke_model(void **state)
{
    (void)state;
    struct request_kit kit;
    request_kit_init(&kit);
    kit.catalog.default_model = SLICE("anthropic.claude-opus-4-7");
    assert_int_equal(
        request_kit_read(&kit, SLICE("{" SAID ",\"api\":\"invoke\",\"temperature\":0.5}")), OK);
    assert_slice(kit.request.parameters[PARAMETER_TEMPERATURE], "0.5");
    assert_int_equal(kit.request.dropped, 0);
    request_kit_done(&kit);
}

static void what_is_left_out_is_named(void **state)
{
    (void)state;
    struct request_kit kit;
    struct buf names OWNED_BY(buf_done);
    request_kit_init(&kit);
    buf_init(&names, 256);
    kit.catalog.default_model = SLICE("us.anthropic.claude-sonnet-5");
    assert_int_equal(request_kit_read(&kit, SLICE("{" SAID ",\"top_p\":0.9,\"max_tokens\":9}")),
                     OK);
    unsent_add_names(&names, kit.request.dropped);
    assert_buf(&names, "top_p");
    request_kit_done(&kit);
    request_kit_init(&kit);
    assert_int_equal(request_kit_read(&kit, SLICE("{" SAID ",\"reasoning\":{\"effort\":\"low\"}}")),
                     OK);
    names.len = 0;
    unsent_add_names(&names, kit.request.dropped);
    assert_buf(&names, "reasoning.effort");
    request_kit_done(&kit);
}

static void a_default_that_no_request_may_have_is_rejected_at_its_place(void **state)
{
    (void)state;
    assert_problem(DEFAULTS("guardrail: {guardrail_identifier: g}"),
                   "models.aliases.a.defaults.guardrail: guardrail_version: missing");
    assert_problem(DEFAULTS("service_tier: fast"),
                   "models.aliases.a.defaults.service_tier: must be priority, default, flex or "
                   "reserved");
    assert_problem(DEFAULTS("reasoning: high"), "models.aliases.a.defaults.reasoning: ");
    assert_problem(DEFAULTS("guardrial: {}"),
                   "defaults.guardrial: unknown; did you mean guardrail?");
    assert_problem(DEFAULTS("stop_sequences: [a]"), "defaults.stop_sequences: unknown; write stop");
    assert_problem(DEFAULTS("x: {}"), "defaults are max_tokens, temperature, ");
    assert_problem(DEFAULTS("output_config: {a: 1, a: 2}"), "output_config.a: ");
    assert_problem(OPUS("defaults: {reasoning: {effort: none}}"),
                   "models.aliases.a: reasoning.effort: must be low, medium, high, xhigh or max "
                   "for this model");
}

static void defaults_have_a_limit(void **state)
{
    (void)state;
    static char pad[5000], text[16000];
    memset(pad, 'x', sizeof pad - 1);
    pad[sizeof pad - 1] = '\0';
    (void)snprintf(text, sizeof text, DEFAULTS("output_config: {a: %s}, request_metadata: {b: %s}"),
                   pad, pad);
    assert_problem(text, "models.aliases.a.defaults.request_metadata: is too long; shorten it");
}

static void drop_lists_parameters(void **state)
{
    (void)state;
    assert_problem(ALIAS("drop: top_p"), "models.aliases.a.drop: is a text; write a list such as");
    assert_problem(ALIAS("drop: [topp]"), "drop: has an unknown parameter; did you mean top_p?");
    assert_problem(ALIAS("drop: [guardrail]"), "drop: has an unknown parameter");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_alias_can_set_a_default_for_every_preset),
        cmocka_unit_test(a_default_counts_only_where_the_request_gives_nothing),
        cmocka_unit_test(additional_fields_of_an_alias_join_those_of_the_request),
        cmocka_unit_test(a_parameter_wins_over_the_same_field_of_an_alias),
        cmocka_unit_test(models_without_sampling_get_no_temperature_and_top_p),
        cmocka_unit_test(what_a_model_refuses_is_sent_on_invoke_model),
        cmocka_unit_test(what_is_left_out_is_named),
        cmocka_unit_test(a_default_that_no_request_may_have_is_rejected_at_its_place),
        cmocka_unit_test(defaults_have_a_limit),
        cmocka_unit_test(drop_lists_parameters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
