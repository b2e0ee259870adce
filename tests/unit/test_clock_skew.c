#include "unit/unit.h"

#include "policy/clock_skew.h"

#define HOUR_MS INT64_C(3600000)

static void small_clock_differences_are_ignored(void **state)
{
    (void)state;
    struct clock_skew skew = {0};
    assert_false(clock_skew_hear(&skew, 1000000, 1000000));
    assert_false(clock_skew_hear(&skew, 1000000, 1000000 + CLOCK_SKEW_NOISE_MS));
    assert_false(clock_skew_hear(&skew, 1000000, 1000000 - CLOCK_SKEW_NOISE_MS));
    assert_int_equal(clock_skew_offset_ms(&skew), 0);
}

static void a_wrong_clock_is_corrected_once(void **state)
{
    (void)state;
    struct clock_skew skew = {0};
    assert_true(clock_skew_hear(&skew, 0, HOUR_MS));
    assert_int_equal(clock_skew_offset_ms(&skew), HOUR_MS);
    assert_false(clock_skew_hear(&skew, 5000, HOUR_MS + 4000));
    assert_int_equal(clock_skew_offset_ms(&skew), HOUR_MS);
    assert_true(clock_skew_hear(&skew, HOUR_MS, -HOUR_MS));
    assert_int_equal(clock_skew_offset_ms(&skew), -2 * HOUR_MS);
}

static void the_correction_ends_when_the_clock_is_set_right(void **state)
{
    (void)state;
    struct clock_skew skew = {0};
    assert_true(clock_skew_hear(&skew, 0, HOUR_MS));
    assert_true(clock_skew_hear(&skew, HOUR_MS, HOUR_MS));
    assert_int_equal(clock_skew_offset_ms(&skew), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_clock_differences_are_ignored),
        cmocka_unit_test(a_wrong_clock_is_corrected_once),
        cmocka_unit_test(the_correction_ends_when_the_clock_is_set_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
