#include "unit/unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/random.h"
#include "wire/formats/json.h"

#define ARENA_LIMIT ((size_t)64 << 20)
#include "unit/arena_kit.h"

static const struct json *parse(struct slice text)
{
    const struct json *root = NULL;
    struct json_fault fault = {.words = ""};
    enum err err = json_parse(&arena, text, &root, &fault);
    if (err != OK)
        fail_msg("%s at %zu: %.*s", fault.words, fault.offset, (int)text.len, text.ptr);
    assert_non_null(root);
    return root;
}

static const struct json *parse_text(const char *text)
{
    return parse(slice_of_text(text));
}

static void assert_string_is(const char *json, const char *expected)
{
    struct slice text = SLICE_NULL;
    const struct json *node = parse_text(json);
    assert_true(json_string(&arena, node, &text));
    assert_slice(text, expected);
    assert_true(json_equal_text(node, expected));
    assert_false(json_equal_text(node, "something else"));
}

static void strings_are_decoded(void **state)
{
    (void)state;
    assert_string_is("\"\"", "");
    assert_string_is("\"J'aime la programmation.\"", "J'aime la programmation.");
    assert_string_is("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t");
    assert_string_is("\"\\u0001\\u00e9\\u20AC\\ud83d\\uDE00\"",
                     "\x01\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
    assert_string_is("\"caf\xc3\xa9 \\u2028 \xf0\x9f\x98\x80\"",
                     "caf\xc3\xa9 \xe2\x80\xa8 \xf0\x9f\x98\x80");
    assert_string_is("\"\\\\u0000\"", "\\u0000");
}

static void a_string_without_escapes_is_not_copied(void **state)
{
    (void)state;
    struct slice text = SLICE("[\"plain\",\"with\\tescape\"]"), value;
    const struct json *root = parse(text);
    assert_true(json_string(&arena, root->first, &value));
    assert_ptr_equal(value.ptr, text.ptr + 2);
    assert_true(json_string(&arena, root->first->next, &value));
    assert_slice(value, "with\tescape");
}

static void only_strings_have_text(void **state)
{
    (void)state;
    struct slice text = SLICE_NULL;
    assert_false(json_string(&arena, parse_text("1"), &text));
    assert_false(json_string(&arena, NULL, &text));
    assert_null(text.ptr);
    assert_false(json_equal_text(parse_text("1"), "1"));
    assert_false(json_equal_text(NULL, ""));
}

static void whole_numbers_are_read_exactly(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t value;
    } CASES[] = {
        {"0", 0},
        {"-0", 0},
        {"0.000", 0},
        {"0e99999999999999999999", 0},
        {"3", 3},
        {"3.0", 3},
        {"3e2", 300},
        {"3.5e1", 35},
        {"-1200e-2", -12},
        {"0.0012e4", 12},
        {"100", 100},
        {"1e18", 1000000000000000000},
        {"9007199254740993", 9007199254740993},
        {"9223372036854775807", INT64_MAX},
        {"-9223372036854775808", INT64_MIN},
        {"922337203685477580.7e1", INT64_MAX},
        {"-9.223372036854775808E+18", INT64_MIN},
        {"1000000000000000000000000000000e-30", 1},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        int64_t value = -77;
        if (!json_int64(parse_text(CASES[i].text), &value))
            fail_msg("refused: %s", CASES[i].text);
        assert_true(value == CASES[i].value);
    }
    static const char *const WRONG[] = {
        "0.5",
        "1e-1",
        "9223372036854775808",
        "-9223372036854775809",
        "1e19",
        "1e99999999999999999999",
        "1e-99999999999999999999",
        "3.0000000000000000000000000000000001",
        "123456789012345678901234567890123456789012345678901234567890",
        "\"3\"",
        "true",
        "[3]",
    };
    for (size_t i = 0; i < COUNT_OF(WRONG); i++) {
        int64_t value = -77;
        if (json_int64(parse_text(WRONG[i]), &value))
            fail_msg("accepted: %s", WRONG[i]);
        assert_int_equal(value, -77);
    }
    int64_t value;
    assert_false(json_int64(NULL, &value));
}

static void assert_double(const char *text)
{
    double value = -77;
    if (!json_double(parse_text(text), &value))
        fail_msg("refused: %s", text);
    double expected = strtod(text, NULL);
    if (memcmp(&value, &expected, sizeof value) != 0)
        fail_msg("%s read as %.17g", text, value);
}

static void numbers_are_read_as_doubles(void **state)
{
    (void)state;
    static const char *const RIGHT[] = {
        "0",
        "-0.0",
        "0.1",
        "0.7",
        "1e308",
        "1.7976931348623157e308",
        "5e-324",
        "1e-999",
        "9007199254740993",
        "-123.456E-7",
        /* longer than cJSON's buffer for numbers */
        "100000000000000000000000000000000000000000000000000000000000000000000000000000000000",
        "0.00000000000000000000000000000000000000000000000000000000000000000000000000000000012",
        "-0.1234567890123456789012345678901234567890123456789012345678901234567890123456789e10",
        "0.0000000000000000000000000000000000000000000000000000000000000000000000000000000000",
        "1234567890123456789012345678901234567890123456789012345678901234567890.1234567890e-60",
    };
    for (size_t i = 0; i < COUNT_OF(RIGHT); i++)
        assert_double(RIGHT[i]);
    double value = -77;
    assert_false(json_double(parse_text("1e999"), &value));
    assert_false(json_double(parse_text("-1e999"), &value));
    assert_false(json_double(
        parse_text("1000000000000000000000000000000000000000000000000000000000000000000e999"),
        &value));
    assert_false(json_double(parse_text("\"1\""), &value));
    assert_false(json_double(NULL, &value));
    assert_true(value == -77);
}

static void random_numbers_agree_with_the_c_library(void **state)
{
    (void)state;
    struct random random;
    random_init(&random, 10);
    for (int i = 0; i < 20000; i++) {
        char text[200];
        uint64_t bits = random_next(&random);
        double drawn;
        memcpy(&drawn, &bits, sizeof drawn);
        if (!isfinite(drawn))
            continue;
        int digits = (int)random_below(&random, 90) + 1;
        (void)snprintf(text, sizeof text, "%.*e", digits, drawn);
        assert_double(text);
        (void)snprintf(text, sizeof text, "%lld", (long long)bits);
        int64_t value = 0;
        assert_true(json_int64(parse_text(text), &value));
        assert_true(value == (int64_t)bits);
        arena_reset(&arena);
    }
}

static void strings_are_written_with_the_fewest_escapes(void **state)
{
    (void)state;
    struct buf buf OWNED_BY(buf_done);
    buf_init(&buf, 1000);
    json_add_string(&buf, SLICE("a\"b\\c/d\b\f\n\r\t\0\x1f\x7f caf\xc3\xa9"));
    assert_buf(&buf, "\"a\\\"b\\\\c/d\\b\\f\\n\\r\\t\\u0000\\u001f\x7f caf\xc3\xa9\"");
    buf_reset(&buf);
    json_add_string(&buf, SLICE(""));
    json_add_string(&buf, SLICE_NULL);
    assert_buf(&buf, "\"\"\"\"");
}

static void members_are_written_with_commas_between(void **state)
{
    (void)state;
    struct buf buf OWNED_BY(buf_done);
    buf_init(&buf, 1000);
    buf_add_byte(&buf, '{');
    json_add_text_member(&buf, "text", SLICE("ends in {"));
    json_add_int_member(&buf, "int", -5);
    json_add_bool_member(&buf, "yes", true);
    json_add_bool_member(&buf, "no", false);
    json_add_member(&buf, "raw", SLICE("[1.10]"));
    json_add_member(&buf, "absent", SLICE_NULL);
    json_add_text_member(&buf, "absent", SLICE_NULL);
    json_add_name(&buf, "odd\"name");
    buf_add_text(&buf, "{");
    json_add_int_member(&buf, "x", 1);
    buf_add_text(&buf, "}}");
    assert_buf(&buf, "{\"text\":\"ends in {\",\"int\":-5,\"yes\":true,\"no\":false,\"raw\":[1.10],"
                     "\"odd\\\"name\":{\"x\":1}}");
    assert_int_equal(parse(buf_slice(&buf))->count, 6);
    buf_reset(&buf);
    json_add_int_member(&buf, "bare", 1);
    assert_buf(&buf, "\"bare\":1");
}

/* Of any Unicode text but U+0000, which the worker's JSON strings never hold. */
static void written_json_is_read_back(void **state)
{
    (void)state;
    static const char *const PIECES[] = {
        "a",     "\"", "\\",          "\n",       "\x01",         "\x1f",
        "\x7f",  "/",  "plain text ", "\xc3\xa9", "\xe2\x80\xa8", "\xf0\x9f\x98\x80",
        "u0041", "{",  "\t"};
    struct random random;
    random_init(&random, 11);
    for (int i = 0; i < 5000; i++) {
        struct buf plain OWNED_BY(buf_done), json OWNED_BY(buf_done);
        struct slice read;
        buf_init(&plain, 10000);
        buf_init(&json, 100000);
        for (uint64_t count = random_below(&random, 40); count > 0; count--)
            buf_add_text(&plain, PIECES[random_below(&random, COUNT_OF(PIECES))]);
        json_add_string(&json, buf_slice(&plain));
        assert_int_equal(json.failed, OK);
        const struct json *node = parse(buf_slice(&json));
        assert_true(json_string(&arena, node, &read));
        assert_true(slice_equal(read, buf_slice(&plain)));
        assert_true(json_equal_text(node, buf_text(&plain)));
        arena_reset(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(strings_are_decoded),
        TEST(a_string_without_escapes_is_not_copied),
        TEST(only_strings_have_text),
        TEST(whole_numbers_are_read_exactly),
        TEST(numbers_are_read_as_doubles),
        TEST(random_numbers_agree_with_the_c_library),
        TEST(strings_are_written_with_the_fewest_escapes),
        TEST(members_are_written_with_commas_between),
        TEST(written_json_is_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
