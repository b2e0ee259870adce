/* bedrock-sim's values for a JSON Schema. */
#include "unit/unit.h"

#include "sim/sample.h"
#include "unit/torture.h"
#include "wire/formats/json_schema.h"

static const struct json *parse(struct arena *arena, const char *text)
{
    const struct json *root;
    assert_int_equal(json_parse(arena, slice_of_text(text), &root, NULL), OK);
    return root;
}

static const struct {
    const char *schema, *value;
} SAMPLES[] = {
    {"{\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"string\"},\"days\":{\"type\":"
     "\"integer\",\"minimum\":3}},\"required\":[\"city\"]}",
     "{\"city\":\"city\",\"days\":3}"},
    {"{\"type\":\"string\",\"minLength\":7}", "\"textxxx\""},
    {"{\"type\":\"string\",\"maxLength\":2}", "\"te\""},
    {"{\"type\":\"string\",\"format\":\"date\"}", "\"2026-01-31\""},
    {"{\"type\":\"array\",\"items\":{\"type\":\"string\"},\"minItems\":2}",
     "[\"text\",\"text 2\"]"},
    {"{\"type\":\"array\",\"items\":{\"type\":\"integer\"},\"maxItems\":0}", "[]"},
    {"{\"type\":\"array\",\"prefixItems\":[{\"const\":1},{\"const\":null}],\"items\":false}",
     "[1,null]"},
    {"{\"enum\":[\"b\",\"a\"]}", "\"b\""},
    {"{\"const\":{\"a\":1.50}}", "{\"a\":1.50}"},
    {"{\"type\":\"number\",\"exclusiveMinimum\":0,\"exclusiveMaximum\":1}", "0.5"},
    {"{\"type\":\"integer\",\"exclusiveMinimum\":7}", "8"},
    {"{\"type\":\"integer\",\"maximum\":-4}", "-4"},
    {"{\"type\":\"number\",\"minimum\":2.5}", "2.5"},
    {"{\"type\":[\"null\",\"boolean\"]}", "true"},
    {"{\"anyOf\":[{\"type\":\"null\"},{\"type\":\"integer\"}]}", "1"},
    {"{\"oneOf\":[{\"type\":\"integer\"},{\"type\":\"null\"}]}", "1"},
    {"{\"allOf\":[{\"type\":\"integer\",\"minimum\":9}]}", "9"},
    {"{\"type\":\"object\",\"required\":[\"k\"],\"additionalProperties\":{\"type\":\"integer\"}}",
     "{\"k\":1}"},
    {"{\"$ref\":\"#/$defs/a~1b\",\"$defs\":{\"a/b\":{\"type\":\"boolean\"}}}", "true"},
    {"{\"type\":\"object\",\"properties\":{\"x\":{\"type\":\"integer\"}},\"allOf\":[{"
     "\"properties\":{\"x\":{\"type\":\"integer\"},\"y\":{\"type\":\"null\"}}}]}",
     "{\"x\":1,\"y\":null}"},
    {"{\"$defs\":{\"T\":{\"type\":\"object\",\"properties\":{\"next\":{\"anyOf\":[{\"$ref\":"
     "\"#/$defs/T\"},{\"type\":\"null\"}]}},\"required\":[\"next\"]}},\"$ref\":\"#/$defs/T\"}",
     "{\"next\":{\"next\":{\"next\":null}}}"},
};

static void a_value_fits_its_schema(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(SAMPLES); i++) {
        struct arena arena OWNED_BY(arena_done);
        struct buf value OWNED_BY(buf_done), faults OWNED_BY(buf_done);
        struct why why;
        arena_init(&arena, 1 << 20);
        buf_init(&value, 4096);
        buf_init(&faults, 4096);
        const struct json *schema = parse(&arena, SAMPLES[i].schema);
        sample_add(&value, &arena, schema);
        assert_buf(&value, SAMPLES[i].value);
        assert_int_equal(json_schema_check(&arena, schema, "$", &why), OK);
        const struct json *read = parse(&arena, buf_text(&value));
        assert_int_equal(json_schema_validate(&arena, schema, read, &faults), OK);
        assert_buf(&faults, "");
    }
}

/* Each stands for a schema that no value, or no finite value, fits. */
static void a_hopeless_schema_ends(void **state)
{
    (void)state;
    static const char *const SCHEMAS[] = {
        "{\"$ref\":\"#\"}",
        "{\"$ref\":\"#/nowhere\"}",
        "{\"$ref\":\"https://example.com/x\"}",
        ("{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"#\"},\"b\":{\"$ref\":\"#\"}},"
         "\"required\":[\"a\",\"b\"]}"),
        "{\"type\":\"array\",\"minItems\":1e300,\"items\":{}}",
        "{\"type\":\"string\",\"minLength\":1e300}",
        "{\"anyOf\":[{\"$ref\":\"#\"}]}",
        "{\"allOf\":[{\"$ref\":\"#\"}]}",
        "{\"type\":\"integer\",\"multipleOf\":0}",
        "[]",
        "true",
    };
    for (size_t i = 0; i < COUNT_OF(SCHEMAS); i++) {
        struct arena arena OWNED_BY(arena_done);
        struct buf value OWNED_BY(buf_done);
        arena_init(&arena, 1 << 20);
        buf_init(&value, 4096);
        sample_add(&value, &arena, parse(&arena, SCHEMAS[i]));
        if (value.failed == OK)
            (void)parse(&arena, buf_text(&value));
        assert_true(value.failed == OK || value.failed == ERR_TOO_LARGE);
    }
}

static void the_last_schema_inside_a_text_is_found(void **state)
{
    (void)state;
    struct arena arena OWNED_BY(arena_done);
    arena_init(&arena, 1 << 20);
    const struct json *schema = sample_find_schema(
        &arena, SLICE("Answer {so}: {\"a\": \"}\"} {\"type\": \"null\"} {\"type\": \"object\", "
                      "\"x\": \"{\"} or {"));
    assert_non_null(schema);
    assert_slice(schema->source, "{\"type\": \"object\", \"x\": \"{\"}");
    assert_null(sample_find_schema(&arena, SLICE("no schema {\"a\": 1} here {")));
}

static bool sample_once(void *self)
{
    struct arena arena OWNED_BY(arena_done);
    struct buf value OWNED_BY(buf_done);
    const struct json *schema;
    arena_init(&arena, 1 << 20);
    buf_init(&value, 4096);
    if (json_parse(&arena, slice_of_text(self), &schema, NULL) != OK)
        return false;
    sample_add(&value, &arena, schema);
    assert_true(value.failed == OK || value.failed == ERR_NO_MEMORY);
    return value.failed == OK;
}

static void samples_survive_failed_allocations(void **state)
{
    (void)state;
    char schema[] = "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"array\",\"items\":{"
                    "\"type\":\"string\"}}},\"required\":[\"\\u0061\"]}";
    assert_true(torture(sample_once, schema) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_fits_its_schema),
        cmocka_unit_test(a_hopeless_schema_ends),
        cmocka_unit_test(the_last_schema_inside_a_text_is_found),
        cmocka_unit_test(samples_survive_failed_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
