/* What a turn of the loop costs with thousands of partitions: counted in instructions. */
#include "unit/engine_kit.h"
#include "unit/steps.h"

#define FEW  10
#define MANY 3000
#define MOST 20000 /* instructions that are counted */
#define MORE 500   /* instructions of luck: hash buckets, allocations */

static void turn(void *self)
{
    kit_turn(self);
}

static void take_one(void *self)
{
    struct kit *kit = self;
    (void)engine_room(kit->engine, kit->tenures[3]);
    engine_partition_empty(kit->engine, kit->tenures[3]);
}

static void assign_one(void *self)
{
    struct kit *kit = self;
    struct tenure tenure = {KIT_PARTITIONS - 1, 99999};
    engine_partition_assigned(kit->engine, tenure, KIT_TOPIC, 1);
}

static void expect_equal_cost(void (*act)(void *self), void (*before)(struct kit *kit))
{
    size_t steps[2];
    static const uint32_t PARTITIONS[] = {FEW, MANY};
    for (size_t i = 0; i < COUNT_OF(PARTITIONS); i++) {
        struct kit *kit = kit_with_partitions(NULL, PARTITIONS[i]);
        kit_turn(kit);
        if (before != NULL)
            before(kit);
        steps[i] = steps_of(act, kit, MOST);
        kit_free(kit);
    }
    print_message("%zu with %d partitions, %zu with %d\n", steps[0], FEW, steps[1], MANY);
    assert_true(steps[0] < MOST && steps[1] < steps[0] + MORE);
}

static void an_idle_turn_costs_the_same_however_many_partitions_there_are(void **state)
{
    (void)state;
    expect_equal_cost(turn, NULL);
}

static void a_look_for_room_costs_the_same_however_many_partitions_there_are(void **state)
{
    (void)state;
    expect_equal_cost(take_one, NULL);
}

static void an_assignment_costs_the_same_however_many_partitions_there_are(void **state)
{
    (void)state;
    expect_equal_cost(assign_one, NULL);
}

static void revoke_one(struct kit *kit)
{
    kit_request(kit, 5, 0, NULL, "");
    kit_turn(kit);
    engine_partition_revoked(kit->engine, kit->tenures[5]);
    kit_turn(kit);
}

static void a_drain_costs_the_same_however_many_partitions_there_are(void **state)
{
    (void)state;
    expect_equal_cost(turn, revoke_one);
}

static void answer_one(struct kit *kit)
{
    kit_request(kit, 5, 0, NULL, "");
    kit_turn(kit);
    kit_commit(kit); /* the map with its call */
    kit_answer(kit, 0);
    kit_time(kit, 200);
}

static void a_cut_costs_what_has_changed(void **state)
{
    (void)state;
    expect_equal_cost(turn, answer_one);
    struct kit *kit = kit_with_partitions(NULL, FEW);
    answer_one(kit);
    kit_turn(kit);
    assert_true(kit->has_batch);
    assert_int_equal(kit->batch.offset_count, 1);
    kit_free(kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_idle_turn_costs_the_same_however_many_partitions_there_are),
        cmocka_unit_test(a_look_for_room_costs_the_same_however_many_partitions_there_are),
        cmocka_unit_test(an_assignment_costs_the_same_however_many_partitions_there_are),
        cmocka_unit_test(a_drain_costs_the_same_however_many_partitions_there_are),
        cmocka_unit_test(a_cut_costs_what_has_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
