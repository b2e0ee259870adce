/* Answers that are not valid for the request's schema: called for again, kept, published. */
#include "unit/unit.h"

#include "unit/engine_stream_kit.h"

#define SCHEMA                                                                                     \
    "{\"title\":\"T\",\"properties\":{\"a\":{\"type\":\"integer\"}},\"required\":[\"a\"]}"
#define WANTS(more)                                                                                \
    ",\"structured_output\":{\"method\":\"json_schema\",\"validate\":true,"                        \
    "\"schema\":" SCHEMA more "}"
#define RETRIES WANTS(",\"retry_invalid\":1")

static void answer_text(struct kit *kit, int64_t offset, const char *text)
{
    char body[512];
    (void)snprintf(body, sizeof body,
                   "{\"output\":{\"message\":{\"role\":\"assistant\",\"content\":[{\"text\":\"%s\"}"
                   "]}},\"stopReason\":\"end_turn\",\"usage\":{\"inputTokens\":7,\"outputTokens\":"
                   "3,\"totalTokens\":10}}",
                   text);
    kit_answer_with(kit, offset, 200, "content-type: application/json\r\n", body);
}

static void answer_invalid(struct kit *kit, int64_t offset)
{
    answer_text(kit, offset, "{}");
}

static void answer_valid(struct kit *kit, int64_t offset)
{
    answer_text(kit, offset, "{\\\"a\\\":1}");
}

static size_t count_final(const struct kit *kit)
{
    size_t count = 0;
    for (size_t i = 0; i < kit->output_count; i++)
        count += kit->outputs[i].kind == OUTPUT_USAGE &&
                 strstr(kit->outputs[i].value, "\"final\":true") != NULL;
    return count;
}

static void the_call_for_a_correction_begins_at_once_and_has_its_own_usage(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_request(kit, 0, 0, NULL, RETRIES);
    kit_turn(kit);
    answer_invalid(kit, 0);
    kit_turn(kit);
    assert_int_equal(kit_open_calls(kit), 1);
    assert_int_equal(kit->logged[LOG_ANSWER_NOT_VALID], 1);
    answer_valid(kit, 0);
    kit_settle(kit);
    assert_int_equal(kit->call_count, 2);
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 1);
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"parsed\":{\"a\":1}");
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 2);
    assert_says(kit_output(kit, OUTPUT_USAGE, 0),
                "\"attempt\":1,\"final\":false,\"estimated\":false");
    assert_says(kit_output(kit, OUTPUT_USAGE, 0), "\"stop_reason\":\"end_turn\"");
    assert_says(kit_output(kit, OUTPUT_USAGE, 1), "\"attempt\":2,\"final\":true");
    assert_int_equal(kit->committed[0], 1);
    kit_free(kit);
}

static void the_last_answer_is_published_valid_or_not(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_request(kit, 0, 0, NULL, RETRIES);
    kit_turn(kit);
    answer_invalid(kit, 0);
    kit_turn(kit);
    answer_text(kit, 0, "{\\\"a\\\":0.5}");
    kit_settle(kit);
    assert_int_equal(kit->call_count, 2);
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"status\":\"ok\"");
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"parsed\":{\"a\":0.5}");
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "$.a: must be a whole number");
    assert_int_equal(kit_count(kit, OUTPUT_LETTER), 0);
    assert_int_equal(count_final(kit), 1);
    kit_free(kit);
}

static void a_drain_publishes_an_answer_that_waits_for_its_correction(void **state)
{
    (void)state;
    struct engine_config config = kit_config();
    config.max_in_flight = 1;
    struct kit *kit = kit_started(&config);
    kit_request(kit, 0, 0, NULL, RETRIES);
    kit_turn(kit);
    answer_invalid(kit, 0); /* its correction waits for a slot */
    engine_stop(kit->engine);
    kit_settle(kit);
    assert_int_equal(kit->call_count, 1);
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"parsing_error\":");
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 1);
    assert_true(kit->has_ended);
    assert_int_equal(kit->exit_code, 0);
    assert_int_equal(kit->committed[0], 1);
    kit_free(kit);
}

static void during_a_drain_the_answer_of_a_running_call_is_the_last(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_request(kit, 0, 0, NULL, RETRIES);
    kit_turn(kit);
    engine_stop(kit->engine);
    answer_invalid(kit, 0);
    kit_settle(kit);
    assert_int_equal(kit->call_count, 1);
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"parsing_error\":");
    assert_int_equal(count_final(kit), 1);
    kit_free(kit);
}

static void a_cancelled_correction_leaves_the_answer_before_it(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_request(kit, 0, 0, NULL, RETRIES);
    kit_turn(kit);
    answer_invalid(kit, 0);
    kit_turn(kit);
    engine_stop(kit->engine);
    kit_wait(kit, kit->config.drain_timeout_ms + 100);
    kit_settle(kit);
    assert_int_equal(kit->call_count, 2);
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 1);
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"parsing_error\":");
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 2); /* both were sent */
    assert_true(kit->has_ended);
    kit_free(kit);
}

static void a_time_limit_ends_the_corrections(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_request(kit, 0, 0, NULL, WANTS(",\"retry_invalid\":3") ",\"ttl_ms\":5000");
    kit_turn(kit);
    answer_invalid(kit, 0);
    kit_turn(kit);
    kit_throttle(kit, 0);
    kit_wait(kit, 60000);
    while (kit_open_calls(kit) > 0) {
        kit_throttle(kit, 0);
        kit_wait(kit, 60000);
    }
    kit_settle(kit);
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 1);
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"status\":\"ok\"");
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 1);
    assert_int_equal(kit_count(kit, OUTPUT_LETTER), 0);
    kit_free(kit);
    kit = kit_started(NULL);
    kit_request(kit, 0, 0, NULL, RETRIES ",\"ttl_ms\":2000");
    kit_turn(kit);
    kit_time(kit, 3000); /* the call that runs is not cut by the limit */
    answer_invalid(kit, 0);
    kit_settle(kit);
    assert_int_equal(kit->call_count, 1);
    assert_int_equal(count_final(kit), 1);
    kit_free(kit);
}

static void a_correction_that_waits_too_long_leaves_the_answer_before_it(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_request(kit, 0, 0, NULL, RETRIES);
    kit_turn(kit);
    engine_credentials(kit->engine, 0, NULL, SLICE("none are left"));
    answer_invalid(kit, 0);
    kit_wait(kit, kit->config.retry.max_elapsed_ms + 1000);
    kit_settle(kit);
    assert_int_equal(kit->call_count, 1);
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 1);
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"status\":\"ok\"");
    kit_free(kit);
}

static void a_death_during_a_correction_records_its_call_and_begins_from_the_start(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_request(kit, 0, 0, NULL, RETRIES);
    kit_turn(kit);
    answer_invalid(kit, 0);
    kit_turn(kit);
    kit_settle(kit); /* the map names the second call as running */
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 1);
    kit_die(kit);
    kit_assign(kit, 0);
    kit_request(kit, 0, 0, NULL, RETRIES);
    kit_settle(kit);
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 2);
    assert_says(kit_output(kit, OUTPUT_USAGE, 1), "\"reason\":\"worker_lost\"");
    answer_valid(kit, 0);
    kit_settle(kit);
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 3);
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 1);
    kit_free(kit);
}

static void a_lost_partition_drops_the_kept_answer_and_records_its_call(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_request(kit, 0, 0, NULL, RETRIES);
    kit_turn(kit);
    answer_invalid(kit, 0);
    kit_turn(kit);
    engine_partition_lost(kit->engine, kit->tenures[0]);
    kit_settle(kit);
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 0);
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 2);
    kit_free(kit);
}

static void later_requests_of_a_key_wait_for_the_correction(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_request(kit, 0, 0, "k", RETRIES);
    kit_request(kit, 0, 1, "k", "");
    kit_turn(kit);
    answer_invalid(kit, 0);
    kit_turn(kit);
    assert_int_equal(kit_calls_of(kit, 0), 2);
    assert_int_equal(kit_calls_of(kit, 1), 0);
    answer_valid(kit, 0);
    kit_turn(kit);
    assert_int_equal(kit_calls_of(kit, 1), 1);
    kit_answer(kit, 1);
    kit_settle(kit);
    kit_free(kit);
}

static void the_run_of_a_correction_that_breaks_is_closed(void **state)
{
    (void)state;
    struct engine_config config = kit_config();
    config.retry.max_attempts = 1;
    struct kit *kit = kit_started(&config);
    kit_request(kit, 0, 0, NULL, RETRIES ",\"stream\":true");
    kit_turn(kit);
    hear_head(kit, 0);
    hear(kit, 0, "messageStart", "{\"role\":\"assistant\"}");
    hear_text(kit, 0, "no");
    hear_end(kit, 0);
    kit_call_ends(kit, kit_call(kit, 0), OK, true);
    kit_turn(kit);
    cut_stream(kit, 0);
    kit_settle(kit);
    assert_says(&kit->chunks[kit->chunk_count - 1], "\"last\":true");
    assert_says(&kit->chunks[kit->chunk_count - 1], "\"code\":\"broken_stream\"");
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"status\":\"ok\"");
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"text\":\"no\"");
    kit_free(kit);
}

static void an_answer_that_memory_does_not_hold_twice_is_the_last(void **state)
{
    (void)state;
    static char text[60000];
    struct engine_config config = kit_config();
    config.max_answer_bytes = 1 << 20;
    config.output.output_bytes_max = 4 << 20;
    struct kit *kit = kit_started(&config);
    kit_request(kit, 0, 0, NULL, RETRIES);
    kit_turn(kit);
    struct buf body;
    buf_init(&body, 1 << 20);
    memset(text, 'x', sizeof text - 1);
    buf_add_text(&body, "{\"output\":{\"message\":{\"role\":\"assistant\",\"content\":[");
    for (int i = 0; i < 10; i++)
        buf_addf(&body, "%s{\"text\":\"%s\"}", i > 0 ? "," : "", text);
    buf_add_text(&body, "]}},\"stopReason\":\"end_turn\"}");
    kit_answer_with(kit, 0, 200, "content-type: application/json\r\n", buf_text(&body));
    buf_done(&body);
    kit_settle(kit);
    assert_int_equal(kit->call_count, 1);
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 1);
    assert_int_equal(count_final(kit), 1);
    kit_free(kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_call_for_a_correction_begins_at_once_and_has_its_own_usage),
        cmocka_unit_test(the_last_answer_is_published_valid_or_not),
        cmocka_unit_test(a_drain_publishes_an_answer_that_waits_for_its_correction),
        cmocka_unit_test(during_a_drain_the_answer_of_a_running_call_is_the_last),
        cmocka_unit_test(a_cancelled_correction_leaves_the_answer_before_it),
        cmocka_unit_test(a_time_limit_ends_the_corrections),
        cmocka_unit_test(a_correction_that_waits_too_long_leaves_the_answer_before_it),
        cmocka_unit_test(a_death_during_a_correction_records_its_call_and_begins_from_the_start),
        cmocka_unit_test(a_lost_partition_drops_the_kept_answer_and_records_its_call),
        cmocka_unit_test(later_requests_of_a_key_wait_for_the_correction),
        cmocka_unit_test(the_run_of_a_correction_that_breaks_is_closed),
        cmocka_unit_test(an_answer_that_memory_does_not_hold_twice_is_the_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
