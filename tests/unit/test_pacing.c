#include "unit/engine_kit.h"

#include "engine/pacing.h"
#include "engine/target.h"

#define CALL_MS 1000
#define STEP_MS 25

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
    run(&service, 120000);
    print_message("%zu calls wasted in two minutes of storm\n", service.refused);
    assert_true(service.refused < 12); /* a probe now and then, not 40 slots full */
    assert_int_equal(kit->logged[LOG_TARGET_RECOVERED], 0);
    assert_in_range(kit->logged[LOG_TARGET_THROTTLED], 1,
                    4); /* once a minute, though it rests often */
    service.capacity = 40;
    int64_t calm_ms = kit->now_ms;
    while (service.busy < 32 && kit->now_ms - calm_ms < 120000)
        run(&service, STEP_MS);
    print_message("80 %% of capacity %lld ms after it\n", (long long)(kit->now_ms - calm_ms));
    assert_true(kit->now_ms - calm_ms <= 90000);
    kit_free(kit);
}

static void a_model_has_recovered_when_nothing_was_refused_or_held_back_for_a_minute(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_request(kit, 0, 0, NULL, "");
    kit_turn(kit);
    kit_throttle(kit, 0);
    assert_int_equal(kit->logged[LOG_TARGET_THROTTLED], 1);
    kit_wait(kit, 1000);
    kit_answer(kit, 0);
    kit_settle(kit);
    for (int64_t offset = 1; offset < 4; offset++) {
        kit_wait(kit, 29000);
        assert_int_equal(kit->logged[LOG_TARGET_RECOVERED], offset > 2);
        kit_request(kit, 0, offset, NULL, "");
        kit_turn(kit);
        kit_answer(kit, offset);
        kit_settle(kit);
    }
    assert_int_equal(kit->logged[LOG_TARGET_RECOVERED], 1);
    assert_int_equal(kit->logged[LOG_TARGET_THROTTLED], 1);
    kit_free(kit);
}

/* As Bedrock does when the tokens of the day are spent. */
static void a_model_that_refuses_everything_is_tried_once_a_minute(void **state)
{
    (void)state;
    struct engine_config config = kit_config();
    config.retry.max_elapsed_ms = 600000;
    struct kit *kit = kit_started(&config);
    for (int64_t offset = 0; offset < 20; offset++)
        kit_request(kit, 0, offset, NULL, "");
    size_t ended = 0, calls_at = 0;
    for (int s = 0; s < 1000; s++) {
        kit_wait(kit, 1000);
        for (; ended < kit->call_count; ended++)
            kit_throttle(kit, kit->calls[ended].offset);
        if (s == 399)
            calls_at = kit->call_count;
    }
    assert_in_range(kit->call_count - calls_at, 9, 11); /* in ten minutes */
    assert_int_equal(kit->logged[LOG_TARGET_DAY_SPENT], 1);
    const struct target *target = targets_next(kit->engine, NULL);
    assert_string_equal(pacing_state(target), "spent");
    assert_int_equal(kit_count(kit, OUTPUT_LETTER), 0); /* rests count only beyond max_elapsed */
    while (kit->call_count == ended)
        kit_wait(kit, 1000);
    kit_answer(kit, kit->calls[ended].offset);
    kit_wait(kit, 1000);
    assert_int_equal(kit->logged[LOG_TARGET_RECOVERED], 1);
    assert_string_equal(pacing_state(target), "sound");
    kit_free(kit);
}

/* What the log, the status and the metrics say. */
static void the_figures_of_a_throttled_model_are_its_rate_its_quota_and_the_wait(void **state)
{
    (void)state;
    struct service service = service_new(10);
    struct kit *kit = service.kit;
    run(&service, 60000);
    struct target *target = targets_next(kit->engine, NULL);
    struct pacing_figures figures = pacing_figures(kit->engine, target);
    assert_in_range(figures.measured_a_minute, 540, 700); /* 10 answers a second */
    assert_in_range(figures.requests_a_minute, 500, 800);
    int64_t wait_ms = (int64_t)target->waiting * 60000 / figures.requests_a_minute;
    assert_in_range(figures.wait_ms, wait_ms - 1000, wait_ms + 2000);
    assert_non_null(strstr(kit->words[LOG_TARGET_THROTTLED], " times a minute now, its quota"));
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
    assert_true(service.answered >= 570);
    assert_true(service.refused < service.answered / 50);
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
    assert_true(service.refused < 160); /* a probe each four seconds */
    assert_int_equal(kit->logged[LOG_TARGET_FAILING], 1);
    assert_int_equal(kit->logged[LOG_TARGET_THROTTLED], 0);
    assert_int_equal(kit->logged[LOG_TARGET_RECOVERED], 0);
    service.capacity = 40;
    int64_t calm_ms = kit->now_ms;
    while (service.busy < 32 && kit->now_ms - calm_ms < 120000)
        run(&service, STEP_MS);
    print_message("80 %% of capacity %lld ms after it\n", (long long)(kit->now_ms - calm_ms));
    assert_true(kit->now_ms - calm_ms <= 5000);
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
    assert_int_equal(kit->call_count, calls + 8); /* its answer admits the others */
    assert_int_equal(kit_open_calls(kit), 37);    /* the streams, too */
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
        cmocka_unit_test(a_worker_recovers_from_heavy_throttling_within_a_minute),
        cmocka_unit_test(a_model_has_recovered_when_nothing_was_refused_or_held_back_for_a_minute),
        cmocka_unit_test(a_model_that_refuses_everything_is_tried_once_a_minute),
        cmocka_unit_test(the_figures_of_a_throttled_model_are_its_rate_its_quota_and_the_wait),
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
