/* Base64: what RFC 4648 says is taken, and the place of each flaw is named. */
#include "unit/unit.h"

#include "base/random.h"
#include "wire/formats/base64.h"

static void the_vectors_of_rfc_4648_hold(void **state)
{
    (void)state;
    static const char *const PAIRS[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
        {"\xff\xfe\xfd", "//79"},
    };
    for (size_t i = 0; i < COUNT_OF(PAIRS); i++) {
        struct buf text OWNED_BY(buf_done), bytes OWNED_BY(buf_done);
        size_t offset;
        buf_init(&text, 100);
        buf_init(&bytes, 100);
        base64_add(&text, slice_of_text(PAIRS[i][0]));
        assert_buf(&text, PAIRS[i][1]);
        assert_int_equal(base64_add_decoded(&bytes, slice_of_text(PAIRS[i][1]), &offset), OK);
        assert_buf(&bytes, PAIRS[i][0]);
    }
}

static void assert_flaw(const char *text, size_t at)
{
    struct base64_flaw flaw = {.words = NULL};
    struct buf bytes OWNED_BY(buf_done);
    size_t offset = SIZE_MAX;
    buf_init(&bytes, 100);
    assert_false(base64_check(slice_of_text(text), &flaw));
    assert_int_equal(flaw.at, at);
    assert_non_null(flaw.words);
    assert_int_equal(base64_add_decoded(&bytes, slice_of_text(text), &offset), ERR_FORMAT);
    assert_int_equal(offset, at);
    assert_int_equal(bytes.len, 0);
}

static void a_flaw_has_its_place(void **state)
{
    (void)state;
    assert_flaw("Zm9", 3);
    assert_flaw("Z", 1);
    assert_flaw("Zg=", 2);
    assert_flaw("====", 0);
    assert_flaw("=", 0);
    assert_flaw("Zg==Zg==", 2);
    assert_flaw("Zm9vYmFyZm9vYm-y", 14);
    assert_flaw("Zm9v\nYmFy", 4);
    assert_flaw("Zm9vYmF\xc3\xa4", 7);
    assert_flaw("Zg==\n", 2);
}

/* Every byte that is no character of base64 is found, wherever it stands. */
static void no_flaw_is_overlooked(void **state)
{
    (void)state;
    char text[40];
    for (size_t at = 0; at < sizeof text; at++) {
        for (int byte = 0; byte < 256; byte++) {
            struct base64_flaw flaw;
            memset(text, 'A', sizeof text);
            text[at] = (char)(unsigned char)byte;
            bool is_letter = (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
                             (byte >= '0' && byte <= '9') || byte == '+' || byte == '/' ||
                             (byte == '=' && at == sizeof text - 1);
            assert_int_equal(base64_check(slice_of(text, sizeof text), &flaw), is_letter);
            assert_true(is_letter || flaw.at == at);
        }
    }
}

static void any_bytes_come_back(void **state)
{
    (void)state;
    struct random random;
    uint8_t bytes[300];
    random_init(&random, 7);
    for (size_t len = 0; len < sizeof bytes; len++) {
        struct buf text OWNED_BY(buf_done), back OWNED_BY(buf_done);
        size_t offset;
        buf_init(&text, 1000);
        buf_init(&back, 1000);
        for (size_t i = 0; i < len; i++)
            bytes[i] = (uint8_t)random_below(&random, 256);
        base64_add(&text, slice_of(bytes, len));
        assert_int_equal(base64_add_decoded(&back, buf_slice(&text), &offset), OK);
        assert_int_equal(back.len, len);
        assert_true(len == 0 || memcmp(back.ptr, bytes, len) == 0);
    }
}

static void a_buf_without_room_says_so(void **state)
{
    (void)state;
    struct buf small OWNED_BY(buf_done);
    size_t offset;
    buf_init(&small, 3);
    base64_add(&small, SLICE("foo"));
    assert_int_equal(small.failed, ERR_TOO_LARGE);
    buf_reset(&small);
    assert_int_equal(base64_add_decoded(&small, SLICE("Zm9vYmFy"), &offset), ERR_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vectors_of_rfc_4648_hold), cmocka_unit_test(a_flaw_has_its_place),
        cmocka_unit_test(no_flaw_is_overlooked),        cmocka_unit_test(any_bytes_come_back),
        cmocka_unit_test(a_buf_without_room_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
