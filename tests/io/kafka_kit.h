/* The kit of the tests of io's Kafka rooms: librdkafka's in-memory cluster (or the brokers of
 * KAFKA_BOOTSTRAP_SERVERS), plain clients beside the worker's, and workers whose io runs in a
 * thread with the engine of kafka_engine.h. */
#ifndef IO_KAFKA_KIT_H
#define IO_KAFKA_KIT_H

#include "io/kafka_engine.h"
#include "io/kafka/conf.h"
#include "io/kafka/produce.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#define KIT_SESSION_MS     7000 /* the in-memory cluster's rebalances last nearly as long */
#define KIT_TRANSACTION_MS 60000

struct kit_log {
    pthread_mutex_t lock;
    int counts[LOG_EVENT_COUNT];
    char last[LOG_EVENT_COUNT][512];
};

struct kit {
    rd_kafka_t *owner;             /* of the in-memory cluster, and producer of the tests */
    rd_kafka_mock_cluster_t *mock; /* NULL with real brokers */
    char brokers[256];
    char in[KIT_TOPIC_MAX], out[KIT_TOPIC_MAX], group[KIT_TOPIC_MAX], id[KIT_TOPIC_MAX];
    struct slice topics[1], outputs[1];
};

/* One worker: io with its engine and thread. */
struct kit_worker {
    struct io_config config;
    struct io *io;
    struct engine *engine;
    struct kit_log log;
    pthread_t thread;
    int exit_code;
};

/* ---- the cluster and plain clients ---- */

UNUSED static void kit_topic(struct kit *kit, const char *name, int partitions)
{
    if (kit->mock != NULL) {
        assert_int_equal(rd_kafka_mock_topic_create(kit->mock, name, partitions, 1), 0);
        return;
    }
    char error[256];
    rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(name, partitions, 1, error, sizeof error);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(kit->owner);
    rd_kafka_CreateTopics(kit->owner, &topic, 1, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, KIT_PATIENCE_MS);
    assert_non_null(event);
    assert_int_equal(rd_kafka_event_error(event), 0);
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_NewTopic_destroy(topic);
}

UNUSED static void kit_ignore_log(const rd_kafka_t *client, int level, const char *facility,
                                  const char *line)
{
    (void)client, (void)level, (void)facility, (void)line;
}

/* Topics are named after the time, so that a real cluster may be used again. partitions 0: no
 * topics yet. */
UNUSED static void kit_init(struct kit *kit, int partitions, bool may_be_real)
{
    memset(kit, 0, sizeof *kit);
    char error[256];
    const char *real = may_be_real ? getenv("KAFKA_BOOTSTRAP_SERVERS") : NULL;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, kit_ignore_log);
    kafka_conf_omit_metrics(conf);
    if (real != NULL)
        rd_kafka_conf_set(conf, "bootstrap.servers", real, NULL, 0);
    rd_kafka_conf_set(conf, "linger.ms", "0", NULL, 0);
    kit->owner = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error, sizeof error);
    assert_non_null(kit->owner);
    if (real == NULL)
        kit->mock = rd_kafka_mock_cluster_new(kit->owner, 1);
    snprintf(kit->brokers, sizeof kit->brokers, "%s",
             real != NULL ? real : rd_kafka_mock_cluster_bootstraps(kit->mock));
    long long stamp = (long long)clock_monotonic_us();
    snprintf(kit->in, sizeof kit->in, "in-%lld", stamp);
    snprintf(kit->out, sizeof kit->out, "out-%lld", stamp);
    snprintf(kit->group, sizeof kit->group, "group-%lld", stamp);
    snprintf(kit->id, sizeof kit->id, "id-%lld", stamp);
    kit->topics[0] = slice_of_text(kit->in);
    kit->outputs[0] = slice_of_text(kit->out);
    if (partitions > 0) {
        kit_topic(kit, kit->in, partitions);
        kit_topic(kit, kit->out, 1);
    }
}

UNUSED static void kit_done_with(struct kit *kit)
{
    if (kit->mock != NULL)
        rd_kafka_mock_cluster_destroy(kit->mock);
    rd_kafka_destroy(kit->owner);
}

/* A client to produce with: the owner of an in-memory cluster is bound to no cluster itself. */
UNUSED static rd_kafka_t *kit_producer(const struct kit *kit)
{
    char error[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", kit->brokers, NULL, 0);
    rd_kafka_conf_set(conf, "linger.ms", "5", NULL, 0);
    rd_kafka_conf_set_log_cb(conf, kit_ignore_log);
    kafka_conf_omit_metrics(conf);
    rd_kafka_t *producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error, sizeof error);
    assert_non_null(producer);
    return producer;
}

static void kit_send(rd_kafka_t *producer, const struct output *record)
{
    assert_int_equal(kafka_produce(producer, NULL, record, true, NULL), RD_KAFKA_RESP_ERR_NO_ERROR);
}

/* `count` records with values "0", "1", … and the same keys. */
static void kit_produce(const struct kit *kit, int first, int count)
{
    rd_kafka_t *producer = kit_producer(kit);
    for (int i = first; i < first + count; i++) {
        char value[16];
        struct slice text = slice_of(value, (size_t)snprintf(value, sizeof value, "%d", i));
        kit_send(producer,
                 &(struct output){
                     .topic = slice_of_text(kit->in), .partition = -1, .key = text, .value = text});
    }
    assert_int_equal(rd_kafka_flush(producer, KIT_PATIENCE_MS), 0);
    rd_kafka_destroy(producer);
}

/* One record to partition 0. */
UNUSED static void kit_produce_one(const struct kit *kit, struct slice key, struct slice value,
                                   const struct header *headers, size_t header_count)
{
    rd_kafka_t *producer = kit_producer(kit);
    kit_send(producer, &(struct output){.topic = slice_of_text(kit->in),
                                        .key = key,
                                        .value = value,
                                        .headers = headers,
                                        .header_count = header_count});
    assert_int_equal(rd_kafka_flush(producer, KIT_PATIENCE_MS), 0);
    rd_kafka_destroy(producer);
}

/* A reader of the topic `out` from its beginning. */
UNUSED static rd_kafka_t *kit_reader(const struct kit *kit)
{
    char error[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", kit->brokers, NULL, 0);
    rd_kafka_conf_set(conf, "group.id", "kit-reader", NULL, 0);
    rd_kafka_conf_set(conf, "isolation.level", "read_committed", NULL, 0);
    rd_kafka_conf_set(conf, "fetch.wait.max.ms", "20", NULL, 0);
    rd_kafka_conf_set(conf, "enable.auto.commit", "false", NULL, 0);
    rd_kafka_conf_set(conf, "enable.partition.eof", "true", NULL, 0);
    rd_kafka_conf_set_log_cb(conf, kit_ignore_log);
    kafka_conf_omit_metrics(conf);
    rd_kafka_t *reader = rd_kafka_new(RD_KAFKA_CONSUMER, conf, error, sizeof error);
    assert_non_null(reader);
    rd_kafka_poll_set_consumer(reader);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, kit->out, 0)->offset = RD_KAFKA_OFFSET_BEGINNING;
    assert_int_equal(rd_kafka_assign(reader, list), 0);
    rd_kafka_topic_partition_list_destroy(list);
    return reader;
}

/* The next record, or NULL at the end of the topic (`stops_at_end`). */
UNUSED static rd_kafka_message_t *kit_next(rd_kafka_t *reader, bool stops_at_end)
{
    int64_t until_ms = clock_monotonic_ms() + KIT_PATIENCE_MS;
    while (clock_monotonic_ms() < until_ms) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(reader, 100);
        if (message != NULL && message->err == 0)
            return message;
        bool is_end = message != NULL && message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
        if (message != NULL)
            rd_kafka_message_destroy(message);
        if (is_end && stops_at_end)
            return NULL;
    }
    fail_msg("two minutes without a record");
    return NULL;
}

/* The next record; there must be one. */
UNUSED static rd_kafka_message_t *kit_next_known(rd_kafka_t *reader)
{
    return kit_next(reader, false);
}

/* Reads `count` records with values 0 … count - 1 and on to the end of the topic: how often each
 * came. */
UNUSED static void kit_read_numbers(const struct kit *kit, int count, int *ret_times)
{
    rd_kafka_t *reader = kit_reader(kit);
    int different = 0;
    memset(ret_times, 0, (size_t)count * sizeof *ret_times);
    rd_kafka_message_t *message;
    while ((message = kit_next(reader, different == count)) != NULL) {
        int64_t number = -1;
        assert_true(slice_to_int64(slice_of(message->payload, message->len), &number));
        assert_true(number >= 0 && number < count);
        if (ret_times[number]++ == 0)
            different++;
        rd_kafka_message_destroy(message);
    }
    rd_kafka_destroy(reader);
}

UNUSED static void kit_assert_each_once(const struct kit *kit, int count)
{
    int *times = calloc((size_t)count, sizeof *times);
    kit_read_numbers(kit, count, times);
    for (int i = 0; i < count; i++)
        assert_int_equal(times[i], 1);
    free(times);
}

/* For debugging: KIT_ONLY=<pattern of names>, KIT_LOG=1, KIT_DEBUG=<librdkafka's debug>. */
UNUSED static void kit_only(void)
{
    if (getenv("KIT_ONLY") != NULL)
        cmocka_set_test_filter(getenv("KIT_ONLY"));
}

/* Delivery in the tests of kit_run_both. */
UNUSED static bool kit_exactly_once;

UNUSED static int kit_run_both(const struct CMUnitTest *tests, size_t count)
{
    kit_only();
    int failed = _cmocka_run_group_tests("at_least_once", tests, count, NULL, NULL);
    if (getenv("KAFKA_BOOTSTRAP_SERVERS") == NULL)
        return failed; /* the in-memory cluster drops the offsets of transactions */
    kit_exactly_once = true;
    return failed + _cmocka_run_group_tests("exactly_once", tests, count, NULL, NULL);
}

/* ---- the worker ---- */

UNUSED static void kit_log_line(void *self, enum log_event event, struct slice line)
{
    struct kit_log *log = self;
    pthread_mutex_lock(&log->lock);
    log->counts[event]++;
    snprintf(log->last[event], sizeof log->last[event], "%.*s", SLICE_ARG(line));
    pthread_mutex_unlock(&log->lock);
    if (getenv("KIT_LOG") != NULL)
        fprintf(stderr, "%.*s", SLICE_ARG(line));
}

UNUSED static int kit_logged(struct kit_worker *worker, enum log_event event)
{
    pthread_mutex_lock(&worker->log.lock);
    int count = worker->log.counts[event];
    pthread_mutex_unlock(&worker->log.lock);
    return count;
}

/* A worker that is not started yet: tests may change its config. */
UNUSED static struct kit_worker *kit_worker_new(const struct kit *kit, bool exactly_once)
{
    struct kit_worker *worker = memory_new(sizeof *worker);
    struct engine *engine = memory_new(sizeof *engine);
    assert_true(worker != NULL && engine != NULL);
    pthread_mutex_init(&worker->log.lock, NULL);
    pthread_mutex_init(&engine->lock, NULL);
    engine->room_limit = 1000;
    engine->start_at = -1;
    engine->out_topic = slice_of_text(kit->out);
    worker->engine = engine;
    worker->config = (struct io_config){
        .kafka = {.bootstrap_servers = slice_of_text(kit->brokers),
                  .calls_max = 64,
                  .group_id = slice_of_text(kit->group),
                  .transactional_id = slice_of_text(kit->id),
                  .topics = kit->topics,
                  .topic_count = 1,
                  .output_topics = kit->outputs,
                  .output_topic_count = 1,
                  .exactly_once = exactly_once,
                  .commit_interval_ms = 50,
                  .session_timeout_ms = KIT_SESSION_MS,
                  .transaction_timeout_ms = KIT_TRANSACTION_MS,
                  .request_bytes_max = 1 << 20,
                  .output_bytes_max = 4 << 20},
        .http = {.connect_ms = 1000,
                 .first_byte_ms = 1000,
                 .idle_ms = 1000,
                 .total_ms = 1000,
                 .max_idle_age_ms = 1000,
                 .max_in_flight = 1,
                 .max_head_bytes = HTTP_HEAD_BYTES_MAX,
                 .proxy = ""},
        .log = {.level = LOG_DEBUG,
                .format = LOG_FORMAT_TEXT,
                .write = kit_log_line,
                .self = &worker->log},
        .drain_timeout_ms = KIT_PATIENCE_MS, /* a stop may have to wait for a rebalance */
    };
    return worker;
}

static void *kit_worker_thread(void *argument)
{
    struct kit_worker *worker = argument;
    worker->exit_code = io_run(worker->io);
    return NULL;
}

UNUSED static void kit_worker_start(struct kit_worker *worker)
{
    char error[KAFKA_ERROR_MAX] = "";
    static struct kafka_property debug = {.name = {"debug", 5}};
    debug.value = slice_of_text(getenv("KIT_DEBUG")); /* e.g. cgrp,eos */
    if (debug.value.ptr != NULL)
        worker->config.kafka.client = (struct kafka_properties){.list = &debug, .count = 1};
    bool is_setting;
    worker->io = io_new(&worker->config, error, sizeof error, &is_setting);
    assert_string_equal(worker->io != NULL ? "" : error, "");
    worker->engine->ports = *io_ports(worker->io);
    io_attach(worker->io, worker->engine);
    assert_int_equal(pthread_create(&worker->thread, NULL, kit_worker_thread, worker), 0);
}

UNUSED static struct kit_worker *kit_worker_run(const struct kit *kit, bool exactly_once)
{
    struct kit_worker *worker = kit_worker_new(kit, exactly_once);
    kit_worker_start(worker);
    return worker;
}

/* Stops it; the exit code. */
UNUSED static int kit_worker_end(struct kit_worker *worker)
{
    io_stop(worker->io);
    pthread_join(worker->thread, NULL);
    io_free(worker->io);
    struct engine *engine = worker->engine;
    for (size_t i = 0; i < engine->queue_count; i++)
        output_free(engine->queue[i].output);
    int exit_code = worker->exit_code;
    pthread_mutex_destroy(&engine->lock);
    pthread_mutex_destroy(&worker->log.lock);
    memory_free(engine);
    memory_free(worker);
    return exit_code;
}

/* Waits until `fact` (about `worker->engine`) holds, or fails the test. */
#define kit_until(worker, fact)                                                                    \
    do {                                                                                           \
        int64_t until_ms = clock_monotonic_ms() + KIT_PATIENCE_MS;                                 \
        for (;;) {                                                                                 \
            kit_lock((worker)->engine);                                                            \
            bool holds = (fact);                                                                   \
            kit_unlock((worker)->engine);                                                          \
            if (holds)                                                                             \
                break;                                                                             \
            if (clock_monotonic_ms() >= until_ms)                                                  \
                fail_msg("in vain waited for: %s", #fact);                                         \
            kit_sleep_ms(5);                                                                       \
        }                                                                                          \
    } while (0)

/* Lets the engine ask io for something in its turn: only io's thread may call io's ports. */
UNUSED static void kit_ask(struct kit_worker *worker,
                           void (*errand)(struct engine *engine, void *argument), void *argument)
{
    kit_lock(worker->engine);
    worker->engine->errand = errand;
    worker->engine->errand_argument = argument;
    kit_unlock(worker->engine);
    kit_until(worker, worker->engine->errand == NULL);
}

/* An errand: looks a topic up. */
UNUSED static void kit_look_up(struct engine *engine, void *topic)
{
    engine->ports.topic_look_up(engine->ports.self, slice_of_text(topic), 5);
}

/* Numbers of requests in Kafka's protocol. */
enum api {
    API_PRODUCE = 0,
    API_OFFSET_COMMIT = 8,
    API_OFFSET_FETCH = 9,
    API_JOIN_GROUP = 11,
    API_HEARTBEAT = 12,
    API_END_TXN = 26,
    API_TXN_OFFSET_COMMIT = 28
};

/* Starts a worker that takes `count` records and holds them back. */
UNUSED static void kit_worker_hold(struct kit_worker *worker, int count)
{
    worker->engine->is_holding = true;
    kit_worker_start(worker);
    kit_until(worker, (int)worker->engine->records == count);
}

/* A worker with one partition that has started, holding `count` records back. */
UNUSED static struct kit_worker *kit_holding_worker(struct kit *kit, bool exactly_once, int count)
{
    kit_init(kit, 1, false);
    kit_produce(kit, 0, count);
    struct kit_worker *worker = kit_worker_new(kit, exactly_once);
    kit_worker_hold(worker, count);
    return worker;
}

/* Every plain commit of offsets from now on. */
UNUSED static void kit_refuse_commits(const struct kit *kit, rd_kafka_resp_err_t err, size_t count)
{
    static rd_kafka_resp_err_t errors[1000];
    assert_true(count <= COUNT_OF(errors));
    for (size_t i = 0; i < count; i++)
        errors[i] = err;
    rd_kafka_mock_push_request_errors_array(kit->mock, API_OFFSET_COMMIT, count, errors);
}

UNUSED static void kit_let_go(struct kit_worker *worker)
{
    kit_lock(worker->engine);
    worker->engine->is_holding = false;
    kit_unlock(worker->engine);
}

UNUSED static void kit_end_well(struct kit *kit, struct kit_worker *worker)
{
    assert_int_equal(kit_worker_end(worker), 0);
    kit_done_with(kit);
}

/* The committed offset of a partition of `in`; -1 = none. */
UNUSED static int64_t kit_committed_of(const struct kit *kit, int32_t partition, char *ret_metadata,
                                       size_t room)
{
    char error[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", kit->brokers, NULL, 0);
    rd_kafka_conf_set(conf, "group.id", kit->group, NULL, 0);
    rd_kafka_conf_set_log_cb(conf, kit_ignore_log);
    kafka_conf_omit_metrics(conf);
    rd_kafka_t *client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, error, sizeof error);
    assert_non_null(client);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, kit->in, partition);
    assert_int_equal(rd_kafka_committed(client, list, KIT_PATIENCE_MS), 0);
    int64_t offset = list->elems[0].offset >= 0 ? list->elems[0].offset : -1;
    snprintf(ret_metadata, room, "%.*s", (int)list->elems[0].metadata_size,
             list->elems[0].metadata != NULL ? (char *)list->elems[0].metadata : "");
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(client);
    return offset;
}

/* The same of partition 0. */
UNUSED static int64_t kit_committed(const struct kit *kit, char *ret_metadata, size_t room)
{
    return kit_committed_of(kit, 0, ret_metadata, room);
}

/* Waits until `offset` is committed for a partition of `in`. */
UNUSED static void kit_await_committed(const struct kit *kit, int32_t partition, int64_t offset)
{
    char metadata[64];
    int64_t until_ms = clock_monotonic_ms() + KIT_PATIENCE_MS;
    while (kit_committed_of(kit, partition, metadata, sizeof metadata) != offset) {
        assert_true(clock_monotonic_ms() < until_ms);
        kit_sleep_ms(100);
    }
}

/* Waits until broker 1 has taken the next of the errors that wait for requests of this kind. */
UNUSED static void kit_await_error_taken(const struct kit *kit, enum api api)
{
    int64_t until_ms = clock_monotonic_ms() + KIT_PATIENCE_MS;
    size_t left = 1;
    while (rd_kafka_mock_broker_error_stack_cnt(kit->mock, 1, (int16_t)api, &left) == 0 &&
           left > 0) {
        assert_true(clock_monotonic_ms() < until_ms);
        kit_sleep_ms(5);
    }
    assert_int_equal(left, 0);
}

#endif
