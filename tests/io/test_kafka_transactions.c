/* The outcomes of a batch in a transaction, with errors injected into librdkafka's in-memory
 * cluster. It keeps no transactional offsets, so an unknown outcome always reads as "not committed"
 * here. */
#include "io/kafka_kit.h"

static void an_old_generation_is_reported_and_its_batch_can_be_repeated(void **state)
{
    (void)state;
    struct kit kit;
    struct kit_worker *worker = kit_holding_worker(&kit, true, 20);
    rd_kafka_mock_push_request_errors(kit.mock, API_TXN_OFFSET_COMMIT, 1,
                                      RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION);
    kit_let_go(worker);
    kit_until(worker, worker->engine->answered == 20);
    assert_int_equal(worker->engine->outcomes[BATCH_GENERATION], 1);
    assert_int_equal(worker->engine->outcomes[BATCH_COMMITTED], 1);
    assert_int_equal(worker->engine->outcomes[BATCH_UNKNOWN], 0);
    kit_end_well(&kit, worker);
}

static void a_removed_member_is_reported(void **state)
{
    (void)state;
    struct kit kit;
    struct kit_worker *worker = kit_holding_worker(&kit, true, 20);
    rd_kafka_mock_push_request_errors(kit.mock, API_TXN_OFFSET_COMMIT, 1,
                                      RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID);
    kit_let_go(worker);
    kit_until(worker, worker->engine->answered == 20);
    assert_int_equal(worker->engine->outcomes[BATCH_MEMBER_GONE], 1);
    kit_end_well(&kit, worker);
}

static void a_transient_offset_commit_error_is_retried_unchanged(void **state)
{
    (void)state;
    struct kit kit;
    struct kit_worker *worker = kit_holding_worker(&kit, true, 20);
    rd_kafka_mock_push_request_errors(
        kit.mock, API_TXN_OFFSET_COMMIT, 3, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS,
        RD_KAFKA_RESP_ERR_NOT_COORDINATOR, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT);
    kit_let_go(worker);
    kit_until(worker, worker->engine->answered == 20);
    assert_int_equal(worker->engine->outcomes[BATCH_COMMITTED], 1);
    assert_int_equal(worker->engine->outcomes[BATCH_ABORTED], 0);
    kit_assert_each_once(&kit, 20);
    kit_end_well(&kit, worker);
}

static void metadata_over_the_brokers_limit_aborts_cleanly(void **state)
{
    (void)state;
    struct kit kit;
    struct kit_worker *worker = kit_holding_worker(&kit, true, 5);
    rd_kafka_mock_push_request_errors(kit.mock, API_TXN_OFFSET_COMMIT, 1,
                                      RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE);
    kit_let_go(worker);
    kit_until(worker, worker->engine->answered == 5);
    assert_int_equal(worker->engine->outcomes[BATCH_ABORTED], 1);
    assert_int_equal(worker->engine->outcomes[BATCH_COMMITTED], 1);
    kit_end_well(&kit, worker);
}

static void a_fenced_producer_is_recreated_before_its_batch_ends(void **state)
{
    (void)state;
    struct kit kit;
    struct kit_worker *worker = kit_holding_worker(&kit, true, 5);
    rd_kafka_mock_push_request_errors(kit.mock, API_END_TXN, 1,
                                      RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH);
    kit_let_go(worker);
    kit_until(worker, worker->engine->outcomes[BATCH_FENCED] == 1);
    assert_int_equal(kit_logged(worker, LOG_PRODUCER_RENEWED), 1);
    kit_until(worker, worker->engine->answered == 5);
    assert_int_equal(worker->engine->outcomes[BATCH_COMMITTED], 1);
    kit_end_well(&kit, worker);
}

static void a_permanently_failed_commit_has_an_unknown_outcome(void **state)
{
    (void)state;
    struct kit kit;
    struct kit_worker *worker = kit_holding_worker(&kit, true, 5);
    rd_kafka_mock_push_request_errors(kit.mock, API_END_TXN, 1,
                                      RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
    kit_let_go(worker);
    kit_until(worker, worker->engine->outcomes[BATCH_UNKNOWN] == 1);
    assert_int_equal(kit_logged(worker, LOG_PRODUCER_RENEWED), 1);
    kit_until(worker, worker->engine->answered == 5);
    kit_end_well(&kit, worker);
}

static void a_broker_lost_in_a_transaction_ends_unknown_and_recovers(void **state)
{
    (void)state;
    struct kit kit;
    kit_init(&kit, 1, false);
    kit_produce(&kit, 0, 5);
    struct kit_worker *worker = kit_worker_new(&kit, true);
    worker->config.kafka.transaction_timeout_ms = 6000;
    kit_worker_hold(worker, 5);
    rd_kafka_mock_broker_set_down(kit.mock, 1);
    kit_let_go(worker);
    kit_sleep_ms(9000); /* the transaction's time is over */
    kit_lock(worker->engine);
    assert_int_equal(worker->engine->outcomes[BATCH_COMMITTED], 0);
    assert_true(worker->engine->outcomes[BATCH_UNKNOWN] <= 1);
    kit_unlock(worker->engine);
    rd_kafka_mock_broker_set_up(kit.mock, 1);
    kit_until(worker, worker->engine->answered == 5);
    kit_end_well(&kit, worker);
}

static void a_record_for_a_missing_partition_is_blamed(void **state)
{
    (void)state;
    struct kit kit;
    struct kit_worker *worker = kit_holding_worker(&kit, true, 9);
    kit_lock(worker->engine);
    worker->engine->queue[4].output->partition = 77;
    worker->engine->is_holding = false;
    kit_unlock(worker->engine);
    kit_until(worker, worker->engine->outcomes[BATCH_REFUSED] == 1);
    kit_lock(worker->engine);
    assert_int_equal(worker->engine->last_refusal.index, 4);
    assert_int_equal(worker->engine->last_refusal.err, ERR_NOT_FOUND);
    for (size_t i = 0; i < worker->engine->queue_count; i++)
        worker->engine->queue[i].output->partition = -1;
    kit_unlock(worker->engine);
    kit_until(worker, worker->engine->answered == 9);
    kit_end_well(&kit, worker);
}

int main(void)
{
    kit_only();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_old_generation_is_reported_and_its_batch_can_be_repeated),
        cmocka_unit_test(a_removed_member_is_reported),
        cmocka_unit_test(a_transient_offset_commit_error_is_retried_unchanged),
        cmocka_unit_test(metadata_over_the_brokers_limit_aborts_cleanly),
        cmocka_unit_test(a_fenced_producer_is_recreated_before_its_batch_ends),
        cmocka_unit_test(a_permanently_failed_commit_has_an_unknown_outcome),
        cmocka_unit_test(a_broker_lost_in_a_transaction_ends_unknown_and_recovers),
        cmocka_unit_test(a_record_for_a_missing_partition_is_blamed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
