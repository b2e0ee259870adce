/* When a partition stands still (io/kafka/still.c). */
#include "unit/unit.h"

#include "io/kafka/still.h"

static const struct still_look WAITING = {.next = 10, .end = -1, .high = 20, .may_come = true};

/* Looks every STILL_LOOK_MS from 1 s on; the time at which it stands still, or -1. */
static int64_t stands_after(struct still_look look, int64_t until_ms)
{
    struct still still = {0};
    for (int64_t now_ms = 1000; now_ms < until_ms; now_ms += STILL_LOOK_MS)
        if (still_note(&still, &look, now_ms))
            return now_ms - 1000;
    return -1;
}

static void records_that_do_not_come_for_five_minutes_stand_still(void **state)
{
    (void)state;
    assert_int_equal(stands_after(WAITING, 10 * STILL_MS), STILL_MS);
}

static void no_records_no_room_or_a_known_end_is_no_standstill(void **state)
{
    (void)state;
    struct still_look none = WAITING, busy = WAITING, ended = WAITING, unknown = WAITING;
    none.high = 10;
    busy.may_come = false;
    ended.end = 10;
    unknown.high = -1;
    assert_int_equal(stands_after(none, 10 * STILL_MS), -1);
    assert_int_equal(stands_after(busy, 10 * STILL_MS), -1);
    assert_int_equal(stands_after(ended, 10 * STILL_MS), -1);
    assert_int_equal(stands_after(unknown, 10 * STILL_MS), -1);
}

/* Looks for `ms`; whether it stands still at the end. */
static bool look_for(struct still *still, struct still_look look, int64_t ms, int64_t *now_ms)
{
    bool stands = false;
    for (int64_t until_ms = *now_ms + ms; *now_ms < until_ms; *now_ms += STILL_LOOK_MS)
        stands = still_note(still, &look, *now_ms);
    return stands;
}

static void each_record_and_each_reason_begins_the_time_again(void **state)
{
    (void)state;
    struct still still = {0};
    struct still_look look = WAITING, busy = WAITING;
    int64_t now_ms = 1000;
    busy.may_come = false;
    for (look.next = 10; look.next < 19; look.next++)
        assert_false(look_for(&still, look, STILL_MS, &now_ms));
    assert_false(look_for(&still, look, STILL_MS, &now_ms));
    assert_true(look_for(&still, look, STILL_LOOK_MS, &now_ms));
    assert_false(look_for(&still, busy, STILL_LOOK_MS, &now_ms));
    assert_false(look_for(&still, look, STILL_MS, &now_ms));
    assert_true(look_for(&still, look, STILL_LOOK_MS, &now_ms));
}

static void a_suspended_process_begins_the_time_again(void **state)
{
    (void)state;
    struct still still = {0};
    assert_false(still_note(&still, &WAITING, 1000));
    assert_false(still_note(&still, &WAITING, 1000 + STILL_MS));
    assert_false(still_note(&still, &WAITING, 1000 + 3 * STILL_MS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_that_do_not_come_for_five_minutes_stand_still),
        cmocka_unit_test(no_records_no_room_or_a_known_end_is_no_standstill),
        cmocka_unit_test(each_record_and_each_reason_begins_the_time_again),
        cmocka_unit_test(a_suspended_process_begins_the_time_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
