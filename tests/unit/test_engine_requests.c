/* The life of one request through a whole engine: its calls, retries, time limits, chunks, usage.
 */
#include "unit/engine_stream_kit.h"

#include <time.h>

#include "base/instant.h"
#include "engine/attempt.h"

static void assert_run(const struct kit *kit, size_t i, int attempt, int seq, const char *last)
{
    char part[64];
    (void)snprintf(part, sizeof part, "\"attempt\":%d,\"seq\":%d,", attempt, seq);
    assert_true(i < kit->chunk_count);
    assert_says(&kit->chunks[i], part);
    assert_says(&kit->chunks[i], last);
}

/* ---- answers ---- */

static void a_request_becomes_a_response_and_a_usage_record(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_request(kit, 0, 0, "k", "");
    kit_turn(kit);
    kit_answer(kit, 0);
    kit_settle(kit);
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 1);
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 1);
    assert_int_equal(kit_count(kit, OUTPUT_LETTER), 0);
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"status\":\"ok\"");
    assert_says(kit_output(kit, OUTPUT_USAGE, 0), "\"final\":true,\"estimated\":false");
    assert_int_equal(kit->committed[0], 1);
    struct engine_stats stats;
    engine_stats(kit->engine, &stats);
    assert_int_equal(stats.taken, 1);
    assert_int_equal(stats.answered, 1);
    assert_int_equal(stats.failed, 0);
    assert_int_equal(stats.calls, 1);
    assert_int_equal(stats.held, 0);
    assert_int_equal(stats.held_bytes, 0);
    kit_free(kit);
}

static void an_invalid_request_is_answered_and_delays_no_other(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_record(kit, 0, 0, NULL, "nonsense");
    kit_request(kit, 0, 1, NULL, ",\"surprise\":1");
    kit_request(kit, 0, 2, NULL, "");
    kit_turn(kit);
    kit_answer(kit, 2);
    kit_settle(kit);
    assert_int_equal(kit->committed[0], 3);
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 3);
    assert_int_equal(kit_count(kit, OUTPUT_LETTER), 2);
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"code\":\"malformed\"");
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 1), "surprise");
    assert_says(kit_output(kit, OUTPUT_LETTER, 0), "nonsense");
    kit_free(kit);
}

static void a_request_over_the_limit_is_rejected_unread(void **state)
{
    (void)state;
    struct engine_config config = kit_config();
    config.max_request_bytes = 200;
    struct kit *kit = kit_started(&config);
    char more[400];
    (void)snprintf(more, sizeof more, ",\"metadata\":\"%0300d\"", 1);
    kit_request(kit, 0, 0, NULL, more);
    kit_settle(kit);
    assert_int_equal(kit->call_count, 0);
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"code\":\"request_too_large\"");
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "delivery.max_request_size allows 200");
    kit_free(kit);
}

static void settings_can_switch_off_dead_letters_and_error_responses(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct engine_config config = kit_config();
        config.send_dead_letters = i & 1;
        config.send_error_responses = i & 2;
        struct kit *kit = kit_started(&config);
        kit_record(kit, 0, 0, NULL, "nonsense");
        kit_settle(kit);
        assert_int_equal(kit_count(kit, OUTPUT_LETTER), i & 1);
        assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), (i & 2) / 2);
        assert_int_equal(kit->committed[0], 1);
        kit_free(kit);
    }
}

/* ---- attempts ---- */

static void attempts_are_counted_and_reported(void **state)
{
    (void)state;
    struct engine_config config = kit_config();
    config.retry.max_elapsed_ms = 1800000;
    struct kit *kit = kit_started(&config);
    kit_request(kit, 0, 0, NULL, "");
    kit_turn(kit);
    for (int i = 0; i < 4; i++) { /* throttling does not count */
        kit_throttle(kit, 0);
        kit_wait(kit, 20000);
        if (kit->has_batch)
            kit_commit(kit);
    }
    kit_fail(kit, 0);
    kit_wait(kit, 1000);
    kit_fail(kit, 0);
    kit_wait(kit, 1000);
    kit_fail(kit, 0);
    kit_settle(kit);
    assert_int_equal(kit->call_count, 7);
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"code\":\"unavailable\"");
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "{\"attempt\":7,");
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 0); /* rejected calls are not billed */
    kit_free(kit);
}

static void a_call_that_bedrock_rejects_is_not_retried(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_request(kit, 0, 0, NULL, "");
    kit_turn(kit);
    kit_answer_with(kit, 0, 400, "x-amzn-errortype: ValidationException\r\n",
                    "{\"message\":\"too many tokens\"}");
    kit_settle(kit);
    assert_int_equal(kit->call_count, 1);
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"code\":\"rejected\"");
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "too many tokens");
    kit_free(kit);
}

/* Which ends of a call are recorded, and with what reason. */
static void every_call_that_may_be_billed_is_recorded(void **state)
{
    (void)state;
    static const struct {
        enum err err;
        bool was_sent;
        int status;                       /* 0 = no answer */
        const char *type, *body, *reason; /* reason NULL = no usage record */
    } CASES[] = {
        {ERR_CONNECTION, false, 0, "", "", NULL},
        {ERR_CONNECTION, true, 0, "", "", "no_counts"},
        {ERR_TIMEOUT, false, 0, "", "", NULL},
        {ERR_TIMEOUT, true, 0, "", "", "timeout"},
        {ERR_TIMEOUT, true, 200, "", "{\"out", "timeout"},
        {ERR_BROKEN_STREAM, true, 200, "", "{\"out", "no_counts"},
        {OK, true, 429, "ThrottlingException", "{}", NULL},
        {OK, true, 500, "InternalServerException", "{}", NULL},
        {OK, true, 424, "ModelErrorException", "{}", NULL},
        {OK, true, 408, "ModelTimeoutException", "{}", "timeout"},
        {OK, true, 200, "", "<html>a proxy</html>", "no_counts"},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct kit *kit = kit_started(NULL);
        kit_request(kit, 0, 0, NULL, "");
        kit_turn(kit);
        struct kit_call *call = kit_call(kit, 0);
        char head[200];
        (void)snprintf(head, sizeof head, "HTTP/1.1 %d x\r\nx-amzn-errortype: %s\r\n\r\n",
                       CASES[i].status, CASES[i].type);
        if (CASES[i].status != 0) {
            engine_call_head(kit->engine, call->ref, CASES[i].status, slice_of_text(head));
            engine_call_body(kit->engine, call->ref, slice_of_text(CASES[i].body));
        }
        kit_call_ends(kit, call, CASES[i].err, CASES[i].was_sent);
        if (CASES[i].reason != NULL)
            (void)kit_batch_with(kit, OUTPUT_USAGE);
        if (kit->has_batch)
            kit_commit(kit);
        assert_int_equal(kit_count(kit, OUTPUT_USAGE), CASES[i].reason != NULL);
        if (CASES[i].reason != NULL) {
            assert_says(kit_output(kit, OUTPUT_USAGE, 0), "\"final\":false,\"estimated\":true");
            assert_says(kit_output(kit, OUTPUT_USAGE, 0), CASES[i].reason);
        }
        kit_free(kit);
    }
}

static void an_answer_over_the_limit_is_cancelled_and_recorded(void **state)
{
    (void)state;
    struct engine_config config = kit_config();
    config.max_answer_bytes = 4096;
    struct kit *kit = kit_started(&config);
    kit_request(kit, 0, 0, NULL, "");
    kit_turn(kit);
    struct kit_call *call = kit_call(kit, 0);
    static char body[5000];
    memset(body, ' ', sizeof body);
    engine_call_head(kit->engine, call->ref, 200, SLICE("HTTP/1.1 200 x\r\n\r\n"));
    engine_call_body(kit->engine, call->ref, slice_of(body, 4000));
    assert_true(call->is_open);
    engine_call_body(kit->engine, call->ref, slice_of(body, 4000));
    assert_true(call->was_cancelled);
    engine_call_body(kit->engine, call->ref, slice_of(body, 4000)); /* late: dropped */
    kit_settle(kit);
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"code\":\"response_too_large\"");
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 1);
    assert_says(kit_output(kit, OUTPUT_USAGE, 0), "\"final\":false,\"estimated\":true");
    assert_int_equal(kit->call_count, 1);
    kit_free(kit);
}

/* The worker's limit and the broker's give the same answer. */
static void a_response_over_the_workers_limit_becomes_an_error_with_usage(void **state)
{
    (void)state;
    struct engine_config config = kit_config();
    config.output.output_bytes_max = 1500;
    struct kit *kit = kit_started(&config);
    static char body[4000];
    (void)snprintf(body, sizeof body,
                   "{\"output\":{\"message\":{\"role\":\"assistant\",\"content\":[{\"text\":"
                   "\"%01800d\"}]}},\"stopReason\":\"end_turn\",\"usage\":{\"inputTokens\":7,"
                   "\"outputTokens\":3,\"totalTokens\":10},\"metrics\":{\"latencyMs\":5}}",
                   1);
    kit_request(kit, 0, 0, NULL, "");
    kit_turn(kit);
    kit_answer_with(kit, 0, 200, "content-type: application/json\r\n", body);
    kit_settle(kit);
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 1);
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"code\":\"response_too_large\"");
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 1);
    assert_says(kit_output(kit, OUTPUT_USAGE, 0), "\"final\":false,\"estimated\":false");
    assert_int_equal(kit_count(kit, OUTPUT_LETTER), 1);
    kit_free(kit);
}

/* ---- time limits ---- */

static void an_expired_request_is_answered_and_never_called(void **state)
{
    (void)state;
    struct engine_config config = kit_config();
    config.max_in_flight = 1;
    struct kit *kit = kit_started(&config);
    kit_request(kit, 0, 0, NULL, ",\"expires_at\":\"2020-01-01T00:00:00Z\"");
    kit_request(kit, 0, 1, NULL, "");
    kit_request(kit, 0, 2, NULL, ",\"ttl_ms\":3000");
    kit_turn(kit);
    kit_wait(kit, 2999);
    assert_int_equal(kit->engine->stats.answered, 1);
    kit_wait(kit, 1);
    assert_int_equal(kit->engine->stats.answered, 2);
    kit_answer(kit, 1);
    kit_settle(kit);
    assert_int_equal(kit_calls_of(kit, 0), 0);
    assert_int_equal(kit_calls_of(kit, 2), 0);
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"code\":\"expired\"");
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 1), "\"code\":\"expired\"");
    kit_free(kit);
}

static void a_running_call_is_not_cancelled_by_the_time_limit(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_request(kit, 0, 0, NULL, ",\"ttl_ms\":3000");
    kit_turn(kit);
    kit_wait(kit, 4000);
    kit_answer(kit, 0);
    kit_settle(kit);
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"status\":\"ok\"");
    kit_free(kit);
}

static void no_retry_begins_after_the_time_limit(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    for (int64_t offset = 0; offset < 15; offset++)
        kit_request(kit, 0, offset, NULL, ",\"ttl_ms\":3000");
    kit_turn(kit);
    kit_wait(kit, 2900);
    for (int64_t offset = 0; offset < 15; offset++)
        kit_fail(kit, offset);
    kit_settle(kit);
    for (size_t i = 0; i < kit->call_count; i++)
        assert_true(kit->calls[i].at_ms < 1000 + 3000);
    kit_free(kit);
}

/* The pause was short enough, but then no slot was free in time. */
static void a_retry_that_waited_for_a_slot_past_max_elapsed_does_not_begin(void **state)
{
    (void)state;
    struct engine_config config = kit_config();
    config.max_in_flight = 1;
    config.retry.max_elapsed_ms = 5000;
    struct kit *kit = kit_started(&config);
    kit_request(kit, 0, 0, NULL, "");
    kit_request(kit, 0, 1, NULL, "");
    kit_turn(kit);
    kit_fail(kit, 0);
    kit_turn(kit);
    kit_wait(kit, 5000);
    assert_false(kit->has_batch && kit->batch.output_count > 0);
    kit_wait(kit, 1); /* the error is sent at once, not when a slot is free */
    kit_settle(kit);
    kit_answer(kit, 1);
    kit_settle(kit);
    assert_int_equal(kit_calls_of(kit, 0), 1);
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"code\":\"unavailable\"");
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 1), "\"status\":\"ok\"");
    kit_free(kit);
}

/* ---- streams ---- */

static void a_retried_stream_begins_a_new_run_and_the_last_one_counts(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_request(kit, 0, 0, "k", ",\"stream\":true");
    kit_turn(kit);
    cut_stream(kit, 0);
    assert_int_equal(kit->chunk_count, 2);
    kit_wait(kit, 1000);
    hear_head(kit, 0);
    hear(kit, 0, "messageStart", "{\"role\":\"assistant\"}");
    hear_text(kit, 0, "the second time");
    hear_end(kit, 0);
    kit_call_ends(kit, kit_call(kit, 0), OK, true);
    kit_settle(kit);
    assert_run(kit, 0, 1, 0, "\"last\":false");
    assert_run(kit, 1, 1, 1, "once upon a time");
    assert_run(kit, 2, 2, 0, "\"last\":false");
    assert_run(kit, 3, 2, 1, "the second time");
    assert_says(&kit->chunks[kit->chunk_count - 1], "\"last\":true");
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 1);
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "the second time");
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 2);
    assert_says(kit_output(kit, OUTPUT_USAGE, 0), "\"estimated\":true,\"reason\":\"stream_cut\"");
    assert_says(kit_output(kit, OUTPUT_USAGE, 0), "\"output_tokens\":4"); /* 16 bytes heard */
    assert_says(kit_output(kit, OUTPUT_USAGE, 1), "\"final\":true,\"estimated\":false");
    kit_free(kit);
}

static void a_stream_that_ends_in_error_closes_its_last_run(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_request(kit, 0, 0, "k", ",\"stream\":true");
    kit_turn(kit);
    cut_stream(kit, 0);
    kit_wait(kit, 1000);
    cut_stream(kit, 0);
    kit_wait(kit, 1000);
    kit_answer_with(kit, 0, 403, "x-amzn-errortype: AccessDeniedException\r\n", "{}");
    assert_int_equal(kit->chunk_count, 5);
    assert_run(kit, 4, 2, 2, "\"last\":true");
    assert_says(&kit->chunks[4], "\"code\":\"access_denied\"");
    kit_settle(kit);
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"code\":\"access_denied\"");
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 2);
    kit_free(kit);
}

static void an_error_before_the_first_chunk_closes_nothing(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_request(kit, 0, 0, "k", ",\"stream\":true");
    kit_turn(kit);
    kit_answer_with(kit, 0, 403, "x-amzn-errortype: AccessDeniedException\r\n", "{}");
    kit_settle(kit);
    assert_int_equal(kit->chunk_count, 0);
    kit_free(kit);
}

static void a_corrupt_frame_cancels_the_call(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_request(kit, 0, 0, "k", ",\"stream\":true");
    kit_turn(kit);
    struct kit_call *call = kit_call(kit, 0);
    hear_head(kit, 0);
    hear(kit, 0, "messageStart", "{\"role\":\"assistant\"}");
    engine_call_body(kit->engine, call->ref, SLICE("\0\0\0\x20\0\0\0\x10garbage of a frame"));
    assert_true(call->was_cancelled);
    kit_wait(kit, 1000);
    assert_int_equal(kit_calls_of(kit, 0), 2);
    kit_free(kit);
}

static void a_throttling_exception_in_a_stream_is_throttling(void **state)
{
    (void)state;
    struct engine_config config = kit_config();
    config.retry.max_elapsed_ms = 1800000;
    struct kit *kit = kit_started(&config);
    kit_request(kit, 0, 0, "k", ",\"stream\":true");
    kit_turn(kit);
    hear_head(kit, 0);
    hear(kit, 0, "throttlingException", "{\"message\":\"slow down\"}");
    assert_true(kit->calls[0].was_cancelled); /* nothing can follow it */
    assert_int_equal(kit->engine->stats.throttled, 1);
    for (int i = 0; i < 6; i++) { /* more often than attempts are allowed */
        kit_wait(kit, 20000);
        hear_head(kit, 0);
        hear(kit, 0, "throttlingException", "{\"message\":\"slow down\"}");
    }
    assert_int_equal(kit->engine->stats.throttled, 7);
    assert_int_equal(kit->engine->stats.answered, 0);
    kit_free(kit);
}

static void only_the_service_itself_corrects_the_clock(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_request(kit, 0, 0, NULL, "");
    kit_request(kit, 0, 1, NULL, "");
    kit_turn(kit);
    kit_answer_with(kit, 0, 200, "Date: Sun, 22 Nov 2043 10:00:00 GMT\r\n", KIT_ANSWER);
    assert_int_equal(kit->logged[LOG_CLOCK_CORRECTED], 0);
    kit_answer_with(kit, 1, 200, "Date: Sun, 22 Nov 2043 10:00:00 GMT\r\nx-amzn-RequestId: r-1\r\n",
                    KIT_ANSWER);
    assert_int_equal(kit->logged[LOG_CLOCK_CORRECTED], 1);
    kit_settle(kit);
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 2);
    kit_free(kit);
}

static void an_attempt_that_did_not_begin_leaves_the_others(void **state)
{
    (void)state;
    static struct attempt attempts[ATTEMPTS_MAX];
    struct kit *kit = kit_started(NULL);
    kit_request(kit, 0, 0, NULL, "");
    kit_turn(kit);
    struct job *job = kit->engine->calls.all[kit->calls[0].ref.index].job;
    struct attempt *own = job->attempts, first = *own;
    uint32_t room = job->attempt_room;
    job->attempts = attempts;
    job->attempt_count = job->attempt_room = job->calls = ATTEMPTS_MAX;
    attempts[ATTEMPTS_MAX - 1] = first;
    assert_int_equal(attempt_begin(kit->engine, job)->number, ATTEMPTS_MAX + 1);
    attempt_undo(kit->engine, job);
    assert_int_equal(job->calls, ATTEMPTS_MAX);
    assert_int_equal(job->attempt_count, ATTEMPTS_MAX);
    assert_int_equal(attempt_last(job)->number, first.number);
    job->attempts = own;
    job->attempt_room = room;
    job->attempt_count = job->calls = 1;
    (void)attempt_begin(kit->engine, job);
    attempt_undo(kit->engine, job);
    assert_int_equal(job->attempt_count, 1);
    kit_free(kit);
}

static void request_until(struct kit *kit, int64_t offset, int64_t until_ms)
{
    char more[64];
    struct buf until OWNED_BY(buf_done);
    buf_init(&until, 64);
    instant_add_rfc3339(&until, until_ms);
    (void)snprintf(more, sizeof more, ",\"expires_at\":\"%s\"", buf_text(&until));
    kit_request(kit, 0, offset, NULL, more);
}

/* A clock that is an hour ahead must not let requests expire at once. */
static void a_time_limit_is_measured_by_the_corrected_clock(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    int64_t true_ms = KIT_WALL_MS - 3600000;
    char head[128];
    struct tm parts;
    time_t now = (time_t)((true_ms + kit->now_ms) / 1000);
    assert_true(strftime(head, sizeof head,
                         "Date: %a, %d %b %Y %H:%M:%S GMT\r\nx-amzn-RequestId: r-1\r\n",
                         gmtime_r(&now, &parts)) > 0);
    kit_request(kit, 0, 0, NULL, "");
    kit_turn(kit);
    kit_answer_with(kit, 0, 200, head, KIT_ANSWER);
    assert_int_equal(kit->logged[LOG_CLOCK_CORRECTED], 1);
    request_until(kit, 1, true_ms + kit->now_ms + 60000);
    request_until(kit, 2, true_ms + kit->now_ms - 60000);
    kit_turn(kit);
    assert_int_equal(kit_calls_of(kit, 1), 1);
    assert_int_equal(kit_calls_of(kit, 2), 0);
    kit_free(kit);
}

static void refused_chunks_stop_the_chunks_but_not_the_answer(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_request(kit, 0, 0, "k", ",\"stream\":true");
    kit_turn(kit);
    hear_head(kit, 0);
    hear(kit, 0, "messageStart", "{\"role\":\"assistant\"}");
    engine_chunk_refused(kit->engine, kit_call(kit, 0)->ref);
    hear_text(kit, 0, "hello");
    hear_end(kit, 0);
    kit_call_ends(kit, kit_call(kit, 0), OK, true);
    kit_settle(kit);
    assert_int_equal(kit->chunk_count, 1);
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"status\":\"ok\"");
    kit_free(kit);
}

/* ---- a request that kills its worker ---- */

static void a_request_begun_too_often_without_an_end_is_abandoned(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_request(kit, 0, 0, NULL, "");
    kit_wait(kit, 200); /* the call is running, and that is committed */
    kit_commit(kit);
    for (size_t deaths = 1; deaths < 3; deaths++) {
        kit_die(kit);
        kit_assign(kit, 0);
        kit_request(kit, 0, 0, NULL, "");
        kit_wait(kit, 1000);
        assert_int_equal(kit->call_count, deaths + 1);
        kit_commit(kit);
        assert_int_equal(kit_count(kit, OUTPUT_USAGE), deaths);
        assert_says(kit_output(kit, OUTPUT_USAGE, deaths - 1), "\"reason\":\"worker_lost\"");
    }
    kit_die(kit);
    kit_assign(kit, 0);
    kit_request(kit, 0, 0, NULL, "");
    kit_settle(kit);
    assert_int_equal(kit->call_count, 3);
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 3);
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 1);
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"code\":\"abandoned\"");
    assert_int_equal(kit->logged[LOG_REQUEST_ABANDONED], 1);
    assert_int_equal(kit->committed[0], 1);
    kit_free(kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_becomes_a_response_and_a_usage_record),
        cmocka_unit_test(an_invalid_request_is_answered_and_delays_no_other),
        cmocka_unit_test(a_request_over_the_limit_is_rejected_unread),
        cmocka_unit_test(settings_can_switch_off_dead_letters_and_error_responses),
        cmocka_unit_test(attempts_are_counted_and_reported),
        cmocka_unit_test(a_call_that_bedrock_rejects_is_not_retried),
        cmocka_unit_test(every_call_that_may_be_billed_is_recorded),
        cmocka_unit_test(an_answer_over_the_limit_is_cancelled_and_recorded),
        cmocka_unit_test(a_response_over_the_workers_limit_becomes_an_error_with_usage),
        cmocka_unit_test(an_expired_request_is_answered_and_never_called),
        cmocka_unit_test(a_running_call_is_not_cancelled_by_the_time_limit),
        cmocka_unit_test(no_retry_begins_after_the_time_limit),
        cmocka_unit_test(a_retry_that_waited_for_a_slot_past_max_elapsed_does_not_begin),
        cmocka_unit_test(a_retried_stream_begins_a_new_run_and_the_last_one_counts),
        cmocka_unit_test(a_stream_that_ends_in_error_closes_its_last_run),
        cmocka_unit_test(an_error_before_the_first_chunk_closes_nothing),
        cmocka_unit_test(a_corrupt_frame_cancels_the_call),
        cmocka_unit_test(a_throttling_exception_in_a_stream_is_throttling),
        cmocka_unit_test(only_the_service_itself_corrects_the_clock),
        cmocka_unit_test(an_attempt_that_did_not_begin_leaves_the_others),
        cmocka_unit_test(a_time_limit_is_measured_by_the_corrected_clock),
        cmocka_unit_test(refused_chunks_stop_the_chunks_but_not_the_answer),
        cmocka_unit_test(a_request_begun_too_often_without_an_end_is_abandoned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
