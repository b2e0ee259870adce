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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_come_in_order_with_their_text),
        cmocka_unit_test(a_backslash_before_the_closing_quote_counts_its_own),
        cmocka_unit_test(broken_texts_are_not_whole),
        cmocka_unit_test(nesting_has_a_limit),
        cmocka_unit_test(only_strings_without_escapes_are_plain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
