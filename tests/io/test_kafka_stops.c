/* Stopping, and giving partitions back, when brokers do not play along. */
#include "io/kafka_kit.h"

static void a_stop_that_leaves_offsets_uncommitted_says_so_and_fails(void **state)
{
    (void)state;
    struct kit kit;
    struct kit_worker *worker = kit_holding_worker(&kit, false, 5);
    kit_refuse_commits(&kit, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, 1000);
    kit_let_go(worker);
    kit_until(worker, worker->engine->answered == 5);
    io_stop(worker->io);
    kit_until(worker, kit_logged(worker, LOG_STOP_LEFT_OFFSETS) == 1);
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
    kit_refuse_commits(&kit, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, 1000);
    kit_let_go(first);
    kit_until(first, first->engine->answered == 40);
    struct kit_worker *second = kit_worker_new(&kit, false);
    second->engine->is_holding = true;
    kit_worker_start(second);
    kit_until(first, first->engine->released == 1);
    int64_t from_ms = clock_monotonic_ms();
    kit_until(second, second->engine->assigned == 1);
    assert_true(clock_monotonic_ms() - from_ms >= 3000);
    assert_int_equal(kit_logged(first, LOG_OFFSETS_NOT_COMMITTED), 1);
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
        cmocka_unit_test(a_stop_that_leaves_offsets_uncommitted_says_so_and_fails),
        cmocka_unit_test(a_partition_whose_offset_cannot_be_committed_is_given_back_in_the_end),
        cmocka_unit_test(a_stop_while_the_group_is_joined_waits_for_the_last_commit),
        cmocka_unit_test(stopping_without_brokers_takes_bounded_time),
        cmocka_unit_test(a_worker_that_never_finds_its_brokers_stops_when_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
