/* A request read for another alias than the one that it names (wire/chat/substitute.c). */
#include "unit/unit.h"

#include "unit/request_kit.h"
#include "unit/settings_kit.h"
#include "wire/chat/substitute.h"

#define OWN   "own: {id: anthropic.claude-3-sonnet-20240229-v1:0, defaults: {temperature: 0.25}}"
#define HAIKU "other: {id: anthropic.claude-3-haiku-20240307-v1:0, api: invoke, region: eu-west-1}"
#define NOVA  "other: {id: amazon.nova-lite-v1:0}"
#define ASKS  "{\"model\":\"own\",\"messages\":[[\"human\",\"hi\"]]"

struct pair {
    struct request_kit kit;
    struct reading *reading;
    struct request other;
    struct why why;
};

/* The first alias is named, the second one is called. */
static enum err read_pair(struct pair *pair, const char *aliases, const char *more)
{
    static char text[2048], value[2048];
    (void)snprintf(text, sizeof text, "models: {aliases: {%s}}\n", aliases);
    (void)snprintf(value, sizeof value, ASKS "%s}", more);
    pair->reading = read_text(text);
    assert_good(pair->reading);
    request_kit_init(&pair->kit);
    struct catalog *catalog = &pair->kit.catalog;
    catalog->aliases = pair->reading->settings.models_aliases.list;
    catalog->alias_count = pair->reading->settings.models_aliases.count;
    if (request_kit_read(&pair->kit, slice_of_text(value)) != OK)
        fail_msg("%s: %s", pair->kit.why.field, pair->kit.why.message);
    struct request_source source = {&pair->kit.record, catalog, &catalog->aliases[1]};
    return substitute_read(&pair->kit.arena, &source, &pair->kit.request, &pair->other, &pair->why);
}

static void end_pair(struct pair *pair)
{
    request_kit_done(&pair->kit);
    end(pair->reading);
}

static void assert_stays(const char *aliases, const char *more, const char *field)
{
    struct pair pair;
    assert_int_not_equal(read_pair(&pair, aliases, more), OK);
    assert_string_equal(pair.why.field, field);
    assert_true(pair.why.message[0] != '\0');
    end_pair(&pair);
}

static void assert_moves(const char *aliases, const char *more)
{
    struct pair pair;
    if (read_pair(&pair, aliases, more) != OK)
        fail_msg("%s: %s", pair.why.field, pair.why.message);
    end_pair(&pair);
}

static void model_region_api_and_defaults_are_the_others(void **state)
{
    (void)state;
    struct pair pair;
    assert_int_equal(read_pair(&pair, OWN ", " HAIKU, ",\"id\":\"o-1\",\"max_tokens\":9"), OK);
    assert_slice(pair.other.model, "anthropic.claude-3-haiku-20240307-v1:0");
    assert_slice(pair.other.model_requested, "own");
    assert_slice(pair.other.region, "eu-west-1");
    assert_slice(pair.other.api, "invoke");
    assert_slice(pair.other.id, "o-1");
    assert_slice(pair.other.parameters[PARAMETER_MAX_TOKENS], "9");
    assert_null(pair.other.parameters[PARAMETER_TEMPERATURE].ptr);
    assert_slice(pair.kit.request.parameters[PARAMETER_TEMPERATURE], "0.25");
    end_pair(&pair);
}

static void what_the_other_family_has_no_place_for_stays(void **state)
{
    (void)state;
    assert_stays(OWN ", other: {id: amazon.titan-text-express-v1, api: invoke}",
                 ",\"tools\":[{\"name\":\"f\",\"input_schema\":{\"type\":\"object\"}}]", "tools");
    assert_moves(OWN ", other: {id: amazon.titan-text-express-v1, api: invoke}", "");
}

static void fields_of_a_vendor_go_to_its_models_only(void **state)
{
    (void)state;
    const char *fields = ",\"additional_model_request_fields\":{\"top_k\":5}";
    assert_stays(OWN ", " NOVA, fields, "additional_model_request_fields");
    assert_stays(OWN ", " NOVA, ",\"model_kwargs\":{\"thinking\":{\"type\":\"disabled\"}}",
                 "additional_model_request_fields");
    assert_moves(OWN ", " HAIKU, fields);
    /* Those of the alias are its own matter. */
    assert_moves("own: {id: anthropic.claude-3-sonnet-20240229-v1:0, defaults: "
                 "{additional_model_request_fields: {top_k: 5}}}, " NOVA,
                 "");
}

static void what_describes_the_named_model_stays(void **state)
{
    (void)state;
    assert_stays(OWN ", " HAIKU, ",\"provider\":\"anthropic\"", "provider");
    assert_stays(OWN ", " HAIKU, ",\"base_model\":\"anthropic.claude-3-haiku-20240307-v1:0\"",
                 "base_model");
    assert_stays(OWN ", " HAIKU, ",\"count_tokens\":true", "count_tokens");
    assert_moves("own: {id: anthropic.claude-3-sonnet-20240229-v1:0, defaults: {provider: "
                 "anthropic}}, " HAIKU,
                 "");
}

static void a_guardrail_of_the_request_stays_in_its_region_and_account(void **state)
{
    (void)state;
    const char *guardrail =
        ",\"guardrail\":{\"guardrail_identifier\":\"g1\",\"guardrail_version\":\"1\"}";
    assert_stays(OWN ", other: {id: anthropic.claude-3-haiku-20240307-v1:0, region: eu-west-1}",
                 guardrail, "guardrail");
    assert_stays(OWN ", other: {id: anthropic.claude-3-haiku-20240307-v1:0, identity: {profile: "
                     "p}}",
                 guardrail, "guardrail");
    assert_moves(OWN ", other: {id: anthropic.claude-3-haiku-20240307-v1:0}", guardrail);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(model_region_api_and_defaults_are_the_others),
        cmocka_unit_test(what_the_other_family_has_no_place_for_stays),
        cmocka_unit_test(fields_of_a_vendor_go_to_its_models_only),
        cmocka_unit_test(what_describes_the_named_model_stays),
        cmocka_unit_test(a_guardrail_of_the_request_stays_in_its_region_and_account),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
