#include "unit/unit.h"

#include "policy/quota.h"

static const struct quota_cost SMALL = {.input = 100, .max_output = 400};
static const struct quota_rules SIXTY = {.requests_per_minute = 60, .burndown = 1, .burst_s = 30};
static const struct quota_rules TOKENS = {.tokens_per_minute = 60000, .burndown = 5, .burst_s = 30};
static const struct quota_rules NOTHING = {.burndown = 1};

static bool begin(struct quota *quota, int64_t now_ms, struct quota_ticket *ret_ticket)
{
    int64_t again_ms;
    return quota_admit(quota, &SMALL, now_ms, ret_ticket, &again_ms);
}

static struct quota_news end(struct quota *quota, const struct quota_ticket *ticket,
                             enum quota_said said, double cost, int64_t now_ms)
{
    struct quota_outcome outcome = {.cost = cost, .retry_after_ms = -1};
    outcome.said = said;
    return quota_settle(quota, ticket, &outcome, now_ms);
}

/* Calls that begin in a second, each asked for every 10 ms. */
static int begun_in(struct quota *quota, int64_t from_ms, int64_t ms)
{
    struct quota_ticket ticket;
    int begun = 0;
    for (int64_t now_ms = from_ms; now_ms < from_ms + ms; now_ms += 10)
        while (begun < 100000 && begin(quota, now_ms, &ticket))
            begun++;
    return begun;
}

static void an_unknown_quota_without_a_start_bounds_nothing(void **state)
{
    (void)state;
    struct quota quota;
    struct quota_ticket ticket;
    quota_init(&quota, &NOTHING, 0);
    assert_false(quota_is_limited(&quota));
    for (int i = 0; i < 1000; i++)
        assert_true(begin(&quota, 0, &ticket));
    assert_int_equal(quota_wait_ms(&quota, 1000, 0), 0);
}

static void an_unknown_quota_begins_slowly_and_doubles_each_second(void **state)
{
    (void)state;
    struct quota quota;
    struct quota_rules rules = {.burndown = 1, .start_per_second = 2};
    quota_init(&quota, &rules, 0);
    int last = begun_in(&quota, 0, 1000);
    assert_in_range(last, 2, 5);
    for (int second = 1; second < 6; second++) {
        int begun = begun_in(&quota, second * 1000, 1000);
        assert_true(begun > last * 3 / 2 && begun < last * 3);
        last = begun;
    }
}

static void a_known_quota_is_spent_evenly_from_the_first_call(void **state)
{
    (void)state;
    struct quota quota;
    quota_init(&quota, &SIXTY, 0);
    for (int second = 0; second < 100; second++)
        assert_in_range(begun_in(&quota, second * 1000, 1000), 0, 2);
    assert_in_range(begun_in(&quota, 100000, 60000), 58, 60);
}

static void credit_is_saved_up_while_nothing_is_asked_for(void **state)
{
    (void)state;
    struct quota quota;
    quota_init(&quota, &SIXTY, 0);
    assert_in_range(begun_in(&quota, 3600000, 10), 29, 30);
    assert_in_range(begun_in(&quota, 3600010, 1000), 0, 1);
}

static void a_refusal_of_savings_makes_them_smaller_and_cuts_no_rate(void **state)
{
    (void)state;
    struct quota quota;
    struct quota_ticket ticket;
    quota_init(&quota, &SIXTY, 0);
    assert_true(begin(&quota, 3600000, &ticket));
    assert_true(end(&quota, &ticket, QUOTA_REFUSED, -1, 3600010).rests);
    assert_true(quota_rate(&quota, QUOTA_REQUESTS) > 0.98);
    int64_t later_ms = 7200000;
    assert_in_range(begun_in(&quota, later_ms, 10), 20, 21);
}

static void a_share_divides_a_known_quota(void **state)
{
    (void)state;
    struct quota quota;
    quota_init(&quota, &SIXTY, 0);
    quota_set_share(&quota, 0.25, 0, 0);
    assert_in_range(begun_in(&quota, 0, 240000), 57, 61);
    quota_set_share(&quota, 7, 0, 240000); /* never more than all */
    assert_true(quota.share <= 1);
    quota_set_share(&quota, -1, 0, 240000);
    assert_true(quota.share > 0);
}

static void only_refusals_of_calls_begun_since_the_cut_are_news(void **state)
{
    (void)state;
    struct quota quota;
    struct quota_ticket tickets[30];
    size_t refused = 0;
    quota_init(&quota, &NOTHING, 0);
    for (size_t i = 0; i < COUNT_OF(tickets); i++)
        assert_true(begin(&quota, 1000, &tickets[i]));
    while (refused < 6 && !end(&quota, &tickets[refused], QUOTA_REFUSED, -1, 1050).rests)
        refused++;
    assert_true(refused < 6);
    int64_t until_ms = quota.rest_until_ms;
    double rate = quota_rate(&quota, QUOTA_REQUESTS);
    for (size_t i = refused + 1; i < COUNT_OF(tickets); i++)
        assert_false(end(&quota, &tickets[i], QUOTA_REFUSED, -1, 1060).rests);
    assert_int_equal(quota.rest_until_ms, until_ms);
    assert_true(quota_rate(&quota, QUOTA_REQUESTS) == rate);
}

static void open_calls_delay_no_call_after_a_rest(void **state)
{
    (void)state;
    struct quota quota;
    struct quota_ticket streams[30], tickets[8], next;
    quota_init(&quota, &NOTHING, 0);
    for (size_t i = 0; i < COUNT_OF(streams); i++)
        assert_true(begin(&quota, 0, &streams[i]));
    for (size_t i = 0; i < COUNT_OF(tickets); i++)
        assert_true(begin(&quota, 1000, &tickets[i]));
    for (size_t i = 0; i < COUNT_OF(tickets); i++)
        (void)end(&quota, &tickets[i], QUOTA_REFUSED, -1, 1050);
    assert_true(begin(&quota, 31050, &next));
}

static void a_rest_lasts_at_least_until_retry_after(void **state)
{
    (void)state;
    struct quota quota;
    struct quota_ticket ticket;
    int64_t again_ms;
    quota_init(&quota, &NOTHING, 0);
    assert_true(begin(&quota, 0, &ticket));
    struct quota_outcome outcome = {.said = QUOTA_REFUSED, .cost = -1, .retry_after_ms = 40000};
    assert_int_equal(quota_settle(&quota, &ticket, &outcome, 50).rest_ms, 40000);
    assert_false(quota_allows(&quota, &SMALL, 40049, &again_ms));
    assert_int_equal(again_ms, 40050);
    assert_true(begin(&quota, 60000, &ticket));
    outcome.retry_after_ms = INT64_MAX; /* a year is not believed */
    assert_in_range(quota_settle(&quota, &ticket, &outcome, 60050).rest_ms, 40000, 600000);
}

static void an_outage_is_probed_by_one_call(void **state)
{
    (void)state;
    struct quota quota;
    struct quota_ticket first, probe, next;
    int64_t again_ms;
    quota_init(&quota, &SIXTY, 0);
    assert_true(begin(&quota, 60000, &first));
    double rate = quota_rate(&quota, QUOTA_REQUESTS);
    int64_t last_ms = 0, now_ms = 60000;
    for (int i = 0; i < 8; i++) {
        struct quota_news news = end(&quota, i == 0 ? &first : &probe, QUOTA_DOWN, -1, now_ms);
        assert_true(news.rests && news.rest_ms >= last_ms && news.rest_ms <= 4000);
        last_ms = news.rest_ms;
        now_ms += news.rest_ms;
        assert_true(begin(&quota, now_ms, &probe));
        assert_false(quota_allows(&quota, &SMALL, now_ms + 5000, &again_ms));
        assert_true(again_ms == INT64_MAX);
        now_ms += 5000;
    }
    assert_true(end(&quota, &probe, QUOTA_ANSWERED, 200, now_ms).is_answering);
    assert_true(begin(&quota, now_ms, &next));
    assert_int_equal(begun_in(&quota, now_ms + 5000, 1) > 0, 1);
    assert_true(quota_rate(&quota, QUOTA_REQUESTS) == rate); /* whole again, and not cut */
}

static void the_difference_to_the_expected_cost_is_booked(void **state)
{
    (void)state;
    struct quota quota;
    struct quota_ticket ticket;
    quota_init(&quota, &TOKENS, 0);
    assert_true(begin(&quota, 20000, &ticket));
    double level = quota.limits[QUOTA_TOKENS].level;
    assert_true(ticket.expected == 500 && ticket.reserved == 500);
    (void)end(&quota, &ticket, QUOTA_ANSWERED, 150, 20000);
    assert_true(quota.limits[QUOTA_TOKENS].level == level + 350);
    assert_true(begin(&quota, 20000, &ticket));
    assert_true(ticket.expected == 150); /* learned: 50 beyond the input */
    (void)end(&quota, &ticket, QUOTA_SILENT, 0, 20000);
    assert_true(quota.limits[QUOTA_TOKENS].level == level + 350);
    assert_true(quota.reserved == 0);
}

static void a_call_larger_than_the_quota_is_called_when_the_level_is_full(void **state)
{
    (void)state;
    struct quota quota;
    struct quota_ticket ticket, next;
    int64_t again_ms;
    struct quota_cost huge = {.input = 1e6, .max_output = 1e6};
    quota_init(&quota, &TOKENS, 0);
    assert_false(quota_admit(&quota, &huge, 1000, &ticket, &again_ms));
    assert_true(again_ms > 1000 && again_ms < 40000);
    assert_true(quota_admit(&quota, &huge, 40000, &ticket, &again_ms));
    assert_false(quota_admit(&quota, &huge, 80000, &next, &again_ms)); /* alone */
    (void)end(&quota, &ticket, QUOTA_ANSWERED, 1.2e6, 80000);
    assert_true(begin(&quota, 150000, &next));
}

static void absurd_usage_stops_a_target_for_a_minute_at_most(void **state)
{
    (void)state;
    struct quota quota;
    struct quota_ticket ticket;
    quota_init(&quota, &TOKENS, 0);
    assert_true(begin(&quota, 20000, &ticket));
    (void)end(&quota, &ticket, QUOTA_ANSWERED, 1e9, 21000);
    assert_true(quota.extra <= ticket.most_extra);
    assert_true(begin(&quota, 21000 + 65000, &ticket));
}

static void open_reservations_stay_below_a_minute_of_a_known_quota(void **state)
{
    (void)state;
    struct quota quota;
    struct quota_ticket ticket;
    struct quota_cost large = {.input = 100, .max_output = 20000};
    int64_t again_ms;
    int open = 0;
    quota_init(&quota, &TOKENS, 0);
    assert_true(begin(&quota, 20000, &ticket));
    (void)end(&quota, &ticket, QUOTA_ANSWERED, 150, 20000);
    while (quota_admit(&quota, &large, 60000, &ticket, &again_ms))
        open++;
    assert_int_equal(open, 2); /* 54,000 of 60,000 */
    assert_true(again_ms == INT64_MAX);
}

static void clocks_that_jump_stop_nothing(void **state)
{
    (void)state;
    struct quota quota;
    struct quota_ticket ticket;
    quota_init(&quota, &SIXTY, 100000);
    assert_true(begin(&quota, 50, &ticket)); /* back: the level of before is there */
    (void)end(&quota, &ticket, QUOTA_ANSWERED, 100, 60);
    assert_true(begin(&quota, INT64_MAX / 4, &ticket));
    (void)end(&quota, &ticket, QUOTA_ANSWERED, 100, INT64_MAX / 4 + 5);
    assert_in_range(begun_in(&quota, INT64_MAX / 4 + 1000, 60000), 58, 120);
}

/* One refusal of a target that is seldom called says little. */
static void a_seldom_refusal_delays_the_next_call_by_half_a_second(void **state)
{
    (void)state;
    struct quota quota;
    struct quota_ticket ticket;
    quota_init(&quota, &NOTHING, 0);
    assert_true(begin(&quota, 60000, &ticket));
    assert_in_range(end(&quota, &ticket, QUOTA_REFUSED, -1, 60050).rest_ms, 250, 500);
    assert_true(begun_in(&quota, 61000, 5000) > 20); /* it begins anew, from 2 a second */
}

static void a_refusal_now_and_then_ends_no_start(void **state)
{
    (void)state;
    struct quota quota;
    struct quota_ticket ticket;
    quota_init(&quota, &NOTHING, 0);
    for (int i = 0; i < 200; i++) {
        assert_true(begin(&quota, i * 200, &ticket));
        bool is_refused = i > 20 && i % 5 == 0;
        struct quota_news news =
            end(&quota, &ticket, is_refused ? QUOTA_REFUSED : QUOTA_ANSWERED, 0, i * 200 + 50);
        assert_false(news.rests);
    }
    assert_true(quota.is_starting);
    int refused = 0;
    do { /* but many in a row do */
        assert_true(begin(&quota, (200 + refused) * 200, &ticket));
        refused++;
    } while (!end(&quota, &ticket, QUOTA_REFUSED, -1, (200 + refused) * 200 - 150).rests);
    assert_in_range(refused, 4, 12);
    assert_false(quota.is_starting);
}

/* A target that throttles its few first calls, whose quota of tokens is known. */
static void refusals_of_the_first_calls_bound_no_requests_beside_known_tokens(void **state)
{
    (void)state;
    struct quota quota;
    struct quota_ticket ticket;
    quota_init(&quota, &TOKENS, 0);
    int64_t now_ms = 60000;
    for (int refused = 0; refused < 10; now_ms += 100) {
        if (!begin(&quota, now_ms, &ticket))
            continue;
        (void)end(&quota, &ticket, QUOTA_REFUSED, -1, now_ms + 50);
        refused++;
    }
    assert_true(begun_in(&quota, now_ms + 60000, 60000) > 60);
}

/* What later calls did not use of their reservations is no news of those before the refused one. */
static void calls_that_cost_little_leave_tokens_for_the_first_rate(void **state)
{
    (void)state;
    struct quota quota;
    struct quota_ticket tickets[40];
    quota_init(&quota, &NOTHING, 0);
    for (int i = 0; i < 40; i++)
        assert_true(begin(&quota, i * 200, &tickets[i]));
    for (int i = 0; i < 40; i++)
        if (i < 16 || i >= 20)
            (void)end(&quota, &tickets[i], QUOTA_ANSWERED, 110, 8000);
    for (int i = 16; i < 20; i++)
        (void)end(&quota, &tickets[i], QUOTA_REFUSED, -1, 8000);
    assert_false(quota.is_starting);
    double calls = quota_rate(&quota, QUOTA_REQUESTS);
    assert_true(quota_rate(&quota, QUOTA_TOKENS) >= 109 * calls);
    int64_t wait_ms = quota_wait_ms(&quota, 10, quota.rest_until_ms);
    assert_true((double)wait_ms <= 10 / calls * 1010);
}

/* Nothing was granted between: that says nothing of the rate. */
static void refusals_without_an_answer_between_lower_no_rate(void **state)
{
    (void)state;
    struct quota quota;
    struct quota_ticket ticket;
    quota_init(&quota, &NOTHING, 0);
    for (int i = 0; i < 40; i++)
        assert_true(begin(&quota, 0, &ticket));
    for (int i = 0; i < 6; i++) /* fewer may be chance */
        (void)end(&quota, &ticket, QUOTA_REFUSED, -1, 50);
    double rate = quota_rate(&quota, QUOTA_REQUESTS);
    assert_true(rate < QUOTA_NO_LIMIT);
    for (int i = 1; i < 20; i++) {
        assert_true(begin(&quota, i * 61000, &ticket));
        (void)end(&quota, &ticket, QUOTA_REFUSED, -1, i * 61000 + 50);
    }
    assert_true(quota_rate(&quota, QUOTA_REQUESTS) >= rate);
}

static void refusals_of_older_calls_give_no_credit(void **state)
{
    (void)state;
    struct quota quota;
    struct quota_ticket tickets[40];
    quota_init(&quota, &NOTHING, 0);
    for (size_t i = 0; i < COUNT_OF(tickets); i++)
        assert_true(begin(&quota, 0, &tickets[i]));
    for (size_t i = COUNT_OF(tickets); i > 0; i--)
        (void)end(&quota, &tickets[i - 1], QUOTA_REFUSED, -1, 50);
    assert_true(quota.limits[QUOTA_REQUESTS].level <= 1);
}

static void rules_change_while_calls_are_open(void **state)
{
    (void)state;
    struct quota quota;
    struct quota_ticket ticket;
    quota_init(&quota, &NOTHING, 0);
    assert_true(begin(&quota, 0, &ticket));
    quota_set_rules(&quota, &SIXTY, 1000);
    assert_in_range(begun_in(&quota, 100000, 60000), 59, 90);
    (void)end(&quota, &ticket, QUOTA_ANSWERED, 100, 170000);
    quota_set_rules(&quota, &NOTHING, 170000);
    assert_false(quota_is_limited(&quota));
    assert_true(begun_in(&quota, 170000, 1) > 1000);
}

static void the_expected_wait_follows_rate_and_rest(void **state)
{
    (void)state;
    struct quota quota;
    struct quota_ticket ticket;
    quota_init(&quota, &SIXTY, 0);
    assert_in_range(quota_wait_ms(&quota, 10, 0), 10000, 10200);
    assert_true(begin(&quota, 0, &ticket));
    struct quota_news news = end(&quota, &ticket, QUOTA_DOWN, -1, 10);
    assert_true(quota_wait_ms(&quota, 0, 10) == news.rest_ms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unknown_quota_without_a_start_bounds_nothing),
        cmocka_unit_test(an_unknown_quota_begins_slowly_and_doubles_each_second),
        cmocka_unit_test(a_known_quota_is_spent_evenly_from_the_first_call),
        cmocka_unit_test(credit_is_saved_up_while_nothing_is_asked_for),
        cmocka_unit_test(a_refusal_of_savings_makes_them_smaller_and_cuts_no_rate),
        cmocka_unit_test(a_share_divides_a_known_quota),
        cmocka_unit_test(only_refusals_of_calls_begun_since_the_cut_are_news),
        cmocka_unit_test(open_calls_delay_no_call_after_a_rest),
        cmocka_unit_test(a_rest_lasts_at_least_until_retry_after),
        cmocka_unit_test(an_outage_is_probed_by_one_call),
        cmocka_unit_test(the_difference_to_the_expected_cost_is_booked),
        cmocka_unit_test(a_call_larger_than_the_quota_is_called_when_the_level_is_full),
        cmocka_unit_test(absurd_usage_stops_a_target_for_a_minute_at_most),
        cmocka_unit_test(open_reservations_stay_below_a_minute_of_a_known_quota),
        cmocka_unit_test(clocks_that_jump_stop_nothing),
        cmocka_unit_test(a_seldom_refusal_delays_the_next_call_by_half_a_second),
        cmocka_unit_test(a_refusal_now_and_then_ends_no_start),
        cmocka_unit_test(refusals_of_the_first_calls_bound_no_requests_beside_known_tokens),
        cmocka_unit_test(calls_that_cost_little_leave_tokens_for_the_first_rate),
        cmocka_unit_test(refusals_without_an_answer_between_lower_no_rate),
        cmocka_unit_test(refusals_of_older_calls_give_no_credit),
        cmocka_unit_test(rules_change_while_calls_are_open),
        cmocka_unit_test(the_expected_wait_follows_rate_and_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
