/* What brokers can do to a worker, with errors injected into librdkafka's in-memory cluster. */
#include "io/kafka_kit.h"

static void brokers_that_go_away_are_told_once_and_waited_for(void **state)
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

static void a_missing_topic_is_waited_for_in_words(void **state)
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

static void one_record_too_large_is_blamed_alone(void **state)
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
        worker->engine->is_holding = true;
        kit_worker_start(worker);
        kit_until(worker, worker->engine->records == 13);
        kit_let_go(worker);
        kit_until(worker, worker->engine->answered == 13);
        assert_int_equal(worker->engine->outcomes[BATCH_REFUSED], 1);
        assert_int_equal(worker->engine->refused, 1);
        assert_int_equal(kit_worker_end(worker), 0);
    }
    kit_done_with(&kit);
}

static void a_topic_that_we_may_not_write_is_blamed(void **state)
{
    (void)state;
    struct kit kit;
    struct kit_worker *worker = kit_holding_worker(&kit, false, 1);
    rd_kafka_mock_push_request_errors(kit.mock, API_PRODUCE, 1,
                                      RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    kit_let_go(worker);
    kit_until(worker, worker->engine->outcomes[BATCH_REFUSED] == 1);
    assert_int_equal(worker->engine->last_end.blame_err, ERR_NOT_ALLOWED);
    kit_until(worker, worker->engine->answered == 1);
    kit_end_well(&kit, worker);
}

static void several_records_too_large_together_ask_for_a_smaller_batch(void **state)
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

static void offsets_that_cannot_be_read_are_asked_for_again(void **state)
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
    char metadata[64];
    struct kit_worker *worker = kit_holding_worker(&kit, false, 5);
    rd_kafka_mock_push_request_errors(kit.mock, API_OFFSET_COMMIT, 2,
                                      RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
                                      RD_KAFKA_RESP_ERR_INVALID_GROUP_ID);
    kit_let_go(worker);
    kit_until(worker, worker->engine->answered == 5);
    kit_sleep_ms(1500);
    assert_int_equal(kit_committed(&kit, metadata, sizeof metadata), 5);
    kit_end_well(&kit, worker);
}

/* Every plain commit of offsets from now on. */
static void refuse_commits(const struct kit *kit, rd_kafka_resp_err_t err, size_t count)
{
    static rd_kafka_resp_err_t errors[1000];
    assert_true(count <= COUNT_OF(errors));
    for (size_t i = 0; i < count; i++)
        errors[i] = err;
    rd_kafka_mock_push_request_errors_array(kit->mock, API_OFFSET_COMMIT, count, errors);
}

static void an_offset_commit_that_is_refused_is_told_and_repeated_with_pauses(void **state)
{
    (void)state;
    struct kit kit;
    char metadata[64];
    struct kit_worker *worker = kit_holding_worker(&kit, false, 5);
    refuse_commits(&kit, RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE, 3);
    kit_let_go(worker);
    kit_until(worker, kit_logged(worker, LOG_OFFSETS_REFUSED) == 1);
    assert_non_null(strstr(worker->log.last[LOG_OFFSETS_REFUSED], "set kafka.offset_metadata_max"));
    int64_t from_ms = clock_monotonic_ms();
    assert_int_equal(kit_worker_end(worker), 0); /* who waits for it does not hurry it */
    assert_true(clock_monotonic_ms() - from_ms >= 1400);
    assert_int_equal(kit_committed(&kit, metadata, sizeof metadata), 5);
    kit_done_with(&kit);
}

static void a_stop_that_leaves_offsets_uncommitted_says_so_and_fails(void **state)
{
    (void)state;
    struct kit kit;
    struct kit_worker *worker = kit_holding_worker(&kit, false, 5);
    refuse_commits(&kit, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, 1000);
    kit_let_go(worker);
    kit_until(worker, worker->engine->answered == 5);
    io_stop(worker->io);
    kit_until(worker, kit_logged(worker, LOG_OFFSETS_UNCOMMITTED) == 1);
    assert_int_equal(kit_logged(worker, LOG_OFFSETS_REFUSED), 1);
    assert_int_equal(kit_worker_end(worker), 1);
    kit_done_with(&kit);
}

static void a_partition_whose_offset_cannot_be_committed_is_given_back_in_the_end(void **state)
{
    (void)state;
    struct kit kit;
    kit_init(&kit, 2, false);
    kit_produce(&kit, 0, 40);
    struct kit_worker *first = kit_worker_new(&kit, false);
    first->config.drain_timeout_ms = 3500;
    first->engine->is_holding = true;
    kit_worker_start(first);
    kit_until(first, first->engine->records == 40);
    refuse_commits(&kit, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, 1000);
    kit_let_go(first);
    kit_until(first, first->engine->answered == 40);
    struct kit_worker *second = kit_worker_new(&kit, false);
    second->engine->is_holding = true;
    kit_worker_start(second);
    kit_until(first, first->engine->released == 1);
    int64_t from_ms = clock_monotonic_ms();
    kit_until(second, second->engine->assigned == 1);
    assert_true(clock_monotonic_ms() - from_ms >= 3000);
    assert_int_equal(kit_logged(first, LOG_OFFSETS_LEFT), 1);
    rd_kafka_mock_clear_request_errors(kit.mock, API_OFFSET_COMMIT);
    assert_int_equal(kit_worker_end(first), 0);
    kit_let_go(second);
    assert_int_equal(kit_worker_end(second), 0);
    kit_done_with(&kit);
}

/* While it joins its group anew nothing can be committed, and that may take longer than anything
 * else at the end. */
static void a_stop_while_the_group_is_joined_waits_for_the_last_commit(void **state)
{
    (void)state;
    struct kit kit;
    char metadata[64];
    kit_init(&kit, 1, false);
    kit_produce(&kit, 0, 5);
    struct kit_worker *worker = kit_worker_new(&kit, false);
    worker->config.drain_timeout_ms = 10000;
    worker->engine->is_holding = true;
    kit_worker_start(worker);
    kit_until(worker, worker->engine->records == 5);
    rd_kafka_mock_push_request_errors(kit.mock, API_HEARTBEAT, 1,
                                      RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS);
    rd_kafka_mock_broker_push_request_error_rtts(kit.mock, 1, API_JOIN_GROUP, 1,
                                                 RD_KAFKA_RESP_ERR_NO_ERROR, 2500);
    kit_sleep_ms(1500); /* a heartbeat's time */
    kit_let_go(worker);
    kit_until(worker, worker->engine->answered == 5);
    int64_t from_ms = clock_monotonic_ms();
    assert_int_equal(kit_worker_end(worker), 0);
    assert_true(clock_monotonic_ms() - from_ms >= 3000);
    assert_int_equal(kit_committed(&kit, metadata, sizeof metadata), 5);
    kit_done_with(&kit);
}

static void stopping_without_brokers_takes_bounded_time(void **state)
{
    (void)state;
    for (int exactly_once = 0; exactly_once < 2; exactly_once++) {
        struct kit kit;
        struct kit_worker *worker = kit_holding_worker(&kit, exactly_once == 1, 5);
        kit_let_go(worker);
        kit_until(worker, worker->engine->answered == 5);
        rd_kafka_mock_broker_set_down(kit.mock, 1);
        int64_t started_ms = clock_monotonic_ms();
        (void)kit_worker_end(worker);
        assert_true(clock_monotonic_ms() - started_ms < 25000);
        kit_done_with(&kit);
    }
}

static void a_worker_that_never_finds_its_brokers_stops_when_asked(void **state)
{
    (void)state;
    struct kit kit;
    kit_init(&kit, 1, false);
    struct kit_worker *worker = kit_worker_new(&kit, true);
    worker->config.kafka.bootstrap_servers = SLICE("127.0.0.1:1");
    kit_worker_start(worker);
    kit_until(worker, kit_logged(worker, LOG_BROKERS_DOWN) == 1);
    int64_t started_ms = clock_monotonic_ms();
    assert_int_equal(kit_worker_end(worker), 0);
    assert_true(clock_monotonic_ms() - started_ms < 20000);
    kit_done_with(&kit);
}

int main(void)
{
    kit_only();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(brokers_that_go_away_are_told_once_and_waited_for),
        cmocka_unit_test(a_missing_topic_is_waited_for_in_words),
        cmocka_unit_test(one_record_too_large_is_blamed_alone),
        cmocka_unit_test(a_topic_that_we_may_not_write_is_blamed),
        cmocka_unit_test(several_records_too_large_together_ask_for_a_smaller_batch),
        cmocka_unit_test(offsets_that_cannot_be_read_are_asked_for_again),
        cmocka_unit_test(a_plain_offset_commit_that_fails_is_repeated),
        cmocka_unit_test(an_offset_commit_that_is_refused_is_told_and_repeated_with_pauses),
        cmocka_unit_test(a_stop_that_leaves_offsets_uncommitted_says_so_and_fails),
        cmocka_unit_test(a_partition_whose_offset_cannot_be_committed_is_given_back_in_the_end),
        cmocka_unit_test(a_stop_while_the_group_is_joined_waits_for_the_last_commit),
        cmocka_unit_test(stopping_without_brokers_takes_bounded_time),
        cmocka_unit_test(a_worker_that_never_finds_its_brokers_stops_when_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
