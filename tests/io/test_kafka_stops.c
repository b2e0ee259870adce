/* Stopping and releasing partitions while brokers fail. */
#include "io/kafka_kit.h"

#include "io/loop/watchdog.h"

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

/* The one partition that was not released. */
static struct kit_part part_kept(struct engine *engine)
{
    kit_lock(engine);
    const struct kit_part *kept = &engine->parts[engine->parts[0].is_known ? 0 : 1];
    assert_true(kept->is_known && !kept->is_revoked);
    struct kit_part copy = *kept;
    kit_unlock(engine);
    return copy;
}

/* By the engine's clock, of a line in JSON. */
static int64_t waited_ms(const char *line)
{
    const char *field = strstr(line, "\"waited_ms\":");
    assert_non_null(field);
    return strtoll(field + strlen("\"waited_ms\":"), NULL, 10);
}

static void a_partition_that_cannot_commit_is_released_at_last(void **state)
{
    (void)state;
    struct kit kit;
    kit_init(&kit, 2, false);
    kit_produce(&kit, 0, 40);
    struct kit_worker *first = kit_worker_new(&kit, false);
    first->config.drain_timeout_ms = 3500;
    first->config.log.format = LOG_FORMAT_JSON;
    kit_worker_hold(first, 40);
    kit_refuse_commits(&kit, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, 1000);
    kit_let_go(first);
    kit_until(first, first->engine->answered == 40);
    struct kit_worker *second = kit_worker_new(&kit, false);
    second->engine->is_holding = true;
    kit_worker_start(second);
    kit_until(first, first->engine->released == 1);
    kit_until(second, second->engine->assigned == 1);
    assert_int_equal(kit_logged(first, LOG_OFFSETS_NOT_COMMITTED), 1);
    assert_true(waited_ms(first->log.last[LOG_OFFSETS_NOT_COMMITTED]) >= 3500);
    rd_kafka_mock_clear_request_errors(kit.mock, API_OFFSET_COMMIT);
    struct kit_part kept = part_kept(first->engine);
    kit_await_committed(&kit, kept.partition, kept.next_offset);
    assert_int_equal(kit_worker_end(first), 0);
    kit_let_go(second);
    assert_int_equal(kit_worker_end(second), 0);
    kit_done_with(&kit);
}

/* While the worker rejoins its group it cannot commit, and that may take longer than everything
 * else at the end: here nearly the session's time. */
static void a_stop_during_a_join_waits_for_the_last_commit(void **state)
{
    (void)state;
    struct kit kit;
    char metadata[64];
    kit_init(&kit, 1, false);
    kit_produce(&kit, 0, 5);
    struct kit_worker *worker = kit_worker_new(&kit, false);
    kit_worker_hold(worker, 5);
    rd_kafka_mock_broker_push_request_error_rtts(kit.mock, 1, API_JOIN_GROUP, 1,
                                                 RD_KAFKA_RESP_ERR_NO_ERROR, 0);
    rd_kafka_mock_push_request_errors(kit.mock, API_HEARTBEAT, 1,
                                      RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS);
    int64_t from_ms = clock_monotonic_ms(); /* before it joins */
    kit_await_error_taken(&kit, API_JOIN_GROUP);
    kit_let_go(worker);
    kit_until(worker, worker->engine->answered == 5);
    assert_int_equal(kit_worker_end(worker), 0);
    assert_true(clock_monotonic_ms() - from_ms >= KIT_SESSION_MS - 1000);
    assert_int_equal(kit_committed(&kit, metadata, sizeof metadata), 5);
    kit_done_with(&kit);
}

/* The linker puts it in the watchdog's place. Once nothing is left to lose the watchdog gives the
 * clients two seconds to end, which is not enough for a test on every machine. */
void __real_watchdog_set(struct watchdog *watchdog, int64_t delay_ms, int exit_code);
void __wrap_watchdog_set(struct watchdog *watchdog, int64_t delay_ms, int exit_code);

void __wrap_watchdog_set(struct watchdog *watchdog, int64_t delay_ms, int exit_code)
{
    __real_watchdog_set(watchdog, delay_ms <= 2000 ? KIT_PATIENCE_MS : delay_ms, exit_code);
}

/* io's watchdog ends this program when drain time and grace are over: a stop that returns took
 * less. */
static void stopping_without_brokers_takes_bounded_time(void **state)
{
    (void)state;
    for (int exactly_once = 0; exactly_once < 2; exactly_once++) {
        struct kit kit;
        kit_init(&kit, 1, false);
        kit_produce(&kit, 0, 5);
        struct kit_worker *worker = kit_worker_new(&kit, exactly_once == 1);
        worker->config.drain_timeout_ms = 5000;
        kit_worker_hold(worker, 5);
        kit_let_go(worker);
        kit_until(worker, worker->engine->answered == 5);
        rd_kafka_mock_broker_set_down(kit.mock, 1);
        (void)kit_worker_end(worker);
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
    worker->config.drain_timeout_ms = 5000;
    kit_worker_start(worker);
    kit_until(worker, kit_logged(worker, LOG_BROKERS_DOWN) == 1);
    assert_int_equal(kit_worker_end(worker), 0);
    kit_done_with(&kit);
}

int main(void)
{
    kit_only();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stop_that_leaves_offsets_uncommitted_says_so_and_fails),
        cmocka_unit_test(a_partition_that_cannot_commit_is_released_at_last),
        cmocka_unit_test(a_stop_during_a_join_waits_for_the_last_commit),
        cmocka_unit_test(stopping_without_brokers_takes_bounded_time),
        cmocka_unit_test(a_worker_that_never_finds_its_brokers_stops_when_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
