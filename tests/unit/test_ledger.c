#include "unit/ledger_kit.h"

#include "unit/steps.h"

/* ---- the life of offsets ---- */

static void a_new_partition_begins_at_its_first_record(void **state)
{
    (void)state;
    struct ledger ledger OWNED_BY(ledger_done);
    struct buf map OWNED_BY(buf_done);
    buf_init(&map, MAP_LIMIT);
    open_ledger(&ledger, MAP_LIMIT, -1, SLICE_NULL);
    assert_false(ledger.is_changed);
    assert_int_equal(ledger_front(&ledger), 0);
    take(&ledger, 1000);
    assert_int_equal(ledger_front(&ledger), 1000);
    finish(&ledger, 1000);
    commit(&ledger, &map);
    assert_int_equal(ledger.committed_offset, 1001);
    assert_int_equal(ledger.count, 0);
}

static void the_front_waits_for_the_lowest_open_offset(void **state)
{
    (void)state;
    struct ledger ledger OWNED_BY(ledger_done);
    struct buf map OWNED_BY(buf_done);
    buf_init(&map, MAP_LIMIT);
    open_ledger(&ledger, MAP_LIMIT, 5, SLICE_NULL);
    for (int64_t offset = 5; offset < 10; offset++)
        take(&ledger, offset);
    finish(&ledger, 9); /* the highest finished first: it must not be committed */
    commit(&ledger, &map);
    assert_int_equal(ledger.committed_offset, 5);
    finish(&ledger, 5);
    finish(&ledger, 7);
    commit(&ledger, &map);
    assert_int_equal(ledger.committed_offset, 6);
    pass_on(&ledger, &map);
    assert_false(is_done(&ledger, 6));
    assert_true(is_done(&ledger, 7));
    assert_false(is_done(&ledger, 8));
    assert_true(is_done(&ledger, 9));
    assert_false(is_done(&ledger, 10));
}

static void finished_offsets_of_the_previous_owner_are_kept(void **state)
{
    (void)state;
    struct ledger ledger OWNED_BY(ledger_done);
    struct buf map OWNED_BY(buf_done);
    buf_init(&map, MAP_LIMIT);
    open_ledger(&ledger, MAP_LIMIT, 0, SLICE_NULL);
    for (int64_t offset = 0; offset < 10; offset++)
        take(&ledger, offset);
    begin(&ledger, 0);
    finish(&ledger, 8);
    finish(&ledger, 9);
    commit(&ledger, &map);
    pass_on(&ledger, &map);
    /* The new owner commits before it reads 8 and 9, and dies too. */
    assert_false(is_done(&ledger, 0));
    assert_false(is_done(&ledger, 1));
    finish(&ledger, 1);
    commit(&ledger, &map);
    assert_int_equal(ledger.committed_offset, 0);
    pass_on(&ledger, &map);
    for (int64_t offset = 0; offset < 11; offset++)
        assert_int_equal(is_done(&ledger, offset), offset == 1 || offset == 8 || offset == 9);
}

static void begun_counts_grow_with_every_owner_that_dies(void **state)
{
    (void)state;
    struct ledger ledger OWNED_BY(ledger_done);
    struct buf map OWNED_BY(buf_done);
    buf_init(&map, MAP_LIMIT);
    open_ledger(&ledger, MAP_LIMIT, 3, SLICE_NULL);
    for (int deaths = 0; deaths < 20; deaths++) {
        struct ledger_taken taken = ledger_take(&ledger, 3, 1);
        int known = deaths > OFFSET_MAP_BEGUN_MAX ? OFFSET_MAP_BEGUN_MAX : deaths;
        assert_true(taken.is_open);
        assert_int_equal(taken.begun, known);
        assert_int_equal(taken.was_running, deaths > 0);
        if (taken.was_running)
            ledger_record(&ledger, 3, true);
        begin(&ledger, 3);
        assert_true(ledger.is_changed);
        commit(&ledger, &map);
        pass_on(&ledger, &map);
    }
}

static void an_unrecorded_lost_call_is_passed_to_the_next_owner(void **state)
{
    (void)state;
    struct ledger ledger OWNED_BY(ledger_done);
    struct buf map OWNED_BY(buf_done);
    buf_init(&map, MAP_LIMIT);
    open_ledger(&ledger, MAP_LIMIT, 3, SLICE_NULL);
    take(&ledger, 3);
    begin(&ledger, 3);
    commit(&ledger, &map);
    for (int i = 0; i < 3; i++) { /* owners that only commit something else */
        pass_on(&ledger, &map);
        struct ledger_taken taken = ledger_take(&ledger, 3, 1);
        assert_true(taken.was_running);
        assert_int_equal(taken.begun, 1);
        commit(&ledger, &map);
    }
    pass_on(&ledger, &map);
    assert_true(ledger_take(&ledger, 3, 1).was_running);
    ledger_record(&ledger, 3, true);
    commit(&ledger, &map);
    pass_on(&ledger, &map);
    struct ledger_taken taken = ledger_take(&ledger, 3, 1);
    assert_false(taken.was_running);
    assert_int_equal(taken.begun, 1);
}

static void an_ended_call_counts_as_running_until_its_usage_is_recorded(void **state)
{
    (void)state;
    struct ledger ledger OWNED_BY(ledger_done);
    struct buf map OWNED_BY(buf_done);
    buf_init(&map, MAP_LIMIT);
    open_ledger(&ledger, MAP_LIMIT, 3, SLICE_NULL);
    take(&ledger, 3);
    begin(&ledger, 3);
    ledger_call_ended(&ledger, 3, true);
    commit(&ledger, &map); /* its usage was not in this batch */
    struct offset_open open;
    size_t count;
    int64_t last;
    assert_int_equal(offset_map_read(buf_slice(&map), 3, &open, 1, &count, &last), OK);
    assert_int_equal(count, 1);
    assert_true(open.is_under_way);
    ledger_record(&ledger, 3, false);
    commit(&ledger, &map);
    /* No call is running and no owner died: the map says nothing about it. */
    assert_int_equal(offset_map_read(buf_slice(&map), 3, &open, 1, &count, &last), OK);
    assert_int_equal(count, 0);
}

static void an_abort_restores_the_ledger(void **state)
{
    (void)state;
    struct ledger ledger OWNED_BY(ledger_done);
    struct buf before OWNED_BY(buf_done);
    struct buf after OWNED_BY(buf_done);
    buf_init(&before, MAP_LIMIT);
    buf_init(&after, MAP_LIMIT);
    open_ledger(&ledger, MAP_LIMIT, 0, SLICE_NULL);
    for (int64_t offset = 0; offset < 4; offset++)
        take(&ledger, offset);
    begin(&ledger, 1);
    ledger_call_ended(&ledger, 1, true);
    finish(&ledger, 2);
    assert_int_equal(ledger_add_map(&ledger, &(struct offset_map_stamp){.nonce = 1}, &before), OK);
    int64_t front = ledger_front(&ledger);
    ledger_record(&ledger, 1, false);
    ledger_put_in_batch(&ledger, 2);
    assert_int_equal(ledger_add_map(&ledger, &(struct offset_map_stamp){.nonce = 1}, &after), OK);
    assert_false(slice_equal(buf_slice(&before), buf_slice(&after)));
    ledger.is_changed = false;
    ledger_abort(&ledger);
    ledger_unrecord(&ledger, 1, false);
    assert_true(ledger.is_changed);
    buf_reset(&after);
    assert_int_equal(ledger_add_map(&ledger, &(struct offset_map_stamp){.nonce = 1}, &after), OK);
    assert_true(slice_equal(buf_slice(&before), buf_slice(&after)));
    assert_int_equal(ledger_front(&ledger), front);
}

/* ---- gaps, markers, truncation ---- */

static void the_front_passes_markers_and_compacted_offsets(void **state)
{
    (void)state;
    struct ledger ledger OWNED_BY(ledger_done);
    struct buf map OWNED_BY(buf_done);
    buf_init(&map, MAP_LIMIT);
    open_ledger(&ledger, MAP_LIMIT, 10, SLICE_NULL);
    take(&ledger, 12); /* 10 and 11 are deleted */
    assert_int_equal(ledger_front(&ledger), 12);
    take(&ledger, 15);
    finish(&ledger, 12);
    finish(&ledger, 15);
    commit(&ledger, &map);
    assert_int_equal(ledger.committed_offset, 16);
    ledger_end(&ledger, 20); /* 16 to 19 are markers */
    assert_true(ledger.is_changed);
    commit(&ledger, &map);
    assert_int_equal(ledger.committed_offset, 20);
    ledger_end(&ledger, 20);
    ledger_end(&ledger, 18);
    assert_false(ledger.is_changed);
}

static void an_open_offset_that_the_log_lost_is_forgotten(void **state)
{
    (void)state;
    struct ledger ledger OWNED_BY(ledger_done);
    struct buf map OWNED_BY(buf_done);
    buf_init(&map, MAP_LIMIT);
    open_ledger(&ledger, MAP_LIMIT, 0, SLICE_NULL);
    for (int64_t offset = 0; offset < 6; offset++)
        take(&ledger, offset);
    begin(&ledger, 1);
    begin(&ledger, 3);
    finish(&ledger, 4);
    commit(&ledger, &map);
    pass_on(&ledger, &map);
    assert_int_equal(ledger.count, 4); /* 0 to 3; nothing is known of 5 */
    assert_false(is_done(&ledger, 2)); /* 0 and 1 were compacted away */
    assert_int_equal(ledger_front(&ledger), 2);
    assert_true(ledger.is_changed);
    finish(&ledger, 2);
    ledger_end(&ledger, 8); /* and 3 too */
    commit(&ledger, &map);
    assert_int_equal(ledger.committed_offset, 8);
    assert_int_equal(ledger.count, 0);
}

static void a_truncated_log_keeps_the_map_above_its_start(void **state)
{
    (void)state;
    struct ledger ledger OWNED_BY(ledger_done);
    struct buf map OWNED_BY(buf_done);
    buf_init(&map, MAP_LIMIT);
    open_ledger(&ledger, MAP_LIMIT, 10, SLICE_NULL);
    for (int64_t offset = 10; offset < 20; offset++)
        take(&ledger, offset);
    finish(&ledger, 12);
    finish(&ledger, 18);
    commit(&ledger, &map);
    pass_on(&ledger, &map);
    /* 10, 11, 13, 14 and 15 are gone; 12 was answered. */
    assert_int_equal(ledger_truncate(&ledger, 16), 5);
    assert_true(ledger.is_changed);
    assert_int_equal(ledger.next, 16);
    assert_int_equal(ledger_front(&ledger), 16);
    for (int64_t offset = 16; offset < 20; offset++)
        assert_int_equal(is_done(&ledger, offset), offset == 18);
    commit(&ledger, &map);
    assert_int_equal(ledger.committed_offset, 16);
}

static void a_log_truncated_beyond_the_map_counts_unseen_offsets_as_lost(void **state)
{
    (void)state;
    struct ledger ledger OWNED_BY(ledger_done);
    struct buf map OWNED_BY(buf_done);
    buf_init(&map, MAP_LIMIT);
    open_ledger(&ledger, MAP_LIMIT, 0, SLICE_NULL);
    for (int64_t offset = 0; offset < 10; offset++)
        take(&ledger, offset);
    finish(&ledger, 9);
    commit(&ledger, &map);
    pass_on(&ledger, &map);
    assert_int_equal(ledger_truncate(&ledger, 100), 9 + 90);
    assert_int_equal(ledger_front(&ledger), 100);
    assert_int_equal(ledger_truncate(&ledger, 100), 0);
    assert_int_equal(ledger_truncate(&ledger, 50), 0);
    assert_int_equal(ledger.next, 100);
}

static void offsets_held_by_jobs_survive_a_truncation(void **state)
{
    (void)state;
    struct ledger ledger OWNED_BY(ledger_done);
    struct buf map OWNED_BY(buf_done);
    buf_init(&map, MAP_LIMIT);
    open_ledger(&ledger, MAP_LIMIT, 0, SLICE_NULL);
    take(&ledger, 0);
    take(&ledger, 1);
    assert_int_equal(ledger_truncate(&ledger, 50), 48);
    finish(&ledger, 0);
    commit(&ledger, &map);
    assert_int_equal(ledger.committed_offset, 1);
    finish(&ledger, 1);
    commit(&ledger, &map);
    assert_int_equal(ledger.committed_offset, 50);
}

static void a_recreated_topic_restarts_with_an_empty_ledger(void **state)
{
    (void)state;
    struct ledger ledger OWNED_BY(ledger_done);
    struct buf map OWNED_BY(buf_done);
    buf_init(&map, MAP_LIMIT);
    open_ledger(&ledger, MAP_LIMIT, 100, SLICE_NULL);
    for (int64_t offset = 100; offset < 110; offset++)
        take(&ledger, offset);
    finish(&ledger, 109);
    commit(&ledger, &map);
    pass_on(&ledger, &map);
    ledger_restart(&ledger, 2);
    assert_true(ledger_agrees(&ledger, -1, SLICE(""))); /* forgotten with the old topic */
    assert_true(ledger.is_changed);
    assert_int_equal(ledger_front(&ledger), 2);
    assert_false(is_done(&ledger, 2));
    finish(&ledger, 2);
    commit(&ledger, &map);
    assert_int_equal(ledger.committed_offset, 3);
}

/* ---- cost ---- */

static void take_next(void *self)
{
    struct ledger *ledger = self;
    (void)ledger_take(ledger, ledger->next, 0);
}

static void end_next(void *self)
{
    struct ledger *ledger = self;
    ledger_end(ledger, ledger->next + 1);
}

static void a_record_costs_the_same_however_many_are_open(void **state)
{
    (void)state;
    if (!STEPS_ARE_THE_CODES_OWN)
        return;
    struct ledger ledger OWNED_BY(ledger_done);
    open_ledger(&ledger, 65536, 0, SLICE_NULL);
    while (ledger.count < 100)
        (void)ledger_take(&ledger, ledger.next, 0);
    size_t few = steps_of(take_next, &ledger, 5000), few_ends = steps_of(end_next, &ledger, 5000);
    while (ledger.count < 8000)
        (void)ledger_take(&ledger, ledger.next, 0);
    size_t many = steps_of(take_next, &ledger, 5000);
    size_t many_ends = steps_of(end_next, &ledger, 5000);
    print_message("take %zu, %zu; end %zu, %zu\n", few, many, few_ends, many_ends);
    assert_true(many < few + 500 && many_ends < few_ends + 500);
}

/* The last record's epoch is not that of the markers behind it. */
static void an_offset_behind_markers_has_no_known_epoch(void **state)
{
    (void)state;
    struct ledger ledger OWNED_BY(ledger_done);
    open_ledger(&ledger, 4096, 5, SLICE_NULL);
    ledger_see(&ledger, 5, 3);
    assert_int_equal(ledger_epoch(&ledger, 6), 3);
    assert_int_equal(ledger_epoch(&ledger, 7), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_offset_behind_markers_has_no_known_epoch),
        cmocka_unit_test(a_new_partition_begins_at_its_first_record),
        cmocka_unit_test(the_front_waits_for_the_lowest_open_offset),
        cmocka_unit_test(finished_offsets_of_the_previous_owner_are_kept),
        cmocka_unit_test(begun_counts_grow_with_every_owner_that_dies),
        cmocka_unit_test(an_unrecorded_lost_call_is_passed_to_the_next_owner),
        cmocka_unit_test(an_ended_call_counts_as_running_until_its_usage_is_recorded),
        cmocka_unit_test(an_abort_restores_the_ledger),
        cmocka_unit_test(the_front_passes_markers_and_compacted_offsets),
        cmocka_unit_test(an_open_offset_that_the_log_lost_is_forgotten),
        cmocka_unit_test(a_truncated_log_keeps_the_map_above_its_start),
        cmocka_unit_test(a_log_truncated_beyond_the_map_counts_unseen_offsets_as_lost),
        cmocka_unit_test(offsets_held_by_jobs_survive_a_truncation),
        cmocka_unit_test(a_recreated_topic_restarts_with_an_empty_ledger),
        cmocka_unit_test(a_record_costs_the_same_however_many_are_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
