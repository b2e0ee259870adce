/* The producer of chunks when its broker is away or it fails: against librdkafka itself. */
#include "../../worker/io/kafka/chunks.c"

#include <unistd.h>

#include "unit/unit.h"
#include "io/loop/log_sink.h"

#define CALLS 100

static struct {
    size_t count;
    bool is_refused[CALLS];
} heard;

/* In the engine's place. */
void engine_chunk_refused(struct engine *engine, struct call_ref call)
{
    (void)engine;
    assert_true(call.index < CALLS && !heard.is_refused[call.index]);
    assert_int_equal(call.generation, call.index + 5);
    heard.is_refused[call.index] = true;
    heard.count++;
}

static void wake(void *self)
{
    (void)self;
}

static struct output *chunk_new(void)
{
    struct output *chunk = memory_new(sizeof *chunk);
    assert_non_null(chunk);
    arena_init(&chunk->arena, 1024);
    chunk->topic = SLICE("chunks");
    chunk->partition = -1;
    chunk->value = SLICE("a chunk");
    return chunk;
}

struct kit {
    struct kafka_config config;
    struct log_sink *sink;
    struct kafka_lines *lines;
    struct kafka_chunks *chunks;
};

static void kit_begin(struct kit *kit, uint32_t calls_max)
{
    static int engine; /* somebody to tell */
    char error[KAFKA_ERROR_MAX];
    memset(&heard, 0, sizeof heard);
    *kit = (struct kit){.config = {.bootstrap_servers = SLICE("127.0.0.1:1"),
                                   .group_id = SLICE("chunks"),
                                   .calls_max = calls_max}};
    const struct log_config log = {.level = LOG_ERROR, .fd = STDERR_FILENO};
    kit->sink = log_sink_new(&log);
    assert_non_null(kit->sink);
    kit->lines = kafka_lines_new(kit->sink);
    assert_non_null(kit->lines);
    kit->chunks =
        kafka_chunks_new(&kit->config, kit->lines, (struct loop_wake){.wake = wake}, error);
    assert_non_null(kit->chunks);
    kafka_chunks_attach(kit->chunks, (struct engine *)(void *)&engine);
}

static void kit_end(struct kit *kit)
{
    kafka_chunks_free(kit->chunks);
    kafka_lines_free(kit->lines);
    log_sink_free(kit->sink);
}

static bool put(struct kit *kit, uint32_t call, bool is_last)
{
    struct call_ref ref = {.index = call, .generation = call + 5};
    return kafka_chunks_send(kit->chunks, ref, chunk_new(), is_last);
}

static void a_full_queue_takes_no_chunk_but_last_ones(void **state)
{
    (void)state;
    struct kit kit;
    kit_begin(&kit, CALLS);
    size_t sent = 0;
    while (put(&kit, 1, false))
        sent++;
    /* librdkafka counts its own events, too. */
    assert_in_range(sent, 20000 - 20000 / 16 - 10, 20000 - 20000 / 16);
    for (int i = 0; i < 1000; i++)
        assert_true(put(&kit, 2, true));
    assert_false(put(&kit, 1, false));
    kafka_chunks_step(kit.chunks);
    assert_int_equal(heard.count, 0); /* a gap ends no run */
    kit_end(&kit);
}

static void the_queue_grows_with_the_calls(void **state)
{
    (void)state;
    struct kit kit;
    kit_begin(&kit, 15000);
    assert_int_equal(kit.chunks->queue_max, 15000 * 32);
    kit_end(&kit);
}

/* The next client does not have what waited in this one: without an end the run would lack it. */
static void a_producer_that_fails_for_good_ends_the_runs_of_its_chunks(void **state)
{
    (void)state;
    struct kit kit;
    kit_begin(&kit, CALLS);
    for (uint32_t call = 0; call < CALLS / 2; call++)
        for (int i = 0; i < 30; i++)
            assert_true(put(&kit, call, false));
    rd_kafka_t *failed = kit.chunks->client;
    assert_int_equal(
        rd_kafka_test_fatal_error(failed, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, "test"),
        RD_KAFKA_RESP_ERR_NO_ERROR);
    kafka_chunks_step(kit.chunks);
    assert_int_equal(heard.count, CALLS / 2);
    assert_true(put(&kit, CALLS - 1, false)); /* by the next client */
    kafka_chunks_step(kit.chunks);
    assert_int_equal(heard.count, CALLS / 2);
    kit_end(&kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_queue_takes_no_chunk_but_last_ones),
        cmocka_unit_test(the_queue_grows_with_the_calls),
        cmocka_unit_test(a_producer_that_fails_for_good_ends_the_runs_of_its_chunks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
