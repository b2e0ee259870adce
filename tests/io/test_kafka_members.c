/* Workers of one group after and beside each other; on the in-memory cluster or on real brokers. */
#include "io/kafka_kit.h"

static void a_second_worker_continues_where_the_first_stopped(void **state)
{
    (void)state;
    struct kit kit;
    kit_init(&kit, 1, true);
    kit_produce(&kit, 0, 300);
    struct kit_worker *worker = kit_worker_run(&kit, kit_exactly_once);
    kit_until(worker, worker->engine->answered == 300);
    assert_int_equal(kit_worker_end(worker), 0);
    kit_produce(&kit, 300, 200);
    worker = kit_worker_run(&kit, kit_exactly_once);
    kit_until(worker, worker->engine->answered == 200);
    assert_int_equal(worker->engine->parts[0].read_offset, 300);
    assert_memory_equal(worker->engine->parts[0].read_metadata, "batch ", 6);
    assert_int_equal(kit_worker_end(worker), 0);
    kit_assert_each_once(&kit, 500);
    kit_done_with(&kit);
}

static size_t answered_by(const struct kit_worker *worker)
{
    kit_lock(worker->engine);
    size_t answered = worker->engine->answered;
    kit_unlock(worker->engine);
    return answered;
}

static void a_new_member_gets_partitions_and_no_request_is_answered_twice(void **state)
{
    (void)state;
    struct kit kit;
    kit_init(&kit, 4, true);
    struct kit_worker *first = kit_worker_run(&kit, kit_exactly_once);
    kit_until(first, first->engine->assigned == 4);
    kit_produce(&kit, 0, 400);
    struct kit_worker *second = kit_worker_new(&kit, kit_exactly_once);
    second->config.kafka.transactional_id = SLICE("one more");
    kit_worker_start(second);
    kit_until(second, second->engine->assigned >= 1 && second->engine->parts[0].is_started);
    kit_until(first,
              first->engine->released == first->engine->revoked && first->engine->revoked >= 1);
    kit_produce(&kit, 400, 400);
    kit_until(second, second->engine->answered >= 1);
    kit_until(second, second->engine->answered + answered_by(first) >= 800);
    kit_lock(first->engine);
    /* The in-memory cluster takes no offsets while a rebalance restarts, and removes a member that
     * releases partitions meanwhile. (Apache Kafka does neither.) */
    bool may_double = !kit_exactly_once && first->engine->lost > 0;
    kit_unlock(first->engine);
    assert_int_equal(kit_worker_end(first), 0);
    kit_produce(&kit, 800, 200);
    kit_until(second, second->engine->assigned >= 4);
    int times[1000];
    kit_read_numbers(&kit, 1000, times);
    for (int i = 0; i < 1000; i++)
        assert_true(times[i] == 1 || (may_double && times[i] == 2));
    assert_int_equal(second->engine->lost, 0);
    assert_int_equal(kit_worker_end(second), 0);
    kit_done_with(&kit);
}

/* librdkafka pauses all partitions in a rebalance and drops what it had fetched of them. */
static void records_fetched_before_a_rebalance_and_not_taken_are_not_skipped(void **state)
{
    (void)state;
    struct kit kit;
    kit_init(&kit, 4, true);
    kit_produce(&kit, 0, 400);
    struct kit_worker *first = kit_worker_new(&kit, kit_exactly_once);
    first->engine->room_limit = 0;
    kit_worker_start(first);
    kit_until(first, first->engine->assigned == 4 && first->engine->parts[3].is_started);
    kit_sleep_ms(1000);
    struct kit_worker *second = kit_worker_new(&kit, kit_exactly_once);
    second->config.kafka.transactional_id = SLICE("another one");
    second->engine->room_limit = 0;
    kit_worker_start(second);
    kit_until(second, second->engine->assigned == 2 && second->engine->parts[1].is_started);
    kit_sleep_ms(1000);
    struct kit_worker *both[] = {first, second};
    for (size_t i = 0; i < 2; i++) {
        kit_lock(both[i]->engine);
        both[i]->engine->room_limit = 1000;
        kit_unlock(both[i]->engine);
    }
    kit_assert_each_once(&kit, 400);
    assert_int_equal(kit_worker_end(first), 0);
    assert_int_equal(kit_worker_end(second), 0);
    kit_done_with(&kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_second_worker_continues_where_the_first_stopped),
        cmocka_unit_test(a_new_member_gets_partitions_and_no_request_is_answered_twice),
        cmocka_unit_test(records_fetched_before_a_rebalance_and_not_taken_are_not_skipped),
    };
    return kit_run_both(tests, COUNT_OF(tests));
}
