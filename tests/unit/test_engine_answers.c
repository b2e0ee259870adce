/* How the engine treats answers: their messages, their ends and their counts. */
#include "unit/engine_stream_kit.h"

#include "wire/bedrock/dialects.h"

#define CANARY "the canary of this kit sings"

static struct kit *kit_asked(const char *more)
{
    struct kit *kit = kit_new(NULL);
    kit_assign(kit, 0);
    kit_request(kit, 0, 0, "k", more);
    kit_turn(kit);
    return kit;
}

/* ---- messages ---- */

static void assert_no_canary(const struct kit *kit)
{
    for (size_t i = 0; i < LOG_EVENT_COUNT; i++)
        assert_null(strstr(kit->lines[i], "canary"));
    for (size_t i = 0; i < kit->output_count; i++)
        if (kit->outputs[i].kind != OUTPUT_LETTER) /* its value is the request */
            assert_null(strstr(kit->outputs[i].value, "canary"));
    for (size_t i = 0; i < kit->chunk_count; i++)
        assert_null(strstr(kit->chunks[i].value, "canary"));
}

static void messages_that_quote_the_prompt_reach_no_log_and_no_error(void **state)
{
    (void)state;
    struct kit *kit = kit_new(NULL);
    kit_assign(kit, 0);
    kit_record(kit, 0, 0, "k",
               "{\"model\":\"m.1\",\"messages\":[[\"human\",\"[[0]] " CANARY "\"]]}");
    kit_turn(kit);
    for (int i = 0; i < 3; i++) {
        kit_answer_with(kit, 0, 500, "x-amzn-errortype: InternalServerException\r\n",
                        "{\"message\":\"failed on '" CANARY "'\"}");
        kit_wait(kit, 1000);
    }
    kit_settle(kit);
    assert_int_equal(kit->logged[LOG_CALL_FAILED], 2);
    assert_non_null(strstr(kit->lines[LOG_CALL_FAILED],
                           "status 500 InternalServerException, the service failed"));
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0),
                "(its message quotes the request and is left out)");
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"type\":\"InternalServerException\"");
    assert_no_canary(kit);
    kit_free(kit);
}

static void messages_of_bedrock_go_to_the_client_and_not_to_the_log(void **state)
{
    (void)state;
    struct kit *kit = kit_asked("");
    for (int i = 0; i < 3; i++) {
        kit_answer_with(kit, 0, 500, "", "{\"__type\":\"a#NewException\",\"message\":\"canary\"}");
        kit_wait(kit, 1000);
    }
    kit_settle(kit);
    for (size_t i = 0; i < LOG_EVENT_COUNT; i++)
        assert_null(strstr(kit->lines[i], "canary"));
    assert_non_null(strstr(kit->lines[LOG_CALL_FAILED], "status 500 NewException, "));
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"message\":\"canary\"");
    kit_free(kit);
}

static void an_invalid_error_type_appears_in_no_output_or_log(void **state)
{
    (void)state;
    struct kit *kit = kit_asked("");
    for (int i = 0; i < 3; i++) {
        kit_answer_with(kit, 0, 500, "", "{\"__type\":\"a canary as a name\"}");
        kit_wait(kit, 1000);
    }
    kit_settle(kit);
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 1);
    assert_no_canary(kit);
    kit_free(kit);
}

static void an_exception_of_a_stream_that_quotes_is_hidden_in_the_last_chunk(void **state)
{
    (void)state;
    struct kit *kit = kit_new(NULL);
    kit_assign(kit, 0);
    kit_record(kit, 0, 0, "k",
               "{\"model\":\"m.1\",\"stream\":true,\"messages\":[[\"human\",\"[[0]] " CANARY
               "\"]]}");
    kit_turn(kit);
    hear_head(kit, 0);
    hear(kit, 0, "messageStart", "{\"role\":\"assistant\"}");
    hear(kit, 0, "validationException", "{\"message\":\"" CANARY "\"}");
    kit_settle(kit);
    assert_int_equal(kit->chunk_count, 2);
    assert_says(&kit->chunks[1],
                "status 200 ValidationException (its message quotes the request and is left out)");
    assert_no_canary(kit);
    kit_free(kit);
}

/* ---- errors of status 200 ---- */

static void a_throttling_error_of_status_200_is_throttling(void **state)
{
    (void)state;
    struct engine_config config = kit_config();
    config.retry.max_elapsed_ms = 1800000;
    struct kit *kit = kit_new(&config);
    kit_assign(kit, 0);
    kit_request(kit, 0, 0, "k", "");
    kit_turn(kit);
    for (int i = 0; i < 5; i++) { /* more often than attempts are allowed */
        kit_answer_with(
            kit, 0, 200, "",
            "{\"__type\":\"com.amazon.coral#ThrottlingException\",\"message\":\"oops\"}");
        (void)kit_batch_with(kit, OUTPUT_USAGE); /* it may have been billed */
        kit_commit(kit);
        kit_wait(kit, 30000);
    }
    assert_int_equal(kit->engine->stats.throttled, 5);
    kit_answer(kit, 0);
    kit_settle(kit);
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 6);
    assert_says(kit_output(kit, OUTPUT_USAGE, 0), "\"reason\":\"no_counts\"");
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0),
                "\"status\":200,\"error\":\"ThrottlingException\"");
    kit_free(kit);
}

/* The error that an invalid answer of status 200 becomes. */
static void assert_no_answer(const char *headers, const char *body, const char *code,
                             const char *type, const char *words)
{
    struct kit *kit = kit_asked("");
    for (int i = 0; i < 3 && kit_open_calls(kit) > 0; i++) {
        kit_answer_with(kit, 0, 200, headers, body);
        kit_wait(kit, 1000);
        if (kit->has_batch)
            kit_commit(kit);
        kit_wait(kit, 1000);
    }
    kit_settle(kit);
    const struct kit_text *response = kit_output(kit, OUTPUT_RESPONSE, 0);
    assert_says(response, code);
    assert_says(response, type);
    assert_says(response, words);
    kit_free(kit);
}

static void an_error_of_status_200_keeps_its_type_and_message(void **state)
{
    (void)state;
    assert_no_answer("", "{\"__type\":\"ValidationException\",\"message\":\"too long\"}",
                     "\"code\":\"rejected\"", "\"type\":\"ValidationException\"", "too long");
    assert_no_answer("x-amzn-errortype: AccessDeniedException\r\n", "{}",
                     "\"code\":\"access_denied\"", "\"type\":\"AccessDeniedException\"",
                     "status 200 without a message");
    assert_no_answer("", "{\"__type\":\"NewException\",\"Message\":\"who knows\"}",
                     "\"code\":\"unavailable\"", "\"type\":\"NewException\"", "who knows");
    assert_no_answer("", "{\"message\":\"who knows\"}", "\"code\":\"unavailable\"",
                     "\"type\":\"unavailable\"", "who knows");
    assert_no_answer("", "{\"usage\":{}}", "\"code\":\"unavailable\"", "\"type\":\"unavailable\"",
                     "the answer has no output.message.content");
    assert_no_answer("", "<html>", "\"code\":\"unavailable\"", "\"type\":\"unavailable\"",
                     "a proxy's page?");
}

/* ---- where errors go ---- */

static void the_error_of_a_bad_header_goes_to_the_reply_to_of_the_value(void **state)
{
    (void)state;
    struct kit *kit = kit_new(NULL);
    kit_assign(kit, 0);
    const struct header header = {SLICE("ce_expirytime"), SLICE("tomorrow")};
    struct record record = {.topic = KIT_TOPIC,
                            .value =
                                SLICE("{\"model\":\"m.1\",\"id\":\"own\",\"metadata\":{\"a\":1},"
                                      "\"reply_to\":\"reply.me\",\"messages\":[]}"),
                            .headers = {.list = &header, .count = 1}};
    engine_record(kit->engine, kit->tenures[0], &record);
    kit_turn(kit);
    assert_int_equal(kit->look_ups.count, 1);
    engine_topic_found(kit->engine, kit->look_ups.list[0].ticket, OK, 1);
    kit_settle(kit);
    const struct kit_text *response = kit_output(kit, OUTPUT_RESPONSE, 0);
    assert_string_equal(response->topic, "reply.me");
    assert_says(response, "\"id\":\"own\"");
    assert_says(response, "\"field\":\"ce_expirytime\"");
    assert_says(response, "\"metadata\":{\"a\":1}");
    kit_free(kit);
}

/* ---- ends ---- */

static void hear_whole(struct kit *kit)
{
    hear_head(kit, 0);
    hear(kit, 0, "messageStart", "{\"role\":\"assistant\"}");
    hear_text(kit, 0, "once upon a time");
    hear_end(kit, 0);
}

static void a_complete_stream_is_an_answer_however_it_ends(void **state)
{
    (void)state;
    static const enum err ENDS[] = {ERR_CONNECTION, ERR_BROKEN_STREAM, ERR_TIMEOUT, ERR_BAD_ANSWER};
    for (size_t i = 0; i < COUNT_OF(ENDS); i++) {
        struct kit *kit = kit_asked(",\"stream\":true");
        hear_whole(kit);
        kit_call_ends(kit, kit_call(kit, 0), ENDS[i], true);
        kit_settle(kit);
        assert_int_equal(kit->call_count, 1);
        assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"status\":\"ok\"");
        assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "once upon a time");
        assert_int_equal(kit_count(kit, OUTPUT_USAGE), 1);
        assert_says(kit_output(kit, OUTPUT_USAGE, 0), "\"final\":true,\"estimated\":false");
        assert_says(&kit->chunks[kit->chunk_count - 1], "\"last\":true");
        kit_free(kit);
    }
}

/* InvokeModel's streams end with their metrics; without them, the model's stop reason will do. */
static void a_stream_without_its_metrics_ends_with_a_last_chunk(void **state)
{
    (void)state;
    struct engine_config config = kit_config();
    config.catalog.apis = dialect_apis(&config.catalog.api_count);
    config.catalog.choose = dialect_choose;
    struct kit *kit = kit_new(&config);
    kit_assign(kit, 0);
    kit_request(kit, 0, 0, "k", ",\"stream\":true,\"model\":\"meta.llama3\",\"api\":\"invoke\"");
    kit_turn(kit);
    hear_head(kit, 0);
    /* {"generation":"hi","stop_reason":"stop"} */
    hear(kit, 0, "chunk",
         "{\"bytes\":\"eyJnZW5lcmF0aW9uIjoiaGkiLCJzdG9wX3JlYXNvbiI6InN0b3AifQ==\"}");
    assert_int_equal(kit->chunk_count, 1);
    kit_call_ends(kit, kit_call(kit, 0), OK, true);
    kit_settle(kit);
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"status\":\"ok\"");
    assert_int_equal(kit->chunk_count, 2);
    assert_says(&kit->chunks[1], "\"seq\":1,\"content\":\"\"");
    assert_says(&kit->chunks[1], "\"chunk_position\":\"last\",\"last\":true");
    kit_free(kit);
}

static void an_incomplete_stream_is_a_failed_attempt(void **state)
{
    (void)state;
    struct kit *kit = kit_asked(",\"stream\":true");
    hear_head(kit, 0);
    hear_text(kit, 0, "once upon a time");
    hear(kit, 0, "messageStop", "{\"stopReason\":\"end_turn\"}"); /* no metadata */
    kit_call_ends(kit, kit_call(kit, 0), ERR_CONNECTION, true);
    kit_wait(kit, 1000);
    hear_whole(kit);
    engine_call_body(kit->engine, kit_call(kit, 0)->ref, SLICE("\0\0\0")); /* inside a frame */
    kit_call_ends(kit, kit_call(kit, 0), ERR_TIMEOUT, true);
    (void)kit_batch_with(kit, OUTPUT_USAGE);
    kit_commit(kit);
    kit_wait(kit, 1000);
    assert_int_equal(kit->call_count, 3);
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 0);
    assert_says(kit_output(kit, OUTPUT_USAGE, 0), "\"reason\":\"stream_cut\"");
    hear_head(kit, 0);
    kit_call_ends(kit, kit_call(kit, 0), ERR_TIMEOUT, true); /* before its first event */
    kit_settle(kit);
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"code\":\"timeout\"");
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "said by the kit");
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 3);
    kit_free(kit);
}

static void an_unstreamed_answer_must_end_cleanly(void **state)
{
    (void)state;
    struct kit *kit = kit_asked("");
    struct kit_call *call = kit_call(kit, 0);
    engine_call_head(kit->engine, call->ref, 200, SLICE("HTTP/1.1 200 x\r\n\r\n"));
    engine_call_body(kit->engine, call->ref, SLICE(KIT_ANSWER));
    kit_call_ends(kit, call, ERR_BROKEN_STREAM, true);
    kit_wait(kit, 1000);
    assert_int_equal(kit->call_count, 2);
    kit_free(kit);
}

static void an_error_status_counts_although_its_body_is_cut(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *head, *code;
    } ROWS[] = {
        {400, "HTTP/1.1 400 x\r\nx-amzn-errortype: ValidationException\r\n\r\n", "rejected"},
        {403, "HTTP/1.1 403 x\r\nx-amzn-errortype: AccessDeniedException\r\n\r\n", "access_denied"},
        {404, "HTTP/1.1 404 x\r\n\r\n", "model_not_found"},
    };
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct kit *kit = kit_asked("");
        struct kit_call *call = kit_call(kit, 0);
        engine_call_head(kit->engine, call->ref, ROWS[i].status, slice_of_text(ROWS[i].head));
        engine_call_body(kit->engine, call->ref, SLICE("{\"mess"));
        kit_call_ends(kit, call, ERR_BROKEN_STREAM, true);
        kit_settle(kit);
        assert_int_equal(kit->call_count, 1);
        assert_int_equal(kit_count(kit, OUTPUT_USAGE), 0);
        assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), ROWS[i].code);
        kit_free(kit);
    }
}

static void throttling_with_a_cut_or_endless_body_uses_up_no_attempt(void **state)
{
    (void)state;
    struct engine_config config = kit_config();
    config.retry.max_attempts = 1;
    struct kit *kit = kit_started(&config);
    kit_request(kit, 0, 0, NULL, "");
    kit_turn(kit);
    static char page[1 << 17];
    memset(page, 'x', sizeof page);
    for (int i = 0; i < 2; i++) {
        struct kit_call *call = kit_call(kit, 0);
        engine_call_head(kit->engine, call->ref, 503, SLICE("HTTP/1.1 503 x\r\n\r\n"));
        engine_call_body(kit->engine, call->ref, slice_of(page, i == 0 ? 10 : sizeof page));
        kit_call_ends(kit, call, ERR_BROKEN_STREAM, true);
        kit_wait(kit, 5000);
        assert_int_equal(kit->call_count, (size_t)i + 2);
    }
    kit_answer(kit, 0);
    kit_settle(kit);
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"status\":\"ok\"");
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 1);
    kit_free(kit);
}

static void a_model_error_without_its_body_is_retried(void **state)
{
    (void)state;
    struct kit *kit = kit_asked("");
    struct kit_call *call = kit_call(kit, 0);
    engine_call_head(kit->engine, call->ref, 424,
                     SLICE("HTTP/1.1 424 x\r\nx-amzn-errortype: ModelErrorException\r\n\r\n"));
    kit_call_ends(kit, call, ERR_BROKEN_STREAM, true);
    kit_wait(kit, 1000);
    assert_int_equal(kit->call_count, 2);
    kit_free(kit);
}

/* ---- a full queue of chunks ---- */

static void the_chunk_after_a_full_queue_tells_the_gap(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_request(kit, 0, 0, NULL, ",\"stream\":true");
    kit_turn(kit);
    hear_head(kit, 0);
    hear(kit, 0, "messageStart", "{\"role\":\"assistant\"}");
    hear_text(kit, 0, "one");
    size_t sent = kit->chunk_count;
    kit->has_no_room_for_chunks = true;
    hear_text(kit, 0, "two");
    hear_text(kit, 0, "three");
    kit->has_no_room_for_chunks = false;
    hear_text(kit, 0, "four");
    hear_text(kit, 0, "five");
    assert_int_equal(kit->chunk_count, sent + 2);
    char seq[64];
    (void)snprintf(seq, sizeof seq, "\"seq\":%zu,\"gap\":2,", sent);
    assert_says(&kit->chunks[sent], seq);
    assert_says(&kit->chunks[sent], "four");
    (void)snprintf(seq, sizeof seq, "\"seq\":%zu,\"content\"", sent + 1);
    assert_says(&kit->chunks[sent + 1], seq); /* once */
    kit_free(kit);
}

static void a_run_that_ends_with_a_full_queue_has_its_last_chunk(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_request(kit, 0, 0, NULL, ",\"stream\":true");
    kit_turn(kit);
    hear_head(kit, 0);
    hear(kit, 0, "messageStart", "{\"role\":\"assistant\"}");
    size_t sent = kit->chunk_count;
    kit->has_no_room_for_chunks = true;
    hear_text(kit, 0, "one");
    hear(kit, 0, "validationException", "{\"message\":\"no\"}");
    kit_settle(kit);
    assert_int_equal(kit->chunk_count, sent + 1);
    assert_says(&kit->chunks[sent], "\"gap\":1,");
    assert_says(&kit->chunks[sent], "\"last\":true,\"error\"");
    kit_free(kit);
}

/* ---- the end of its chunks ---- */

static void a_run_with_a_refused_chunk_is_not_closed(void **state)
{
    (void)state;
    struct kit *kit = kit_asked(",\"stream\":true");
    hear_head(kit, 0);
    hear(kit, 0, "messageStart", "{\"role\":\"assistant\"}");
    hear_text(kit, 0, "once");
    engine_chunk_refused(kit->engine, kit_call(kit, 0)->ref); /* which of the two? */
    kit_call_ends(kit, kit_call(kit, 0), OK, true);
    kit_wait(kit, 1000);
    kit_answer_with(kit, 0, 403, "x-amzn-errortype: AccessDeniedException\r\n", "{}");
    kit_settle(kit);
    assert_int_equal(kit->chunk_count, 2);
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"code\":\"access_denied\"");
    kit_free(kit);
}

static void a_new_run_after_a_refused_chunk_is_closed(void **state)
{
    (void)state;
    struct kit *kit = kit_asked(",\"stream\":true");
    cut_stream(kit, 0);
    kit_wait(kit, 1000);
    hear_head(kit, 0);
    hear(kit, 0, "messageStart", "{\"role\":\"assistant\"}");
    engine_chunk_refused(kit->engine, kit->calls[0].ref); /* late: of the run before */
    hear(kit, 0, "accessDeniedException", "{\"message\":\"no\"}");
    kit_settle(kit);
    assert_int_equal(kit->chunk_count, 4);
    assert_says(&kit->chunks[3], "\"attempt\":2,\"seq\":1,");
    assert_says(&kit->chunks[3], "\"last\":true");
    kit_free(kit);
}

static void a_run_whose_next_chunk_is_too_large_closes_without_a_gap(void **state)
{
    (void)state;
    struct engine_config config = kit_config();
    config.output.output_bytes_max = 2500;
    char payload[3000];
    struct kit *kit = kit_new(&config);
    kit_assign(kit, 0);
    kit_request(kit, 0, 0, "k", ",\"stream\":true");
    kit_turn(kit);
    hear_head(kit, 0);
    hear(kit, 0, "messageStart", "{\"role\":\"assistant\"}");
    (void)snprintf(payload, sizeof payload,
                   "{\"contentBlockIndex\":0,\"delta\":{\"text\":\"%02800d\"}}", 1);
    hear(kit, 0, "contentBlockDelta", payload);
    hear_text(kit, 0, "once");
    hear(kit, 0, "accessDeniedException", "{\"message\":\"no\"}");
    kit_settle(kit);
    assert_int_equal(kit->chunk_count, 2);
    assert_says(&kit->chunks[1], "\"attempt\":1,\"seq\":1,");
    assert_says(&kit->chunks[1], "\"last\":true");
    assert_says(&kit->chunks[1], "\"code\":\"access_denied\"");
    kit_free(kit);
}

/* ---- attempts ---- */

static void an_attempt_above_the_maximum_states_no_maximum(void **state)
{
    (void)state;
    static const char *const SAID[] = {"attempt=1; max=3", "attempt=2; max=3", "attempt=3; max=3",
                                       "attempt=4", "attempt=5"};
    struct kit *kit = kit_asked("");
    for (size_t i = 0; i < COUNT_OF(SAID); i++) {
        assert_int_equal(kit->call_count, i + 1);
        assert_string_equal(kit->calls[i].sdk, SAID[i]);
        kit_throttle(kit, 0);
        for (int wait = 0; wait < 50 && kit->call_count == i + 1; wait++)
            kit_wait(kit, 1000);
    }
    kit_free(kit);
}

/* ---- counts ---- */

#define OUTPUT(content) "{\"output\":{\"message\":{\"content\":[" content "]}}"

/* The usage record of a call that ended in this way, after a request of 8 bytes of text. */
static void assert_estimate(const char *body, enum err end, const char *counts)
{
    struct kit *kit = kit_asked("");
    struct kit_call *call = kit_call(kit, 0);
    engine_call_head(kit->engine, call->ref, 200, SLICE("HTTP/1.1 200 x\r\n\r\n"));
    engine_call_body(kit->engine, call->ref, slice_of_text(body));
    kit_call_ends(kit, call, end, true);
    (void)kit_batch_with(kit, OUTPUT_USAGE);
    kit_commit(kit);
    assert_says(kit_output(kit, OUTPUT_USAGE, 0), "\"estimated\":true");
    assert_says(kit_output(kit, OUTPUT_USAGE, 0), counts);
    kit_free(kit);
}

static void output_tokens_are_estimated_from_the_text_only(void **state)
{
    (void)state;
    assert_estimate(OUTPUT("{\"text\":\"hi\"}") "}", OK, "\"input_tokens\":2,\"output_tokens\":1,");
    assert_estimate(OUTPUT("{\"text\":\"hello\"},{\"text\":\"you\"}") "}", OK,
                    "\"input_tokens\":2,\"output_tokens\":2,");
    assert_estimate("{\"message\":\"no output at all, an error\"}", OK,
                    "\"input_tokens\":2,\"output_tokens\":0,");
    assert_estimate("<html>the page of a proxy</html>", OK,
                    "\"input_tokens\":2,\"output_tokens\":0,");
    /* A cut answer cannot be parsed: its bytes are the best estimate. */
    assert_estimate("{\"output\":{\"message\":{\"content\":[{\"text\":\"once u", ERR_BROKEN_STREAM,
                    "\"input_tokens\":2,\"output_tokens\":12,");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_that_quote_the_prompt_reach_no_log_and_no_error),
        cmocka_unit_test(messages_of_bedrock_go_to_the_client_and_not_to_the_log),
        cmocka_unit_test(an_invalid_error_type_appears_in_no_output_or_log),
        cmocka_unit_test(an_exception_of_a_stream_that_quotes_is_hidden_in_the_last_chunk),
        cmocka_unit_test(a_complete_stream_is_an_answer_however_it_ends),
        cmocka_unit_test(a_stream_without_its_metrics_ends_with_a_last_chunk),
        cmocka_unit_test(an_incomplete_stream_is_a_failed_attempt),
        cmocka_unit_test(an_unstreamed_answer_must_end_cleanly),
        cmocka_unit_test(an_error_status_counts_although_its_body_is_cut),
        cmocka_unit_test(throttling_with_a_cut_or_endless_body_uses_up_no_attempt),
        cmocka_unit_test(a_model_error_without_its_body_is_retried),
        cmocka_unit_test(a_run_with_a_refused_chunk_is_not_closed),
        cmocka_unit_test(a_new_run_after_a_refused_chunk_is_closed),
        cmocka_unit_test(a_run_whose_next_chunk_is_too_large_closes_without_a_gap),
        cmocka_unit_test(an_attempt_above_the_maximum_states_no_maximum),
        cmocka_unit_test(output_tokens_are_estimated_from_the_text_only),
        cmocka_unit_test(a_throttling_error_of_status_200_is_throttling),
        cmocka_unit_test(an_error_of_status_200_keeps_its_type_and_message),
        cmocka_unit_test(the_error_of_a_bad_header_goes_to_the_reply_to_of_the_value),
        cmocka_unit_test(the_chunk_after_a_full_queue_tells_the_gap),
        cmocka_unit_test(a_run_that_ends_with_a_full_queue_has_its_last_chunk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
