/* Values checked against JSON Schemas, and which schemas can be used. tests/checks compares
 * thousands of them with Python's jsonschema. */
#include "unit/unit.h"

#include "wire/formats/json_number.h"
#include "wire/formats/json_schema.h"

static const struct json *parse(struct arena *arena, const char *text)
{
    const struct json *root = NULL;
    if (json_parse(arena, slice_of_text(text), &root, NULL) != OK)
        fail_msg("%s", text);
    return root;
}

static void assert_faults(const char *schema_text, const char *value, const char *expected)
{
    struct arena arena OWNED_BY(arena_done);
    struct buf faults OWNED_BY(buf_done);
    struct why why;
    arena_init(&arena, 1 << 22);
    buf_init(&faults, JSON_SCHEMA_TEXT_MAX);
    const struct json *schema = parse(&arena, schema_text);
    if (json_schema_check(&arena, schema, "", &why) != OK)
        fail_msg("%s: %s", why.field, why.message);
    assert_int_equal(json_schema_validate(&arena, schema, parse(&arena, value), &faults), OK);
    assert_buf(&faults, expected);
}

#define assert_valid(schema, value) assert_faults(schema, value, "")

static void assert_unusable(const char *schema, const char *field)
{
    struct arena arena OWNED_BY(arena_done);
    struct why why;
    arena_init(&arena, 1 << 22);
    why_clear(&why);
    assert_int_equal(json_schema_check(&arena, parse(&arena, schema), "s", &why), ERR_INVALID);
    assert_string_equal(why.field, field);
}

static void a_fault_has_the_place_of_its_value(void **state)
{
    (void)state;
    assert_faults(
        "{\"properties\":{\"a\":{\"items\":{\"type\":\"string\"}}},\"required\":[\"b\"],"
        "\"additionalProperties\":false}",
        "{\"a\":[\"x\",1],\"c\":2}",
        "$.a[1]: must be a string\n$: must have the member \"b\"\n$.c: must not be there");
    assert_faults("{\"prefixItems\":[{\"const\":1}],\"items\":{\"enum\":[\"a\",null]}}",
                  "[2,\"a\",3]", "$[0]: must be 1\n$[2]: must be one of [\"a\",null]");
}

static void eight_faults_are_listed(void **state)
{
    (void)state;
    assert_faults("{\"items\":false}", "[1,2,3,4,5,6,7,8,9]",
                  "$[0]: must not be there\n$[1]: must not be there\n$[2]: must not be there\n"
                  "$[3]: must not be there\n$[4]: must not be there\n$[5]: must not be there\n"
                  "$[6]: must not be there\n$[7]: must not be there");
}

static void limits_are_met_or_exceeded_as_their_names_say(void **state)
{
    (void)state;
    assert_valid("{\"minimum\":2,\"maximum\":2.0}", "20e-1");
    assert_faults("{\"minimum\":2}", "1.99", "$: must be at least 2");
    assert_faults("{\"maximum\":2}", "2.01", "$: must be at most 2");
    assert_faults("{\"exclusiveMinimum\":2}", "2", "$: must be more than 2");
    assert_faults("{\"exclusiveMaximum\":2}", "2", "$: must be less than 2");
    assert_faults(
        "{\"minLength\":2,\"maxLength\":0}", "\"\xc3\xa9\"",
        "$: must have at least 2 characters, has 1\n$: must have at most 0 characters, has 1");
    assert_faults("{\"minItems\":1}", "[]", "$: must have at least 1 elements, has 0");
    assert_valid("{\"minItems\":1,\"maxLength\":0,\"minimum\":9}", "{}");
}

static void schemas_for_one_value_are_combined(void **state)
{
    (void)state;
    assert_valid("{\"anyOf\":[{\"type\":\"integer\"},{\"minimum\":1}]}", "2");
    assert_faults("{\"anyOf\":[{\"type\":\"integer\"},{\"type\":\"string\"}]}", "true",
                  "$: must match one of the schemas of anyOf, matches 0");
    assert_faults("{\"anyOf\":[{\"type\":\"null\"},{\"type\":\"string\"}]}", "1",
                  "$: must be a string");
    assert_faults("{\"oneOf\":[{},true]}", "1",
                  "$: must match one of the schemas of oneOf, matches 2");
    assert_faults("{\"allOf\":[{\"type\":\"string\"},{\"enum\":[]}]}", "1",
                  "$: must be a string\n$: must be one of []");
}

static void references_lead_to_definitions(void **state)
{
    (void)state;
    static const char tree[] =
        "{\"$ref\":\"#/$defs/a~1b\",\"$defs\":{\"a/b\":{\"properties\":{"
        "\"n\":{\"items\":{\"$ref\":\"#\"}},\"v\":{\"type\":\"integer\"}}}}}";
    assert_valid(tree, "{\"n\":[{\"n\":[]},{\"v\":1}]}");
    assert_faults(tree, "{\"n\":[{\"n\":[{\"v\":\"x\"}]}]}",
                  "$.n[0].n[0].v: must be a whole number");
    assert_unusable("{\"$ref\":\"#\"}", "s.$ref");
    assert_unusable("{\"$ref\":\"#/$defs/b\",\"$defs\":{\"a\":{}}}", "s.$ref");
    assert_unusable(
        "{\"$defs\":{\"a\":{\"anyOf\":[{},{\"$ref\":\"#/$defs/b\"}]},\"b\":{\"allOf\":[{"
        "\"$ref\":\"#/$defs/a\"}]}}}",
        "s.$defs.a.anyOf[1].$ref");
}

static void what_cannot_be_checked_is_refused(void **state)
{
    (void)state;
    assert_unusable("{\"items\":{\"pattern\":\"a\"}}", "s.items.pattern");
    assert_unusable("{\"properties\":{\"a\":1}}", "s.properties.a");
    assert_unusable("{\"type\":[\"string\",\"text\"]}", "s.type[1]");
    assert_unusable("{\"maxItems\":-1}", "s.maxItems");
    assert_unusable("{\"oneOf\":[]}", "s.oneOf");
}

static void too_much_work_is_given_up(void **state)
{
    (void)state;
    struct arena arena OWNED_BY(arena_done);
    struct buf faults OWNED_BY(buf_done);
    struct buf text OWNED_BY(buf_done);
    struct why why;
    arena_init(&arena, 1 << 22);
    buf_init(&faults, JSON_SCHEMA_TEXT_MAX);
    buf_init(&text, 1 << 16);
    for (int i = 0; i < 30; i++)
        buf_add_text(&text, "{\"a\":");
    buf_add_byte(&text, '1');
    for (int i = 0; i < 30; i++)
        buf_add_byte(&text, '}');
    const struct json *schema =
        parse(&arena, "{\"anyOf\":[{\"properties\":{\"a\":{\"$ref\":\"#\"}},"
                      "\"required\":[\"b\"]},{\"properties\":{\"a\":{"
                      "\"$ref\":\"#\"}},\"required\":[\"c\"]}]}");
    assert_int_equal(json_schema_check(&arena, schema, "", &why), OK);
    assert_int_equal(json_schema_validate(&arena, schema, parse(&arena, buf_text(&text)), &faults),
                     ERR_TOO_LARGE);
}

static int compare(const char *a, const char *b)
{
    struct arena arena OWNED_BY(arena_done);
    arena_init(&arena, 1 << 16);
    return json_number_compare(parse(&arena, a), parse(&arena, b));
}

static void numbers_are_compared_digit_by_digit(void **state)
{
    (void)state;
    static const char *const rising[] = {"-1e400",
                                         "-10",
                                         "-9.99",
                                         "-1e-400",
                                         "0",
                                         "1e-400",
                                         "0.1",
                                         "0.10000000000000000000000001",
                                         "1",
                                         "9007199254740992",
                                         "9007199254740993",
                                         "1e400",
                                         "1.000001e400"};
    for (size_t i = 0; i < COUNT_OF(rising); i++)
        for (size_t j = 0; j < COUNT_OF(rising); j++)
            assert_int_equal(compare(rising[i], rising[j]), i < j ? -1 : i > j);
    assert_int_equal(compare("1.0", "1"), 0);
    assert_int_equal(compare("-0", "0.00e7"), 0);
    assert_int_equal(compare("120e-1", "0.0012E+4"), 0);
}

static void a_number_without_fraction_is_whole(void **state)
{
    (void)state;
    assert_valid("{\"type\":\"integer\"}", "10.0");
    assert_valid("{\"type\":\"integer\"}", "-1.5e1");
    assert_valid("{\"type\":\"integer\"}", "0e-9");
    assert_faults("{\"type\":\"integer\"}", "15e-1", "$: must be a whole number");
    assert_valid("{\"enum\":[1.0]}", "1");
    assert_valid("{\"const\":{\"a\":[\"\\u00e9\"],\"b\":1}}", "{\"b\":1.0,\"a\":[\"\xc3\xa9\"]}");
    assert_faults("{\"const\":true}", "1", "$: must be true");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fault_has_the_place_of_its_value),
        cmocka_unit_test(eight_faults_are_listed),
        cmocka_unit_test(limits_are_met_or_exceeded_as_their_names_say),
        cmocka_unit_test(schemas_for_one_value_are_combined),
        cmocka_unit_test(references_lead_to_definitions),
        cmocka_unit_test(what_cannot_be_checked_is_refused),
        cmocka_unit_test(too_much_work_is_given_up),
        cmocka_unit_test(numbers_are_compared_digit_by_digit),
        cmocka_unit_test(a_number_without_fraction_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
