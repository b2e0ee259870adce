#include "unit/unit.h"

#include "base/random.h"
#include "unit/torture.h"

static void a_buf_grows_with_what_is_added(void **state)
{
    (void)state;
    struct buf buf OWNED_BY(buf_done);
    buf_init(&buf, 1 << 20);
    for (int i = 0; i < 10000; i++)
        buf_add_int(&buf, i % 10);
    assert_int_equal(buf.failed, OK);
    assert_int_equal(buf.len, 10000);
    for (size_t i = 0; i < buf.len; i++)
        assert_int_equal(buf.ptr[i], '0' + (int)(i % 10));
}

static void every_add_function_appends_its_text(void **state)
{
    (void)state;
    struct buf buf OWNED_BY(buf_done);
    buf_init(&buf, 1000);
    buf_add(&buf, SLICE("slice "));
    buf_add(&buf, SLICE_NULL);
    buf_add_text(&buf, "text ");
    buf_add_byte(&buf, '+');
    buf_add_int(&buf, INT64_MIN);
    buf_add_byte(&buf, ' ');
    buf_add_int(&buf, INT64_MAX);
    buf_addf(&buf, " %s=%d", "x", -5);
    assert_buf(&buf, "slice text +-9223372036854775808 9223372036854775807 x=-5");
}

static void a_long_format_is_printed_whole(void **state)
{
    (void)state;
    struct buf buf OWNED_BY(buf_done);
    buf_init(&buf, 3000);
    buf_add_text(&buf, "<");
    buf_addf(&buf, "%2000d", 7);
    buf_add_text(&buf, ">");
    assert_int_equal(buf.failed, OK);
    assert_int_equal(buf.len, 2002);
    assert_int_equal(buf.ptr[2000], '7');
    assert_int_equal(buf.ptr[2001], '>');
}

static void a_buf_fills_to_its_limit_and_no_further(void **state)
{
    (void)state;
    for (size_t limit = 0; limit < 300; limit++) {
        struct buf buf;
        buf_init(&buf, limit);
        for (size_t i = 0; i < limit; i++)
            buf_add_byte(&buf, 'x');
        assert_int_equal(buf.failed, OK);
        assert_int_equal(buf.len, limit);
        assert_int_equal(strlen(buf_text(&buf)), limit);
        assert_int_equal(buf.failed, OK);
        buf_add_byte(&buf, 'y');
        assert_int_equal(buf.failed, ERR_TOO_LARGE);
        assert_int_equal(buf.len, limit);
        buf_done(&buf);
    }
}

static void a_failed_buf_stays_failed(void **state)
{
    (void)state;
    struct buf buf OWNED_BY(buf_done);
    buf_init(&buf, 4);
    buf_add_text(&buf, "12345");
    assert_int_equal(buf.failed, ERR_TOO_LARGE);
    buf_add_byte(&buf, '1');
    buf_add_int(&buf, 1);
    buf_addf(&buf, "%d", 1);
    assert_null(buf_reserve(&buf, 1));
    assert_int_equal(buf.len, 0);
    assert_string_equal(buf_text(&buf), "");
    buf_reset(&buf);
    buf_add_text(&buf, "123");
    buf_add_text(&buf, "45");
    assert_int_equal(buf.len, 3);
    assert_string_equal(buf_text(&buf), "");
    buf_reset(&buf);
    buf_addf(&buf, "%s", "1234");
    assert_buf(&buf, "1234");
    buf_addf(&buf, "%s", "");
    assert_int_equal(buf.failed, OK);
}

static void lengths_that_overflow_are_too_large(void **state)
{
    (void)state;
    struct buf buf OWNED_BY(buf_done);
    buf_init(&buf, SIZE_MAX);
    buf_add_byte(&buf, 'x');
    assert_null(buf_reserve(&buf, SIZE_MAX));
    assert_int_equal(buf.failed, ERR_TOO_LARGE);
    buf_reset(&buf);
    buf_add_byte(&buf, 'x');
    assert_null(buf_reserve(&buf, SIZE_MAX - 1));
    assert_int_equal(buf.failed, ERR_TOO_LARGE);
}

static void an_untouched_buf_is_empty_and_not_null(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 10);
    assert_slice(buf_slice(&buf), "");
    assert_string_equal(buf_text(&buf), "");
    buf_done(&buf);
    struct buf zeroed = {0};
    buf_add_byte(&zeroed, 'x');
    assert_int_equal(zeroed.failed, ERR_TOO_LARGE);
    buf_done(&zeroed);
}

static void bytes_are_dropped_from_either_end(void **state)
{
    (void)state;
    struct buf buf OWNED_BY(buf_done);
    buf_init(&buf, 100);
    buf_add_text(&buf, "abcdef");
    buf_drop_front(&buf, 2);
    assert_buf(&buf, "cdef");
    buf_cut(&buf, 3);
    assert_buf(&buf, "cde");
    buf_drop_front(&buf, 3);
    assert_buf(&buf, "");
    buf_drop_front(&buf, 0);
    buf_cut(&buf, 0);
    assert_slice(buf_slice(&buf), "");
}

static void reserved_room_may_be_written(void **state)
{
    (void)state;
    struct buf buf OWNED_BY(buf_done);
    buf_init(&buf, 5000);
    buf_add_text(&buf, "head ");
    char *room = buf_reserve(&buf, 4000);
    assert_non_null(room);
    memset(room, 'x', 4000);
    buf.len += 4000;
    buf_cut(&buf, 8);
    assert_buf(&buf, "head xxx");
    assert_non_null(buf_reserve(&buf, 0));
}

static void moving_a_buf_hands_its_bytes_over(void **state)
{
    (void)state;
    struct buf from OWNED_BY(buf_done), to OWNED_BY(buf_done);
    buf_init(&from, 100);
    buf_init(&to, 4);
    buf_add_text(&from, "longer than four");
    buf_move(&from, &to);
    assert_buf(&to, "longer than four");
    assert_int_equal(from.len, 0);
    assert_null(from.ptr);
    buf_add_text(&from, "again");
    assert_buf(&from, "again");
    buf_add_byte(&to, 'x');
    assert_int_equal(to.failed, ERR_TOO_LARGE);
    assert_int_equal(to.len, 16);
}

static bool fill(void *self)
{
    (void)self;
    struct buf buf OWNED_BY(buf_done);
    buf_init(&buf, 1 << 20);
    for (int i = 0; i < 1000; i++)
        buf_addf(&buf, "line %d\n", i);
    assert_true(buf.failed == OK || buf.failed == ERR_NO_MEMORY);
    return buf.failed == OK;
}

static void a_buf_survives_failed_allocations(void **state)
{
    (void)state;
    assert_true(torture(fill, NULL) > 3);
}

/* Against a plain array, with every operation in random order. */
static void a_buf_agrees_with_a_plain_array(void **state)
{
    (void)state;
    struct random random;
    struct buf buf OWNED_BY(buf_done);
    static char model[2000];
    size_t len = 0;
    random_init(&random, 1);
    buf_init(&buf, sizeof model);
    for (int step = 0; step < 20000; step++) {
        size_t count = (size_t)random_below(&random, 40);
        switch (random_below(&random, 4)) {
        case 0:
            count = count > len ? len : count;
            buf_drop_front(&buf, count);
            memmove(model, model + count, len - count);
            len -= count;
            break;
        case 1:
            count = count > len ? 0 : len - count;
            buf_cut(&buf, count);
            len = count;
            break;
        default:
            if (len + count > sizeof model)
                break;
            memset(model + len, 'a' + step % 26, count);
            buf_add(&buf, slice_of(model + len, count));
            len += count;
        }
        assert_int_equal(buf.failed, OK);
        assert_int_equal(buf.len, len);
        if (len > 0)
            assert_memory_equal(buf.ptr, model, len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_buf_grows_with_what_is_added),
        cmocka_unit_test(every_add_function_appends_its_text),
        cmocka_unit_test(a_long_format_is_printed_whole),
        cmocka_unit_test(a_buf_fills_to_its_limit_and_no_further),
        cmocka_unit_test(a_failed_buf_stays_failed),
        cmocka_unit_test(lengths_that_overflow_are_too_large),
        cmocka_unit_test(an_untouched_buf_is_empty_and_not_null),
        cmocka_unit_test(bytes_are_dropped_from_either_end),
        cmocka_unit_test(reserved_room_may_be_written),
        cmocka_unit_test(moving_a_buf_hands_its_bytes_over),
        cmocka_unit_test(a_buf_survives_failed_allocations),
        cmocka_unit_test(a_buf_agrees_with_a_plain_array),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
