/* What brokers can do to a worker, on librdkafka's in-memory cluster with injected errors. It knows
 * no transactional offsets, so an unknown outcome always reads as "did not make it" here. */
#include "io/kafka_kit.h"

/* Numbers of requests in Kafka's protocol. */
enum api {
    API_PRODUCE = 0,
    API_OFFSET_COMMIT = 8,
    API_OFFSET_FETCH = 9,
    API_END_TXN = 26,
    API_TXN_OFFSET_COMMIT = 28
};

/* A worker with one partition that has started, holding `count` records back. */
static struct kit_worker *holding_worker(struct kit *kit, bool exactly_once, int count)
{
    kit_init(kit, 1, false);
    kit_produce(kit, 0, count);
    struct kit_worker *worker = kit_worker_new(kit, exactly_once);
    worker->engine->is_holding = true;
    kit_worker_start(worker);
    kit_until(worker, (int)worker->engine->records == count);
    return worker;
}

static void let_go(struct kit_worker *worker)
{
    kit_lock(worker->engine);
    worker->engine->is_holding = false;
    kit_unlock(worker->engine);
}

static void end_well(struct kit *kit, struct kit_worker *worker)
{
    assert_int_equal(kit_worker_end(worker), 0);
    kit_done_with(kit);
}

static void brokers_that_go_away_are_told_once_and_waited_for(void **state)
{
    (void)state;
    struct kit kit;
    struct kit_worker *worker = holding_worker(&kit, false, 10);
    rd_kafka_mock_broker_set_down(kit.mock, 1);
    let_go(worker);
    kit_until(worker, kit_logged(worker, LOG_BROKERS_DOWN) == 1);
    kit_sleep_ms(3000);
    assert_int_equal(kit_logged(worker, LOG_BROKERS_DOWN), 1);
    assert_int_equal(kit_logged(worker, LOG_BROKERS_UP), 0);
    rd_kafka_mock_broker_set_up(kit.mock, 1);
    kit_until(worker, worker->engine->answered == 10);
    kit_until(worker, kit_logged(worker, LOG_BROKERS_UP) == 1);
    assert_int_equal(kit_logged(worker, LOG_BROKERS_DOWN), 1);
    end_well(&kit, worker);
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
    end_well(&kit, worker);
}

static void an_old_generation_is_told_and_the_batch_can_go_again(void **state)
{
    (void)state;
    struct kit kit;
    struct kit_worker *worker = holding_worker(&kit, true, 20);
    rd_kafka_mock_push_request_errors(kit.mock, API_TXN_OFFSET_COMMIT, 1,
                                      RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION);
    let_go(worker);
    kit_until(worker, worker->engine->answered == 20);
    assert_int_equal(worker->engine->outcomes[BATCH_GENERATION], 1);
    assert_int_equal(worker->engine->outcomes[BATCH_COMMITTED], 1);
    assert_int_equal(worker->engine->outcomes[BATCH_UNKNOWN], 0);
    end_well(&kit, worker);
}

static void a_member_that_is_gone_is_told(void **state)
{
    (void)state;
    struct kit kit;
    struct kit_worker *worker = holding_worker(&kit, true, 20);
    rd_kafka_mock_push_request_errors(kit.mock, API_TXN_OFFSET_COMMIT, 1,
                                      RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID);
    let_go(worker);
    kit_until(worker, worker->engine->answered == 20);
    assert_int_equal(worker->engine->outcomes[BATCH_MEMBER_GONE], 1);
    end_well(&kit, worker);
}

static void an_offset_commit_that_may_pass_is_sent_again_with_the_same_arguments(void **state)
{
    (void)state;
    struct kit kit;
    struct kit_worker *worker = holding_worker(&kit, true, 20);
    rd_kafka_mock_push_request_errors(
        kit.mock, API_TXN_OFFSET_COMMIT, 3, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS,
        RD_KAFKA_RESP_ERR_NOT_COORDINATOR, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT);
    let_go(worker);
    kit_until(worker, worker->engine->answered == 20);
    assert_int_equal(worker->engine->outcomes[BATCH_COMMITTED], 1);
    assert_int_equal(worker->engine->outcomes[BATCH_ABORTED], 0);
    kit_assert_each_once(&kit, 20);
    end_well(&kit, worker);
}

static void metadata_that_is_too_large_aborts_cleanly(void **state)
{
    (void)state;
    struct kit kit;
    struct kit_worker *worker = holding_worker(&kit, true, 5);
    rd_kafka_mock_push_request_errors(kit.mock, API_TXN_OFFSET_COMMIT, 1,
                                      RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE);
    let_go(worker);
    kit_until(worker, worker->engine->answered == 5);
    assert_int_equal(worker->engine->outcomes[BATCH_ABORTED], 1);
    assert_int_equal(worker->engine->outcomes[BATCH_COMMITTED], 1);
    end_well(&kit, worker);
}

static void a_fenced_producer_is_made_anew_before_its_batch_ends(void **state)
{
    (void)state;
    struct kit kit;
    struct kit_worker *worker = holding_worker(&kit, true, 5);
    rd_kafka_mock_push_request_errors(kit.mock, API_END_TXN, 1,
                                      RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH);
    let_go(worker);
    kit_until(worker, worker->engine->outcomes[BATCH_FENCED] == 1);
    assert_int_equal(kit_logged(worker, LOG_PRODUCER_RENEWED), 1);
    kit_until(worker, worker->engine->answered == 5);
    assert_int_equal(worker->engine->outcomes[BATCH_COMMITTED], 1);
    end_well(&kit, worker);
}

static void a_commit_that_fails_for_good_has_an_unknown_outcome(void **state)
{
    (void)state;
    struct kit kit;
    struct kit_worker *worker = holding_worker(&kit, true, 5);
    rd_kafka_mock_push_request_errors(kit.mock, API_END_TXN, 1,
                                      RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
    let_go(worker);
    kit_until(worker, worker->engine->outcomes[BATCH_UNKNOWN] == 1);
    assert_int_equal(kit_logged(worker, LOG_PRODUCER_RENEWED), 1);
    kit_until(worker, worker->engine->answered == 5);
    end_well(&kit, worker);
}

static void a_broker_away_in_a_transaction_ends_as_unknown_and_later_well(void **state)
{
    (void)state;
    struct kit kit;
    struct kit_worker *worker = holding_worker(&kit, true, 5);
    rd_kafka_mock_broker_set_down(kit.mock, 1);
    let_go(worker);
    kit_sleep_ms(9000);
    kit_lock(worker->engine);
    assert_int_equal(worker->engine->outcomes[BATCH_COMMITTED], 0);
    assert_true(worker->engine->outcomes[BATCH_UNKNOWN] <= 1);
    kit_unlock(worker->engine);
    rd_kafka_mock_broker_set_up(kit.mock, 1);
    kit_until(worker, worker->engine->answered == 5);
    end_well(&kit, worker);
}

static void one_record_too_large_is_blamed_alone(void **state)
{
    (void)state;
    struct kit kit;
    kit_init(&kit, 1, false);
    char big[3000];
    memset(big, 'x', sizeof big);
    kit_produce(&kit, 0, 7);
    kit_produce_one(&kit, RD_KAFKA_V_VALUE(big, sizeof big));
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
        let_go(worker);
        kit_until(worker, worker->engine->answered == 13);
        assert_int_equal(worker->engine->outcomes[BATCH_REFUSED], 1);
        assert_int_equal(worker->engine->refused, 1);
        assert_int_equal(kit_worker_end(worker), 0);
    }
    kit_done_with(&kit);
}

static void a_record_for_a_partition_that_is_not_there_is_blamed(void **state)
{
    (void)state;
    struct kit kit;
    struct kit_worker *worker = holding_worker(&kit, true, 9);
    kit_lock(worker->engine);
    worker->engine->queue[4].output->partition = 77;
    worker->engine->is_holding = false;
    kit_unlock(worker->engine);
    kit_until(worker, worker->engine->outcomes[BATCH_REFUSED] == 1);
    kit_lock(worker->engine);
    assert_int_equal(worker->engine->last_end.blame, 4);
    assert_int_equal(worker->engine->last_end.blame_err, ERR_NOT_FOUND);
    for (size_t i = 0; i < worker->engine->queue_count; i++)
        worker->engine->queue[i].output->partition = -1;
    kit_unlock(worker->engine);
    kit_until(worker, worker->engine->answered == 9);
    end_well(&kit, worker);
}

static void a_topic_that_we_may_not_write_is_blamed(void **state)
{
    (void)state;
    struct kit kit;
    struct kit_worker *worker = holding_worker(&kit, false, 1);
    rd_kafka_mock_push_request_errors(kit.mock, API_PRODUCE, 1,
                                      RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    let_go(worker);
    kit_until(worker, worker->engine->outcomes[BATCH_REFUSED] == 1);
    assert_int_equal(worker->engine->last_end.blame_err, ERR_NOT_ALLOWED);
    kit_until(worker, worker->engine->answered == 1);
    end_well(&kit, worker);
}

static void several_records_too_large_together_ask_for_a_smaller_batch(void **state)
{
    (void)state;
    struct kit kit;
    struct kit_worker *worker = holding_worker(&kit, false, 9);
    rd_kafka_mock_push_request_errors(kit.mock, API_PRODUCE, 1,
                                      RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
    let_go(worker);
    kit_until(worker, worker->engine->outcomes[BATCH_ABORTED] == 1 ||
                          worker->engine->outcomes[BATCH_REFUSED] == 1);
    if (worker->engine->outcomes[BATCH_ABORTED] == 1)
        assert_true(worker->engine->last_end.was_time);
    kit_until(worker, worker->engine->answered == 9);
    end_well(&kit, worker);
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
    end_well(&kit, worker);
}

static void a_plain_offset_commit_that_fails_is_repeated(void **state)
{
    (void)state;
    struct kit kit;
    char metadata[64];
    struct kit_worker *worker = holding_worker(&kit, false, 5);
    rd_kafka_mock_push_request_errors(kit.mock, API_OFFSET_COMMIT, 2,
                                      RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
                                      RD_KAFKA_RESP_ERR_INVALID_GROUP_ID);
    let_go(worker);
    kit_until(worker, worker->engine->answered == 5);
    kit_sleep_ms(1500);
    assert_int_equal(kit_committed(&kit, metadata, sizeof metadata), 5);
    end_well(&kit, worker);
}

static void stopping_without_brokers_takes_bounded_time(void **state)
{
    (void)state;
    for (int exactly_once = 0; exactly_once < 2; exactly_once++) {
        struct kit kit;
        struct kit_worker *worker = holding_worker(&kit, exactly_once == 1, 5);
        let_go(worker);
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
        cmocka_unit_test(an_old_generation_is_told_and_the_batch_can_go_again),
        cmocka_unit_test(a_member_that_is_gone_is_told),
        cmocka_unit_test(an_offset_commit_that_may_pass_is_sent_again_with_the_same_arguments),
        cmocka_unit_test(metadata_that_is_too_large_aborts_cleanly),
        cmocka_unit_test(a_fenced_producer_is_made_anew_before_its_batch_ends),
        cmocka_unit_test(a_commit_that_fails_for_good_has_an_unknown_outcome),
        cmocka_unit_test(a_broker_away_in_a_transaction_ends_as_unknown_and_later_well),
        cmocka_unit_test(one_record_too_large_is_blamed_alone),
        cmocka_unit_test(a_record_for_a_partition_that_is_not_there_is_blamed),
        cmocka_unit_test(a_topic_that_we_may_not_write_is_blamed),
        cmocka_unit_test(several_records_too_large_together_ask_for_a_smaller_batch),
        cmocka_unit_test(offsets_that_cannot_be_read_are_asked_for_again),
        cmocka_unit_test(a_plain_offset_commit_that_fails_is_repeated),
        cmocka_unit_test(stopping_without_brokers_takes_bounded_time),
        cmocka_unit_test(a_worker_that_never_finds_its_brokers_stops_when_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
