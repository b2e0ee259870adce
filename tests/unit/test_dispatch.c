/* Why requests wait: each reason of engine/waits.def at the moment when it delays a request. */
#include "unit/engine_kit.h"

#include "engine/dispatch.h"

#define MODEL_A ",\"model\":\"m.a\""
#define MODEL_B ",\"model\":\"m.b\""

static void assert_waits(struct kit *kit, int64_t offset, enum wait wanted)
{
    const struct job *job = NULL;
    for (uint32_t i = 0; i < kit->config.max_held && job == NULL; i++)
        if (kit->engine->jobs.all[i].step != JOB_FREE && kit->engine->jobs.all[i].offset == offset)
            job = &kit->engine->jobs.all[i];
    assert_non_null(job);
    assert_string_equal(wait_name(wait_of(kit->engine, job)), wait_name(wanted));
}

static struct kit *kit_with_slots(uint32_t max_in_flight)
{
    struct engine_config config = kit_config();
    config.max_in_flight = max_in_flight;
    return kit_started(&config);
}

static void a_request_waits_for_its_key_a_slot_bedrock_and_its_commit(void **state)
{
    (void)state;
    struct kit *kit = kit_with_slots(1);
    kit_request(kit, 0, 0, "k", MODEL_A);
    kit_request(kit, 0, 1, "k", MODEL_A);
    kit_request(kit, 0, 2, NULL, MODEL_A);
    kit_request(kit, 0, 3, NULL, MODEL_A ",\"reply_to\":\"reply.x\"");
    assert_waits(kit, 0, WAIT_TURN);
    assert_waits(kit, 1, WAIT_KEY);
    assert_waits(kit, 3, WAIT_REPLY_TOPIC);
    kit_turn(kit);
    assert_waits(kit, 0, WAIT_ANSWER);
    assert_waits(kit, 2, WAIT_SLOT);
    kit_answer(kit, 0);
    assert_waits(kit, 0, WAIT_COMMIT);
    kit_free(kit);
}

static void a_request_waits_for_credentials(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_request(kit, 0, 0, NULL, MODEL_A);
    kit_request(kit, 0, 1, NULL, MODEL_A);
    kit_turn(kit);
    kit_answer_with(kit, 0, 403, "x-amzn-errortype: ExpiredTokenException\r\n", "{}");
    assert_waits(kit, 0, WAIT_CREDENTIALS);
    engine_credentials(kit->engine, 0, NULL, SLICE("there is no file"));
    kit_request(kit, 0, 2, NULL, MODEL_B);
    kit_turn(kit);
    assert_waits(kit, 2, WAIT_CREDENTIALS);
    kit_free(kit);
}

static void a_request_waits_for_the_group(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit->membership[0] = '\0';
    kit_time(kit, 200);
    kit_request(kit, 0, 0, NULL, MODEL_A);
    kit_turn(kit);
    assert_waits(kit, 0, WAIT_MEMBERSHIP);
    assert_int_equal(kit->next_ms, kit->now_ms + 100); /* it looks again by itself */
    (void)snprintf(kit->membership, sizeof kit->membership, "generation 1");
    kit_time(kit, 10000); /* a standstill */
    kit_turn(kit);
    assert_waits(kit, 0, WAIT_STALL);
    kit_time(kit, 4000);
    kit_turn(kit);
    assert_waits(kit, 0, WAIT_OFFSETS);
    kit_read(kit);
    kit_turn(kit);
    assert_waits(kit, 0, WAIT_ANSWER);
    kit_free(kit);
}

static void a_request_waits_while_answers_fill_the_memory(void **state)
{
    (void)state;
    struct engine_config config = kit_config();
    config.max_held_bytes = 16 << 10;
    config.max_in_flight = 1;
    struct kit *kit = kit_started(&config);
    for (int64_t offset = 0; offset < 8 && engine_room(kit->engine, kit->tenures[0]) > 0; offset++)
        kit_request(kit, 0, offset, NULL, MODEL_A);
    int64_t answered = 0;
    for (; kit->logged[LOG_CALLS_PAUSED] == 0; answered++) {
        kit_turn(kit);
        if (kit->logged[LOG_CALLS_PAUSED] == 0)
            kit_answer(kit, answered);
    }
    assert_waits(kit, answered - 1, WAIT_ANSWERS);
    kit_free(kit);
}

static void a_request_waits_for_the_pace_and_the_share_of_its_target(void **state)
{
    (void)state;
    struct kit *kit = kit_with_slots(32);
    kit_request(kit, 0, 0, NULL, MODEL_B);
    for (int64_t offset = 1; offset < 41; offset++)
        kit_request(kit, 0, offset, NULL, MODEL_A);
    kit_turn(kit);
    kit_answer(kit, 0);
    kit_turn(kit);
    assert_waits(kit, 40, WAIT_SHARE);
    for (int64_t offset = 1; offset < 9; offset++)
        kit_throttle(kit, offset);
    assert_waits(kit, 1, WAIT_PACE);
    assert_waits(kit, 40, WAIT_PACE);
    kit_fail(kit, 9);
    assert_waits(kit, 9, WAIT_RETRY);
    kit_free(kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_waits_for_its_key_a_slot_bedrock_and_its_commit),
        cmocka_unit_test(a_request_waits_for_credentials),
        cmocka_unit_test(a_request_waits_for_the_group),
        cmocka_unit_test(a_request_waits_while_answers_fill_the_memory),
        cmocka_unit_test(a_request_waits_for_the_pace_and_the_share_of_its_target),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
