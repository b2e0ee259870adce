/* Who is called first: tenants and priorities of one target, in virtual time. */
#include "unit/engine_kit.h"

#define STEP_MS     10
#define ANSWER_MS   200 /* so eight slots give 40 calls a second */
#define RUN_MS      20000
#define STREAM_MAX  2000
#define PRIORITY(p) ",\"priority\":\"" p "\""
#define TENANT(t)   ",\"tenant\":\"" t "\""

/* Requests that come steadily to the end of a partition's log. */
struct stream {
    uint32_t partition;
    int64_t first; /* offset */
    int gap_ms;    /* between two requests */
    const char *more;
    int64_t made, taken;
    int64_t made_ms[STREAM_MAX];
};

static void make(struct stream *stream, int64_t now_ms)
{
    if (now_ms % stream->gap_ms >= STEP_MS)
        return;
    assert_true(stream->made < STREAM_MAX);
    stream->made_ms[stream->made++] = now_ms;
}

static void hand_over(struct kit *kit, struct stream *stream)
{
    while (stream->taken < stream->made &&
           engine_room(kit->engine, kit->tenures[stream->partition]) > 0)
        kit_request(kit, stream->partition, stream->first + stream->taken++, NULL, stream->more);
    if (stream->taken == stream->made)
        engine_partition_empty(kit->engine, kit->tenures[stream->partition]);
}

static void answer_old_calls(struct kit *kit)
{
    for (size_t i = 0; i < kit->call_count; i++)
        if (kit->calls[i].is_open && kit->calls[i].at_ms + ANSWER_MS <= kit->now_ms)
            kit_answer(kit, kit->calls[i].offset);
    if (kit->has_batch)
        kit_commit(kit);
}

static void run(struct kit *kit, struct stream *streams, size_t count)
{
    for (int64_t end_ms = kit->now_ms + RUN_MS; kit->now_ms < end_ms;) {
        for (size_t i = 0; i < count; i++) {
            make(&streams[i], kit->now_ms);
            hand_over(kit, &streams[i]);
        }
        answer_old_calls(kit);
        kit_wait(kit, STEP_MS);
    }
}

static int by_value(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return left < right ? -1 : left > right;
}

/* 95 % of its requests were called within this time; those that were not called count, too. */
static int64_t p95_ms(const struct kit *kit, const struct stream *stream)
{
    static int64_t waits[STREAM_MAX];
    for (int64_t i = 0; i < stream->made; i++)
        waits[i] = RUN_MS;
    for (size_t i = kit->call_count; i-- > 0;) {
        int64_t index = kit->calls[i].offset - stream->first;
        if (index >= 0 && index < stream->made)
            waits[index] = kit->calls[i].at_ms - stream->made_ms[index];
    }
    qsort(waits, (size_t)stream->made, sizeof waits[0], by_value);
    return waits[stream->made * 95 / 100];
}

static struct kit *kit_of(uint32_t max_held)
{
    struct engine_config config = kit_config();
    config.max_in_flight = 8;
    config.max_held = max_held;
    return kit_new(&config);
}

static void begin(struct kit *kit, struct stream *stream, int gap_ms, const char *more)
{
    stream->gap_ms = gap_ms;
    stream->more = more;
    stream->made = stream->taken = 0;
    kit->committed[stream->partition] = stream->first;
    kit_assign(kit, stream->partition);
}

/* 60 requests a second for 40 calls a second. */
static void begin_flood(struct kit *kit, struct stream *stream)
{
    begin(kit, stream, 16, TENANT("flood"));
}

/* Two requests a second, in another partition. */
static void begin_quiet(struct kit *kit, struct stream *stream)
{
    stream->partition = 1;
    stream->first = 10000;
    begin(kit, stream, 500, TENANT("quiet"));
}

static int64_t alone_ms(void)
{
    static struct stream quiet;
    struct kit *kit = kit_of(64);
    begin_quiet(kit, &quiet);
    run(kit, &quiet, 1);
    int64_t wait_ms = p95_ms(kit, &quiet);
    kit_free(kit);
    return wait_ms;
}

/* The worker has room for all that the flood sends. */
static void a_tenant_beside_a_flood_waits_as_if_it_were_alone(void **state)
{
    (void)state;
    static struct stream streams[2];
    struct kit *kit = kit_of(2000);
    begin_flood(kit, &streams[0]);
    begin_quiet(kit, &streams[1]);
    run(kit, streams, COUNT_OF(streams));
    assert_true(p95_ms(kit, &streams[0]) > 1500);
    assert_true(p95_ms(kit, &streams[1]) <= 100);
    assert_true(p95_ms(kit, &streams[1]) <= 2 * alone_ms() + 1000);
    kit_free(kit);
}

/* The flood is longer than what the worker holds, so most of it waits in Kafka. */
static void a_flood_in_one_partition_leaves_another_one_its_room(void **state)
{
    (void)state;
    static struct stream streams[2];
    struct kit *kit = kit_of(32);
    begin_flood(kit, &streams[0]);
    begin_quiet(kit, &streams[1]);
    run(kit, streams, COUNT_OF(streams));
    assert_true(streams[0].made - streams[0].taken > 100);
    assert_true(p95_ms(kit, &streams[1]) <= 100);
    kit_free(kit);
}

/* The order in which the only slot is given to requests that wait. */
static void assert_order(struct kit *kit, const int64_t *offsets, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        kit_turn(kit);
        assert_int_equal(kit->calls[kit->call_count - 1].offset, offsets[i]);
        kit_answer(kit, offsets[i]);
    }
    kit_free(kit);
}

static struct kit *kit_with_one_slot(const struct engine_config *given)
{
    struct engine_config config = given == NULL ? kit_config() : *given;
    config.max_in_flight = 1;
    struct kit *kit = kit_started(&config);
    kit_request(kit, 0, 0, NULL, "");
    kit_turn(kit);
    kit_answer(kit, 0);
    return kit;
}

static void a_flood_of_a_hundred_lets_a_quiet_tenant_s_request_pass(void **state)
{
    (void)state;
    struct engine_config config = kit_config();
    config.max_held = 200;
    struct kit *kit = kit_with_one_slot(&config);
    for (int64_t offset = 1; offset < 101; offset++)
        kit_request(kit, 0, offset, NULL, TENANT("flood"));
    kit_request(kit, 0, 101, NULL, TENANT("quiet"));
    static const int64_t ORDER[] = {1, 101, 2, 3};
    assert_order(kit, ORDER, COUNT_OF(ORDER));
}

static void priorities_order_the_requests_of_a_target(void **state)
{
    (void)state;
    struct kit *kit = kit_with_one_slot(NULL);
    kit_request(kit, 0, 1, NULL, PRIORITY("low"));
    kit_request(kit, 0, 2, NULL, "");
    kit_request(kit, 0, 3, NULL, PRIORITY("high"));
    kit_request(kit, 0, 4, NULL, PRIORITY("low"));
    kit_request(kit, 0, 5, NULL, PRIORITY("high"));
    static const int64_t ORDER[] = {3, 5, 2, 1, 4};
    assert_order(kit, ORDER, COUNT_OF(ORDER));
}

static void low_requests_are_called_while_high_ones_keep_coming(void **state)
{
    (void)state;
    static struct stream streams[2];
    struct kit *kit = kit_of(2000);
    begin_flood(kit, &streams[0]);
    begin_quiet(kit, &streams[1]);
    streams[0].more = PRIORITY("high");
    streams[1].more = PRIORITY("low");
    streams[1].gap_ms = 1000;
    run(kit, streams, COUNT_OF(streams));
    assert_in_range(p95_ms(kit, &streams[1]), 100, 1000); /* 5 % of 40 a second are two */
    kit_free(kit);
}

static void no_priority_overtakes_within_a_key(void **state)
{
    (void)state;
    struct kit *kit = kit_with_one_slot(NULL);
    kit_request(kit, 0, 1, "k", PRIORITY("low"));
    kit_request(kit, 0, 2, "k", PRIORITY("high"));
    kit_request(kit, 0, 3, NULL, "");
    static const int64_t ORDER[] = {3, 1, 2};
    assert_order(kit, ORDER, COUNT_OF(ORDER));
}

static void longer_requests_of_a_tenant_count_as_more(void **state)
{
    (void)state;
    struct kit *kit = kit_with_one_slot(NULL);
    char text[1600], value[2048];
    memset(text, 'x', sizeof text);
    for (int64_t offset = 1; offset < 40; offset++) {
        bool is_long = offset % 2 == 0;
        (void)snprintf(value, sizeof value,
                       "{\"model\":\"m.1\",\"tenant\":\"%s\",\"messages\":[[\"human\","
                       "\"[[%lld]] %.*s\"]]}",
                       is_long ? "long" : "short", (long long)offset, is_long ? 1600 : 400, text);
        kit_record(kit, 0, offset, NULL, value);
    }
    int of_long = 0;
    for (int i = 0; i < 15; i++) {
        kit_turn(kit);
        int64_t offset = kit->calls[kit->call_count - 1].offset;
        of_long += offset % 2 == 0;
        kit_answer(kit, offset);
    }
    assert_int_equal(of_long, 3);
    kit_free(kit);
}

static const struct tenant_row ROWS[] = {{.name = {"heavy*", 6}, .weight = 3}};

static void weights_of_the_settings_give_more_turns(void **state)
{
    (void)state;
    struct engine_config config = kit_config();
    config.tenants = (struct tenant_table){.rows = ROWS, .count = COUNT_OF(ROWS)};
    struct kit *kit = kit_with_one_slot(&config);
    for (int64_t offset = 10; offset < 20; offset++)
        kit_request(kit, 0, offset, NULL, TENANT("heavy-1"));
    for (int64_t offset = 20; offset < 30; offset++)
        kit_request(kit, 0, offset, NULL, TENANT("other-1"));
    static const int64_t ORDER[] = {10, 11, 12, 20, 13, 14, 15, 21};
    assert_order(kit, ORDER, COUNT_OF(ORDER));
}

static void a_request_keeps_the_weight_of_its_time(void **state)
{
    (void)state;
    struct engine_config config = kit_config(), next;
    struct kit *kit = kit_with_one_slot(&config);
    uint32_t number;
    for (int64_t offset = 10; offset < 20; offset++)
        kit_request(kit, 0, offset, NULL, TENANT("heavy-1"));
    next = config;
    next.tenants = (struct tenant_table){.rows = ROWS, .count = COUNT_OF(ROWS)};
    assert_true(engine_reload(kit->engine, &next, &number));
    for (int64_t offset = 20; offset < 30; offset++)
        kit_request(kit, 0, offset, NULL, TENANT("other-1"));
    for (int64_t offset = 30; offset < 40; offset++)
        kit_request(kit, 0, offset, NULL, TENANT("heavy-2"));
    static const int64_t ORDER[] = {30, 31, 32, 10, 20, 33, 34, 35, 11};
    assert_order(kit, ORDER, COUNT_OF(ORDER));
}

/* With delivery.write_ahead a request is charged when it is marked, and gets it back if it cannot
 * begin. */
static void a_marked_request_that_cannot_begin_is_first_again(void **state)
{
    (void)state;
    struct engine_config config = kit_config();
    config.write_ahead = true;
    config.max_in_flight = 1;
    struct kit *kit = kit_started(&config);
    kit_request(kit, 0, 0, NULL, TENANT("a"));
    kit_request(kit, 0, 1, NULL, TENANT("a"));
    kit_request(kit, 0, 2, NULL, TENANT("b"));
    kit_turn(kit);
    assert_int_equal(kit->call_count, 0);
    engine_credentials(kit->engine, 0, NULL, SLICE("there is no file"));
    kit_wait(kit, 200);
    if (kit->has_batch)
        kit_commit(kit);
    kit_turn(kit);
    assert_int_equal(kit->call_count, 0);
    struct credentials credentials = {.access_key_id = SLICE("AKID"),
                                      .secret_access_key = SLICE("secret"),
                                      .expires_wall_ms = INT64_MAX};
    engine_credentials(kit->engine, 0, &credentials, SLICE(""));
    for (int i = 0; i < 20 && kit->call_count == 0; i++) {
        kit_wait(kit, 100);
        if (kit->has_batch)
            kit_commit(kit);
    }
    assert_int_equal(kit->call_count, 1);
    assert_int_equal(kit->calls[0].offset, 0);
    kit_free(kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tenant_beside_a_flood_waits_as_if_it_were_alone),
        cmocka_unit_test(a_flood_in_one_partition_leaves_another_one_its_room),
        cmocka_unit_test(a_flood_of_a_hundred_lets_a_quiet_tenant_s_request_pass),
        cmocka_unit_test(priorities_order_the_requests_of_a_target),
        cmocka_unit_test(low_requests_are_called_while_high_ones_keep_coming),
        cmocka_unit_test(no_priority_overtakes_within_a_key),
        cmocka_unit_test(longer_requests_of_a_tenant_count_as_more),
        cmocka_unit_test(weights_of_the_settings_give_more_turns),
        cmocka_unit_test(a_request_keeps_the_weight_of_its_time),
        cmocka_unit_test(a_marked_request_that_cannot_begin_is_first_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
