#include "unit/unit.h"

#include "base/random.h"
#include "base/utf8.h"

static size_t encode(uint32_t point, char bytes[4])
{
    if (point < 0x80) {
        bytes[0] = (char)point;
        return 1;
    }
    size_t len = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    static const unsigned char LEADS[5] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = len - 1; i > 0; i--) {
        bytes[i] = (char)(0x80 | (point & 0x3f));
        point >>= 6;
    }
    bytes[0] = (char)(LEADS[len] | point);
    return len;
}

/* Everything that the encoding can express, valid or not by RFC 3629. */
static void every_code_point_is_accepted_or_rejected_correctly(void **state)
{
    (void)state;
    for (uint32_t point = 0; point < 0x200000; point++) {
        char bytes[4];
        size_t len = encode(point, bytes);
        bool valid = point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);
        assert_int_equal(utf8_valid_len(slice_of(bytes, len)), valid ? len : 0);
    }
}

static void every_pair_of_bytes_is_accepted_or_rejected_correctly(void **state)
{
    (void)state;
    for (unsigned a = 0; a < 256; a++)
        for (unsigned b = 0; b < 256; b++) {
            char bytes[2] = {(char)a, (char)b};
            size_t expected = a >= 0x80 ? (a >= 0xc2 && a <= 0xdf && b >= 0x80 && b < 0xc0) * 2U
                                        : 1U + (b < 0x80);
            assert_int_equal(utf8_valid_len(slice_of(bytes, 2)), expected);
        }
}

static void overlong_and_truncated_forms_are_invalid(void **state)
{
    (void)state;
    assert_int_equal(utf8_valid_len(SLICE("a\xc0\x80")), 1);
    assert_int_equal(utf8_valid_len(SLICE("a\xc1\xbf")), 1);
    assert_int_equal(utf8_valid_len(SLICE("a\xe0\x9f\xbf")), 1);
    assert_int_equal(utf8_valid_len(SLICE("a\xf0\x8f\xbf\xbf")), 1);
    assert_int_equal(utf8_valid_len(SLICE("ab\xe2\x82")), 2);
    assert_int_equal(utf8_valid_len(SLICE("ab\xf0\x9f\x98")), 2);
    assert_int_equal(utf8_valid_len(SLICE("\xe2\x82\xac")), 3);
    assert_int_equal(utf8_valid_len(SLICE("")), 0);
    assert_int_equal(utf8_valid_len(SLICE_NULL), 0);
}

/* The fast way over eight bytes of ASCII must not look past an error anywhere in them. */
static void an_error_is_found_at_any_place(void **state)
{
    (void)state;
    char text[40];
    for (size_t len = 1; len <= sizeof text; len++)
        for (size_t at = 0; at < len; at++) {
            memset(text, 'x', len);
            text[at] = '\x80';
            assert_int_equal(utf8_valid_len(slice_of(text, len)), at);
        }
}

static void code_points_are_counted(void **state)
{
    (void)state;
    assert_int_equal(utf8_count(SLICE("")), 0);
    assert_int_equal(utf8_count(SLICE("J'aime")), 6);
    assert_int_equal(utf8_count(SLICE("fran\xc3\xa7"
                                      "ais \xe2\x82\xac \xf0\x9f\x98\x80")),
                     12);
}

static void clipping_ends_between_code_points(void **state)
{
    (void)state;
    struct slice text = SLICE("a\xc3\xa7\xe2\x82\xac\xf0\x9f\x98\x80");
    static const size_t EXPECTED[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10};
    for (size_t max = 0; max < COUNT_OF(EXPECTED); max++) {
        struct slice clipped = utf8_clip(text, max);
        assert_int_equal(clipped.len, EXPECTED[max]);
        assert_ptr_equal(clipped.ptr, text.ptr);
    }
    assert_null(utf8_clip(SLICE_NULL, 5).ptr);
}

static void invalid_utf8_is_clipped_too(void **state)
{
    (void)state;
    char bytes[100];
    memset(bytes, 0x80, sizeof bytes);
    for (size_t max = 0; max < sizeof bytes; max++)
        assert_int_equal(utf8_clip(slice_of(bytes, sizeof bytes), max).len, max);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_point_is_accepted_or_rejected_correctly),
        cmocka_unit_test(every_pair_of_bytes_is_accepted_or_rejected_correctly),
        cmocka_unit_test(overlong_and_truncated_forms_are_invalid),
        cmocka_unit_test(an_error_is_found_at_any_place),
        cmocka_unit_test(code_points_are_counted),
        cmocka_unit_test(clipping_ends_between_code_points),
        cmocka_unit_test(invalid_utf8_is_clipped_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
