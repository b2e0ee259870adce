/* The tenure of a partition: its start, its doubts, its release or loss, and the end of the whole
 * worker. */
#include "unit/engine_kit.h"

#include "engine/result.h"
#include "engine/slots.h"
#include "unit/torture.h"

static int64_t last_start(const struct kit *kit)
{
    assert_true(kit->starts.count > 0);
    return kit->starts.list[kit->starts.count - 1].offset;
}

/* ---- the beginning ---- */

static void nothing_is_fetched_before_offset_and_map_are_read(void **state)
{
    (void)state;
    struct kit *kit = kit_new(NULL);
    kit->tenures[0] = (struct tenure){0, 1};
    engine_partition_assigned(kit->engine, kit->tenures[0], KIT_TOPIC, 0);
    uint32_t ticket = kit->reads.list[0].ticket;
    kit->reads.count = 0;
    assert_int_equal(engine_room(kit->engine, kit->tenures[0]), 0);
    engine_offsets_read(kit->engine, kit->tenures[0], ticket, ERR_UNSTABLE, NULL);
    kit_wait(kit, 499);
    assert_int_equal(kit->reads.count, 0);
    kit_wait(kit, 1);
    assert_int_equal(kit->reads.count, 1);
    assert_int_equal(kit->logged[LOG_OFFSETS_UNREADABLE], 0); /* it is transient and not logged */
    for (int again = 0; again < 4; again++) {
        assert_int_equal(kit->logged[LOG_OFFSETS_PENDING], again >= 2);
        ticket = kit->reads.list[0].ticket;
        kit->reads.count = 0;
        engine_offsets_read(kit->engine, kit->tenures[0], ticket, ERR_UNSTABLE, NULL);
        kit_wait(kit, 500);
    }
    assert_int_equal(kit->logged[LOG_OFFSETS_PENDING], 1);
    ticket = kit->reads.list[0].ticket;
    engine_offsets_read(kit->engine, kit->tenures[0], ticket, ERR_IO, NULL);
    kit->reads.count = 0;
    kit_wait(kit, 500);
    assert_int_equal(kit->logged[LOG_OFFSETS_UNREADABLE], 1);
    engine_offsets_read(kit->engine, kit->tenures[0], ticket, OK,
                        &(struct committed){.offset = 5}); /* late */
    assert_int_equal(kit->starts.count, 0);
    kit_read(kit);
    assert_int_equal(last_start(kit), 0);
    assert_int_equal(kit->logged[LOG_PARTITION_STARTED], 1);
    assert_true(engine_room(kit->engine, kit->tenures[0]) > 0);
    kit_free(kit);
}

static void a_partition_continues_where_its_last_owner_stopped(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    for (int64_t offset = 0; offset < 3; offset++)
        kit_request(kit, 0, offset, NULL, "");
    kit_turn(kit);
    kit_answer(kit, 1);
    kit_answer(kit, 2);
    kit_settle(kit);
    kit_die(kit);
    kit_assign(kit, 0);
    assert_int_equal(last_start(kit), 0);
    assert_non_null(
        strstr(kit->words[LOG_PARTITION_STARTED],
               "1 offsets at or above it are open, 1 of them begun by an earlier owner"));
    for (int64_t offset = 0; offset < 3; offset++)
        kit_request(kit, 0, offset, NULL, "");
    kit_turn(kit);
    assert_int_equal(kit_open_calls(kit), 1);
    kit_answer(kit, 0);
    kit_settle(kit);
    assert_int_equal(kit->committed[0], 3);
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 3);
    kit_free(kit);
}

static void metadata_that_is_no_map_withholds_its_partition_and_is_never_replaced(void **state)
{
    (void)state;
    static const struct {
        const char *metadata, *reason;
    } CASES[] = {
        {"NTA0NA==", "map_foreign"},
        {"bw1!!!!!!!!!!!!!!", "map_damaged"},
        {"bw2!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!", "map_damaged"},
        {"bw3!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!", "map_later"},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct kit *kit = kit_started(NULL);
        kit->committed[1] = 42;
        kit->maps[1] = kit_copy(slice_of_text(CASES[i].metadata));
        kit_assign(kit, 1);
        kit_request(kit, 0, 0, NULL, "");
        kit_turn(kit);
        kit_answer(kit, 0);
        kit_settle(kit);
        assert_int_equal(kit->logged[LOG_PARTITIONS_WITHHELD], 1);
        assert_non_null(strstr(kit->lines[LOG_PARTITIONS_WITHHELD], CASES[i].reason));
        assert_int_equal(kit->starts.count, 1); /* of partition 0 */
        assert_int_equal(kit->committed[0], 1);
        assert_int_equal(kit->committed[1], 42);
        assert_string_equal(kit->maps[1], CASES[i].metadata);
        kit_free(kit);
    }
}

static void an_operator_sets_the_offset_and_a_withheld_partition_goes_on(void **state)
{
    (void)state;
    struct kit *kit = kit_new(NULL);
    kit->committed[0] = 42;
    kit->maps[0] = kit_copy(SLICE("bw3"));
    kit_assign(kit, 0);
    free(kit->maps[0]);
    kit->maps[0] = NULL;
    kit->committed[0] = 40;
    kit_wait(kit, 600000);
    kit_read(kit);
    assert_int_equal(last_start(kit), 40);
    kit_free(kit);
}

/* ---- truncated and recreated logs ---- */

static void a_truncated_log_restarts_at_its_start_and_is_logged(void **state)
{
    (void)state;
    struct kit *kit = kit_new(NULL);
    kit->committed[0] = 10;
    kit_assign(kit, 0);
    engine_partition_out_of_range(kit->engine, kit->tenures[0], OUT_OF_RANGE);
    kit_read(kit);
    assert_int_equal(kit->watermarks.count, 1);
    engine_watermarks_read(kit->engine, kit->tenures[0], ERR_IO, -1, -1);
    assert_int_equal(kit->watermarks.count, 2); /* asked again */
    engine_watermarks_read(kit->engine, kit->tenures[0], OK, 25, 30);
    assert_int_equal(last_start(kit), 25);
    assert_non_null(
        strstr(kit->words[LOG_PARTITION_TRUNCATED],
               "the log starts at 25, above the committed offset 10: 15 offsets are lost"));
    kit_request(kit, 0, 25, NULL, "");
    kit_turn(kit);
    kit_answer(kit, 25);
    kit_settle(kit);
    assert_int_equal(kit->committed[0], 26);
    kit_free(kit);
}

static void a_recreated_topic_restarts_at_its_first_record_and_is_logged(void **state)
{
    (void)state;
    struct kit *kit = kit_new(NULL);
    kit->topic_id = "the first topic.";
    kit_assign(kit, 0);
    kit_request(kit, 0, 0, "k", "");
    kit_request(kit, 0, 1, "k", "");
    kit_request(kit, 0, 2, NULL, "");
    kit_turn(kit);
    kit_answer(kit, 2);
    kit_commit(kit);
    engine_partition_out_of_range(kit->engine, kit->tenures[0], OUT_OF_RANGE);
    kit->topic_id = "the second topic";
    kit->may_go_back = true;
    kit_wait(kit, 0);
    if (kit->has_batch)
        kit_commit(kit);
    kit_wait(kit, 0);
    kit_read(kit);
    assert_int_equal(last_start(kit), -2);
    assert_int_equal(kit->logged[LOG_PARTITION_RECREATED], 1);
    assert_true(kit->calls[0].was_cancelled); /* its request is no more */
    for (int64_t offset = 0; offset < 2; offset++)
        kit_request(kit, 0, offset, NULL, "");
    kit_wait(kit, 200);
    kit_answer(kit, 0);
    kit_answer(kit, 1);
    kit_settle(kit);
    assert_int_equal(kit->committed[0], 2);
    kit_free(kit);
}

static void a_record_above_a_full_map_is_fetched_again_later(void **state)
{
    (void)state;
    struct engine_config config = kit_config();
    config.offset_map_bytes_max = 79;
    config.max_in_flight = 64;
    struct kit *kit = kit_started(&config);
    int64_t next = 0;
    while (engine_room(kit->engine, kit->tenures[0]) > 0)
        kit_request(kit, 0, next++, NULL, "");
    assert_int_equal(kit->logged[LOG_PARTITION_FULL_MAP], 1);
    assert_non_null(strstr(kit->words[LOG_PARTITION_FULL_MAP], "the offset map is full"));
    assert_int_equal(engine_room(kit->engine, kit->tenures[0]), 0);
    assert_int_equal(kit->logged[LOG_PARTITION_FULL_MAP], 1); /* logged once */
    engine_partition_end(kit->engine, kit->tenures[0], next + 2);
    kit_turn(kit);
    kit_settle(kit);
    kit_die(kit);
    kit_assign(kit, 0);
    for (int64_t offset = 0; offset < next; offset++)
        kit_request(kit, 0, offset, NULL, "");
    assert_int_equal(engine_room(kit->engine, kit->tenures[0]), 1);
    kit_request(kit, 0, next + 2, NULL, ""); /* nothing lay between: it does not fit */
    assert_int_equal(last_start(kit), next + 2);
    assert_int_equal(engine_room(kit->engine, kit->tenures[0]), 0);
    kit_turn(kit);
    assert_int_equal(kit_open_calls(kit), (size_t)next);
    for (int64_t offset = 0; offset < next; offset++)
        kit_answer(kit, offset);
    kit_settle(kit);
    kit_request(kit, 0, next + 2, NULL, "");
    kit_turn(kit);
    kit_answer(kit, next + 2);
    kit_settle(kit);
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), (size_t)next + 1);
    assert_int_equal(kit->committed[0], next + 3);
    kit_free(kit);
}

/* ---- doubts ---- */

static void a_stall_stops_calls_until_the_offsets_and_a_heartbeat_are_back(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_time(kit, 5001);
    assert_int_equal(kit->logged[LOG_STALLED], 1);
    kit_request(kit, 0, 0, NULL, "");
    kit_turn(kit);
    kit_wait(kit, 3000);
    assert_int_equal(kit->call_count, 0);
    assert_int_equal(kit->reads.count, 1);
    kit_read(kit);
    kit_turn(kit);
    assert_int_equal(kit->call_count, 0); /* a heartbeat could still remove the worker */
    kit_wait(kit, 400);
    assert_int_equal(kit->call_count, 1);
    kit_time(kit, 5000); /* slow is not a stall */
    kit_turn(kit);
    assert_int_equal(kit->logged[LOG_STALLED], 1);
    kit_free(kit);
}

static void a_stalled_worker_does_not_repeat_what_its_successor_committed(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_request(kit, 0, 0, NULL, "");
    kit_turn(kit);
    kit_commit(kit);
    kit_fail(kit, 0); /* it waits, and then the whole process stands still */
    kit_time(kit, 30000);
    kit->committed[0] = 1;
    free(kit->maps[0]);
    kit->maps[0] = NULL;
    kit_wait(kit, 1000);
    kit_read(kit);
    kit_wait(kit, 1000);
    assert_int_equal(kit->logged[LOG_LEDGER_DIFFERS], 1);
    assert_int_equal(kit->call_count, 1);
    kit_wait(kit, 10000); /* it believes that it is a member: it begins from the committed state */
    kit_read(kit);
    assert_int_equal(last_start(kit), 1);
    kit_settle(kit);
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 0);
    kit_free(kit);
}

static void late_events_are_dropped(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    struct tenure old = kit->tenures[0];
    kit_request(kit, 0, 0, NULL, "");
    kit_turn(kit);
    kit_batch_ends(kit, BATCH_ABORTED);
    struct kit_call *call = kit_call(kit, 0);
    struct call_ref late = call->ref;
    engine_partition_lost(kit->engine, old);
    assert_true(call->was_cancelled);
    kit_assign(kit, 0);
    kit_request(kit, 0, 0, NULL, "");
    kit_turn(kit);
    assert_int_equal(kit_call(kit, 0)->ref.index, late.index); /* the same place, a new name */
    struct call_end end = {.err = OK, .was_sent = true, .words = SLICE("")};
    engine_call_head(kit->engine, late, 200, SLICE("HTTP/1.1 200 x\r\n\r\n"));
    engine_call_body(kit->engine, late, slice_of_text(KIT_ANSWER));
    engine_call_ended(kit->engine, late, &end);
    engine_call_ended(kit->engine, (struct call_ref){UINT32_MAX, 0}, &end);
    engine_chunk_refused(kit->engine, late);
    assert_int_equal(kit_open_calls(kit), 1);
    assert_int_equal(kit->engine->stats.answered, 0);
    /* Any event of the old tenure. */
    struct record record = {.topic = KIT_TOPIC, .offset = 1, .value = SLICE("{}")};
    assert_int_equal(engine_room(kit->engine, old), 0);
    engine_record(kit->engine, old, &record);
    engine_partition_end(kit->engine, old, 50);
    engine_offsets_read(kit->engine, old, 1, OK, &(struct committed){.offset = 77});
    engine_watermarks_read(kit->engine, old, OK, 80, 90);
    engine_partition_out_of_range(kit->engine, old, OUT_OF_RANGE);
    engine_partition_lost(kit->engine, old);
    engine_partition_lost(kit->engine, (struct tenure){PARTITIONS_MAX, 1});
    engine_topic_found(kit->engine, 12345, OK, 1);
    struct batch_end batch = {.id = 999, .outcome = BATCH_ABORTED, .reason = SLICE("")};
    engine_batch_ended(kit->engine, &batch);
    assert_int_equal(kit->watermarks.count, 0);
    assert_int_equal(kit->engine->stats.taken, 2);
    assert_int_equal(ledger_front(&slot_find(kit->engine, kit->tenures[0])->ledger), 0);
    kit_answer(kit, 0);
    kit_settle(kit);
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 1);
    assert_int_equal(kit->committed[0], 1);
    kit_free(kit);
}

/* ---- revoked ---- */

static void a_revoked_partition_is_released_when_its_calls_are_committed(void **state)
{
    (void)state;
    struct engine_config config = kit_config();
    config.max_in_flight = 2;
    struct kit *kit = kit_started(&config);
    for (int64_t offset = 0; offset < 5; offset++)
        kit_request(kit, 0, offset, NULL, "");
    kit_turn(kit);
    engine_partition_revoked(kit->engine, kit->tenures[0]);
    assert_int_equal(engine_room(kit->engine, kit->tenures[0]), 0);
    kit_answer(kit, 0);
    kit_settle(kit);
    assert_int_equal(kit->releases.count, 0);
    kit_answer(kit, 1);
    kit_turn(kit);
    assert_int_equal(kit->releases.count, 0);
    kit_settle(kit);
    assert_int_equal(kit->releases.count, 1);
    assert_int_equal(kit->call_count, 2); /* draining begins no call */
    assert_int_equal(kit->committed[0], 2);
    engine_partition_revoked(kit->engine, kit->tenures[0]); /* again, of one that is gone */
    assert_int_equal(kit->releases.count, 2);
    kit_free(kit);
}

static void no_retry_begins_during_a_drain(void **state)
{
    (void)state;
    for (int is_stop = 0; is_stop < 2; is_stop++) {
        struct kit *kit = kit_started(NULL);
        kit_request(kit, 0, 0, NULL, "");
        kit_request(kit, 0, 1, NULL, "");
        kit_turn(kit);
        kit_fail(kit, 0); /* rests already */
        if (is_stop)
            engine_stop(kit->engine);
        else
            engine_partition_revoked(kit->engine, kit->tenures[0]);
        kit_fail(kit, 1); /* would rest now */
        kit_settle(kit);
        assert_int_equal(kit->call_count, 2);
        assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 0); /* they stay in Kafka */
        assert_int_equal(kit->committed[0], 0);
        assert_int_equal(is_stop ? kit->has_ended : (int)kit->releases.count, 1);
        kit_free(kit);
    }
}

static void a_drain_that_times_out_cancels_calls_and_records_usage(void **state)
{
    (void)state;
    for (int is_stop = 0; is_stop < 2; is_stop++) {
        struct kit *kit = kit_started(NULL);
        kit_request(kit, 0, 0, NULL, "");
        kit_turn(kit);
        if (is_stop)
            engine_stop(kit->engine);
        else
            engine_partition_revoked(kit->engine, kit->tenures[0]);
        kit_wait(kit, 9999);
        assert_int_equal(kit_open_calls(kit), 1);
        kit_wait(kit, 1);
        assert_int_equal(kit_open_calls(kit), 0);
        assert_int_equal(kit->logged[LOG_DRAIN_TIMED_OUT], 1);
        kit_settle(kit);
        assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 0);
        assert_int_equal(kit_count(kit, OUTPUT_USAGE), 1);
        assert_says(kit_output(kit, OUTPUT_USAGE, 0), "\"reason\":\"cancelled\"");
        assert_int_equal(is_stop ? kit->has_ended : (int)kit->releases.count, 1);
        assert_int_equal(kit->exit_code, 0);
        kit_die(kit);
        kit_assign(kit, 0);
        kit_request(kit, 0, 0, NULL, "");
        kit_turn(kit);
        assert_int_equal(kit_open_calls(kit), 1); /* no owner died: the count is unchanged */
        assert_int_equal(results_queued(kit->engine), 0);
        kit_free(kit);
    }
}

static void a_revoked_partition_that_cannot_commit_is_still_released(void **state)
{
    (void)state;
    static const struct {
        enum batch_outcome outcome;
        size_t tries;
    } CASES[] = {{BATCH_MEMBER_GONE, 1}, {BATCH_GENERATION, 2}};
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct kit *kit = kit_started(NULL);
        kit_request(kit, 0, 0, NULL, "");
        kit_turn(kit);
        engine_partition_revoked(kit->engine, kit->tenures[0]);
        kit_answer(kit, 0);
        size_t tries = 0;
        for (int round = 0; round < 20 && kit->releases.count == 0; round++) {
            kit_wait(kit, 1000);
            kit_read(kit);
            if (!kit->has_batch)
                continue;
            tries++;
            kit_batch_ends(kit, CASES[i].outcome);
        }
        assert_int_equal(tries, CASES[i].tries);
        assert_int_equal(kit->releases.count, 1);
        (void)snprintf(kit->membership, sizeof kit->membership, "generation 2");
        kit_settle(kit);
        assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 0);
        assert_int_equal(kit_count(kit, OUTPUT_USAGE), 1); /* the call was billed */
        assert_says(kit_output(kit, OUTPUT_USAGE, 0), "\"final\":false");
        kit_free(kit);
    }
}

/* ---- the end ---- */

static void a_stop_drains_and_exits_with_0(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_request(kit, 0, 0, NULL, "");
    kit_turn(kit);
    engine_stop(kit->engine);
    engine_stop(kit->engine);
    assert_int_equal(engine_room(kit->engine, kit->tenures[0]), 0);
    kit_wait(kit, 1000);
    assert_false(kit->has_ended);
    kit_answer(kit, 0);
    kit_settle(kit);
    assert_true(kit->has_ended);
    assert_int_equal(kit->exit_code, 0);
    assert_int_equal(kit->logged[LOG_DRAINING], 1);
    assert_int_equal(kit->logged[LOG_DRAINED], 1);
    assert_int_equal(kit->committed[0], 1);
    kit_free(kit);
}

static void a_stop_that_cannot_commit_exits_with_1_in_time(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_record(kit, 0, 0, NULL, "nonsense");
    kit_turn(kit); /* this batch never ends */
    engine_stop(kit->engine);
    kit_wait(kit, 14999);
    assert_false(kit->has_ended);
    kit_wait(kit, 1);
    assert_true(kit->has_ended);
    assert_int_equal(kit->exit_code, 1);
    assert_int_equal(kit->logged[LOG_STOP_TIMED_OUT], 1);
    kit_free(kit);
}

static void a_stop_in_a_hurry_records_its_calls_and_leaves_their_requests(void **state)
{
    (void)state;
    struct engine_config config = kit_config();
    config.commit_interval_ms = 10000; /* a stop in a hurry does not wait for it */
    struct kit *kit = kit_started(&config);
    kit_request(kit, 0, 0, NULL, "");
    kit_turn(kit);
    engine_hurry(kit->engine);
    engine_hurry(kit->engine);
    assert_int_equal(kit_open_calls(kit), 0);
    for (int batch = 0; batch < 2; batch++) { /* the call's begin, and its record */
        kit_turn(kit);
        assert_true(kit->has_batch);
        kit_commit(kit);
    }
    kit_turn(kit);
    assert_true(kit->has_ended);
    assert_int_equal(kit->logged[LOG_STOP_HURRIED], 1);
    assert_non_null(strstr(kit->words[LOG_STOP_HURRIED], "cancels 1 running calls"));
    assert_int_equal(kit->logged[LOG_DRAIN_TIMED_OUT], 0);
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 0);
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 1);
    assert_says(kit_output(kit, OUTPUT_USAGE, 0), "\"reason\":\"cancelled\"");
    assert_int_equal(kit->committed[0], 0);
    kit_free(kit);
}

static void a_stop_in_a_hurry_that_cannot_commit_ends_soon(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_record(kit, 0, 0, NULL, "nonsense");
    kit_turn(kit); /* this batch never ends */
    engine_stop(kit->engine);
    kit_wait(kit, 1000);
    engine_hurry(kit->engine);
    kit_wait(kit, ENGINE_HURRY_MS - 1);
    assert_false(kit->has_ended);
    kit_wait(kit, 1);
    assert_true(kit->has_ended);
    assert_int_equal(kit->exit_code, 1);
    assert_int_equal(kit->logged[LOG_STOP_TIMED_OUT], 1);
    kit_free(kit);
}

static bool make_engine(void *self)
{
    struct kit *kit = self;
    struct ports ports = kit_ports(kit);
    struct engine *engine = engine_new(&kit->config, &ports, 0, KIT_WALL_MS);
    engine_free(engine);
    return engine != NULL;
}

static void an_engine_without_memory_is_not_created(void **state)
{
    (void)state;
    struct kit *kit = kit_new(NULL);
    assert_true(torture(make_engine, kit) > 5);
    engine_free(NULL);
    kit_free(kit);
}

/* Everything held at any moment is freed at the end. */
static void an_engine_can_be_freed_at_any_moment(void **state)
{
    (void)state;
    for (int steps = 0; steps < 9; steps++) {
        struct kit *kit = kit_started(NULL);
        int step = 0;
        for (int64_t offset = 0; offset < 6 && step++ < steps; offset++)
            kit_request(kit, 0, offset, offset < 3 ? "k" : NULL,
                        offset == 5 ? ",\"reply_to\":\"reply.x\"" : "");
        kit_turn(kit);
        if (steps > 6)
            kit_answer(kit, 0);
        if (steps > 7)
            engine_partition_lost(kit->engine, kit->tenures[0]);
        kit_turn(kit);
        kit_free(kit);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_fetched_before_offset_and_map_are_read),
        cmocka_unit_test(a_partition_continues_where_its_last_owner_stopped),
        cmocka_unit_test(metadata_that_is_no_map_withholds_its_partition_and_is_never_replaced),
        cmocka_unit_test(an_operator_sets_the_offset_and_a_withheld_partition_goes_on),
        cmocka_unit_test(a_truncated_log_restarts_at_its_start_and_is_logged),
        cmocka_unit_test(a_recreated_topic_restarts_at_its_first_record_and_is_logged),
        cmocka_unit_test(a_record_above_a_full_map_is_fetched_again_later),
        cmocka_unit_test(a_stall_stops_calls_until_the_offsets_and_a_heartbeat_are_back),
        cmocka_unit_test(a_stalled_worker_does_not_repeat_what_its_successor_committed),
        cmocka_unit_test(late_events_are_dropped),
        cmocka_unit_test(a_revoked_partition_is_released_when_its_calls_are_committed),
        cmocka_unit_test(no_retry_begins_during_a_drain),
        cmocka_unit_test(a_drain_that_times_out_cancels_calls_and_records_usage),
        cmocka_unit_test(a_revoked_partition_that_cannot_commit_is_still_released),
        cmocka_unit_test(a_stop_drains_and_exits_with_0),
        cmocka_unit_test(a_stop_that_cannot_commit_exits_with_1_in_time),
        cmocka_unit_test(a_stop_in_a_hurry_records_its_calls_and_leaves_their_requests),
        cmocka_unit_test(a_stop_in_a_hurry_that_cannot_commit_ends_soon),
        cmocka_unit_test(an_engine_without_memory_is_not_created),
        cmocka_unit_test(an_engine_can_be_freed_at_any_moment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
