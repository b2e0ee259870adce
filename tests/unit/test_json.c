#include "unit/unit.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/random.h"
#include "unit/torture.h"
#include "wire/json.h"

#define ARENA_LIMIT ((size_t)64 << 20)

static struct arena arena;

static int start(void **state)
{
    (void)state;
    arena_init(&arena, ARENA_LIMIT);
    return 0;
}

static int finish(void **state)
{
    (void)state;
    arena_done(&arena);
    return memory_live() == 0 ? 0 : -1;
}

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

static void assert_refused(struct slice text, size_t offset, const char *words)
{
    const struct json *root = NULL;
    struct json_fault fault = {.words = ""};
    if (json_parse(&arena, text, &root, &fault) != ERR_FORMAT)
        fail_msg("not refused: %.*s", (int)text.len, text.ptr);
    assert_null(root);
    assert_string_equal(fault.words, words);
    assert_int_equal(fault.offset, offset);
    assert_int_equal(json_parse(&arena, text, &root, NULL), ERR_FORMAT);
}

static void every_kind_of_value_is_told(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum json_kind kind;
    } CASES[] = {
        {"null", JSON_NULL},   {"true", JSON_TRUE},   {"false", JSON_FALSE},
        {"0", JSON_NUMBER},    {"-0", JSON_NUMBER},   {"10.25E-3", JSON_NUMBER},
        {"1e+5", JSON_NUMBER}, {"\"\"", JSON_STRING}, {"\"a\"", JSON_STRING},
        {"[]", JSON_ARRAY},    {"{}", JSON_OBJECT},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        const struct json *root = parse_text(CASES[i].text);
        for (enum json_kind kind = JSON_NULL; kind <= JSON_OBJECT; kind++)
            assert_int_equal(json_is(root, kind), kind == CASES[i].kind);
        assert_slice(root->source, CASES[i].text);
        assert_null(root->name.ptr);
        assert_null(root->first);
        assert_null(root->next);
        assert_int_equal(root->count, 0);
    }
    assert_false(json_is(NULL, JSON_NULL));
}

static void nodes_are_spans_of_the_source(void **state)
{
    (void)state;
    const struct json *root = parse_text(" {\"price\" : 1.10 ,\"list\":[ 1e2,\"a\\u0062\" , { } "
                                         "],\r\n\t\"\\u006eame\":{\"x\":null}} ");
    assert_int_equal(root->count, 3);
    const struct json *price = root->first, *list = price->next, *name = list->next;
    assert_slice(price->name, "price");
    assert_slice(price->source, "1.10");
    assert_slice(list->name, "list");
    assert_slice(list->source, "[ 1e2,\"a\\u0062\" , { } ]");
    assert_int_equal(list->count, 3);
    assert_slice(list->first->source, "1e2");
    assert_null(list->first->name.ptr);
    assert_slice(list->first->next->source, "\"a\\u0062\"");
    assert_slice(list->first->next->next->source, "{ }");
    assert_null(list->first->next->next->next);
    assert_slice(name->name, "name");
    assert_slice(name->source, "{\"x\":null}");
    assert_null(name->next);
    assert_ptr_equal(json_member(root, "name"), name);
    assert_slice(json_member(json_member(root, "name"), "x")->source, "null");
}

static void members_that_are_not_there_are_null(void **state)
{
    (void)state;
    const struct json *root = parse_text("{\"a\":[{\"b\":1}],\"\":2}");
    assert_null(json_member(root, "b"));
    assert_null(json_member(json_member(root, "a"), "b"));
    assert_null(json_member(NULL, "a"));
    assert_slice(json_member(root, "")->source, "2");
}

static void what_is_no_json_is_refused(void **state)
{
    (void)state;
    static const struct {
        struct slice text;
        size_t offset;
        const char *words;
    } CASES[] = {
        {{"", 0}, 0, "the text ends too early"},
        {{NULL, 0}, 0, "the text ends too early"},
        {{" \n", 2}, 2, "the text ends too early"},
        {{"[1,", 3}, 3, "the text ends too early"},
        {{"{\"a\"", 4}, 4, "the text ends too early"},
        {{"nul", 3}, 0, "a value is expected"},
        {{"True", 4}, 0, "a value is expected"},
        {{"NaN", 3}, 0, "a value is expected"},
        {{"'a'", 3}, 0, "a value is expected"},
        {{"/**/1", 5}, 0, "a value is expected"},
        {{"[1,]", 4}, 3, "a value is expected"},
        {{"[,1]", 4}, 1, "a value is expected"},
        {{"\xef\xbb\xbf{}", 5}, 0, "a value is expected"},
        {{"\0", 1}, 0, "a value is expected"},
        {{"{\"a\":1,}", 8}, 7, "a member's name is expected"},
        {{"{,}", 3}, 1, "a member's name is expected"},
        {{"{1:2}", 5}, 1, "a member's name is expected"},
        {{"{\"a\" 1}", 7}, 5, "a colon is expected"},
        {{"[1 2]", 5}, 3, "a comma or ] is expected"},
        {{"[1}", 3}, 2, "a comma or ] is expected"},
        {{"{\"a\":1]", 7}, 6, "a comma or } is expected"},
        {{"nulls", 5}, 4, "bytes behind the value"},
        {{"{}{}", 4}, 2, "bytes behind the value"},
        {{"1\0", 2}, 1, "bytes behind the value"},
        {{"1\f", 2}, 1, "bytes behind the value"},
        {{"\"a", 2}, 0, "a string without an end"},
        {{"\"a\\", 3}, 2, "a string without an end"},
        {{"\"a\nb\"", 5}, 2, "a control character in a string"},
        {{"\"a\0b\"", 5}, 2, "a control character in a string"},
        {{"\"\x1f\"", 3}, 1, "a control character in a string"},
        {{"\"\\x\"", 4}, 1, "an escape that JSON does not have"},
        {{"\"\\\0\"", 4}, 1, "an escape that JSON does not have"},
        {{"\"\\u12g4\"", 8}, 1, "\\u without four hexadecimal digits"},
        {{"\"\\u12\"", 6}, 1, "\\u without four hexadecimal digits"},
        {{"\"\\u", 3}, 1, "\\u without four hexadecimal digits"},
        {{"\"\\u0000\"", 8}, 1, "\\u0000 in a string"},
        {{"{\"\\u0000\":1}", 12}, 2, "\\u0000 in a string"},
        {{"\"\\ud83d\"", 8}, 1, "a lone surrogate in a string"},
        {{"\"\\ude00\"", 8}, 1, "a lone surrogate in a string"},
        {{"\"\\ud83d\\u0041\"", 14}, 1, "a lone surrogate in a string"},
        {{"\"\\ud83d\\ud83d\"", 14}, 1, "a lone surrogate in a string"},
        {{"\"\\ud83d\\ude0\"", 13}, 1, "a lone surrogate in a string"},
        {{"\"\\ude00\\ud83d\"", 14}, 1, "a lone surrogate in a string"},
        {{"\"\xff\"", 3}, 1, "invalid UTF-8"},
        {{"\"\xed\xa0\x80\"", 5}, 1, "invalid UTF-8"},
        {{"\"\xc0\x80\"", 4}, 1, "invalid UTF-8"},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++)
        assert_refused(CASES[i].text, CASES[i].offset, CASES[i].words);
}

static void numbers_that_are_no_json_are_refused(void **state)
{
    (void)state;
    static const char *const WRONG[] = {"-",  "-a",  "01",  "-01", "00",   "1.",   "1.e5",
                                        "1e", "1e+", "1E-", "--1", "1.-5", "1e5.", "-.5"};
    for (size_t i = 0; i < COUNT_OF(WRONG); i++) {
        const struct json *root;
        assert_int_equal(json_parse(&arena, slice_of_text(WRONG[i]), &root, NULL), ERR_FORMAT);
    }
    assert_refused(SLICE("[0, 01]"), 4, "a number that is not JSON");
    assert_refused(SLICE("+1"), 0, "a value is expected");
    assert_refused(SLICE(".5"), 0, "a value is expected");
    assert_refused(SLICE("0x10"), 1, "bytes behind the value");
}

static void a_fault_is_located(void **state)
{
    (void)state;
    const struct json *root;
    struct json_fault fault;
    assert_int_equal(json_parse(&arena, SLICE("{\n  \"a\": 1,\n  \"b\": oops\n}"), &root, &fault),
                     ERR_FORMAT);
    assert_int_equal(fault.offset, 19);
    assert_int_equal(fault.line, 3);
    assert_int_equal(fault.column, 8);
}

static void every_beginning_of_a_text_is_refused(void **state)
{
    (void)state;
    struct slice text = SLICE(
        "{\"a\":[1,-2.5e+3,true,false,null,\"x\\n\\ud83d\\ude00\xc3\xa9\"],\"b\":{\"c\":[]}}");
    assert_non_null(parse(text));
    for (size_t len = 0; len < text.len; len++) {
        const struct json *root;
        assert_int_equal(json_parse(&arena, slice_sub(text, 0, len), &root, NULL), ERR_FORMAT);
    }
}

static void nesting_ends_at_its_limit(void **state)
{
    (void)state;
    struct buf buf OWNED_BY(buf_done);
    buf_init(&buf, 1000000);
    for (int i = 0; i < JSON_DEPTH_MAX; i++)
        buf_add_text(&buf, i % 2 == 0 ? "[" : "{\"a\":");
    buf_add_text(&buf, "1");
    for (int i = JSON_DEPTH_MAX - 1; i >= 0; i--)
        buf_add_text(&buf, i % 2 == 0 ? "]" : "}");
    assert_int_equal(parse(buf_slice(&buf))->source.len, buf.len);
    buf_reset(&buf);
    for (int i = 0; i < 100000; i++)
        buf_add_byte(&buf, '[');
    assert_refused(buf_slice(&buf), JSON_DEPTH_MAX, "nested too deep");
}

static void values_end_at_their_limit(void **state)
{
    (void)state;
    struct buf buf OWNED_BY(buf_done);
    buf_init(&buf, 1000000);
    buf_add_text(&buf, "[0");
    for (int i = 2; i < JSON_NODES_MAX; i++)
        buf_add_text(&buf, ",0");
    buf_add_text(&buf, "]");
    assert_int_equal(parse(buf_slice(&buf))->count, JSON_NODES_MAX - 1);
    buf_cut(&buf, buf.len - 1);
    buf_add_text(&buf, ",0]");
    assert_refused(buf_slice(&buf), buf.len - 2, "too many values");
}

static void add_members(struct buf *buf, int count)
{
    for (int i = 0; i < count; i++)
        buf_addf(buf, "%s\"%s%d\":%d", i == 0 ? "" : ",", i % 3 == 0 ? "k\\u0065y" : "key", i, i);
}

/* Both ways of looking for duplicates, and every place for them. */
static void duplicate_members_are_refused(void **state)
{
    (void)state;
    assert_refused(SLICE("{\"a\":1,\"b\":2,\"a\":3}"), 17, "duplicate member");
    assert_refused(SLICE("{\"a\":1,\"\\u0061\":3}"), 16, "duplicate member");
    assert_refused(SLICE("{\"\":1,\"\":3}"), 9, "duplicate member");
    assert_refused(SLICE("[{\"x\":{\"a\":1,\"a\":1}}]"), 17, "duplicate member");
    assert_non_null(parse_text("{\"a\":{\"a\":{\"a\":1}},\"b\":{\"a\":1}}"));
    assert_non_null(parse_text("{\"a\":1,\"A\":2,\"aa\":3,\"\":4}"));
    for (int count = 2; count < 70; count += 3)
        for (int twice = 0; twice < count; twice++) {
            struct buf buf OWNED_BY(buf_done);
            buf_init(&buf, 10000);
            buf_add_byte(&buf, '{');
            add_members(&buf, count);
            buf_add_byte(&buf, '}');
            assert_int_equal(parse(buf_slice(&buf))->count, count);
            buf_cut(&buf, buf.len - 1);
            buf_addf(&buf, ",\"key%d\":0}", twice);
            assert_refused(buf_slice(&buf), buf.len - 2, "duplicate member");
            arena_reset(&arena);
        }
}

/* Comparing every pair would be 10^10 comparisons here. */
static void a_hostile_object_takes_no_long_time(void **state)
{
    (void)state;
    struct buf buf OWNED_BY(buf_done);
    buf_init(&buf, 16 << 20);
    buf_add_text(&buf, "{\"first\":0");
    for (int i = 0; i < 150000; i++)
        buf_addf(&buf, ",\"the same beginning of the name %06d\":1", (i * 7919) % 150000);
    buf_add_byte(&buf, '}');
    assert_int_equal(buf.failed, OK);
    assert_int_equal(parse(buf_slice(&buf))->count, 150001);
    buf_cut(&buf, buf.len - 1);
    buf_add_text(&buf, ",\"first\":1}");
    assert_refused(buf_slice(&buf), buf.len - 2, "duplicate member");
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

static void a_string_without_escapes_is_borrowed(void **state)
{
    (void)state;
    struct slice text = SLICE("[\"plain\",\"with\\tescape\"]"), value;
    const struct json *root = parse(text);
    assert_true(json_string(&arena, root->first, &value));
    assert_ptr_equal(value.ptr, text.ptr + 2);
    assert_true(json_string(&arena, root->first->next, &value));
    assert_slice(value, "with\tescape");
}

static void what_is_no_string_has_no_text(void **state)
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

/* Of any Unicode text but U+0000, which no JSON string of ours may hold. */
static void what_is_written_is_read_again(void **state)
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

/* Whatever byte of a text is changed: an answer, and never a wrong span. */
static void changed_bytes_do_no_harm(void **state)
{
    (void)state;
    struct slice text =
        SLICE("{\"a\":[1,-2.5e3,true,null,\"x\\n\\ud83d\\ude00\xc3\xa9\"],\"b\":{}}");
    char changed[100];
    assert_true(text.len <= sizeof changed);
    for (size_t at = 0; at < text.len; at++)
        for (int byte = 0; byte < 256; byte++) {
            const struct json *root = NULL;
            memcpy(changed, text.ptr, text.len);
            changed[at] = (char)byte;
            enum err err = json_parse(&arena, slice_of(changed, text.len), &root, NULL);
            assert_true(err == OK || err == ERR_FORMAT);
            if (err == OK)
                assert_true(root->source.ptr >= changed && root->source.len <= text.len);
            arena_reset(&arena);
        }
}

static bool parse_all(void *self)
{
    struct arena own OWNED_BY(arena_done);
    struct slice text = *(const struct slice *)self, value;
    const struct json *root;
    arena_init(&own, ARENA_LIMIT);
    enum err err = json_parse(&own, text, &root, NULL);
    assert_true(err == OK || err == ERR_NO_MEMORY);
    return err == OK && json_string(&own, json_member(root, "text"), &value);
}

static void parsing_survives_the_want_of_memory(void **state)
{
    (void)state;
    struct buf buf OWNED_BY(buf_done);
    buf_init(&buf, 10000);
    buf_add_text(&buf, "{\"text\":\"with\\nescape\",");
    add_members(&buf, 200);
    buf_add_byte(&buf, '}');
    struct slice text = buf_slice(&buf);
    assert_true(torture(parse_all, &text) > 3);
}

static void a_small_arena_is_no_memory(void **state)
{
    (void)state;
    struct arena small OWNED_BY(arena_done);
    const struct json *root = NULL;
    arena_init(&small, 2000);
    struct buf buf OWNED_BY(buf_done);
    buf_init(&buf, 10000);
    buf_add_byte(&buf, '{');
    add_members(&buf, 200);
    buf_add_byte(&buf, '}');
    assert_int_equal(json_parse(&small, buf_slice(&buf), &root, NULL), ERR_NO_MEMORY);
    assert_null(root);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_kind_of_value_is_told),
        TEST(nodes_are_spans_of_the_source),
        TEST(members_that_are_not_there_are_null),
        TEST(what_is_no_json_is_refused),
        TEST(numbers_that_are_no_json_are_refused),
        TEST(a_fault_is_located),
        TEST(every_beginning_of_a_text_is_refused),
        TEST(nesting_ends_at_its_limit),
        TEST(values_end_at_their_limit),
        TEST(duplicate_members_are_refused),
        TEST(a_hostile_object_takes_no_long_time),
        TEST(strings_are_decoded),
        TEST(a_string_without_escapes_is_borrowed),
        TEST(what_is_no_string_has_no_text),
        TEST(whole_numbers_are_read_exactly),
        TEST(numbers_are_read_as_doubles),
        TEST(random_numbers_agree_with_the_c_library),
        TEST(strings_are_written_with_the_fewest_escapes),
        TEST(members_are_written_with_commas_between),
        TEST(what_is_written_is_read_again),
        TEST(changed_bytes_do_no_harm),
        TEST(parsing_survives_the_want_of_memory),
        TEST(a_small_arena_is_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
