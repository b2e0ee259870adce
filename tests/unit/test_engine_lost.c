/* Lost partitions: what happens to their calls, and which usage is recorded. */
#include "unit/engine_kit.h"

#include "engine/hold.h"

static void a_lost_partition_drops_answers_and_keeps_their_usage(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    for (int64_t offset = 0; offset < 4; offset++)
        kit_request(kit, 0, offset, "k", "");
    kit_request(kit, 0, 4, NULL, "");
    kit_turn(kit);
    kit_commit(kit);
    kit_answer(kit, 0); /* waits for its commit */
    engine_partition_lost(kit->engine, kit->tenures[0]);
    assert_int_equal(kit_open_calls(kit), 0);
    assert_int_equal(kit->logged[LOG_PARTITION_LOST], 1);
    kit_settle(kit);
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 0);
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 2);
    assert_says(kit_output(kit, OUTPUT_USAGE, 0), "\"reason\":\"cancelled\"");
    assert_says(kit_output(kit, OUTPUT_USAGE, 1), "\"final\":false,\"estimated\":false");
    assert_int_equal(held_count(kit->engine), 0);
    kit_free(kit);
}

static void a_lost_partition_with_only_running_calls_is_logged(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_request(kit, 0, 0, NULL, "");
    kit_turn(kit);
    kit_commit(kit);
    engine_partition_lost(kit->engine, kit->tenures[0]);
    assert_int_equal(kit->logged[LOG_PARTITION_LOST], 1);
    assert_non_null(strstr(kit->lines[LOG_PARTITION_LOST], "\"dropped\":0,\"calls\":1"));
    kit_free(kit);
}

/* The last committed map has these calls as running. Two of them are answered and recorded, one was
 * not sent; only another worker would take them for a dead one's. */
static void calls_of_a_lost_partition_that_returns_are_recorded_once(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_request(kit, 0, 0, NULL, "");
    kit_request(kit, 0, 1, NULL, "");
    kit_turn(kit);
    kit_commit(kit);
    kit_answer(kit, 0);
    engine_partition_lost(kit->engine, kit->tenures[0]);
    kit_settle(kit);
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 2);
    kit_assign(kit, 0);
    kit_request(kit, 0, 0, NULL, "");
    kit_request(kit, 0, 1, NULL, "");
    kit_turn(kit);
    assert_int_equal(kit_open_calls(kit), 2);
    kit_answer(kit, 0);
    kit_answer(kit, 1);
    kit_settle(kit);
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 4);
    for (size_t i = 0; i < 4; i++)
        assert_null(strstr(kit_output(kit, OUTPUT_USAGE, i)->value, "worker_lost"));
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 2);
    kit_free(kit);
}

/* One call of the lost partition is running in the map, and recorded as cancelled. */
static struct kit *kit_with_a_lost_call(void)
{
    struct kit *kit = kit_started(NULL);
    kit_request(kit, 0, 0, NULL, "");
    kit_turn(kit);
    kit_commit(kit);
    engine_partition_lost(kit->engine, kit->tenures[0]);
    kit_settle(kit);
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 1);
    return kit;
}

static void come_back(struct kit *kit, const char *more)
{
    kit_assign(kit, 0);
    kit_request(kit, 0, 0, NULL, more);
    kit_turn(kit);
    kit_answer(kit, 0);
    kit_settle(kit);
}

static void must_be_recorded_once(struct kit *kit)
{
    come_back(kit, "");
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 2);
    assert_says(kit_output(kit, OUTPUT_USAGE, 0), "\"reason\":\"cancelled\"");
    assert_says(kit_output(kit, OUTPUT_USAGE, 1), "\"final\":true");
    assert_true(link_alone(&kit->engine->lost_calls));
    kit_free(kit);
}

static void losing_a_partition_again_before_its_read_records_each_call_once(void **state)
{
    (void)state;
    struct kit *kit = kit_with_a_lost_call();
    kit->tenures[0] = (struct tenure){0, ++kit->epoch};
    engine_partition_assigned(kit->engine, kit->tenures[0], KIT_TOPIC, 0);
    kit->reads.count = 0;
    engine_partition_lost(kit->engine, kit->tenures[0]);
    must_be_recorded_once(kit);
}

static void losing_a_partition_again_before_its_records_counts_calls_once(void **state)
{
    (void)state;
    struct kit *kit = kit_with_a_lost_call();
    kit_assign(kit, 0);
    engine_partition_lost(kit->engine, kit->tenures[0]);
    must_be_recorded_once(kit);
}

/* The tenure ends while the batch that tells its call, or its mark, is open; the worker does not
 * learn its outcome. Nothing is on the shelf that could show it. */
static struct kit *kit_with_an_unknown_batch(bool is_marked, int64_t keep_lost_ms, bool was_made)
{
    struct engine_config config = kit_config();
    config.write_ahead = is_marked;
    config.keep_lost_ms = keep_lost_ms;
    struct kit *kit = kit_started(&config);
    kit_request(kit, 0, 0, NULL, "");
    kit_wait(kit, 200);
    assert_true(kit->has_batch);
    assert_int_equal(kit_open_calls(kit), is_marked ? 0 : 1);
    engine_partition_lost(kit->engine, kit->tenures[0]);
    if (was_made)
        kit_make(kit);
    kit_batch_ends(kit, BATCH_UNKNOWN);
    kit_settle(kit);
    assert_int_equal(kit->logged[LOG_BATCH_NOT_COMMITTED], 0);
    return kit;
}

static void a_call_that_an_unknown_batch_tells_is_recorded_once(void **state)
{
    (void)state;
    for (int was_made = 0; was_made < 2; was_made++) {
        struct kit *kit = kit_with_an_unknown_batch(false, 0, was_made == 1);
        assert_int_equal(kit_count(kit, OUTPUT_USAGE), 1);
        assert_says(kit_output(kit, OUTPUT_USAGE, 0), "\"reason\":\"cancelled\"");
        assert_says(kit_output(kit, OUTPUT_USAGE, 0), "\"replaces\":"); /* if it was told */
        come_back(kit, "");
        assert_int_equal(kit_count(kit, OUTPUT_USAGE), 2);
        assert_says(kit_output(kit, OUTPUT_USAGE, 1), "\"final\":true");
        kit_free(kit);
    }
}

static void a_mark_of_an_unknown_batch_is_no_dead_owners_call(void **state)
{
    (void)state;
    for (int is_keeping = 0; is_keeping < 2; is_keeping++) {
        struct kit *kit = kit_with_an_unknown_batch(true, is_keeping ? 600000 : 0, true);
        kit_assign(kit, 0);
        kit_request(kit, 0, 0, NULL, "");
        kit_settle(kit);
        assert_int_equal(kit->call_count, 1);
        assert_int_equal(kit_count(kit, OUTPUT_USAGE), 0);
        kit_free(kit);
    }
}

/* The topic was recreated, and another worker died over the request that has this offset now. */
static void another_request_at_a_lost_calls_offset_is_a_dead_workers(void **state)
{
    (void)state;
    struct kit *kit = kit_with_a_lost_call();
    come_back(kit, ",\"max_tokens\":7");
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 3);
    assert_says(kit_output(kit, OUTPUT_USAGE, 1), "\"worker_lost\"");
    kit_free(kit);
}

static void losing_a_partition_again_before_its_commit_records_calls_once(void **state)
{
    (void)state;
    struct kit *kit = kit_with_a_lost_call();
    kit_assign(kit, 0);
    kit_request(kit, 0, 0, NULL, "");
    engine_partition_lost(kit->engine, kit->tenures[0]);
    must_be_recorded_once(kit);
}

static void leave_map(struct kit *kit, struct offset_open open)
{
    struct buf map OWNED_BY(buf_done);
    buf_init(&map, OFFSET_MAP_BYTES_MAX);
    offset_map_add(&map, open.offset, open.offset, &open, 1,
                   &(struct offset_map_stamp){.nonce = 7});
    free(kit->maps[0]);
    kit->maps[0] = kit_copy(buf_slice(&map));
}

static void calls_that_another_owner_left_running_are_recorded(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_request(kit, 0, 0, NULL, "");
    kit_turn(kit);
    kit_commit(kit);
    engine_partition_lost(kit->engine, kit->tenures[0]);
    kit_settle(kit);
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 1);
    /* It recorded that call, began another one, and died. */
    leave_map(kit, (struct offset_open){.offset = 0, .begun = 2, .is_under_way = true});
    kit_assign(kit, 0);
    kit_request(kit, 0, 0, NULL, "");
    kit_turn(kit);
    kit_commit(kit);
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 2);
    assert_says(kit_output(kit, OUTPUT_USAGE, 1), "\"reason\":\"worker_lost\"");
    kit_free(kit);
}

/* Under at_least_once the records of a batch are there before its maps, which a lost tenure never
 * commits. Another owner then marks the same request as begun so often, calls and dies. */
static void a_mark_whose_map_was_not_committed_is_no_call_of_this_worker(void **state)
{
    (void)state;
    for (int is_lost_first = 0; is_lost_first < 2; is_lost_first++) {
        struct engine_config config = kit_config();
        config.write_ahead = true;
        config.exactly_once = false;
        struct kit *kit = kit_started(&config);
        kit_request(kit, 0, 0, NULL, "");
        kit_wait(kit, 200);
        assert_true(kit->has_batch);
        if (is_lost_first)
            engine_partition_lost(kit->engine, kit->tenures[0]);
        kit_batch_ends(kit, BATCH_COMMITTED);
        if (!is_lost_first)
            engine_partition_lost(kit->engine, kit->tenures[0]);
        kit_settle(kit);
        leave_map(kit, (struct offset_open){.offset = 0, .begun = 1, .is_under_way = true});
        kit->committed[0] = 0;
        kit_assign(kit, 0);
        kit_request(kit, 0, 0, NULL, "");
        kit_settle(kit);
        assert_int_equal(kit_count(kit, OUTPUT_USAGE), 1);
        assert_says(kit_output(kit, OUTPUT_USAGE, 0), "\"reason\":\"worker_lost\"");
        kit_free(kit);
    }
}

static struct kit *kit_with_a_dead_owners_call(uint64_t max_request_bytes)
{
    struct engine_config config = kit_config();
    config.max_request_bytes = max_request_bytes;
    struct kit *kit = kit_new(&config);
    kit->committed[0] = 0;
    leave_map(kit, (struct offset_open){.offset = 0, .begun = 1, .is_under_way = true});
    kit_assign(kit, 0);
    return kit;
}

/* The settings changed after the call began. */
static void a_lost_call_of_an_unreadable_request_is_recorded(void **state)
{
    (void)state;
    struct kit *kit = kit_with_a_dead_owners_call(4096);
    kit_request(kit, 0, 0, NULL, ",\"model\":\"gone\"");
    kit_settle(kit);
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"code\":\"unknown_model\"");
    assert_says(kit_output(kit, OUTPUT_USAGE, 0),
                "\"model\":\"gone\",\"model_requested\":\"gone\"");
    kit_free(kit);
    kit = kit_with_a_dead_owners_call(8);
    kit_request(kit, 0, 0, NULL, "");
    kit_settle(kit);
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"code\":\"request_too_large\"");
    assert_says(kit_output(kit, OUTPUT_USAGE, 0),
                "\"model\":\"unknown\",\"model_requested\":\"unknown\"");
    kit_free(kit);
}

static void a_call_cancelled_before_it_was_sent_is_not_recorded(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit->calls_stay_unsent = true;
    kit_request(kit, 0, 0, NULL, "");
    kit_turn(kit);
    kit_commit(kit);
    engine_partition_lost(kit->engine, kit->tenures[0]);
    assert_int_equal(kit_open_calls(kit), 0);
    kit_settle(kit);
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 0);
    assert_int_equal(held_count(kit->engine), 0);
    kit_free(kit);
}

/* The last batch of a stop, and its partition is lost before its outcome is known. */
static void a_stop_without_a_witness_ends_and_sends_usage_again_under_its_id(void **state)
{
    (void)state;
    for (int made = 0; made < 2; made++) {
        struct kit *kit = kit_started(NULL);
        kit_request(kit, 0, 0, NULL, "");
        kit_turn(kit);
        kit_commit(kit);
        kit_answer(kit, 0);
        engine_stop(kit->engine);
        kit_wait(kit, 100);
        assert_true(kit->has_batch && kit->batch.output_count == 2);
        for (int i = 0; i < 7; i++) { /* each with a longer pause before the next */
            kit_batch_ends(kit, BATCH_ABORTED);
            for (int wait = 0; wait < 100 && !kit->has_batch; wait++)
                kit_wait(kit, 100);
        }
        if (made)
            kit_make(kit);
        engine_partition_lost(kit->engine, kit->tenures[0]);
        kit_batch_ends(kit, BATCH_UNKNOWN);
        kit_settle(kit);
        assert_true(kit->has_ended);
        assert_int_equal(kit->exit_code, 0);
        assert_int_equal(kit->logged[LOG_BATCH_NOT_COMMITTED], 0);
        assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), made);
        assert_int_equal(kit_count(kit, OUTPUT_USAGE), 1 + made);
        kit_free(kit);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lost_partition_drops_answers_and_keeps_their_usage),
        cmocka_unit_test(a_lost_partition_with_only_running_calls_is_logged),
        cmocka_unit_test(calls_of_a_lost_partition_that_returns_are_recorded_once),
        cmocka_unit_test(losing_a_partition_again_before_its_read_records_each_call_once),
        cmocka_unit_test(losing_a_partition_again_before_its_records_counts_calls_once),
        cmocka_unit_test(losing_a_partition_again_before_its_commit_records_calls_once),
        cmocka_unit_test(a_call_that_an_unknown_batch_tells_is_recorded_once),
        cmocka_unit_test(a_mark_of_an_unknown_batch_is_no_dead_owners_call),
        cmocka_unit_test(another_request_at_a_lost_calls_offset_is_a_dead_workers),
        cmocka_unit_test(calls_that_another_owner_left_running_are_recorded),
        cmocka_unit_test(a_mark_whose_map_was_not_committed_is_no_call_of_this_worker),
        cmocka_unit_test(a_lost_call_of_an_unreadable_request_is_recorded),
        cmocka_unit_test(a_call_cancelled_before_it_was_sent_is_not_recorded),
        cmocka_unit_test(a_stop_without_a_witness_ends_and_sends_usage_again_under_its_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
