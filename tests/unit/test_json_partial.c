/* JSON that was cut: what was whole of it. And JSON as Python prints it. */
#include "unit/unit.h"

#include "wire/formats/json_partial.h"
#include "wire/formats/json_spaced.h"

static void assert_partial(const char *text, const char *whole)
{
    struct arena arena OWNED_BY(arena_done);
    const struct json *root;
    arena_init(&arena, 1 << 20);
    enum err err = json_parse_partial(&arena, slice_of_text(text), &root);
    if (whole == NULL) {
        assert_true(err == ERR_FORMAT || err == ERR_MALFORMED);
        return;
    }
    if (err != OK)
        fail_msg("%s", text);
    assert_slice(root->source, whole);
}

static void what_is_whole_stays_byte_for_byte(void **state)
{
    (void)state;
    assert_partial(" {\"a\" : 1.50}", "{\"a\" : 1.50}");
    assert_partial("12", "12");
}

static void open_containers_and_strings_are_closed(void **state)
{
    (void)state;
    assert_partial("{", "{}");
    assert_partial("[", "[]");
    assert_partial("{\"a\":[1,{\"b\":\"x", "{\"a\":[1,{\"b\":\"x\"}]}");
    assert_partial("{\"a\":\"x\\", "{\"a\":\"x\"}");
    assert_partial("{\"a\":\"x\\\"", "{\"a\":\"x\\\"\"}");
    assert_partial("\"x", "\"x\"");
}

static void what_is_not_whole_goes(void **state)
{
    (void)state;
    assert_partial("{\"a\":1,", "{\"a\":1}");
    assert_partial("{\"a\":1,\"b", "{\"a\":1}");
    assert_partial("{\"a\":1,\"b\"", "{\"a\":1}");
    assert_partial("{\"a\":1,\"b\":", "{\"a\":1}");
    assert_partial("{\"a\":1,\"b\":tru", "{\"a\":1}");
    assert_partial("{\"a\":1,\"b\":-", "{\"a\":1}");
    assert_partial("{\"a\":\"\\u12", "{}");
    assert_partial("{\"a\":{\"b\":1}, ", "{\"a\":{\"b\":1}}");
    assert_partial("[1,[2,", "[1,[2]]");
}

static void a_number_counts_as_far_as_it_is_one(void **state)
{
    (void)state;
    assert_partial("{\"a\":12.", "{\"a\":12}");
    assert_partial("{\"a\":1.5e+", "{\"a\":1.5}");
    assert_partial("{\"a\":1.5e3", "{\"a\":1.5e3}");
    assert_partial("{\"a\":null", "{\"a\":null}");
}

static void what_stands_behind_the_value_goes(void **state)
{
    (void)state;
    assert_partial("{\"a\":1} and more", "{\"a\":1}");
}

static void a_bare_line_break_is_escaped(void **state)
{
    (void)state;
    assert_partial("{\"a\":\"1\n2", "{\"a\":\"1\\u000a2\"}");
}

static void what_makes_no_sense_is_rejected(void **state)
{
    (void)state;
    assert_partial("", NULL);
    assert_partial("nope", NULL);
    assert_partial("{\"a\":1]", NULL);
    assert_partial("}", NULL);
    assert_partial("{\"a\" 1,\"b\":[", NULL);
}

/* As LangChain's parse_partial_json: the longest beginning that the open brackets of the whole text
 * close. */
static void a_slip_in_the_middle_ends_what_counts(void **state)
{
    (void)state;
    assert_partial("{\"a\":1 \"b\":2", "{\"a\":1}");
    assert_partial("{\"a\":{\"b\":1 x, \"c\":[]", "{\"a\":{\"b\":1}}");
    assert_partial("{ and more", "{}");
    assert_partial("{{}", "{}");
    assert_partial("[1, {\"a\": 1}, x]", NULL);
    assert_partial("{\"k\":[{\",\"}\"]}", "{\"k\":[]}");
    assert_partial("[\"a\",\"b\\q\"", "[\"a\"]");
    assert_partial("[{}, [1 x], {\"k\": 1", "[{}]");
    assert_partial("[01", "[0]");
    assert_partial("[-", "[]");
}

static void deep_nesting_is_rejected(void **state)
{
    (void)state;
    char text[JSON_LOOSE_DEPTH_MAX + 10];
    memset(text, '[', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_partial(text, NULL);
}

static void assert_spaced(const char *json, const char *spaced)
{
    struct buf buf OWNED_BY(buf_done);
    buf_init(&buf, 1 << 16);
    json_add_spaced(&buf, slice_of_text(json));
    assert_buf(&buf, spaced);
}

static void json_is_printed_as_python_does(void **state)
{
    (void)state;
    assert_spaced("{\"a\":[1,2.50,null],\"b\":{}}", "{\"a\": [1, 2.50, null], \"b\": {}}");
    assert_spaced("{ \"a\" :\n\t[ ] }", "{\"a\": []}");
    assert_spaced("\"a,b:c\"", "\"a,b:c\"");
}

static void escapes_become_characters_where_python_has_them(void **state)
{
    (void)state;
    assert_spaced("\"\\u00e9\\u20AC\\ud83d\\ude00\"", "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"");
    assert_spaced("\"\\/\\u0022\\u005c\\u000a\\u0001\\b\\\"\"", "\"/\\\"\\\\\\n\\u0001\\b\\\"\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_whole_stays_byte_for_byte),
        cmocka_unit_test(open_containers_and_strings_are_closed),
        cmocka_unit_test(what_is_not_whole_goes),
        cmocka_unit_test(a_number_counts_as_far_as_it_is_one),
        cmocka_unit_test(what_stands_behind_the_value_goes),
        cmocka_unit_test(a_bare_line_break_is_escaped),
        cmocka_unit_test(what_makes_no_sense_is_rejected),
        cmocka_unit_test(a_slip_in_the_middle_ends_what_counts),
        cmocka_unit_test(deep_nesting_is_rejected),
        cmocka_unit_test(json_is_printed_as_python_does),
        cmocka_unit_test(escapes_become_characters_where_python_has_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
