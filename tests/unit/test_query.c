/* The query of a page's address (app/pages/query.c). */
#include "unit/unit.h"

#include <string.h>

#include "app/pages/query.h"

static void assert_value(const char *query, const char *wanted)
{
    struct buf value OWNED_BY(buf_done);
    buf_init(&value, QUERY_VALUE_MAX);
    bool is_there = query_value(slice_of_text(query), "id", &value);
    assert_true(is_there == (wanted != NULL));
    if (is_there)
        assert_string_equal(buf_text(&value), wanted);
}

static void a_value_is_decoded(void **state)
{
    (void)state;
    assert_value("id=a", "a");
    assert_value("x=1&id=a%20b%2Fc+d&id=z", "a b/c d");
    assert_value("id=%e2%82%AC", "\xe2\x82\xac");
    assert_value("id=", "");
    assert_value("id", "");
    assert_value("id=a=b", "a=b");
}

static void a_value_that_is_missing_or_broken_is_none(void **state)
{
    (void)state;
    assert_value("", NULL);
    assert_value("idd=a&di=b", NULL);
    assert_value("id=%", NULL);
    assert_value("id=a%2", NULL);
    assert_value("id=%zz", NULL);
    assert_value("&&&=", NULL);
}

static void what_is_written_is_read_back(void **state)
{
    (void)state;
    struct buf query OWNED_BY(buf_done), value OWNED_BY(buf_done);
    char bytes[256];
    buf_init(&query, 4096);
    buf_init(&value, QUERY_VALUE_MAX);
    for (int i = 0; i < 256; i++)
        bytes[i] = (char)i;
    buf_add_text(&query, "key=");
    query_add_value(&query, slice_of(bytes, sizeof bytes));
    assert_true(query_value(buf_slice(&query), "key", &value));
    assert_int_equal(value.len, sizeof bytes);
    assert_memory_equal(value.ptr, bytes, sizeof bytes);
}

static void a_position_is_topic_partition_and_offset(void **state)
{
    (void)state;
    static const char *const WRONG[] = {"",
                                        "a",
                                        "a/1",
                                        "a/1/",
                                        "/1/2",
                                        "a/1/2/3",
                                        "a/-1/2",
                                        "a/1/+2",
                                        "a b/1/2",
                                        "../1/2x",
                                        "a/1/9223372036854775808",
                                        "a/2147483648/0"};
    struct explain_query query;
    assert_true(query_position(SLICE("bedrock.requests/3/1041"), &query));
    assert_true(slice_equal_text(query.text, "bedrock.requests"));
    assert_int_equal(query.partition, 3);
    assert_int_equal(query.offset, 1041);
    assert_true(query_position(SLICE("a/2147483647/9223372036854775807"), &query));
    assert_true(query.offset == INT64_MAX);
    for (size_t i = 0; i < COUNT_OF(WRONG); i++)
        assert_false(query_position(slice_of_text(WRONG[i]), &query));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_is_decoded),
        cmocka_unit_test(a_value_that_is_missing_or_broken_is_none),
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(a_position_is_topic_partition_and_offset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
