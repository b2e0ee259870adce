/* Results that outlive a lost membership: finished answers and running calls wait on the shelf and
 * are adopted when their record comes again under a verified tenure. */
#include "unit/shelf_kit.h"

static void a_running_call_is_adopted_when_its_record_comes_again(void **state)
{
    (void)state;
    struct kit *kit = kit_shelving();
    kit_request(kit, 0, 0, NULL, "");
    kit_turn(kit);
    kit_commit(kit);
    lose(kit);
    assert_int_equal(kit_open_calls(kit), 1);
    assert_int_equal(shelf_count(kit->engine), 1);
    kit_wait(kit, 25000);
    come_back(kit);
    kit_request(kit, 0, 0, NULL, "");
    kit_turn(kit);
    assert_int_equal(shelf_count(kit->engine), 0);
    kit_answer(kit, 0);
    kit_settle(kit);
    assert_int_equal(kit->call_count, 1);
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 1);
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 1);
    assert_says(kit_output(kit, OUTPUT_USAGE, 0), "\"final\":true,\"estimated\":false");
    assert_null(strstr(kit_output(kit, OUTPUT_USAGE, 0)->value, "replaces"));
    assert_int_equal(kit->committed[0], 1);
    kit_free(kit);
}

static void a_finished_answer_is_adopted_when_its_record_comes_again(void **state)
{
    (void)state;
    struct kit *kit = kit_shelving();
    kit_request(kit, 0, 0, NULL, "");
    kit_turn(kit);
    kit_commit(kit);
    kit_answer(kit, 0);
    lose(kit);
    kit_settle(kit);
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 0); /* from the shelf nothing goes out */
    come_back(kit);
    kit_request(kit, 0, 0, NULL, "");
    kit_settle(kit);
    assert_int_equal(kit->call_count, 1);
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 1);
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 1);
    assert_int_equal(kit->committed[0], 1);
    kit_free(kit);
}

/* ---- what the committed map says when the record comes again ---- */

/* A call that no committed map tells, and its partition lost. */
static struct kit *kit_with_an_untold_call(void)
{
    struct kit *kit = kit_shelving();
    kit_request(kit, 0, 0, NULL, "");
    kit_turn(kit);
    kit_batch_ends(kit, BATCH_ABORTED);
    lose(kit);
    return kit;
}

static void an_untold_call_is_adopted_where_nothing_is_under_way(void **state)
{
    (void)state;
    struct kit *kit = kit_with_an_untold_call();
    come_back_with_the_record(kit);
    kit_answer(kit, 0);
    kit_settle(kit);
    assert_int_equal(kit->call_count, 1);
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 1);
    assert_replaces_nothing(kit_output(kit, OUTPUT_USAGE, 0));
    kit_free(kit);
}

static void an_adopted_call_counts_no_death(void **state)
{
    (void)state;
    struct kit *kit = kit_with_a_lost_call();
    come_back_with_the_record(kit);
    kit_settle(kit);
    const struct ledger_entry *entry =
        ledger_find(&slot_find(kit->engine, kit->tenures[0])->ledger, 0);
    assert_non_null(entry);
    assert_int_equal(entry->deaths, 0);
    assert_true(entry->is_running);
    kit_free(kit);
}

static void a_call_that_a_successor_recorded_is_adopted_and_replaces_its_record(void **state)
{
    (void)state;
    struct kit *kit = kit_with_a_lost_call();
    leave_map(kit, 0, at_0(1, false));
    come_back_with_the_record(kit);
    kit_answer(kit, 0);
    kit_settle(kit);
    assert_int_equal(kit->call_count, 1);
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 1);
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 1);
    assert_says(kit_output(kit, OUTPUT_USAGE, 0), "\"final\":true");
    assert_replaces(kit, kit_output(kit, OUTPUT_USAGE, 0), 1);
    kit_free(kit);
}

/* The successor recorded ours as begun 1, began its own, and died. */
static void another_owners_call_is_recorded_before_ours_is_adopted(void **state)
{
    (void)state;
    struct kit *kit = kit_with_a_lost_call();
    leave_map(kit, 0, at_0(2, true));
    come_back_with_the_record(kit);
    kit_answer(kit, 0);
    kit_settle(kit);
    char id[UUID_TEXT_LEN + 1];
    lost_id(kit, 0, 2, id);
    assert_int_equal(kit->call_count, 1);
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 2);
    assert_says(kit_output(kit, OUTPUT_USAGE, 0), "\"reason\":\"worker_lost\"");
    assert_says(kit_output(kit, OUTPUT_USAGE, 0), id);
    assert_says(kit_output(kit, OUTPUT_USAGE, 1), "\"final\":true");
    assert_replaces(kit, kit_output(kit, OUTPUT_USAGE, 1), 1);
    kit_free(kit);
}

static void beside_an_untold_call_what_is_under_way_is_another_owners(void **state)
{
    (void)state;
    struct kit *kit = kit_with_an_untold_call();
    leave_map(kit, 0, at_0(1, true));
    come_back_with_the_record(kit);
    kit_answer(kit, 0);
    kit_settle(kit);
    assert_int_equal(kit->call_count, 1);
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 2);
    assert_says(kit_output(kit, OUTPUT_USAGE, 0), "\"reason\":\"worker_lost\"");
    assert_replaces_nothing(kit_output(kit, OUTPUT_USAGE, 1));
    kit_free(kit);
}

static void an_answer_that_another_owner_gave_too_ends_as_usage(void **state)
{
    (void)state;
    for (int is_running = 0; is_running < 2; is_running++) {
        struct kit *kit = kit_shelving();
        kit_request(kit, 0, 0, NULL, "");
        kit_turn(kit);
        kit_commit(kit);
        if (!is_running)
            kit_answer(kit, 0);
        lose(kit);
        leave_map(kit, 1, (struct offset_open){.offset = -1}); /* it answered */
        come_back(kit);
        assert_int_equal(kit_open_calls(kit), 0);
        kit_settle(kit);
        assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 0);
        assert_int_equal(kit_count(kit, OUTPUT_USAGE), 1);
        assert_says(kit_output(kit, OUTPUT_USAGE, 0), "\"final\":false");
        assert_replaces(kit, kit_output(kit, OUTPUT_USAGE, 0), 1);
        assert_int_equal(held_count(kit->engine), 0);
        kit_free(kit);
    }
}

static void another_record_at_the_offset_is_called(void **state)
{
    (void)state;
    struct kit *kit = kit_with_a_lost_call();
    come_back(kit);
    kit_request(kit, 0, 0, NULL, ",\"max_tokens\":7");
    kit_turn(kit);
    assert_int_equal(kit->call_count, 2);
    assert_int_equal(kit_open_calls(kit), 1);
    kit_answer(kit, 0);
    kit_settle(kit);
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 1);
    assert_says(kit_output(kit, OUTPUT_USAGE, 0), "\"reason\":\"cancelled\"");
    assert_replaces(kit, kit_output(kit, OUTPUT_USAGE, 0), 1);
    assert_says(kit_output(kit, OUTPUT_USAGE, 1), "\"reason\":\"worker_lost\"");
    kit_free(kit);
}

/* The same value under another key, or of another time. */
static void a_record_is_known_by_key_value_and_time(void **state)
{
    (void)state;
    for (int other = 0; other < 2; other++) {
        struct kit *kit = kit_with_a_lost_call();
        come_back(kit);
        if (other == 0)
            kit->stamps[0][0]++;
        kit_request(kit, 0, 0, other == 1 ? "k" : NULL, "");
        kit_turn(kit);
        assert_int_equal(kit->call_count, 2);
        kit_free(kit);
    }
}

static void what_the_log_does_not_have_any_more_ends_as_usage(void **state)
{
    (void)state;
    struct kit *kit = kit_with_a_lost_call();
    come_back(kit);
    kit_record(kit, 0, 1, NULL, "nonsense");
    kit_turn(kit);
    assert_int_equal(kit_open_calls(kit), 0);
    kit_settle(kit);
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 1);
    assert_replaces(kit, kit_output(kit, OUTPUT_USAGE, 0), 1);
    kit_free(kit);
}

/* Offset 1 is the front, and its first call is under way. */
static void assert_tells_1(const struct kit *kit)
{
    struct offset_open open[4];
    size_t count;
    int64_t last;
    assert_int_equal(offset_map_read(slice_of_text(kit->maps[0]), kit->committed[0], open,
                                     COUNT_OF(open), &count, &last),
                     OK);
    assert_int_equal(count, 1);
    assert_int_equal(open[0].offset, 1);
    assert_int_equal(open[0].begun, 1);
    assert_true(open[0].is_under_way && !open[0].is_marked);
}

/* The next owner learns of the call from the map; its own worker, which still has it, names the
 * record that the next owner makes. */
static void a_release_before_its_record_comes_leaves_a_call_in_the_map(void **state)
{
    (void)state;
    struct kit *kit = kit_shelving();
    kit_request(kit, 0, 0, NULL, "");
    kit_request(kit, 0, 1, NULL, "");
    kit_turn(kit);
    kit_commit(kit);
    lose(kit);
    come_back_with_the_record(kit); /* but not with that of offset 1 */
    kit_answer(kit, 0);
    kit_settle(kit);
    engine_partition_revoked(kit->engine, kit->tenures[0]);
    kit_settle(kit);
    assert_int_equal(kit->releases.count, 1);
    assert_int_equal(kit_open_calls(kit), 1);
    assert_tells_1(kit);
    kit_answer(kit, 1);
    kit_wait(kit, KEEP_MS);
    kit_settle(kit);
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 2);
    assert_replaces_nothing(kit_output(kit, OUTPUT_USAGE, 0));
    assert_replaces_at(kit, kit_output(kit, OUTPUT_USAGE, 1), 1, 1);
    assert_int_equal(kit->call_count, 2);
    kit_free(kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_running_call_is_adopted_when_its_record_comes_again),
        cmocka_unit_test(a_finished_answer_is_adopted_when_its_record_comes_again),
        cmocka_unit_test(an_untold_call_is_adopted_where_nothing_is_under_way),
        cmocka_unit_test(an_adopted_call_counts_no_death),
        cmocka_unit_test(a_call_that_a_successor_recorded_is_adopted_and_replaces_its_record),
        cmocka_unit_test(another_owners_call_is_recorded_before_ours_is_adopted),
        cmocka_unit_test(beside_an_untold_call_what_is_under_way_is_another_owners),
        cmocka_unit_test(an_answer_that_another_owner_gave_too_ends_as_usage),
        cmocka_unit_test(another_record_at_the_offset_is_called),
        cmocka_unit_test(a_record_is_known_by_key_value_and_time),
        cmocka_unit_test(what_the_log_does_not_have_any_more_ends_as_usage),
        cmocka_unit_test(a_release_before_its_record_comes_leaves_a_call_in_the_map),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
