/* Records that the broker refuses, and requests too large for the worker: each fails only its
 * request. */
#include "unit/engine_kit.h"

#include "engine/hold.h"

/* ---- refused records ---- */

static void a_refused_answer_fails_only_its_request_and_keeps_its_usage(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_request(kit, 0, 0, NULL, "");
    kit_request(kit, 0, 1, NULL, "");
    kit_turn(kit);
    kit_answer(kit, 0);
    kit_answer(kit, 1);
    size_t blame = kit_batch_with(kit, OUTPUT_RESPONSE);
    assert_int_equal(kit->batch.output_count, 4);
    kit_refuse(kit, blame, ERR_TOO_LARGE);
    assert_int_equal(kit->logged[LOG_OUTPUT_REFUSED], 1);
    kit_turn(kit);
    (void)kit_batch_with(kit, OUTPUT_RESPONSE);
    kit_commit(kit);
    assert_int_equal(kit->committed[0], 2);
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 2);
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 2);
    for (size_t i = 0; i < 2; i++) {
        bool is_refused =
            strstr(kit_output(kit, OUTPUT_RESPONSE, i)->value, "\"offset\":0") != NULL;
        assert_says(kit_output(kit, OUTPUT_RESPONSE, i),
                    is_refused ? "\"code\":\"response_too_large\"" : "\"status\":\"ok\"");
        is_refused = strstr(kit_output(kit, OUTPUT_USAGE, i)->value, "\"offset\":0") != NULL;
        assert_says(kit_output(kit, OUTPUT_USAGE, i), is_refused
                                                          ? "\"final\":false,\"estimated\":false"
                                                          : "\"final\":true,\"estimated\":false");
    }
    assert_int_equal(kit->call_count, 2);
    kit_free(kit);
}

static void an_error_refused_too_goes_without_the_requests_fields(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_request(kit, 0, 0, NULL, ",\"metadata\":{\"note\":\"a long one\"}");
    kit_turn(kit);
    kit_answer(kit, 0);
    kit_refuse(kit, kit_batch_with(kit, OUTPUT_RESPONSE), ERR_TOO_LARGE);
    kit_refuse(kit, kit_batch_with(kit, OUTPUT_RESPONSE), ERR_TOO_LARGE);
    kit_settle(kit);
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 1);
    assert_null(strstr(kit_output(kit, OUTPUT_RESPONSE, 0)->value, "a long one"));
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 1);
    kit_free(kit);
}

static void a_refused_dead_letter_goes_without_its_value(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_record(kit, 0, 0, NULL, "nonsense");
    kit_refuse(kit, kit_batch_with(kit, OUTPUT_LETTER), ERR_TOO_LARGE);
    kit_settle(kit);
    assert_int_equal(kit_count(kit, OUTPUT_LETTER), 1);
    assert_string_equal(kit_output(kit, OUTPUT_LETTER, 0)->value, "");
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 1);
    kit_free(kit);
}

/* A topic of the settings is missing: the worker waits for it, loses nothing and repeats no
 * call. */
static void the_worker_waits_for_a_missing_topic_of_the_settings(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_request(kit, 0, 0, NULL, "");
    kit_turn(kit);
    kit_answer(kit, 0);
    for (int i = 0; i < 5; i++) {
        kit_refuse(kit, kit_batch_with(kit, OUTPUT_RESPONSE), ERR_NOT_FOUND);
        kit_turn(kit);
        assert_false(kit->has_batch); /* not at once */
    }
    assert_int_equal(kit->logged[LOG_OUTPUT_TOPIC_BLOCKED], 1); /* once a minute */
    assert_int_equal(kit->logged[LOG_OUTPUT_REFUSED] + kit->logged[LOG_BATCH_ABORTED], 0);
    assert_non_null(
        strstr(kit->words[LOG_OUTPUT_TOPIC_BLOCKED], "topic responses takes no records"));
    assert_non_null(strstr(kit->words[LOG_OUTPUT_TOPIC_BLOCKED], "results of all requests wait"));
    assert_non_null(strstr(kit->words[LOG_OUTPUT_TOPIC_BLOCKED], "create it"));
    /* Once it exists, a record that is too large for it is still distinguished from those that
     * waited. */
    kit_refuse(kit, kit_batch_with(kit, OUTPUT_RESPONSE), ERR_TOO_LARGE);
    kit_settle(kit);
    kit_settle(kit);
    assert_int_equal(kit->call_count, 1);
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 1);
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"code\":\"response_too_large\"");
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 1);
    kit_free(kit);
}

/* A record that waits for a topic of the settings still fails only its own request. */
static void a_forbidden_usage_topic_stops_commits_and_is_no_refusal(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_request(kit, 0, 0, NULL, "");
    kit_turn(kit);
    kit_answer(kit, 0);
    for (int i = 0; i < 5; i++)
        kit_refuse(kit, kit_batch_with(kit, OUTPUT_USAGE), ERR_NOT_ALLOWED);
    assert_non_null(strstr(kit->words[LOG_OUTPUT_TOPIC_BLOCKED], "topic usage takes no records"));
    assert_non_null(strstr(kit->words[LOG_OUTPUT_TOPIC_BLOCKED], "the right Write on it"));
    kit_refuse(kit, kit_batch_with(kit, OUTPUT_RESPONSE), ERR_TOO_LARGE);
    kit_settle(kit);
    assert_int_equal(kit->logged[LOG_OUTPUT_REFUSED], 1);
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"code\":\"response_too_large\"");
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 1);
    kit_free(kit);
}

/* The reply topic exists. */
static void found(struct kit *kit)
{
    assert_true(kit->look_ups.count > 0);
    engine_topic_found(kit->engine, kit->look_ups.list[kit->look_ups.count - 1].ticket, OK, 1);
    kit_turn(kit);
}

/* ---- a broker that refuses by rule ---- */

struct rule {
    const char *topic;
    size_t most_bytes; /* 0 = no limit */
    bool wants_key;
};

static bool is_taken(const struct rule *rule, const struct output *output)
{
    if (!slice_equal_text(output->topic, rule->topic))
        return true;
    size_t bytes = output->value.len + output->key.len;
    for (size_t i = 0; i < output->header_count; i++)
        bytes += output->headers[i].name.len + output->headers[i].value.len;
    return (rule->most_bytes == 0 || bytes <= rule->most_bytes) &&
           (!rule->wants_key || output->key.ptr != NULL);
}

static const struct rule *rule_of(const struct rule *rules, size_t count,
                                  const struct output *output)
{
    for (size_t i = 0; i < count; i++)
        if (slice_equal_text(output->topic, rules[i].topic))
            return &rules[i];
    return NULL;
}

/* As librdkafka reports it: all records beside an invalid one are refused with it. */
static void judge_batch(struct kit *kit, const struct rule *rules, size_t count)
{
    static struct batch_refusal refusals[1000];
    struct batch_end end = {.id = kit->batch.id,
                            .outcome = BATCH_REFUSED,
                            .refusals = refusals,
                            .reason = SLICE("kit")};
    for (size_t k = 0; k < kit->batch.output_count; k++) {
        const struct rule *rule = rule_of(rules, count, kit->batch.outputs[k]);
        size_t bad = 0, beside = 0;
        for (size_t i = 0; rule != NULL && i < kit->batch.output_count; i++) {
            bad += !is_taken(rule, kit->batch.outputs[i]);
            beside += slice_equal_text(kit->batch.outputs[i]->topic, rule->topic);
        }
        if (bad > 0)
            refusals[end.refusal_count++] =
                (struct batch_refusal){.index = k,
                                       .err = rule->wants_key ? ERR_INVALID : ERR_TOO_LARGE,
                                       .is_sure = beside == 1};
    }
    if (end.refusal_count == 0) {
        kit_commit(kit);
        return;
    }
    kit->has_batch = false;
    engine_batch_ended(kit->engine, &end);
}

static void settle_under(struct kit *kit, const struct rule *rules, size_t count)
{
    for (int i = 0; i < 400; i++) {
        kit_wait(kit, 100);
        if (kit->has_batch)
            judge_batch(kit, rules, count);
    }
    assert_false(kit->has_batch);
    assert_int_equal(held_count(kit->engine), 0);
}

static const struct kit_text *response_of(const struct kit *kit, const char *part)
{
    for (size_t i = 0; i < kit->output_count; i++)
        if (kit->outputs[i].kind == OUTPUT_RESPONSE && strstr(kit->outputs[i].value, part) != NULL)
            return &kit->outputs[i];
    fail_msg("no response says %s", part);
    return NULL;
}

static void dead_letter_and_response_too_large_fail_only_their_request(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    struct buf poison OWNED_BY(buf_done);
    buf_init(&poison, 1 << 20);
    buf_add_text(&poison, "{\"oops\":1,\"id\":\"poison\",\"metadata\":{\"pad\":\"");
    for (int i = 0; i < 30000; i++)
        buf_add_byte(&poison, 'x');
    buf_add_text(&poison, "\"}}");
    kit_record(kit, 0, 0, NULL, buf_text(&poison));
    for (int64_t offset = 1; offset < 10; offset++)
        kit_request(kit, 0, offset, NULL, "");
    kit_turn(kit);
    for (int64_t offset = 1; offset < 10; offset++)
        kit_answer(kit, offset);
    buf_done(&poison);
    const struct rule rules[] = {{"responses", 20000, false}, {"letters", 20000, false}};
    settle_under(kit, rules, COUNT_OF(rules));
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 10);
    assert_int_equal(kit_count(kit, OUTPUT_LETTER), 1);
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 9);
    assert_int_equal(kit->committed[0], 10);
    assert_int_equal(kit->call_count, 9);
    kit_free(kit);
}

static void a_key_too_large_for_dead_letter_and_response_is_left_out(void **state)
{
    (void)state;
    static char key[30001];
    memset(key, 'k', sizeof key - 1);
    struct kit *kit = kit_started(NULL);
    kit_record(kit, 0, 0, key, "{\"oops\":1,\"id\":\"poison\"}");
    const struct rule rules[] = {{"responses", 20000, false}, {"letters", 20000, false}};
    settle_under(kit, rules, COUNT_OF(rules));
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 1);
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"id\":\"poison\"");
    assert_int_equal(kit_count(kit, OUTPUT_LETTER), 1);
    kit_free(kit);
}

/* Under at_least_once, where a batch may be half delivered. */
static void records_delivered_beside_a_refused_one_are_not_repeated(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_request(kit, 0, 0, NULL, "");
    kit_turn(kit);
    kit_answer(kit, 0);
    size_t blame = kit_batch_with(kit, OUTPUT_RESPONSE);
    for (size_t i = 0; i < kit->batch.output_count; i++)
        kit->batch.outputs[i]->is_delivered = i != blame;
    kit_refuse(kit, blame, ERR_TOO_LARGE);
    (void)kit_batch_with(kit, OUTPUT_RESPONSE);
    for (size_t i = 0; i < kit->batch.output_count; i++)
        assert_true(kit->batch.outputs[i]->is_delivered ==
                    (kit->batch.outputs[i]->kind == OUTPUT_USAGE));
    kit_settle(kit);
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 1);
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"code\":\"response_too_large\"");
    kit_free(kit);
}

static void answers_beside_a_refused_one_are_published(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    for (int64_t offset = 0; offset < 8; offset++)
        kit_request(kit, 0, offset, offset == 5 ? NULL : "k", ",\"reply_to\":\"reply.good\"");
    kit_turn(kit);
    found(kit);
    for (int64_t offset = 0; offset < 8; offset++) {
        kit_wait(kit, 1);
        kit_answer(kit, offset);
    }
    const struct rule rule = {"reply.good", 0, true};
    settle_under(kit, &rule, 1);
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 8);
    assert_string_equal(response_of(kit, "reply_topic_refused")->topic, "responses");
    assert_says(response_of(kit, "reply_topic_refused"), "requires a key");
    assert_int_equal(kit_count(kit, OUTPUT_LETTER), 1);
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 8);
    kit_free(kit);
}

static void an_error_too_large_for_its_reply_topic_goes_to_the_responses(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_request(kit, 0, 0, NULL, ",\"reply_to\":\"reply.good\"");
    kit_turn(kit);
    found(kit);
    kit_answer(kit, 0);
    const struct rule rule = {"reply.good", 10, false};
    settle_under(kit, &rule, 1);
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 1);
    assert_string_equal(response_of(kit, "reply_topic_refused")->topic, "responses");
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 1);
    kit_free(kit);
}

static void a_response_refused_in_every_form_keeps_dead_letter_and_usage(void **state)
{
    (void)state;
    static const struct rule RULES[] = {{"responses", 10, false}, {"responses", 0, true}};
    for (size_t i = 0; i < COUNT_OF(RULES); i++) {
        struct kit *kit = kit_started(NULL);
        kit_request(kit, 0, 0, NULL, "");
        kit_turn(kit);
        kit_answer(kit, 0);
        settle_under(kit, &RULES[i], 1);
        assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 0);
        assert_int_equal(kit_count(kit, OUTPUT_LETTER), 1);
        assert_int_equal(kit_count(kit, OUTPUT_USAGE), 1);
        assert_says(kit_output(kit, OUTPUT_USAGE, 0), "\"final\":false");
        assert_int_equal(kit->committed[0], 1);
        assert_true(kit->logged[LOG_OUTPUT_REFUSED] > 1);
        kit_free(kit);
    }
}

static void a_dead_letter_refused_in_every_form_is_left_out_and_logged(void **state)
{
    (void)state;
    static const struct rule RULES[] = {{"letters", 10, false}, {"letters", 0, true}};
    for (size_t i = 0; i < COUNT_OF(RULES); i++) {
        struct kit *kit = kit_started(NULL);
        kit_record(kit, 0, 0, NULL, "nonsense");
        settle_under(kit, &RULES[i], 1);
        assert_int_equal(kit_count(kit, OUTPUT_LETTER), 0);
        assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 1);
        assert_true(kit->logged[LOG_OUTPUT_REFUSED] > 0);
        kit_free(kit);
    }
}

/* ---- requests that are too large ---- */

static void take(struct kit *kit, struct slice key, struct slice value, struct headers headers)
{
    struct record record = {.topic = KIT_TOPIC,
                            .timestamp_ms = KIT_WALL_MS,
                            .timestamp_type = TIMESTAMP_CREATE,
                            .key = key,
                            .value = value,
                            .headers = headers};
    engine_record(kit->engine, kit->tenures[0], &record);
    kit_settle(kit);
}

static void a_record_of_huge_headers_or_key_is_answered(void **state)
{
    (void)state;
    static char huge[3 << 20];
    memset(huge, 'x', sizeof huge);
    const struct header header = {SLICE("h"), slice_of(huge, sizeof huge)};
    for (int is_key = 0; is_key < 2; is_key++) {
        struct kit *kit = kit_started(NULL);
        take(kit, is_key ? slice_of(huge, sizeof huge) : SLICE("k"), SLICE("{\"oops\":1}"),
             (struct headers){.list = &header, .count = is_key ? 0 : 1});
        assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 1);
        assert_int_equal(kit_count(kit, OUTPUT_LETTER), 1);
        assert_int_equal(kit->committed[0], 1);
        kit_free(kit);
    }
}

/* The dead letter that is about to go out. */
static const struct output *letter_of(struct kit *kit)
{
    size_t index = kit_batch_with(kit, OUTPUT_LETTER);
    assert_true(kit->has_batch && index < kit->batch.output_count);
    return kit->batch.outputs[index];
}

static void a_dead_letter_says_when_it_omits_headers(void **state)
{
    (void)state;
    static struct header list[100000];
    const struct {
        size_t count;
        bool is_whole; /* the kit's outputs have a megabyte */
    } cases[] = {{257, true}, {20000, true}, {COUNT_OF(list), false}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        size_t count = cases[i].count;
        for (size_t k = 0; k < count; k++)
            list[k] = (struct header){SLICE(""), SLICE_NULL};
        list[count - 1] = (struct header){SLICE("kafka_replyTopic"), SLICE("reply.good")};
        struct kit *kit = kit_started(NULL);
        take(kit, SLICE_NULL, SLICE("{}"), (struct headers){list, count});
        found(kit);
        const struct output *letter = letter_of(kit);
        size_t own = cases[i].is_whole ? 10 : 12;
        assert_int_equal(letter->header_count, (cases[i].is_whole ? count : 0) + own);
        struct headers headers = {letter->headers, letter->header_count};
        assert_true((headers_last(headers, "bedrock-headers-omitted") == NULL) ==
                    cases[i].is_whole);
        kit_settle(kit);
        assert_string_equal(kit_output(kit, OUTPUT_RESPONSE, 0)->topic, "reply.good");
        kit_free(kit);
    }
}

/* Many small blocks need more memory than their text. */
static void a_request_that_fills_its_memory_is_answered_or_called(void **state)
{
    (void)state;
    for (int blocks = 43500; blocks < 43560; blocks += 7) {
        struct buf value OWNED_BY(buf_done);
        buf_init(&value, 1 << 20);
        buf_add_text(&value, "{\"messages\":[{\"role\":\"user\",\"content\":[\"[[0]]\"");
        for (int i = 0; i < blocks; i++)
            buf_add_text(&value, ",\"a\"");
        buf_add_text(&value, "]}]}");
        struct kit *kit = kit_started(NULL);
        take(kit, SLICE_NULL, buf_slice(&value), (struct headers){0});
        if (kit_open_calls(kit) > 0)
            kit_answer(kit, 0);
        kit_settle(kit);
        assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 1);
        kit_free(kit);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refused_answer_fails_only_its_request_and_keeps_its_usage),
        cmocka_unit_test(an_error_refused_too_goes_without_the_requests_fields),
        cmocka_unit_test(a_refused_dead_letter_goes_without_its_value),
        cmocka_unit_test(the_worker_waits_for_a_missing_topic_of_the_settings),
        cmocka_unit_test(a_forbidden_usage_topic_stops_commits_and_is_no_refusal),
        cmocka_unit_test(dead_letter_and_response_too_large_fail_only_their_request),
        cmocka_unit_test(a_key_too_large_for_dead_letter_and_response_is_left_out),
        cmocka_unit_test(records_delivered_beside_a_refused_one_are_not_repeated),
        cmocka_unit_test(answers_beside_a_refused_one_are_published),
        cmocka_unit_test(an_error_too_large_for_its_reply_topic_goes_to_the_responses),
        cmocka_unit_test(a_response_refused_in_every_form_keeps_dead_letter_and_usage),
        cmocka_unit_test(a_dead_letter_refused_in_every_form_is_left_out_and_logged),
        cmocka_unit_test(a_record_of_huge_headers_or_key_is_answered),
        cmocka_unit_test(a_dead_letter_says_when_it_omits_headers),
        cmocka_unit_test(a_request_that_fills_its_memory_is_answered_or_called),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
