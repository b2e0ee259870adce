/* Looks at how the work of a group is spread over its workers; on the in-memory cluster or on real
 * brokers. */
#include "io/kafka_kit.h"

#include "io/kafka/lags.h"

static struct kit_worker *worker_that_looks(const struct kit *kit, const char *id)
{
    struct kit_worker *worker = kit_worker_new(kit, kit_exactly_once);
    worker->config.kafka.transactional_id = slice_of_text(id);
    worker->engine->wants_group = true;
    return worker;
}

static struct group_look last_look(struct kit_worker *worker)
{
    kit_lock(worker->engine);
    struct group_look look = worker->engine->look;
    kit_unlock(worker->engine);
    return look;
}

static int looks_of(struct kit_worker *worker)
{
    kit_lock(worker->engine);
    int looks = worker->engine->looks;
    kit_unlock(worker->engine);
    return looks;
}

static void produce_to(const struct kit *kit, int32_t partition, int count)
{
    rd_kafka_t *producer = kit_producer(kit);
    for (int i = 0; i < count; i++)
        kit_send(producer, &(struct output){.topic = slice_of_text(kit->in),
                                            .partition = partition,
                                            .key = SLICE("k"),
                                            .value = SLICE("v")});
    assert_int_equal(rd_kafka_flush(producer, KIT_PATIENCE_MS), 0);
    rd_kafka_destroy(producer);
}

/* Takes `count` records and answers them in one batch: a look sees none of them done, or all. */
static void answer_at_once(struct kit_worker *worker, size_t count)
{
    kit_lock(worker->engine);
    size_t before = worker->engine->records;
    worker->engine->is_holding = true;
    worker->engine->room_limit = 1000;
    kit_unlock(worker->engine);
    kit_until(worker, worker->engine->records == before + count);
    kit_let_go(worker);
}

/* The workers take nothing, so that the partition with records keeps its lag. */
static void a_look_counts_partitions_with_lag_and_without(void **state)
{
    (void)state;
    struct kit kit;
    kit_init(&kit, 4, true);
    for (int32_t i = 0; i < 4; i++)
        produce_to(&kit, i, 1);
    struct kit_worker *first = worker_that_looks(&kit, "first");
    kit_worker_start(first);
    kit_until(first, first->engine->answered == 4);
    first->engine->room_limit = 0;
    produce_to(&kit, 1, 3);
    struct kit_worker *second = worker_that_looks(&kit, "second");
    second->engine->room_limit = 0;
    kit_worker_start(second);
    kit_until(second, second->engine->look.mine_busy + second->engine->look.mine_idle == 2);
    struct group_look look = last_look(second);
    assert_int_equal(look.all_busy, 1);
    assert_int_equal(look.all_idle, 3);
    kit_until(first, first->engine->look.mine_busy + first->engine->look.mine_idle == 2 &&
                         first->engine->look.all_done == 0);
    assert_int_equal(last_look(first).mine_busy + last_look(second).mine_busy, 1);
    assert_int_equal(last_look(first).mine_idle + last_look(second).mine_idle, 3);
    answer_at_once(last_look(first).mine_busy == 1 ? first : second, 3);
    kit_until(first, first->engine->look.all_busy == 0);
    /* What was done lies between two looks with the same assignment. */
    assert_int_equal(last_look(first).all_done, 3);
    assert_int_equal(kit_worker_end(first), 0);
    assert_int_equal(kit_worker_end(second), 0);
    kit_done_with(&kit);
}

static void nothing_is_asked_while_the_engine_wants_nothing(void **state)
{
    (void)state;
    struct kit kit;
    kit_init(&kit, 1, true);
    produce_to(&kit, 0, 1);
    struct kit_worker *worker = worker_that_looks(&kit, "idle");
    worker->engine->wants_group = false;
    kit_worker_start(worker);
    kit_until(worker, worker->engine->answered == 1);
    kit_sleep_ms(1000);
    assert_int_equal(looks_of(worker), 0);
    worker->engine->wants_group = true;
    kit_until(worker, worker->engine->looks >= 1);
    assert_int_equal(last_look(worker).mine_idle, 1);
    assert_int_equal(last_look(worker).all_idle, 1);
    assert_int_equal(last_look(worker).all_done, -1);
    assert_int_equal(kit_worker_end(worker), 0);
    kit_done_with(&kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_look_counts_partitions_with_lag_and_without),
        cmocka_unit_test(nothing_is_asked_while_the_engine_wants_nothing),
    };
    return kit_run_both(tests, COUNT_OF(tests));
}
