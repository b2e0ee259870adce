/* What brokers can do to a worker, with errors injected into librdkafka's in-memory cluster. */
#include "io/kafka_kit.h"

static void the_worker_logs_lost_brokers_once_and_waits_for_them(void **state)
{
    (void)state;
    struct kit kit;
    struct kit_worker *worker = kit_holding_worker(&kit, false, 10);
    rd_kafka_mock_broker_set_down(kit.mock, 1);
    kit_let_go(worker);
    kit_until(worker, kit_logged(worker, LOG_BROKERS_DOWN) == 1);
    kit_sleep_ms(3000);
    assert_int_equal(kit_logged(worker, LOG_BROKERS_DOWN), 1);
    assert_int_equal(kit_logged(worker, LOG_BROKERS_UP), 0);
    rd_kafka_mock_broker_set_up(kit.mock, 1);
    kit_until(worker, worker->engine->answered == 10);
    kit_until(worker, kit_logged(worker, LOG_BROKERS_UP) == 1);
    assert_int_equal(kit_logged(worker, LOG_BROKERS_DOWN), 1);
    kit_end_well(&kit, worker);
}

/* librdkafka logs failed connections of all three clients meanwhile, some of them before it says
 * that no broker is left. */
static void lines_of_librdkafka_about_lost_brokers_are_held_back_and_counted(void **state)
{
    (void)state;
    struct kit kit;
    kit_init(&kit, 1, false);
    struct kit_worker *worker = kit_worker_new(&kit, false);
    worker->config.log.format = LOG_FORMAT_JSON;
    kit_worker_start(worker);
    kit_until(worker, worker->engine->assigned == 1);
    rd_kafka_mock_broker_set_down(kit.mock, 1);
    kit_until(worker, kit_logged(worker, LOG_BROKERS_DOWN) == 1);
    kit_sleep_ms(3000);
    rd_kafka_mock_broker_set_up(kit.mock, 1);
    kit_until(worker, kit_logged(worker, LOG_BROKERS_UP) == 1);
    const char *held = strstr(worker->log.last[LOG_BROKERS_UP], "\"held_back\":");
    assert_non_null(held);
    assert_true(strtoll(held + strlen("\"held_back\":"), NULL, 10) > 0);
    assert_int_equal(kit_logged(worker, LOG_LIBRDKAFKA_LOG), 0);
    kit_end_well(&kit, worker);
}

static void the_worker_logs_a_missing_topic_and_waits_for_it(void **state)
{
    (void)state;
    struct kit kit;
    kit_init(&kit, 1, false);
    rd_kafka_mock_topic_set_error(kit.mock, kit.out, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    struct kit_worker *worker = kit_worker_run(&kit, false);
    kit_until(worker, kit_logged(worker, LOG_TOPIC_MISSING) == 1);
    assert_non_null(strstr(worker->log.last[LOG_TOPIC_MISSING], kit.out));
    rd_kafka_mock_topic_set_error(kit.mock, kit.out, RD_KAFKA_RESP_ERR_NO_ERROR);
    kit_until(worker, kit_logged(worker, LOG_TOPIC_FOUND) == 1);
    assert_int_equal(kit_logged(worker, LOG_TOPIC_MISSING), 1);
    kit_end_well(&kit, worker);
}

static void failed_look_ups_of_a_topic_are_repeated_with_pauses(void **state)
{
    (void)state;
    struct kit kit;
    kit_init(&kit, 1, false);
    struct kit_worker *worker = kit_worker_run(&kit, false);
    struct engine *engine = worker->engine;
    kit_until(worker, engine->assigned == 1);
    rd_kafka_mock_topic_set_error(kit.mock, kit.out, RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE);
    int64_t from_ms = clock_monotonic_ms();
    kit_ask(worker, kit_look_up, kit.out);
    kit_until(worker, engine->topics_answered == 1);
    assert_true(clock_monotonic_ms() - from_ms >= 500);
    assert_int_equal(engine->topic_err, ERR_IO);
    kit_end_well(&kit, worker);
}

static void a_record_that_is_too_large_is_the_only_one_blamed(void **state)
{
    (void)state;
    struct kit kit;
    kit_init(&kit, 1, false);
    char big[3000];
    memset(big, 'x', sizeof big);
    kit_produce(&kit, 0, 7);
    kit_produce_one(&kit, SLICE_NULL, slice_of(big, sizeof big), NULL, 0);
    kit_produce(&kit, 7, 5);
    for (int exactly_once = 0; exactly_once < 2; exactly_once++) {
        const struct kafka_property small = {SLICE("message.max.bytes"), SLICE("2000")};
        struct kit_worker *worker = kit_worker_new(&kit, exactly_once == 1);
        snprintf(kit.group, sizeof kit.group, "group-%d", exactly_once);
        worker->config.kafka.group_id = slice_of_text(kit.group);
        worker->config.kafka.producer = (struct kafka_properties){.list = &small, .count = 1};
        kit_worker_hold(worker, 13);
        kit_let_go(worker);
        kit_until(worker, worker->engine->answered == 13);
        assert_int_equal(worker->engine->outcomes[BATCH_REFUSED], 1);
        assert_int_equal(worker->engine->refused, 1);
        assert_int_equal(kit_worker_end(worker), 0);
    }
    kit_done_with(&kit);
}

static void a_topic_without_write_permission_is_blamed(void **state)
{
    (void)state;
    struct kit kit;
    struct kit_worker *worker = kit_holding_worker(&kit, false, 1);
    rd_kafka_mock_push_request_errors(kit.mock, API_PRODUCE, 1,
                                      RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    kit_let_go(worker);
    kit_until(worker, worker->engine->outcomes[BATCH_REFUSED] == 1);
    assert_int_equal(worker->engine->last_refusal.err, ERR_NOT_ALLOWED);
    kit_until(worker, worker->engine->answered == 1);
    kit_end_well(&kit, worker);
}

static void records_too_large_together_make_batches_smaller(void **state)
{
    (void)state;
    struct kit kit;
    struct kit_worker *worker = kit_holding_worker(&kit, false, 9);
    rd_kafka_mock_push_request_errors(kit.mock, API_PRODUCE, 1,
                                      RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
    kit_let_go(worker);
    kit_until(worker, worker->engine->outcomes[BATCH_ABORTED] == 1 ||
                          worker->engine->outcomes[BATCH_REFUSED] == 1);
    if (worker->engine->outcomes[BATCH_ABORTED] == 1)
        assert_true(worker->engine->last_end.was_time);
    kit_until(worker, worker->engine->answered == 9);
    kit_end_well(&kit, worker);
}

static void a_failed_read_of_offsets_is_repeated(void **state)
{
    (void)state;
    struct kit kit;
    kit_init(&kit, 1, false);
    kit_produce(&kit, 0, 5);
    rd_kafka_mock_push_request_errors(kit.mock, API_OFFSET_FETCH, 2,
                                      RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
                                      RD_KAFKA_RESP_ERR_INVALID_GROUP_ID);
    struct kit_worker *worker = kit_worker_run(&kit, false);
    kit_until(worker, worker->engine->answered == 5);
    kit_end_well(&kit, worker);
}

static void a_plain_offset_commit_that_fails_is_repeated(void **state)
{
    (void)state;
    struct kit kit;
    struct kit_worker *worker = kit_holding_worker(&kit, false, 5);
    rd_kafka_mock_push_request_errors(kit.mock, API_OFFSET_COMMIT, 2,
                                      RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
                                      RD_KAFKA_RESP_ERR_INVALID_GROUP_ID);
    kit_let_go(worker);
    kit_until(worker, worker->engine->answered == 5);
    kit_await_committed(&kit, 0, 5);
    kit_end_well(&kit, worker);
}

static void a_refused_offset_commit_is_logged_and_repeated_with_pauses(void **state)
{
    (void)state;
    struct kit kit;
    char metadata[64];
    struct kit_worker *worker = kit_holding_worker(&kit, false, 5);
    kit_refuse_commits(&kit, RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE, 3);
    int64_t from_ms = clock_monotonic_ms(); /* before the first refusal */
    kit_let_go(worker);
    kit_until(worker, kit_logged(worker, LOG_OFFSETS_REFUSED) == 1);
    assert_non_null(strstr(worker->log.last[LOG_OFFSETS_REFUSED], "set kafka.offset_metadata_max"));
    assert_int_equal(kit_worker_end(worker), 0); /* waiting for it does not hurry it */
    assert_true(clock_monotonic_ms() - from_ms >= 1500);
    assert_int_equal(kit_committed(&kit, metadata, sizeof metadata), 5);
    kit_done_with(&kit);
}

#if RD_KAFKA_VERSION >= 0x02030000 /* it counts requests */

static size_t count_commits(const struct kit *kit)
{
    size_t count, commits = 0;
    rd_kafka_mock_request_t **requests = rd_kafka_mock_get_requests(kit->mock, &count);
    for (size_t i = 0; i < count; i++)
        commits += rd_kafka_mock_request_api_key(requests[i]) == API_OFFSET_COMMIT;
    rd_kafka_mock_request_destroy_array(requests, count);
    return commits;
}

/* 40 partitions with 16 KiB of metadata each, all in one batch. */
static void a_plain_commit_of_many_offsets_goes_in_parts(void **state)
{
    (void)state;
    struct kit kit;
    kit_init(&kit, 40, false);
    kit_produce(&kit, 0, 400);
    struct kit_worker *worker = kit_worker_new(&kit, false);
    worker->engine->metadata_bytes = 16384;
    kit_worker_hold(worker, 400);
    rd_kafka_mock_start_request_tracking(kit.mock);
    kit_let_go(worker);
    kit_until(worker, worker->engine->answered == 400);
    assert_int_equal(kit_worker_end(worker), 0);
    assert_true(count_commits(&kit) >= 2);
    kit_done_with(&kit);
}

#endif

int main(void)
{
    kit_only();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_worker_logs_lost_brokers_once_and_waits_for_them),
        cmocka_unit_test(lines_of_librdkafka_about_lost_brokers_are_held_back_and_counted),
        cmocka_unit_test(the_worker_logs_a_missing_topic_and_waits_for_it),
        cmocka_unit_test(failed_look_ups_of_a_topic_are_repeated_with_pauses),
        cmocka_unit_test(a_record_that_is_too_large_is_the_only_one_blamed),
        cmocka_unit_test(a_topic_without_write_permission_is_blamed),
        cmocka_unit_test(records_too_large_together_make_batches_smaller),
        cmocka_unit_test(a_failed_read_of_offsets_is_repeated),
        cmocka_unit_test(a_plain_offset_commit_that_fails_is_repeated),
        cmocka_unit_test(a_refused_offset_commit_is_logged_and_repeated_with_pauses),
#if RD_KAFKA_VERSION >= 0x02030000
        cmocka_unit_test(a_plain_commit_of_many_offsets_goes_in_parts),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
