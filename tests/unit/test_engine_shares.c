/* Log lines about a partition that takes no more requests. */
#include "unit/engine_kit.h"

static void a_full_share_is_logged_once_a_minute_with_its_holders(void **state)
{
    (void)state;
    struct engine_config config = kit_config();
    config.max_held = 8;
    config.max_in_flight = 2;
    struct kit *kit = kit_started(&config);
    kit_assign(kit, 1);
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
    engine_credentials(kit->engine, NULL, SLICE("there is no file"));
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_share_is_logged_once_a_minute_with_its_holders),
        cmocka_unit_test(a_share_that_fills_repeatedly_is_logged_once_a_minute),
        cmocka_unit_test(a_full_share_names_credentials_when_there_are_none),
        cmocka_unit_test(a_full_share_names_the_most_common_reason),
        cmocka_unit_test(a_share_full_of_bytes_names_its_setting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
