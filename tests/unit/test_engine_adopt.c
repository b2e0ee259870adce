/* What befalls a lost membership: open batches, further losses, keys, limits, the end of the
 * worker. */
#include "unit/shelf_kit.h"

#include "engine/result.h"

/* Another owner lives, and this worker did not notice. */
static void a_tenure_that_another_owner_ended_shelves_its_answers(void **state)
{
    (void)state;
    struct kit *kit = kit_shelving();
    kit_request(kit, 0, 0, NULL, "");
    kit_turn(kit);
    kit_commit(kit);
    kit_answer(kit, 0);
    kit_wait(kit, 200);
    kit_batch_ends(kit, BATCH_GENERATION);
    leave_map(kit, 0, at_0(1, false));
    kit_read(kit);
    assert_int_equal(kit->logged[LOG_LEDGER_DIFFERS], 1);
    assert_int_equal(shelf_count(kit->engine), 1);
    kit_wait(kit, 6000);
    kit_read(kit);
    kit_request(kit, 0, 0, NULL, "");
    kit_settle(kit);
    assert_int_equal(kit->call_count, 1);
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 1);
    assert_replaces(kit, kit_output(kit, OUTPUT_USAGE, 0), 1);
    kit_free(kit);
}

/* An answer lies in the open batch when the partition is lost. */
static struct kit *kit_lost_with_a_batch(void)
{
    struct kit *kit = kit_shelving();
    kit_request(kit, 0, 0, NULL, "");
    kit_turn(kit);
    kit_commit(kit);
    kit_answer(kit, 0);
    (void)kit_batch_with(kit, OUTPUT_RESPONSE);
    lose(kit);
    assert_int_equal(shelf_count(kit->engine), 0); /* it stays in its batch to the end */
    return kit;
}

static void an_answer_whose_batch_is_committed_after_the_loss_is_done(void **state)
{
    (void)state;
    struct kit *kit = kit_lost_with_a_batch();
    kit_commit(kit);
    assert_int_equal(held_count(kit->engine), 0);
    kit_settle(kit);
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 1);
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 1);
    kit_free(kit);
}

static void an_answer_whose_batch_is_aborted_after_the_loss_is_shelved(void **state)
{
    (void)state;
    struct kit *kit = kit_lost_with_a_batch();
    kit_batch_ends(kit, BATCH_ABORTED);
    assert_int_equal(shelf_count(kit->engine), 1);
    come_back_with_the_record(kit);
    kit_settle(kit);
    assert_int_equal(kit->call_count, 1);
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 1);
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 1);
    assert_replaces_nothing(kit_output(kit, OUTPUT_USAGE, 0));
    kit_free(kit);
}

static void a_batch_of_unknown_end_is_settled_when_its_partition_comes_back(void **state)
{
    (void)state;
    for (int was_made = 0; was_made < 2; was_made++) {
        struct kit *kit = kit_lost_with_a_batch();
        if (was_made)
            kit_make(kit);
        kit_batch_ends(kit, BATCH_UNKNOWN);
        kit_wait(kit, 1000);
        assert_int_equal(shelf_count(kit->engine), 1);
        assert_int_equal(kit_count(kit, OUTPUT_USAGE), was_made ? 1 : 0);
        come_back(kit);
        assert_int_equal(held_count(kit->engine), was_made ? 0 : 1);
        if (!was_made)
            kit_request(kit, 0, 0, NULL, "");
        kit_settle(kit);
        assert_int_equal(kit->call_count, 1);
        assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 1);
        assert_int_equal(kit_count(kit, OUTPUT_USAGE), 1);
        assert_int_equal(kit->committed[0], 1);
        kit_free(kit);
    }
}

/* A batch is whole: one partition shows what became of the answers of another. */
static void one_partition_shows_what_became_of_anothers_answers(void **state)
{
    (void)state;
    for (int was_made = 0; was_made < 2; was_made++) {
        struct kit *kit = kit_shelving();
        kit_assign(kit, 1);
        for (uint32_t slot = 0; slot < 2; slot++) {
            kit_request(kit, slot, 0, NULL, "");
            kit_turn(kit);
            kit_answer(kit, 0);
        }
        kit_commit(kit);
        kit_wait(kit, 200);
        assert_int_equal(kit->batch.offset_count, 2);
        engine_partition_lost(kit->engine, kit->tenures[0]);
        engine_partition_lost(kit->engine, kit->tenures[1]);
        if (was_made)
            kit_make(kit);
        kit_batch_ends(kit, BATCH_UNKNOWN);
        kit_turn(kit);
        assert_int_equal(shelf_count(kit->engine), 2);
        kit_assign(kit, 1);
        assert_int_equal(shelf_count(kit->engine), was_made ? 0 : 2);
        kit_free(kit);
    }
}

/* Its second tenure begins while the batch of the first one is unknown and has a witness. */
static void a_new_tenure_settles_the_unknown_batch_of_the_old_one(void **state)
{
    (void)state;
    for (int was_made = 0; was_made < 2; was_made++) {
        struct kit *kit = kit_shelving();
        kit_assign(kit, 1);
        kit_request(kit, 0, 0, NULL, "");
        kit_turn(kit);
        kit_commit(kit);
        kit_answer(kit, 0);
        kit_record(kit, 1, 0, NULL, "nonsense");
        (void)kit_batch_with(kit, OUTPUT_RESPONSE);
        assert_int_equal(kit->batch.offset_count, 2);
        if (was_made)
            kit_make(kit);
        kit_batch_ends(kit, BATCH_UNKNOWN);
        kit->reads.count = 0; /* the witness is not read yet */
        lose(kit);
        come_back(kit);
        if (!was_made)
            kit_request(kit, 0, 0, NULL, "");
        kit_settle(kit);
        assert_int_equal(kit->call_count, 1);
        assert_int_equal(kit->committed[0], 1);
        kit_free(kit);
    }
}

static void a_job_that_is_lost_twice_is_adopted_the_second_time(void **state)
{
    (void)state;
    struct kit *kit = kit_with_a_lost_call();
    come_back(kit); /* its record does not come in this tenure */
    lose(kit);
    come_back_with_the_record(kit);
    lose(kit); /* it came in this one, and the call still runs */
    assert_int_equal(shelf_count(kit->engine), 1);
    kit_answer(kit, 0);
    come_back_with_the_record(kit);
    kit_settle(kit);
    assert_int_equal(kit->call_count, 1);
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 1);
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 1);
    assert_replaces_nothing(kit_output(kit, OUTPUT_USAGE, 0));
    kit_free(kit);
}

/* A call that a successor recorded is in no map of ours: it names one record, however often it is
 * lost. */
static void a_recorded_call_that_is_lost_again_replaces_the_same_record(void **state)
{
    (void)state;
    struct kit *kit = kit_with_a_lost_call();
    leave_map(kit, 0, at_0(1, false));
    come_back_with_the_record(kit);
    kit_settle(kit);
    lose(kit);
    leave_map(kit, 1, (struct offset_open){.offset = -1}); /* another worker answers it */
    come_back(kit);
    kit_settle(kit);
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 1);
    assert_replaces(kit, kit_output(kit, OUTPUT_USAGE, 0), 1);
    kit_free(kit);
}

/* Only a batch of unknown outcome tells it. Another owner had a call of the same count. */
static void an_adopted_call_replaces_the_record_that_an_unknown_batch_may_have_caused(void **state)
{
    (void)state;
    for (int is_running = 0; is_running < 2; is_running++) {
        struct kit *kit = kit_shelving();
        kit_assign(kit, 1);
        kit_request(kit, 1, 0, NULL, "");
        kit_turn(kit);
        kit_answer(kit, 0);
        kit_request(kit, 0, 0, NULL, "");
        kit_commit(kit);
        kit_wait(kit, 200);
        assert_int_equal(kit->batch.offset_count, 2);
        engine_partition_lost(kit->engine, kit->tenures[1]);
        lose(kit);
        kit_batch_ends(kit, BATCH_UNKNOWN);
        leave_map(kit, 0, at_0(1, is_running == 1));
        come_back_with_the_record(kit);
        kit_assign(kit, 1); /* shows that the batch was not made: what is named stays named */
        kit_answer(kit, 0);
        kit_settle(kit);
        assert_int_equal(kit->call_count, 2);
        assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 1);
        assert_int_equal(kit_count(kit, OUTPUT_USAGE), 1 + is_running);
        assert_replaces(kit, kit_output(kit, OUTPUT_USAGE, (size_t)is_running), 1);
        kit_free(kit);
    }
}

/* The usage of its first call went out at the loss, as replacing the record of count 1; then its
 * worker got the partition back, and died. */
static struct kit *kit_with_a_spent_count(const struct engine_config *config)
{
    struct kit *kit = kit_started(config);
    kit_request(kit, 0, 0, NULL, "");
    kit_turn(kit);
    kit_commit(kit);
    kit_call_ends(kit, kit_call(kit, 0), ERR_TIMEOUT, true); /* billed; it rests */
    lose(kit);
    assert_int_equal(shelf_count(kit->engine), 0);
    kit_settle(kit);
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 1);
    assert_replaces(kit, kit_output(kit, OUTPUT_USAGE, 0), 1);
    come_back_with_the_record(kit);
    kit_settle(kit);
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 1); /* this process knows that call */
    kit_die(kit);
    come_back_with_the_record(kit);
    kit_settle(kit);
    return kit;
}

static void a_count_that_a_record_replaces_is_spent(void **state)
{
    (void)state;
    struct engine_config config = kit_config();
    config.keep_lost_ms = KEEP_MS;
    struct kit *kit = kit_with_a_spent_count(&config);
    char id[UUID_TEXT_LEN + 1];
    lost_id(kit, 0, 2, id);
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 2);
    assert_says(kit_output(kit, OUTPUT_USAGE, 1), "\"reason\":\"worker_lost\"");
    assert_says(kit_output(kit, OUTPUT_USAGE, 1), id);
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 0);
    kit_free(kit);
}

static void a_spent_count_counts_as_a_death_under_each_guarantee(void **state)
{
    (void)state;
    for (int is_once = 0; is_once < 2; is_once++) {
        struct engine_config config = kit_config();
        config.keep_lost_ms = KEEP_MS;
        config.exactly_once = is_once == 1;
        config.max_begun = 2;
        struct kit *kit = kit_with_a_spent_count(&config);
        assert_int_equal(kit->call_count, 2);
        assert_int_equal(kit_count(kit, OUTPUT_USAGE), 2);
        assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 1);
        assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"code\":\"abandoned\"");
        kit_free(kit);
    }
}

static void an_adopted_answer_waits_for_its_turn_in_its_key(void **state)
{
    (void)state;
    struct kit *kit = kit_shelving();
    kit_request(kit, 0, 0, "k", "");
    kit_request(kit, 0, 1, "j", "");
    kit_turn(kit);
    kit_commit(kit);
    kit_throttle(kit, 0); /* it rests, and is dropped */
    kit_answer(kit, 1);
    lose(kit);
    come_back(kit);
    /* The earlier request has the same key in this log. */
    kit_request(kit, 0, 0, "j", ",\"max_tokens\":7");
    kit_request(kit, 0, 1, "j", "");
    kit_settle(kit);
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 0);
    kit_answer(kit, 0);
    kit_settle(kit);
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 2);
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"offset\":0");
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 1), "\"offset\":1");
    assert_int_equal(kit->call_count, 3);
    kit_free(kit);
}

static void a_drain_does_not_publish_an_adopted_answer_out_of_turn(void **state)
{
    (void)state;
    for (int is_stop = 0; is_stop < 2; is_stop++) {
        struct kit *kit = kit_shelving();
        kit_request(kit, 0, 1, "j", "");
        kit_turn(kit);
        kit_commit(kit);
        kit_answer(kit, 1);
        lose(kit);
        leave_map(kit, 0, at_0(0, false));
        free(kit->maps[0]);
        kit->maps[0] = NULL;
        come_back(kit);
        kit_request(kit, 0, 0, "j", "");
        kit_request(kit, 0, 1, "j", "");
        kit_turn(kit);
        kit_throttle(kit, 0); /* it rests */
        if (is_stop)
            engine_stop(kit->engine);
        else
            engine_partition_revoked(kit->engine, kit->tenures[0]);
        kit_settle(kit);
        assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 0);
        assert_int_equal(kit_count(kit, OUTPUT_USAGE), is_stop ? 1 : 0);
        assert_int_equal(shelf_count(kit->engine), is_stop ? 0 : 1);
        assert_int_equal(kit->has_ended, is_stop);
        kit_free(kit);
    }
}

/* They wait for no commit, so none would free the memory. */
static void answers_out_of_turn_do_not_stop_the_call_before_them(void **state)
{
    (void)state;
    struct kit *kit = kit_shelving();
    kit_request(kit, 0, 1, "j", "");
    kit_turn(kit);
    kit_commit(kit);
    kit_answer(kit, 1);
    lose(kit);
    kit->committed[0] = 0;
    free(kit->maps[0]);
    kit->maps[0] = NULL;
    come_back(kit);
    kit_request(kit, 0, 0, "j", "");
    kit_request(kit, 0, 1, "j", "");
    kit->engine->config.max_held_bytes = results_bytes(kit->engine); /* they fill more than half */
    kit_turn(kit);
    assert_int_equal(kit_calls_of(kit, 0), 1);
    kit_free(kit);
}

static void a_kept_answer_is_used_however_many_owners_died(void **state)
{
    (void)state;
    struct kit *kit = kit_with_a_lost_call();
    leave_map(kit, 0, at_0((uint8_t)kit->config.max_begun, false));
    come_back_with_the_record(kit);
    kit_answer(kit, 0);
    kit_settle(kit);
    assert_int_equal(kit->logged[LOG_REQUEST_ABANDONED], 0);
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"status\":\"ok\"");
    kit_free(kit);
}

static void a_stop_ends_the_shelf_with_its_usage(void **state)
{
    (void)state;
    struct kit *kit = kit_shelving();
    kit_request(kit, 0, 0, NULL, "");
    kit_request(kit, 0, 1, NULL, "");
    kit_turn(kit);
    kit_commit(kit);
    kit_answer(kit, 1);
    lose(kit);
    engine_stop(kit->engine);
    assert_int_equal(kit_open_calls(kit), 0);
    kit_settle(kit);
    assert_true(kit->has_ended);
    assert_int_equal(kit->exit_code, 0);
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 0);
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 2);
    kit_free(kit);
}

static void what_is_kept_too_long_ends_as_usage(void **state)
{
    (void)state;
    struct kit *kit = kit_with_a_lost_call();
    kit_wait(kit, KEEP_MS - 1000);
    assert_int_equal(kit_open_calls(kit), 1);
    kit_wait(kit, 2000);
    assert_int_equal(kit_open_calls(kit), 0);
    assert_int_equal(kit->logged[LOG_SHELF_DROPPED], 1);
    kit_settle(kit);
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 1);
    assert_says(kit_output(kit, OUTPUT_USAGE, 0), "\"reason\":\"cancelled\"");
    assert_replaces(kit, kit_output(kit, OUTPUT_USAGE, 0), 1);
    assert_int_equal(held_count(kit->engine), 0);
    kit_free(kit);
}

static void a_call_that_fails_on_the_shelf_is_made_again_by_the_next_tenure(void **state)
{
    (void)state;
    struct kit *kit = kit_with_a_lost_call();
    kit_throttle(kit, 0);
    kit_wait(kit, 60000);
    assert_int_equal(kit->call_count, 1); /* not retried there */
    assert_int_equal(shelf_count(kit->engine), 0);
    come_back_with_the_record(kit);
    assert_int_equal(kit->call_count, 2);
    kit_answer(kit, 0);
    kit_settle(kit);
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 1); /* the first one cost nothing */
    kit_free(kit);
}

static void without_keep_lost_there_is_no_shelf(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_request(kit, 0, 0, NULL, "");
    kit_turn(kit);
    kit_commit(kit);
    lose(kit);
    assert_int_equal(kit_open_calls(kit), 0);
    assert_int_equal(held_count(kit->engine), 0);
    kit_free(kit);
}

/* ---- room ---- */

static struct kit *kit_with_a_full_shelf(uint32_t max_held)
{
    struct engine_config config = kit_config();
    config.keep_lost_ms = KEEP_MS;
    config.max_held = max_held;
    config.max_in_flight = max_held;
    struct kit *kit = kit_started(&config);
    for (int64_t offset = 0; offset < max_held; offset++)
        kit_request(kit, 0, offset, NULL, "");
    kit_turn(kit);
    kit_commit(kit);
    return kit;
}

/* All jobs are on the shelf, so that none is free for a record that comes. */
static void a_record_of_the_shelf_enters_without_a_free_job(void **state)
{
    (void)state;
    struct kit *kit = kit_with_a_full_shelf(4);
    for (int64_t offset = 0; offset < 4; offset++)
        kit_answer(kit, offset);
    lose(kit);
    assert_int_equal(shelf_count(kit->engine), 4);
    come_back(kit);
    for (int64_t offset = 0; offset < 4; offset++) {
        assert_int_equal(engine_room(kit->engine, kit->tenures[0]), 1);
        kit_request(kit, 0, offset, NULL, "");
    }
    assert_int_equal(engine_room(kit->engine, kit->tenures[0]), 0);
    kit_settle(kit);
    assert_int_equal(kit->call_count, 4);
    assert_int_equal(kit->committed[0], 4);
    kit_free(kit);
}

/* Room that only a record of the shelf may use: another one is fetched again when a job is free. */
static void another_record_waits_for_room_and_is_fetched_again(void **state)
{
    (void)state;
    struct kit *kit = kit_with_a_full_shelf(4);
    for (int64_t offset = 0; offset < 4; offset++)
        kit_answer(kit, offset);
    lose(kit);
    kit->committed[1] = 0;
    kit_assign(kit, 0);
    kit->stamps[0][0]++; /* the log has another record there now */
    assert_int_equal(engine_room(kit->engine, kit->tenures[0]), 1);
    kit_request(kit, 0, 0, NULL, "");
    kit_turn(kit);
    assert_int_equal(kit->call_count, 5); /* the job of the old record made room */
    kit_free(kit);
}

static void the_oldest_answer_of_a_partition_not_ours_makes_room_first(void **state)
{
    (void)state;
    struct kit *kit = kit_with_a_full_shelf(4);
    kit_answer(kit, 1);
    kit_answer(kit, 2);
    lose(kit);
    assert_int_equal(shelf_count(kit->engine), 4);
    kit_assign(kit, 1); /* another one; ours went to another worker */
    assert_int_equal(engine_room(kit->engine, kit->tenures[1]), 0);
    kit_wait(kit, 9000); /* it may still come back */
    assert_int_equal(engine_room(kit->engine, kit->tenures[1]), 0);
    kit_wait(kit, 2000);
    static const struct {
        int64_t offset;
        bool is_running;
    } ORDER[] = {{1, false}, {2, false}, {0, true}, {3, true}};
    for (size_t i = 0; i < COUNT_OF(ORDER); i++) {
        size_t open = kit_open_calls(kit);
        kit_record(kit, 1, (int64_t)i, NULL, "nonsense");
        char part[64];
        (void)snprintf(part, sizeof part, "\"offset\":%d,", (int)ORDER[i].offset);
        assert_non_null(strstr(kit->lines[LOG_SHELF_DROPPED], part));
        assert_int_equal(kit_open_calls(kit), open - ORDER[i].is_running);
    }
    kit_settle(kit);
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 4);
    kit_free(kit);
}

/* ---- under at_least_once ---- */

static void at_least_once_adopts_as_well(void **state)
{
    (void)state;
    struct engine_config config = kit_config();
    config.keep_lost_ms = KEEP_MS;
    config.exactly_once = false;
    struct kit *kit = kit_started(&config);
    kit_request(kit, 0, 0, NULL, "");
    kit_turn(kit);
    kit_commit(kit);
    lose(kit);
    kit_answer(kit, 0);
    come_back_with_the_record(kit);
    kit_settle(kit);
    assert_int_equal(kit->call_count, 1);
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 1);
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 1);
    kit_free(kit);
}

/* The answer is delivered; the membership is lost before its offset is committed. */
static void what_at_least_once_delivered_is_not_paid_again(void **state)
{
    (void)state;
    for (int is_other = 0; is_other < 2; is_other++) {
        struct engine_config config = kit_config();
        config.keep_lost_ms = KEEP_MS;
        config.exactly_once = false;
        struct kit *kit = kit_started(&config);
        kit_request(kit, 0, 0, NULL, "");
        kit_turn(kit);
        kit_commit(kit); /* the map tells the call */
        kit_answer(kit, 0);
        (void)kit_batch_with(kit, OUTPUT_RESPONSE);
        kit_batch_ends(kit, BATCH_COMMITTED); /* the records, not the offset */
        lose(kit);
        come_back(kit);
        lose(kit); /* again, before the record */
        come_back(kit);
        kit_request(kit, 0, 0, NULL, is_other ? ",\"max_tokens\":7" : "");
        kit_settle(kit);
        assert_int_equal(kit->call_count, 1 + is_other);
        assert_int_equal(kit_count(kit, OUTPUT_USAGE), is_other ? 1 : 0); /* a dead owner's */
        assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 0);
        assert_int_equal(kit->committed[0], 1 - is_other);
        kit_free(kit);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tenure_that_another_owner_ended_shelves_its_answers),
        cmocka_unit_test(an_answer_whose_batch_is_committed_after_the_loss_is_done),
        cmocka_unit_test(an_answer_whose_batch_is_aborted_after_the_loss_is_shelved),
        cmocka_unit_test(a_batch_of_unknown_end_is_settled_when_its_partition_comes_back),
        cmocka_unit_test(one_partition_shows_what_became_of_anothers_answers),
        cmocka_unit_test(a_new_tenure_settles_the_unknown_batch_of_the_old_one),
        cmocka_unit_test(a_job_that_is_lost_twice_is_adopted_the_second_time),
        cmocka_unit_test(a_recorded_call_that_is_lost_again_replaces_the_same_record),
        cmocka_unit_test(an_adopted_call_replaces_the_record_that_an_unknown_batch_may_have_caused),
        cmocka_unit_test(a_count_that_a_record_replaces_is_spent),
        cmocka_unit_test(a_spent_count_counts_as_a_death_under_each_guarantee),
        cmocka_unit_test(an_adopted_answer_waits_for_its_turn_in_its_key),
        cmocka_unit_test(a_drain_does_not_publish_an_adopted_answer_out_of_turn),
        cmocka_unit_test(answers_out_of_turn_do_not_stop_the_call_before_them),
        cmocka_unit_test(a_kept_answer_is_used_however_many_owners_died),
        cmocka_unit_test(a_stop_ends_the_shelf_with_its_usage),
        cmocka_unit_test(what_is_kept_too_long_ends_as_usage),
        cmocka_unit_test(a_call_that_fails_on_the_shelf_is_made_again_by_the_next_tenure),
        cmocka_unit_test(without_keep_lost_there_is_no_shelf),
        cmocka_unit_test(a_record_of_the_shelf_enters_without_a_free_job),
        cmocka_unit_test(another_record_waits_for_room_and_is_fetched_again),
        cmocka_unit_test(the_oldest_answer_of_a_partition_not_ours_makes_room_first),
        cmocka_unit_test(at_least_once_adopts_as_well),
        cmocka_unit_test(what_at_least_once_delivered_is_not_paid_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
