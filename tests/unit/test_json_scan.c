/* Members of JSON objects, read in passing. */
#include "unit/unit.h"

#include "wire/formats/json_scan.h"

/* Writes what a walk over all objects meets: names and values, `name{` and `}`. */
static bool walk(const char *text, struct buf *ret_seen)
{
    struct json_scan scan;
    struct slice name, value;
    size_t depth = 1;
    buf_init(ret_seen, 65536);
    json_scan_begin(&scan, slice_of_text(text));
    while (depth > 0 && !scan.failed) {
        if (!json_scan_next(&scan, &name)) {
            depth--;
            buf_add_byte(ret_seen, '}');
            continue;
        }
        buf_add(ret_seen, name);
        if (json_scan_enter(&scan)) {
            depth++;
            buf_add_byte(ret_seen, '{');
        } else if (json_scan_value(&scan, &value)) {
            buf_addf(ret_seen, "=%.*s;", SLICE_ARG(value));
        }
    }
    return json_scan_is_whole(&scan);
}

static void members_come_in_order_with_their_text(void **state)
{
    (void)state;
    struct buf seen;
    assert_true(walk(" {\"a\" : 1.5e3 , \"b\":{\"c\":[1,{\"d\":\"]}\\\"\"}],\"e\":{}},\"f\":null} ",
                     &seen));
    assert_buf(&seen, "a=1.5e3;b{c=[1,{\"d\":\"]}\\\"\"}];e{}}f=null;}");
    buf_done(&seen);
}

static void a_backslash_before_the_closing_quote_counts_its_own(void **state)
{
    (void)state;
    struct buf seen;
    assert_true(walk("{\"a\":\"x\\\\\",\"b\":\"y\\\\\\\"z\"}", &seen));
    assert_buf(&seen, "a=\"x\\\\\";b=\"y\\\\\\\"z\";}");
    buf_done(&seen);
}

static void broken_texts_are_not_whole(void **state)
{
    (void)state;
    static const char *const TEXTS[] = {
        "",           "{",           "[]",          "{\"a\"",         "{\"a\":",    "{\"a\":1",
        "{\"a\":1,}", "{\"a\":1}x",  "{a:1}",       "{\"a\":[1}",     "{\"a\":{]}", "{\"a\":\"x}",
        "{\"a\" 1}",  "{\"a\":tru}", "{\"a\":1 2}", "{\"a\":\"\\\"}", "{\"a\":1}}",
    };
    for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++) {
        struct buf seen;
        assert_false(walk(TEXTS[i], &seen));
        buf_done(&seen);
    }
}

static void nesting_has_a_limit(void **state)
{
    (void)state;
    char text[512] = "{\"a\":";
    for (int room = 0; room < 2; room++) {
        size_t depth = JSON_SCAN_DEPTH_MAX - (size_t)room, at = 5;
        memset(text + at, '[', depth);
        memset(text + at + depth, ']', depth);
        memcpy(text + at + 2 * depth, "}", 2);
        struct buf seen;
        assert_int_equal(walk(text, &seen), room == 1);
        buf_done(&seen);
    }
}

static void only_strings_without_escapes_are_plain(void **state)
{
    (void)state;
    struct slice text;
    assert_true(json_scan_plain(SLICE("\"ab\""), &text));
    assert_slice(text, "ab");
    assert_false(json_scan_plain(SLICE("\"a\\n\""), &text));
    assert_false(json_scan_plain(SLICE("12"), &text));
}

static void a_string_ends_at_its_first_quote_wherever_that_is(void **state)
{
    (void)state;
    for (size_t len = 0; len < 40; len++) {
        for (size_t odd = 0; odd <= len; odd++) {
            char text[80] = "{\"a\":\"";
            memset(text + 6, 'x', len);
            memcpy(text + 6 + len, "\",\"b\":\"\"}", 10);
            text[6 + odd] = odd < len ? '\\' : text[6 + odd];
            struct json_scan scan;
            struct slice found;
            json_scan_begin(&scan, slice_of_text(text));
            assert_true(json_scan_next(&scan, &found));
            bool is_plain = json_scan_string(&scan, &found);
            assert_int_equal(is_plain, odd == len);
            if (is_plain)
                assert_int_equal(found.len, len);
            else if (odd + 1 < len) /* else it escapes the quote */
                assert_true(json_scan_value(&scan, &found) && found.len == len + 2);
            else
                continue;
            assert_true(json_scan_next(&scan, &found));
            assert_slice(found, "b");
        }
    }
}

static void what_is_expected_is_taken_if_it_comes_and_nothing_else(void **state)
{
    (void)state;
    struct json_scan scan;
    struct slice value;
    json_scan_begin(&scan, SLICE("{\"id\":\"1\",\"a_name_of_some_length\":2, \"id\":3}"));
    assert_false(json_scan_expect(&scan, SLICE("\"ix\":")));
    assert_true(json_scan_expect(&scan, SLICE("\"id\":")));
    assert_false(json_scan_enter(&scan));
    assert_true(json_scan_string(&scan, &value));
    assert_slice(value, "1");
    assert_false(json_scan_expect(&scan, SLICE("\"a_name_of_other_length\":")));
    assert_false(json_scan_expect(&scan, SLICE("\"a_name_of_some_length__\":")));
    assert_true(json_scan_expect(&scan, SLICE("\"a_name_of_some_length\":")));
    assert_false(json_scan_string(&scan, &value));
    assert_true(json_scan_value(&scan, &value));
    assert_false(json_scan_expect(&scan, SLICE("\"id\":"))); /* a blank is before it */
    assert_true(json_scan_next(&scan, &value));
    assert_true(json_scan_value(&scan, &value));
    assert_false(json_scan_expect(&scan, SLICE("\"id\":")));
    assert_false(json_scan_next(&scan, &value));
    assert_true(json_scan_is_whole(&scan));
    assert_false(json_scan_expect(&scan, SLICE("\"id\":")));
    json_scan_begin(&scan, SLICE("{\"a\":1;\"b\":2}"));
    assert_true(json_scan_expect(&scan, SLICE("\"a\":")) && json_scan_value(&scan, &value));
    assert_false(json_scan_expect(&scan, SLICE("\"b\":")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_come_in_order_with_their_text),
        cmocka_unit_test(a_backslash_before_the_closing_quote_counts_its_own),
        cmocka_unit_test(broken_texts_are_not_whole),
        cmocka_unit_test(nesting_has_a_limit),
        cmocka_unit_test(only_strings_without_escapes_are_plain),
        cmocka_unit_test(a_string_ends_at_its_first_quote_wherever_that_is),
        cmocka_unit_test(what_is_expected_is_taken_if_it_comes_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
