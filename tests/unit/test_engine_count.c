/* Requests that count tokens run as others do, and leave no usage record, whatever happens to their
 * calls. */
#include "unit/engine_kit.h"

#define COUNT ",\"count_tokens\":true,\"stream\":true"

static void a_count_is_a_response_without_message_and_usage_record(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_request(kit, 0, 0, NULL, COUNT);
    kit_turn(kit);
    kit_answer_with(kit, 0, 200, "", "{\"inputTokens\":42}");
    kit_settle(kit);
    const struct kit_text *response = kit_output(kit, OUTPUT_RESPONSE, 0);
    assert_says(response, "\"status\":\"ok\"");
    assert_says(response, "\"usage\":{\"input_tokens\":42},");
    assert_null(strstr(response->value, "\"message\""));
    assert_null(strstr(response->value, "\"stop_reason\""));
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 0);
    assert_int_equal(kit->chunk_count, 0);
    assert_int_equal(kit->committed[0], 1);
    kit_free(kit);
}

static void a_count_is_not_parsed(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_request(kit, 0, 0, NULL,
                COUNT ",\"structured_output\":{\"schema\":{\"title\":\"P\",\"type\":\"object\"},"
                      "\"validate\":true,\"retry_invalid\":2}");
    kit_turn(kit);
    kit_answer_with(kit, 0, 200, "", "{\"inputTokens\":42}");
    kit_settle(kit);
    assert_int_equal(kit->call_count, 1);
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"usage\":{\"input_tokens\":42},");
    assert_null(strstr(kit_output(kit, OUTPUT_RESPONSE, 0)->value, "pars"));
    kit_free(kit);
}

static void a_model_that_cannot_be_counted_says_so(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_request(kit, 0, 0, NULL, COUNT);
    kit_turn(kit);
    kit_answer_with(kit, 0, 400, "x-amzn-errortype: ValidationException\r\n",
                    "{\"message\":\"The provided model doesn't support counting tokens.\"}");
    kit_settle(kit);
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"code\":\"rejected\"");
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "doesn't support counting tokens");
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 0);
    kit_free(kit);
}

static void a_count_that_fails_is_tried_again_and_not_recorded(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_request(kit, 0, 0, NULL, COUNT);
    kit_turn(kit);
    kit_call_ends(kit, kit_call(kit, 0), ERR_TIMEOUT, true);
    kit_wait(kit, 60000);
    assert_int_equal(kit->call_count, 2);
    kit_answer_with(kit, 0, 200, "", "{\"inputTokens\":1}");
    kit_settle(kit);
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"input_tokens\":1}");
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 0);
    kit_free(kit);
}

static void an_answer_without_a_count_is_none(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_request(kit, 0, 0, NULL, COUNT);
    kit_turn(kit);
    kit_answer_with(kit, 0, 200, "", "{\"outputTokens\":42}");
    kit_wait(kit, 60000);
    assert_int_equal(kit->call_count, 2);
    kit_answer_with(kit, 0, 200, "", "{\"inputTokens\":0}");
    kit_settle(kit);
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"usage\":{\"input_tokens\":0}");
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 0);
    kit_free(kit);
}

static void a_count_that_a_drain_cancels_leaves_nothing(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_request(kit, 0, 0, NULL, COUNT);
    kit_turn(kit);
    engine_partition_lost(kit->engine, kit->tenures[0]);
    kit_settle(kit);
    assert_int_equal(kit->output_count, 0);
    kit_free(kit);
}

/* The next owner reads the request again, and sees that it only counts. */
static void a_dead_owners_count_is_not_recorded_but_its_death_counts(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_request(kit, 0, 0, NULL, COUNT);
    kit_wait(kit, 200); /* the call is running, and that is committed */
    kit_commit(kit);
    for (size_t deaths = 1; deaths < 3; deaths++) {
        kit_die(kit);
        kit_assign(kit, 0);
        kit_request(kit, 0, 0, NULL, COUNT);
        kit_wait(kit, 1000);
        assert_int_equal(kit->call_count, deaths + 1);
        kit_commit(kit);
        assert_int_equal(kit->output_count, 0);
    }
    kit_die(kit);
    kit_assign(kit, 0);
    kit_request(kit, 0, 0, NULL, COUNT);
    kit_settle(kit);
    assert_int_equal(kit->call_count, 3);
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 0);
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"code\":\"abandoned\"");
    assert_int_equal(kit->committed[0], 1);
    kit_free(kit);
}

static void a_refused_count_becomes_an_error_without_usage(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_request(kit, 0, 0, NULL, COUNT);
    kit_turn(kit);
    kit_answer_with(kit, 0, 200, "", "{\"inputTokens\":42}");
    kit_refuse(kit, kit_batch_with(kit, OUTPUT_RESPONSE), ERR_TOO_LARGE);
    kit_settle(kit);
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"code\":\"response_too_large\"");
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 0);
    kit_free(kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_count_is_a_response_without_message_and_usage_record),
        cmocka_unit_test(a_count_is_not_parsed),
        cmocka_unit_test(a_model_that_cannot_be_counted_says_so),
        cmocka_unit_test(a_count_that_fails_is_tried_again_and_not_recorded),
        cmocka_unit_test(an_answer_without_a_count_is_none),
        cmocka_unit_test(a_count_that_a_drain_cancels_leaves_nothing),
        cmocka_unit_test(a_dead_owners_count_is_not_recorded_but_its_death_counts),
        cmocka_unit_test(a_refused_count_becomes_an_error_without_usage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
