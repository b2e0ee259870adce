/* Budgets: spans of UTC, what is spent, and how workers share what is left. */
#include "unit/unit.h"

#include <stdlib.h>
#include <time.h>

#include "base/attr.h"
#include "base/random.h"
#include "policy/budget.h"

#define NOW_MS INT64_C(1764500000000) /* 2025-11-30T10:53:20Z */

static const struct budget_rules TOKENS = {.per = BUDGET_DAY, .limit = 1000, .soft = 800};

/* ---- spans ---- */

static int64_t at(int year, int month, int day, int hour, int minute)
{
    struct tm tm = {.tm_year = year - 1900,
                    .tm_mon = month - 1,
                    .tm_mday = day,
                    .tm_hour = hour,
                    .tm_min = minute};
    return (int64_t)timegm(&tm) * 1000;
}

static void check_month(int year, int month)
{
    int64_t start = at(year, month, 1, 0, 0);
    int64_t end = month == 12 ? at(year + 1, 1, 1, 0, 0) : at(year, month + 1, 1, 0, 0);
    const int64_t times[] = {start, start + 1, (start + end) / 2, end - 1};
    for (size_t i = 0; i < COUNT_OF(times); i++) {
        assert_int_equal(budget_start_ms(BUDGET_MONTH, times[i]), start);
        assert_int_equal(budget_end_ms(BUDGET_MONTH, times[i]), end);
    }
}

static void months_of_28_to_31_days_begin_and_end_at_midnight(void **state)
{
    (void)state;
    for (int year = 1970; year <= 2110; year++)
        for (int month = 1; month <= 12; month++)
            check_month(year, month);
}

static void minutes_hours_and_days_are_those_of_utc(void **state)
{
    (void)state;
    int64_t time = at(2026, 11, 30, 23, 59) + 59999;
    assert_int_equal(budget_start_ms(BUDGET_MINUTE, time), at(2026, 11, 30, 23, 59));
    assert_int_equal(budget_end_ms(BUDGET_MINUTE, time), at(2026, 12, 1, 0, 0));
    assert_int_equal(budget_start_ms(BUDGET_HOUR, time), at(2026, 11, 30, 23, 0));
    assert_int_equal(budget_start_ms(BUDGET_DAY, time), at(2026, 11, 30, 0, 0));
    assert_int_equal(budget_end_ms(BUDGET_DAY, time), at(2026, 12, 1, 0, 0));
    assert_int_equal(budget_start_ms(BUDGET_MONTH, -5), 0);
}

/* ---- what is spent ---- */

static void a_new_span_begins_with_nothing_spent(void **state)
{
    (void)state;
    struct budget budget = {0};
    budget_add(&budget, &TOKENS, NOW_MS, 700);
    budget_add(&budget, &TOKENS, NOW_MS, 200);
    assert_int_equal(budget_spent_at(&budget, &TOKENS, NOW_MS), 900);
    assert_int_equal(budget_left(&budget, &TOKENS, NOW_MS), 100);
    int64_t next = budget_end_ms(BUDGET_DAY, NOW_MS);
    assert_int_equal(budget_spent_at(&budget, &TOKENS, next - 1), 900);
    assert_int_equal(budget_spent_at(&budget, &TOKENS, next), 0);
}

static void a_clock_that_jumps_there_and_back_keeps_what_was_spent(void **state)
{
    (void)state;
    struct budget budget = {0};
    int64_t next = budget_end_ms(BUDGET_DAY, NOW_MS);
    budget_add(&budget, &TOKENS, NOW_MS, 500);
    budget_add(&budget, &TOKENS, next, 30); /* of a worker whose clock is ahead */
    budget_add(&budget, &TOKENS, NOW_MS, 50);
    budget_add(&budget, &TOKENS, NOW_MS - 3 * INT64_C(86400000), 999); /* of a day that is over */
    assert_int_equal(budget_spent_at(&budget, &TOKENS, NOW_MS), 550);
    assert_int_equal(budget_spent_at(&budget, &TOKENS, next), 30);
}

static void absurd_amounts_stay_at_the_largest_value(void **state)
{
    (void)state;
    struct budget budget = {0};
    budget_add(&budget, &TOKENS, NOW_MS, INT64_MAX);
    budget_add(&budget, &TOKENS, NOW_MS, INT64_MAX);
    assert_int_equal(budget_spent_at(&budget, &TOKENS, NOW_MS), INT64_MAX);
    assert_int_equal(budget_left(&budget, &TOKENS, NOW_MS), 0);
    assert_false(budget_allows(&budget, &TOKENS, 0 + 1, 1, 1, NOW_MS));
    budget_reserve(&budget, INT64_MAX);
    budget_reserve(&budget, INT64_MAX);
    assert_int_equal(budget.reserved, INT64_MAX);
}

static void a_replaced_record_is_taken_back(void **state)
{
    (void)state;
    struct budget budget = {0};
    budget_add(&budget, &TOKENS, NOW_MS, 300);
    budget_add(&budget, &TOKENS, NOW_MS, -200);
    assert_int_equal(budget_spent_at(&budget, &TOKENS, NOW_MS), 100);
    budget_add(&budget, &TOKENS, NOW_MS, -500);
    assert_int_equal(budget_spent_at(&budget, &TOKENS, NOW_MS), 0);
}

/* ---- reservations ---- */

static void a_worker_reserves_its_share_of_what_is_left(void **state)
{
    (void)state;
    struct budget budget = {0};
    budget_reserve(&budget, 100);
    assert_true(budget_allows(&budget, &TOKENS, 150, 0.25, 4, NOW_MS));
    assert_false(budget_allows(&budget, &TOKENS, 151, 0.25, 4, NOW_MS));
    budget_change(&budget, 100, 40);
    assert_true(budget_allows(&budget, &TOKENS, 210, 0.25, 4, NOW_MS));
    budget_add(&budget, &TOKENS, NOW_MS, 500);
    assert_false(budget_allows(&budget, &TOKENS, 90, 0.25, 4, NOW_MS));
    assert_true(budget_allows(&budget, &TOKENS, 460, 1, 1, NOW_MS));
    assert_false(budget_allows(&budget, &TOKENS, 461, 1, 1, NOW_MS));
}

static void no_request_is_held_while_every_workers_largest_call_fits(void **state)
{
    (void)state;
    struct budget budget = {0};
    assert_true(budget_allows(&budget, &TOKENS, 250, 0.001, 4, NOW_MS));
    assert_false(budget_allows(&budget, &TOKENS, 251, 0.001, 4, NOW_MS));
    budget_reserve(&budget, 120);
    assert_true(budget_allows(&budget, &TOKENS, 100, 0.001, 4, NOW_MS));
    assert_false(budget_allows(&budget, &TOKENS, 131, 0.001, 4, NOW_MS));
}

static void an_idle_budget_can_be_forgotten(void **state)
{
    (void)state;
    struct budget budget = {0};
    assert_true(budget_is_idle(&budget, &TOKENS, NOW_MS));
    budget_add(&budget, &TOKENS, NOW_MS, 1);
    assert_false(budget_is_idle(&budget, &TOKENS, NOW_MS));
    assert_true(budget_is_idle(&budget, &TOKENS, budget_end_ms(BUDGET_DAY, NOW_MS)));
    budget_reserve(&budget, 1);
    assert_false(budget_is_idle(&budget, &TOKENS, budget_end_ms(BUDGET_DAY, NOW_MS)));
}

/* ---- a group ---- */

#define WORKERS 4
#define SLOTS   50
#define STEPS   20000

struct call {
    int64_t expected, cost;
    int steps; /* 0 = the slot is free */
};

/* Workers that know each other's records late, with calls that cost up to a tenth more than they
 * expect: the group never spends more than the limit, those errors, and what came late. */
static void a_group_stays_below_the_limit_but_for_its_errors(void **state)
{
    (void)state;
    struct random random;
    random_init(&random, 7);
    for (int world = 0; world < 20; world++) {
        struct budget budgets[WORKERS] = {{.reserved = 0}};
        struct call calls[WORKERS][SLOTS] = {{{0}}};
        struct budget_rules rules = {.per = BUDGET_DAY, .limit = 400000};
        int64_t late[WORKERS][8] = {{0}}, spent = 0, error = 0, largest = 0, most_late = 0;
        for (int step = 0; step < STEPS; step++) {
            size_t w = random_below(&random, WORKERS), s = random_below(&random, SLOTS);
            struct call *call = &calls[w][s];
            if (call->steps == 0) {
                int64_t expected = 100 + (int64_t)random_below(&random, 900);
                if (!budget_allows(&budgets[w], &rules, expected, 1.0 / WORKERS, WORKERS, NOW_MS))
                    continue;
                budget_reserve(&budgets[w], expected);
                int64_t cost = expected * (int64_t)(80 + random_below(&random, 31)) / 100;
                *call = (struct call){expected, cost, 1};
                largest = expected > largest ? expected : largest;
            } else { /* it ends: its own worker sees the record at once, the others later */
                spent += call->cost;
                error += call->cost > call->expected ? call->cost - call->expected : 0;
                for (size_t v = 0; v < WORKERS; v++)
                    if (v == w)
                        budget_add(&budgets[v], &rules, NOW_MS, call->cost);
                    else
                        late[v][step % 8] += call->cost;
                budget_change(&budgets[w], call->expected, 0);
                call->steps = 0;
            }
            for (size_t v = 0; v < WORKERS; v++) {
                int64_t waiting = 0;
                for (size_t i = 0; i < 8; i++)
                    waiting += late[v][i];
                most_late = waiting > most_late ? waiting : most_late;
                budget_add(&budgets[v], &rules, NOW_MS, late[v][(step + 1) % 8]);
                late[v][(step + 1) % 8] = 0;
            }
        }
        assert_true(spent <= rules.limit + error + most_late);
        assert_true(spent >= rules.limit - WORKERS * largest - most_late);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(months_of_28_to_31_days_begin_and_end_at_midnight),
        cmocka_unit_test(minutes_hours_and_days_are_those_of_utc),
        cmocka_unit_test(a_new_span_begins_with_nothing_spent),
        cmocka_unit_test(a_clock_that_jumps_there_and_back_keeps_what_was_spent),
        cmocka_unit_test(absurd_amounts_stay_at_the_largest_value),
        cmocka_unit_test(a_replaced_record_is_taken_back),
        cmocka_unit_test(a_worker_reserves_its_share_of_what_is_left),
        cmocka_unit_test(no_request_is_held_while_every_workers_largest_call_fits),
        cmocka_unit_test(an_idle_budget_can_be_forgotten),
        cmocka_unit_test(a_group_stays_below_the_limit_but_for_its_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
