/* The membership of the group: what a check of it returns. */
#include "unit/engine_kit.h"

#include "engine/membership.h"

static void join_as(struct kit *kit, const char *membership)
{
    (void)snprintf(kit->membership, sizeof kit->membership, "%s", membership);
}

static void the_first_membership_is_not_a_change(void **state)
{
    (void)state;
    struct kit *kit = kit_new(NULL);
    assert_int_equal(membership_look(kit->engine), MEMBERSHIP_SAME);
    assert_int_equal(kit->logged[LOG_MEMBERSHIP_CHANGED], 0);
    kit_free(kit);
}

static void a_new_membership_counts_as_a_change_once(void **state)
{
    (void)state;
    struct kit *kit = kit_new(NULL);
    assert_int_equal(membership_look(kit->engine), MEMBERSHIP_SAME);
    join_as(kit, "generation 2");
    assert_int_equal(membership_look(kit->engine), MEMBERSHIP_CHANGED);
    assert_int_equal(membership_look(kit->engine), MEMBERSHIP_SAME);
    assert_int_equal(kit->logged[LOG_MEMBERSHIP_CHANGED], 1);
    kit_free(kit);
}

static void a_membership_that_returns_unchanged_is_not_a_change(void **state)
{
    (void)state;
    struct kit *kit = kit_new(NULL);
    assert_int_equal(membership_look(kit->engine), MEMBERSHIP_SAME);
    char before[sizeof kit->membership];
    memcpy(before, kit->membership, sizeof before);
    join_as(kit, "");
    assert_int_equal(membership_look(kit->engine), MEMBERSHIP_GONE);
    join_as(kit, before);
    assert_int_equal(membership_look(kit->engine), MEMBERSHIP_SAME);
    kit_free(kit);
}

static void a_removed_member_stays_removed_until_it_has_a_new_membership(void **state)
{
    (void)state;
    struct kit *kit = kit_new(NULL);
    assert_int_equal(membership_look(kit->engine), MEMBERSHIP_SAME);
    membership_cast_out(kit->engine, membership_number(kit->engine));
    assert_int_equal(membership_look(kit->engine), MEMBERSHIP_OUTCAST);
    join_as(kit, "generation 2");
    assert_int_equal(membership_look(kit->engine), MEMBERSHIP_CHANGED);
    assert_int_equal(membership_look(kit->engine), MEMBERSHIP_SAME);
    kit_free(kit);
}

static void a_rejection_of_an_older_membership_is_ignored(void **state)
{
    (void)state;
    struct kit *kit = kit_new(NULL);
    assert_int_equal(membership_look(kit->engine), MEMBERSHIP_SAME);
    uint32_t older = membership_number(kit->engine);
    join_as(kit, "generation 2");
    assert_int_equal(membership_look(kit->engine), MEMBERSHIP_CHANGED);
    membership_cast_out(kit->engine, older);
    assert_int_equal(membership_look(kit->engine), MEMBERSHIP_SAME);
    kit_free(kit);
}

static void a_recent_membership_check_is_not_repeated(void **state)
{
    (void)state;
    struct kit *kit = kit_new(NULL);
    assert_int_equal(membership_look(kit->engine), MEMBERSHIP_SAME);
    join_as(kit, "generation 2");
    kit_time(kit, 99);
    assert_int_equal(membership_recent(kit->engine), MEMBERSHIP_SAME);
    assert_int_equal(membership_again_ms(kit->engine), kit->now_ms + 1);
    kit_time(kit, 1);
    assert_int_equal(membership_recent(kit->engine), MEMBERSHIP_CHANGED);
    kit_free(kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_membership_is_not_a_change),
        cmocka_unit_test(a_new_membership_counts_as_a_change_once),
        cmocka_unit_test(a_membership_that_returns_unchanged_is_not_a_change),
        cmocka_unit_test(a_removed_member_stays_removed_until_it_has_a_new_membership),
        cmocka_unit_test(a_rejection_of_an_older_membership_is_ignored),
        cmocka_unit_test(a_recent_membership_check_is_not_repeated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
