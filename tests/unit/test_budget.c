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

/* Of a worker whose reservations the others do not know. */
static bool allows(const struct budget *budget, int64_t expected, double share, uint32_t workers)
{
    const struct budget_group group = {.share = share, .workers = workers, .known_ms = -1};
    return budget_allows(budget, &TOKENS, expected, &group, NOW_MS);
}

static void absurd_amounts_stay_at_the_largest_value(void **state)
{
    (void)state;
    struct budget budget = {0};
    budget_add(&budget, &TOKENS, NOW_MS, INT64_MAX);
    budget_add(&budget, &TOKENS, NOW_MS, INT64_MAX);
    assert_int_equal(budget_spent_at(&budget, &TOKENS, NOW_MS), INT64_MAX);
    assert_int_equal(budget_left(&budget, &TOKENS, NOW_MS), 0);
    assert_false(allows(&budget, 0 + 1, 1, 1));
    budget_reserve(&budget, INT64_MAX, 0);
    budget_reserve(&budget, INT64_MAX, 0);
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
    budget_reserve(&budget, 100, 0);
    assert_true(allows(&budget, 150, 0.25, 4));
    assert_false(allows(&budget, 151, 0.25, 4));
    budget_change(&budget, 100, 40, 0);
    assert_true(allows(&budget, 210, 0.25, 4));
    budget_add(&budget, &TOKENS, NOW_MS, 500);
    assert_false(allows(&budget, 90, 0.25, 4));
    assert_true(allows(&budget, 460, 1, 1));
    assert_false(allows(&budget, 461, 1, 1));
}

/* Not for a share of something small; and a second call waits only until the others know of the
 * first, who may have reserved the rest meanwhile. */
static void no_request_is_held_while_every_workers_largest_call_fits(void **state)
{
    (void)state;
    struct budget budget = {0};
    struct budget_group group = {.share = 0.001, .workers = 4, .known_ms = -1};
    assert_true(budget_allows(&budget, &TOKENS, 250, &group, NOW_MS));
    assert_false(budget_allows(&budget, &TOKENS, 251, &group, NOW_MS));
    budget_reserve(&budget, 120, 0);
    assert_false(budget_allows(&budget, &TOKENS, 100, &group, NOW_MS));
    group.known_ms = 0;
    assert_true(budget_allows(&budget, &TOKENS, 220, &group, NOW_MS));
    assert_false(budget_allows(&budget, &TOKENS, 221, &group, NOW_MS));
    group.share = 0.25;
    group.known_ms = -1;
    assert_true(budget_allows(&budget, &TOKENS, 100, &group, NOW_MS));
    assert_false(budget_allows(&budget, &TOKENS, 131, &group, NOW_MS));
}

static void an_idle_budget_can_be_forgotten(void **state)
{
    (void)state;
    struct budget budget = {0};
    assert_true(budget_is_idle(&budget, &TOKENS, NOW_MS));
    budget_add(&budget, &TOKENS, NOW_MS, 1);
    assert_false(budget_is_idle(&budget, &TOKENS, NOW_MS));
    assert_true(budget_is_idle(&budget, &TOKENS, budget_end_ms(BUDGET_DAY, NOW_MS)));
    budget_reserve(&budget, 1, 0);
    assert_false(budget_is_idle(&budget, &TOKENS, budget_end_ms(BUDGET_DAY, NOW_MS)));
}

static void what_others_have_reserved_is_not_free(void **state)
{
    (void)state;
    struct budget budget = {0};
    budget_note_others(&budget, 700);
    assert_true(allows(&budget, 300, 1, 1));
    assert_false(allows(&budget, 301, 1, 1));
    budget_note_others(&budget, -700);
    assert_true(allows(&budget, 1000, 1, 1));
}

/* A share is of what is free: what the others know takes nothing of it, what they do not know all.
 */
static void reservations_that_the_others_know_leave_the_share(void **state)
{
    (void)state;
    struct budget budget = {0};
    struct budget_group group = {.share = 0.5, .workers = 2, .known_ms = 99};
    budget_reserve(&budget, 400, 100);
    assert_true(budget_allows(&budget, &TOKENS, 100, &group, NOW_MS));
    assert_false(budget_allows(&budget, &TOKENS, 101, &group, NOW_MS));
    group.known_ms = 100;
    assert_true(budget_allows(&budget, &TOKENS, 300, &group, NOW_MS));
    assert_false(budget_allows(&budget, &TOKENS, 301, &group, NOW_MS));
}

/* The others may see a record later than this worker. */
static void what_is_spent_takes_the_share_until_the_others_know(void **state)
{
    (void)state;
    struct budget budget = {0};
    struct budget_group group = {.share = 0.5, .workers = 2, .known_ms = 99};
    budget_reserve(&budget, 400, 100);
    budget_add(&budget, &TOKENS, NOW_MS, 400);
    budget_seen(&budget, 400, 100);
    assert_int_equal(budget.reserved, 0);
    assert_false(budget_allows(&budget, &TOKENS, 10, &group, NOW_MS));
    group.known_ms = 100;
    assert_true(budget_allows(&budget, &TOKENS, 10, &group, NOW_MS));
}

static void a_budget_is_over_when_the_largest_calls_do_not_fit(void **state)
{
    (void)state;
    struct budget budget = {0};
    const struct budget_group group = {.share = 0.25, .workers = 4, .known_ms = 0};
    budget_reserve(&budget, 100, 5);
    budget_note_others(&budget, 499);
    assert_true(budget_is_over(&budget, &TOKENS, 10, &group, NOW_MS));
    budget_note_others(&budget, -3);
    assert_false(budget_is_over(&budget, &TOKENS, 10, &group, NOW_MS));
    assert_true(budget_is_over(&budget, &TOKENS, 101, &group, NOW_MS));
}

static void reservations_of_long_ago_are_counted_together(void **state)
{
    (void)state;
    struct budget budget = {0};
    struct budget_group group = {.share = 0.5, .workers = 2, .known_ms = -1};
    for (int i = 0; i < 100; i++)
        budget_reserve(&budget, 4, i * 1000);
    assert_false(budget_allows(&budget, &TOKENS, 103, &group, NOW_MS));
    group.known_ms = 99000;
    assert_true(budget_allows(&budget, &TOKENS, 103, &group, NOW_MS));
    for (int i = 0; i < 100; i++)
        budget_change(&budget, 4, 0, i * 1000);
    assert_int_equal(budget.reserved, 0);
}

/* ---- a group ---- */

#define WORKERS  4
#define SLOTS    50
#define STEP_MS  20
#define STEPS    12000
#define NEWS_MAX 40000

/* Something that a worker hears of at a time. */
struct news {
    int64_t at_ms, amount; /* spent, or reserved by `from` */
    size_t to, from;
    bool is_spent, is_own;
    int64_t sent_ms;
};

struct world_call {
    int64_t expected, cost, since_ms, end_ms; /* expected 0 = the slot is free */
};

struct group_world {
    struct random random;
    struct budget_rules rules;
    struct budget budgets[WORKERS];
    struct world_call calls[WORKERS][SLOTS];
    int64_t told[WORKERS][WORKERS]; /* to whom, by whom */
    int64_t known_ms[WORKERS], due_ms[WORKERS];
    int64_t lag_ms[WORKERS];
    double share[WORKERS];
    struct news news[NEWS_MAX];
    size_t news_count;
    int64_t now_ms, spent, error, largest;
};

static void add_news(struct group_world *world, struct news news)
{
    assert_true(world->news_count < NEWS_MAX);
    world->news[world->news_count++] = news;
}

static void hear(struct group_world *world, const struct news *news)
{
    struct budget *budget = &world->budgets[news->to];
    if (news->is_spent) {
        budget_add(budget, &world->rules, NOW_MS, news->amount);
        budget_note_call(budget, news->amount);
        if (news->is_own)
            budget_seen(budget, news->amount, news->sent_ms);
    } else if (news->is_own) {
        world->known_ms[news->to] = news->sent_ms - 1;
    } else {
        int64_t *told = &world->told[news->to][news->from];
        budget_note_others(budget, news->amount - *told);
        *told = news->amount;
    }
}

static void hear_all(struct group_world *world)
{
    size_t kept = 0, count = world->news_count;
    for (size_t i = 0; i < count; i++)
        if (world->news[i].at_ms <= world->now_ms)
            hear(world, &world->news[i]);
        else
            world->news[kept++] = world->news[i];
    world->news_count = kept;
}

/* As engine/reservations.c: one record at a time, and a margin behind its return. */
static void tell_others(struct group_world *world, size_t w)
{
    if (world->now_ms < world->due_ms[w])
        return;
    int64_t took_ms = 0;
    for (size_t v = 0; v < WORKERS; v++) {
        if (v != w)
            add_news(world, (struct news){.at_ms = world->now_ms + world->lag_ms[v],
                                          .amount = world->budgets[w].reserved,
                                          .to = v,
                                          .from = w});
        took_ms = world->lag_ms[v] > took_ms ? world->lag_ms[v] : took_ms;
    }
    add_news(world, (struct news){.at_ms = world->now_ms + took_ms + 500 + 2 * took_ms,
                                  .to = w,
                                  .from = w,
                                  .is_own = true,
                                  .sent_ms = world->now_ms});
    world->due_ms[w] = world->now_ms + (took_ms > 500 ? took_ms : 500);
}

static void end_call(struct group_world *world, size_t w, struct world_call *call)
{
    int64_t commit_ms = 100 + (int64_t)random_below(&world->random, 400);
    budget_change(&world->budgets[w], call->expected, call->cost, call->since_ms);
    world->spent += call->cost;
    world->error += call->cost > call->expected ? call->cost - call->expected : 0;
    for (size_t v = 0; v < WORKERS; v++)
        add_news(world, (struct news){.at_ms = world->now_ms + commit_ms + world->lag_ms[v],
                                      .amount = call->cost,
                                      .to = v,
                                      .is_spent = true,
                                      .is_own = v == w,
                                      .sent_ms = call->since_ms});
    call->expected = 0;
}

static void try_call(struct group_world *world, size_t w, struct world_call *call)
{
    const struct budget_group group = {
        .share = world->share[w], .workers = WORKERS, .known_ms = world->known_ms[w]};
    int64_t expected = 100 + (int64_t)random_below(&world->random, 900);
    if (!budget_allows(&world->budgets[w], &world->rules, expected, &group, NOW_MS))
        return;
    budget_reserve(&world->budgets[w], expected, world->now_ms);
    bool is_long = random_below(&world->random, 10) == 0;
    *call = (struct world_call){
        .expected = expected,
        .cost = expected * (int64_t)(80 + random_below(&world->random, 31)) / 100,
        .since_ms = world->now_ms,
        .end_ms = world->now_ms + (int64_t)random_below(&world->random, is_long ? 60000 : 1500),
    };
    world->largest = expected > world->largest ? expected : world->largest;
}

static void world_begin(struct group_world *world, uint64_t seed)
{
    double sum = 0;
    memset(world, 0, sizeof *world);
    world->rules = (struct budget_rules){.per = BUDGET_DAY, .limit = 400000};
    random_init(&world->random, seed);
    for (size_t w = 0; w < WORKERS; w++) {
        world->share[w] = seed % 2 == 0 ? 1 : 0.005 + (double)random_below(&world->random, 1000);
        world->lag_ms[w] = 20 + (int64_t)random_below(&world->random, 280);
        world->known_ms[w] = -1;
        sum += world->share[w];
    }
    for (size_t w = 0; w < WORKERS; w++)
        world->share[w] /= sum;
}

/* Workers with equal and unequal shares that hear late of each other, with short and long calls
 * that cost up to a tenth more than they expect: the group never spends more than the limit and
 * those errors, and leaves no more than the largest call of each. */
static void a_group_stays_below_the_limit_but_for_its_errors(void **state)
{
    (void)state;
    static struct group_world world;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        world_begin(&world, seed);
        for (int step = 0; step < STEPS; step++, world.now_ms += STEP_MS) {
            hear_all(&world);
            for (size_t w = 0; w < WORKERS; w++) {
                tell_others(&world, w);
                for (size_t s = 0; s < SLOTS; s++) {
                    struct world_call *call = &world.calls[w][s];
                    if (call->expected > 0 && world.now_ms >= call->end_ms)
                        end_call(&world, w, call);
                    else if (call->expected == 0)
                        try_call(&world, w, call);
                }
            }
        }
        assert_true(world.spent <= world.rules.limit + world.error);
        assert_true(world.spent >= world.rules.limit - WORKERS * world.largest);
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
        cmocka_unit_test(what_others_have_reserved_is_not_free),
        cmocka_unit_test(reservations_that_the_others_know_leave_the_share),
        cmocka_unit_test(what_is_spent_takes_the_share_until_the_others_know),
        cmocka_unit_test(a_budget_is_over_when_the_largest_calls_do_not_fit),
        cmocka_unit_test(reservations_of_long_ago_are_counted_together),
        cmocka_unit_test(a_group_stays_below_the_limit_but_for_its_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
