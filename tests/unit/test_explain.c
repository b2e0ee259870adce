/* What people are shown of the engine: why a request waits (engine/explain.c), how the worker
 * stands (engine/status.c, engine/standing.c), its last hour (engine/history.c) and the line of a
 * minute (engine/progress.c). */
#include "unit/engine_kit.h"

#include "engine/history.h"
#include "engine/standing.h"
#include "wire/formats/json.h"

#define MODEL_A ",\"model\":\"m.a\""
#define MODEL_B ",\"model\":\"m.b\""

static char shown[1 << 20];

static const char *keep_json(struct buf *json)
{
    struct arena arena OWNED_BY(arena_done);
    const struct json *root = NULL;
    arena_init(&arena, 64 << 20);
    assert_int_equal(json_parse(&arena, buf_slice(json), &root, NULL), OK);
    assert_true(json->len < sizeof shown);
    (void)snprintf(shown, sizeof shown, "%s", buf_text(json));
    assert_null(strstr(shown, "secret"));
    return shown;
}

static const char *explain(struct kit *kit, struct explain_query query)
{
    struct buf json OWNED_BY(buf_done);
    buf_init(&json, 1 << 20);
    engine_explain(kit->engine, &query, &json);
    return keep_json(&json);
}

static const char *explain_at(struct kit *kit, int32_t partition, int64_t offset)
{
    return explain(kit, (struct explain_query){.kind = EXPLAIN_POSITION,
                                               .text = KIT_TOPIC,
                                               .partition = partition,
                                               .offset = offset});
}

static const char *status(struct kit *kit)
{
    struct buf json OWNED_BY(buf_done);
    buf_init(&json, 1 << 20);
    buf_add_byte(&json, '{');
    engine_status(kit->engine, &json);
    buf_add_byte(&json, '}');
    return keep_json(&json);
}

#define assert_shows(text, words)                                                                  \
    do {                                                                                           \
        if (strstr((text), (words)) == NULL)                                                       \
            fail_msg("\"%s\" is not in %s", (words), (text));                                      \
    } while (false)

static struct kit *kit_with_slots(uint32_t max_in_flight)
{
    struct engine_config config = kit_config();
    config.max_in_flight = max_in_flight;
    struct kit *kit = kit_started(&config);
    kit_time(kit, 0);
    return kit;
}

/* ---- explain ---- */

static void a_request_behind_its_key_names_the_one_before_it(void **state)
{
    (void)state;
    struct kit *kit = kit_with_slots(1);
    kit_request(kit, 0, 0, "secret-key", MODEL_A);
    kit_request(kit, 0, 1, "secret-other", MODEL_A);
    kit_request(kit, 0, 2, "secret-key", MODEL_A);
    kit_turn(kit);
    kit_time(kit, 12000);
    const char *text = explain_at(kit, 0, 2);
    assert_shows(text, "requests-0@2 has waited 12 s for earlier ones of its key, behind "
                       "requests-0@0; it goes on when that one has its outcome.");
    assert_shows(text, "\"behind\":{\"topic\":\"requests\",\"partition\":0,\"offset\":0}");
    kit_free(kit);
}

static void a_request_in_line_has_the_number_before_it(void **state)
{
    (void)state;
    struct kit *kit = kit_with_slots(1);
    for (int64_t offset = 0; offset < 4; offset++)
        kit_request(kit, 0, offset, NULL, MODEL_A);
    kit_turn(kit);
    kit_time(kit, 500);
    assert_shows(explain_at(kit, 0, 0), "requests-0@0 has waited 0.5 s for Bedrock's answer (m.a)");
    assert_shows(explain_at(kit, 0, 0), "(calls so far: 1)");
    const char *text = explain_at(kit, 0, 3);
    assert_shows(text, "requests-0@3 has waited 0.5 s for a free call slot, behind 2 requests "
                       "of its tenant; it is called when an open call ends.");
    assert_shows(text, "\"ahead\":2");
    kit_free(kit);
}

static void a_request_in_line_has_its_place_among_tenants(void **state)
{
    (void)state;
    struct kit *kit = kit_with_slots(1);
    for (int64_t offset = 0; offset < 6; offset++)
        kit_request(kit, 0, offset, NULL, MODEL_A ",\"tenant\":\"flood\"");
    kit_turn(kit);
    kit_request(kit, 0, 6, NULL, MODEL_A ",\"tenant\":\"quiet\"");
    kit_request(kit, 0, 7, NULL, MODEL_A ",\"tenant\":\"quiet\"");
    assert_shows(explain_at(kit, 0, 6), "behind 1 request of other tenants;");
    assert_shows(explain_at(kit, 0, 7), "behind 3 requests (1 of its tenant);");
    assert_shows(explain_at(kit, 0, 7), "\"ahead\":3,\"ahead_of_tenant\":1");
    assert_shows(explain_at(kit, 0, 5), "behind 6 requests (4 of its tenant);");
    kit_free(kit);
}

static void a_throttled_request_says_when_it_is_tried_next(void **state)
{
    (void)state;
    struct kit *kit = kit_with_slots(4);
    kit_request(kit, 0, 0, NULL, MODEL_A);
    kit_turn(kit);
    kit_throttle(kit, 0);
    kit_time(kit, 1);
    const char *text = explain_at(kit, 0, 0);
    assert_shows(text, "for its target, which throttles or fails (m.a); it is tried next in ");
    assert_shows(text, "\"state\":\"pace\"");
    assert_shows(text, "\"next_ms\":");
    kit_free(kit);
}

static void a_request_is_found_by_its_id_and_its_key(void **state)
{
    (void)state;
    struct kit *kit = kit_with_slots(1);
    kit_request(kit, 0, 0, "secret-key", MODEL_A ",\"id\":\"mine\"");
    for (int64_t offset = 1; offset < 30; offset++)
        kit_request(kit, 0, offset, "secret-key", MODEL_A);
    const char *text =
        explain(kit, (struct explain_query){.kind = EXPLAIN_ID, .text = SLICE("mine")});
    assert_shows(text, "\"offset\":0");
    assert_shows(text, "\"count\":1,\"is_here\":true");
    text = explain(kit, (struct explain_query){.kind = EXPLAIN_KEY, .text = SLICE("secret-key")});
    assert_shows(text, "\"count\":30,\"is_here\":true");
    assert_shows(text, "This worker holds 30 such requests.");
    assert_shows(text, "\"offset\":19");
    assert_null(strstr(text, "\"offset\":20"));
    kit_free(kit);
}

static void what_is_not_held_is_explained_from_the_ledger(void **state)
{
    (void)state;
    struct kit *kit = kit_with_slots(4);
    kit_request(kit, 0, 0, NULL, MODEL_A);
    kit_turn(kit);
    kit_answer(kit, 0);
    assert_shows(explain_at(kit, 0, 0), "for its commit; its answer is published");
    kit_settle(kit);
    assert_shows(explain_at(kit, 0, 0), "requests-0@0 has its outcome committed");
    assert_shows(explain_at(kit, 0, 7), "is not taken from Kafka yet");
    assert_shows(explain_at(kit, 5, 7), "its partition is not this worker's");
    const char *text =
        explain(kit, (struct explain_query){.kind = EXPLAIN_ID, .text = SLICE("other")});
    assert_shows(text, "\"count\":0,\"is_here\":false");
    engine_partition_assigned(kit->engine, (struct tenure){1, 99}, KIT_TOPIC, 1);
    assert_shows(explain_at(kit, 1, 0), "the worker reads the committed offset");
    kit_free(kit);
}

static void a_partition_is_idle_without_requests_and_with_room(void **state)
{
    (void)state;
    struct kit *kit = kit_with_slots(1);
    assert_true(engine_partition_is_idle(kit->engine, kit->tenures[0]));
    kit_request(kit, 0, 0, NULL, MODEL_A);
    assert_false(engine_partition_is_idle(kit->engine, kit->tenures[0]));
    assert_false(engine_partition_is_idle(kit->engine, (struct tenure){3, 9}));
    kit_turn(kit);
    kit_answer(kit, 0);
    kit_settle(kit);
    assert_true(engine_partition_is_idle(kit->engine, kit->tenures[0]));
    engine_stop(kit->engine);
    assert_false(engine_partition_is_idle(kit->engine, kit->tenures[0]));
    kit_free(kit);
}

/* ---- status ---- */

static void the_headline_says_what_most_requests_wait_for(void **state)
{
    (void)state;
    struct kit *kit = kit_with_slots(1);
    assert_shows(status(kit), "\"headline\":\"This worker: 1 partition, 0 of 1 calls open, 0.0 "
                              "answers a second; no request waits.\"");
    for (int64_t offset = 0; offset < 4; offset++)
        kit_request(kit, 0, offset, NULL, MODEL_A);
    kit_turn(kit);
    const char *text = status(kit);
    assert_shows(text, "1 of 1 calls open, 0.0 answers a second; 3 requests wait for a free call "
                       "slot.\"");
    assert_shows(text, "{\"state\":\"slot\",\"text\":\"a free call slot\",\"is_waiting\":true,"
                       "\"count\":3,");
    assert_shows(text, "{\"state\":\"calling\",\"text\":\"Bedrock's answer\",\"is_waiting\":false,"
                       "\"count\":1,");
    assert_shows(text, "\"held\":4,\"calling\":1,\"open\":4,\"backlog\":4,\"front\":0,\"next\":4,");
    kit_free(kit);
}

static void a_throttling_target_is_named_with_its_numbers(void **state)
{
    (void)state;
    struct kit *kit = kit_with_slots(32);
    kit_request(kit, 0, 40, NULL, MODEL_B);
    for (int64_t offset = 41; offset < 80; offset++)
        kit_request(kit, 0, offset, NULL, MODEL_A);
    kit_turn(kit);
    kit_time(kit, 800);
    kit_answer(kit, 40);
    for (int64_t offset = 41; offset < 49; offset++)
        kit_throttle(kit, offset);
    const char *text = status(kit);
    assert_shows(text, "wait for their target, which throttles or fails (m.a).\"");
    assert_shows(
        text,
        "\"model\":\"m.a\",\"region\":\"us-east-1\",\"state\":\"slow\",\"requests_a_minute\":");
    assert_shows(text, "\"throttled\":8,\"tokens_per_minute\":0}");
    assert_shows(text, "\"throttled\":0,\"tokens_per_minute\":10,\"p50_ms\":");
    kit_free(kit);
}

static void a_target_without_requests_is_idle_for_an_hour(void **state)
{
    (void)state;
    struct kit *kit = kit_with_slots(4);
    for (int64_t offset = 0; offset < HISTORY_TALLIES + 3; offset++) {
        char model[64];
        (void)snprintf(model, sizeof model, ",\"model\":\"m.%lld\"", (long long)offset);
        kit_request(kit, 0, offset, NULL, model);
        kit_turn(kit);
        kit_answer(kit, offset);
        kit_settle(kit);
    }
    const char *text = status(kit);
    assert_shows(text,
                 "\"model\":\"m.3\",\"region\":\"us-east-1\",\"state\":\"idle\",\"calling\":0,"
                 "\"waiting\":0,\"calls\":1,\"throttled\":0,");
    assert_shows(text, "\"model\":\"m.66\"");
    assert_null(strstr(text, "\"model\":\"m.2\""));
    kit_wait(kit, 3600000);
    assert_shows(status(kit), "\"targets\":[]");
    kit_free(kit);
}

/* ---- the last hour ---- */

static void the_last_hour_has_sixty_minutes(void **state)
{
    (void)state;
    struct kit *kit = kit_with_slots(4);
    kit_wait(kit, 60000 - (KIT_WALL_MS + kit->now_ms) % 60000);
    for (int64_t minute = 0; minute < 70; minute++) {
        kit_turn(kit);
        kit_request(kit, 0, minute, NULL, MODEL_A);
        kit_turn(kit);
        kit_answer(kit, minute);
        kit_settle(kit);
        assert_int_equal(history_minute(kit->engine, 0)->answered, 1);
        assert_int_equal(history_minute(kit->engine, 0)->input_tokens, 7);
        assert_int_equal(history_minute(kit->engine, 0)->output_tokens, 3);
        assert_true(history_rate(kit->engine) == 1);
        kit_wait(kit, 55000);
    }
    size_t count = 0;
    for (const char *at = status(kit); (at = strstr(at, "\"start_ms\":")) != NULL; at++)
        count++;
    assert_int_equal(count, HISTORY_MINUTES);
    kit_time(kit, 5000LL * 60000);
    kit_turn(kit);
    assert_int_equal(history_minute(kit->engine, 1)->answered, 0);
    assert_int_equal(history_minute(kit->engine, 59)->answered, 0);
    kit_free(kit);
}

static void a_clock_that_goes_back_counts_in_the_present_minute(void **state)
{
    (void)state;
    struct kit *kit = kit_with_slots(4);
    int64_t start_ms = history_minute(kit->engine, 0)->start_wall_ms;
    engine_time(kit->engine, kit->now_ms, KIT_WALL_MS - 3600000);
    kit_turn(kit);
    assert_true(history_minute(kit->engine, 0)->start_wall_ms == start_ms);
    engine_time(kit->engine, kit->now_ms, -1);
    kit_turn(kit);
    assert_true(history_minute(kit->engine, 0)->start_wall_ms == start_ms);
    kit_free(kit);
}

static void times_of_calls_are_about_right(void **state)
{
    (void)state;
    struct tally tally = {0};
    assert_true(tally_duration(&tally, 50) == -1);
    tally.durations[8] = 95; /* 1.5 to 2 s */
    tally.durations[10] = 5; /* 3 to 5 s */
    tally.duration_count = 100;
    assert_in_range(tally_duration(&tally, 50), 1700, 1800);
    assert_in_range(tally_duration(&tally, 95), 1990, 2000);
    assert_in_range(tally_duration(&tally, 99), 4500, 5000);
    tally.durations[TALLY_BUCKETS - 1] = 900;
    tally.duration_count = 1000;
    assert_true(tally_duration(&tally, 95) == 600000);
}

/* ---- the line of a minute ---- */

static void a_minute_with_work_has_a_line(void **state)
{
    (void)state;
    struct kit *kit = kit_with_slots(1);
    kit_wait(kit, 180000);
    assert_int_equal(kit->logged[LOG_PROGRESS], 0);
    kit_wait(kit, 60000 - (KIT_WALL_MS + kit->now_ms) % 60000);
    kit_turn(kit);
    kit_request(kit, 0, 0, NULL, MODEL_A);
    kit_record(kit, 0, 1, NULL, "no JSON");
    for (int64_t offset = 2; offset < 5; offset++)
        kit_request(kit, 0, offset, NULL, MODEL_A);
    kit_turn(kit);
    kit_answer(kit, 0);
    kit_settle(kit);
    kit_wait(kit, 55000);
    assert_int_equal(kit->logged[LOG_PROGRESS], 1);
    assert_shows(
        kit->words[LOG_PROGRESS],
        "last minute: 1 answered, 1 failed (errors: malformed 1), 0 calls throttled, 10 "
        "tokens; now 3 requests held, 1 of them in calls, waiting: 2 for a free call slot; "
        "the oldest was taken 60 s ago");
    kit_free(kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_behind_its_key_names_the_one_before_it),
        cmocka_unit_test(a_request_in_line_has_the_number_before_it),
        cmocka_unit_test(a_request_in_line_has_its_place_among_tenants),
        cmocka_unit_test(a_throttled_request_says_when_it_is_tried_next),
        cmocka_unit_test(a_request_is_found_by_its_id_and_its_key),
        cmocka_unit_test(what_is_not_held_is_explained_from_the_ledger),
        cmocka_unit_test(a_partition_is_idle_without_requests_and_with_room),
        cmocka_unit_test(the_headline_says_what_most_requests_wait_for),
        cmocka_unit_test(a_throttling_target_is_named_with_its_numbers),
        cmocka_unit_test(a_target_without_requests_is_idle_for_an_hour),
        cmocka_unit_test(the_last_hour_has_sixty_minutes),
        cmocka_unit_test(a_clock_that_goes_back_counts_in_the_present_minute),
        cmocka_unit_test(times_of_calls_are_about_right),
        cmocka_unit_test(a_minute_with_work_has_a_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
