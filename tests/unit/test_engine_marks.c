/* delivery.write_ahead: a call begins after the commit that records it as begun, each with a mark
 * of its own, and no slot stands idle for it. */
#include "unit/engine_kit.h"

static struct kit *started(void)
{
    struct engine_config config = kit_config();
    config.write_ahead = true;
    return kit_started(&config);
}

/* Partition 0's map: how it tells its first open offset; "" = it tells none as open. */
static const char *told(const struct kit *kit)
{
    struct offset_open open[8];
    size_t count = 0;
    int64_t last;
    struct slice map = slice_of_text(kit->maps[0]);
    assert_int_equal(offset_map_read(map, kit->committed[0], open, 8, &count, &last), OK);
    if (count == 0)
        return "";
    return open[0].is_marked ? "marked" : open[0].is_under_way ? "running" : "ended";
}

/* Time passes until a batch is open. */
static void await_batch(struct kit *kit)
{
    for (int i = 0; i < 100 && !kit->has_batch; i++)
        kit_wait(kit, 100);
    assert_true(kit->has_batch);
}

static void commit_next(struct kit *kit)
{
    await_batch(kit);
    kit_commit(kit);
    kit_turn(kit);
}

/* A request whose call runs. */
static void begin(struct kit *kit, int64_t offset)
{
    kit_request(kit, 0, offset, NULL, "");
    commit_next(kit);
    assert_int_equal(kit_open_calls(kit), 1);
}

static void a_call_begins_in_the_turn_after_its_mark_is_committed(void **state)
{
    (void)state;
    struct kit *kit = started();
    kit_request(kit, 0, 0, NULL, "");
    kit_wait(kit, 50);
    assert_int_equal(kit->call_count, 0);
    await_batch(kit);
    assert_int_equal(kit->batch.output_count, 0);
    kit_turn(kit);
    assert_int_equal(kit->call_count, 0);
    kit_commit(kit);
    assert_string_equal(told(kit), "marked");
    kit_turn(kit);
    assert_int_equal(kit->call_count, 1);
    kit_answer(kit, 0);
    kit_settle(kit);
    assert_int_equal(kit->committed[0], 1);
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 1);
    kit_free(kit);
}

static void an_idle_call_costs_no_more_commits_than_without_marks(void **state)
{
    (void)state;
    struct kit *kit = started();
    begin(kit, 0);
    kit_wait(kit, 1000);
    kit_answer(kit, 0);
    kit_settle(kit);
    assert_int_equal(kit->batch_count, 2);
    kit_free(kit);
}

static void a_map_says_after_some_seconds_that_a_long_call_runs(void **state)
{
    (void)state;
    struct kit *kit = started();
    begin(kit, 0);
    kit_wait(kit, 6000);
    commit_next(kit);
    assert_string_equal(told(kit), "running");
    kit_free(kit);
}

static void no_call_begins_after_an_abort_until_a_commit(void **state)
{
    (void)state;
    struct kit *kit = started();
    kit_request(kit, 0, 0, NULL, "");
    for (int i = 0; i < 5; i++) {
        await_batch(kit);
        kit_batch_ends(kit, BATCH_ABORTED);
        kit_turn(kit);
        assert_int_equal(kit->call_count, 0);
    }
    commit_next(kit);
    assert_int_equal(kit->call_count, 1);
    kit_free(kit);
}

static void an_unknown_outcome_begins_the_call_only_if_it_was_committed(void **state)
{
    (void)state;
    for (int made = 0; made < 2; made++) {
        struct kit *kit = started();
        kit_request(kit, 0, 0, NULL, "");
        await_batch(kit);
        if (made)
            kit_make(kit);
        kit_batch_ends(kit, BATCH_UNKNOWN);
        kit_turn(kit);
        assert_int_equal(kit->call_count, 0);
        kit_read(kit);
        kit_turn(kit);
        assert_int_equal(kit->call_count, made);
        kit_free(kit);
    }
}

static void an_attempt_that_cost_nothing_leaves_its_mark_to_the_next(void **state)
{
    (void)state;
    struct kit *kit = started();
    begin(kit, 0);
    kit_fail(kit, 0);
    kit_wait(kit, 1000);
    assert_int_equal(kit->call_count, 2);
    assert_int_equal(kit->batch_count, 1);
    kit_free(kit);
}

static void a_cut_takes_the_mark_of_a_resting_request(void **state)
{
    (void)state;
    struct engine_config config = kit_config();
    config.write_ahead = true;
    config.retry.transient_base_ms = 10000;
    struct kit *kit = kit_started(&config);
    kit_request(kit, 0, 0, NULL, "");
    kit_request(kit, 0, 1, NULL, "");
    commit_next(kit);
    kit_fail(kit, 0);
    kit_answer(kit, 1);
    commit_next(kit);
    assert_string_equal(told(kit), "ended");
    for (int i = 0; i < 200 && !kit->has_batch; i++)
        kit_wait(kit, 100);
    assert_int_equal(kit_calls_of(kit, 0), 1);
    kit_commit(kit);
    assert_string_equal(told(kit), "marked");
    kit_turn(kit);
    assert_int_equal(kit_calls_of(kit, 0), 2);
    kit_free(kit);
}

static void a_billed_attempt_is_recorded_before_the_next_begins(void **state)
{
    (void)state;
    struct kit *kit = started();
    begin(kit, 0);
    kit_call_ends(kit, kit_call(kit, 0), ERR_TIMEOUT, true);
    kit_wait(kit, 90);
    await_batch(kit);
    kit_wait(kit, 2000); /* its rest is over */
    assert_int_equal(kit->call_count, 1);
    kit_commit(kit);
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 1);
    commit_next(kit);
    assert_int_equal(kit->call_count, 2);
    kit_free(kit);
}

static void a_marked_request_parks_while_its_partition_is_in_doubt(void **state)
{
    (void)state;
    struct kit *kit = started();
    kit_request(kit, 0, 0, NULL, "");
    await_batch(kit);
    kit_commit(kit);
    (void)snprintf(kit->membership, sizeof kit->membership, "generation 2");
    kit_wait(kit, 200);
    assert_int_equal(kit->call_count, 0);
    kit_read(kit);
    kit_turn(kit);
    assert_int_equal(kit->call_count, 1);
    kit_free(kit);
}

static void no_marked_call_begins_without_a_membership(void **state)
{
    (void)state;
    struct kit *kit = started();
    kit_request(kit, 0, 0, NULL, "");
    await_batch(kit);
    kit_time(kit, 200);
    kit->membership[0] = '\0';
    kit_commit(kit);
    kit_turn(kit);
    assert_int_equal(kit->call_count, 0);
    kit_free(kit);
}

static void a_revoked_partition_begins_no_marked_call_and_leaves_no_mark(void **state)
{
    (void)state;
    struct kit *kit = started();
    kit_request(kit, 0, 0, NULL, "");
    await_batch(kit);
    kit_commit(kit);
    engine_partition_revoked(kit->engine, kit->tenures[0]);
    kit_turn(kit);
    assert_int_equal(kit->call_count, 0);
    assert_int_equal(kit->releases.count, 0);
    kit_settle(kit);
    assert_int_equal(kit->releases.count, 1);
    assert_string_equal(told(kit), "");
    kit_free(kit);
}

static void a_stop_begins_no_marked_call_and_leaves_no_mark(void **state)
{
    (void)state;
    struct kit *kit = started();
    kit_request(kit, 0, 0, NULL, "");
    await_batch(kit);
    kit_commit(kit);
    engine_stop(kit->engine);
    kit_settle(kit);
    assert_int_equal(kit->call_count, 0);
    assert_true(kit->has_ended);
    assert_int_equal(kit->exit_code, 0);
    assert_string_equal(told(kit), "");
    kit_free(kit);
}

static void an_expired_marked_request_fails_without_a_call(void **state)
{
    (void)state;
    struct kit *kit = started();
    kit_request(kit, 0, 0, NULL, ",\"ttl_ms\":150");
    await_batch(kit);
    kit_wait(kit, 500);
    kit_commit(kit);
    kit_settle(kit);
    assert_int_equal(kit->call_count, 0);
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"expired\"");
    kit_free(kit);
}

static void a_dead_owners_mark_is_recorded_as_a_call_that_may_not_have_been_made(void **state)
{
    (void)state;
    struct kit *kit = started();
    kit_request(kit, 0, 0, NULL, "");
    await_batch(kit);
    kit_commit(kit);
    kit_die(kit);
    kit_wait(kit, 60000);
    kit_assign(kit, 0);
    kit_request(kit, 0, 0, NULL, "");
    commit_next(kit);
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 1);
    const struct kit_text *lost = kit_output(kit, OUTPUT_USAGE, 0);
    assert_says(lost, "\"begun\":\"unknown\"");
    assert_says(lost, "\"time\":\"2026-11-18T11:06:41.000Z\""); /* of the dead owner's commit */
    assert_string_equal(told(kit), "marked");                   /* anew, in the same commit */
    assert_int_equal(kit->call_count, 1);
    kit_free(kit);
}

static void a_call_that_began_after_the_last_commit_is_recorded_as_unknown(void **state)
{
    (void)state;
    for (int is_renewed = 0; is_renewed < 2; is_renewed++) {
        struct kit *kit = started();
        begin(kit, 0);
        if (is_renewed) {
            kit_wait(kit, 6000);
            commit_next(kit);
        }
        kit_die(kit);
        kit_assign(kit, 0);
        kit_request(kit, 0, 0, NULL, "");
        commit_next(kit);
        assert_says(kit_output(kit, OUTPUT_USAGE, 0),
                    is_renewed ? "\"begun\":\"yes\"" : "\"begun\":\"unknown\"");
        kit_free(kit);
    }
}

static void a_dead_owners_mark_counts_as_begun(void **state)
{
    (void)state;
    struct engine_config config = kit_config();
    config.write_ahead = true;
    config.max_begun = 2;
    struct kit *kit = kit_started(&config);
    for (int death = 0; death < 2; death++) {
        kit_request(kit, 0, 0, NULL, "");
        await_batch(kit);
        kit_commit(kit);
        kit_die(kit);
        kit_assign(kit, 0);
    }
    kit_request(kit, 0, 0, NULL, "");
    kit_settle(kit);
    assert_int_equal(kit->call_count, 0);
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"code\":\"abandoned\"");
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 2);
    kit_free(kit);
}

static void as_many_requests_are_marked_ahead_as_calls_ended(void **state)
{
    (void)state;
    struct engine_config config = kit_config();
    config.write_ahead = true;
    config.max_in_flight = 2;
    struct kit *kit = kit_started(&config);
    for (int64_t offset = 0; offset < 10; offset++)
        kit_request(kit, 0, offset, NULL, "");
    commit_next(kit);
    assert_int_equal(kit_open_calls(kit), 2);
    kit_answer(kit, 0);
    kit_answer(kit, 1);
    commit_next(kit); /* 2 in the free slots, 2 ahead */
    assert_int_equal(kit_open_calls(kit), 2);
    kit_answer(kit, 2);
    kit_turn(kit);
    kit_answer(kit, 3);
    kit_turn(kit);
    assert_int_equal(kit_open_calls(kit), 2); /* without a commit between */
    kit_answer(kit, 4);
    kit_turn(kit);
    assert_int_equal(kit_open_calls(kit), 1);
    kit_free(kit);
}

static void at_least_once_a_call_begins_when_its_offset_is_acknowledged(void **state)
{
    (void)state;
    struct engine_config config = kit_config();
    config.write_ahead = true;
    config.exactly_once = false;
    struct kit *kit = kit_started(&config);
    kit_request(kit, 0, 0, NULL, "");
    await_batch(kit);
    uint64_t batch = kit->batch.offsets[0].batch;
    kit_commit(kit);
    kit_wait(kit, 1000);
    assert_int_equal(kit->call_count, 0);
    engine_offsets_committed(kit->engine, kit->tenures[0], batch - 1);
    kit_turn(kit);
    assert_int_equal(kit->call_count, 0);
    engine_offsets_committed(kit->engine, kit->tenures[0], batch);
    kit_turn(kit);
    assert_int_equal(kit->call_count, 1);
    kit_free(kit);
}

/* Version 0.1.0 left 4,096 bytes: every second of these offsets is open. The broker would refuse a
 * longer map, and with it each transaction of the worker. */
static void a_full_map_of_the_first_version_takes_marks_and_shrinks(void **state)
{
    (void)state;
    enum { OPEN = 2040 };
    static struct offset_open open[OPEN];
    struct engine_config config = kit_config();
    config.write_ahead = true;
    struct kit *kit = kit_new(&config);
    struct buf map;
    buf_init(&map, LEDGER_MAP_BYTES_MAX);
    for (size_t i = 0; i < OPEN; i++)
        open[i].offset = 2 * (int64_t)i;
    offset_map_add_bw1(&map, 0, 2 * OPEN - 1, open, OPEN, 1);
    kit->maps[0] = kit_copy(buf_slice(&map));
    buf_done(&map);
    kit_assign(kit, 0);
    for (int64_t offset = 0; offset < 60; offset++)
        kit_request(kit, 0, offset, NULL, "");
    while (kit->committed[0] < 60) {
        await_batch(kit);
        assert_true(kit->batch.offsets[0].metadata.len <= config.offset_map_bytes_max);
        kit_commit(kit);
        kit_turn(kit);
        for (size_t i = 0; i < kit->call_count; i++)
            if (kit->calls[i].is_open)
                kit_answer(kit, kit->calls[i].offset);
    }
    assert_int_equal(kit->call_count, 30);
    assert_memory_equal(kit->maps[0], OFFSET_MAP_VERSION, 3);
    kit_free(kit);
}

static void status_says_that_a_request_waits_for_its_mark(void **state)
{
    (void)state;
    struct kit *kit = started();
    struct buf json;
    buf_init(&json, 65536);
    kit_request(kit, 0, 0, NULL, "");
    kit_turn(kit);
    engine_status(kit->engine, &json);
    assert_non_null(strstr(buf_text(&json), "\"state\":\"mark\""));
    buf_done(&json);
    kit_free(kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_begins_in_the_turn_after_its_mark_is_committed),
        cmocka_unit_test(an_idle_call_costs_no_more_commits_than_without_marks),
        cmocka_unit_test(a_map_says_after_some_seconds_that_a_long_call_runs),
        cmocka_unit_test(no_call_begins_after_an_abort_until_a_commit),
        cmocka_unit_test(an_unknown_outcome_begins_the_call_only_if_it_was_committed),
        cmocka_unit_test(an_attempt_that_cost_nothing_leaves_its_mark_to_the_next),
        cmocka_unit_test(a_cut_takes_the_mark_of_a_resting_request),
        cmocka_unit_test(a_billed_attempt_is_recorded_before_the_next_begins),
        cmocka_unit_test(a_marked_request_parks_while_its_partition_is_in_doubt),
        cmocka_unit_test(no_marked_call_begins_without_a_membership),
        cmocka_unit_test(a_revoked_partition_begins_no_marked_call_and_leaves_no_mark),
        cmocka_unit_test(a_stop_begins_no_marked_call_and_leaves_no_mark),
        cmocka_unit_test(an_expired_marked_request_fails_without_a_call),
        cmocka_unit_test(a_dead_owners_mark_is_recorded_as_a_call_that_may_not_have_been_made),
        cmocka_unit_test(a_call_that_began_after_the_last_commit_is_recorded_as_unknown),
        cmocka_unit_test(a_dead_owners_mark_counts_as_begun),
        cmocka_unit_test(as_many_requests_are_marked_ahead_as_calls_ended),
        cmocka_unit_test(at_least_once_a_call_begins_when_its_offset_is_acknowledged),
        cmocka_unit_test(a_full_map_of_the_first_version_takes_marks_and_shrinks),
        cmocka_unit_test(status_says_that_a_request_waits_for_its_mark),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
