#include "unit/unit.h"

#include "unit/torture.h"
#include "wire/formats/json.h"
#include "wire/formats/json_mend.h"

#define ARENA_LIMIT ((size_t)1 << 20)
#include "unit/arena_kit.h"
#define STAND_IN "\xef\xbf\xbd"

static void assert_mended(struct slice text, const char *expected)
{
    struct slice mended;
    assert_true(json_mend(&arena, text, &mended));
    assert_slice(mended, expected);
}

static void invalid_text_becomes_a_replacement_character(void **state)
{
    (void)state;
    assert_mended(SLICE("{\"a\":\"x\\u0000y\"}"), "{\"a\":\"x" STAND_IN "y\"}");
    assert_mended(SLICE("\"\\ud83d\""), "\"" STAND_IN "\"");
    assert_mended(SLICE("\"\\ud83dx\""), "\"" STAND_IN "x\"");
    assert_mended(SLICE("\"\\ud83d\\u0041\""), "\"" STAND_IN "\\u0041\"");
    assert_mended(SLICE("\"\\ud83d\\ud83d\\ude00\""), "\"" STAND_IN "\\ud83d\\ude00\"");
    assert_mended(SLICE("\"\\uDE00\""), "\"" STAND_IN "\"");
    assert_mended(SLICE("\"a\xff\xc3z\""), "\"a" STAND_IN STAND_IN "z\"");
    assert_mended(SLICE("\"a\0b\""), "\"a" STAND_IN "b\"");
}

static void bare_control_characters_are_escaped(void **state)
{
    (void)state;
    assert_mended(SLICE("[\n\"a\nb\tc\x1f\"\n]"), "[\n\"a\\u000ab\\u0009c\\u001f\"\n]");
}

static void valid_json_stays_unchanged(void **state)
{
    (void)state;
    static const char *const TEXTS[] = {
        "{\"a\":[1,2.5e3,true,null,\"\"],\"b\\\"c\":{}}",
        "\"\\ud83d\\ude00 \\\\u0000 \\u00e9 \xc3\xa9 \\\\\"",
        "  {}  ",
        "",
    };
    for (size_t i = 0; i < COUNT_OF(TEXTS); i++)
        assert_mended(slice_of_text(TEXTS[i]), TEXTS[i]);
}

static void json_beyond_repair_is_rejected(void **state)
{
    (void)state;
    static const char *const TEXTS[] = {"<html>",       "{\"a\":", "\"a",       "\"\\", "\"\\u12",
                                        "\"\\ud83d\\u", "\"\\x\"", "{\"a\" 1}", "[1,]", "\xff"};
    for (size_t i = 0; i < COUNT_OF(TEXTS); i++) {
        const struct json *root = NULL;
        struct json_fault fault;
        assert_int_equal(json_parse_loosely(&arena, slice_of_text(TEXTS[i]), &root, &fault),
                         ERR_FORMAT);
        assert_null(root);
    }
}

static void the_loose_reader_accepts_duplicates_and_finds_the_first(void **state)
{
    (void)state;
    const struct json *root = NULL;
    assert_int_equal(json_parse_loosely(&arena, SLICE("{\"a\":1,\"a\":2}"), &root, NULL), OK);
    assert_int_equal(root->count, 2);
    assert_slice(json_member(root, "a")->source, "1");
    assert_int_equal(json_parse(&arena, SLICE("{\"a\":1,\"a\":2}"), &root, NULL), ERR_FORMAT);
}

static enum err parse_nested(size_t depth)
{
    char text[2 * (JSON_LOOSE_DEPTH_MAX + 1)];
    const struct json *root = NULL;
    memset(text, '[', depth);
    memset(text + depth, ']', depth);
    return json_parse_loosely(&arena, slice_of(text, 2 * depth), &root, NULL);
}

static void the_loose_reader_nests_deeper_up_to_its_limit(void **state)
{
    (void)state;
    assert_int_equal(parse_nested(JSON_DEPTH_MAX + 1), OK);
    assert_int_equal(parse_nested(JSON_LOOSE_DEPTH_MAX), OK);
    assert_int_equal(parse_nested(JSON_LOOSE_DEPTH_MAX + 1), ERR_FORMAT);
}

static bool parse_odd(void *self)
{
    (void)self;
    struct arena own OWNED_BY(arena_done);
    const struct json *root = NULL;
    arena_init(&own, ARENA_LIMIT);
    enum err err =
        json_parse_loosely(&own, SLICE("{\"a\":\"\\u0000\",\"b\":[1,\"\\ud800\"]}"), &root, NULL);
    assert_true(err == OK || err == ERR_NO_MEMORY);
    return err == OK;
}

static void running_out_of_memory_is_reported(void **state)
{
    (void)state;
    assert_true(torture(parse_odd, NULL) > 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(invalid_text_becomes_a_replacement_character),
        TEST(bare_control_characters_are_escaped),
        TEST(valid_json_stays_unchanged),
        TEST(json_beyond_repair_is_rejected),
        TEST(the_loose_reader_accepts_duplicates_and_finds_the_first),
        TEST(the_loose_reader_nests_deeper_up_to_its_limit),
        TEST(running_out_of_memory_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
