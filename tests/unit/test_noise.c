#include "unit/unit.h"

#include "policy/noise.h"

/* The number of the last call, and the time. */
struct target {
    double number, now_s;
};

static struct target target;

static int begin(void **state)
{
    (void)state;
    target = (struct target){0};
    return 0;
}

static void calls(struct noise *noise, int count)
{
    for (int i = 0; i < count; i++) {
        noise_call(noise, false);
        target.number++;
    }
}

static enum noise_says refusal(struct noise *noise, double rate)
{
    return noise_refusal(noise, target.number, rate, false, 1, target.now_s);
}

/* Refuses one call of `each`, at a rate, until something else than `says` is said. Returns how
 * often that was; at most 100. */
static int refuse(struct noise *noise, enum noise_says says, int each, double rate)
{
    for (int refused = 0; refused < 100; refused++) {
        calls(noise, each);
        /* Rests that double, so that calls are granted at other rates each time. */
        target.now_s += each / rate + (double)(1 << refused % 4);
        if (refusal(noise, rate) != says)
            return refused;
    }
    return 100;
}

static int excess(struct noise *noise)
{
    return refuse(noise, NOISE_WITHIN, 1, 20);
}

/* The start of a target that refuses one call of ten at random. */
static struct noise known(void)
{
    struct noise noise = {0};
    noise_open(&noise);
    assert_int_equal(refuse(&noise, NOISE_WITHIN, 10, 10), 100);
    assert_true(excess(&noise) < 20);
    assert_int_equal(noise_exceeded(&noise, 10, 1), NOISE_IS_KNOWN);
    return noise;
}

/* A target without noise, whose quota was measured at `rate`. */
static struct noise none(double rate)
{
    struct noise noise = {0};
    noise_measured(&noise, 0, rate);
    return noise;
}

static struct noise found(void)
{
    struct noise noise = none(10);
    int refused = refuse(&noise, NOISE_NONE, 10, 7);
    assert_true(refused >= 3 && refused < 10);
    assert_true(noise.is_open);
    return noise;
}

static void refusals_of_a_start_without_an_excess_are_noise(void **state)
{
    (void)state;
    struct noise noise = known();
    assert_true(noise.share > 0.05 && noise.share < 0.15);
}

static void many_refusals_in_a_row_end_a_start(void **state)
{
    (void)state;
    struct noise noise = {0};
    noise_open(&noise);
    assert_true(excess(&noise) < 6);
    assert_int_equal(noise_exceeded(&noise, 10, 1), NOISE_IS_NONE);
    assert_true(noise.share == 0);
    noise_open(&noise);
    calls(&noise, 100);
    assert_true(excess(&noise) < 3);
    assert_int_equal(noise_exceeded(&noise, 10, 1), NOISE_IS_NONE);
}

static void one_refusal_of_five_ends_no_start(void **state)
{
    (void)state;
    struct noise noise = {0};
    noise_open(&noise);
    assert_int_equal(refuse(&noise, NOISE_WITHIN, 5, 10), 100);
}

static void more_refusals_than_the_noise_explains_are_about_the_quota(void **state)
{
    (void)state;
    struct noise noise = known();
    assert_int_equal(refuse(&noise, NOISE_WITHIN, 10, 10), 100);
    assert_true(refuse(&noise, NOISE_WITHIN, 2, 10) < 30);
    assert_int_equal(noise_exceeded(&noise, 10, 1), NOISE_WAS_KNOWN);
    assert_int_equal(refuse(&noise, NOISE_WITHIN, 10, 10), 100);
}

static void known_noise_ends_when_refusals_stay_away(void **state)
{
    (void)state;
    struct noise noise = known();
    calls(&noise, 1000);
    assert_true(noise.share == 0);
    assert_int_equal(refusal(&noise, 10), NOISE_NONE);
}

static void refusals_at_rates_that_a_quota_would_grant_are_noise(void **state)
{
    (void)state;
    struct noise noise = found();
    assert_int_equal(refuse(&noise, NOISE_WITHIN, 10, 20), 100);
    assert_true(excess(&noise) < 20);
    assert_int_equal(noise_exceeded(&noise, 20, 1), NOISE_IS_KNOWN);
    assert_true(noise.share > 0.05 && noise.share < 0.15);
}

static void one_refusal_of_a_test_is_about_the_quota(void **state)
{
    (void)state;
    struct noise noise = none(10);
    assert_int_equal(refuse(&noise, NOISE_NONE, 60, 10), 100);
}

/* A quota that was halved. */
static void a_rate_that_is_granted_again_and_again_is_the_quota(void **state)
{
    (void)state;
    struct noise noise = none(10);
    for (int i = 0; i < 100; i++) {
        calls(&noise, 10);
        target.now_s += 2;
        assert_int_equal(refusal(&noise, 5), NOISE_NONE);
    }
}

/* A quota that is far smaller than the start supposed: the slower, the more it grants. */
static void refusals_after_more_and_more_calls_are_about_the_quota(void **state)
{
    (void)state;
    struct noise noise = none(100);
    for (int i = 0; i < 10; i++) {
        calls(&noise, 3 + i);
        target.now_s += 1 << i;
        assert_int_equal(refusal(&noise, 60.0 / (1 << i)), NOISE_NONE);
    }
}

static void measurements_that_confirm_a_lower_rate_end_the_suspicion(void **state)
{
    (void)state;
    struct noise noise = none(10);
    noise_measured(&noise, 10, 5);
    assert_true(noise.peak == 10);
    for (int i = 0; i < 3; i++)
        noise_measured(&noise, 5, 5);
    assert_true(noise.peak == 5);
}

/* Refusals that arrive late, when many other calls have begun. */
static void late_refusals_are_weighed_in_the_order_of_their_calls(void **state)
{
    (void)state;
    struct noise noise = {0};
    noise_open(&noise);
    for (int burst = 0; burst < 20; burst++) {
        calls(&noise, 100);
        for (int i = 1; i <= 10; i++)
            assert_int_equal(
                noise_refusal(&noise, target.number - 100 + 10 * i, 10, false, 1, burst),
                NOISE_WITHIN);
    }
}

static void seldom_calls_try_no_refusal(void **state)
{
    (void)state;
    struct noise noise = none(0.4);
    assert_int_equal(refuse(&noise, NOISE_NONE, 10, 0.3), 100);
}

/* The rate at which it was found was the quota's after all. */
static void noise_found_in_error_is_not_suspected_again_for_long(void **state)
{
    (void)state;
    struct noise noise = found();
    assert_true(excess(&noise) < 20);
    assert_int_equal(noise_exceeded(&noise, 8, 1), NOISE_IS_DISPROVED);
    assert_true(noise.share == 0);
    struct noise later = noise;
    int refused = refuse(&noise, NOISE_NONE, 10, 7);
    assert_true(refused >= 45 && refused < 70);
    assert_true(refuse(&later, NOISE_NONE, 10, 1) < 10); /* unless the rate falls and falls */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(refusals_of_a_start_without_an_excess_are_noise, begin),
        cmocka_unit_test_setup(many_refusals_in_a_row_end_a_start, begin),
        cmocka_unit_test_setup(one_refusal_of_five_ends_no_start, begin),
        cmocka_unit_test_setup(more_refusals_than_the_noise_explains_are_about_the_quota, begin),
        cmocka_unit_test_setup(known_noise_ends_when_refusals_stay_away, begin),
        cmocka_unit_test_setup(refusals_at_rates_that_a_quota_would_grant_are_noise, begin),
        cmocka_unit_test_setup(one_refusal_of_a_test_is_about_the_quota, begin),
        cmocka_unit_test_setup(a_rate_that_is_granted_again_and_again_is_the_quota, begin),
        cmocka_unit_test_setup(refusals_after_more_and_more_calls_are_about_the_quota, begin),
        cmocka_unit_test_setup(measurements_that_confirm_a_lower_rate_end_the_suspicion, begin),
        cmocka_unit_test_setup(late_refusals_are_weighed_in_the_order_of_their_calls, begin),
        cmocka_unit_test_setup(seldom_calls_try_no_refusal, begin),
        cmocka_unit_test_setup(noise_found_in_error_is_not_suspected_again_for_long, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
