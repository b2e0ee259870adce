#include "unit/unit.h"

#include "policy/clock_skew.h"

#define HOUR_MS INT64_C(3600000)

static void small_differences_are_noise(void **state)
{
    (void)state;
    struct clock_skew skew = {0};
    assert_false(clock_skew_hear(&skew, 1000000, 1000000));
    assert_false(clock_skew_hear(&skew, 1000000, 1000000 + CLOCK_SKEW_NOISE_MS));
    assert_false(clock_skew_hear(&skew, 1000000, 1000000 - CLOCK_SKEW_NOISE_MS));
    assert_int_equal(clock_skew_offset_ms(&skew), 0);
}

static void a_clock_that_is_off_is_corrected_once(void **state)
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

static void a_corrected_clock_that_is_set_right_is_followed_back(void **state)
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
        cmocka_unit_test(small_differences_are_noise),
        cmocka_unit_test(a_clock_that_is_off_is_corrected_once),
        cmocka_unit_test(a_corrected_clock_that_is_set_right_is_followed_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
