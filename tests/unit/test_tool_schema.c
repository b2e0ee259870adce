/* What LangChain takes out of a tool's schema: branches that say null. */
#include "unit/unit.h"

#include "wire/chat/tool_schema.h"

static void assert_slim(const char *schema, const char *slim)
{
    struct arena arena OWNED_BY(arena_done);
    const struct json *root;
    struct slice seen;
    arena_init(&arena, 1 << 20);
    assert_int_equal(json_parse(&arena, slice_of_text(schema), &root, NULL), OK);
    assert_int_equal(tool_schema_slim(&arena, root, &seen), OK);
    assert_slice(seen, slim);
}

static void a_schema_without_null_stays_byte_for_byte(void **state)
{
    (void)state;
    const char *schema = "{ \"type\" : \"object\", \"properties\":{\"type\":{\"enum\":[\"null\", "
                         "null]},\"anyOf\":{\"maximum\":1.50}} }";
    assert_slim(schema, schema);
    assert_slim("{\"oneOf\":[{\"type\":\"null\"}],\"default\":null}",
                "{\"oneOf\":[{\"type\":\"null\"}],\"default\":null}");
}

static void a_branch_left_alone_stands_in_its_lists_place(void **state)
{
    (void)state;
    assert_slim("{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"null\"}],\"title\":\"A\"}",
                "{\"type\":\"string\",\"title\":\"A\"}");
    assert_slim("{\"anyOf\":[{\"type\":\"string\"}]}", "{\"type\":\"string\"}");
    assert_slim(
        "{\"anyOf\":[{\"type\":\"null\"},{\"anyOf\":[{\"type\":\"null\"},{\"maximum\":1.0}]}]}",
        "{\"maximum\":1.0}");
    assert_slim("{\"anyOf\":[true,{\"type\":\"null\"}]}", "{\"anyOf\":[true]}");
}

static void the_last_of_two_members_wins_in_the_place_of_the_first(void **state)
{
    (void)state;
    assert_slim("{\"title\":\"x\",\"anyOf\":[{\"title\":\"y\"},{\"type\":\"null\"}],\"a\":1}",
                "{\"title\":\"y\",\"a\":1}");
    assert_slim("{\"anyOf\":[{\"title\":\"y\",\"b\":2},{\"type\":\"null\"}],\"title\":\"x\"}",
                "{\"title\":\"x\",\"b\":2}");
}

static void several_branches_stay_a_list(void **state)
{
    (void)state;
    assert_slim(
        "{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"null\"},{\"type\":[\"integer\",\"null\"]}]}",
        "{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"integer\"}]}");
    assert_slim("{\"anyOf\":[{\"type\":\"null\"}]}", "{\"anyOf\":[{\"type\":\"null\"}]}");
    assert_slim("{\"anyOf\":[]}", "{\"anyOf\":[]}");
}

static void null_goes_from_a_list_of_types(void **state)
{
    (void)state;
    assert_slim("{\"type\":[\"string\",\"null\"]}", "{\"type\":\"string\"}");
    assert_slim("{\"type\":[\"string\",\"integer\",\"null\"]}",
                "{\"type\":[\"string\",\"integer\"]}");
    assert_slim("{\"type\":[\"null\"]}", "{\"type\":[\"null\"]}");
}

static void schemas_at_any_depth_are_read(void **state)
{
    (void)state;
    assert_slim("{\"properties\":{\"a_b\":{\"items\":{\"anyOf\":[{\"type\":\"null\"},{\"type\":"
                "\"string\"}]}},\"c\":{\"x\":[ 1 "
                "]}},\"allOf\":[7,{\"type\":[\"null\",\"string\"]},[{\"type\":[\"null\"]}]]}",
                "{\"properties\":{\"a_b\":{\"items\":{\"type\":\"string\"}},\"c\":{\"x\":[ 1 "
                "]}},\"allOf\":[7,{\"type\":\"string\"},[{\"type\":[\"null\"]}]]}");
}

static void an_object_of_very_many_members_keeps_its_list(void **state)
{
    (void)state;
    struct buf schema OWNED_BY(buf_done), slim OWNED_BY(buf_done);
    buf_init(&schema, 1 << 16);
    buf_init(&slim, 1 << 16);
    buf_add_text(&schema, "{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"null\"}]");
    buf_add_text(&slim, "{\"anyOf\":[{\"type\":\"string\"}]");
    for (int i = 0; i < 300; i++) {
        buf_addf(&schema, ",\"m%d\":0", i);
        buf_addf(&slim, ",\"m%d\":0", i);
    }
    buf_add_byte(&schema, '}');
    buf_add_byte(&slim, '}');
    assert_slim(buf_text(&schema), buf_text(&slim));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_schema_without_null_stays_byte_for_byte),
        cmocka_unit_test(a_branch_left_alone_stands_in_its_lists_place),
        cmocka_unit_test(the_last_of_two_members_wins_in_the_place_of_the_first),
        cmocka_unit_test(several_branches_stay_a_list),
        cmocka_unit_test(null_goes_from_a_list_of_types),
        cmocka_unit_test(schemas_at_any_depth_are_read),
        cmocka_unit_test(an_object_of_very_many_members_keeps_its_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
