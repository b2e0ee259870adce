#include "unit/unit.h"

#include "policy/outage.h"

static void failures_in_a_row_of_several_requests_are_an_outage(void **state)
{
    (void)state;
    struct outage outage = {0};
    for (uint64_t request = 1; request < OUTAGE_FAILURES; request++)
        assert_false(outage_failure(&outage, request));
    assert_true(outage_failure(&outage, OUTAGE_FAILURES));
    assert_true(outage_failure(&outage, 1));
    assert_true(outage_is_on(&outage));
}

static void an_answer_ends_an_outage_and_a_row(void **state)
{
    (void)state;
    struct outage outage = {0};
    for (int round = 0; round < 3; round++) {
        for (uint64_t request = 1; request < OUTAGE_FAILURES; request++)
            assert_false(outage_failure(&outage, request));
        outage_answer(&outage);
    }
    for (uint64_t request = 1; request <= OUTAGE_FAILURES; request++)
        (void)outage_failure(&outage, request);
    assert_true(outage_is_on(&outage));
    outage_answer(&outage);
    assert_false(outage_is_on(&outage));
    assert_false(outage_failure(&outage, 1));
}

static void one_failing_request_is_no_outage(void **state)
{
    (void)state;
    struct outage outage = {0};
    for (int i = 0; i < 1000; i++)
        assert_false(outage_failure(&outage, 7));
    assert_true(outage_failure(&outage, 8)); /* another one fails as well */
    outage = (struct outage){.failures = UINT32_MAX, .request = 7};
    assert_false(outage_failure(&outage, 7)); /* the count does not wrap */
    assert_int_equal(outage.failures, UINT32_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failures_in_a_row_of_several_requests_are_an_outage),
        cmocka_unit_test(an_answer_ends_an_outage_and_a_row),
        cmocka_unit_test(one_failing_request_is_no_outage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
