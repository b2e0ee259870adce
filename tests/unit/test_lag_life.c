/* Whether somebody still works on a partition, by what is committed for it. */
#include "unit/unit.h"

#include "policy/lag_life.h"

#define PARTS   4
#define LOOK_MS 4000
#define END     1000000

/* Partition 0 is this worker's, the others are those of others. */
struct group {
    struct lag_part parts[PARTS];
    struct lag_look look;
    int64_t now_ms;
};

static void group_begin(struct group *group)
{
    *group = (struct group){.now_ms = 1000};
    for (int i = 0; i < PARTS; i++)
        group->parts[i] = (struct lag_part){.end = END, .is_mine = i == 0};
}

/* Each partition completes so many requests, then comes the next look. */
static void group_pass(struct group *group, const int done[PARTS])
{
    group->now_ms += LOOK_MS;
    for (int i = 0; i < PARTS; i++)
        group->parts[i].offset += done[i];
    group->look = lag_parts_look(group->parts, PARTS, false, LAG_LIFE_PATIENCE_MS, group->now_ms);
}

static void pass_often(struct group *group, int times, const int done[PARTS])
{
    for (int i = 0; i < times; i++)
        group_pass(group, done);
}

static void all_that_progress_are_counted(void **state)
{
    (void)state;
    struct group group;
    group_begin(&group);
    pass_often(&group, 5, (const int[]){10, 20, 30, 40});
    assert_int_equal(group.look.mine_busy, 1);
    assert_int_equal(group.look.all_busy, PARTS);
    assert_int_equal(group.look.mine_done, 10);
    assert_int_equal(group.look.all_done, 100);
}

/* The worker is killed right after a look: one shows its last commits, the next one its silence. */
static void a_killed_worker_is_counted_out_within_ten_seconds(void **state)
{
    (void)state;
    struct group group;
    group_begin(&group);
    pass_often(&group, 5, (const int[]){10, 10, 10, 10});
    int64_t killed_ms = group.now_ms;
    group_pass(&group, (const int[]){10, 10, 10, 1});
    assert_int_equal(group.look.all_busy, PARTS);
    group_pass(&group, (const int[]){10, 10, 10, 0});
    assert_int_equal(group.look.all_busy, PARTS - 1);
    assert_int_equal(group.look.all_idle, 1);
    assert_true(group.now_ms - killed_ms <= 10000);
}

static void a_worker_that_comes_back_counts_at_the_next_look(void **state)
{
    (void)state;
    struct group group;
    group_begin(&group);
    pass_often(&group, 3, (const int[]){10, 10, 10, 10});
    pass_often(&group, 5, (const int[]){10, 10, 10, 0});
    assert_int_equal(group.look.all_busy, PARTS - 1);
    group_pass(&group, (const int[]){10, 10, 10, 1});
    assert_int_equal(group.look.all_busy, PARTS);
}

/* Its partition completes one request in twenty seconds, whatever the others do. */
static void a_slow_worker_keeps_its_share(void **state)
{
    (void)state;
    struct group group;
    group_begin(&group);
    group_pass(&group, (const int[]){1, 1, 1, 1});
    for (int i = 0; i < 20; i++)
        for (int look = 0; look < 5; look++) {
            group_pass(&group, (const int[]){10, 10, 10, look == 0 || i < 2});
            assert_int_equal(group.look.all_busy, PARTS);
        }
}

/* What is completed behind a long call shows in the map. */
static void a_partition_behind_a_long_call_counts(void **state)
{
    (void)state;
    struct group group;
    group_begin(&group);
    for (int i = 0; i < 20; i++) {
        group.parts[3].map++;
        group_pass(&group, (const int[]){10, 10, 10, 0});
        assert_int_equal(group.look.all_busy, PARTS);
    }
}

static void no_worker_is_deserted_while_all_are_silent(void **state)
{
    (void)state;
    struct group group;
    group_begin(&group);
    pass_often(&group, 5, (const int[]){10, 10, 10, 10});
    pass_often(&group, 20, (const int[]){0, 0, 0, 0});
    assert_int_equal(group.look.all_busy, PARTS);
}

static void a_worker_never_counts_itself_out(void **state)
{
    (void)state;
    struct group group;
    group_begin(&group);
    pass_often(&group, 5, (const int[]){10, 10, 10, 10});
    pass_often(&group, 20, (const int[]){0, 10, 10, 10});
    assert_int_equal(group.look.mine_busy, 1);
    assert_int_equal(group.look.all_busy, PARTS);
}

/* Its worker was killed while it had none. */
static void work_that_no_worker_begins_is_measured_by_the_others(void **state)
{
    (void)state;
    struct group group;
    group_begin(&group);
    group.parts[3].end = 0;
    pass_often(&group, 20, (const int[]){10, 10, 10, 0});
    assert_int_equal(group.look.all_idle, 1);
    group.parts[3].end = END;
    group_pass(&group, (const int[]){10, 10, 10, 0});
    assert_int_equal(group.look.all_busy, PARTS - 1);
}

static void no_lag_is_no_silence(void **state)
{
    (void)state;
    struct group group;
    group_begin(&group);
    pass_often(&group, 5, (const int[]){10, 10, 10, 10});
    group.parts[3].end = group.parts[3].offset;
    pass_often(&group, 20, (const int[]){10, 10, 10, 0});
    group.parts[3].end = END;
    group.now_ms -= LOOK_MS - 200; /* a look that comes soon after a rebalance */
    group_pass(&group, (const int[]){10, 10, 10, 0});
    assert_int_equal(group.look.all_busy, PARTS);
}

static void a_partition_without_an_end_counts_for_nothing(void **state)
{
    (void)state;
    struct group group;
    group_begin(&group);
    group.parts[3].end = -1;
    pass_often(&group, 5, (const int[]){10, 10, 10, 10});
    assert_int_equal(group.look.all_busy + group.look.all_idle, PARTS - 1);
    assert_int_equal(group.look.all_done, 30);
}

static void what_was_done_is_unknown_after_a_move(void **state)
{
    (void)state;
    struct group group;
    group_begin(&group);
    pass_often(&group, 2, (const int[]){10, 10, 10, 10});
    group.look = lag_parts_look(group.parts, PARTS, true, LAG_LIFE_PATIENCE_MS, group.now_ms + 1);
    assert_int_equal(group.look.all_done, -1);
    assert_int_equal(group.look.mine_done, -1);
    assert_int_equal(group.look.all_busy, PARTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_that_progress_are_counted),
        cmocka_unit_test(a_killed_worker_is_counted_out_within_ten_seconds),
        cmocka_unit_test(a_worker_that_comes_back_counts_at_the_next_look),
        cmocka_unit_test(a_slow_worker_keeps_its_share),
        cmocka_unit_test(a_partition_behind_a_long_call_counts),
        cmocka_unit_test(no_worker_is_deserted_while_all_are_silent),
        cmocka_unit_test(a_worker_never_counts_itself_out),
        cmocka_unit_test(work_that_no_worker_begins_is_measured_by_the_others),
        cmocka_unit_test(no_lag_is_no_silence),
        cmocka_unit_test(a_partition_without_an_end_counts_for_nothing),
        cmocka_unit_test(what_was_done_is_unknown_after_a_move),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
