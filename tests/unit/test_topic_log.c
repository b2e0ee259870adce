/* A partition's log that is not the one its committed offset was written for: retention, logs that
 * were cut, also those that have grown again, and topics that were recreated. */
#include "unit/engine_kit.h"

#include "engine/withheld.h"

#define FIRST_TOPIC  "the first topic."
#define SECOND_TOPIC "the second topic"

static int64_t last_start(const struct kit *kit)
{
    assert_true(kit->starts.count > 0);
    return kit->starts.list[kit->starts.count - 1].offset;
}

static void take(struct kit *kit, int64_t from, int64_t end)
{
    for (int64_t offset = from; offset < end; offset++)
        kit_request(kit, 0, offset, NULL, "");
    kit_turn(kit);
}

/* A second life after this history: of the records 0 to 11, written under epoch 5, all are answered
 * but `open` (-1 = none), whose call was running. */
static struct kit *second_life(int64_t open)
{
    struct kit *kit = kit_new(NULL);
    kit->topic_id = FIRST_TOPIC;
    kit->epoch_now = 5;
    kit_assign(kit, 0);
    take(kit, 0, 12);
    for (int64_t offset = 0; offset < 12; offset++)
        if (offset != open)
            kit_answer(kit, offset);
    kit_settle(kit);
    assert_int_equal(kit->epochs[0], 5);
    kit->may_go_back = true;
    kit_die(kit);
    kit_assign(kit, 0);
    assert_int_equal(last_start(kit), open < 0 ? 12 : open);
    assert_int_equal(kit->start_epoch, 5);
    return kit;
}

static void out_of_range(struct kit *kit, int64_t end, int64_t low, int64_t high)
{
    size_t before = kit->watermarks.count;
    engine_partition_out_of_range(kit->engine, kit->tenures[0], end);
    kit_read(kit);
    assert_int_equal(kit->watermarks.count, before + 1);
    engine_watermarks_read(kit->engine, kit->tenures[0], OK, low, high);
}

static void a_log_that_was_cut_goes_on_at_the_cut_and_pays_nothing_again(void **state)
{
    (void)state;
    static const int64_t HIGHS[] = {8, 15}; /* short, and grown past the offset */
    for (size_t i = 0; i < COUNT_OF(HIGHS); i++) {
        struct kit *kit = second_life(-1);
        size_t calls = kit->call_count;
        out_of_range(kit, 8, 0, HIGHS[i]);
        assert_int_equal(last_start(kit), 8);
        assert_int_equal(kit->logged[LOG_PARTITION_CUT], 1);
        assert_non_null(strstr(kit->words[LOG_PARTITION_CUT],
                               "the log was cut at 8 (an unclean leader election) below offset 12: "
                               "4 offsets are lost"));
        kit->epoch_now = 6;
        take(kit, 8, 11); /* new requests at old offsets */
        assert_int_equal(kit->call_count, calls + 3);
        for (int64_t offset = 8; offset < 11; offset++)
            kit_answer(kit, offset);
        kit_settle(kit);
        assert_int_equal(kit->committed[0], 11);
        assert_int_equal(kit->epochs[0], 6);
        kit_free(kit);
    }
}

/* Retention has deleted what came right behind the cut before the worker looked: all that is there
 * is new. */
static void a_log_that_was_cut_below_its_beginning_goes_on_there(void **state)
{
    (void)state;
    struct kit *kit = second_life(-1);
    out_of_range(kit, 8, 10, 15);
    assert_int_equal(last_start(kit), 10);
    size_t calls = kit->call_count;
    kit->epoch_now = 6;
    take(kit, 10, 15);
    assert_int_equal(kit->call_count, calls + 5);
    kit_free(kit);
    kit = second_life(3); /* the map says that 4 to 11 are done */
    out_of_range(kit, 2, 6, 12);
    out_of_range(kit, OUT_OF_RANGE, 6, 12);
    assert_int_equal(last_start(kit), 6);
    calls = kit->call_count;
    kit->epoch_now = 6;
    take(kit, 6, 12);
    assert_int_equal(kit->call_count, calls + 6);
    kit_free(kit);
}

static void calls_of_records_that_were_cut_end_and_the_others_are_used(void **state)
{
    (void)state;
    struct engine_config config = kit_config();
    config.keep_lost_ms = 600000;
    struct kit *kit = kit_new(&config);
    kit->topic_id = FIRST_TOPIC;
    kit->epoch_now = 5;
    kit_assign(kit, 0);
    take(kit, 0, 12);
    kit_commit(kit);
    assert_int_equal(kit_open_calls(kit), 12);
    out_of_range(kit, 8, 0, 8);
    assert_int_equal(kit->logged[LOG_PARTITION_CUT], 1);
    assert_int_equal(kit_open_calls(kit), 8);
    take(kit, 0, 8);
    for (int64_t offset = 0; offset < 8; offset++)
        kit_answer(kit, offset);
    kit_settle(kit);
    assert_int_equal(kit->call_count, 12);
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 8);
    assert_int_equal(kit->committed[0], 8);
    kit_free(kit);
}

static void a_map_is_kept_below_the_cut(void **state)
{
    (void)state;
    struct kit *kit = second_life(3);
    size_t calls = kit->call_count;
    kit->epoch_now = 5;
    take(kit, 3, 8); /* 4 to 7 are done */
    assert_int_equal(kit->call_count, calls + 1);
    kit->epoch_now = 6;
    kit_request(kit, 0, 8, NULL, ""); /* a newer record where the map covers older ones */
    assert_int_equal(kit->logged[LOG_PARTITION_CUT], 1);
    assert_int_equal(last_start(kit), 3);
    kit->epoch_now = 5;
    kit_wait(kit, 200);
    take(kit, 3, 8);
    kit->epoch_now = 6;
    take(kit, 8, 10);
    kit_wait(kit, 200);
    assert_int_equal(kit_calls_of(kit, 7), 1);
    assert_int_equal(kit_calls_of(kit, 8), 2); /* the old one and the new one */
    kit_answer(kit, 3);
    kit_answer(kit, 8);
    kit_answer(kit, 9);
    kit_settle(kit);
    assert_int_equal(kit->committed[0], 10);
    kit_free(kit);
}

static void a_log_that_ends_inside_the_map_was_cut_there(void **state)
{
    (void)state;
    struct kit *kit = second_life(3);
    take(kit, 3, 8);
    engine_partition_end(kit->engine, kit->tenures[0], 8);
    assert_int_equal(kit->watermarks.count, 1);
    engine_watermarks_read(kit->engine, kit->tenures[0], OK, 0, 8);
    assert_int_equal(kit->logged[LOG_PARTITION_CUT], 1);
    kit->epoch_now = 6;
    kit_wait(kit, 200);
    take(kit, 3, 9);
    kit_wait(kit, 200);
    assert_int_equal(kit_calls_of(kit, 8), 2);
    kit_free(kit);
}

static void a_new_leader_that_lags_is_not_taken_for_a_cut(void **state)
{
    (void)state;
    struct kit *kit = second_life(3);
    take(kit, 3, 8);
    engine_partition_end(kit->engine, kit->tenures[0], 8);
    engine_watermarks_read(kit->engine, kit->tenures[0], OK, 0, 12);
    assert_int_equal(kit->logged[LOG_PARTITION_CUT], 0);
    take(kit, 8, 12);
    kit_answer(kit, 3);
    kit_settle(kit);
    assert_int_equal(kit->committed[0], 12);
    kit_free(kit);
}

static void an_end_that_nothing_explains_withholds_the_partition(void **state)
{
    (void)state;
    static const struct {
        const char *topic_id;
        int64_t end, high;
    } CASES[] = {
        {FIRST_TOPIC, OUT_OF_RANGE, 8},
        {FIRST_TOPIC, OUT_OF_RANGE_CUT, 8},
        {FIRST_TOPIC, OUT_OF_RANGE_CUT, 20},
        {FIRST_TOPIC, 40, 8},
        {NULL, OUT_OF_RANGE, 8},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct kit *kit = second_life(-1);
        size_t calls = kit->call_count;
        kit->topic_id = CASES[i].topic_id;
        out_of_range(kit, CASES[i].end, 0, CASES[i].high);
        kit_wait(kit, 3000);
        assert_int_equal(kit->logged[LOG_PARTITIONS_WITHHELD], 1);
        assert_int_equal(engine_room(kit->engine, kit->tenures[0]), 0);
        assert_int_equal(kit->call_count, calls);
        assert_int_equal(kit->committed[0], 12);
        kit_free(kit);
    }
}

static void an_offset_within_the_log_is_fetched_again(void **state)
{
    (void)state;
    struct kit *kit = second_life(-1);
    out_of_range(kit, OUT_OF_RANGE, 0, 20);
    assert_int_equal(last_start(kit), 12);
    assert_int_equal(kit->logged[LOG_PARTITION_CUT], 0);
    kit_free(kit);
}

static void a_recreated_topic_is_noticed_at_the_assignment_however_far_it_has_grown(void **state)
{
    (void)state;
    struct kit *kit = second_life(3);
    kit->topic_id = SECOND_TOPIC;
    kit_die(kit);
    kit_assign(kit, 0);
    assert_int_equal(last_start(kit), -2);
    assert_int_equal(kit->logged[LOG_PARTITION_RECREATED], 1);
    size_t calls = kit->call_count;
    take(kit, 0, 14);
    kit_wait(kit, 200);
    assert_int_equal(kit->call_count, calls + 14);
    for (int64_t offset = 0; offset < 14; offset++)
        kit_answer(kit, offset);
    kit_settle(kit);
    assert_int_equal(kit->committed[0], 14);
    kit_die(kit); /* the map names the new topic now */
    kit_assign(kit, 0);
    assert_int_equal(last_start(kit), 14);
    kit_free(kit);
}

static void a_topic_whose_id_is_unknown_is_taken_for_the_same(void **state)
{
    (void)state;
    struct kit *kit = second_life(-1);
    kit->topic_id = NULL;
    kit_die(kit);
    kit_assign(kit, 0);
    assert_int_equal(last_start(kit), 12);
    assert_int_equal(kit->logged[LOG_PARTITION_RECREATED], 0);
    kit_free(kit);
}

static void no_epoch_is_committed_behind_markers(void **state)
{
    (void)state;
    struct kit *kit = kit_new(NULL);
    kit->epoch_now = 5;
    kit_assign(kit, 0);
    take(kit, 0, 2);
    kit_answer(kit, 0);
    kit_answer(kit, 1);
    kit_settle(kit);
    assert_int_equal(kit->epochs[0], 5);
    engine_partition_end(kit->engine, kit->tenures[0], 4); /* a marker, perhaps of a newer epoch */
    kit_settle(kit);
    assert_int_equal(kit->committed[0], 4);
    assert_int_equal(kit->epochs[0], -1);
    kit_free(kit);
}

static void a_running_worker_whose_log_is_cut_goes_on_at_the_cut(void **state)
{
    (void)state;
    struct kit *kit = second_life(-1);
    take(kit, 12, 16);
    kit_answer(kit, 12);
    kit_answer(kit, 15);
    kit_settle(kit);
    out_of_range(kit, 14, 0, 14);
    assert_int_equal(kit->logged[LOG_PARTITION_CUT], 1);
    assert_int_equal(last_start(kit), 13);
    kit->epoch_now = 6;
    take(kit, 13, 16);
    kit_wait(kit, 200);
    assert_int_equal(kit_calls_of(kit, 15), 2); /* another request lies there now */
    kit_free(kit);
}

static void a_cut_does_not_end_a_doubt(void **state)
{
    (void)state;
    struct kit *kit = second_life(3);
    take(kit, 3, 8);
    kit_wait(kit, 200);
    if (kit->has_batch)
        kit_commit(kit);
    engine_partition_end(kit->engine, kit->tenures[0], 8);
    (void)snprintf(kit->membership, sizeof kit->membership, "generation 2");
    kit->tenures[1] = (struct tenure){1, ++kit->epoch};
    engine_partition_assigned(kit->engine, kit->tenures[1], KIT_TOPIC, 1); /* it notices that */
    engine_watermarks_read(kit->engine, kit->tenures[0], OK, 0, 8);
    assert_int_equal(kit->logged[LOG_PARTITION_CUT], 1);
    kit->epoch_now = 6;
    size_t calls = kit->call_count;
    take(kit, 3, 9);
    kit_wait(kit, 200);
    assert_int_equal(kit->call_count, calls);
    assert_true(!kit->has_batch || kit->batch.offset_count == 0);
    kit_read(kit);
    kit_wait(kit, 200);
    assert_true(kit->call_count > calls);
    kit_free(kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_log_that_was_cut_goes_on_at_the_cut_and_pays_nothing_again),
        cmocka_unit_test(a_log_that_was_cut_below_its_beginning_goes_on_there),
        cmocka_unit_test(calls_of_records_that_were_cut_end_and_the_others_are_used),
        cmocka_unit_test(a_map_is_kept_below_the_cut),
        cmocka_unit_test(a_log_that_ends_inside_the_map_was_cut_there),
        cmocka_unit_test(a_new_leader_that_lags_is_not_taken_for_a_cut),
        cmocka_unit_test(an_end_that_nothing_explains_withholds_the_partition),
        cmocka_unit_test(an_offset_within_the_log_is_fetched_again),
        cmocka_unit_test(a_recreated_topic_is_noticed_at_the_assignment_however_far_it_has_grown),
        cmocka_unit_test(a_topic_whose_id_is_unknown_is_taken_for_the_same),
        cmocka_unit_test(no_epoch_is_committed_behind_markers),
        cmocka_unit_test(a_cut_does_not_end_a_doubt),
        cmocka_unit_test(a_running_worker_whose_log_is_cut_goes_on_at_the_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
