/* Where a partition begins that has no committed offset: kafka.start. */
#include "unit/engine_kit.h"

#include "engine/withheld.h"

#define HOUR_MS 3600000LL

/* A kit whose group has committed nothing. */
static struct kit *fresh_kit(enum start start)
{
    struct engine_config config = kit_config();
    config.start = start;
    struct kit *kit = kit_new(&config);
    for (size_t i = 0; i < COUNT_OF(kit->committed); i++)
        kit->committed[i] = -1;
    return kit;
}

static void siblings(struct kit *kit, uint32_t slot, const struct committed *maps, size_t count)
{
    assert_int_equal(kit->siblings.count, 1);
    kit->siblings.count = 0;
    engine_siblings_read(kit->engine, kit->tenures[slot], kit->siblings.list[0].ticket, OK, maps,
                         count);
}

/* The first record of the partition, of this age. */
static void first_record(struct kit *kit, uint32_t slot, int64_t offset, int64_t age_ms)
{
    char value[128];
    (void)snprintf(value, sizeof value,
                   "{\"model\":\"m.1\",\"messages\":[[\"human\",\"[[%lld]] hi\"]]}",
                   (long long)offset);
    assert_int_equal(engine_room(kit->engine, kit->tenures[slot]), 1);
    struct record record = {
        .topic = KIT_TOPIC,
        .partition = (int32_t)slot,
        .offset = offset,
        .timestamp_ms = age_ms < 0 ? -1 : KIT_WALL_MS + kit->now_ms - age_ms,
        .timestamp_type = age_ms < 0 ? TIMESTAMP_NONE : TIMESTAMP_CREATE,
        .value = slice_of_text(value),
    };
    engine_record(kit->engine, kit->tenures[slot], &record);
}

static int64_t last_start(const struct kit *kit)
{
    assert_true(kit->starts.count > 0);
    return kit->starts.list[kit->starts.count - 1].offset;
}

static void a_fresh_topic_is_taken_from_its_first_record(void **state)
{
    (void)state;
    struct kit *kit = fresh_kit(START_AUTO);
    kit_assign(kit, 0);
    siblings(kit, 0, NULL, 0);
    assert_int_equal(last_start(kit), -2);
    first_record(kit, 0, 7, HOUR_MS - 1000);
    kit_wait(kit, 200);
    assert_int_equal(kit_open_calls(kit), 1);
    assert_true(kit->has_batch); /* where it begins is committed before anything is answered */
    kit_commit(kit);
    assert_int_equal(kit->committed[0], 7);
    kit_answer(kit, 7);
    kit_settle(kit);
    assert_int_equal(kit->committed[0], 8);
    kit_free(kit);
}

static void a_first_record_deleted_before_it_comes_gives_way_to_the_next(void **state)
{
    (void)state;
    static const enum start STARTS[] = {START_AUTO, START_EARLIEST};
    for (size_t i = 0; i < COUNT_OF(STARTS); i++) {
        struct kit *kit = fresh_kit(STARTS[i]);
        kit_assign(kit, 0);
        if (STARTS[i] == START_AUTO)
            siblings(kit, 0, NULL, 0);
        assert_int_equal(kit->starts.count, 1);
        engine_partition_out_of_range(kit->engine, kit->tenures[0], OUT_OF_RANGE);
        assert_int_equal(kit->starts.count, 2); /* io has stopped it */
        assert_int_equal(last_start(kit), -2);
        first_record(kit, 0, 9, 1000);
        kit_wait(kit, 200);
        kit_commit(kit);
        assert_int_equal(kit->committed[0], 9);
        kit_answer(kit, 9);
        kit_settle(kit);
        assert_int_equal(kit->committed[0], 10);
        kit_free(kit);
    }
}

static void an_empty_log_is_committed_at_once(void **state)
{
    (void)state;
    static const enum start STARTS[] = {START_AUTO, START_EARLIEST};
    for (size_t i = 0; i < COUNT_OF(STARTS); i++) {
        struct kit *kit = fresh_kit(STARTS[i]);
        kit_assign(kit, 0);
        if (STARTS[i] == START_AUTO)
            siblings(kit, 0, NULL, 0);
        engine_partition_end(kit->engine, kit->tenures[0], 3); /* only markers lie there */
        kit_wait(kit, 200);
        kit_commit(kit);
        assert_int_equal(kit->committed[0], 3);
        kit_free(kit);
    }
}

/* Nothing of it is taken, called or committed, and the line says how much waits there. */
static void assert_withheld(struct kit *kit, const char *says)
{
    engine_watermarks_read(kit->engine, kit->tenures[0], OK, 0, 581);
    kit_wait(kit, 3000);
    assert_int_equal(engine_room(kit->engine, kit->tenures[0]), 0);
    assert_int_equal(kit->pauses.count, 1);
    assert_int_equal(kit->call_count, 0);
    assert_false(kit->has_batch);
    assert_int_equal(kit->logged[LOG_PARTITIONS_WITHHELD], 1);
    assert_non_null(strstr(kit->words[LOG_PARTITIONS_WITHHELD], says));
    kit_free(kit);
}

static void an_old_backlog_is_withheld_and_none_of_it_is_paid(void **state)
{
    (void)state;
    struct kit *kit = fresh_kit(START_AUTO);
    kit_assign(kit, 0);
    siblings(kit, 0, NULL, 0);
    first_record(kit, 0, 7, 72 * HOUR_MS);
    assert_int_equal(engine_room(kit->engine, kit->tenures[0]), 0);
    engine_watermarks_read(kit->engine, kit->tenures[0], ERR_IO, 0, 0);
    assert_int_equal(kit->watermarks.count, 2); /* asked again */
    assert_withheld(kit, "574 records, the oldest 72 h old");
}

static void records_without_a_time_and_of_the_far_future_are_withheld(void **state)
{
    (void)state;
    static const int64_t AGES[] = {-1, HOUR_MS + 1};
    for (size_t i = 0; i < COUNT_OF(AGES); i++) {
        struct kit *kit = fresh_kit(START_AUTO);
        kit_assign(kit, 0);
        siblings(kit, 0, NULL, 0);
        first_record(kit, 0, 0, AGES[i]);
        assert_withheld(kit, "581 records");
    }
    struct kit *kit = fresh_kit(START_AUTO);
    kit_assign(kit, 0);
    siblings(kit, 0, NULL, 0);
    kit_time(kit, 0);
    struct record record = {.topic = KIT_TOPIC,
                            .timestamp_ms = KIT_WALL_MS + kit->now_ms + HOUR_MS + 1,
                            .timestamp_type = TIMESTAMP_CREATE,
                            .value = SLICE("{}")};
    engine_record(kit->engine, kit->tenures[0], &record);
    assert_withheld(kit, "581 records");
}

static void maps_that_name_no_number_of_partitions_prove_nothing(void **state)
{
    (void)state;
    static const struct committed MAPS[] = {
        {.metadata = {"", 0}}, {.metadata = {"bw1AAAAAAAAAAAA", 15}}, {.metadata = {"else", 4}}};
    for (size_t i = 0; i < COUNT_OF(MAPS); i++) {
        struct kit *kit = fresh_kit(START_AUTO);
        kit_assign(kit, 0);
        siblings(kit, 0, &MAPS[i], 1);
        first_record(kit, 0, 0, 2 * HOUR_MS);
        assert_withheld(kit, "581 records");
    }
}

/* Partition `number` of a topic that is old, whose sibling's map says that there were `then`; with
 * `damage` a map that does not fit its offset. */
static struct kit *grown(enum start start, uint32_t number, uint32_t then, bool damage)
{
    struct kit *kit = fresh_kit(start);
    char text[64];
    struct buf map = {.ptr = text, .room = sizeof text, .limit = sizeof text};
    struct offset_map_stamp stamp = {.nonce = 1, .partitions = then};
    offset_map_add(&map, 900, 899, NULL, 0, &stamp);
    const struct committed sibling = {.offset = damage ? 901 : 900, .metadata = buf_slice(&map)};
    kit_assign(kit, number);
    siblings(kit, number, &sibling, 1);
    return kit;
}

static void a_partition_added_to_a_known_topic_is_taken_from_its_beginning(void **state)
{
    (void)state;
    static const enum start STARTS[] = {START_AUTO, START_LATEST};
    for (size_t i = 0; i < COUNT_OF(STARTS); i++) {
        struct kit *kit = grown(STARTS[i], 4, 4, false);
        assert_int_equal(last_start(kit), -2);
        first_record(kit, 4, 0, 72 * HOUR_MS);
        kit_wait(kit, 200);
        kit_commit(kit);
        assert_int_equal(kit->committed[4], 0);
        assert_int_equal(kit_open_calls(kit), 1);
        kit_free(kit);
    }
}

static void a_partition_that_its_siblings_knew_is_not_new(void **state)
{
    (void)state;
    struct kit *kit = grown(START_AUTO, 0, 4, false);
    first_record(kit, 0, 0, 72 * HOUR_MS);
    assert_withheld(kit, "581 records");
    kit = grown(START_LATEST, 3, 4, false);
    assert_int_equal(kit->starts.count, 0); /* its end is asked for */
    assert_int_equal(kit->watermarks.count, 1);
    kit_free(kit);
}

static void a_damaged_map_of_a_sibling_proves_nothing(void **state)
{
    (void)state;
    struct kit *kit = grown(START_LATEST, 4, 4, true);
    assert_int_equal(kit->starts.count, 0);
    assert_int_equal(kit->watermarks.count, 1);
    kit_free(kit);
}

static void earliest_takes_an_old_backlog_and_asks_nothing(void **state)
{
    (void)state;
    struct kit *kit = fresh_kit(START_EARLIEST);
    kit_assign(kit, 0);
    assert_int_equal(kit->siblings.count, 0);
    first_record(kit, 0, 7, 72 * HOUR_MS);
    kit_wait(kit, 200);
    kit_commit(kit);
    assert_int_equal(kit->committed[0], 7);
    assert_int_equal(kit_open_calls(kit), 1);
    kit_free(kit);
}

static void latest_skips_the_backlog_and_commits_where_it_begins(void **state)
{
    (void)state;
    struct kit *kit = fresh_kit(START_LATEST);
    kit_assign(kit, 0);
    siblings(kit, 0, NULL, 0);
    engine_watermarks_read(kit->engine, kit->tenures[0], OK, 0, 581);
    assert_int_equal(last_start(kit), 581);
    kit_wait(kit, 200);
    kit_commit(kit);
    assert_int_equal(kit->committed[0], 581);
    kit_die(kit); /* a second life begins there, not at the new end */
    kit_assign(kit, 0);
    assert_int_equal(last_start(kit), 581);
    kit_free(kit);
}

static void an_unknown_answer_about_the_siblings_is_asked_again(void **state)
{
    (void)state;
    struct kit *kit = fresh_kit(START_AUTO);
    kit_assign(kit, 0);
    engine_siblings_read(kit->engine, kit->tenures[0], kit->siblings.list[0].ticket, ERR_IO, NULL,
                         0);
    kit_wait(kit, 600);
    kit_read(kit);
    assert_int_equal(kit->siblings.count, 2);
    engine_siblings_read(kit->engine, kit->tenures[0], kit->siblings.list[0].ticket, OK, NULL,
                         0); /* late */
    assert_int_equal(kit->starts.count, 0);
    engine_siblings_read(kit->engine, kit->tenures[0], kit->siblings.list[1].ticket, OK, NULL, 0);
    assert_int_equal(last_start(kit), -2);
    kit_free(kit);
}

static void a_doubt_while_it_looks_asks_from_the_start(void **state)
{
    (void)state;
    struct kit *kit = fresh_kit(START_AUTO);
    kit_assign(kit, 0);
    siblings(kit, 0, NULL, 0);
    (void)snprintf(kit->membership, sizeof kit->membership, "generation 2");
    kit->committed[0] = 12; /* another worker began meanwhile */
    kit_assign(kit, 1);
    assert_int_equal(last_start(kit), 12);
    assert_true(engine_room(kit->engine, kit->tenures[0]) > 1);
    kit_free(kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fresh_topic_is_taken_from_its_first_record),
        cmocka_unit_test(a_first_record_deleted_before_it_comes_gives_way_to_the_next),
        cmocka_unit_test(an_empty_log_is_committed_at_once),
        cmocka_unit_test(an_old_backlog_is_withheld_and_none_of_it_is_paid),
        cmocka_unit_test(records_without_a_time_and_of_the_far_future_are_withheld),
        cmocka_unit_test(maps_that_name_no_number_of_partitions_prove_nothing),
        cmocka_unit_test(a_partition_added_to_a_known_topic_is_taken_from_its_beginning),
        cmocka_unit_test(a_partition_that_its_siblings_knew_is_not_new),
        cmocka_unit_test(a_damaged_map_of_a_sibling_proves_nothing),
        cmocka_unit_test(earliest_takes_an_old_backlog_and_asks_nothing),
        cmocka_unit_test(latest_skips_the_backlog_and_commits_where_it_begins),
        cmocka_unit_test(an_unknown_answer_about_the_siblings_is_asked_again),
        cmocka_unit_test(a_doubt_while_it_looks_asks_from_the_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
