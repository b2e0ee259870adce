/* Batches: aborts, unknown outcomes, fencing, and the doubts of a worker about its own
 * membership. */
#include "unit/engine_kit.h"

/* One request is answered, and the committer has the batch with its response. */
static size_t answer_into_batch(struct kit *kit, int64_t offset)
{
    kit_request(kit, 0, offset, NULL, "");
    kit_turn(kit);
    kit_answer(kit, offset);
    return kit_batch_with(kit, OUTPUT_RESPONSE);
}

/* ---- reads that were asked for before a doubt ---- */

/* Both partitions are read again in another generation; the first one's offsets are known, and a
 * batch of it is open. Returns the read of the second one, which is not answered. */
static struct kit_note read_under_way(struct kit *kit)
{
    kit_assign(kit, 0);
    kit_assign(kit, 1);
    kit_record(kit, 0, 0, NULL, "nonsense");
    kit_wait(kit, 100);
    kit_commit(kit);
    (void)snprintf(kit->membership, sizeof kit->membership, "generation 2");
    kit_record(kit, 0, 1, NULL, "nonsense");
    kit_request(kit, 1, 0, NULL, "");
    kit_wait(kit, 100);
    assert_int_equal(kit->reads.count, 2);
    struct kit_note read = kit->reads.list[1];
    kit->reads.count = 1;
    kit_read(kit);
    kit_wait(kit, 100);
    assert_true(kit->has_batch);
    return read;
}

static void offsets_read_before_a_stall_do_not_end_it(void **state)
{
    (void)state;
    struct kit *kit = kit_new(NULL);
    struct kit_note old = read_under_way(kit);
    kit_time(kit, 60000);
    kit_turn(kit);
    engine_offsets_read(kit->engine, old.tenure, old.ticket, OK,
                        &(struct committed){.offset = kit->committed[1]});
    kit_wait(kit, 5000);
    assert_int_equal(kit_open_calls(kit), 0);
    kit_free(kit);
}

/* The second doubt's read, sent when the batch has ended, races with the partition's own commit:
 * the broker answers it before it has the commit. */
static void an_own_commit_is_not_mistaken_for_another_owners(void **state)
{
    (void)state;
    struct kit *kit = kit_new(NULL);
    struct kit_note old = read_under_way(kit);
    (void)snprintf(kit->membership, sizeof kit->membership, "generation 3");
    kit_time(kit, 100);
    kit_request(kit, 0, 2, NULL, "");
    kit_wait(kit, 200);
    assert_true(kit->has_batch);
    engine_offsets_read(kit->engine, old.tenure, old.ticket, OK,
                        &(struct committed){.offset = kit->committed[1]});
    kit_wait(kit, 200);
    kit_commit(kit);
    kit_turn(kit);
    assert_int_equal(kit->reads.count, 2);
    struct kit_note read = kit->reads.list[1];
    if (kit->has_batch)
        kit_commit(kit);
    engine_offsets_read(kit->engine, read.tenure, read.ticket, OK,
                        &(struct committed){.offset = 0});
    kit_wait(kit, 100);
    assert_int_equal(kit->logged[LOG_LEDGER_DIFFERS], 0);
    kit_free(kit);
}

/* A lost partition comes with another generation: the others are read again just then. */
static void usage_of_a_lost_partition_waits_for_a_witness(void **state)
{
    (void)state;
    struct kit *kit = kit_new(NULL);
    kit_assign(kit, 0);
    kit_assign(kit, 1);
    kit_request(kit, 1, 0, NULL, "");
    kit_wait(kit, 100);
    kit_commit(kit);
    kit_wait(kit, 200);
    (void)snprintf(kit->membership, sizeof kit->membership, "generation 2");
    engine_partition_lost(kit->engine, kit->tenures[1]);
    kit_turn(kit);
    assert_false(kit->has_batch);
    while (kit->reads.count > 0)
        kit_read(kit);
    kit_wait(kit, 200);
    assert_true(kit->has_batch);
    assert_int_equal(kit->batch.offset_count, 1);
    kit_make(kit);
    kit_batch_ends(kit, BATCH_UNKNOWN);
    for (int i = 0; i < 20; i++) {
        kit_read(kit);
        kit_wait(kit, 100);
        if (kit->has_batch)
            kit_commit(kit);
    }
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 1);
    kit_free(kit);
}

/* ---- the cut ---- */

static void results_wait_for_the_commit_interval_except_after_quiet(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_wait(kit, 5000);
    kit_record(kit, 0, 0, NULL, "nonsense");
    kit_turn(kit);
    assert_true(kit->has_batch); /* no batch was cut for a while: at once */
    kit_commit(kit);
    kit_record(kit, 0, 1, NULL, "nonsense");
    kit_turn(kit);
    assert_false(kit->has_batch);
    kit_wait(kit, 99);
    assert_false(kit->has_batch);
    kit_wait(kit, 1);
    assert_true(kit->has_batch);
    kit_record(kit, 0, 2, NULL, "nonsense");
    kit_wait(kit, 1000);
    assert_int_equal(kit->batch_count, 2); /* one at a time */
    kit_commit(kit);
    kit_turn(kit);
    assert_true(kit->has_batch);
    kit_free(kit);
}

static void a_batch_ends_at_its_limits(void **state)
{
    (void)state;
    struct engine_config config = kit_config();
    config.batch_results_max = 3;
    struct kit *kit = kit_started(&config);
    for (int64_t offset = 0; offset < 7; offset++)
        kit_record(kit, 0, offset, NULL, "nonsense");
    static const int64_t FRONTS[] = {3, 6, 7};
    for (size_t i = 0; i < COUNT_OF(FRONTS); i++) {
        kit_wait(kit, 100);
        kit_commit(kit);
        assert_int_equal(kit->committed[0], FRONTS[i]);
    }
    kit_free(kit);
    config.batch_results_max = 100;
    config.batch_bytes_max = 1; /* at least one goes */
    kit = kit_started(&config);
    for (int64_t offset = 0; offset < 3; offset++)
        kit_record(kit, 0, offset, NULL, "nonsense");
    for (int64_t front = 1; front <= 3; front++) {
        kit_wait(kit, 100);
        kit_commit(kit);
        assert_int_equal(kit->committed[0], front);
    }
    kit_free(kit);
}

/* If the worker dies then, its map has only the running calls. */
static void every_batch_carries_the_usage_of_ended_calls(void **state)
{
    (void)state;
    struct engine_config config = kit_config();
    config.batch_results_max = 2;
    struct kit *kit = kit_started(&config);
    for (int64_t offset = 0; offset < 6; offset++)
        kit_request(kit, 0, offset, NULL, "");
    kit_turn(kit);
    kit_commit(kit);
    for (int64_t offset = 0; offset < 4; offset++)
        kit_answer(kit, offset);
    kit_call_ends(kit, kit_call(kit, 4), ERR_TIMEOUT, true);
    kit_call_ends(kit, kit_call(kit, 5), ERR_TIMEOUT, true);
    kit_wait(kit, 100);
    kit_commit(kit);
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 2);
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 4);
    assert_int_equal(kit->committed[0], 2);
    kit_free(kit);
}

static void newly_begun_calls_cause_a_commit(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_request(kit, 0, 0, NULL, "");
    kit_wait(kit, 100);
    assert_true(kit->has_batch);
    assert_int_equal(kit->batch.output_count, 0);
    kit_commit(kit);
    struct offset_open open;
    size_t count;
    int64_t last;
    assert_int_equal(
        offset_map_read(slice_of_text(kit->maps[0]), kit->committed[0], &open, 1, &count, &last),
        OK);
    assert_int_equal(count, 1);
    assert_true(open.is_under_way);
    kit_wait(kit, 5000);
    assert_false(kit->has_batch); /* nothing new to say */
    kit_free(kit);
}

static void at_least_once_cuts_as_soon_as_the_committer_is_free(void **state)
{
    (void)state;
    struct engine_config config = kit_config();
    config.exactly_once = false;
    struct kit *kit = kit_started(&config);
    for (int64_t offset = 0; offset < 3; offset++) {
        kit_record(kit, 0, offset, NULL, "nonsense");
        kit_turn(kit);
        assert_true(kit->has_batch);
        kit_commit(kit);
    }
    engine_stop(kit->engine);
    kit_turn(kit);
    assert_true(kit->has_ended);
    assert_int_equal(kit->exit_code, 0);
    kit_free(kit);
}

static void uncommitted_answers_over_the_limit_stop_new_calls(void **state)
{
    (void)state;
    struct engine_config config = kit_config();
    config.max_held_bytes = 40000;
    config.max_in_flight = 4;
    struct kit *kit = kit_started(&config);
    int64_t next = 0;
    for (int round = 0; round < 200 && kit->logged[LOG_CALLS_PAUSED] == 0; round++) {
        while (engine_room(kit->engine, kit->tenures[0]) > 0)
            kit_request(kit, 0, next++, NULL, "");
        kit_wait(kit, 200); /* the committer never comes back */
        for (size_t i = 0; i < kit->call_count; i++)
            if (kit->calls[i].is_open)
                kit_answer(kit, kit->calls[i].offset);
    }
    if (kit->logged[LOG_CALLS_PAUSED] > 0) {
        size_t calls = kit->call_count;
        kit_wait(kit, 10000);
        assert_int_equal(kit->call_count, calls);
        assert_int_equal(kit->logged[LOG_CALLS_PAUSED], 1);
    }
    struct engine_stats stats;
    engine_stats(kit->engine, &stats);
    assert_int_equal(engine_room(kit->engine, kit->tenures[0]), 0);
    assert_true(stats.held_bytes <= engine_memory_bound(&config));
    kit_settle(kit);
    engine_stats(kit->engine, &stats);
    assert_true(kit->call_count > 0 && stats.commits > 0);
    kit_free(kit);
}

/* ---- aborts ---- */

static void an_aborted_batch_is_published_again_after_a_growing_pause(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    (void)answer_into_batch(kit, 0);
    int64_t pause_ms = 100;
    for (int i = 0; i < 10; i++) {
        kit_batch_ends(kit, BATCH_ABORTED);
        kit_wait(kit, pause_ms - 1);
        assert_false(kit->has_batch);
        kit_wait(kit, 1);
        assert_true(kit->has_batch);
        pause_ms = pause_ms * 2 > 10000 ? 10000 : pause_ms * 2;
    }
    kit_commit(kit);
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 1);
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 1);
    assert_int_equal(kit->call_count, 1);
    kit_free(kit);
}

static void batches_that_time_out_become_smaller_and_keep_their_order(void **state)
{
    (void)state;
    struct engine_config config = kit_config();
    config.batch_results_max = 8;
    struct kit *kit = kit_started(&config);
    for (int64_t offset = 0; offset < 20; offset++)
        kit_record(kit, 0, offset, NULL, "nonsense");
    static const size_t SIZES[] = {8, 4, 2, 1, 1};
    for (size_t i = 0; i < COUNT_OF(SIZES); i++) {
        kit_wait(kit, 10000);
        assert_int_equal(kit->batch.output_count, SIZES[i] * 2);
        struct batch_end end = {.id = kit->batch.id,
                                .outcome = BATCH_ABORTED,
                                .was_time = true,
                                .reason = SLICE("slow")};
        kit->has_batch = false;
        engine_batch_ended(kit->engine, &end);
    }
    static const int64_t FRONTS[] = {1, 3, 7, 15, 20};
    for (size_t i = 0; i < COUNT_OF(FRONTS); i++) {
        kit_wait(kit, 10000);
        kit_commit(kit);
        assert_int_equal(kit->committed[0], FRONTS[i]);
    }
    for (size_t i = 0; i < 20; i++) {
        char part[32];
        (void)snprintf(part, sizeof part, "\"offset\":%zu,", i);
        assert_says(kit_output(kit, OUTPUT_RESPONSE, i), part);
    }
    kit_free(kit);
}

/* ---- unknown outcomes ---- */

static void a_batch_of_unknown_outcome_that_committed_is_not_repeated(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    (void)answer_into_batch(kit, 0);
    kit_make(kit);
    kit_batch_ends(kit, BATCH_UNKNOWN);
    kit_wait(kit, 3000);
    assert_false(kit->has_batch); /* nothing before the offsets are read */
    assert_int_equal(kit->reads.count, 1);
    kit_read(kit);
    assert_int_equal(kit->logged[LOG_BATCH_WAS_COMMITTED], 1);
    kit_settle(kit);
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 1);
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 1);
    assert_int_equal(kit->call_count, 1);
    kit_free(kit);
}

static void a_batch_of_unknown_outcome_that_aborted_is_published_again(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    (void)answer_into_batch(kit, 0);
    kit_batch_ends(kit, BATCH_UNKNOWN);
    kit_read(kit);
    assert_int_equal(kit->logged[LOG_BATCH_NOT_COMMITTED], 1);
    kit_settle(kit);
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 1);
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 1);
    assert_int_equal(kit->committed[0], 1);
    assert_int_equal(kit->call_count, 1);
    kit_free(kit);
}

static void one_partitions_offset_decides_a_batch_of_unknown_outcome(void **state)
{
    (void)state;
    for (int made_it = 0; made_it < 2; made_it++) {
        struct kit *kit = kit_started(NULL);
        kit_assign(kit, 1);
        kit_wait(kit, 1000);
        kit_record(kit, 0, 0, NULL, "nonsense");
        kit_record(kit, 1, 0, NULL, "nonsense");
        kit_turn(kit);
        assert_int_equal(kit->batch.offset_count, 2);
        if (made_it)
            kit_make(kit);
        kit_batch_ends(kit, BATCH_UNKNOWN);
        assert_int_equal(kit->reads.count, 2);
        engine_partition_lost(kit->engine, kit->tenures[0]); /* one witness is gone */
        kit_read(kit);
        kit_settle(kit);
        assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), made_it ? 2 : 1);
        assert_int_equal(kit->committed[1], 1);
        kit_free(kit);
    }
}

static void offsets_from_another_owner_drop_the_results_but_keep_usage(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    (void)answer_into_batch(kit, 0);
    kit_batch_ends(kit, BATCH_UNKNOWN);
    kit->committed[0] = 1;
    free(kit->maps[0]);
    kit->maps[0] = NULL; /* some other worker answered it */
    kit_read(kit);
    assert_int_equal(kit->logged[LOG_LEDGER_DIFFERS], 1);
    kit_wait(kit, 6000);
    kit_read(kit);
    kit_settle(kit);
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 0);
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 1); /* the call was billed */
    assert_says(kit_output(kit, OUTPUT_USAGE, 0), "\"final\":false");
    kit_free(kit);
}

/* ---- fencing ---- */

static void fence(struct kit *kit)
{
    int64_t offset = kit->committed[0] < 0 ? 0 : kit->committed[0];
    kit_record(kit, 0, offset, NULL, "nonsense");
    (void)kit_batch_with(kit, OUTPUT_RESPONSE);
    kit_batch_ends(kit, BATCH_FENCED);
    if (kit->has_ended)
        return;
    kit_read(kit);
    kit_settle(kit);
}

static void a_producer_fenced_twice_within_a_minute_ends_the_worker(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    fence(kit);
    assert_false(kit->has_ended);
    assert_int_equal(kit->committed[0], 1);
    fence(kit);
    assert_true(kit->has_ended);
    assert_int_equal(kit->exit_code, 1);
    assert_non_null(strstr(kit->words[LOG_FENCED_TWICE], "kit-1"));
    kit_free(kit);
}

static void a_producer_fenced_rarely_does_not_end_the_worker(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    for (int i = 0; i < 4; i++) {
        fence(kit);
        kit_wait(kit, 60000);
    }
    assert_false(kit->has_ended);
    assert_int_equal(kit->committed[0], 4);
    kit_free(kit);
}

static void a_producer_fenced_twice_after_a_stall_does_not_end_the_worker(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    fence(kit);
    kit_time(kit, 20000); /* it stood still: others did what they must */
    kit_read(kit);
    kit_turn(kit);
    fence(kit);
    assert_false(kit->has_ended);
    kit_free(kit);
}

/* ---- membership ---- */

static void a_changed_membership_stops_calls_until_offsets_are_read(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_request(kit, 0, 0, NULL, "");
    kit_turn(kit);
    kit_commit(kit); /* that it is begun */
    kit_answer(kit, 0);
    (void)snprintf(kit->membership, sizeof kit->membership, "generation 2");
    kit_wait(kit, 1000);
    assert_false(kit->has_batch);
    assert_int_equal(kit->reads.count, 1);
    kit_request(kit, 0, 1, NULL, "");
    kit_wait(kit, 1000);
    assert_int_equal(kit->call_count, 1); /* and nothing is called */
    kit_read(kit);
    kit_wait(kit, 200);
    assert_int_equal(kit->call_count, 2);
    assert_true(kit->has_batch);
    assert_int_equal(kit->logged[LOG_MEMBERSHIP_CHANGED], 1);
    kit_free(kit);
}

static void without_a_membership_nothing_is_committed(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_record(kit, 0, 0, NULL, "nonsense");
    kit->membership[0] = '\0';
    kit_wait(kit, 10000);
    assert_false(kit->has_batch);
    (void)snprintf(kit->membership, sizeof kit->membership, "generation 1");
    kit_wait(kit, 1000);
    assert_true(kit->has_batch);
    kit_free(kit);
}

static void a_worker_removed_from_the_group_calls_only_after_rejoining(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    (void)answer_into_batch(kit, 0);
    kit_batch_ends(kit, BATCH_MEMBER_GONE);
    kit_request(kit, 0, 1, NULL, "");
    kit_wait(kit, 1000);
    kit_read(kit); /* the offsets are as they were: that proves nothing */
    kit_wait(kit, 10000);
    assert_int_equal(kit->call_count, 1);
    (void)snprintf(kit->membership, sizeof kit->membership, "generation 2");
    kit_wait(kit, 200);
    kit_read(kit);
    kit_wait(kit, 1000);
    assert_int_equal(kit->call_count, 2);
    kit_free(kit);
}

/* The old membership is rejected when the worker has a new one already. */
static void a_worker_that_rejoined_before_the_rejection_continues(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    (void)answer_into_batch(kit, 0);
    engine_partition_lost(kit->engine, kit->tenures[0]);
    (void)snprintf(kit->membership, sizeof kit->membership, "generation 2");
    kit_assign(kit, 0);
    kit_turn(kit);
    kit_batch_ends(kit, BATCH_MEMBER_GONE);
    kit_wait(kit, 200);
    kit_read(kit);
    kit_request(kit, 0, 1, NULL, "");
    kit_wait(kit, 1000);
    assert_int_equal(kit->call_count, 2);
    kit_free(kit);
}

static void without_a_membership_nothing_is_called(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit->membership[0] = '\0';
    kit_wait(kit, 200);
    kit_request(kit, 0, 0, NULL, "");
    kit_wait(kit, 10000);
    assert_int_equal(kit->call_count, 0);
    (void)snprintf(kit->membership, sizeof kit->membership, "generation 1");
    kit_wait(kit, 200);
    assert_int_equal(kit->call_count, 1);
    kit_free(kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offsets_read_before_a_stall_do_not_end_it),
        cmocka_unit_test(an_own_commit_is_not_mistaken_for_another_owners),
        cmocka_unit_test(usage_of_a_lost_partition_waits_for_a_witness),
        cmocka_unit_test(results_wait_for_the_commit_interval_except_after_quiet),
        cmocka_unit_test(a_batch_ends_at_its_limits),
        cmocka_unit_test(every_batch_carries_the_usage_of_ended_calls),
        cmocka_unit_test(newly_begun_calls_cause_a_commit),
        cmocka_unit_test(at_least_once_cuts_as_soon_as_the_committer_is_free),
        cmocka_unit_test(uncommitted_answers_over_the_limit_stop_new_calls),
        cmocka_unit_test(an_aborted_batch_is_published_again_after_a_growing_pause),
        cmocka_unit_test(batches_that_time_out_become_smaller_and_keep_their_order),
        cmocka_unit_test(a_batch_of_unknown_outcome_that_committed_is_not_repeated),
        cmocka_unit_test(a_batch_of_unknown_outcome_that_aborted_is_published_again),
        cmocka_unit_test(one_partitions_offset_decides_a_batch_of_unknown_outcome),
        cmocka_unit_test(offsets_from_another_owner_drop_the_results_but_keep_usage),
        cmocka_unit_test(a_producer_fenced_twice_within_a_minute_ends_the_worker),
        cmocka_unit_test(a_producer_fenced_rarely_does_not_end_the_worker),
        cmocka_unit_test(a_producer_fenced_twice_after_a_stall_does_not_end_the_worker),
        cmocka_unit_test(a_changed_membership_stops_calls_until_offsets_are_read),
        cmocka_unit_test(without_a_membership_nothing_is_committed),
        cmocka_unit_test(a_worker_removed_from_the_group_calls_only_after_rejoining),
        cmocka_unit_test(a_worker_that_rejoined_before_the_rejection_continues),
        cmocka_unit_test(without_a_membership_nothing_is_called),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
