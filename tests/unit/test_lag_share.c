/* A worker's share of a quota, by the lag of the group's partitions. */
#include "unit/unit.h"

#include "policy/lag_share.h"

static struct lag_share after(const struct lag_look *look)
{
    struct lag_share share;
    lag_share_init(&share);
    lag_share_look(&share, look);
    return share;
}

static bool is_about(double value, double wanted)
{
    return value > wanted * 0.999 && value < wanted * 1.001;
}

static void a_worker_alone_has_all(void **state)
{
    (void)state;
    struct lag_share share;
    lag_share_init(&share);
    assert_true(share.share == 1 && share.part == 0);
    assert_true(after(&(struct lag_look){.mine_idle = 4, .all_idle = 4}).share == 1);
    assert_true(after(&(struct lag_look){.mine_busy = 4, .all_busy = 4}).share == 1);
}

static void partitions_with_work_share_the_quota(void **state)
{
    (void)state;
    assert_true(after(&(struct lag_look){.mine_busy = 1, .all_busy = 4}).share == 0.25);
    assert_true(is_about(after(&(struct lag_look){.mine_busy = 3, .all_busy = 4}).share, 0.75));
}

static void work_at_one_worker_only_gets_nearly_all(void **state)
{
    (void)state;
    struct lag_look look = {.mine_busy = 1, .all_busy = 1, .all_idle = 3};
    assert_true(after(&look).share > 0.98);
    look = (struct lag_look){.mine_idle = 1, .all_busy = 1, .all_idle = 3};
    assert_true(after(&look).share > 0.004 && after(&look).share < 0.006);
}

static void idle_partitions_share_evenly(void **state)
{
    (void)state;
    assert_true(is_about(after(&(struct lag_look){.mine_idle = 2, .all_idle = 8}).share, 0.25));
}

static void a_worker_without_partitions_has_what_an_idle_one_has(void **state)
{
    (void)state;
    double share = after(&(struct lag_look){.all_busy = 4}).share;
    assert_true(share > 0 && share < 0.01);
}

static void a_look_that_shows_nothing_changes_nothing(void **state)
{
    (void)state;
    struct lag_share share = after(&(struct lag_look){.mine_busy = 1, .all_busy = 4});
    lag_share_look(&share, &(struct lag_look){.mine_busy = 0});
    assert_true(share.share == 0.25);
    lag_share_look(&share, &(struct lag_look){.mine_busy = 2, .all_busy = 1});
    assert_true(share.share == 0.25);
}

static void the_part_of_the_progress_is_that_of_several_looks(void **state)
{
    (void)state;
    struct lag_look look = {.mine_busy = 1, .all_busy = 2, .mine_done = 30, .all_done = 100};
    struct lag_share share = after(&look);
    assert_true(is_about(share.part, 0.3));
    look.mine_done = 70;
    lag_share_look(&share, &look);
    assert_true(share.part > 0.5 && share.part < 0.6);
    for (int i = 0; i < 20; i++)
        lag_share_look(&share, &look);
    assert_true(is_about(share.part, 0.7));
}

static void few_requests_and_moved_partitions_say_nothing_of_the_part(void **state)
{
    (void)state;
    struct lag_look look = {.mine_busy = 1, .all_busy = 2, .mine_done = 1, .all_done = 2};
    assert_true(after(&look).part == 0);
    look = (struct lag_look){.mine_busy = 1, .all_busy = 2, .mine_done = 50, .all_done = 100};
    struct lag_share share = after(&look);
    look.mine_done = -1;
    lag_share_look(&share, &look);
    assert_true(share.part == 0 && share.share == 0.5);
}

static void the_part_of_the_work_is_the_share_until_something_was_done(void **state)
{
    (void)state;
    struct lag_look look = {.mine_idle = 1, .all_idle = 4};
    struct lag_share share = after(&look);
    assert_true(lag_share_of_work(&share) == 0.25);
    look.mine_done = look.all_done = 3; /* all requests come to this worker */
    for (int i = 0; i < 30; i++)
        lag_share_look(&share, &look);
    assert_true(lag_share_of_work(&share) > 0.98 && lag_share_of_work(&share) <= 1);
    lag_share_init(&share);
    assert_true(lag_share_of_work(&share) == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_worker_alone_has_all),
        cmocka_unit_test(partitions_with_work_share_the_quota),
        cmocka_unit_test(work_at_one_worker_only_gets_nearly_all),
        cmocka_unit_test(idle_partitions_share_evenly),
        cmocka_unit_test(a_worker_without_partitions_has_what_an_idle_one_has),
        cmocka_unit_test(a_look_that_shows_nothing_changes_nothing),
        cmocka_unit_test(the_part_of_the_progress_is_that_of_several_looks),
        cmocka_unit_test(the_part_of_the_work_is_the_share_until_something_was_done),
        cmocka_unit_test(few_requests_and_moved_partitions_say_nothing_of_the_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
