#include "unit/unit.h"

static void null_and_empty_slices_differ(void **state)
{
    (void)state;
    assert_false(slice_equal(SLICE_NULL, SLICE("")));
    assert_true(slice_equal(SLICE_NULL, SLICE_NULL));
    assert_true(slice_equal(SLICE(""), SLICE("")));
    assert_false(slice_equal_text(SLICE_NULL, ""));
    assert_null(slice_of_text(NULL).ptr);
    assert_null(slice_sub(SLICE_NULL, 0, 5).ptr);
    assert_null(slice_trim(SLICE_NULL).ptr);
    assert_false(slice_equal_nocase(SLICE_NULL, SLICE("")));
    assert_true(slice_equal_nocase(SLICE_NULL, SLICE_NULL));
}

static void slices_are_equal_by_bytes_and_length(void **state)
{
    (void)state;
    assert_true(slice_equal(SLICE("ab\0c"), slice_of("ab\0c", 4)));
    assert_false(slice_equal(SLICE("ab\0c"), SLICE("ab\0d")));
    assert_false(slice_equal(SLICE("ab"), SLICE("abc")));
    assert_true(slice_equal_text(SLICE("model"), "model"));
    assert_false(slice_equal_text(SLICE("model"), "models"));
    static const char *const NAMES[] = {"a", "model", ""};
    assert_true(slice_is_one_of(SLICE("model"), NAMES, COUNT_OF(NAMES)));
    assert_true(slice_is_one_of(SLICE(""), NAMES, COUNT_OF(NAMES)));
    assert_false(slice_is_one_of(SLICE("model"), NAMES, 1));
    assert_false(slice_is_one_of(SLICE_NULL, NAMES, COUNT_OF(NAMES)));
    assert_false(slice_is_one_of(SLICE("a"), NULL, 0));
}

static void a_slice_is_written_as_a_text_cut_to_its_room(void **state)
{
    (void)state;
    char text[4] = "xyz";
    slice_write(SLICE_NULL, text, sizeof text);
    assert_string_equal(text, "");
    slice_write(SLICE("abc"), text, sizeof text);
    assert_string_equal(text, "abc");
    slice_write(SLICE("defg"), text, sizeof text);
    assert_string_equal(text, "def");
    slice_write(SLICE("a"), text, 1);
    assert_string_equal(text, "");
}

static void case_is_ignored_only_for_ascii_letters(void **state)
{
    (void)state;
    assert_true(slice_equal_nocase(SLICE("Content-TYPE"), SLICE("content-type")));
    assert_true(slice_equal_nocase(SLICE("AZ"), SLICE("az")));
    assert_false(slice_equal_nocase(SLICE("["), SLICE("{")));
    assert_false(slice_equal_nocase(SLICE("@"), SLICE("`")));
    assert_false(slice_equal_nocase(SLICE("\xc3\x84"), SLICE("\xc3\xa4")));
    assert_false(slice_equal_nocase(SLICE("a"), SLICE("ab")));
}

static void a_slice_knows_its_beginning_and_end(void **state)
{
    (void)state;
    assert_true(slice_starts(SLICE("ce_type"), SLICE("ce_")));
    assert_true(slice_starts(SLICE("x"), SLICE("")));
    assert_true(slice_starts(SLICE_NULL, SLICE("")));
    assert_false(slice_starts(SLICE("ce"), SLICE("ce_")));
    assert_true(slice_ends(SLICE("a.json"), SLICE(".json")));
    assert_false(slice_ends(SLICE("json"), SLICE(".json")));
    assert_false(slice_ends(SLICE("a.jsom"), SLICE(".json")));
    assert_int_equal(slice_find(SLICE("a:b:c"), ':'), 1);
    assert_int_equal(slice_find(SLICE("abc"), ':'), 3);
    assert_int_equal(slice_find(SLICE_NULL, ':'), 0);
}

static void a_part_of_a_slice_is_clipped_to_it(void **state)
{
    (void)state;
    assert_slice(slice_sub(SLICE("abcdef"), 2, 3), "cde");
    assert_slice(slice_sub(SLICE("abcdef"), 4, SIZE_MAX), "ef");
    assert_slice(slice_sub(SLICE("abcdef"), 7, 1), "");
    assert_slice(slice_sub(SLICE("abcdef"), SIZE_MAX, SIZE_MAX), "");
}

static void trimming_takes_blanks_from_both_ends(void **state)
{
    (void)state;
    assert_slice(slice_trim(SLICE(" \t\r\nvalue with blank \r\n")), "value with blank");
    assert_slice(slice_trim(SLICE(" \t ")), "");
    assert_slice(slice_trim(SLICE("x")), "x");
}

static void slices_are_ordered_by_bytes_then_length(void **state)
{
    (void)state;
    assert_true(slice_compare(SLICE("abc"), SLICE("abd")) < 0);
    assert_true(slice_compare(SLICE("abc"), SLICE("ab")) > 0);
    assert_true(slice_compare(SLICE("\xff"), SLICE("a")) > 0);
    assert_int_equal(slice_compare(SLICE("abc"), SLICE("abc")), 0);
    assert_int_equal(slice_compare(SLICE_NULL, SLICE("")), 0);
    assert_true(slice_compare(SLICE(""), SLICE("a")) < 0);
}

static void whole_numbers_are_read_within_their_range(void **state)
{
    (void)state;
    int64_t value = 7;
    assert_true(slice_to_int64(SLICE("0"), &value));
    assert_int_equal(value, 0);
    assert_true(slice_to_int64(SLICE("-42"), &value));
    assert_int_equal(value, -42);
    assert_true(slice_to_int64(SLICE("9223372036854775807"), &value));
    assert_true(value == INT64_MAX);
    assert_true(slice_to_int64(SLICE("-9223372036854775808"), &value));
    assert_true(value == INT64_MIN);
}

static void an_invalid_whole_number_leaves_the_value_unchanged(void **state)
{
    (void)state;
    static const char *const WRONG[] = {"",
                                        "-",
                                        "+1",
                                        " 1",
                                        "1 ",
                                        "1.0",
                                        "0x1",
                                        "9223372036854775808",
                                        "--1",
                                        "-9223372036854775809",
                                        "99999999999999999999"};
    for (size_t i = 0; i < COUNT_OF(WRONG); i++) {
        int64_t value = 7;
        assert_false(slice_to_int64(slice_of_text(WRONG[i]), &value));
        assert_int_equal(value, 7);
    }
    int64_t value = 7;
    assert_false(slice_to_int64(SLICE_NULL, &value));
    assert_false(slice_to_int64(SLICE("1\0002"), &value));
}

/* Expected values: SipHash-1-3 in another language, which agrees with CPython's hash() for the zero
 * key. */
static void the_hash_is_siphash_1_3(void **state)
{
    (void)state;
    assert_true(slice_hash(SLICE(""), 0) == 0x358f95783cc0ee05U);
    assert_true(slice_hash(SLICE_NULL, 0) == 0x358f95783cc0ee05U);
    assert_true(slice_hash(SLICE("tenant"), 0) == 0x1e3c644201fc3acdU);
    assert_true(slice_hash(SLICE("tenant"), 42) == 0xe7d6dea4f34b4edeU);
    assert_true(slice_hash(SLICE("eight by"), 42) == 0x23d28edbf00cb6e1U);
    assert_true(slice_hash(SLICE("more than eight bytes"), 42) == 0x71d57a4a05c9c235U);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(null_and_empty_slices_differ),
        cmocka_unit_test(slices_are_equal_by_bytes_and_length),
        cmocka_unit_test(a_slice_is_written_as_a_text_cut_to_its_room),
        cmocka_unit_test(case_is_ignored_only_for_ascii_letters),
        cmocka_unit_test(a_slice_knows_its_beginning_and_end),
        cmocka_unit_test(a_part_of_a_slice_is_clipped_to_it),
        cmocka_unit_test(trimming_takes_blanks_from_both_ends),
        cmocka_unit_test(slices_are_ordered_by_bytes_then_length),
        cmocka_unit_test(whole_numbers_are_read_within_their_range),
        cmocka_unit_test(an_invalid_whole_number_leaves_the_value_unchanged),
        cmocka_unit_test(the_hash_is_siphash_1_3),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
