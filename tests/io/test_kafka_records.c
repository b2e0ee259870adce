/* Records in, copies out, offsets committed; on the in-memory cluster or on real brokers. */
#include "io/kafka_kit.h"

static void every_record_is_answered_and_its_offset_committed(void **state)
{
    (void)state;
    struct kit kit;
    char metadata[64];
    kit_init(&kit, 1, true);
    kit_produce(&kit, 0, 1000);
    struct kit_worker *worker = kit_worker_run(&kit, kit_exactly_once);
    kit_until(worker, worker->engine->answered == 1000);
    kit_until(worker, worker->engine->parts[0].end_position == 1000);
    assert_int_equal(worker->engine->doubles, 0);
    assert_int_equal(kit_worker_end(worker), 0);
    kit_assert_each_once(&kit, 1000);
    assert_int_equal(kit_committed(&kit, metadata, sizeof metadata), 1000);
    assert_memory_equal(metadata, "batch ", 6);
    kit_done_with(&kit);
}

static void a_full_engine_leaves_records_in_the_queue_and_loses_none(void **state)
{
    (void)state;
    struct kit kit;
    kit_init(&kit, 4, true);
    kit_produce(&kit, 0, 8000);
    struct kit_worker *worker = kit_worker_new(&kit, kit_exactly_once);
    worker->engine->room_limit = 7;
    worker->engine->is_holding = true;
    kit_worker_start(worker);
    kit_until(worker, worker->engine->records == 7);
    kit_sleep_ms(300);
    kit_lock(worker->engine);
    assert_int_equal(worker->engine->records, 7);
    worker->engine->is_holding = false;
    worker->engine->room_limit = 500;
    kit_unlock(worker->engine);
    kit_until(worker, worker->engine->answered == 8000);
    assert_int_equal(kit_worker_end(worker), 0);
    kit_assert_each_once(&kit, 8000);
    kit_done_with(&kit);
}

/* `count` records to each of these partitions, with the numbers from `first` on. */
static void produce_to(const struct kit *kit, int from, int to, int count, int first)
{
    rd_kafka_t *producer = kit_producer(kit);
    for (int i = 0; i < count * (to - from); i++) {
        char value[16];
        int len = snprintf(value, sizeof value, "%d", first + i);
        kit_send(producer, &(struct output){.topic = slice_of_text(kit->in),
                                            .partition = from + i % (to - from),
                                            .value = slice_of(value, (size_t)len)});
    }
    assert_int_equal(rd_kafka_flush(producer, KIT_PATIENCE_MS), 0);
    rd_kafka_destroy(producer);
}

/* Six partitions fill the queues while the engine is full, so the six others are not fetched any
 * more; then those get a backlog, too. */
static void partitions_take_turns_when_their_queues_hold_too_much(void **state)
{
    (void)state;
    struct kit kit;
    kit_init(&kit, 12, true);
    produce_to(&kit, 0, 6, 600, 0);
    struct kit_worker *worker = kit_worker_new(&kit, kit_exactly_once);
    /* Each queue gets 128 records (queued.min.messages) of some 350 bytes, and up to a batch more.
     */
    worker->config.kafka.queued_bytes_max = 250000;
    worker->engine->room_limit = 7;
    worker->engine->is_holding = true;
    kit_worker_start(worker);
    kit_until(worker, kit_logged(worker, LOG_PARTITIONS_TAKE_TURNS) > 0);
    produce_to(&kit, 6, 12, 300, 3600);
    kit_lock(worker->engine);
    assert_int_equal(worker->engine->records, 7);
    worker->engine->is_holding = false;
    worker->engine->room_limit = 500;
    kit_unlock(worker->engine);
    kit_until(worker, worker->engine->answered == 5400);
    assert_int_equal(worker->engine->doubles, 0);
    assert_int_equal(kit_worker_end(worker), 0);
    kit_assert_each_once(&kit, 5400);
    kit_done_with(&kit);
}

static void assert_header(const rd_kafka_headers_t *headers, size_t index, const char *name,
                          const char *value, size_t value_len)
{
    const char *seen_name;
    const void *seen;
    size_t len;
    assert_int_equal(rd_kafka_header_get_all(headers, index, &seen_name, &seen, &len), 0);
    assert_string_equal(seen_name, name);
    if (value == NULL) {
        assert_null(seen);
        return;
    }
    assert_non_null(seen);
    assert_int_equal(len, value_len);
    assert_memory_equal(seen, value, value_len);
}

static void keys_values_and_headers_pass_byte_for_byte(void **state)
{
    (void)state;
    struct kit kit;
    kit_init(&kit, 1, true);
    const struct header headers[] = {{SLICE("twice"), slice_of("\0\1\2", 3)},
                                     {SLICE("twice"), SLICE("")},
                                     {SLICE("null"), SLICE_NULL}};
    kit_produce_one(&kit, slice_of("k\0y", 3), slice_of("v\0\xff", 3), headers, COUNT_OF(headers));
    kit_produce_one(&kit, SLICE_NULL, SLICE("no key"), NULL, 0);
    kit_produce_one(&kit, SLICE(""), SLICE_NULL, NULL, 0);
    struct kit_worker *worker = kit_worker_run(&kit, kit_exactly_once);
    rd_kafka_t *reader = kit_reader(&kit);
    rd_kafka_message_t *message = kit_next_known(reader);
    assert_int_equal(message->key_len, 3);
    assert_memory_equal(message->key, "k\0y", 3);
    assert_int_equal(message->len, 3);
    assert_memory_equal(message->payload, "v\0\xff", 3);
    rd_kafka_headers_t *seen;
    assert_int_equal(rd_kafka_message_headers(message, &seen), 0);
    assert_int_equal(rd_kafka_header_cnt(seen), 3);
    assert_header(seen, 0, "twice", "\0\1\2", 3);
    assert_header(seen, 1, "twice", "", 0);
    assert_header(seen, 2, "null", NULL, 0);
    rd_kafka_message_destroy(message);
    message = kit_next_known(reader);
    assert_null(message->key);
    assert_int_equal(message->len, 6);
    rd_kafka_message_destroy(message);
    message = kit_next_known(reader);
    assert_non_null(message->key);
    assert_int_equal(message->key_len, 0);
    assert_null(message->payload);
    rd_kafka_message_destroy(message);
    rd_kafka_destroy(reader);
    assert_int_equal(kit_worker_end(worker), 0);
    kit_done_with(&kit);
}

#define HEADER_COUNT 1000

/* The engine of this ring copies a record's headers to its output. */
static void headers_pass_however_many_there_are(void **state)
{
    (void)state;
    struct kit kit;
    static char names[HEADER_COUNT][8];
    static struct header headers[HEADER_COUNT];
    kit_init(&kit, 1, true);
    for (size_t i = 0; i < HEADER_COUNT; i++) {
        (void)snprintf(names[i], sizeof names[i], "h%zu", i);
        headers[i] = (struct header){slice_of_text(names[i]), slice_of_text(names[i])};
    }
    kit_produce_one(&kit, SLICE_NULL, SLICE("many"), headers, HEADER_COUNT);
    kit_produce_one(&kit, SLICE_NULL, SLICE("few"), headers, 1);
    struct kit_worker *worker = kit_worker_run(&kit, kit_exactly_once);
    rd_kafka_t *reader = kit_reader(&kit);
    for (size_t count = HEADER_COUNT; count > 0; count = count == 1 ? 0 : 1) {
        rd_kafka_message_t *message = kit_next_known(reader);
        rd_kafka_headers_t *seen;
        assert_int_equal(rd_kafka_message_headers(message, &seen), 0);
        assert_int_equal(rd_kafka_header_cnt(seen), count);
        for (size_t i = 0; i < count; i++)
            assert_header(seen, i, names[i], names[i], strlen(names[i]));
        rd_kafka_message_destroy(message);
    }
    rd_kafka_destroy(reader);
    assert_int_equal(kit_worker_end(worker), 0);
    kit_done_with(&kit);
}

static void read_watermarks(struct engine *engine, void *tenure)
{
    engine->ports.watermarks_read(engine->ports.self, *(const struct tenure *)tenure);
}

static void topics_and_watermarks_are_looked_up(void **state)
{
    (void)state;
    struct kit kit;
    char missing[] = "no such topic";
    kit_init(&kit, 3, true);
    kit_produce(&kit, 0, 30);
    struct kit_worker *worker = kit_worker_run(&kit, kit_exactly_once);
    struct engine *engine = worker->engine;
    kit_until(worker, engine->answered == 30);
    kit_ask(worker, kit_look_up, kit.in);
    kit_until(worker, engine->topics_answered == 1);
    assert_int_equal(engine->topic_err, OK);
    assert_int_equal(engine->topic_partitions, 3);
    kit_ask(worker, kit_look_up, missing);
    kit_until(worker, engine->topics_answered == 2);
    if (kit.mock == NULL) /* the in-memory cluster makes every topic that is asked for */
        assert_int_equal(engine->topic_err, ERR_NOT_FOUND);
    kit_ask(worker, read_watermarks, &engine->parts[1].tenure);
    kit_until(worker, engine->watermarks_answered == 1);
    assert_int_equal(engine->low, 0);
    assert_int_equal(engine->high, engine->parts[1].next_offset);
    assert_int_equal(kit_worker_end(worker), 0);
    kit_done_with(&kit);
}

static void an_offset_beyond_the_end_is_reported_and_can_be_reset(void **state)
{
    (void)state;
    struct kit kit;
    kit_init(&kit, 1, true);
    kit_produce(&kit, 0, 10);
    struct kit_worker *worker = kit_worker_new(&kit, kit_exactly_once);
    worker->engine->start_at = 5000;
    kit_worker_start(worker);
    kit_until(worker, worker->engine->parts[0].out_of_range == 1);
    kit_until(worker, worker->engine->answered == 10);
    assert_int_equal(worker->engine->parts[0].out_of_range, 1);
    assert_int_equal(kit_worker_end(worker), 0);
    kit_assert_each_once(&kit, 10);
    kit_done_with(&kit);
}

static void read_offsets(struct engine *engine, void *tenure)
{
    engine->ports.offsets_read(engine->ports.self, *(const struct tenure *)tenure, KIT_TICKET_TEST);
}

static void a_read_of_offsets_reflects_every_ended_batch(void **state)
{
    (void)state;
    struct kit kit;
    kit_init(&kit, 1, true);
    kit_produce(&kit, 0, 40);
    struct kit_worker *worker = kit_worker_new(&kit, kit_exactly_once);
    worker->config.kafka.commit_interval_ms = 3600000;
    kit_worker_start(worker);
    struct engine *engine = worker->engine;
    kit_until(worker, engine->answered == 40);
    kit_ask(worker, read_offsets, &engine->parts[0].tenure);
    kit_until(worker, engine->reads_answered == 1);
    assert_int_equal(engine->read_err, OK);
    assert_int_equal(engine->read_offset, 40);
    assert_memory_equal(engine->read_metadata, "batch ", 6);
    assert_int_equal(kit_worker_end(worker), 0);
    kit_done_with(&kit);
}

struct sending {
    struct output *chunk;
    struct call_ref call;
};

static void send_chunk(struct engine *engine, void *argument)
{
    const struct sending *sending = argument;
    assert_true(engine->ports.chunk_send(engine->ports.self, sending->call, sending->chunk, false));
}

static struct output *new_chunk(const struct kit *kit, int32_t partition, struct slice value)
{
    struct output *chunk = memory_new(sizeof *chunk);
    arena_init(&chunk->arena, 1024);
    chunk->topic = slice_of_text(kit->out);
    chunk->partition = partition;
    chunk->value = value;
    return chunk;
}

static void chunks_are_sent_and_refused_ones_reported(void **state)
{
    (void)state;
    struct kit kit;
    kit_init(&kit, 1, true);
    struct kit_worker *worker = kit_worker_run(&kit, kit_exactly_once);
    struct engine *engine = worker->engine;
    kit_until(worker, engine->assigned == 1);
    struct sending sent = {.chunk = new_chunk(&kit, 0, SLICE("a chunk")),
                           .call = {.index = 7, .generation = 3}};
    kit_ask(worker, send_chunk, &sent);
    rd_kafka_t *reader = kit_reader(&kit);
    rd_kafka_message_t *message = kit_next_known(reader);
    assert_int_equal(message->len, 7);
    assert_memory_equal(message->payload, "a chunk", 7);
    rd_kafka_message_destroy(message);
    rd_kafka_destroy(reader);
    struct sending refused = {.chunk = new_chunk(&kit, 99, SLICE("nowhere")),
                              .call = {.index = 8, .generation = 4000000000}};
    kit_ask(worker, send_chunk, &refused);
    kit_until(worker, engine->chunks_refused == 1);
    assert_int_equal(engine->last_chunk.index, 8);
    assert_true(engine->last_chunk.generation == 4000000000);
    assert_int_equal(kit_worker_end(worker), 0);
    kit_done_with(&kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_record_is_answered_and_its_offset_committed),
        cmocka_unit_test(a_full_engine_leaves_records_in_the_queue_and_loses_none),
        cmocka_unit_test(partitions_take_turns_when_their_queues_hold_too_much),
        cmocka_unit_test(keys_values_and_headers_pass_byte_for_byte),
        cmocka_unit_test(headers_pass_however_many_there_are),
        cmocka_unit_test(topics_and_watermarks_are_looked_up),
        cmocka_unit_test(an_offset_beyond_the_end_is_reported_and_can_be_reset),
        cmocka_unit_test(a_read_of_offsets_reflects_every_ended_batch),
        cmocka_unit_test(chunks_are_sent_and_refused_ones_reported),
    };
    return kit_run_both(tests, COUNT_OF(tests));
}
