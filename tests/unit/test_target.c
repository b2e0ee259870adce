#include "unit/engine_kit.h"
#include "unit/steps.h"

#include "engine/identity.h"
#include "engine/target.h"

#define MODEL_A ",\"model\":\"m.a\""
#define MODEL_B ",\"model\":\"m.b\""

/* The request's own members come first: `more` begins with a comma, the model too. */
static void request_of(struct kit *kit, int64_t offset, const char *model)
{
    char value[256];
    (void)snprintf(value, sizeof value, "{\"messages\":[[\"human\",\"[[%lld]] hi\"]]%s}",
                   (long long)offset, model);
    kit_record(kit, 0, offset, NULL, value);
}

static struct kit *kit_with_slots(uint32_t max_in_flight)
{
    struct engine_config config = kit_config();
    config.max_in_flight = max_in_flight;
    return kit_new(&config);
}

/* Open calls with offsets in [from, to). */
static size_t open_in(const struct kit *kit, int64_t from, int64_t to)
{
    size_t open = 0;
    for (size_t i = 0; i < kit->call_count; i++)
        open += kit->calls[i].is_open && kit->calls[i].offset >= from && kit->calls[i].offset < to;
    return open;
}

static void one_model_may_use_all_call_slots(void **state)
{
    (void)state;
    struct kit *kit = kit_with_slots(8);
    kit_assign(kit, 0);
    for (int64_t offset = 0; offset < 20; offset++)
        request_of(kit, offset, MODEL_A);
    kit_turn(kit);
    assert_int_equal(kit_open_calls(kit), 8);
    for (size_t i = 0; i < kit->call_count; i++)
        assert_int_equal(kit->calls[i].offset, i); /* in the order of coming */
    kit_free(kit);
}

static void a_model_that_hangs_leaves_the_others_their_share(void **state)
{
    (void)state;
    struct kit *kit = kit_with_slots(8);
    kit_assign(kit, 0);
    for (int64_t offset = 0; offset < 20; offset++)
        request_of(kit, offset, MODEL_A);
    for (int64_t offset = 20; offset < 40; offset++)
        request_of(kit, offset, MODEL_B);
    kit_turn(kit);
    assert_int_equal(open_in(kit, 0, 20), 4);
    assert_int_equal(open_in(kit, 20, 40), 4);
    /* The calls of A never end; those of B are answered one after the other. */
    for (int64_t offset = 20; offset < 40; offset++) {
        kit_answer(kit, offset);
        kit_wait(kit, 200);
        if (kit->has_batch)
            kit_commit(kit);
    }
    assert_int_equal(kit_open_calls(kit), 8); /* A gets all slots again */
    kit_free(kit);
}

/* Calls that take an hour hold nearly all slots; the models that come then need not wait for them,
 * if there was another one lately. A model that has been the only one for long has all slots. */
static void a_model_that_hangs_cannot_take_the_last_slots(void **state)
{
    (void)state;
    struct kit *kit = kit_with_slots(32);
    kit_assign(kit, 0);
    request_of(kit, 0, MODEL_B);
    for (int64_t offset = 1; offset < 41; offset++)
        request_of(kit, offset, MODEL_A);
    kit_turn(kit);
    kit_answer(kit, 0);
    kit_turn(kit);
    assert_int_equal(open_in(kit, 1, 41), 30);
    for (int64_t offset = 41; offset < 50; offset++) {
        request_of(kit, offset, MODEL_B);
        kit_turn(kit);
        kit_answer(kit, offset);
        kit_wait(kit, 200);
        if (kit->has_batch)
            kit_commit(kit);
    }
    assert_int_equal(open_in(kit, 1, 41), 30);
    kit_free(kit);
}

static void a_model_without_competition_gets_all_slots(void **state)
{
    (void)state;
    struct kit *kit = kit_with_slots(32);
    kit_assign(kit, 0);
    for (int64_t offset = 0; offset < 40; offset++)
        request_of(kit, offset, MODEL_A);
    kit_turn(kit);
    assert_int_equal(kit_open_calls(kit), 32);
    kit_free(kit);
}

static void a_late_model_gets_its_share_as_slots_come_free(void **state)
{
    (void)state;
    struct kit *kit = kit_with_slots(8);
    kit_assign(kit, 0);
    for (int64_t offset = 0; offset < 20; offset++)
        request_of(kit, offset, MODEL_A);
    kit_turn(kit);
    for (int64_t offset = 20; offset < 30; offset++)
        request_of(kit, offset, MODEL_B);
    kit_turn(kit);
    assert_int_equal(open_in(kit, 20, 30), 0);
    for (int64_t offset = 0; offset < 4; offset++) {
        kit_answer(kit, offset);
        kit_turn(kit);
        assert_int_equal(open_in(kit, 20, 30), offset + 1);
    }
    kit_answer(kit, 4);
    kit_turn(kit);
    assert_int_equal(open_in(kit, 20, 30), 4);
    assert_int_equal(open_in(kit, 0, 20), 4);
    kit_free(kit);
}

static void models_with_nothing_waiting_keep_no_slots_free(void **state)
{
    (void)state;
    struct engine_config config = kit_config();
    config.max_in_flight = 256;
    config.max_held = 1000;
    struct kit *kit = kit_new(&config);
    char model[32];
    kit_assign(kit, 0);
    for (int64_t offset = 0; offset < 7; offset++) {
        (void)snprintf(model, sizeof model, ",\"model\":\"m.slow%d\"", (int)offset);
        request_of(kit, offset, model);
    }
    kit_turn(kit);
    for (int64_t offset = 7; offset < 207; offset++)
        request_of(kit, offset, MODEL_A);
    kit_turn(kit);
    assert_int_equal(open_in(kit, 7, 207), 200);
    for (int64_t offset = 207; offset < 307; offset++)
        request_of(kit, offset, MODEL_A);
    kit_turn(kit);
    assert_int_equal(open_in(kit, 7, 307), 256 - 7 - 16);
    /* One of the slow ones gets more to do: there is room at once, and its share soon. */
    for (int64_t offset = 307; offset < 407; offset++)
        request_of(kit, offset, model);
    kit_turn(kit);
    assert_int_equal(open_in(kit, 307, 407), 15);
    for (int64_t offset = 7; offset < 57; offset++)
        kit_answer(kit, offset);
    kit_turn(kit);
    assert_true(open_in(kit, 307, 407) + 1 >= 256 / 8);
    assert_true(open_in(kit, 7, 307) >= 256 / 8);
    kit_free(kit);
}

static void a_model_that_rests_keeps_no_slots_free(void **state)
{
    (void)state;
    struct kit *kit = kit_with_slots(32);
    kit_assign(kit, 0);
    for (int64_t offset = 0; offset < 16; offset++)
        request_of(kit, offset, MODEL_A);
    kit_turn(kit);
    for (int64_t offset = 0; offset < 16; offset++)
        kit_answer_with(kit, offset, 429,
                        "x-amzn-errortype: ThrottlingException\r\nretry-after: 30\r\n", "{}");
    kit_wait(kit, 100);
    for (int64_t offset = 16; offset < 56; offset++)
        request_of(kit, offset, MODEL_B);
    kit_turn(kit);
    assert_int_equal(open_in(kit, 16, 56), 32 - 2);
    kit_free(kit);
}

static void a_throttled_model_rests_while_the_other_continues(void **state)
{
    (void)state;
    struct kit *kit = kit_with_slots(21);
    kit_assign(kit, 0);
    for (int64_t offset = 0; offset < 10; offset++)
        request_of(kit, offset, MODEL_A);
    for (int64_t offset = 20; offset < 40; offset++)
        request_of(kit, offset, MODEL_B);
    kit_turn(kit);
    for (int64_t offset = 0; offset < 10; offset++)
        kit_answer_with(kit, offset, 429,
                        "x-amzn-errortype: ThrottlingException\r\nretry-after: 30\r\n", "{}");
    kit_turn(kit);
    assert_int_equal(kit->logged[LOG_TARGET_THROTTLED], 1);
    assert_non_null(strstr(kit->words[LOG_TARGET_THROTTLED], "m.a throttles: it is called"));
    for (int64_t offset = 20; offset < 40; offset++) {
        kit_answer(kit, offset);
        kit_turn(kit);
    }
    request_of(kit, 40, MODEL_A); /* waits in front of new requests */
    kit_turn(kit);
    for (int64_t offset = 41; offset < 45; offset++) {
        request_of(kit, offset, MODEL_B);
        kit_turn(kit);
        kit_answer(kit, offset);
    }
    size_t calls = kit->call_count;
    kit_wait(kit, 29000);
    assert_int_equal(kit->call_count, calls);
    if (kit->has_batch)
        kit_commit(kit);
    kit_wait(kit, 1050);
    assert_int_equal(kit_open_calls(kit), 1); /* the rest is over: one after the other */
    assert_int_equal(kit->calls[kit->call_count - 1].offset, 9); /* the last refused goes first */
    kit_wait(kit, 7000);
    assert_int_equal(kit_open_calls(kit), 11);
    kit_free(kit);
}

static void a_retry_goes_before_requests_that_were_never_called(void **state)
{
    (void)state;
    struct kit *kit = kit_with_slots(1);
    kit_assign(kit, 0);
    for (int64_t offset = 0; offset < 3; offset++)
        request_of(kit, offset, MODEL_A);
    kit_turn(kit);
    kit_fail(kit, 0);
    kit_turn(kit); /* 0 rests, 1 is called */
    assert_int_equal(open_in(kit, 1, 2), 1);
    kit_wait(kit, 1000);
    kit_answer(kit, 1);
    kit_turn(kit);
    assert_int_equal(open_in(kit, 0, 1), 1);
    kit_free(kit);
}

static void every_region_is_a_separate_target(void **state)
{
    (void)state;
    struct kit *kit = kit_with_slots(8);
    kit_assign(kit, 0);
    for (int64_t offset = 0; offset < 10; offset++)
        request_of(kit, offset, ",\"model\":\"arn:aws:bedrock:us-west-2::foundation-model/m.a\"");
    for (int64_t offset = 10; offset < 20; offset++)
        request_of(kit, offset, ",\"model\":\"arn:aws:bedrock:eu-west-1::foundation-model/m.a\"");
    kit_turn(kit);
    assert_int_equal(open_in(kit, 0, 10), 4);
    assert_int_equal(open_in(kit, 10, 20), 4);
    kit_free(kit);
}

static void without_a_region_a_request_is_answered_with_the_reason(void **state)
{
    (void)state;
    struct engine_config config = kit_config();
    config.region = SLICE("");
    config.endpoint_url = SLICE_NULL;
    struct kit *kit = kit_new(&config);
    kit_assign(kit, 0);
    request_of(kit, 0, MODEL_A);
    kit_settle(kit);
    assert_int_equal(kit->call_count, 0);
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"code\":\"invalid\"");
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "bedrock.region");
    kit_free(kit);
}

/* An environment that lacks them must not turn a backlog into errors. */
static void requests_wait_until_there_are_credentials(void **state)
{
    (void)state;
    struct kit *kit = kit_new(NULL);
    kit_assign(kit, 0);
    engine_credentials(kit->engine, 0, NULL, SLICE("there is no file"));
    for (int64_t offset = 0; offset < 5; offset++)
        request_of(kit, offset, MODEL_A);
    request_of(kit, 5, MODEL_A ",\"ttl_ms\":1000");
    kit_settle(kit);
    engine_credentials(kit->engine, 0, NULL, SLICE("there is no file"));
    kit_wait(kit, 3600000);
    kit_settle(kit);
    assert_int_equal(kit->call_count, 0);
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 1); /* its own time limit holds */
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"code\":\"expired\"");
    assert_int_equal(kit->logged[LOG_CREDENTIALS_MISSING], 1);
    assert_non_null(strstr(kit->words[LOG_CREDENTIALS_MISSING], "(there is no file)"));
    engine_credentials(kit->engine, 0, NULL, SLICE("the file has no keys"));
    assert_int_equal(kit->logged[LOG_CREDENTIALS_MISSING], 2);
    struct credentials credentials = {.access_key_id = SLICE("AKID"),
                                      .secret_access_key = SLICE("secret"),
                                      .expires_wall_ms = INT64_MAX};
    engine_credentials(kit->engine, 0, &credentials, SLICE(""));
    engine_credentials(kit->engine, 0, &credentials, SLICE(""));
    assert_int_equal(kit->logged[LOG_CREDENTIALS_FOUND], 1);
    kit_turn(kit);
    for (int64_t offset = 0; offset < 5; offset++)
        kit_answer(kit, offset);
    kit_settle(kit);
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 6);
    kit_free(kit);
}

static void a_worker_without_credentials_stops_at_once(void **state)
{
    (void)state;
    struct kit *kit = kit_new(NULL);
    kit_assign(kit, 0);
    engine_credentials(kit->engine, 0, NULL, SLICE("there is no file"));
    request_of(kit, 0, MODEL_A);
    kit_turn(kit);
    engine_stop(kit->engine);
    kit_turn(kit);
    assert_true(kit->has_ended);
    assert_int_equal(kit->exit_code, 0);
    kit_free(kit);
}

static void a_wrong_clock_is_logged_once_a_minute(void **state)
{
    (void)state;
    static const char *const DATES[] = {
        "x-amzn-requestid: r\r\nDate: Sat, 20 Feb 2027 00:00:00 GMT\r\n",
        "x-amzn-requestid: r\r\nDate: Sun, 21 Feb 2027 00:00:00 GMT\r\n"};
    struct kit *kit = kit_new(NULL);
    kit_assign(kit, 0);
    for (int64_t offset = 0; offset < 10; offset++) {
        request_of(kit, offset, MODEL_A);
        kit_turn(kit);
        kit_answer_with(kit, offset, 400, DATES[offset % 2], "{}");
    }
    assert_int_equal(kit->logged[LOG_CLOCK_CORRECTED], 1);
    assert_null(strstr(kit->words[LOG_CLOCK_CORRECTED], "by 0 ms"));
    kit_settle(kit);
    kit_wait(kit, 60000);
    request_of(kit, 10, MODEL_A);
    kit_turn(kit);
    kit_answer_with(kit, 10, 400, DATES[0], "{}");
    assert_int_equal(kit->logged[LOG_CLOCK_CORRECTED], 2);
    kit_free(kit);
}

/* Names of models come from requests: unused ones are forgotten. */
static void unused_targets_are_forgotten(void **state)
{
    (void)state;
    struct kit *kit = kit_new(NULL);
    kit_assign(kit, 0);
    int64_t live = 0;
    for (int64_t offset = 0; offset < 200; offset++) {
        char model[64];
        (void)snprintf(model, sizeof model, ",\"model\":\"m.%lld\"", (long long)offset);
        request_of(kit, offset, model);
        kit_turn(kit);
        kit_answer(kit, offset);
        kit_wait(kit, 100);
        if (kit->has_batch)
            kit_commit(kit);
        kit_settle(kit);
        if (offset == 10)
            live = memory_live();
    }
    assert_null(targets_next(kit->engine, NULL));
    assert_true(memory_live() <= live);
    kit_free(kit);
}

/* ---- cost ---- */

struct asked {
    struct engine *engine;
    char model[32];
};

static void ask(void *self)
{
    struct asked *asked = self;
    struct target *target;
    if (target_get(asked->engine, slice_of_text(asked->model), SLICE_NULL, 0, &target) == OK)
        target_release(asked->engine, target);
}

static void a_target_is_found_at_the_same_cost_among_many(void **state)
{
    (void)state;
    if (!STEPS_ARE_THE_CODES_OWN)
        return;
    static struct target *targets[2000];
    struct kit *kit = kit_with_slots(8);
    struct asked old = {.engine = kit->engine, .model = "m.9"};
    struct asked none = {.engine = kit->engine, .model = "m.none"};
    size_t few = 0, few_new = 0;
    for (size_t i = 0; i < COUNT_OF(targets); i++) {
        char model[32];
        (void)snprintf(model, sizeof model, "m.%zu", i);
        assert_int_equal(target_get(kit->engine, slice_of_text(model), SLICE_NULL, 0, &targets[i]),
                         OK);
        if (i == 9)
            few = steps_of(ask, &old, 20000), few_new = steps_of(ask, &none, 20000);
    }
    size_t many = steps_of(ask, &old, 20000), many_new = steps_of(ask, &none, 20000);
    print_message("found in %zu, %zu; made in %zu, %zu\n", few, many, few_new, many_new);
    assert_true(many < few + 500 && many_new < few_new + 500);
    for (size_t i = 0; i < COUNT_OF(targets); i++)
        target_release(kit->engine, targets[i]);
    kit_free(kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_model_may_use_all_call_slots),
        cmocka_unit_test(a_model_that_hangs_leaves_the_others_their_share),
        cmocka_unit_test(a_model_that_hangs_cannot_take_the_last_slots),
        cmocka_unit_test(a_model_without_competition_gets_all_slots),
        cmocka_unit_test(a_late_model_gets_its_share_as_slots_come_free),
        cmocka_unit_test(models_with_nothing_waiting_keep_no_slots_free),
        cmocka_unit_test(a_model_that_rests_keeps_no_slots_free),
        cmocka_unit_test(a_throttled_model_rests_while_the_other_continues),
        cmocka_unit_test(a_retry_goes_before_requests_that_were_never_called),
        cmocka_unit_test(every_region_is_a_separate_target),
        cmocka_unit_test(without_a_region_a_request_is_answered_with_the_reason),
        cmocka_unit_test(requests_wait_until_there_are_credentials),
        cmocka_unit_test(a_worker_without_credentials_stops_at_once),
        cmocka_unit_test(a_wrong_clock_is_logged_once_a_minute),
        cmocka_unit_test(unused_targets_are_forgotten),
        cmocka_unit_test(a_target_is_found_at_the_same_cost_among_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
