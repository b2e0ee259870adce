/* Which partitions are fetched while their queues weigh too much (io/kafka/fetch_turns.c), with a
 * broker and a consumer that are a few lines: an open partition gets a batch once its queue is
 * empty, and the consumer takes records from all of them in turns. */
#include "unit/unit.h"

#include "base/memory.h"
#include "io/kafka/fetch_turns.h"

#define MANY   1000
#define MOST   (64U << 20)
#define RECORD 400
#define BATCH  2000 /* records */
#define STEP   20   /* ms */
#define WEIGHT ((uint64_t)(RECORD + FETCH_RECORD_BESIDE))

struct log {
    struct fetch_turn turn;
    size_t waiting; /* records in the broker */
    size_t queued;
    size_t taken;
    bool is_at_end;   /* read to its end */
    int64_t asked_ms; /* when the record came that `waited` is measured by; 0 = none */
};

struct world {
    struct fetch_turns turns;
    struct log logs[MANY];
    size_t count, batch, cursor;
    size_t fetched; /* batches */
    int64_t now_ms, waited_most_ms;
    uint64_t heaviest;
};

static struct world *world_new(size_t count, size_t backlog, uint64_t most)
{
    struct world *world = memory_new(sizeof *world);
    assert_non_null(world);
    fetch_turns_init(&world->turns, most);
    world->count = count;
    world->batch = BATCH;
    world->now_ms = 1;
    for (size_t i = 0; i < count; i++) {
        fetch_turn_init(&world->logs[i].turn);
        world->logs[i].waiting = backlog;
    }
    return world;
}

/* Up to `fetches` batches, a batch of one partition each. */
static void fetch(struct world *world, size_t fetches)
{
    for (size_t i = 0; i < world->count && fetches > 0; i++) {
        struct log *log = &world->logs[(world->fetched + i) % world->count];
        if (log->turn.step != FETCH_OPEN || log->queued > 0)
            continue;
        if (log->waiting == 0 && !log->is_at_end) {
            log->is_at_end = true;
            fetch_turn_await_none(&world->turns, &log->turn);
        }
        if (log->waiting == 0)
            continue;
        size_t batch = log->waiting < world->batch ? log->waiting : world->batch;
        log->waiting -= batch;
        log->queued = batch;
        log->is_at_end = false;
        world->fetched++;
        fetches--;
    }
}

static void take(struct world *world, size_t records)
{
    for (size_t i = 0; i < 16 * world->count && records > 0; i++) {
        struct log *log = &world->logs[world->cursor++ % world->count];
        if (log->turn.step != FETCH_OPEN || log->queued == 0)
            continue;
        log->queued--;
        log->taken++;
        records--;
        fetch_turn_take(&world->turns, &log->turn, RECORD);
        if (log->asked_ms > 0 && world->now_ms - log->asked_ms > world->waited_most_ms)
            world->waited_most_ms = world->now_ms - log->asked_ms;
        log->asked_ms = 0;
    }
}

static void end_turn(struct world *world, struct log *log)
{
    bool is_known = log->taken > 0 || log->queued > 0;
    fetch_turn_end(&world->turns, &log->turn, !is_known || log->waiting + log->queued <= 128);
    log->waiting += log->queued;
    log->queued = 0;
}

static void serve(struct world *world)
{
    for (size_t i = 0; i < world->count; i++)
        if (world->logs[i].turn.step == FETCH_OPEN)
            fetch_turn_weigh(&world->turns, &world->logs[i].turn, world->logs[i].queued,
                             world->now_ms);
    if (world->turns.weight > world->heaviest)
        world->heaviest = world->turns.weight;
    struct fetch_turn *opened;
    while ((opened = fetch_turns_next(&world->turns, world->now_ms)) != NULL)
        assert_int_equal(opened->step, FETCH_OPEN);
    int over = 8;
    for (size_t i = 0; i < world->count; i++) {
        struct log *log = &world->logs[i];
        bool is_over = over > 0 && fetch_turn_is_over(&world->turns, &log->turn, world->now_ms);
        over -= is_over;
        if (is_over || fetch_turn_must_wait(&world->turns, &log->turn))
            end_turn(world, log);
    }
}

/* `fetches` batches and `records` records in each step. */
static void run(struct world *world, int64_t ms, size_t fetches, size_t records)
{
    for (int64_t end_ms = world->now_ms + ms; world->now_ms < end_ms; world->now_ms += STEP) {
        fetch(world, fetches);
        take(world, records);
        serve(world);
    }
}

static size_t untouched(const struct world *world)
{
    size_t count = 0;
    for (size_t i = 0; i < world->count; i++)
        count += world->logs[i].taken == 0;
    return count;
}

static void below_the_limit_all_partitions_are_fetched_always(void **state)
{
    (void)state;
    struct world *world = world_new(40, 100000, MOST); /* 60 MB of batches */
    run(world, 60000, 100, 500);
    assert_int_equal(world->turns.closed, 0);
    assert_false(fetch_turns_are_taken(&world->turns));
    assert_int_equal(untouched(world), 0);
    memory_free(world);
}

static void a_backlog_in_a_thousand_partitions_weighs_hardly_more_than_the_limit(void **state)
{
    (void)state;
    struct world *world = world_new(MANY, 100000, MOST); /* 1.5 GB of batches */
    run(world, 300000, 5, 3);
    assert_true(world->heaviest <= MOST + 5 * BATCH * WEIGHT);
    assert_true(world->heaviest >= MOST / 2);
    memory_free(world);
}

static void each_partition_with_a_backlog_has_its_turn(void **state)
{
    (void)state;
    struct world *world = world_new(MANY, 100000, MOST);
    run(world, 300000, 10, 3);
    assert_int_equal(untouched(world), 0);
    memory_free(world);
}

static void a_turn_ends_after_its_records_too(void **state)
{
    (void)state;
    struct world *world = world_new(200, 100000, MOST);
    run(world, 30000, 100, 400); /* 20,000 records a second: 100 each in 1 s */
    size_t least = SIZE_MAX, most = 0;
    for (size_t i = 0; i < world->count; i++) {
        size_t taken = world->logs[i].taken;
        least = taken < least ? taken : least;
        most = taken > most ? taken : most;
    }
    print_message("%zu to %zu records\n", least, most);
    assert_true(least > 0 && most < 3 * least);
    memory_free(world);
}

static void a_partition_without_a_backlog_is_served_within_seconds(void **state)
{
    (void)state;
    struct world *world = world_new(MANY, 0, MOST);
    for (size_t i = 0; i < MANY; i += 2)
        world->logs[i].waiting = 100000;
    run(world, 60000, 50, 3);
    world->waited_most_ms = 0;
    for (size_t i = 1; i < MANY; i += 2) {
        world->logs[i].waiting++;
        world->logs[i].asked_ms = world->now_ms;
        run(world, 200, 50, 3);
    }
    run(world, 60000, 50, 3);
    for (size_t i = 1; i < MANY; i += 2)
        assert_int_equal(world->logs[i].waiting + world->logs[i].queued, 0);
    print_message("waited %d ms at most\n", (int)world->waited_most_ms);
    assert_true(world->waited_most_ms < 5000);
    memory_free(world);
}

static void a_batch_beyond_the_limit_comes_alone(void **state)
{
    (void)state;
    struct world *world = world_new(20, 10000, 100 * WEIGHT);
    run(world, 1000, 1, 1);
    size_t open = 0;
    for (size_t i = 0; i < world->count; i++)
        open += world->logs[i].turn.step == FETCH_OPEN;
    assert_true(open <= 2);
    run(world, 600000, 1, 1);
    assert_int_equal(untouched(world), 0);
    memory_free(world);
}

static void one_that_is_closed_before_anything_was_taken_is_the_next(void **state)
{
    (void)state;
    struct fetch_turns turns;
    struct fetch_turn list[3];
    fetch_turns_init(&turns, MOST);
    for (size_t i = 0; i < COUNT_OF(list); i++) {
        fetch_turn_init(&list[i]);
        fetch_turn_end(&turns, &list[i], false);
    }
    assert_ptr_equal(fetch_turns_next(&turns, 1), &list[0]);
    fetch_turn_end(&turns, &list[0], false);
    assert_ptr_equal(fetch_turns_next(&turns, 1), &list[0]);
    fetch_turn_weigh(&turns, &list[0], 1, 2); /* it came, and was not taken */
    fetch_turn_end(&turns, &list[0], false);
    assert_ptr_equal(fetch_turns_next(&turns, 1), &list[0]);
    fetch_turn_weigh(&turns, &list[0], 1, 2);
    fetch_turn_take(&turns, &list[0], RECORD);
    fetch_turn_end(&turns, &list[0], false);
    assert_ptr_equal(fetch_turns_next(&turns, 3), &list[1]);
    assert_ptr_equal(fetch_turns_next(&turns, 3), &list[2]);
    assert_ptr_equal(fetch_turns_next(&turns, 3), &list[0]);
    assert_int_equal(turns.closed, 0);
}

static void one_whose_records_do_not_come_keeps_its_room_for_two_seconds_only(void **state)
{
    (void)state;
    struct fetch_turns turns;
    struct fetch_turn list[2];
    fetch_turns_init(&turns, FETCH_EXPECTED_MIN);
    for (size_t i = 0; i < COUNT_OF(list); i++) {
        fetch_turn_init(&list[i]);
        fetch_turn_end(&turns, &list[i], true);
    }
    assert_ptr_equal(fetch_turns_next(&turns, 100), &list[0]);
    assert_null(fetch_turns_next(&turns, 100));
    fetch_turn_weigh(&turns, &list[0], 0, 100 + FETCH_TURN_WAIT_MS - 1);
    assert_null(fetch_turns_next(&turns, 200));
    fetch_turn_weigh(&turns, &list[0], 0, 100 + FETCH_TURN_WAIT_MS);
    assert_ptr_equal(fetch_turns_next(&turns, 200), &list[1]);
}

static void a_partition_that_goes_leaves_nothing_behind(void **state)
{
    (void)state;
    struct world *world = world_new(MANY, 100000, MOST);
    run(world, 5000, 10, 3);
    assert_true(world->turns.closed > 0 && world->turns.weight > 0);
    for (size_t i = 0; i < MANY; i++)
        fetch_turn_reset(&world->turns, &world->logs[i].turn);
    assert_int_equal(world->turns.weight, 0);
    assert_int_equal(world->turns.awaited, 0);
    assert_int_equal(world->turns.closed, 0);
    assert_null(fetch_turns_next(&world->turns, 1));
    memory_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(below_the_limit_all_partitions_are_fetched_always),
        cmocka_unit_test(a_backlog_in_a_thousand_partitions_weighs_hardly_more_than_the_limit),
        cmocka_unit_test(each_partition_with_a_backlog_has_its_turn),
        cmocka_unit_test(a_turn_ends_after_its_records_too),
        cmocka_unit_test(a_partition_without_a_backlog_is_served_within_seconds),
        cmocka_unit_test(a_batch_beyond_the_limit_comes_alone),
        cmocka_unit_test(one_that_is_closed_before_anything_was_taken_is_the_next),
        cmocka_unit_test(one_whose_records_do_not_come_keeps_its_room_for_two_seconds_only),
        cmocka_unit_test(a_partition_that_goes_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
