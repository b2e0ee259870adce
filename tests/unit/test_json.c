#include "unit/unit.h"

#include "unit/torture.h"
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

static void an_error_says_whether_the_text_is_json_at_all(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_json;
    } CASES[] = {
        {"{\"a\":1,\"a\":2}", true}, {"\"\\u0000\"", true}, {"\"\\ud800\"", true},
        {"{\"a\":}", false},         {"\"\xff\"", false},   {"\"\\u12\"", false},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        const struct json *root = NULL;
        struct json_fault fault;
        assert_int_equal(json_parse(&arena, slice_of_text(CASES[i].text), &root, &fault),
                         ERR_FORMAT);
        assert_int_equal(fault.is_json, CASES[i].is_json);
    }
}

static void every_kind_of_value_is_recognized(void **state)
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

static void absent_members_are_null(void **state)
{
    (void)state;
    const struct json *root = parse_text("{\"a\":[{\"b\":1}],\"\":2}");
    assert_null(json_member(root, "b"));
    assert_null(json_member(json_member(root, "a"), "b"));
    assert_null(json_member(NULL, "a"));
    assert_slice(json_member(root, "")->source, "2");
}

static void invalid_json_is_rejected(void **state)
{
    (void)state;
    static const struct {
        struct slice text;
        size_t offset;
        const char *words;
    } CASES[] = {
        {{"", 0}, 0, "unexpected end of the text"},
        {{NULL, 0}, 0, "unexpected end of the text"},
        {{" \n", 2}, 2, "unexpected end of the text"},
        {{"[1,", 3}, 3, "unexpected end of the text"},
        {{"{\"a\"", 4}, 4, "unexpected end of the text"},
        {{"nul", 3}, 0, "expected a value"},
        {{"True", 4}, 0, "expected a value"},
        {{"NaN", 3}, 0, "expected a value"},
        {{"'a'", 3}, 0, "expected a value"},
        {{"/**/1", 5}, 0, "expected a value"},
        {{"[1,]", 4}, 3, "expected a value"},
        {{"[,1]", 4}, 1, "expected a value"},
        {{"\xef\xbb\xbf{}", 5}, 0, "byte order mark (BOM) before the value"},
        {{"\0", 1}, 0, "expected a value"},
        {{"{\"a\":1,}", 8}, 7, "expected a member name"},
        {{"{,}", 3}, 1, "expected a member name"},
        {{"{1:2}", 5}, 1, "expected a member name"},
        {{"{\"a\" 1}", 7}, 5, "expected a colon"},
        {{"[1 2]", 5}, 3, "expected a comma or ]"},
        {{"[1}", 3}, 2, "expected a comma or ]"},
        {{"{\"a\":1]", 7}, 6, "expected a comma or }"},
        {{"nulls", 5}, 4, "unexpected bytes after the value"},
        {{"{}{}", 4}, 2, "unexpected bytes after the value"},
        {{"1\0", 2}, 1, "unexpected bytes after the value"},
        {{"1\f", 2}, 1, "unexpected bytes after the value"},
        {{"\"a", 2}, 0, "unterminated string"},
        {{"\"a\\", 3}, 2, "unterminated string"},
        {{"\"a\nb\"", 5}, 2, "unescaped control character in a string"},
        {{"\"a\0b\"", 5}, 2, "unescaped control character in a string"},
        {{"\"\x1f\"", 3}, 1, "unescaped control character in a string"},
        {{"\"\\x\"", 4}, 1, "invalid escape in a string"},
        {{"\"\\\0\"", 4}, 1, "invalid escape in a string"},
        {{"\"\\u12g4\"", 8}, 1, "\\u without four hexadecimal digits"},
        {{"\"\\u12\"", 6}, 1, "\\u without four hexadecimal digits"},
        {{"\"\\u", 3}, 1, "\\u without four hexadecimal digits"},
        {{"\"\\u0000\"", 8}, 1, "\\u0000 in a string"},
        {{"{\"\\u0000\":1}", 12}, 2, "\\u0000 in a string"},
        {{"\"\\ud83d\"", 8}, 1, "lone surrogate in a string"},
        {{"\"\\ude00\"", 8}, 1, "lone surrogate in a string"},
        {{"\"\\ud83d\\u0041\"", 14}, 1, "lone surrogate in a string"},
        {{"\"\\ud83d\\ud83d\"", 14}, 1, "lone surrogate in a string"},
        {{"\"\\ud83d\\ude0\"", 13}, 1, "lone surrogate in a string"},
        {{"\"\\ude00\\ud83d\"", 14}, 1, "lone surrogate in a string"},
        {{"\"\xff\"", 3}, 1, "invalid UTF-8"},
        {{"\"\xed\xa0\x80\"", 5}, 1, "invalid UTF-8"},
        {{"\"\xc0\x80\"", 4}, 1, "invalid UTF-8"},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++)
        assert_refused(CASES[i].text, CASES[i].offset, CASES[i].words);
}

static void invalid_numbers_are_rejected(void **state)
{
    (void)state;
    static const char *const WRONG[] = {"-",  "-a",  "01",  "-01", "00",   "1.",   "1.e5",
                                        "1e", "1e+", "1E-", "--1", "1.-5", "1e5.", "-.5"};
    for (size_t i = 0; i < COUNT_OF(WRONG); i++) {
        const struct json *root;
        assert_int_equal(json_parse(&arena, slice_of_text(WRONG[i]), &root, NULL), ERR_FORMAT);
    }
    assert_refused(SLICE("[0, 01]"), 4, "invalid number");
    assert_refused(SLICE("+1"), 0, "expected a value");
    assert_refused(SLICE(".5"), 0, "expected a value");
    assert_refused(SLICE("0x10"), 1, "unexpected bytes after the value");
}

static void an_error_has_line_and_column(void **state)
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

static void every_truncated_text_is_rejected(void **state)
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
    assert_refused(buf_slice(&buf), JSON_DEPTH_MAX, "nested too deeply");
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

/* Both algorithms that look for duplicates, and every place for them. */
static void duplicate_members_are_rejected(void **state)
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
static void colliding_member_names_take_bounded_time(void **state)
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

/* Any changed byte gives a result, and never a wrong span. */
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

static void parsing_survives_failed_allocations(void **state)
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

static void an_arena_that_is_too_small_fails_with_no_memory(void **state)
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_error_says_whether_the_text_is_json_at_all),
        TEST(every_kind_of_value_is_recognized),
        TEST(nodes_are_spans_of_the_source),
        TEST(absent_members_are_null),
        TEST(invalid_json_is_rejected),
        TEST(invalid_numbers_are_rejected),
        TEST(an_error_has_line_and_column),
        TEST(every_truncated_text_is_rejected),
        TEST(nesting_ends_at_its_limit),
        TEST(values_end_at_their_limit),
        TEST(duplicate_members_are_rejected),
        TEST(colliding_member_names_take_bounded_time),
        TEST(changed_bytes_do_no_harm),
        TEST(parsing_survives_failed_allocations),
        TEST(an_arena_that_is_too_small_fails_with_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
