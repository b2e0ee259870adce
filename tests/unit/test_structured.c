/* The field structured_output: what is refused, and what is sent for it. */
#include "unit/unit.h"

#include <stdio.h>

#include "unit/request_kit.h"

#define POINT                                                                                      \
    "{\"title\":\"Point\",\"description\":\"A place.\",\"type\":\"object\",\"properties\":{"       \
    "\"x\":{\"type\":\"number\",\"minimum\":1.50},\"title\":{\"type\":\"string\"}},"               \
    "\"required\":[\"x\"]}"
#define CLAUDE  "\"model\":\"anthropic.claude-3-5-sonnet-20241022-v2:0\","
#define ASK(of) "{" SAID "," CLAUDE "\"structured_output\":{" of "}}"

static void a_member_of_a_wrong_form_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *of, *field;
    } cases[] = {
        {"", "structured_output.schema"},
        {"\"schema\":null", "structured_output.schema"},
        {"\"schema\":[]", "structured_output.schema"},
        {"\"schema\":{\"name\":\"a\",\"parameters\":{}}", "structured_output.schema"},
        {"\"schema\":{\"type\":\"function\",\"function\":{}}", "structured_output.schema"},
        {"\"schema\":{},\"name\":7", "structured_output.name"},
        {"\"schema\":{},\"name\":\"a b\"", "structured_output.name"},
        {"\"schema\":{},\"name\":\"\"", "structured_output.name"},
        {"\"schema\":{\"title\":\"A point\"}", "structured_output.schema.title"},
        {"\"schema\":{},\"method\":\"json_mode\"", "structured_output.method"},
        {"\"schema\":{},\"method\":1", "structured_output.method"},
        {"\"schema\":{},\"strict\":1", "structured_output.strict"},
        {"\"schema\":{},\"include_raw\":\"yes\"", "structured_output.include_raw"},
        {"\"schema\":{},\"validate\":0", "structured_output.validate"},
        {"\"schema\":{},\"validate\":true,\"retry_invalid\":4", "structured_output.retry_invalid"},
        {"\"schema\":{},\"validate\":true,\"retry_invalid\":-1", "structured_output.retry_invalid"},
        {"\"schema\":{},\"validate\":true,\"retry_invalid\":0.5",
         "structured_output.retry_invalid"},
        {"\"schema\":{},\"retry_invalid\":1", "structured_output.retry_invalid"},
        {"\"validate\":true,\"schema\":{\"properties\":{\"a\":{\"pattern\":\"b\"}}}",
         "structured_output.schema.properties.a.pattern"},
        {"\"validate\":true,\"schema\":{\"$ref\":\"#\"}", "structured_output.schema.$ref"},
        {"\"schema\":{},\"methode\":\"json_schema\"", "structured_output.methode"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char value[512];
        (void)snprintf(value, sizeof value, ASK("%s"), cases[i].of);
        assert_refused(value, ERR_INVALID, cases[i].field);
    }
    assert_refused("{" SAID ",\"structured_output\":[]}", ERR_INVALID, "structured_output");
}

static void an_unknown_member_gets_the_nearest_name(void **state)
{
    (void)state;
    struct request_kit kit;
    request_kit_init(&kit);
    assert_int_equal(request_kit_read(&kit, SLICE(ASK("\"schema\":{},\"retry_invalids\":1"))),
                     ERR_INVALID);
    assert_string_equal(kit.why.message, "no such field; did you mean \"retry_invalid\"?");
    request_kit_done(&kit);
}

static void null_members_count_as_absent(void **state)
{
    (void)state;
    struct request_kit kit;
    request_kit_init(&kit);
    assert_int_equal(request_kit_read(&kit, SLICE(ASK("\"schema\":{},\"name\":null,\"method\":null,"
                                                      "\"strict\":null,\"validate\":null"))),
                     OK);
    assert_int_equal(kit.request.structured.method, STRUCTURED_FUNCTION_CALLING);
    assert_slice(kit.request.structured.name, "\"extract\"");
    assert_null(kit.request.structured.strict.ptr);
    request_kit_done(&kit);
}

/* --- function_calling --- */

static void read_for(struct request_kit *kit, const char *model, const char *more, const char *of)
{
    char value[2048];
    request_kit_init(kit);
    (void)snprintf(value, sizeof value, "{" SAID ",\"model\":\"%s\"%s,\"structured_output\":{%s}}",
                   model, more, of);
    if (request_kit_read(kit, slice_of_text(value)) != OK)
        fail_msg("%s: %s (%s)", value, kit->why.message, kit->why.field);
}

static void the_schema_becomes_the_one_tool(void **state)
{
    (void)state;
    struct request_kit kit;
    read_for(&kit, "anthropic.claude-3-5-sonnet-20241022-v2:0", "", "\"schema\":" POINT);
    const struct request *request = &kit.request;
    assert_int_equal(request->tool_count, 1);
    assert_int_equal(request->tools->kind, TOOL_FUNCTION);
    assert_slice(request->tools->name, "\"Point\"");
    assert_slice(request->tools->description, "\"A place.\"");
    assert_slice(request->tools->schema,
                 "{\"type\":\"object\",\"properties\":{\"x\":{\"type\":\"number\","
                 "\"minimum\":1.50},\"title\":{\"type\":\"string\"}},\"required\":[\"x\"]}");
    assert_null(request->tools->strict.ptr);
    assert_int_equal(request->tool_choice.kind, TOOL_CHOICE_TOOL);
    assert_slice(request->tool_choice.name, "\"Point\"");
    assert_false(request->structured.must_call);
    request_kit_done(&kit);
    read_for(&kit, "amazon.nova-lite-v1:0", "",
             "\"name\":\"place\",\"schema\":{\"title\":\"A b\"}");
    assert_slice(kit.request.tools->name, "\"place\"");
    assert_slice(kit.request.tools->description, "\"place\"");
    assert_slice(kit.request.tools->schema, "{}");
    request_kit_done(&kit);
}

static void a_null_branch_goes_from_the_tool_as_from_others(void **state)
{
    (void)state;
    struct request_kit kit;
    read_for(
        &kit, "anthropic.claude-3-5-sonnet-20241022-v2:0", "",
        "\"schema\":{\"title\":\"T\",\"properties\":{\"a\":{\"type\":[\"string\",\"null\"]}}}");
    assert_slice(kit.request.tools->schema, "{\"properties\":{\"a\":{\"type\":\"string\"}}}");
    assert_slice(kit.request.tools->schema_given,
                 "{\"properties\":{\"a\":{\"type\":[\"string\",\"null\"]}}}");
    request_kit_done(&kit);
}

static void strict_requires_all_properties_and_no_others(void **state)
{
    (void)state;
    struct request_kit kit;
    read_for(&kit, "anthropic.claude-3-5-sonnet-20241022-v2:0", "",
             "\"strict\":true,\"schema\":{\"title\":\"T\",\"type\":\"object\",\"required\":[],"
             "\"properties\":{\"a\":{\"type\":\"object\",\"properties\":{\"b\":{}}},"
             "\"c\":{\"items\":{\"additionalProperties\":true}},\"d\":{\"anyOf\":[{\"properties\":"
             "{}}]}},\"$defs\":{\"e\":{\"type\":\"object\",\"properties\":{\"f\":{}}}}}");
    assert_slice(kit.request.tools->schema_given,
                 "{\"type\":\"object\",\"required\":[\"a\",\"c\",\"d\"],"
                 "\"properties\":{\"a\":{\"type\":\"object\",\"properties\":{\"b\":{}},"
                 "\"required\":[\"b\"],\"additionalProperties\":false},"
                 "\"c\":{\"items\":{\"additionalProperties\":false}},\"d\":{\"anyOf\":[{"
                 "\"properties\":{},\"additionalProperties\":false}]}},\"$defs\":{\"e\":{\"type\":"
                 "\"object\",\"properties\":{\"f\":{}},\"required\":[\"f\"],"
                 "\"additionalProperties\":false}},\"additionalProperties\":false}");
    assert_slice(kit.request.tools->strict, "true");
    request_kit_done(&kit);
}

static void a_model_is_forced_as_far_as_it_accepts_that(void **state)
{
    (void)state;
    static const char thinks[] = ",\"model_kwargs\":{\"thinking\":{\"type\":\"enabled\"}}";
    static const struct {
        const char *model, *more;
        int choice;
        bool must_call;
    } cases[] = {
        {"us.anthropic.claude-sonnet-4-20250514-v1:0", "", TOOL_CHOICE_TOOL, false},
        {"us.anthropic.claude-sonnet-4-20250514-v1:0", thinks, TOOL_CHOICE_ABSENT, true},
        {"anthropic.claude-3-5-sonnet-20240620-v1:0", thinks, TOOL_CHOICE_TOOL, false},
        {"anthropic.claude-3-7-sonnet-20250219-v1:0",
         ",\"additional_model_request_fields\":{\"thinking\":{\"type\":\"adaptive\"}}",
         TOOL_CHOICE_ABSENT, true},
        {"anthropic.claude-3-7-sonnet-20250219-v1:0",
         ",\"additional_model_request_fields\":{\"thinking\":{\"type\":\"disabled\"}}",
         TOOL_CHOICE_TOOL, false},
        {"anthropic.claude-opus-4-8", thinks, TOOL_CHOICE_TOOL, false},
        {"anthropic.claude-opus-5-5", "", TOOL_CHOICE_ABSENT, false},
        {"amazon.nova-pro-v1:0", "", TOOL_CHOICE_TOOL, false},
        {"xai.grok-4", "", TOOL_CHOICE_TOOL, false},
        {"zai.glm-5.3", "", TOOL_CHOICE_TOOL, false},
        {"zai.glm-4.7", "", TOOL_CHOICE_ANY, false},
        {"openai.gpt-5.5", "", TOOL_CHOICE_TOOL, false},
        {"openai.gpt-oss-120b-1:0", "", TOOL_CHOICE_ABSENT, false},
        {"mistral.mistral-large-2407-v1:0", "", TOOL_CHOICE_ANY, false},
        {"mistral.mistral-7b-instruct-v0:2", "", TOOL_CHOICE_ABSENT, false},
        {"deepseek.v3-v1:0", "", TOOL_CHOICE_ANY, false},
        {"deepseek.v3-v1:0", ",\"model_kwargs\":{\"reasoning_effort\":\"high\"}",
         TOOL_CHOICE_ABSENT, true},
        {"deepseek.v3-v1:0", ",\"model_kwargs\":{\"reasoning_effort\":\"low\"}", TOOL_CHOICE_ANY,
         false},
        {"deepseek.r1-v1:0", "", TOOL_CHOICE_ABSENT, false},
        {"meta.llama3-1-70b-instruct-v1:0", "", TOOL_CHOICE_ABSENT, false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct request_kit kit;
        read_for(&kit, cases[i].model, cases[i].more, "\"schema\":" POINT);
        if ((int)kit.request.tool_choice.kind != cases[i].choice ||
            kit.request.structured.must_call != cases[i].must_call)
            fail_msg("%s%s: choice %d", cases[i].model, cases[i].more,
                     (int)kit.request.tool_choice.kind);
        request_kit_done(&kit);
    }
}

/* --- json_schema --- */

static void a_schema_for_the_answer_is_closed_and_sent_as_text(void **state)
{
    (void)state;
    struct request_kit kit;
    read_for(&kit, "anthropic.claude-sonnet-4-5-20250929-v1:0", "",
             "\"method\":\"json_schema\",\"schema\":{\"title\":\"T\",\"type\":\"object\","
             "\"properties\":{\"a\":{\"type\":\"object\",\"additionalProperties\":true},"
             "\"b\":{\"enum\":[1.0,\"\\u00e9\\/\\u0001\",[]]}},"
             "\"$defs\":{\"c\":{\"items\":{\"type\":\"object\"}}},\"oneOf\":[{\"type\":\"object\"}"
             "]}");
    assert_slice(
        kit.request.output_config,
        "{\"textFormat\":{\"type\":\"json_schema\",\"structure\":{\"jsonSchema\":{\"schema\":"
        "\"{\\\"title\\\": \\\"T\\\", \\\"type\\\": \\\"object\\\", \\\"properties\\\": {"
        "\\\"a\\\": {\\\"type\\\": \\\"object\\\", \\\"additionalProperties\\\": false}, "
        "\\\"b\\\": {\\\"enum\\\": [1.0, \\\"\u00e9/\\\\u0001\\\", []]}}, "
        "\\\"$defs\\\": {\\\"c\\\": {\\\"items\\\": {\\\"type\\\": \\\"object\\\", "
        "\\\"additionalProperties\\\": false}}}, \\\"oneOf\\\": [{\\\"type\\\": \\\"object\\\", "
        "\\\"additionalProperties\\\": false}], \\\"additionalProperties\\\": false}\","
        "\"name\":\"T\",\"description\":\"T\"}}}}");
    assert_int_equal(kit.request.tool_count, 0);
    request_kit_done(&kit);
    read_for(&kit, "a.b", "", "\"method\":\"json_schema\",\"schema\":{\"description\":\"D\"}");
    assert_slice(kit.request.structured.name, "\"output_schema\"");
    assert_slice(kit.request.output_config,
                 "{\"textFormat\":{\"type\":\"json_schema\",\"structure\":{\"jsonSchema\":{"
                 "\"schema\":\"{\\\"description\\\": \\\"D\\\"}\",\"name\":\"output_schema\","
                 "\"description\":\"D\"}}}}");
    request_kit_done(&kit);
}

static void a_demand_joins_the_output_config_of_the_request(void **state)
{
    (void)state;
    struct request_kit kit;
    read_for(&kit, "a.b", ",\"output_config\":{\"effort\":\"low\"}",
             "\"method\":\"json_schema\",\"schema\":{}");
    assert_slice(kit.request.output_config,
                 "{\"effort\":\"low\",\"textFormat\":{\"type\":\"json_schema\",\"structure\":{"
                 "\"jsonSchema\":{\"schema\":\"{}\",\"name\":\"output_schema\",\"description\":"
                 "\"output_schema\"}}}}");
    request_kit_done(&kit);
    assert_refused("{" SAID ",\"output_config\":{\"textFormat\":{}},\"structured_output\":{"
                   "\"method\":\"json_schema\",\"schema\":{}}}",
                   ERR_INVALID, "structured_output");
}

/* --- prompt_prefill --- */

#define PREFILLED "\"structured_output\":{\"method\":\"prompt_prefill\",\"schema\":" POINT "}"

static void assert_system(const struct request_kit *kit, size_t index, const char *begin,
                          const char *end)
{
    struct slice text = kit->request.system[index].text;
    if (!slice_starts(text, slice_of_text(begin)) || !slice_ends(text, slice_of_text(end)))
        fail_msg("%.*s", SLICE_ARG(text));
}

static void read_prefilled(struct request_kit *kit, const char *fields)
{
    char value[2048];
    request_kit_init(kit);
    (void)snprintf(value, sizeof value, "{%s," PREFILLED "}", fields);
    if (request_kit_read(kit, slice_of_text(value)) != OK)
        fail_msg("%s (%s)", kit->why.message, kit->why.field);
}

static void a_prefilled_answer_has_the_schema_in_the_system_text(void **state)
{
    (void)state;
    struct request_kit kit;
    read_prefilled(&kit, SAID);
    assert_int_equal(kit.request.system_count, 1);
    assert_system(&kit, 0, "You MUST respond with a single JSON object",
                  "## Response Schema:\n"
                  "{\n  \"description\": \"A place.\",\n  \"properties\": {\n    \"x\": {\n"
                  "      \"type\": \"number\",\n      \"minimum\": 1.50\n    },\n"
                  "    \"title\": {\n      \"type\": \"string\"\n    }\n  },\n"
                  "  \"required\": [\n    \"x\"\n  ]\n}\n");
    assert_int_equal(kit.request.turn_count, 2);
    assert_int_equal(kit.request.turns[1].role, ROLE_ASSISTANT);
    assert_slice(kit.request.turns[1].blocks[0].text, "```json");
    assert_slice(kit.request.parameters[PARAMETER_STOP], "[\"```\"]");
    assert_int_equal(kit.request.tool_count, 0);
    request_kit_done(&kit);
}

static void the_schema_follows_the_leading_system_text(void **state)
{
    (void)state;
    struct request_kit kit;
    read_prefilled(&kit, "\"messages\":[[\"system\",\"Be kind.\"],[\"system\",\"More.\"],"
                         "[\"human\",\"Hi\"],[\"ai\",\"So\"]],\"stop\":[\"a\"]");
    assert_int_equal(kit.request.system_count, 1);
    assert_system(&kit, 0, "Be kind.\n\nYou MUST respond", "\n}\n\nMore.");
    assert_slice(kit.request.turns[1].blocks[0].text, "So\n```json");
    assert_slice(kit.request.parameters[PARAMETER_STOP], "[\"a\",\"```\"]");
    request_kit_done(&kit);
    read_prefilled(&kit, "\"messages\":[[\"human\",\"Hi\"],[\"system\",\"Later.\"]]");
    assert_int_equal(kit.request.system_count, 2);
    assert_system(&kit, 0, "You MUST respond", "\n}\n");
    assert_slice(kit.request.system[1].text, "Later.");
    request_kit_done(&kit);
    read_prefilled(&kit, "\"messages\":[[\"human\",\"A\"],[\"human\",\"B\"]]");
    assert_slice(kit.request.turns[0].blocks[0].text, "A\nB");
    request_kit_done(&kit);
    read_prefilled(&kit, "\"messages\":[[\"system\",[{\"text\":\"A\"},{\"text\":\"B\"},"
                         "{\"cachePoint\":{\"type\":\"default\"}}]],[\"human\",\"Hi\"]]");
    assert_int_equal(kit.request.system_count, 3);
    assert_slice(kit.request.system[0].text, "A");
    assert_system(&kit, 1, "B\n\nYou MUST respond", "\n}\n");
    request_kit_done(&kit);
}

static void braces_of_a_schema_are_no_variables(void **state)
{
    (void)state;
    struct request_kit kit;
    read_prefilled(&kit, "\"prompt\":{\"template\":\"translate\",\"variables\":{\"input\":\"a\","
                         "\"input_language\":\"b\",\"output_language\":\"c\"}}");
    assert_system(&kit, 0, "You are a helpful assistant that translates b to c.\n\nYou MUST",
                  "}\n");
    request_kit_done(&kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_member_of_a_wrong_form_is_named),
        cmocka_unit_test(an_unknown_member_gets_the_nearest_name),
        cmocka_unit_test(null_members_count_as_absent),
        cmocka_unit_test(the_schema_becomes_the_one_tool),
        cmocka_unit_test(a_null_branch_goes_from_the_tool_as_from_others),
        cmocka_unit_test(strict_requires_all_properties_and_no_others),
        cmocka_unit_test(a_model_is_forced_as_far_as_it_accepts_that),
        cmocka_unit_test(a_schema_for_the_answer_is_closed_and_sent_as_text),
        cmocka_unit_test(a_demand_joins_the_output_config_of_the_request),
        cmocka_unit_test(a_prefilled_answer_has_the_schema_in_the_system_text),
        cmocka_unit_test(the_schema_follows_the_leading_system_text),
        cmocka_unit_test(braces_of_a_schema_are_no_variables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
