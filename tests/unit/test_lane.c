#include "unit/engine_kit.h"

#include "base/random.h"

#define KEYS     4
#define REQUESTS 60

static struct kit *kit_ordered(enum ordering ordering)
{
    struct engine_config config = kit_config();
    config.ordering = ordering;
    return kit_new(&config);
}

/* Which of the offsets 0 … 7 are being called now, as bits. */
static unsigned called(const struct kit *kit)
{
    unsigned bits = 0;
    for (size_t i = 0; i < kit->call_count; i++)
        if (kit->calls[i].is_open)
            bits |= 1U << kit->calls[i].offset;
    return bits;
}

static void requests_of_one_key_are_called_one_after_the_other(void **state)
{
    (void)state;
    struct kit *kit = kit_ordered(ORDERING_KEY);
    kit_assign(kit, 0);
    for (int64_t offset = 0; offset < 3; offset++)
        kit_request(kit, 0, offset, "k", "");
    kit_turn(kit);
    assert_int_equal(called(kit), 1U << 0);
    kit_answer(kit, 0);
    kit_turn(kit); /* it is finished, not yet committed */
    assert_int_equal(called(kit), 1U << 1);
    kit_answer(kit, 1);
    kit_turn(kit);
    assert_int_equal(called(kit), 1U << 2);
    kit_free(kit);
}

static void other_keys_null_keys_and_other_partitions_do_not_wait(void **state)
{
    (void)state;
    struct kit *kit = kit_ordered(ORDERING_KEY);
    kit_assign(kit, 0);
    kit_assign(kit, 1);
    kit_request(kit, 0, 0, "k", "");
    kit_request(kit, 0, 1, "k", "");
    kit_request(kit, 0, 2, "l", "");
    kit_request(kit, 0, 3, NULL, "");
    kit_request(kit, 0, 4, NULL, "");
    kit_request(kit, 1, 5, "k", "");
    kit_request(kit, 0, 6, "", ""); /* an empty key is a key */
    kit_request(kit, 0, 7, "", "");
    kit_turn(kit);
    assert_int_equal(called(kit), 1U << 0 | 1U << 2 | 1U << 3 | 1U << 4 | 1U << 5 | 1U << 6);
    kit_free(kit);
}

static void ordering_by_partition_gives_each_partition_one_lane(void **state)
{
    (void)state;
    struct kit *kit = kit_ordered(ORDERING_PARTITION);
    kit_assign(kit, 0);
    kit_assign(kit, 1);
    kit_request(kit, 0, 0, "a", "");
    kit_request(kit, 0, 1, NULL, "");
    kit_request(kit, 1, 2, "b", "");
    kit_request(kit, 1, 3, "a", "");
    kit_turn(kit);
    assert_int_equal(called(kit), 1U << 0 | 1U << 2);
    kit_answer(kit, 0);
    kit_turn(kit);
    assert_int_equal(called(kit), 1U << 1 | 1U << 2);
    kit_free(kit);
}

static void without_ordering_no_request_waits(void **state)
{
    (void)state;
    struct kit *kit = kit_ordered(ORDERING_NONE);
    kit_assign(kit, 0);
    for (int64_t offset = 0; offset < 4; offset++)
        kit_request(kit, 0, offset, "k", "");
    kit_turn(kit);
    assert_int_equal(called(kit), 0xf);
    kit_free(kit);
}

static void a_retry_keeps_its_lane_occupied(void **state)
{
    (void)state;
    struct kit *kit = kit_ordered(ORDERING_KEY);
    kit_assign(kit, 0);
    kit_request(kit, 0, 0, "k", "");
    kit_request(kit, 0, 1, "k", "");
    kit_turn(kit);
    for (int attempt = 1; attempt < 3; attempt++) {
        kit_fail(kit, 0);
        kit_turn(kit);
        assert_int_equal(kit_calls_of(kit, 1), 0);
        kit_wait(kit, 1000);
        assert_int_equal(called(kit), 1U << 0);
    }
    kit_fail(kit, 0); /* the last attempt: an error is a finish */
    kit_turn(kit);
    assert_int_equal(called(kit), 1U << 1);
    assert_int_equal(kit_calls_of(kit, 0), 3);
    kit_free(kit);
}

/* A later request with the same key does not overtake one that waits for its look-up. */
static void a_request_that_looks_up_its_reply_topic_keeps_its_place(void **state)
{
    (void)state;
    struct kit *kit = kit_ordered(ORDERING_KEY);
    kit_assign(kit, 0);
    kit_request(kit, 0, 0, "k", ",\"reply_to\":\"reply.a\"");
    kit_request(kit, 0, 1, "k", "");
    kit_request(kit, 0, 2, "k", ",\"reply_to\":\"reply.b\"");
    kit_request(kit, 0, 3, "k", "");
    kit_turn(kit);
    assert_int_equal(called(kit), 0);
    engine_topic_found(kit->engine, kit->look_ups.list[0].ticket, OK, 1);
    kit_turn(kit);
    assert_int_equal(called(kit), 1U << 0);
    kit_answer(kit, 0);
    kit_turn(kit);
    assert_int_equal(called(kit), 1U << 1);
    kit_answer(kit, 1);
    kit_turn(kit);
    assert_int_equal(called(kit), 0);
    engine_topic_found(kit->engine, kit->look_ups.list[1].ticket, ERR_NOT_FOUND, 0);
    kit_turn(kit); /* refused, which is a finish too */
    assert_int_equal(called(kit), 1U << 3);
    kit_free(kit);
}

static void a_lane_head_that_was_never_called_lets_the_next_one_run(void **state)
{
    (void)state;
    struct kit *kit = kit_ordered(ORDERING_KEY);
    kit_assign(kit, 0);
    kit_request(kit, 0, 0, "k", "");
    kit_turn(kit);
    kit_record(kit, 0, 1, "k", "nonsense"); /* refused at once: it never leads */
    kit_request(kit, 0, 2, "k", ",\"ttl_ms\":500");
    kit_request(kit, 0, 3, "k", "");
    kit_wait(kit, 2000); /* 2 expires while it waits behind 0 */
    assert_int_equal(called(kit), 1U << 0);
    kit_answer(kit, 0);
    kit_turn(kit);
    assert_int_equal(called(kit), 1U << 3);
    kit_settle(kit);
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 3);
    kit_free(kit);
}

static void a_lane_head_that_expires_lets_the_next_one_run(void **state)
{
    (void)state;
    struct engine_config config = kit_config();
    config.max_in_flight = 1;
    struct kit *kit = kit_new(&config);
    kit_assign(kit, 0);
    kit_request(kit, 0, 0, NULL, "");
    kit_turn(kit);
    kit_request(kit, 0, 1, "k", ",\"ttl_ms\":500");
    kit_request(kit, 0, 2, "k", "");
    kit_wait(kit, 1000);
    kit_answer(kit, 0);
    kit_turn(kit);
    assert_int_equal(called(kit), 1U << 2);
    kit_free(kit);
}

static void a_revoked_partition_forgets_all_its_lanes(void **state)
{
    (void)state;
    struct kit *kit = kit_ordered(ORDERING_KEY);
    kit_assign(kit, 0);
    for (int64_t offset = 0; offset < 6; offset++)
        kit_request(kit, 0, offset, offset % 2 == 0 ? "k" : "l", "");
    kit_turn(kit);
    assert_int_equal(called(kit), 3);
    engine_partition_revoked(kit->engine, kit->tenures[0]);
    kit_answer(kit, 0);
    kit_answer(kit, 1);
    kit_settle(kit);
    assert_int_equal(kit->call_count, 2);
    assert_int_equal(kit->releases.count, 1);
    kit_assign(kit, 0); /* and back again: the others are as new */
    for (int64_t offset = 2; offset < 6; offset++)
        kit_request(kit, 0, offset, offset % 2 == 0 ? "k" : "l", "");
    kit_turn(kit);
    assert_int_equal(called(kit), 1U << 2 | 1U << 3);
    kit_free(kit);
}

static int key_of(int64_t offset)
{
    return (int)(offset * 7 % 11 % KEYS);
}

/* Calls end in any order and in any way: no two of one key run at once, and none overtakes. */
static void keys_keep_their_order_whatever_happens(void **state)
{
    (void)state;
    static const char *const NAMES[KEYS] = {"a", "b", "c", "d"};
    struct random random;
    random_init(&random, 20);
    for (int round = 0; round < 30; round++) {
        struct kit *kit = kit_ordered(ORDERING_KEY);
        kit_assign(kit, 0);
        for (int64_t offset = 0; offset < REQUESTS; offset++)
            kit_request(kit, 0, offset, NAMES[key_of(offset)], "");
        kit_turn(kit);
        while (kit_open_calls(kit) > 0) {
            int64_t last[KEYS] = {-1, -1, -1, -1};
            int open[KEYS] = {0};
            for (size_t i = 0; i < kit->call_count; i++) {
                int key = key_of(kit->calls[i].offset);
                assert_true(kit->calls[i].offset >= last[key]);
                last[key] = kit->calls[i].offset;
                open[key] += kit->calls[i].is_open;
                assert_true(open[key] <= 1);
            }
            size_t i = random_below(&random, kit->call_count);
            if (kit->calls[i].is_open && random_below(&random, 3) == 0)
                kit_fail(kit, kit->calls[i].offset);
            else if (kit->calls[i].is_open)
                kit_answer(kit, kit->calls[i].offset);
            kit_wait(kit, 1000);
            if (kit->has_batch)
                kit_commit(kit);
        }
        kit_settle(kit);
        assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), REQUESTS);
        kit_free(kit);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_of_one_key_are_called_one_after_the_other),
        cmocka_unit_test(other_keys_null_keys_and_other_partitions_do_not_wait),
        cmocka_unit_test(ordering_by_partition_gives_each_partition_one_lane),
        cmocka_unit_test(without_ordering_no_request_waits),
        cmocka_unit_test(a_retry_keeps_its_lane_occupied),
        cmocka_unit_test(a_request_that_looks_up_its_reply_topic_keeps_its_place),
        cmocka_unit_test(a_lane_head_that_was_never_called_lets_the_next_one_run),
        cmocka_unit_test(a_lane_head_that_expires_lets_the_next_one_run),
        cmocka_unit_test(a_revoked_partition_forgets_all_its_lanes),
        cmocka_unit_test(keys_keep_their_order_whatever_happens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
