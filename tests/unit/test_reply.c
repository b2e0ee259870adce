#include "unit/engine_kit.h"

#include "engine/reply.h"

#define TO_GOOD ",\"reply_to\":\"reply.good\""

static void found(struct kit *kit, enum err err, int32_t partitions)
{
    assert_true(kit->look_ups.count > 0);
    uint32_t ticket = kit->look_ups.list[kit->look_ups.count - 1].ticket;
    kit->look_ups.count = 0;
    engine_topic_found(kit->engine, ticket, err, partitions);
}

/* A request with Spring's headers of a reply. */
static void request_with_headers(struct kit *kit, int64_t offset, int32_t partition)
{
    uint8_t number[] = {(uint8_t)(partition >> 24), (uint8_t)(partition >> 16),
                        (uint8_t)(partition >> 8), (uint8_t)partition};
    struct header headers[] = {
        {SLICE("kafka_replyTopic"), SLICE("reply.spring")},
        {SLICE("kafka_replyPartition"), slice_of((const char *)number, sizeof number)},
    };
    char value[128];
    (void)snprintf(value, sizeof value,
                   "{\"model\":\"m.1\",\"messages\":[[\"human\",\"[[%lld]]\"]]}",
                   (long long)offset);
    struct record record = {
        .topic = KIT_TOPIC,
        .offset = offset,
        .timestamp_ms = KIT_WALL_MS,
        .timestamp_type = TIMESTAMP_CREATE,
        .value = slice_of_text(value),
        .headers = {headers, COUNT_OF(headers)},
    };
    engine_record(kit->engine, kit->tenures[0], &record);
}

static void an_allowed_topic_that_exists_gets_the_answer(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_request(kit, 0, 0, NULL, TO_GOOD);
    kit_turn(kit);
    assert_int_equal(kit->call_count, 0); /* nothing is called before the topic is known */
    assert_string_equal(kit->look_ups.list[0].topic, "reply.good");
    found(kit, OK, 3);
    kit_turn(kit);
    kit_answer(kit, 0);
    kit_settle(kit);
    assert_string_equal(kit_output(kit, OUTPUT_RESPONSE, 0)->topic, "reply.good");
    assert_int_equal(kit_output(kit, OUTPUT_RESPONSE, 0)->partition, -1);
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"status\":\"ok\"");
    kit_free(kit);
}

static void assert_refused(struct kit *kit, const char *words)
{
    kit_settle(kit);
    assert_int_equal(kit->call_count, 0);
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 1);
    assert_int_equal(kit_count(kit, OUTPUT_LETTER), 1);
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 0);
    const struct kit_text *response = kit_output(kit, OUTPUT_RESPONSE, 0);
    assert_string_equal(response->topic, "responses");
    assert_int_equal(response->partition, -1);
    assert_says(response, "\"code\":\"reply_topic_refused\"");
    assert_says(response, words);
    kit_free(kit);
}

static void a_topic_that_is_not_allowed_is_not_looked_up(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_request(kit, 0, 0, NULL, ",\"reply_to\":\"orders\"");
    kit_turn(kit);
    assert_int_equal(kit->look_ups.count, 0);
    assert_refused(kit, "topics.reply_allowed");
}

static void the_workers_own_topics_are_never_reply_topics(void **state)
{
    (void)state;
    static const struct slice ANY[] = {{"*", 1}}, REQUESTS[] = {{"other", 5}, {"requests", 8}};
    static const char *const NAMES[] = {"other", "requests", "chunks", "usage", "letters"};
    struct engine_config config = kit_config();
    config.reply_allowed = ANY;
    config.reply_allowed_count = COUNT_OF(ANY);
    config.request_topics = REQUESTS;
    config.request_topic_count = COUNT_OF(REQUESTS);
    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        struct kit *kit = kit_new(&config);
        char more[64];
        kit_assign(kit, 0);
        (void)snprintf(more, sizeof more, ",\"reply_to\":\"%s\"", NAMES[i]);
        kit_request(kit, 0, 0, NULL, more);
        assert_int_equal(kit->look_ups.count, 0);
        assert_refused(kit, "topics.reply_allowed");
    }
    struct kit *kit = kit_new(&config);
    kit_assign(kit, 0);
    kit_request(kit, 0, 0, NULL, ",\"reply_to\":\"responses\"");
    assert_int_equal(kit->look_ups.count, 1);
    kit_free(kit);
}

static void an_invalid_topic_name_is_rejected(void **state)
{
    (void)state;
    static const char *const NAMES[] = {"reply.a/b", "reply.ä", "reply.a b", "reply.*"};
    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        struct kit *kit = kit_started(NULL);
        char more[64];
        (void)snprintf(more, sizeof more, ",\"reply_to\":\"%s\"", NAMES[i]);
        kit_request(kit, 0, 0, NULL, more);
        assert_int_equal(kit->look_ups.count, 0);
        assert_refused(kit, "is not a topic name");
    }
}

static void a_missing_or_forbidden_topic_is_rejected(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_request(kit, 0, 0, NULL, TO_GOOD);
    kit_turn(kit);
    found(kit, ERR_NOT_FOUND, 0);
    assert_refused(kit, "does not exist");
    kit = kit_started(NULL);
    kit_request(kit, 0, 0, NULL, TO_GOOD);
    kit_turn(kit);
    found(kit, ERR_NOT_ALLOWED, 0);
    assert_refused(kit, "not authorised");
}

static void a_missing_partition_is_rejected(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    request_with_headers(kit, 0, 3);
    kit_turn(kit);
    found(kit, OK, 3);
    assert_refused(kit, "no such partition");
    kit = kit_started(NULL);
    request_with_headers(kit, 0, 2);
    kit_turn(kit);
    found(kit, OK, 3);
    kit_turn(kit);
    kit_answer(kit, 0);
    kit_settle(kit);
    assert_string_equal(kit_output(kit, OUTPUT_RESPONSE, 0)->topic, "reply.spring");
    assert_int_equal(kit_output(kit, OUTPUT_RESPONSE, 0)->partition, 2);
    kit_free(kit);
}

/* The remembered partition count may be older than the client's. */
static void an_unknown_partition_is_looked_up_again_before_rejection(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    request_with_headers(kit, 0, 0);
    found(kit, OK, 1);
    kit_time(kit, 4000);
    request_with_headers(kit, 1, 1);
    assert_int_equal(kit->logged[LOG_REPLY_REJECTED], 0);
    found(kit, OK, 2);
    kit_turn(kit);
    assert_int_equal(kit_open_calls(kit), 2);
    kit_free(kit);
}

static void a_malformed_request_is_answered_in_its_reply_topic(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_request(kit, 0, 0, NULL, TO_GOOD ",\"unknown_field\":1");
    kit_turn(kit);
    found(kit, OK, 1);
    kit_settle(kit);
    assert_string_equal(kit_output(kit, OUTPUT_RESPONSE, 0)->topic, "reply.good");
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "unknown_field");
    kit_free(kit);
}

static void many_requests_share_one_look_up_of_a_topic(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    for (int64_t offset = 0; offset < 5; offset++)
        kit_request(kit, 0, offset, NULL, TO_GOOD);
    assert_int_equal(kit->look_ups.count, 1);
    found(kit, OK, 1);
    kit_turn(kit);
    assert_int_equal(kit->call_count, 5);
    kit_wait(kit, REPLY_KNOWN_MS - 1);
    kit_request(kit, 0, 5, NULL, TO_GOOD);
    assert_int_equal(kit->look_ups.count, 0);
    kit_wait(kit, 1);
    kit_request(kit, 0, 6, NULL, TO_GOOD);
    assert_int_equal(kit->look_ups.count, 1);
    kit_free(kit);
}

static void a_missing_topic_is_looked_up_again_soon(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_request(kit, 0, 0, NULL, TO_GOOD);
    found(kit, ERR_NOT_FOUND, 0);
    kit_request(kit, 0, 1, NULL, TO_GOOD); /* known to be missing */
    assert_int_equal(kit->look_ups.count, 0);
    kit_wait(kit, REPLY_BAD_MS);
    kit_request(kit, 0, 2, NULL, TO_GOOD);
    found(kit, OK, 1);
    kit_turn(kit);
    assert_int_equal(kit->call_count, 1);
    kit_free(kit);
}

static void a_failed_look_up_is_repeated_until_it_succeeds(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_request(kit, 0, 0, NULL, TO_GOOD);
    uint32_t ticket = kit->look_ups.list[0].ticket;
    for (int i = 0; i < 5; i++) {
        found(kit, ERR_IO, 0);
        assert_int_equal(kit->look_ups.count, 1);
        kit_wait(kit, 1000);
    }
    engine_topic_found(kit->engine, ticket + 1000, OK, 3); /* an unknown ticket */
    kit_turn(kit);
    assert_int_equal(kit->call_count, 0);
    found(kit, OK, 3);
    kit_turn(kit);
    assert_int_equal(kit->call_count, 1);
    kit_free(kit);
}

static void a_revoked_partition_drops_requests_that_wait_for_a_look_up(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_request(kit, 0, 0, NULL, TO_GOOD);
    kit_turn(kit);
    engine_partition_revoked(kit->engine, kit->tenures[0]);
    kit_turn(kit);
    assert_int_equal(kit->releases.count, 1);
    found(kit, OK, 3);
    kit_turn(kit);
    assert_int_equal(kit->call_count, 0);
    kit_free(kit);
}

static void look_ups_over_the_limit_wait(void **state)
{
    (void)state;
    struct engine_config config = kit_config();
    config.max_held = 2000;
    uint32_t first = 0;
    struct kit *kit = kit_new(&config);
    kit_assign(kit, 0);
    for (int64_t offset = 0; offset <= REPLY_TOPICS_MAX; offset++) {
        char more[64];
        (void)snprintf(more, sizeof more, ",\"reply_to\":\"reply.%lld\"", (long long)offset);
        kit->look_ups.count = 0;
        kit_request(kit, 0, offset, NULL, more);
        assert_int_equal(kit->look_ups.count, offset < REPLY_TOPICS_MAX);
        first = offset == 0 ? kit->look_ups.list[0].ticket : first;
    }
    kit_turn(kit);
    assert_int_equal(kit_calls_of(kit, REPLY_TOPICS_MAX), 0);
    engine_topic_found(kit->engine, first, ERR_NOT_FOUND, 0); /* its place is free */
    assert_int_equal(kit->look_ups.count, 1);
    assert_string_equal(kit->look_ups.list[0].topic, "reply.1024");
    found(kit, OK, 1);
    kit_turn(kit);
    assert_int_equal(kit_calls_of(kit, REPLY_TOPICS_MAX), 1);
    kit_settle(kit);
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 1);
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"code\":\"reply_topic_refused\"");
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"offset\":0");
    kit_free(kit);
}

/* The topic is deleted between look-up and commit: the broker refuses the record. */
static void a_deleted_reply_topic_loses_the_reply_but_not_the_usage(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_request(kit, 0, 0, NULL, TO_GOOD);
    found(kit, OK, 3);
    kit_turn(kit);
    kit_answer(kit, 0);
    kit_refuse(kit, kit_batch_with(kit, OUTPUT_RESPONSE), ERR_NOT_FOUND);
    kit_settle(kit);
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 1);
    assert_string_equal(kit_output(kit, OUTPUT_RESPONSE, 0)->topic, "responses");
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"code\":\"reply_topic_refused\"");
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 1);
    assert_says(kit_output(kit, OUTPUT_USAGE, 0), "\"final\":false,\"estimated\":false");
    assert_says(kit_output(kit, OUTPUT_USAGE, 0), "\"input_tokens\":7,\"output_tokens\":3");
    assert_int_equal(kit_count(kit, OUTPUT_LETTER), 1);
    assert_int_equal(kit->committed[0], 1);
    kit_free(kit);
}

static void an_error_names_the_field_or_header_of_the_request(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_request(kit, 0, 0, NULL, TO_GOOD);
    found(kit, ERR_NOT_FOUND, 0);
    assert_refused(kit, "\"field\":\"reply_to\"");
    kit = kit_started(NULL);
    request_with_headers(kit, 0, 1);
    found(kit, ERR_NOT_FOUND, 0);
    assert_refused(kit, "\"field\":\"kafka_replyTopic\"");
    kit = kit_started(NULL);
    request_with_headers(kit, 0, 99);
    found(kit, OK, 3);
    assert_refused(kit, "\"field\":\"kafka_replyPartition\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_allowed_topic_that_exists_gets_the_answer),
        cmocka_unit_test(a_topic_that_is_not_allowed_is_not_looked_up),
        cmocka_unit_test(the_workers_own_topics_are_never_reply_topics),
        cmocka_unit_test(an_invalid_topic_name_is_rejected),
        cmocka_unit_test(a_missing_or_forbidden_topic_is_rejected),
        cmocka_unit_test(a_missing_partition_is_rejected),
        cmocka_unit_test(an_unknown_partition_is_looked_up_again_before_rejection),
        cmocka_unit_test(a_malformed_request_is_answered_in_its_reply_topic),
        cmocka_unit_test(many_requests_share_one_look_up_of_a_topic),
        cmocka_unit_test(a_missing_topic_is_looked_up_again_soon),
        cmocka_unit_test(a_failed_look_up_is_repeated_until_it_succeeds),
        cmocka_unit_test(a_revoked_partition_drops_requests_that_wait_for_a_look_up),
        cmocka_unit_test(look_ups_over_the_limit_wait),
        cmocka_unit_test(a_deleted_reply_topic_loses_the_reply_but_not_the_usage),
        cmocka_unit_test(an_error_names_the_field_or_header_of_the_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
