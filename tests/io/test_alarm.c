/* io/loop/alarm.c: the wake-up call of the loop. */
#include "unit/unit.h"

#include <uv.h>

#include "io/loop/alarm.h"
#include "io/loop/clock.h"

#define FAR_MS 120000 /* when something else wakes the loop at last */

static uv_loop_t loop;
static uv_timer_t far;
static bool far_rang;
static struct alarm bell;

static int64_t now_ms(void)
{
    uv_update_time(&loop);
    return (int64_t)uv_now(&loop);
}

static void on_far(uv_timer_t *timer)
{
    (void)timer;
    far_rang = true;
}

static int setup(void **state)
{
    (void)state;
    far_rang = false;
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(uv_timer_init(&loop, &far), 0);
    assert_int_equal(uv_timer_start(&far, on_far, FAR_MS, FAR_MS), 0);
    alarm_init(&bell, &loop);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    uv_close((uv_handle_t *)(void *)&far, NULL);
    alarm_close(&bell);
    assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
    assert_true(alarm_is_closed(&bell));
    assert_int_equal(uv_loop_close(&loop), 0);
    return 0;
}

static void pass(int64_t duration_ms)
{
    int64_t until_us = clock_monotonic_us() + duration_ms * 1000;
    while (clock_monotonic_us() < until_us)
        ;
}

/* The alarm ends one turn of the loop. */
static bool rings(void)
{
    (void)uv_run(&loop, UV_RUN_ONCE);
    return !far_rang;
}

/* How long one turn of the loop waited that ends after `most_ms` without the alarm. */
static int64_t turn_ms(int64_t most_ms)
{
    int64_t from_us = clock_monotonic_us();
    uv_update_time(&loop);
    assert_int_equal(uv_timer_start(&far, on_far, (uint64_t)most_ms, FAR_MS), 0);
    (void)uv_run(&loop, UV_RUN_ONCE);
    return (clock_monotonic_us() - from_us) / 1000;
}

static void an_alarm_due_before_the_wait_begins_ends_it_at_once(void **state)
{
    (void)state;
    for (int64_t late_ms = 0; late_ms < 4; late_ms++) {
        alarm_move(&bell, now_ms() + 2);
        pass(1 + late_ms);
        assert_true(rings());
    }
}

static void an_alarm_already_due_rings_at_once(void **state)
{
    (void)state;
    alarm_move(&bell, now_ms() - 5);
    assert_true(rings());
    alarm_move(&bell, INT64_MIN);
    assert_true(rings());
}

static void an_alarm_rings_at_the_time_it_was_moved_to(void **state)
{
    (void)state;
    int64_t from_ms = now_ms();
    alarm_move(&bell, from_ms + 2 * FAR_MS);
    alarm_move(&bell, from_ms + 20);
    assert_true(rings());
    assert_true(now_ms() >= from_ms + 20);
    from_ms = now_ms();
    alarm_move(&bell, from_ms + 10);
    alarm_move(&bell, from_ms - 10);
    alarm_move(&bell, from_ms + 200);
    assert_true(rings());
    assert_true(now_ms() >= from_ms + 190);
}

static void an_alarm_moved_later_does_not_ring_early(void **state)
{
    (void)state;
    int64_t from_ms = now_ms();
    alarm_move(&bell, from_ms - 1);
    alarm_move(&bell, INT64_MAX);
    assert_true(turn_ms(1000) >= 900);
    alarm_move(&bell, now_ms() + 5);
    alarm_move(&bell, INT64_MAX);
    assert_true(turn_ms(1000) >= 900);
}

static void the_earliest_of_several_times_counts(void **state)
{
    (void)state;
    int64_t from_ms = now_ms();
    alarm_set(&bell, from_ms + 10);
    alarm_set(&bell, from_ms + 2 * FAR_MS);
    pass(12);
    assert_true(rings());
    alarm_clear(&bell);
    assert_true(turn_ms(1000) >= 900);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_alarm_due_before_the_wait_begins_ends_it_at_once, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(an_alarm_already_due_rings_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(an_alarm_rings_at_the_time_it_was_moved_to, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(an_alarm_moved_later_does_not_ring_early, setup, teardown),
        cmocka_unit_test_setup_teardown(the_earliest_of_several_times_counts, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
