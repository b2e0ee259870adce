#include "unit/unit.h"

#include "policy/renewal.h"

#define HOUR_MS INT64_C(3600000)

/* The least and the most of many pauses. */
static void range_of(struct renewal renewal, int64_t *ret_least_ms, int64_t *ret_most_ms)
{
    struct random random;
    random_init(&random, 7);
    *ret_least_ms = INT64_MAX;
    *ret_most_ms = 0;
    for (int i = 0; i < 2000; i++) {
        int64_t pause_ms = renewal_pause_ms(&renewal, &random);
        *ret_least_ms = pause_ms < *ret_least_ms ? pause_ms : *ret_least_ms;
        *ret_most_ms = pause_ms > *ret_most_ms ? pause_ms : *ret_most_ms;
    }
}

static void keys_are_renewed_between_the_advisory_and_the_mandatory_time(void **state)
{
    (void)state;
    int64_t least_ms, most_ms;
    range_of((struct renewal){.left_ms = HOUR_MS, .is_costly = true}, &least_ms, &most_ms);
    assert_true(least_ms >= HOUR_MS - RENEWAL_ADVISORY_MS);
    assert_true(most_ms < HOUR_MS - RENEWAL_MANDATORY_MS);
    assert_true(most_ms - least_ms > 100000); /* many workers do not ask at once */
}

static void short_lived_keys_are_renewed_at_half_of_their_life(void **state)
{
    (void)state;
    int64_t least_ms, most_ms;
    range_of((struct renewal){.left_ms = 120000, .is_costly = true}, &least_ms, &most_ms);
    assert_true(least_ms >= 60000 && most_ms <= 66000 && most_ms > least_ms);
    range_of((struct renewal){.left_ms = 2 * RENEWAL_ADVISORY_MS - 1, .is_costly = true}, &least_ms,
             &most_ms);
    assert_true(least_ms >= RENEWAL_ADVISORY_MS - 1);
}

static void files_are_read_again_and_costly_keys_without_end_are_not(void **state)
{
    (void)state;
    int64_t least_ms, most_ms;
    range_of((struct renewal){.left_ms = INT64_MAX}, &least_ms, &most_ms);
    assert_true(least_ms == RENEWAL_LOOK_MS && most_ms == RENEWAL_LOOK_MS);
    range_of((struct renewal){.left_ms = INT64_MAX, .is_costly = true}, &least_ms, &most_ms);
    assert_true(least_ms == INT64_MAX);
    range_of((struct renewal){.left_ms = 0, .failures = 3}, &least_ms, &most_ms);
    assert_true(least_ms == 2000 && most_ms == 2000);
}

static void failures_are_retried_with_growing_pauses(void **state)
{
    (void)state;
    int64_t least_ms, most_ms, before_ms = 0;
    for (uint32_t failures = 1; failures < 40; failures++) {
        range_of((struct renewal){.left_ms = HOUR_MS, .is_costly = true, .failures = failures},
                 &least_ms, &most_ms);
        assert_true(most_ms >= before_ms && most_ms <= 60000 && least_ms >= 500);
        before_ms = most_ms;
    }
    assert_true(before_ms > 50000);
    range_of((struct renewal){.left_ms = 0, .is_costly = true, .failures = 40}, &least_ms,
             &most_ms);
    assert_true(most_ms <= 10000 && least_ms >= 5000);
    range_of((struct renewal){.left_ms = 1000, .is_costly = true, .failures = UINT32_MAX},
             &least_ms, &most_ms);
    assert_true(most_ms <= 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_renewed_between_the_advisory_and_the_mandatory_time),
        cmocka_unit_test(short_lived_keys_are_renewed_at_half_of_their_life),
        cmocka_unit_test(files_are_read_again_and_costly_keys_without_end_are_not),
        cmocka_unit_test(failures_are_retried_with_growing_pauses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
