/* Log lines about a partition that takes no more requests. */
#include "unit/scale_kit.h"

static void a_full_share_is_logged_once_a_minute_with_its_holders(void **state)
{
    (void)state;
    struct engine_config config = kit_config();
    config.max_held = 8;
    config.max_in_flight = 2;
    struct kit *kit = kit_started(&config);
    kit_assign(kit, 1);
    assert_true(engine_room(kit->engine, kit->tenures[1]) > 0); /* it has records, too */
    int64_t next = 0;
    while (engine_room(kit->engine, kit->tenures[0]) > 0)
        kit_request(kit, 0, next++, NULL, ",\"model\":\"m.slow\"");
    assert_int_equal(next, 4); /* half: the rest is the other partition's share */
    for (int i = 0; i < 5; i++)
        (void)engine_room(kit->engine, kit->tenures[0]);
    assert_int_equal(kit->logged[LOG_SHARE_FULL], 1);
    assert_non_null(strstr(kit->words[LOG_SHARE_FULL],
                           "requests-0 has its share of delivery.max_held: of the 4 requests held, "
                           "4 wait for m.slow"));
    for (int64_t offset = 0; offset < 4; offset++)
        kit_record(kit, 1, offset, NULL, "nonsense");
    assert_int_equal(engine_room(kit->engine, kit->tenures[1]), 0);
    assert_int_equal(kit->logged[LOG_SHARE_FULL], 2);
    assert_non_null(strstr(kit->words[LOG_SHARE_FULL],
                           "requests-1 has its share of delivery.max_held: of the 4 requests held, "
                           "4 wait for their commit"));
    kit_free(kit);
}

/* Under a steady load a share is full, has room and is full again many times a second. */
static void a_share_that_fills_repeatedly_is_logged_once_a_minute(void **state)
{
    (void)state;
    struct engine_config config = kit_config();
    config.max_held = 4;
    struct kit *kit = kit_started(&config);
    kit_request(kit, 0, 0, "k", ",\"model\":\"m.a\"");
    kit_turn(kit);
    int64_t next = 1;
    for (int round = 0; round < 600; round++) {
        while (engine_room(kit->engine, kit->tenures[0]) > 0)
            kit_request(kit, 0, next++, NULL, ",\"model\":\"m.b\"");
        kit_turn(kit);
        for (size_t i = 0; i < kit->call_count; i++)
            if (kit->calls[i].is_open && kit->calls[i].offset > 0)
                kit_answer(kit, kit->calls[i].offset);
        kit_wait(kit, 100);
        if (kit->has_batch)
            kit_commit(kit);
    }
    assert_true(next > 600);
    assert_in_range(kit->logged[LOG_SHARE_FULL], 1, 2);
    kit_free(kit);
}

static void a_full_share_names_credentials_when_there_are_none(void **state)
{
    (void)state;
    struct engine_config config = kit_config();
    config.max_held = 4;
    struct kit *kit = kit_started(&config);
    engine_credentials(kit->engine, 0, NULL, SLICE("there is no file"));
    int64_t next = 0;
    while (engine_room(kit->engine, kit->tenures[0]) > 0)
        kit_request(kit, 0, next++, NULL, ",\"model\":\"m.a\"");
    assert_non_null(
        strstr(kit->words[LOG_SHARE_FULL], "of the 4 requests held, 4 wait for AWS credentials"));
    assert_non_null(strstr(kit->lines[LOG_SHARE_FULL], "\"wait\":\"CREDENTIALS\""));
    kit_free(kit);
}

static void a_full_share_names_the_most_common_reason(void **state)
{
    (void)state;
    struct engine_config config = kit_config();
    config.max_held = 6;
    struct kit *kit = kit_started(&config);
    kit_request(kit, 0, 0, NULL, ",\"model\":\"m.a\"");
    for (int64_t offset = 1; offset < 6; offset++)
        kit_request(kit, 0, offset, "k", ",\"model\":\"m.b\"");
    assert_int_equal(engine_room(kit->engine, kit->tenures[0]), 0);
    assert_non_null(strstr(kit->words[LOG_SHARE_FULL],
                           "of the 6 requests held, 4 wait for earlier ones of their key"));
    kit_free(kit);
}

static void a_share_full_of_bytes_names_its_setting(void **state)
{
    (void)state;
    struct engine_config config = kit_config();
    config.max_held_bytes = 4096;
    struct kit *kit = kit_started(&config);
    int64_t next = 0;
    while (engine_room(kit->engine, kit->tenures[0]) > 0)
        kit_request(kit, 0, next++, NULL, "");
    assert_non_null(strstr(kit->words[LOG_SHARE_FULL], "its share of delivery.max_held_bytes:"));
    kit_free(kit);
}

/* ---- what a partition claims ---- */

#define MANY 1000

static struct engine_config config_of_defaults(void)
{
    struct engine_config config = kit_config();
    config.max_in_flight = 256;
    config.max_held = 4096;
    config.max_held_bytes = 256 << 20;
    config.max_request_bytes = 4 << 20;
    return config;
}

/* Takes a request of about `bytes` bytes if there is room for it. */
static bool take(struct kit *kit, struct tenure tenure, int64_t offset, size_t bytes)
{
    if (engine_room(kit->engine, tenure) == 0)
        return false;
    char *value = malloc(bytes + 100);
    assert_non_null(value);
    int len = snprintf(value, 100, "{\"model\":\"m.1\",\"messages\":[[\"human\",\"[[%lld]] ",
                       (long long)offset);
    memset(value + len, 'x', bytes);
    (void)snprintf(value + bytes, 100, "\"]]}");
    struct record record = {.topic = KIT_TOPIC,
                            .partition = (int32_t)tenure.slot,
                            .offset = offset,
                            .timestamp_ms = KIT_WALL_MS,
                            .timestamp_type = TIMESTAMP_CREATE,
                            .key = SLICE_NULL,
                            .value = slice_of_text(value)};
    engine_record(kit->engine, tenure, &record);
    free(value);
    return true;
}

static int64_t take_all(struct kit *kit, uint32_t slot, int64_t from, size_t bytes)
{
    int64_t next = from;
    while (next - from < 4096 && take(kit, kit->tenures[slot], next, bytes))
        next++;
    return next - from;
}

static void one_busy_partition_among_many_fills_the_call_slots(void **state)
{
    (void)state;
    static const size_t SIZES[] = {1000, 20000, 100000};
    for (size_t i = 0; i < COUNT_OF(SIZES); i++) {
        struct engine_config config = config_of_defaults();
        struct kit *kit = kit_with_partitions(&config, MANY);
        take_all(kit, 0, 0, SIZES[i]);
        kit_turn(kit);
        print_message("%zu bytes: %zu calls\n", SIZES[i], kit_open_calls(kit));
        assert_true(kit_open_calls(kit) >= 240);
        kit_free(kit);
    }
}

static void a_partition_that_gets_records_is_served_at_once(void **state)
{
    (void)state;
    struct engine_config config = config_of_defaults();
    struct kit *kit = kit_with_partitions(&config, 2);
    int64_t first = take_all(kit, 0, 0, 1000);
    assert_in_range(first, 3072, 4096 - 256);
    /* The reserve, while the other partition's calls take as long as they like. */
    int64_t second = take_all(kit, 1, 5000, 1000);
    assert_true(second >= 200);
    /* What comes back goes to the one that lacks its share. */
    kit_turn(kit);
    size_t answered = 0;
    for (int64_t offset = 0; offset < 100; offset++) {
        kit_answer(kit, offset);
        answered++;
    }
    kit_settle(kit);
    assert_int_equal(take_all(kit, 0, 10000, 1000), 0);
    assert_int_equal(take_all(kit, 1, 20000, 1000), answered);
    kit_free(kit);
}

static void a_partition_claims_what_it_held_lately(void **state)
{
    (void)state;
    struct engine_config config = config_of_defaults();
    config.max_in_flight = 512;
    struct kit *kit = kit_with_partitions(&config, 2);
    for (int64_t offset = 0; offset < 400; offset++)
        assert_true(take(kit, kit->tenures[1], offset, 1000));
    engine_partition_empty(kit->engine, kit->tenures[1]);
    kit_turn(kit);
    for (int64_t offset = 0; offset < 400; offset++)
        kit_answer(kit, offset);
    kit_settle(kit); /* 5 s */
    assert_int_equal(take_all(kit, 0, 1000, 1000), 4096 - 400 - 256);
    kit_wait(kit, 10000);
    assert_int_equal(take_all(kit, 0, 5000, 1000), 400);
    kit_free(kit);
}

static void held_bytes_are_bounded_however_many_partitions_hold_them(void **state)
{
    (void)state;
    struct engine_config config = config_of_defaults();
    config.max_held_bytes = 8 << 20;
    config.max_request_bytes = 512 << 10;
    for (uint32_t partitions = 1; partitions <= 256; partitions *= 16) {
        struct kit *kit = kit_with_partitions(&config, partitions);
        for (int64_t round = 0; round < 20; round++)
            for (uint32_t slot = 0; slot < partitions; slot++)
                (void)take(kit, (struct tenure){slot, slot + 1}, round, 500 << 10);
        struct engine_stats stats;
        engine_stats(kit->engine, &stats);
        print_message("%u partitions: %llu bytes\n", partitions,
                      (unsigned long long)stats.held_bytes);
        assert_true(stats.held_bytes > (7 << 20));
        assert_true(stats.held_bytes <= config.max_held_bytes + 2 * config.max_request_bytes);
        kit_free(kit);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_busy_partition_among_many_fills_the_call_slots),
        cmocka_unit_test(a_partition_that_gets_records_is_served_at_once),
        cmocka_unit_test(a_partition_claims_what_it_held_lately),
        cmocka_unit_test(held_bytes_are_bounded_however_many_partitions_hold_them),
        cmocka_unit_test(a_full_share_is_logged_once_a_minute_with_its_holders),
        cmocka_unit_test(a_share_that_fills_repeatedly_is_logged_once_a_minute),
        cmocka_unit_test(a_full_share_names_credentials_when_there_are_none),
        cmocka_unit_test(a_full_share_names_the_most_common_reason),
        cmocka_unit_test(a_share_full_of_bytes_names_its_setting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
