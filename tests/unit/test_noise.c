#include "unit/unit.h"

#include "policy/noise.h"

static void calls(struct noise *noise, int count, bool is_low)
{
    for (int i = 0; i < count; i++)
        noise_call(noise, is_low);
}

/* Four refusals well below the last measurement, each after ten calls. */
static struct noise found(void)
{
    struct noise noise = {0};
    noise_measured(&noise, 0, 10);
    for (int i = 0; i < 4; i++) {
        calls(&noise, 10, true);
        enum noise_says wanted = i < 3 ? NOISE_NONE : NOISE_FOUND;
        assert_int_equal(noise_refusal(&noise, 7, true, 1), wanted);
    }
    return noise;
}

static void refusals_at_rates_that_a_quota_would_grant_are_noise(void **state)
{
    (void)state;
    struct noise noise = found();
    assert_true(noise.share > 0.05 && noise.share < 0.15);
    calls(&noise, 10, false);
    assert_int_equal(noise_refusal(&noise, 7, false, 1), NOISE_WITHIN);
}

static void refusals_near_the_measured_rate_are_about_the_quota(void **state)
{
    (void)state;
    struct noise noise = {0};
    noise_measured(&noise, 0, 10);
    for (int i = 0; i < 100; i++) {
        calls(&noise, 10, true);
        assert_int_equal(noise_refusal(&noise, 8, true, 1), NOISE_NONE);
    }
}

/* A quota that was halved gives two such refusals before it is measured. */
static void a_measurement_that_confirms_the_one_before_clears_the_suspicion(void **state)
{
    (void)state;
    struct noise noise = {0};
    noise_measured(&noise, 0, 10);
    for (int i = 0; i < 20; i++) {
        calls(&noise, 10, true);
        assert_int_equal(noise_refusal(&noise, 5, true, 1), NOISE_NONE);
        calls(&noise, 10, true);
        assert_int_equal(noise_refusal(&noise, 5, true, 1), NOISE_NONE);
        noise_measured(&noise, 5, 5);
        noise_measured(&noise, 5, 7);
    }
}

/* A quota that is far smaller than the start supposed: the slower, the more it grants. */
static void refusals_after_more_and_more_calls_are_about_the_quota(void **state)
{
    (void)state;
    struct noise noise = {0};
    noise_measured(&noise, 0, 100);
    for (int i = 0; i < 10; i++) {
        calls(&noise, 3 + i, true);
        assert_int_equal(noise_refusal(&noise, 60.0 / (1 << i), true, 1), NOISE_NONE);
    }
}

static void the_start_of_a_target_shows_no_noise(void **state)
{
    (void)state;
    struct noise noise = {0};
    for (int i = 0; i < 100; i++) {
        calls(&noise, 10, true);
        assert_int_equal(noise_refusal(&noise, 100.0 / (i + 1), true, 1), NOISE_NONE);
    }
}

static void more_refusals_than_the_noise_explains_are_about_the_quota(void **state)
{
    (void)state;
    struct noise noise = found();
    int refused = 0;
    do {
        calls(&noise, 2, false);
        refused++;
    } while (noise_refusal(&noise, 20, false, 1) == NOISE_WITHIN && refused < 100);
    assert_true(refused < 20);
    double part = noise_granted_part(&noise);
    assert_true(part >= 0.5 && part < 0.7);
    assert_true(noise_is_proved(&noise, 20, 1));
    noise_restart(&noise);
    calls(&noise, 10, false);
    assert_int_equal(noise_refusal(&noise, 10, false, 1), NOISE_WITHIN);
}

/* The rate at which it was found was the quota's after all. */
static void noise_found_in_error_is_not_suspected_again_for_long(void **state)
{
    (void)state;
    struct noise noise = found();
    assert_false(noise_is_proved(&noise, 8, 1));
    noise_measured(&noise, 0, 10);
    for (int i = 0; i < 40; i++) {
        calls(&noise, 10, true);
        assert_int_equal(noise_refusal(&noise, 7, true, 1), NOISE_NONE);
    }
    int starved = 0;
    do { /* unless the rate falls and falls */
        calls(&noise, 10, true);
        starved++;
    } while (noise_refusal(&noise, 1, true, 1) != NOISE_FOUND && starved < 100);
    assert_true(starved <= 4);
}

static void noise_ends_when_refusals_stay_away(void **state)
{
    (void)state;
    struct noise noise = found();
    calls(&noise, 1000, false);
    assert_true(noise.share == 0);
    assert_int_equal(noise_refusal(&noise, 7, false, 1), NOISE_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refusals_at_rates_that_a_quota_would_grant_are_noise),
        cmocka_unit_test(refusals_near_the_measured_rate_are_about_the_quota),
        cmocka_unit_test(a_measurement_that_confirms_the_one_before_clears_the_suspicion),
        cmocka_unit_test(refusals_after_more_and_more_calls_are_about_the_quota),
        cmocka_unit_test(the_start_of_a_target_shows_no_noise),
        cmocka_unit_test(more_refusals_than_the_noise_explains_are_about_the_quota),
        cmocka_unit_test(noise_found_in_error_is_not_suspected_again_for_long),
        cmocka_unit_test(noise_ends_when_refusals_stay_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
