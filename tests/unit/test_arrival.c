/* What the log says while a worker gets into its group (io/kafka/arrival.c). */
#include "unit/unit.h"

#include "io/kafka/arrival.h"

static const struct arrival_look JOINING = {.is_joining = true, .has_brokers = true};
static const struct arrival_look EMPTY = {.has_joined = true, .has_brokers = true};
static const struct arrival_look OWNER = {.has_joined = true, .has_brokers = true, .partitions = 4};

static void the_first_partitions_make_a_worker_ready_once(void **state)
{
    (void)state;
    struct arrival arrival = {0};
    assert_int_equal(arrival_note(&arrival, &JOINING, 1000), ARRIVAL_NO_NEWS);
    assert_int_equal(arrival_note(&arrival, &OWNER, 1200), ARRIVAL_READY);
    assert_int_equal(arrival_note(&arrival, &OWNER, 1400), ARRIVAL_NO_NEWS);
    assert_int_equal(arrival_note(&arrival, &EMPTY, 90000), ARRIVAL_NO_NEWS); /* lost them */
    assert_int_equal(arrival_note(&arrival, &OWNER, 91000), ARRIVAL_NO_NEWS);
}

static void a_worker_without_partitions_says_so_once_and_is_ready_later(void **state)
{
    (void)state;
    struct arrival arrival = {0};
    assert_int_equal(arrival_note(&arrival, &EMPTY, 1000), ARRIVAL_NO_NEWS);
    assert_int_equal(arrival_note(&arrival, &EMPTY, 1000 + ARRIVAL_NONE_MS - 1), ARRIVAL_NO_NEWS);
    assert_int_equal(arrival_note(&arrival, &EMPTY, 1000 + ARRIVAL_NONE_MS), ARRIVAL_NONE);
    assert_int_equal(arrival_note(&arrival, &EMPTY, 50000), ARRIVAL_NO_NEWS);
    assert_int_equal(arrival_note(&arrival, &OWNER, 60000), ARRIVAL_READY);
}

static void partitions_that_wait_are_not_none(void **state)
{
    (void)state;
    struct arrival arrival = {0};
    struct arrival_look look = EMPTY;
    look.waiting = 1;
    assert_int_equal(arrival_note(&arrival, &look, 1000), ARRIVAL_NO_NEWS);
    assert_int_equal(arrival_note(&arrival, &look, 1000 + ARRIVAL_NONE_MS), ARRIVAL_NO_NEWS);
    assert_int_equal(arrival_note(&arrival, &EMPTY, 1001 + ARRIVAL_NONE_MS), ARRIVAL_NONE);
}

static void a_second_rebalance_may_bring_the_first_partitions(void **state)
{
    (void)state;
    struct arrival arrival = {0};
    struct arrival_look again = EMPTY;
    again.is_joining = true;
    assert_int_equal(arrival_note(&arrival, &EMPTY, 1000), ARRIVAL_NO_NEWS);
    assert_int_equal(arrival_note(&arrival, &again, 2500), ARRIVAL_NO_NEWS);
    assert_int_equal(arrival_note(&arrival, &OWNER, 2600), ARRIVAL_READY);
}

static void a_join_without_an_answer_is_logged_now_and_then(void **state)
{
    (void)state;
    struct arrival arrival = {0};
    assert_int_equal(arrival_note(&arrival, &JOINING, 1000), ARRIVAL_NO_NEWS);
    assert_int_equal(arrival_note(&arrival, &JOINING, 1000 + ARRIVAL_WAIT_MS - 1), ARRIVAL_NO_NEWS);
    assert_int_equal(arrival_note(&arrival, &JOINING, 1000 + ARRIVAL_WAIT_MS), ARRIVAL_WAITS);
    assert_int_equal(arrival_waited_ms(&arrival, 1000 + ARRIVAL_WAIT_MS), ARRIVAL_WAIT_MS);
    assert_int_equal(arrival_note(&arrival, &JOINING, 1500 + ARRIVAL_WAIT_MS), ARRIVAL_NO_NEWS);
    int64_t later_ms = 1000 + ARRIVAL_WAIT_MS + ARRIVAL_AGAIN_MS;
    assert_int_equal(arrival_note(&arrival, &JOINING, later_ms), ARRIVAL_WAITS);
    assert_int_equal(arrival_note(&arrival, &OWNER, later_ms + 1), ARRIVAL_READY);
    assert_int_equal(arrival_waited_ms(&arrival, later_ms + 1),
                     ARRIVAL_AGAIN_MS + ARRIVAL_WAIT_MS + 1);
    (void)arrival_note(&arrival, &OWNER, later_ms + 2);
    assert_int_equal(arrival_waited_ms(&arrival, later_ms + 2), 0);
}

static void a_rebalance_that_waits_for_others_is_logged_with_what_is_kept(void **state)
{
    (void)state;
    struct arrival arrival = {0};
    struct arrival_look look = OWNER;
    assert_int_equal(arrival_note(&arrival, &look, 1000), ARRIVAL_READY);
    look.is_joining = true;
    assert_int_equal(arrival_note(&arrival, &look, 5000), ARRIVAL_NO_NEWS);
    assert_int_equal(arrival_note(&arrival, &look, 5000 + ARRIVAL_WAIT_MS), ARRIVAL_REBALANCES);
}

static void lost_brokers_are_another_line(void **state)
{
    (void)state;
    struct arrival arrival = {0};
    struct arrival_look look = JOINING;
    assert_int_equal(arrival_note(&arrival, &look, 1000), ARRIVAL_NO_NEWS);
    look.has_brokers = false;
    assert_int_equal(arrival_note(&arrival, &look, 90000), ARRIVAL_NO_NEWS);
    look.has_brokers = true;
    assert_int_equal(arrival_note(&arrival, &look, 91000), ARRIVAL_NO_NEWS);
    assert_int_equal(arrival_note(&arrival, &look, 91000 + ARRIVAL_WAIT_MS), ARRIVAL_WAITS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_partitions_make_a_worker_ready_once),
        cmocka_unit_test(a_worker_without_partitions_says_so_once_and_is_ready_later),
        cmocka_unit_test(partitions_that_wait_are_not_none),
        cmocka_unit_test(a_second_rebalance_may_bring_the_first_partitions),
        cmocka_unit_test(a_join_without_an_answer_is_logged_now_and_then),
        cmocka_unit_test(a_rebalance_that_waits_for_others_is_logged_with_what_is_kept),
        cmocka_unit_test(lost_brokers_are_another_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
