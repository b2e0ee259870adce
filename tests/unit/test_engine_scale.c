/* What a turn of the loop costs with thousands of partitions: counted in instructions. */
#include "unit/scale_kit.h"
#include "unit/ledger_kit.h"
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
    if (!STEPS_ARE_THE_CODES_OWN)
        return;
    expect_equal_cost(turn, answer_one);
    struct kit *kit = kit_with_partitions(NULL, FEW);
    answer_one(kit);
    kit_turn(kit);
    assert_true(kit->has_batch);
    assert_int_equal(kit->batch.offset_count, 1);
    kit_free(kit);
}

/* ---- the bound on the offset metadata of a cut ---- */

#define FULL_MAPS     300
#define METADATA_MOST (512 * 1024)

/* A map that is almost full: every second offset is open. */
static void make_map(struct buf *ret_map)
{
    struct ledger ledger OWNED_BY(ledger_done);
    open_ledger(&ledger, MAP_LIMIT, 0, SLICE_NULL);
    for (int64_t offset = 0; ledger_room(&ledger) > 1; offset++)
        take(&ledger, offset);
    for (int64_t offset = 1; offset < ledger.next - 100; offset += 2)
        finish(&ledger, offset);
    commit(&ledger, ret_map);
}

static struct kit *kit_with_full_maps(bool exactly_once)
{
    struct engine_config config = kit_config();
    config.exactly_once = exactly_once;
    struct buf map OWNED_BY(buf_done);
    config.max_held = config.max_in_flight = 4096;
    struct kit *kit = kit_new(&config);
    buf_init(&map, MAP_LIMIT);
    make_map(&map);
    for (uint32_t slot = 0; slot < FULL_MAPS; slot++) {
        kit->committed[slot] = 0;
        kit->maps[slot] = kit_copy(buf_slice(&map));
        kit_assign(kit, slot);
        kit->starts.count = 0;
    }
    return kit;
}

/* Ends the open batch after a look at its size; returns the number of its partitions. */
static size_t commit_bounded(struct kit *kit, bool is_committed)
{
    size_t bytes = 0, count = kit->batch.offset_count;
    for (size_t i = 0; i < count; i++)
        bytes += kit->batch.offsets[i].metadata.len + 150;
    assert_true(bytes <= METADATA_MOST);
    if (is_committed)
        kit_commit(kit);
    else
        kit_batch_ends(kit, BATCH_ABORTED);
    return count;
}

static void a_cut_has_no_more_metadata_than_a_commit_takes(void **state)
{
    (void)state;
    for (int exactly_once = 0; exactly_once < 2; exactly_once++) {
        struct kit *kit = kit_with_full_maps(exactly_once == 1);
        for (uint32_t slot = 0; slot < FULL_MAPS; slot++)
            kit_request(kit, slot, 0, NULL, "");
        kit_turn(kit);
        for (size_t i = 0; i < kit->call_count; i++)
            kit_answer_with(kit, 0, 200, "content-type: application/json\r\n", KIT_ANSWER);
        size_t cuts = 0;
        for (; kit_count(kit, OUTPUT_RESPONSE) < FULL_MAPS && cuts < 60; cuts++) {
            kit_wait(kit, 100);
            if (kit->has_batch) /* a clean abort changes nothing */
                assert_true(commit_bounded(kit, cuts % 5 != 1) > 0);
        }
        assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), FULL_MAPS);
        kit_free(kit);
    }
}

/* Half of the partitions have something new for each cut; the others get their turns all the same.
 */
static void partitions_take_turns_when_their_maps_fill_a_cut(void **state)
{
    (void)state;
    struct kit *kit = kit_with_full_maps(true);
    size_t committed[FULL_MAPS] = {0};
    for (uint32_t slot = 0; slot < FULL_MAPS; slot++)
        kit_request(kit, slot, 0, NULL, "");
    for (int cut = 0; cut < 5; cut++) {
        kit_wait(kit, 200);
        assert_true(kit->has_batch);
        for (size_t i = 0; i < kit->batch.offset_count; i++)
            committed[kit->batch.offsets[i].partition]++;
        (void)commit_bounded(kit, true);
        for (uint32_t slot = 0; slot < FULL_MAPS / 2; slot++)
            ledger_change(&kit->engine->slots.list[slot]->ledger);
    }
    for (uint32_t slot = 0; slot < FULL_MAPS; slot++)
        assert_true(committed[slot] > 0);
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
        cmocka_unit_test(a_cut_has_no_more_metadata_than_a_commit_takes),
        cmocka_unit_test(partitions_take_turns_when_their_maps_fill_a_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
