#include "unit/unit.h"

#include "policy/clock_skew.h"
#include "policy/retry.h"

#define DRAWS 20000

static const struct retry_settings SETTINGS = {
    .max_attempts = 6,
    .max_elapsed_ms = 1800000,
    .transient_base_ms = 200,
    .throttle_base_ms = 1000,
    .max_delay_ms = 20000,
};

static struct retry_cause cause_of(enum err err)
{
    return (struct retry_cause){.err = err, .retry_after_ms = -1, .left_ms = INT64_MAX};
}

/* Least, most and mean of many draws. */
struct spread {
    int64_t least_ms, most_ms, mean_ms;
};

static struct spread spread_of(int64_t base_ms, uint32_t doublings, int64_t max_ms)
{
    struct random random;
    random_init(&random, base_ms > 0 ? (uint64_t)base_ms + doublings : 1);
    struct spread spread = {INT64_MAX, 0, 0};
    int64_t sum = 0;
    for (int i = 0; i < DRAWS; i++) {
        int64_t delay_ms = retry_jitter_ms(base_ms, doublings, max_ms, &random);
        spread.least_ms = delay_ms < spread.least_ms ? delay_ms : spread.least_ms;
        spread.most_ms = delay_ms > spread.most_ms ? delay_ms : spread.most_ms;
        sum += delay_ms;
    }
    spread.mean_ms = sum / DRAWS;
    return spread;
}

static void jitter_is_full_and_doubles_up_to_the_limit(void **state)
{
    (void)state;
    int64_t most_ms = 200;
    for (uint32_t doublings = 0; doublings < 40; doublings++) {
        struct spread spread = spread_of(200, doublings, 20000);
        assert_true(spread.most_ms <= most_ms && spread.most_ms > most_ms * 98 / 100);
        assert_true(spread.least_ms <= most_ms * 2 / 100);
        assert_true(spread.mean_ms > most_ms * 48 / 100 && spread.mean_ms < most_ms * 52 / 100);
        most_ms = most_ms * 2 > 20000 ? 20000 : most_ms * 2;
    }
}

static void jitter_accepts_any_numbers(void **state)
{
    (void)state;
    struct random random;
    random_init(&random, 3);
    assert_int_equal(retry_jitter_ms(0, 0, 100, &random), 0);
    assert_int_equal(retry_jitter_ms(0, UINT32_MAX, 100, &random), 0);
    assert_int_equal(retry_jitter_ms(100, 5, 0, &random), 0);
    for (int i = 0; i < 100; i++) {
        assert_true(retry_jitter_ms(1000, 3, 10, &random) <= 10);
        assert_true(retry_jitter_ms(1, UINT32_MAX, INT64_MAX / 4, &random) >= 0);
    }
}

/* The longest delay of many requests with the same failures. */
static int64_t longest_after(enum err err, int failures)
{
    struct random random;
    int64_t longest_ms = -1;
    random_init(&random, (uint64_t)failures);
    for (int i = 0; i < 3000; i++) {
        struct retry_state retry = {0};
        struct retry_cause cause = cause_of(err);
        int64_t delay_ms = -1;
        for (int k = 0; k < failures; k++)
            assert_true(retry_again(&SETTINGS, &retry, &cause, &random, &delay_ms));
        assert_true(delay_ms >= 0);
        longest_ms = delay_ms > longest_ms ? delay_ms : longest_ms;
    }
    return longest_ms;
}

static void overloads_and_transient_failures_have_different_bases(void **state)
{
    (void)state;
    static const struct {
        enum err err;
        int failures;
        int64_t most_ms;
    } CASES[] = {
        {ERR_UNAVAILABLE, 1, 200},  {ERR_CONNECTION, 2, 400},    {ERR_TIMEOUT, 5, 3200},
        {ERR_OVERLOADED, 1, 1000},  {ERR_OVERLOADED, 3, 4000},   {ERR_OVERLOADED, 5, 16000},
        {ERR_OVERLOADED, 9, 20000}, {ERR_OVERLOADED, 40, 20000}, {ERR_BROKEN_STREAM, 4, 1600},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        int64_t longest_ms = longest_after(CASES[i].err, CASES[i].failures);
        assert_true(longest_ms <= CASES[i].most_ms && longest_ms > CASES[i].most_ms * 9 / 10);
    }
}

static void overloads_use_up_no_attempt(void **state)
{
    (void)state;
    struct random random;
    int64_t delay_ms;
    random_init(&random, 7);
    struct retry_state retry = {0};
    struct retry_cause overloaded = cause_of(ERR_OVERLOADED);
    struct retry_cause failed = cause_of(ERR_UNAVAILABLE);
    for (int i = 0; i < 500; i++)
        assert_true(retry_again(&SETTINGS, &retry, &overloaded, &random, &delay_ms));
    for (uint32_t i = 1; i < SETTINGS.max_attempts; i++)
        assert_true(retry_again(&SETTINGS, &retry, &failed, &random, &delay_ms));
    assert_false(retry_again(&SETTINGS, &retry, &failed, &random, &delay_ms));
    assert_true(retry_again(&SETTINGS, &retry, &overloaded, &random, &delay_ms));
}

/* It waits for its target's quota, whatever the service asks for. */
static void a_throttled_request_has_no_delay(void **state)
{
    (void)state;
    struct random random;
    struct retry_state retry = {0};
    struct retry_cause cause = cause_of(ERR_THROTTLED);
    random_init(&random, 7);
    for (int i = 0; i < 500; i++) {
        int64_t delay_ms = 4711;
        cause.retry_after_ms = i * 100 - 1;
        assert_true(retry_again(&SETTINGS, &retry, &cause, &random, &delay_ms));
        assert_int_equal(delay_ms, 0);
    }
    assert_int_equal(retry.failed, 0);
    cause.elapsed_ms = SETTINGS.max_elapsed_ms + 1;
    int64_t delay_ms;
    assert_false(retry_again(&SETTINGS, &retry, &cause, &random, &delay_ms));
    cause.elapsed_ms = 0;
    cause.left_ms = 0;
    assert_false(retry_again(&SETTINGS, &retry, &cause, &random, &delay_ms));
}

static void during_an_outage_failures_use_up_no_attempt(void **state)
{
    (void)state;
    static const enum err ERRS[] = {ERR_CONNECTION, ERR_UNAVAILABLE, ERR_TIMEOUT};
    struct random random;
    int64_t delay_ms;
    random_init(&random, 7);
    for (size_t i = 0; i < COUNT_OF(ERRS); i++) {
        struct retry_state retry = {0};
        struct retry_cause cause = cause_of(ERRS[i]);
        cause.is_blameless = true;
        for (int k = 0; k < 500; k++)
            assert_true(retry_again(&SETTINGS, &retry, &cause, &random, &delay_ms));
        assert_int_equal(retry.failed, 0);
        cause.elapsed_ms = SETTINGS.max_elapsed_ms + 1;
        assert_false(retry_again(&SETTINGS, &retry, &cause, &random, &delay_ms));
    }
    struct retry_cause final = cause_of(ERR_REJECTED);
    struct retry_state retry = {0};
    final.is_blameless = true;
    assert_false(retry_again(&SETTINGS, &retry, &final, &random, &delay_ms));
}

static void a_maximum_of_one_attempt_allows_no_retry(void **state)
{
    (void)state;
    struct retry_settings settings = SETTINGS;
    struct random random;
    int64_t delay_ms = 4711;
    settings.max_attempts = 1;
    random_init(&random, 7);
    static const enum err ERRS[] = {ERR_UNAVAILABLE, ERR_TIMEOUT, ERR_MODEL_TIMEOUT, ERR_SIGNATURE};
    for (size_t i = 0; i < COUNT_OF(ERRS); i++) {
        struct retry_state retry = {0};
        struct retry_cause cause = cause_of(ERRS[i]);
        cause.is_refreshed = true;
        assert_false(retry_again(&settings, &retry, &cause, &random, &delay_ms));
    }
    assert_int_equal(delay_ms, 4711); /* untouched where there is no next time */
}

static void retry_after_moves_the_delay_into_its_window(void **state)
{
    (void)state;
    struct random random;
    random_init(&random, 8);
    static const int64_t AFTERS[] = {0, 1, 500, 3000, 15000, 60000, 900000};
    for (size_t i = 0; i < COUNT_OF(AFTERS); i++)
        for (int k = 0; k < 2000; k++) {
            struct retry_state retry = {.overloads = (uint32_t)(k % 9)};
            struct retry_cause cause = cause_of(ERR_OVERLOADED);
            int64_t delay_ms;
            cause.retry_after_ms = AFTERS[i];
            assert_true(retry_again(&SETTINGS, &retry, &cause, &random, &delay_ms));
            assert_in_range(delay_ms, AFTERS[i], AFTERS[i] + 5000);
        }
}

/* No call begins later than max_elapsed after the first one, nor when the request has expired. */
static void no_attempt_begins_beyond_a_time_limit(void **state)
{
    (void)state;
    struct random random;
    random_init(&random, 9);
    int again = 0;
    for (int i = 0; i < DRAWS; i++) {
        struct retry_state retry = {.overloads = (uint32_t)random_below(&random, 8)};
        struct retry_cause cause = cause_of(ERR_OVERLOADED);
        int64_t delay_ms;
        cause.elapsed_ms = SETTINGS.max_elapsed_ms - (int64_t)random_below(&random, 30000) + 100;
        cause.left_ms = (int64_t)random_below(&random, 30000);
        if (!retry_again(&SETTINGS, &retry, &cause, &random, &delay_ms))
            continue;
        again++;
        assert_true(cause.elapsed_ms + delay_ms <= SETTINGS.max_elapsed_ms);
        assert_true(delay_ms < cause.left_ms);
    }
    assert_true(again > DRAWS / 10);
}

static void a_retry_may_begin_exactly_at_its_time_limit(void **state)
{
    (void)state;
    struct random random;
    int64_t delay_ms;
    random_init(&random, 10);
    struct retry_settings settings = SETTINGS;
    settings.transient_base_ms = 0; /* every delay is 0 */
    struct retry_cause cause = cause_of(ERR_UNAVAILABLE);
    cause.elapsed_ms = settings.max_elapsed_ms;
    struct retry_state retry = {0};
    assert_true(retry_again(&settings, &retry, &cause, &random, &delay_ms));
    cause.elapsed_ms++;
    assert_false(retry_again(&settings, &retry, &cause, &random, &delay_ms));
    cause.elapsed_ms = 0;
    cause.left_ms = 1;
    assert_true(retry_again(&settings, &retry, &cause, &random, &delay_ms));
    cause.left_ms = 0;
    assert_false(retry_again(&settings, &retry, &cause, &random, &delay_ms));
    cause.left_ms = -5;
    assert_false(retry_again(&settings, &retry, &cause, &random, &delay_ms));
}

static void a_model_timeout_is_retried_once(void **state)
{
    (void)state;
    struct random random;
    int64_t delay_ms;
    random_init(&random, 11);
    struct retry_state retry = {0};
    struct retry_cause cause = cause_of(ERR_MODEL_TIMEOUT);
    struct retry_cause other = cause_of(ERR_UNAVAILABLE);
    assert_true(retry_again(&SETTINGS, &retry, &cause, &random, &delay_ms));
    assert_true(retry_again(&SETTINGS, &retry, &other, &random, &delay_ms));
    assert_false(retry_again(&SETTINGS, &retry, &cause, &random, &delay_ms));
}

static void changed_credentials_allow_a_retry(void **state)
{
    (void)state;
    struct random random;
    int64_t delay_ms;
    random_init(&random, 12);
    static const enum err ERRS[] = {ERR_CREDENTIALS_OLD, ERR_SIGNATURE};
    for (size_t i = 0; i < COUNT_OF(ERRS); i++) {
        struct retry_state retry = {0};
        struct retry_cause cause = cause_of(ERRS[i]);
        cause.is_refreshed = true;
        assert_true(retry_again(&SETTINGS, &retry, &cause, &random, &delay_ms));
        /* Old credentials are never the request's fault, a wrong signature may be. */
        assert_int_equal(retry_again(&SETTINGS, &retry, &cause, &random, &delay_ms),
                         ERRS[i] == ERR_CREDENTIALS_OLD);
    }
}

static void an_invalid_signature_without_new_credentials_is_final(void **state)
{
    (void)state;
    struct random random;
    int64_t delay_ms;
    random_init(&random, 13);
    struct retry_state retry = {0};
    struct retry_cause cause = cause_of(ERR_SIGNATURE);
    assert_false(retry_again(&SETTINGS, &retry, &cause, &random, &delay_ms));
}

/* Such requests wait for new ones (engine/refusal.h). */
static void old_credentials_without_new_ones_allow_no_retry(void **state)
{
    (void)state;
    struct random random;
    int64_t delay_ms;
    random_init(&random, 14);
    struct retry_state retry = {0};
    struct retry_cause cause = cause_of(ERR_CREDENTIALS_OLD);
    assert_false(retry_again(&SETTINGS, &retry, &cause, &random, &delay_ms));
    assert_int_equal(retry.failed, 0);
}

/* The list of errors is the policy: an error that rejects the request or stops the worker is never
 * retried. */
static void errors_that_reject_or_stop_are_never_retried(void **state)
{
    (void)state;
    struct random random;
    random_init(&random, 13);
    int retried = 0;
    for (int err = 0; err < ERR_COUNT; err++) {
        struct retry_state retry = {0};
        struct retry_cause cause = cause_of((enum err)err);
        int64_t delay_ms;
        enum remedy remedy = err_remedy((enum err)err);
        cause.is_refreshed = true;
        bool again = retry_again(&SETTINGS, &retry, &cause, &random, &delay_ms);
        assert_int_equal(again, remedy != DO_NOTHING && remedy != DO_REJECT && remedy != DO_STOP);
        retried += again;
    }
    assert_true(retried >= 10);
}

static void a_clock_is_corrected_only_when_it_is_far_off(void **state)
{
    (void)state;
    struct clock_skew skew = {0};
    int64_t wall_ms = 1795000000000;
    assert_false(clock_skew_hear(&skew, wall_ms, wall_ms + CLOCK_SKEW_NOISE_MS));
    assert_false(clock_skew_hear(&skew, wall_ms, wall_ms - CLOCK_SKEW_NOISE_MS));
    assert_int_equal(clock_skew_offset_ms(&skew), 0);
    assert_true(clock_skew_hear(&skew, wall_ms, wall_ms + 600000));
    assert_int_equal(clock_skew_offset_ms(&skew), 600000);
    assert_false(clock_skew_hear(&skew, wall_ms, wall_ms + 590000));
    assert_int_equal(clock_skew_offset_ms(&skew), 600000);
    assert_true(clock_skew_hear(&skew, wall_ms, wall_ms - 1000)); /* the clock was corrected */
    assert_int_equal(clock_skew_offset_ms(&skew), -1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jitter_is_full_and_doubles_up_to_the_limit),
        cmocka_unit_test(jitter_accepts_any_numbers),
        cmocka_unit_test(overloads_and_transient_failures_have_different_bases),
        cmocka_unit_test(overloads_use_up_no_attempt),
        cmocka_unit_test(a_throttled_request_has_no_delay),
        cmocka_unit_test(during_an_outage_failures_use_up_no_attempt),
        cmocka_unit_test(a_maximum_of_one_attempt_allows_no_retry),
        cmocka_unit_test(retry_after_moves_the_delay_into_its_window),
        cmocka_unit_test(no_attempt_begins_beyond_a_time_limit),
        cmocka_unit_test(a_retry_may_begin_exactly_at_its_time_limit),
        cmocka_unit_test(a_model_timeout_is_retried_once),
        cmocka_unit_test(changed_credentials_allow_a_retry),
        cmocka_unit_test(an_invalid_signature_without_new_credentials_is_final),
        cmocka_unit_test(old_credentials_without_new_ones_allow_no_retry),
        cmocka_unit_test(errors_that_reject_or_stop_are_never_retried),
        cmocka_unit_test(a_clock_is_corrected_only_when_it_is_far_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
