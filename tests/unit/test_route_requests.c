/* What a request is that moved to a fallback: its body, records, limits and marks. */
#include "unit/route_kit.h"

/* ---- the request as another one ---- */

static void assert_body_has(struct kit *kit, int64_t offset, const char *part)
{
    struct slice body = last_call(kit, offset)->request->body;
    if (memmem(body.ptr, body.len, part, strlen(part)) == NULL)
        fail_msg("%s is not in %.*s", part, SLICE_ARG(body));
}

static void the_body_is_that_of_the_other_model_with_its_defaults(void **state)
{
    (void)state;
    struct kit *kit = kit_routed();
    kit_request(kit, 0, 0, NULL, ASKS ",\"top_p\":0.5");
    kit_turn(kit);
    assert_body_has(kit, 0, "\"inferenceConfig\":{\"temperature\":0.25,\"topP\":0.5}");
    fail_until_moved(kit, 0);
    assert_calls(kit, 0, "/model/anthropic.claude-3-haiku-20240307-v1%3A0/invoke");
    assert_body_has(kit, 0, "\"anthropic_version\"");
    assert_body_has(kit, 0, "\"max_tokens\":512");
    assert_body_has(kit, 0, "\"temperature\":0.75");
    assert_body_has(kit, 0, "\"top_p\":0.5");
    struct slice body = last_call(kit, 0)->request->body;
    assert_null(memmem(body.ptr, body.len, "inferenceConfig", 15));
    kit_free(kit);
}

static void explain_says(struct kit *kit, int64_t offset, const char *part)
{
    struct buf json OWNED_BY(buf_done);
    struct explain_query query = {.kind = EXPLAIN_POSITION, .text = KIT_TOPIC, .offset = offset};
    buf_init(&json, 1 << 20);
    engine_explain(kit->engine, &query, &json);
    if (strstr(buf_text(&json), part) == NULL)
        fail_msg("%s is not in %s", part, buf_text(&json));
}

#define TOOLS                                                                                      \
    ",\"tools\":[{\"name\":\"f\",\"description\":\"d\",\"input_schema\":{\"type\":\"object\"}}]"

static void a_request_that_a_fallback_cannot_take_stays_and_says_why(void **state)
{
    (void)state;
    static const struct model_alias PAIR[] = {
        [MAIN] = {.name = TEXT("main"), .id = TEXT(CLAUDE), FALLBACK(TO_TEXTS)},
        [TEXTS] = {.name = TEXT("texts"), .id = TEXT(TITAN), .api = TEXT("invoke")}};
    struct kit *kit = kit_with(PAIR, COUNT_OF(PAIR));
    kit_request(kit, 0, 0, NULL, ASKS TOOLS);
    kit_turn(kit);
    for (int i = 0; i < 10; i++) {
        assert_calls(kit, 0, "sonnet");
        kit_fail(kit, 0);
        next_call(kit, 0);
    }
    explain_says(kit, 0, "a fallback cannot take it (texts: tools ");
    kit_request(kit, 0, 1, NULL, ASKS);
    kit_request(kit, 0, 2, NULL, ASKS);
    kit_turn(kit);
    assert_calls(kit, 2, "titan"); /* another one moves */
    explain_says(kit, 2, "it moved from " CLAUDE " because it has answered nothing for seconds");
    explain_says(kit, 2, "\"moved_from\":\"" CLAUDE "\"");
    kit_free(kit);
}

static void the_next_fallback_takes_what_the_first_cannot(void **state)
{
    (void)state;
    struct kit *kit = kit_routed();
    kit_request(kit, 0, 0, NULL, ",\"model\":\"chain\"" TOOLS);
    kit_turn(kit);
    fail_until_moved(kit, 0);
    assert_calls(kit, 0, "haiku");
    kit_free(kit);
}

static void a_fallback_that_rejects_sends_the_request_back_for_good(void **state)
{
    (void)state;
    struct kit *kit = kit_routed();
    go_out(kit, 0);
    kit_answer_with(kit, 0, 404, "x-amzn-errortype: ResourceNotFoundException\r\n", "{}");
    for (int i = 0; i < 8; i++) {
        next_call(kit, 0);
        assert_calls(kit, 0, "sonnet");
        kit_fail(kit, 0);
    }
    next_call(kit, 0);
    explain_says(kit, 0, "a fallback cannot take it (spare: ");
    kit_answer(kit, 0);
    kit_settle(kit);
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"status\":\"ok\",\"model\":\"" CLAUDE "\"");
    kit_free(kit);
}

static void what_the_first_choice_rejects_is_final(void **state)
{
    (void)state;
    struct kit *kit = kit_routed();
    kit_request(kit, 0, 0, NULL, ASKS);
    kit_turn(kit);
    kit_answer_with(kit, 0, 400, "x-amzn-errortype: ValidationException\r\n", "{}");
    kit_settle(kit);
    assert_int_equal(kit->call_count, 1);
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"code\":\"rejected\"");
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"model_requested\":\"main\"");
    kit_free(kit);
}

#define WANTS                                                                                      \
    ",\"structured_output\":{\"method\":\"json_schema\",\"validate\":true,\"retry_invalid\":1,"    \
    "\"schema\":{\"title\":\"T\",\"properties\":{\"a\":{\"type\":\"integer\"}},\"required\":["     \
    "\"a\"]}}"

static void a_request_with_an_answer_never_moves(void **state)
{
    (void)state;
    struct kit *kit = kit_with(KEYLESS, 2);
    struct credentials credentials = {.access_key_id = SLICE("AKID"),
                                      .secret_access_key = SLICE("secret"),
                                      .expires_wall_ms = INT64_MAX};
    engine_credentials(kit->engine, 1, &credentials, SLICE(""));
    kit_request(kit, 0, 0, NULL, ASKS WANTS);
    kit_turn(kit);
    engine_credentials(kit->engine, 1, NULL, SLICE("gone"));
    kit_answer(kit, 0); /* it is not valid: a call more is due */
    kit_wait(kit, 20000);
    assert_int_equal(kit->logged[LOG_ANSWER_NOT_VALID], 1);
    assert_int_equal(kit->call_count, 1);
    assert_int_equal(kit->logged[LOG_REQUEST_MOVED], 0);
    kit_free(kit);
}

static void a_correction_goes_to_the_fallback_in_its_own_form(void **state)
{
    (void)state;
    struct kit *kit = kit_routed();
    kit_request(
        kit, 0, 0, NULL,
        ASKS ",\"structured_output\":{\"retry_invalid\":1,\"validate\":true,\"schema\":{\"title\":"
             "\"T\",\"description\":\"d\",\"required\":[\"a\"]}}");
    kit_turn(kit);
    fail_until_moved(kit, 0);
    answer_texts(kit, 0);
    next_call(kit, 0);
    assert_calls(kit, 0, "haiku");
    assert_body_has(kit, 0, "\"anthropic_version\"");
    assert_body_has(kit, 0, "{\"role\":\"assistant\",\"content\"");
    assert_int_equal(kit->logged[LOG_ANSWER_NOT_VALID], 1);
    kit_free(kit);
}

/* ---- limits, marks, lines ---- */

static void a_call_begins_only_under_its_mark_wherever_it_goes(void **state)
{
    (void)state;
    struct engine_config config = kit_config();
    config.identity_count = 2;
    config.write_ahead = true;
    config.catalog.aliases = KEYLESS;
    config.catalog.alias_count = 2;
    struct kit *kit = kit_started(&config);
    engine_credentials(kit->engine, 1, NULL, SLICE("none"));
    kit_request(kit, 0, 0, NULL, ASKS);
    kit_wait(kit, 300);
    assert_int_equal(kit->call_count, 0);
    assert_true(kit->has_batch);
    kit_commit(kit);
    kit_turn(kit);
    assert_calls(kit, 0, "haiku");
    kit_die(kit);
    kit_assign(kit, 0);
    engine_credentials(kit->engine, 1, NULL, SLICE("none"));
    kit_request(kit, 0, 0, NULL, ASKS);
    kit_settle(kit);
    const struct kit_text *lost = kit_output(kit, OUTPUT_USAGE, 0);
    assert_says(lost, "\"reason\":\"worker_lost\"");
    assert_says(lost, "\"model\":\"" CLAUDE "\",\"model_requested\":\"main\"");
    kit_answer(kit, 0);
    kit_settle(kit);
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 2);
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 1);
    kit_free(kit);
}

static void a_marked_request_moves_when_its_target_may_not_be_called(void **state)
{
    (void)state;
    struct engine_config config = kit_config();
    config.identity_count = 2;
    config.write_ahead = true;
    config.catalog.aliases = KEYLESS;
    config.catalog.alias_count = 2;
    struct kit *kit = kit_started(&config);
    struct credentials credentials = {.access_key_id = SLICE("AKID"),
                                      .secret_access_key = SLICE("secret"),
                                      .expires_wall_ms = INT64_MAX};
    engine_credentials(kit->engine, 1, &credentials, SLICE(""));
    kit_request(kit, 0, 0, NULL, ASKS);
    kit_wait(kit, 300);
    engine_credentials(kit->engine, 1, NULL, SLICE("gone"));
    kit_commit(kit); /* of the mark */
    for (int i = 0; i < 20 && kit->call_count == 0; i++) {
        kit_wait(kit, 100);
        if (kit->has_batch)
            kit_commit(kit);
    }
    assert_calls(kit, 0, "haiku");
    kit_answer(kit, 0);
    kit_settle(kit);
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 1);
    assert_int_equal(kit->committed[0], 1);
    kit_free(kit);
}

/* Its second target is freed, and made again, while attempts of the first one are in its records.
 */
static void records_of_earlier_calls_outlive_their_targets(void **state)
{
    (void)state;
    struct kit *kit = kit_routed();
    go_out(kit, 0);
    kit_answer_with(kit, 0, 404, "x-amzn-errortype: ResourceNotFoundException\r\n", "{}");
    for (int i = 0; i < 3; i++) {
        next_call(kit, 0);
        kit_fail(kit, 0);
    }
    next_call(kit, 0);
    kit_answer(kit, 0);
    kit_settle(kit);
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0),
                "\"region\":\"eu-west-1\",\"status\":404,\"error\":\"ResourceNotFoundException\"");
    kit_free(kit);
}

static void the_bytes_of_a_moved_request_are_held_and_given_back(void **state)
{
    (void)state;
    struct kit *kit = kit_with(KEYLESS, 2);
    struct engine_stats before, during, after;
    engine_stats(kit->engine, &before);
    engine_credentials(kit->engine, 1, NULL, SLICE("none"));
    kit_request(kit, 0, 0, NULL, ",\"model\":\"spare\"");
    engine_stats(kit->engine, &during);
    uint64_t plain = during.held_bytes - before.held_bytes;
    kit_request(kit, 0, 1, NULL, ASKS);
    engine_stats(kit->engine, &during);
    assert_true(during.held_bytes - before.held_bytes > 2 * plain);
    kit_turn(kit);
    kit_answer(kit, 0);
    kit_answer(kit, 1);
    kit_settle(kit);
    engine_stats(kit->engine, &after);
    assert_int_equal(after.held_bytes, before.held_bytes);
    kit_free(kit);
}

static void attempts_and_time_count_over_all_targets(void **state)
{
    (void)state;
    struct engine_config config = kit_config();
    config.catalog.aliases = ALIASES;
    config.catalog.alias_count = COUNT_OF(ALIASES);
    config.catalog.apis = dialect_apis(&config.catalog.api_count);
    config.catalog.choose = dialect_choose;
    config.catalog.check = dialect_check;
    config.identity_count = 2;
    config.retry.max_attempts = 4;
    config.retry.max_elapsed_ms = 3600000;
    config.retry.transient_base_ms = 20000;
    struct kit *kit = kit_started(&config);
    kit_request(kit, 0, 0, NULL, ASKS);
    kit_turn(kit);
    for (int i = 0; i < 60 && kit_count(kit, OUTPUT_RESPONSE) == 0; i++) {
        if (kit_open_calls(kit) > 0)
            kit_fail(kit, 0);
        kit_wait(kit, 20000);
        if (kit->has_batch)
            kit_commit(kit);
    }
    assert_int_equal(kit->call_count, 4);
    const struct kit_text *response = kit_output(kit, OUTPUT_RESPONSE, 0);
    assert_says(response, "\"status\":\"error\"");
    assert_says(response, "haiku");
    assert_says(response, "\"attempt\":4");
    kit_free(kit);
}

/* Other targets' rests are as little its time as its own target's. */
static void the_rests_of_no_target_count_for_max_elapsed(void **state)
{
    (void)state;
    struct kit *kit = kit_with_elapsed(30000);
    throttle_many(kit, 0, 1, "x-amzn-errortype: ThrottlingException\r\nretry-after: 9\r\n");
    kit_wait(kit, 8900);
    assert_int_equal(kit_open_calls(kit), 0);
    next_call(kit, 0);
    kit_answer_with(kit, 0, 429, "x-amzn-errortype: ThrottlingException\r\nretry-after: 14\r\n",
                    "{}");
    next_call(kit, 0);
    assert_calls(kit, 0, "haiku");
    assert_in_range(job_elapsed_ms(kit->engine, job_at(kit->engine, 0)), 0, 3000);
    kit_free(kit);
}

static void a_request_that_moved_keeps_its_time_limit(void **state)
{
    (void)state;
    struct kit *kit = kit_with(KEYLESS, 2);
    engine_credentials(kit->engine, 1, NULL, SLICE("none"));
    engine_credentials(kit->engine, 0, NULL, SLICE("none"));
    kit_request(kit, 0, 0, NULL, ASKS ",\"ttl_ms\":60000,\"id\":\"o-1\"");
    kit_wait(kit, 59000);
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 0);
    kit_settle(kit);
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"id\":\"o-1\",\"status\":\"error\"");
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"code\":\"expired\"");
    kit_free(kit);
}

static void a_pair_has_a_line_at_once_and_then_one_a_minute_with_its_count(void **state)
{
    (void)state;
    struct kit *kit = kit_with(KEYLESS, 2);
    engine_credentials(kit->engine, 1, NULL, SLICE("none"));
    for (int64_t offset = 0; offset < 5; offset++)
        kit_request(kit, 0, offset, NULL, ASKS);
    kit_turn(kit);
    assert_int_equal(kit->logged[LOG_REQUEST_MOVED], 1);
    assert_non_null(strstr(kit->words[LOG_REQUEST_MOVED],
                           "1 requests moved from " CLAUDE " in us-east-1 to "
                           "anthropic.claude-3-haiku-20240307-v1:0 in us-east-1"));
    kit_wait(kit, 59000);
    assert_int_equal(kit->logged[LOG_REQUEST_MOVED], 1);
    kit_wait(kit, 2000);
    assert_int_equal(kit->logged[LOG_REQUEST_MOVED], 2);
    assert_non_null(strstr(kit->words[LOG_REQUEST_MOVED], "4 requests moved from"));
    kit_wait(kit, 120000);
    assert_int_equal(kit->logged[LOG_REQUEST_MOVED], 2);
    kit_free(kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_body_is_that_of_the_other_model_with_its_defaults),
        cmocka_unit_test(a_request_that_a_fallback_cannot_take_stays_and_says_why),
        cmocka_unit_test(the_next_fallback_takes_what_the_first_cannot),
        cmocka_unit_test(a_fallback_that_rejects_sends_the_request_back_for_good),
        cmocka_unit_test(what_the_first_choice_rejects_is_final),
        cmocka_unit_test(attempts_and_time_count_over_all_targets),
        cmocka_unit_test(a_request_that_moved_keeps_its_time_limit),
        cmocka_unit_test(a_pair_has_a_line_at_once_and_then_one_a_minute_with_its_count),
        cmocka_unit_test(the_rests_of_no_target_count_for_max_elapsed),
        cmocka_unit_test(a_request_with_an_answer_never_moves),
        cmocka_unit_test(a_correction_goes_to_the_fallback_in_its_own_form),
        cmocka_unit_test(a_call_begins_only_under_its_mark_wherever_it_goes),
        cmocka_unit_test(a_marked_request_moves_when_its_target_may_not_be_called),
        cmocka_unit_test(records_of_earlier_calls_outlive_their_targets),
        cmocka_unit_test(the_bytes_of_a_moved_request_are_held_and_given_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
