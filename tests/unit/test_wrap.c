/* Text wrapped at blanks. */
#include "unit/unit.h"

#include "base/wrap.h"

static void assert_wrapped(const char *text, size_t indent, size_t columns, const char *expected)
{
    struct buf page OWNED_BY(buf_done);
    buf_init(&page, 10000);
    wrap_add(&page, slice_of_text(text), indent, columns);
    assert_buf(&page, expected);
}

static void lines_break_at_blanks(void **state)
{
    (void)state;
    assert_wrapped("", 2, 10, "");
    assert_wrapped("one two three", 0, 13, "one two three");
    assert_wrapped("one two three", 0, 12, "one two\nthree");
    assert_wrapped("one two three", 0, 8, "one two\nthree");
}

static void further_lines_are_indented(void **state)
{
    (void)state;
    assert_wrapped("one two three", 2, 11, "one two\n  three");
    assert_wrapped("a\nb\n\nc", 2, 20, "a\n  b\n\n  c");
}

static void blanks_within_a_line_stay(void **state)
{
    (void)state;
    assert_wrapped("a  b", 0, 20, "a  b");
    assert_wrapped("a\n  b", 1, 20, "a\n   b");
    assert_wrapped("aaaa    bbbbb", 0, 9, "aaaa\nbbbbb");
    assert_wrapped("a ", 0, 20, "a");
}

static void only_a_word_longer_than_a_line_is_cut(void **state)
{
    (void)state;
    assert_wrapped("xx 0123456789abcdef", 0, 9, "xx\n012345678\n9abcdef");
    assert_wrapped("0123456789", 4, 4, "01234567\n    89");
}

static void widths_are_counted_in_characters(void **state)
{
    (void)state;
    assert_wrapped("\u00e9\u00e9\u00e9\u00e9 \u00e9\u00e9\u00e9\u00e9", 0, 9,
                   "\u00e9\u00e9\u00e9\u00e9 \u00e9\u00e9\u00e9\u00e9");
    assert_wrapped("\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9", 0, 8,
                   "\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\n\u00e9");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_break_at_blanks),
        cmocka_unit_test(further_lines_are_indented),
        cmocka_unit_test(blanks_within_a_line_stay),
        cmocka_unit_test(only_a_word_longer_than_a_line_is_cut),
        cmocka_unit_test(widths_are_counted_in_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
