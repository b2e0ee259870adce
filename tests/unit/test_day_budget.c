/* A budget of tokens that holds for any 24 hours. */
#include "unit/unit.h"

#include "policy/day_budget.h"

#define HOUR 3600000LL
#define DAY  (24 * HOUR)

static void what_was_spent_counts_for_a_day(void **state)
{
    (void)state;
    struct day_budget budget = {.slot = 0};
    int64_t again_ms = 0;
    day_budget_spend(&budget, 900, 1, 5 * HOUR);
    assert_true(day_budget_allows(&budget, 1000, 100, 6 * HOUR, &again_ms));
    assert_false(day_budget_allows(&budget, 1000, 101, 6 * HOUR, &again_ms));
    assert_true(again_ms >= 5 * HOUR + DAY && again_ms <= 5 * HOUR + DAY + HOUR);
    assert_false(day_budget_allows(&budget, 1000, 101, 5 * HOUR + DAY, &again_ms));
    assert_true(day_budget_allows(&budget, 1000, 101, again_ms, &again_ms));
    assert_true(day_budget_spent(&budget, 5 * HOUR + 2 * DAY) == 0);
}

/* Whatever the moment at which AWS begins its day. */
static void no_24_hours_spend_more_than_the_budget(void **state)
{
    (void)state;
    struct day_budget budget = {.slot = 0};
    static double spent[4 * 24 * 60]; /* by minute */
    for (int minute = 0; minute < 4 * 24 * 60; minute++) {
        int64_t now_ms = minute * 60000LL, again_ms;
        while (day_budget_allows(&budget, 1000, 10, now_ms, &again_ms) && spent[minute] < 50) {
            day_budget_spend(&budget, 10, 1, now_ms);
            spent[minute] += 10;
        }
    }
    for (int from = 0; from + 24 * 60 <= 4 * 24 * 60; from++) {
        double sum = 0;
        for (int minute = from; minute < from + 24 * 60; minute++)
            sum += spent[minute];
        assert_true(sum <= 1000);
    }
    double all = 0;
    for (int minute = 0; minute < 4 * 24 * 60; minute++)
        all += spent[minute];
    assert_true(all >= 3900); /* and none of it is left over */
}

static void it_waits_only_until_enough_is_old(void **state)
{
    (void)state;
    struct day_budget budget = {.slot = 0};
    int64_t again_ms = 0;
    day_budget_spend(&budget, 300, 1, 1 * HOUR);
    day_budget_spend(&budget, 700, 1, 10 * HOUR);
    assert_false(day_budget_allows(&budget, 1000, 300, 11 * HOUR, &again_ms));
    assert_true(again_ms < 27 * HOUR);
    assert_false(day_budget_allows(&budget, 1000, 301, 11 * HOUR, &again_ms));
    assert_true(again_ms > 33 * HOUR && again_ms < 36 * HOUR);
}

static void the_others_are_expected_to_spend_their_part(void **state)
{
    (void)state;
    struct day_budget budget = {.slot = 0};
    day_budget_spend(&budget, 100, 0.25, HOUR);
    assert_true(day_budget_spent(&budget, HOUR) == 400);
    day_budget_spend(&budget, 1, 0, HOUR);
    assert_true(day_budget_spent(&budget, HOUR) == 500);
    day_budget_spend(&budget, -5, 1, HOUR);
    assert_true(day_budget_spent(&budget, HOUR) == 500);
}

static void a_request_larger_than_the_budget_is_called_when_nothing_is_spent(void **state)
{
    (void)state;
    struct day_budget budget = {.slot = 0};
    int64_t again_ms = 0;
    assert_true(day_budget_allows(&budget, 1000, 5000, HOUR, &again_ms));
    day_budget_spend(&budget, 5000, 1, HOUR);
    assert_false(day_budget_allows(&budget, 1000, 1, HOUR, &again_ms));
    assert_true(day_budget_allows(&budget, 1000, 5000, again_ms, &again_ms));
}

static void clocks_that_jump_back_lose_nothing(void **state)
{
    (void)state;
    struct day_budget budget = {.slot = 0};
    day_budget_spend(&budget, 100, 1, 50 * HOUR);
    assert_true(day_budget_spent(&budget, 10 * HOUR) == 100);
    assert_true(day_budget_spent(&budget, 51 * HOUR) == 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_spent_counts_for_a_day),
        cmocka_unit_test(no_24_hours_spend_more_than_the_budget),
        cmocka_unit_test(it_waits_only_until_enough_is_old),
        cmocka_unit_test(the_others_are_expected_to_spend_their_part),
        cmocka_unit_test(a_request_larger_than_the_budget_is_called_when_nothing_is_spent),
        cmocka_unit_test(clocks_that_jump_back_lose_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
