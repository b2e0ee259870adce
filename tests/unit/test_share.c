#include "unit/unit.h"

#include "base/random.h"
#include "policy/share.h"

#define PARTIES 7

static void a_party_that_is_the_only_one_may_take_everything(void **state)
{
    (void)state;
    struct share_pool pool;
    share_init(&pool, 10);
    assert_int_equal(share_each(&pool), 10);
    share_restart(&pool, 1);
    share_count(&pool, 0);
    assert_int_equal(share_room(&pool, 0), 10);
    share_change(&pool, 0, 9);
    assert_int_equal(share_room(&pool, 9), 1);
    share_change(&pool, 9, 10);
    assert_int_equal(share_room(&pool, 10), 0);
}

static void a_greedy_party_leaves_the_others_their_share(void **state)
{
    (void)state;
    struct share_pool pool;
    share_init(&pool, 12);
    share_restart(&pool, 3);
    for (int i = 0; i < 3; i++)
        share_count(&pool, 0);
    assert_int_equal(share_each(&pool), 4);
    share_change(&pool, 0, 4); /* the greedy one has its share … */
    assert_int_equal(share_room(&pool, 4), 0);
    assert_int_equal(share_room(&pool, 0), 4);
}

static void unclaimed_room_is_open_to_all(void **state)
{
    (void)state;
    struct share_pool pool;
    share_init(&pool, 11); /* shares of 3, and 2 left over */
    share_restart(&pool, 3);
    for (int i = 0; i < 3; i++)
        share_count(&pool, 3);
    assert_int_equal(share_room(&pool, 3), 2);
    share_change(&pool, 3, 5);
    assert_int_equal(share_room(&pool, 5), 0);
    assert_int_equal(share_room(&pool, 3), 0);
    assert_int_equal(share_room(&pool, 2), 1);
}

static void with_more_parties_than_things_each_may_hold_one(void **state)
{
    (void)state;
    struct share_pool pool;
    share_init(&pool, 2);
    share_restart(&pool, 5);
    for (int i = 0; i < 5; i++)
        share_count(&pool, 0);
    assert_int_equal(share_each(&pool), 1);
    assert_int_equal(share_room(&pool, 0), 1);
    assert_int_equal(share_room(&pool, 1), 0);
}

static void a_party_claims_only_what_it_can_use(void **state)
{
    (void)state;
    struct share_pool pool;
    const struct share_party idle = {.has = 1, .most = 1};
    share_init(&pool, 16);
    share_restart(&pool, 4);
    for (int i = 0; i < 3; i++)
        share_count_party(&pool, idle);
    share_count_party(&pool, (struct share_party){.has = 0, .most = 100});
    assert_int_equal(share_room_party(&pool, (struct share_party){.has = 0, .most = 100}), 13);
    /* A party that wants two more is sure of them; one that wants ten, of its share. */
    share_change_party(&pool, idle, (struct share_party){.has = 1, .most = 3});
    assert_int_equal(share_room_party(&pool, (struct share_party){.has = 0, .most = 100}), 11);
    share_change_party(&pool, (struct share_party){.has = 1, .most = 3},
                       (struct share_party){.has = 1, .most = 11});
    assert_int_equal(share_room_party(&pool, (struct share_party){.has = 0, .most = 100}), 10);
}

static void a_party_below_its_share_goes_before_those_above_it(void **state)
{
    (void)state;
    struct share_pool pool;
    const struct share_party greedy = {.has = 7, .most = 100}, woken = {.has = 1, .most = 100};
    share_init(&pool, 8);
    share_restart(&pool, 2);
    share_count_party(&pool, greedy);
    share_count_party(&pool, (struct share_party){.has = 1, .most = 1});
    assert_int_equal(share_room_party(&pool, greedy), 0);
    share_change_party(&pool, (struct share_party){.has = 1, .most = 1}, woken);
    assert_int_equal(share_room_party(&pool, woken), 3); /* as soon as they are returned */
    share_change_party(&pool, greedy, (struct share_party){.has = 6, .most = 99});
    assert_int_equal(share_room_party(&pool, (struct share_party){.has = 6, .most = 99}), 0);
}

static void the_reserve_is_for_parties_below_their_share(void **state)
{
    (void)state;
    struct share_pool pool;
    const struct share_party quiet = {.has = 0, .most = 0}, woken = {.has = 0, .most = UINT64_MAX};
    struct share_party busy = {.has = 0, .most = UINT64_MAX};
    share_init(&pool, 32);
    share_restart(&pool, 4);
    for (int i = 0; i < 3; i++)
        share_count_party(&pool, quiet);
    share_count_party(&pool, busy);
    share_set_reserve(&pool, 2);
    assert_int_equal(share_room_party(&pool, busy), 30);
    share_change_party(&pool, busy, (struct share_party){.has = 30, .most = UINT64_MAX});
    busy.has = 30;
    assert_int_equal(share_room_party(&pool, busy), 0);
    assert_int_equal(share_room_party(&pool, woken), 8); /* the reserve now, the rest later */
}

/* Whatever the parties do within the rule: each can take its even share at any time, and together
 * they never have more than the total. */
static void every_share_is_available_and_their_sum_is_bounded(void **state)
{
    (void)state;
    struct random random;
    random_init(&random, 5);
    for (int round = 0; round < 200; round++) {
        uint64_t has[PARTIES] = {0};
        struct share_pool pool;
        uint64_t max = PARTIES + random_below(&random, 40);
        share_init(&pool, max);
        share_restart(&pool, PARTIES);
        for (int i = 0; i < PARTIES; i++)
            share_count(&pool, 0);
        for (int step = 0; step < 2000; step++) {
            size_t party = random_below(&random, PARTIES);
            uint64_t room = share_room(&pool, has[party]);
            uint64_t sum = 0;
            for (int i = 0; i < PARTIES; i++)
                sum += has[i];
            assert_int_equal(pool.used, sum);
            assert_true(sum + room <= max);
            assert_true(has[party] + room >= share_each(&pool));
            uint64_t next = has[party];
            if (random_below(&random, 3) > 0)
                next += random_below(&random, room + 1);
            else
                next -= random_below(&random, next + 1);
            share_change(&pool, has[party], next);
            has[party] = next;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_party_that_is_the_only_one_may_take_everything),
        cmocka_unit_test(a_greedy_party_leaves_the_others_their_share),
        cmocka_unit_test(unclaimed_room_is_open_to_all),
        cmocka_unit_test(with_more_parties_than_things_each_may_hold_one),
        cmocka_unit_test(a_party_claims_only_what_it_can_use),
        cmocka_unit_test(a_party_below_its_share_goes_before_those_above_it),
        cmocka_unit_test(the_reserve_is_for_parties_below_their_share),
        cmocka_unit_test(every_share_is_available_and_their_sum_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
