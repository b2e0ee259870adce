/* Withheld partitions: nothing is taken from them, the others go on, and one line a topic says what
 * to do. */
#include "unit/engine_kit.h"

#include "engine/partition.h"
#include "engine/slots.h"
#include "engine/withheld.h"

/* Partition `slot`, withheld as soon as its offset is read. */
static void withhold(struct kit *kit, uint32_t slot, int64_t records, int64_t age_ms)
{
    kit->tenures[slot] = (struct tenure){slot, ++kit->epoch};
    engine_partition_assigned(kit->engine, kit->tenures[slot], KIT_TOPIC, (int32_t)slot);
    kit->reads.count = 0;
    partition_withhold(kit->engine, slot_find(kit->engine, kit->tenures[slot]), WITHHELD_NO_OFFSET,
                       records, age_ms);
}

static void nothing_is_taken_from_a_withheld_partition_and_the_others_go_on(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    withhold(kit, 1, 7, 3600000);
    assert_int_equal(kit->pauses.count, 1);
    assert_int_equal(engine_room(kit->engine, kit->tenures[1]), 0);
    kit_request(kit, 0, 0, NULL, "");
    kit_turn(kit);
    kit_answer(kit, 0);
    kit_settle(kit);
    assert_int_equal(kit->committed[0], 1);
    assert_int_equal(kit->batch_count, 2); /* of partition 0 */
    kit_free(kit);
}

static void one_line_a_topic_names_the_withheld_partitions_every_ten_minutes(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    withhold(kit, 1, 500, 72 * 3600000LL);
    kit_wait(kit, 1000);
    withhold(kit, 3, 74, 3600000);
    kit_wait(kit, 3000);
    assert_int_equal(kit->logged[LOG_PARTITIONS_WITHHELD], 1);
    assert_non_null(strstr(kit->words[LOG_PARTITIONS_WITHHELD],
                           "requests: group kit takes nothing from 2 partitions (1,3; 574 records, "
                           "the oldest 72 h old)"));
    assert_non_null(strstr(kit->words[LOG_PARTITIONS_WITHHELD], "kafka.start=earliest"));
    withhold(kit, 4, 1, -1);
    kit_wait(kit, 500000);
    assert_int_equal(kit->logged[LOG_PARTITIONS_WITHHELD], 1);
    kit_wait(kit, 98000);
    assert_int_equal(kit->logged[LOG_PARTITIONS_WITHHELD], 2);
    assert_non_null(strstr(kit->words[LOG_PARTITIONS_WITHHELD], "3 partitions (1,3,4; "));
    kit_free(kit);
}

static void a_withheld_partition_is_read_again_and_goes_on_when_an_offset_is_there(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    withhold(kit, 1, 7, 3600000);
    kit_wait(kit, WITHHELD_AGAIN_MS);
    assert_int_equal(kit->reads.count, 1);
    kit->committed[1] = 5; /* an operator has set it */
    size_t starts = kit->starts.count;
    kit_read(kit);
    assert_int_equal(kit->starts.count, starts + 1);
    assert_int_equal(kit->starts.list[starts].offset, 5);
    assert_true(engine_room(kit->engine, kit->tenures[1]) > 0);
    kit_wait(kit, 2 * WITHHELD_AGAIN_MS);
    assert_int_equal(kit->logged[LOG_PARTITIONS_WITHHELD], 1);
    kit_free(kit);
}

static void a_withheld_partition_is_released_at_once(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    withhold(kit, 1, 7, 3600000);
    engine_partition_revoked(kit->engine, kit->tenures[1]);
    assert_int_equal(kit->releases.count, 1);
    withhold(kit, 2, 7, 3600000);
    engine_partition_lost(kit->engine, kit->tenures[2]);
    engine_stop(kit->engine);
    kit_wait(kit, 1000);
    assert_true(kit->has_ended);
    assert_int_equal(kit->exit_code, 0);
    kit_free(kit);
}

static void explain_says_why_a_withheld_request_is_not_taken(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    struct buf json;
    buf_init(&json, 65536);
    withhold(kit, 1, 7, 3600000);
    engine_explain(kit->engine,
                   &(struct explain_query){
                       .kind = EXPLAIN_POSITION, .text = KIT_TOPIC, .partition = 1, .offset = 3},
                   &json);
    assert_non_null(strstr(buf_text(&json), "requests-1@3 is not taken"));
    assert_non_null(strstr(buf_text(&json), "kafka.start=latest"));
    buf_reset(&json);
    engine_status(kit->engine, &json);
    assert_non_null(strstr(buf_text(&json), "\"state\":\"withheld\",\"withheld\":\"no_offset\""));
    buf_done(&json);
    kit_free(kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_taken_from_a_withheld_partition_and_the_others_go_on),
        cmocka_unit_test(one_line_a_topic_names_the_withheld_partitions_every_ten_minutes),
        cmocka_unit_test(a_withheld_partition_is_read_again_and_goes_on_when_an_offset_is_there),
        cmocka_unit_test(a_withheld_partition_is_released_at_once),
        cmocka_unit_test(explain_says_why_a_withheld_request_is_not_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
