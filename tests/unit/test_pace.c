#include "unit/engine_kit.h"

#include "policy/pace.h"

#define CALL_MS 1000
#define STEP_MS 25

static const struct retry_settings SETTINGS = {.throttle_base_ms = 1000, .max_delay_ms = 20000};

/* ---- the policy by itself ---- */

static const struct pace_rules RULES = {.retry = &SETTINGS, .calls_max = 16};

static struct pace_news settle(struct pace *pace, struct pace_outcome outcome, int64_t now_ms,
                               struct random *random)
{
    struct pace_ticket ticket = {.cost = PACE_COST_CALL, .generation = pace->generation};
    pace->open++; /* the call was open before, whatever its state is now */
    return pace_settle(pace, ticket, outcome, &RULES, now_ms, random);
}

static struct pace_news refuse(struct pace *pace, int64_t now_ms, struct random *random)
{
    struct pace_outcome outcome = {.said = PACE_REFUSED, .retry_after_ms = -1};
    return settle(pace, outcome, now_ms, random);
}

static struct pace_news answer(struct pace *pace)
{
    return settle(pace, (struct pace_outcome){.said = PACE_ANSWERED}, 0, NULL);
}

/* With `calls` open. */
static bool allows(const struct pace *pace, uint64_t calls, int64_t now_ms, int64_t *ret_again_ms)
{
    struct pace copy = *pace;
    copy.open = calls;
    return pace_allows(&copy, PACE_COST_CALL, now_ms, ret_again_ms);
}

static void a_few_throttled_calls_slow_nothing_down(void **state)
{
    (void)state;
    struct pace pace = {0};
    struct random random;
    int64_t again_ms;
    random_init(&random, 1);
    for (int i = 0; i < 100; i++) {
        for (int k = 1; k < PACE_STREAK; k++)
            assert_false(refuse(&pace, i, &random).rests);
        assert_true(allows(&pace, 1000, i, &again_ms));
        assert_false(answer(&pace).is_whole);
    }
}

static void a_streak_of_throttling_makes_the_pace_rest_and_probe(void **state)
{
    (void)state;
    struct pace pace = {0};
    struct random random;
    int64_t again_ms;
    random_init(&random, 2);
    for (int k = 1; k < PACE_STREAK; k++)
        assert_false(refuse(&pace, 5000, &random).rests);
    struct pace_news news = refuse(&pace, 5000, &random);
    assert_true(news.rests);
    assert_in_range(news.delay_ms, 1, 1000);
    assert_int_equal(pace.slowed_at_ms, 5000);
    assert_false(allows(&pace, 0, 5000 + news.delay_ms - 1, &again_ms));
    assert_int_equal(again_ms, 5000 + news.delay_ms);
    assert_true(pace_is_shut(&pace));
    assert_true(allows(&pace, 0, 5000 + news.delay_ms, &again_ms));
    assert_false(allows(&pace, 1, 5000 + news.delay_ms, &again_ms)); /* one probe */
    assert_true(again_ms == INT64_MAX);
}

static void a_rest_doubles_with_every_refused_probe_up_to_the_limit(void **state)
{
    (void)state;
    struct random random;
    random_init(&random, 3);
    int64_t longest_ms[12] = {0};
    for (int round = 0; round < 2000; round++) {
        struct pace pace = {0};
        int64_t now_ms = 0;
        for (int k = 1; k < PACE_STREAK; k++)
            (void)refuse(&pace, now_ms, &random);
        for (int rest = 0; rest < 12; rest++) {
            struct pace_news news = refuse(&pace, now_ms, &random);
            assert_true(news.rests);
            if (news.delay_ms > longest_ms[rest])
                longest_ms[rest] = news.delay_ms;
            now_ms += news.delay_ms;
        }
    }
    int64_t most_ms = 1000;
    for (int rest = 0; rest < 12; rest++) {
        assert_true(longest_ms[rest] <= most_ms && longest_ms[rest] > most_ms * 9 / 10);
        most_ms = most_ms * 2 > 20000 ? 20000 : most_ms * 2;
    }
}

static void throttling_of_calls_begun_before_the_rest_is_ignored(void **state)
{
    (void)state;
    struct pace pace = {0};
    struct random random;
    int64_t again_ms;
    random_init(&random, 4);
    for (int k = 1; k < PACE_STREAK; k++)
        (void)refuse(&pace, 0, &random);
    struct pace_outcome later = {.said = PACE_REFUSED, .retry_after_ms = 5000};
    assert_true(settle(&pace, later, 0, &random).rests);
    int64_t until_ms = pace.rest_until_ms;
    struct pace_ticket older = {.cost = PACE_COST_CALL, .generation = pace.generation - 1};
    for (int i = 0; i < 50; i++) /* during the rest, and after it */
        assert_false(pace_settle(&pace, older, later, &RULES, i * until_ms / 20, &random).rests);
    assert_int_equal(pace.streak, PACE_STREAK);
    assert_int_equal(pace.rest_until_ms, until_ms);
    assert_false(allows(&pace, 0, until_ms - 1, &again_ms));
}

static void a_probe_waits_only_for_calls_begun_since_the_rest(void **state)
{
    (void)state;
    struct pace pace = {0};
    struct pace_ticket older[30], probe, next;
    struct random random;
    int64_t again_ms;
    random_init(&random, 10);
    for (size_t i = 0; i < COUNT_OF(older); i++)
        assert_true(pace_admit(&pace, PACE_COST_CALL, 0, &older[i], &again_ms));
    for (int k = 0; k < PACE_STREAK; k++)
        (void)refuse(&pace, 0, &random);
    int64_t now_ms = pace.rest_until_ms;
    assert_true(pace_admit(&pace, PACE_COST_CALL, now_ms, &probe, &again_ms));
    assert_false(pace_admit(&pace, PACE_COST_CALL, now_ms, &next, &again_ms));
    struct pace_outcome silent = {.said = PACE_SILENT};
    for (size_t i = 0; i < COUNT_OF(older); i++)
        (void)pace_settle(&pace, older[i], silent, &RULES, now_ms, &random);
    assert_int_equal(pace.open, 1); /* the ends of older calls free no place of a newer one */
    assert_false(pace_admit(&pace, PACE_COST_CALL, now_ms, &next, &again_ms));
}

static void a_rest_is_never_shorter_than_retry_after(void **state)
{
    (void)state;
    struct random random;
    random_init(&random, 5);
    for (int i = 0; i < 200; i++) {
        struct pace pace = {.streak = PACE_STREAK - 1};
        struct pace_outcome later = {.said = PACE_REFUSED, .retry_after_ms = 30000};
        struct pace_news news = settle(&pace, later, 100, &random);
        assert_true(news.rests);
        assert_true(news.delay_ms >= 30000);
        assert_int_equal(pace.rest_until_ms, 100 + news.delay_ms);
    }
}

static void every_answer_allows_one_more_call(void **state)
{
    (void)state;
    struct pace pace = {.streak = PACE_STREAK - 1};
    struct random random;
    int64_t again_ms;
    random_init(&random, 6);
    assert_true(refuse(&pace, 0, &random).rests);
    for (uint32_t max = 2; max < 16; max++) {
        assert_false(answer(&pace).is_whole);
        assert_false(pace_is_shut(&pace));
        assert_true(allows(&pace, max - 1, 100000, &again_ms));
        assert_false(allows(&pace, max, 100000, &again_ms));
    }
    assert_true(answer(&pace).is_whole);
    assert_true(allows(&pace, 1000, 100000, &again_ms));
    assert_false(answer(&pace).is_whole); /* reported once */
}

static void a_pace_with_one_call_slot_recovers_at_its_first_answer(void **state)
{
    (void)state;
    struct pace pace = {.streak = PACE_STREAK - 1};
    struct pace_ticket probe;
    int64_t again_ms;
    struct pace_rules one = {.retry = &SETTINGS, .calls_max = 1};
    struct random random;
    random_init(&random, 7);
    assert_true(refuse(&pace, 0, &random).rests);
    assert_true(pace_admit(&pace, PACE_COST_CALL, pace.rest_until_ms, &probe, &again_ms));
    struct pace_news news =
        pace_settle(&pace, probe, (struct pace_outcome){.said = PACE_ANSWERED}, &one, 0, &random);
    assert_true(news.is_whole);
}

static void a_ticket_counts_from_admission_to_settlement(void **state)
{
    (void)state;
    struct pace pace = {.calls_max = 2};
    struct pace_ticket first, second, third;
    struct random random;
    int64_t again_ms;
    random_init(&random, 8);
    assert_true(pace_admit(&pace, PACE_COST_CALL, 0, &first, &again_ms));
    assert_true(pace_admit(&pace, PACE_COST_CALL, 0, &second, &again_ms));
    assert_false(pace_admit(&pace, PACE_COST_CALL, 0, &third, &again_ms));
    struct pace_outcome silent = {.said = PACE_SILENT};
    assert_false(pace_settle(&pace, first, silent, &RULES, 0, &random).rests);
    assert_int_equal(pace.calls_max, 2); /* the end of a cancelled call says nothing */
    assert_true(pace_admit(&pace, PACE_COST_CALL, 0, &third, &again_ms));
    assert_false(pace_allows(&pace, PACE_COST_CALL, 0, &again_ms));
    assert_true(again_ms == INT64_MAX);
}

/* A call may count for more than one. */
static void an_expensive_call_waits_for_room_for_its_cost(void **state)
{
    (void)state;
    struct pace pace = {.calls_max = 3};
    struct pace_ticket cheap, dear;
    struct random random;
    int64_t again_ms;
    random_init(&random, 9);
    assert_true(pace_admit(&pace, 1, 0, &cheap, &again_ms));
    assert_false(pace_admit(&pace, 3, 0, &dear, &again_ms));
    (void)pace_settle(&pace, cheap, (struct pace_outcome){.said = PACE_SILENT}, &RULES, 0, &random);
    assert_true(pace_admit(&pace, 3, 0, &dear, &again_ms));
    assert_false(pace_allows(&pace, 1, 0, &again_ms));
    (void)pace_settle(&pace, dear, (struct pace_outcome){.said = PACE_SILENT}, &RULES, 0, &random);
    assert_int_equal(pace.open, 0);
}

/* ---- a whole worker against a service that throttles ---- */

enum trouble { THROTTLES, FAILS, IS_AWAY };

struct service {
    struct kit *kit;
    enum trouble trouble; /* its response to calls over its capacity */
    size_t capacity;      /* calls that it serves at once; 0 = none now */
    size_t busy;          /* of the calls that it serves */
    bool is_served[KIT_CALLS];
    int64_t next_offset;
    size_t answered, refused;
};

static void refuse_call(struct service *service, struct kit_call *call)
{
    service->refused++;
    if (service->trouble == THROTTLES)
        kit_throttle(service->kit, call->offset);
    else if (service->trouble == FAILS)
        kit_fail(service->kit, call->offset);
    else
        kit_call_ends(service->kit, call, ERR_CONNECTION, false);
}

/* A rejection takes a tenth of a second, an answer a whole one. */
static void serve(struct service *service)
{
    struct kit *kit = service->kit;
    for (size_t i = 0; i < kit->call_count; i++) {
        struct kit_call *call = &kit->calls[i];
        if (!call->is_open)
            continue;
        int64_t age_ms = kit->now_ms - call->at_ms;
        if (service->is_served[i] && age_ms >= CALL_MS) {
            service->is_served[i] = false;
            service->busy--;
            service->answered++;
            kit_answer(kit, call->offset);
        } else if (!service->is_served[i] && service->busy < service->capacity) {
            service->is_served[i] = true;
            service->busy++;
        } else if (!service->is_served[i] && age_ms >= CALL_MS / 10) {
            refuse_call(service, call);
        }
    }
}

static void run(struct service *service, int64_t ms)
{
    struct kit *kit = service->kit;
    for (int64_t passed_ms = 0; passed_ms < ms; passed_ms += STEP_MS) {
        while (engine_room(kit->engine, kit->tenures[0]) > 0)
            kit_request(kit, 0, service->next_offset++, NULL, "");
        kit_time(kit, STEP_MS);
        serve(service);
        kit_turn(kit);
        if (kit->has_batch)
            kit_commit(kit);
    }
}

static struct service service_new(size_t capacity)
{
    struct engine_config config = kit_config();
    config.max_in_flight = 40;
    config.max_held = 200;
    config.retry.max_elapsed_ms = 1800000;
    struct service service = {.kit = kit_new(&config), .capacity = capacity};
    kit_assign(service.kit, 0);
    return service;
}

static void a_worker_recovers_from_heavy_throttling_within_a_minute(void **state)
{
    (void)state;
    struct service service = service_new(40);
    struct kit *kit = service.kit;
    run(&service, 5000);
    assert_int_equal(service.busy, 40);
    service.capacity = 0;
    run(&service, 2000); /* running calls end, and the worker notices the throttling */
    service.refused = 0;
    run(&service, 180000);
    print_message("%zu calls wasted in three minutes of storm\n", service.refused);
    assert_true(service.refused < 60); /* a probe now and then, not 40 slots full */
    assert_int_equal(kit->logged[LOG_TARGET_RECOVERED], 0);
    assert_in_range(kit->logged[LOG_TARGET_THROTTLED], 1,
                    4); /* once a minute, though it rests often */
    service.capacity = 40;
    int64_t calm_ms = kit->now_ms;
    while (service.busy < 32 && kit->now_ms - calm_ms < 120000)
        run(&service, STEP_MS);
    print_message("80 %% of capacity %lld ms after it\n", (long long)(kit->now_ms - calm_ms));
    assert_true(kit->now_ms - calm_ms <= 60000);
    run(&service, 10000);
    assert_int_equal(kit->logged[LOG_TARGET_RECOVERED], 1);
    assert_int_equal(service.busy, 40);
    kit_free(kit);
}

/* A quota below the worker's own limit is used fully, with few rejected calls. */
static void the_worker_uses_a_quota_below_its_call_slots_fully(void **state)
{
    (void)state;
    struct service service = service_new(10);
    run(&service, 60000);
    service.answered = service.refused = 0;
    run(&service, 60000);
    print_message("%zu answers of 600, %zu calls refused\n", service.answered, service.refused);
    assert_true(service.answered >= 360);
    assert_true(service.refused < 3 * service.answered);
    kit_free(service.kit);
}

/* ---- a service that is down ---- */

static void an_outage_costs_no_request(enum trouble trouble)
{
    struct service service = service_new(40);
    struct kit *kit = service.kit;
    service.trouble = trouble;
    run(&service, 5000);
    service.capacity = 0;
    run(&service, 2000); /* running calls end, and the worker notices the outage */
    size_t answered = service.answered;
    service.refused = 0;
    run(&service, 600000);
    print_message("%zu calls wasted in ten minutes of outage\n", service.refused);
    assert_true(service.refused < 120); /* a probe now and then */
    assert_int_equal(kit->logged[LOG_TARGET_FAILING], 1);
    assert_int_equal(kit->logged[LOG_TARGET_THROTTLED], 0);
    assert_int_equal(kit->logged[LOG_TARGET_RECOVERED], 0);
    service.capacity = 40;
    int64_t calm_ms = kit->now_ms;
    while (service.busy < 32 && kit->now_ms - calm_ms < 120000)
        run(&service, STEP_MS);
    print_message("80 %% of capacity %lld ms after it\n", (long long)(kit->now_ms - calm_ms));
    assert_true(kit->now_ms - calm_ms <= 60000);
    assert_int_equal(kit->logged[LOG_TARGET_RECOVERED], 1);
    run(&service, 10000);
    assert_true(service.answered > answered + 200);
    assert_int_equal(kit_count(kit, OUTPUT_LETTER), 0);
    assert_int_equal(kit->logged[LOG_TARGET_FAILING], 1);
    assert_int_equal(kit->logged[LOG_TARGET_RECOVERED], 1);
    kit_free(kit);
}

static void requests_wait_while_the_endpoint_does_not_answer(void **state)
{
    (void)state;
    an_outage_costs_no_request(IS_AWAY);
}

static void requests_wait_while_every_call_fails(void **state)
{
    (void)state;
    an_outage_costs_no_request(FAILS);
}

static void requests_wait_for_an_outage_no_longer_than_max_elapsed(void **state)
{
    (void)state;
    struct service service = service_new(0);
    struct kit *kit = service.kit;
    service.trouble = IS_AWAY;
    run(&service, 1700000);
    assert_int_equal(kit_count(kit, OUTPUT_LETTER), 0);
    run(&service, 200000);
    size_t letters = kit_count(kit, OUTPUT_LETTER);
    assert_in_range(letters, 40, 60); /* those that were called; the rest never was */
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"code\":\"unavailable\"");
    kit_free(kit);
}

/* Some requests make the service fail: they must not delay the others. */
static void requests_that_always_fail_do_not_hold_the_others_for_long(void **state)
{
    (void)state;
    struct service service = service_new(0);
    struct kit *kit = service.kit;
    for (int64_t offset = 0; offset < 60; offset++)
        kit_request(kit, 0, offset, NULL, "");
    for (int64_t passed_ms = 0; passed_ms < 120000; passed_ms += STEP_MS) {
        kit_time(kit, STEP_MS);
        kit_turn(kit);
        for (size_t i = 0; i < kit->call_count; i++) {
            struct kit_call *call = &kit->calls[i];
            if (call->is_open && kit->now_ms - call->at_ms >= 100 && call->offset < 45)
                kit_fail(kit, call->offset);
            else if (call->is_open && kit->now_ms - call->at_ms >= 100)
                kit_answer(kit, call->offset);
        }
        if (kit->has_batch)
            kit_commit(kit);
    }
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE) - kit_count(kit, OUTPUT_LETTER), 15);
    assert_true(kit->logged[LOG_TARGET_FAILING] <= 2);
    kit_free(kit);
}

/* 30 streams of an hour are open. */
static struct kit *kit_with_streams(void)
{
    struct engine_config config = kit_config();
    config.max_in_flight = 64;
    struct kit *kit = kit_started(&config);
    for (int64_t offset = 0; offset < 30; offset++)
        kit_request(kit, 0, offset, NULL, ",\"stream\":true");
    kit_turn(kit);
    assert_int_equal(kit_open_calls(kit), 30);
    return kit;
}

static void assert_calls_within_30_s(struct kit *kit)
{
    size_t calls = kit->call_count;
    for (int i = 0; i < 300 && kit->call_count == calls; i++)
        kit_wait(kit, 100);
    assert_int_equal(kit->call_count, calls + 1); /* the probe */
    kit_answer(kit, kit->calls[calls].offset);
    kit_wait(kit, 20000);
    assert_int_equal(kit->call_count, calls + 3); /* an answer admits one more */
    assert_int_equal(kit_open_calls(kit), 32);    /* the streams, too */
    kit_free(kit);
}

static void a_throttled_model_is_probed_while_long_calls_are_open(void **state)
{
    (void)state;
    struct kit *kit = kit_with_streams();
    for (int64_t offset = 30; offset < 38; offset++)
        kit_request(kit, 0, offset, NULL, "");
    kit_turn(kit);
    for (int64_t offset = 30; offset < 38; offset++)
        kit_throttle(kit, offset);
    assert_calls_within_30_s(kit);
}

static void a_model_whose_connections_failed_is_probed_while_long_calls_are_open(void **state)
{
    (void)state;
    struct kit *kit = kit_with_streams();
    for (int64_t offset = 30; offset < 38; offset++)
        kit_request(kit, 0, offset, NULL, "");
    kit_turn(kit);
    for (int64_t offset = 30; offset < 38; offset++)
        kit_call_ends(kit, kit_call(kit, offset), ERR_CONNECTION, false);
    assert_calls_within_30_s(kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_few_throttled_calls_slow_nothing_down),
        cmocka_unit_test(a_streak_of_throttling_makes_the_pace_rest_and_probe),
        cmocka_unit_test(a_rest_doubles_with_every_refused_probe_up_to_the_limit),
        cmocka_unit_test(throttling_of_calls_begun_before_the_rest_is_ignored),
        cmocka_unit_test(a_probe_waits_only_for_calls_begun_since_the_rest),
        cmocka_unit_test(a_rest_is_never_shorter_than_retry_after),
        cmocka_unit_test(every_answer_allows_one_more_call),
        cmocka_unit_test(a_pace_with_one_call_slot_recovers_at_its_first_answer),
        cmocka_unit_test(a_ticket_counts_from_admission_to_settlement),
        cmocka_unit_test(an_expensive_call_waits_for_room_for_its_cost),
        cmocka_unit_test(a_worker_recovers_from_heavy_throttling_within_a_minute),
        cmocka_unit_test(the_worker_uses_a_quota_below_its_call_slots_fully),
        cmocka_unit_test(requests_wait_while_the_endpoint_does_not_answer),
        cmocka_unit_test(requests_wait_while_every_call_fails),
        cmocka_unit_test(requests_wait_for_an_outage_no_longer_than_max_elapsed),
        cmocka_unit_test(requests_that_always_fail_do_not_hold_the_others_for_long),
        cmocka_unit_test(a_throttled_model_is_probed_while_long_calls_are_open),
        cmocka_unit_test(a_model_whose_connections_failed_is_probed_while_long_calls_are_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
