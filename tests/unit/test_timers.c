#include "unit/unit.h"

#include "base/random.h"
#include "base/timers.h"
#include "unit/torture.h"

#define TIMERS 200

static void timers_fire_in_order_of_time(void **state)
{
    (void)state;
    struct timers timers OWNED_BY(timers_done);
    struct timer a, b, c;
    assert_int_equal(timers_init(&timers, 3), OK);
    timer_init(&a);
    timer_init(&b);
    timer_init(&c);
    assert_true(timers_next_ms(&timers) == INT64_MAX);
    timers_set(&timers, &a, 30);
    timers_set(&timers, &b, 10);
    timers_set(&timers, &c, 20);
    assert_int_equal(timers_next_ms(&timers), 10);
    assert_null(timers_pop(&timers, 9));
    assert_ptr_equal(timers_pop(&timers, 10), &b);
    assert_null(timers_pop(&timers, 19));
    assert_ptr_equal(timers_pop(&timers, 100), &c);
    assert_ptr_equal(timers_pop(&timers, 100), &a);
    assert_null(timers_pop(&timers, INT64_MAX));
    assert_true(a.place == TIMER_IDLE);
}

static void of_two_timers_due_together_the_first_set_fires_first(void **state)
{
    (void)state;
    struct timers timers OWNED_BY(timers_done);
    struct timer many[TIMERS];
    assert_int_equal(timers_init(&timers, TIMERS), OK);
    for (size_t i = 0; i < TIMERS; i++) {
        timer_init(&many[i]);
        timers_set(&timers, &many[i], 5);
    }
    timers_set(&timers, &many[0], 5);
    for (size_t i = 1; i < TIMERS; i++)
        assert_ptr_equal(timers_pop(&timers, 5), &many[i]);
    assert_ptr_equal(timers_pop(&timers, 5), &many[0]);
}

static void a_timer_can_be_moved_and_stopped(void **state)
{
    (void)state;
    struct timers timers OWNED_BY(timers_done);
    struct timer a, b;
    assert_int_equal(timers_init(&timers, 2), OK);
    timer_init(&a);
    timer_init(&b);
    timers_stop(&timers, &a);
    timers_set(&timers, &a, 10);
    timers_set(&timers, &b, 20);
    timers_set(&timers, &a, 30);
    assert_int_equal(timers_next_ms(&timers), 20);
    timers_stop(&timers, &b);
    timers_stop(&timers, &b);
    assert_int_equal(timers_next_ms(&timers), 30);
    timers_set(&timers, &a, -5);
    assert_ptr_equal(timers_pop(&timers, 0), &a);
    assert_int_equal(timers.count, 0);
}

static struct timer *first_of(struct timer many[TIMERS])
{
    struct timer *first = NULL;
    for (size_t i = 0; i < TIMERS; i++) {
        struct timer *timer = &many[i];
        if (timer->place == TIMER_IDLE)
            continue;
        if (first == NULL || timer->due_ms < first->due_ms ||
            (timer->due_ms == first->due_ms && timer->order < first->order))
            first = timer;
    }
    return first;
}

/* Against a search through all of them, with every operation in random order. */
static void the_timer_heap_agrees_with_a_linear_search(void **state)
{
    (void)state;
    struct timers timers OWNED_BY(timers_done);
    struct timer many[TIMERS];
    struct random random;
    random_init(&random, 4);
    assert_int_equal(timers_init(&timers, TIMERS), OK);
    for (size_t i = 0; i < TIMERS; i++)
        timer_init(&many[i]);
    for (int64_t now_ms = 0; now_ms < 20000; now_ms++) {
        struct timer *timer = &many[random_below(&random, TIMERS)];
        if (random_below(&random, 5) == 0)
            timers_stop(&timers, timer);
        else
            timers_set(&timers, timer, now_ms + (int64_t)random_below(&random, 300));
        struct timer *first = first_of(many);
        assert_true(timers_next_ms(&timers) == (first == NULL ? INT64_MAX : first->due_ms));
        if (random_below(&random, 2) == 0)
            continue;
        struct timer *expected = first != NULL && first->due_ms <= now_ms ? first : NULL;
        assert_ptr_equal(timers_pop(&timers, now_ms), expected);
    }
}

static bool start(void *self)
{
    (void)self;
    struct timers timers OWNED_BY(timers_done);
    enum err err = timers_init(&timers, 1000);
    assert_true(err == OK || err == ERR_NO_MEMORY);
    return err == OK;
}

static void timers_survive_failed_allocations(void **state)
{
    (void)state;
    assert_int_equal(torture(start, NULL), 1);
    struct timers timers;
    assert_int_equal(timers_init(&timers, SIZE_MAX / 2), ERR_NO_MEMORY);
    timers_done(&timers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_fire_in_order_of_time),
        cmocka_unit_test(of_two_timers_due_together_the_first_set_fires_first),
        cmocka_unit_test(a_timer_can_be_moved_and_stopped),
        cmocka_unit_test(the_timer_heap_agrees_with_a_linear_search),
        cmocka_unit_test(timers_survive_failed_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
