/* Requests that go through the fallbacks of their alias: what moves them, what does not, and how
 * they return. */
#include "unit/route_kit.h"

/* ---- what moves a request ---- */

static void a_target_without_answers_for_five_seconds_hands_its_request_on(void **state)
{
    (void)state;
    struct kit *kit = kit_routed();
    int64_t began_ms = kit->now_ms;
    go_out(kit, 0);
    assert_true(kit->now_ms - began_ms >= 5000);
    assert_true(kit->now_ms - began_ms <= 30000);
    answer_texts(kit, 0);
    kit_settle(kit);
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 1);
    const struct kit_text *response = kit_output(kit, OUTPUT_RESPONSE, 0);
    assert_says(response, "\"status\":\"ok\",\"model\":\"anthropic.claude-3-haiku-20240307-v1:0\","
                          "\"model_requested\":\"main\"");
    assert_says(response, "\"model\":\"" CLAUDE "\",\"region\":\"us-east-1\",\"status\":500");
    const struct kit_text *usage = kit_output(kit, OUTPUT_USAGE, 0);
    assert_says(usage, "\"model\":\"anthropic.claude-3-haiku-20240307-v1:0\","
                       "\"model_requested\":\"main\",\"region\":\"eu-west-1\",\"api\":\"invoke\"");
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 1);
    kit_free(kit);
}

static void one_refusal_moves_nothing(void **state)
{
    (void)state;
    struct kit *kit = kit_routed();
    kit_request(kit, 0, 0, NULL, ASKS);
    kit_turn(kit);
    kit_throttle(kit, 0);
    kit_wait(kit, 9000);
    assert_calls(kit, 0, "sonnet");
    kit_answer(kit, 0);
    kit_settle(kit);
    assert_int_equal(kit->logged[LOG_REQUEST_MOVED], 0);
    kit_free(kit);
}

static void an_outage_of_less_moves_nothing(void **state)
{
    (void)state;
    struct kit *kit = kit_routed();
    kit_request(kit, 0, 0, NULL, ASKS);
    kit_turn(kit);
    for (int64_t began_ms = kit->now_ms; kit->now_ms - began_ms < 2000;) {
        assert_calls(kit, 0, "sonnet");
        kit_fail(kit, 0);
        next_call(kit, 0);
    }
    kit_answer(kit, 0);
    kit_wait(kit, 20000);
    kit_request(kit, 0, 1, NULL, ASKS);
    kit_turn(kit);
    assert_calls(kit, 1, "sonnet"); /* the outage is over, however long ago it began */
    kit_free(kit);
}

static void one_failure_is_no_outage_however_long_ago(void **state)
{
    (void)state;
    struct kit *kit = kit_routed();
    kit_request(kit, 0, 0, NULL, ASKS);
    kit_turn(kit);
    kit_fail(kit, 0);
    kit_wait(kit, 1000); /* the second call runs for long */
    kit_wait(kit, 20000);
    kit_request(kit, 0, 1, NULL, ASKS);
    kit_turn(kit);
    assert_calls(kit, 0, "sonnet");
    assert_calls(kit, 1, "sonnet");
    kit_free(kit);
}

static void a_refusal_between_two_failures_ends_the_outage(void **state)
{
    (void)state;
    struct kit *kit = kit_routed();
    kit_request(kit, 0, 0, NULL, ASKS);
    kit_turn(kit);
    kit_fail(kit, 0);
    next_call(kit, 0);
    kit_throttle(kit, 0);
    next_call(kit, 0);
    kit_wait(kit, 6000);
    kit_fail(kit, 0);
    next_call(kit, 0);
    assert_calls(kit, 0, "sonnet");
    kit_free(kit);
}

static void requests_that_wait_move_too(void **state)
{
    (void)state;
    struct kit *kit = kit_routed();
    go_out(kit, 0);
    for (int64_t offset = 1; offset < 5; offset++)
        kit_request(kit, 0, offset, NULL, ASKS);
    kit_wait(kit, 300);
    size_t moved = 0;
    for (int64_t offset = 1; offset < 5; offset++)
        moved += kit_calls_of(kit, offset) == 1 && calls_model(kit, offset, "haiku");
    assert_true(moved >= 3); /* one may try whether the other answers */
    kit_free(kit);
}

static void an_open_call_is_never_broken_off(void **state)
{
    (void)state;
    struct kit *kit = kit_routed();
    kit_request(kit, 0, 7, NULL, ASKS);
    kit_turn(kit);
    go_out(kit, 8);
    kit_wait(kit, 60000);
    assert_calls(kit, 7, "sonnet");
    assert_int_equal(kit_calls_of(kit, 7), 1);
    kit_request(kit, 0, 9, NULL, ASKS);
    kit_turn(kit);
    assert_calls(kit, 9, "sonnet"); /* nor does it keep others from trying */
    kit_free(kit);
}

/* ---- the way back ---- */

static void one_request_at_a_time_tries_the_first_choice_and_all_return(void **state)
{
    (void)state;
    struct kit *kit = kit_routed();
    go_out(kit, 0);
    int64_t offset = 1;
    size_t tries = 0;
    for (int i = 0; i < 60; i++, offset++) {
        kit_request(kit, 0, offset, NULL, ASKS);
        kit_wait(kit, 1000);
        if (calls_model(kit, offset, "sonnet")) {
            tries++;
            kit_fail(kit, offset);
            kit_wait(kit, 1);
            assert_calls(kit, offset, "haiku"); /* it does not wait for its own next try */
        }
        answer_texts(kit, offset);
        if (kit->has_batch)
            kit_commit(kit);
    }
    assert_true(tries >= 3);
    assert_true(tries <= 60);
    for (bool is_back = false; !is_back; offset++) {
        kit_request(kit, 0, offset, NULL, ASKS);
        kit_wait(kit, 1000);
        is_back = calls_model(kit, offset, "sonnet");
        if (is_back)
            kit_answer(kit, offset);
        else
            answer_texts(kit, offset);
        assert_true(offset < 200);
        if (kit->has_batch)
            kit_commit(kit);
    }
    for (int64_t end = offset + 5; offset < end; offset++) {
        kit_request(kit, 0, offset, NULL, ASKS);
        kit_turn(kit);
        assert_calls(kit, offset, "sonnet");
        kit_answer(kit, offset);
    }
    kit_free(kit);
}

/* ---- credentials ---- */

static void without_credentials_a_request_moves_and_with_them_it_stays(void **state)
{
    (void)state;
    struct kit *kit = kit_with(KEYLESS, 2);
    struct credentials credentials = {.access_key_id = SLICE("AKID"),
                                      .secret_access_key = SLICE("secret"),
                                      .expires_wall_ms = INT64_MAX};
    kit_request(kit, 0, 0, NULL, ASKS);
    kit_wait(kit, 2000);
    assert_int_equal(kit->call_count, 0); /* the look for them has not ended */
    engine_credentials(kit->engine, 1, NULL, SLICE("there is no file"));
    kit_wait(kit, 300);
    assert_calls(kit, 0, "haiku");
    engine_credentials(kit->engine, 1, &credentials, SLICE(""));
    kit_request(kit, 0, 1, NULL, ASKS);
    kit_wait(kit, 300);
    assert_calls(kit, 1, "sonnet");
    kit_free(kit);
}

static void refused_credentials_move_requests(void **state)
{
    (void)state;
    struct kit *kit = kit_with(KEYLESS, 2);
    struct credentials credentials = {.access_key_id = SLICE("OLD"),
                                      .secret_access_key = SLICE("secret"),
                                      .expires_wall_ms = INT64_MAX};
    engine_credentials(kit->engine, 1, &credentials, SLICE(""));
    kit_request(kit, 0, 0, NULL, ASKS);
    kit_turn(kit);
    assert_calls(kit, 0, "sonnet");
    kit_answer_with(kit, 0, 403, "x-amzn-errortype: ExpiredTokenException\r\n", "{}");
    kit_wait(kit, 1);
    assert_calls(kit, 0, "haiku");
    kit_free(kit);
}

static void where_no_fallback_can_be_called_a_request_stays(void **state)
{
    (void)state;
    static const struct model_alias BOTH[] = {
        [MAIN] = {.name = TEXT("main"), .id = TEXT(CLAUDE), FALLBACK(TO_ELSEWHERE)},
        [ELSEWHERE] = {.name = TEXT("elsewhere"), .id = TEXT(NOVA), .identity = 1}};
    struct kit *kit = kit_with(BOTH, COUNT_OF(BOTH));
    engine_credentials(kit->engine, 0, NULL, SLICE("none"));
    engine_credentials(kit->engine, 1, NULL, SLICE("none"));
    kit_request(kit, 0, 0, NULL, ASKS);
    kit_wait(kit, 60000);
    assert_int_equal(kit->call_count, 0);
    assert_int_equal(kit->logged[LOG_REQUEST_MOVED], 0);
    kit_free(kit);
}

/* ---- the wait ---- */

static void a_rest_longer_than_fallback_after_moves_requests(void **state)
{
    (void)state;
    struct kit *kit = kit_routed();
    throttle_many(kit, 0, 4, "x-amzn-errortype: ThrottlingException\r\nretry-after: 14\r\n");
    kit_wait(kit, 300);
    for (int64_t offset = 0; offset < 4; offset++)
        assert_calls(kit, offset, "haiku");
    assert_non_null(strstr(kit->words[LOG_REQUEST_MOVED],
                           "because the wait there is longer than fallback_after"));
    kit_free(kit);
}

static void a_shorter_rest_moves_nothing(void **state)
{
    (void)state;
    struct kit *kit = kit_routed();
    throttle_many(kit, 0, 4, "x-amzn-errortype: ThrottlingException\r\nretry-after: 8\r\n");
    kit_wait(kit, 7000);
    assert_int_equal(kit_open_calls(kit), 0);
    kit_wait(kit, 20000);
    assert_int_equal(kit->logged[LOG_REQUEST_MOVED], 0);
    assert_true(kit_open_calls(kit) > 0);
    for (int64_t offset = 0; offset < 4; offset++)
        if (kit_calls_of(kit, offset) > 1)
            assert_calls(kit, offset, "sonnet");
    kit_free(kit);
}

/* What is learned: about one call in two seconds. Those behind the fifth wait for too long. */
static void the_place_in_the_queue_decides_who_moves(void **state)
{
    (void)state;
    struct kit *kit = kit_routed();
    kit_request(kit, 0, 0, NULL, ASKS);
    kit_turn(kit);
    struct target *target = targets_next(kit->engine, NULL);
    target->quota.is_starting = false;
    target->quota.limits[QUOTA_REQUESTS].learned = 0.5;
    target->quota.limits[QUOTA_REQUESTS].base = 0.5;
    target->quota.limits[QUOTA_REQUESTS].level = 0;
    for (int64_t offset = 1; offset < 16; offset++)
        kit_request(kit, 0, offset, NULL, ASKS);
    kit_wait(kit, 1);
    size_t moved = 0;
    for (int64_t offset = 1; offset < 16; offset++) {
        bool is_moved = kit_calls_of(kit, offset) > 0;
        assert_true(is_moved || moved == 0); /* the last ones */
        moved += is_moved;
    }
    assert_int_equal(moved, 9); /* 0 to 5 of them may be called within 10 s */
    kit_free(kit);
}

static void a_queue_of_a_quota_that_is_not_known_yet_moves_nothing(void **state)
{
    (void)state;
    struct engine_config config = kit_config();
    config.start_per_second = 2;
    config.max_held = 400;
    config.max_in_flight = 400;
    config.catalog.aliases = ALIASES;
    config.catalog.alias_count = COUNT_OF(ALIASES);
    config.catalog.apis = dialect_apis(&config.catalog.api_count);
    config.catalog.choose = dialect_choose;
    config.catalog.check = dialect_check;
    config.identity_count = 2;
    struct kit *kit = kit_started(&config);
    for (int64_t offset = 0; offset < 300; offset++)
        kit_request(kit, 0, offset, NULL, ASKS);
    kit_wait(kit, 9000);
    assert_int_equal(kit->call_count, 300);
    assert_int_equal(kit->logged[LOG_REQUEST_MOVED], 0);
    kit_free(kit);
}

static void a_spent_day_moves_requests_but_one_a_minute(void **state)
{
    (void)state;
    struct kit *kit = kit_routed();
    kit_request(kit, 0, 0, NULL, ASKS);
    kit_turn(kit);
    kit_throttle(kit, 0);
    struct target *target = targets_next(kit->engine, NULL);
    target->quota.is_day_spent = true;
    target->quota.is_starting = false;
    target->quota.refused_ms = kit->now_ms - 200000;
    target->quota.rest_until_ms = kit->now_ms + 60000;
    size_t tries = 0;
    for (int64_t offset = 1; offset < 180; offset++) {
        kit_request(kit, 0, offset, NULL, ASKS);
        kit_wait(kit, 1000);
        if (calls_model(kit, offset, "sonnet")) {
            tries++;
            kit_answer_with(kit, offset, 429, "x-amzn-errortype: ThrottlingException\r\n", "{}");
            kit_wait(kit, 300);
        }
        assert_calls(kit, offset, "haiku");
        answer_texts(kit, offset);
        if (kit->has_batch)
            kit_commit(kit);
    }
    assert_in_range(tries, 2, 3);
    kit_free(kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_target_without_answers_for_five_seconds_hands_its_request_on),
        cmocka_unit_test(one_refusal_moves_nothing),
        cmocka_unit_test(an_outage_of_less_moves_nothing),
        cmocka_unit_test(one_failure_is_no_outage_however_long_ago),
        cmocka_unit_test(a_refusal_between_two_failures_ends_the_outage),
        cmocka_unit_test(requests_that_wait_move_too),
        cmocka_unit_test(an_open_call_is_never_broken_off),
        cmocka_unit_test(one_request_at_a_time_tries_the_first_choice_and_all_return),
        cmocka_unit_test(without_credentials_a_request_moves_and_with_them_it_stays),
        cmocka_unit_test(refused_credentials_move_requests),
        cmocka_unit_test(where_no_fallback_can_be_called_a_request_stays),
        cmocka_unit_test(a_rest_longer_than_fallback_after_moves_requests),
        cmocka_unit_test(a_shorter_rest_moves_nothing),
        cmocka_unit_test(the_place_in_the_queue_decides_who_moves),
        cmocka_unit_test(a_queue_of_a_quota_that_is_not_known_yet_moves_nothing),
        cmocka_unit_test(a_spent_day_moves_requests_but_one_a_minute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
