/* What the tests of io's Kafka rooms are made of: librdkafka's in-memory cluster (or the brokers of
 * KAFKA_BOOTSTRAP_SERVERS), plain clients beside the worker's, and an engine that answers each
 * record with a copy of it in the topic of its header `to`, else in the topic `out`. The worker's
 * io runs in a thread; everything that the engine knows is under its lock. */
#ifndef IO_KAFKA_KIT_H
#define IO_KAFKA_KIT_H

#include "unit/unit.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "io/io.h"

#define KIT_PARTS_MAX   64
#define KIT_OUTPUTS_MAX 20000
#define KIT_BATCH_MAX   500
#define KIT_PATIENCE_MS 30000
#define KIT_TOPIC_MAX   64
#define KIT_TICKET_HELD 1000000 /* of reads that judge an unknown outcome */
#define KIT_TICKET_TEST 2000000 /* of reads that a test asks for */

struct kit_part {
    bool is_known, is_started, is_revoked, is_released, is_lost;
    struct tenure tenure;
    char topic[KIT_TOPIC_MAX];
    int32_t partition;
    int64_t read_offset; /* what was committed; -1 = nothing */
    char read_metadata[64];
    int64_t first_offset, next_offset;
    int64_t end_position; /* of the last end that was heard; -1 = none */
    int out_of_range;
    size_t pending; /* records whose copies are not committed */
};

struct kit_output {
    struct output *output;
    uint32_t slot, epoch;
    int64_t offset;
};

/* What tests set and read; under the lock. */
struct engine {
    pthread_mutex_t lock;
    struct ports ports;
    struct kit_part parts[KIT_PARTS_MAX];
    struct kit_output queue[KIT_OUTPUTS_MAX];
    size_t queue_count;
    struct output *batch_outputs[KIT_BATCH_MAX];
    struct batch_offset batch_offsets[KIT_PARTS_MAX];
    char batch_metadata[64];
    size_t batch_count; /* the first ones of the queue */
    bool is_batch_open, is_judging, is_stopping, has_ended;
    uint64_t batch_id;
    int64_t now_ms, retry_at_ms;
    /* set by tests */
    size_t room_limit; /* records pending at once */
    bool is_holding;   /* commit nothing */
    int64_t start_at;  /* instead of what was committed; -1 = as committed */
    struct slice out_topic;
    /* read by tests */
    size_t assigned, revoked, lost, released, records, doubles, answered, refused;
    int outcomes[BATCH_FENCED + 1];
    struct batch_end last_end;
    char last_reason[128];
    size_t chunks_refused;
    struct call_ref last_chunk;
    int topics_answered;
    enum err topic_err;
    int32_t topic_partitions;
    int watermarks_answered;
    int64_t low, high;
    int reads_answered;
    enum err read_err;
    int64_t read_offset;
    char read_metadata[64];
};

struct kit_log {
    pthread_mutex_t lock;
    int counts[LOG_EVENT_COUNT];
    char last[LOG_EVENT_COUNT][256];
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

static void kit_sleep_ms(int64_t delay_ms)
{
    struct timespec delay = {.tv_sec = delay_ms / 1000, .tv_nsec = (delay_ms % 1000) * 1000000L};
    nanosleep(&delay, NULL);
}

static void kit_lock(struct engine *engine)
{
    pthread_mutex_lock(&engine->lock);
}

static void kit_unlock(struct engine *engine)
{
    pthread_mutex_unlock(&engine->lock);
}

/* ---- the engine's events ---- */

static struct kit_part *kit_part_of(struct engine *engine, struct tenure tenure)
{
    struct kit_part *part = &engine->parts[tenure.slot];
    return part->is_known && part->tenure.epoch == tenure.epoch ? part : NULL;
}

void engine_time(struct engine *engine, int64_t now_ms, int64_t wall_ms)
{
    (void)wall_ms;
    kit_lock(engine);
    engine->now_ms = now_ms;
    kit_unlock(engine);
}

void engine_partition_assigned(struct engine *engine, struct tenure tenure, struct slice topic,
                               int32_t partition)
{
    kit_lock(engine);
    assert_true(tenure.slot < KIT_PARTS_MAX && topic.len < KIT_TOPIC_MAX);
    struct kit_part *part = &engine->parts[tenure.slot];
    *part = (struct kit_part){
        .is_known = true, .tenure = tenure, .partition = partition, .end_position = -1};
    memcpy(part->topic, topic.ptr, topic.len);
    engine->assigned++;
    engine->ports.offsets_read(engine->ports.self, tenure, tenure.epoch);
    kit_unlock(engine);
}

/* Forgets copies of records whose tenure is over; what was not committed is fetched again by its
 * new owner. */
static void kit_forget_lost(struct engine *engine)
{
    size_t left = 0;
    for (size_t i = 0; i < engine->queue_count; i++) {
        const struct kit_part *part = &engine->parts[engine->queue[i].slot];
        if (part->is_known && part->tenure.epoch == engine->queue[i].epoch)
            engine->queue[left++] = engine->queue[i];
        else
            output_free(engine->queue[i].output);
    }
    engine->queue_count = left;
}

void engine_partition_revoked(struct engine *engine, struct tenure tenure)
{
    kit_lock(engine);
    struct kit_part *part = kit_part_of(engine, tenure);
    assert_non_null(part);
    part->is_revoked = true;
    engine->revoked++;
    kit_unlock(engine);
}

void engine_partition_lost(struct engine *engine, struct tenure tenure)
{
    kit_lock(engine);
    struct kit_part *part = kit_part_of(engine, tenure);
    assert_non_null(part);
    part->is_known = false;
    part->is_lost = true;
    engine->lost++;
    if (engine->is_judging)
        engine->is_judging = engine->is_batch_open = false;
    kit_unlock(engine);
}

/* The first `count` of the queue are done with. */
static void kit_done(struct engine *engine, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        output_free(engine->queue[i].output);
        if (engine->parts[engine->queue[i].slot].tenure.epoch == engine->queue[i].epoch)
            engine->parts[engine->queue[i].slot].pending--;
        engine->answered++;
    }
    memmove(engine->queue, engine->queue + count,
            (engine->queue_count - count) * sizeof engine->queue[0]);
    engine->queue_count -= count;
}

static void kit_judge(struct engine *engine, enum err err, int64_t offset)
{
    engine->is_judging = false;
    engine->is_batch_open = false;
    if (err != OK) {
        engine->is_batch_open = engine->is_judging = true;
        engine->ports.offsets_read(engine->ports.self, engine->batch_offsets[0].tenure,
                                   KIT_TICKET_HELD);
    } else if (offset >= engine->batch_offsets[0].offset) {
        kit_done(engine, engine->batch_count);
    }
}

void engine_offsets_read(struct engine *engine, struct tenure tenure, uint32_t ticket, enum err err,
                         int64_t offset, struct slice metadata)
{
    kit_lock(engine);
    struct kit_part *part = kit_part_of(engine, tenure);
    assert_non_null(part);
    if (ticket == KIT_TICKET_HELD) {
        kit_judge(engine, err, offset);
    } else if (ticket == KIT_TICKET_TEST) {
        engine->reads_answered++;
        engine->read_err = err;
        engine->read_offset = offset;
        snprintf(engine->read_metadata, sizeof engine->read_metadata, "%.*s", SLICE_ARG(metadata));
    } else if (err != OK) {
        engine->ports.offsets_read(engine->ports.self, tenure, ticket);
    } else {
        part->read_offset = offset;
        snprintf(part->read_metadata, sizeof part->read_metadata, "%.*s", SLICE_ARG(metadata));
        part->is_started = true;
        int64_t start = engine->start_at >= 0 ? engine->start_at : offset;
        part->first_offset = part->next_offset = start >= 0 ? start : 0;
        engine->ports.partition_start(engine->ports.self, tenure, start >= 0 ? start : -2);
    }
    kit_unlock(engine);
}

void engine_watermarks_read(struct engine *engine, struct tenure tenure, enum err err, int64_t low,
                            int64_t high)
{
    kit_lock(engine);
    struct kit_part *part = kit_part_of(engine, tenure);
    if (part != NULL && err == OK) {
        engine->low = low;
        engine->high = high;
        engine->watermarks_answered++;
        if (part->out_of_range > 0 && part->next_offset != low) {
            part->next_offset = low;
            engine->ports.partition_start(engine->ports.self, tenure, low);
        }
    } else if (part != NULL) {
        engine->ports.watermarks_read(engine->ports.self, tenure);
    }
    kit_unlock(engine);
}

void engine_partition_out_of_range(struct engine *engine, struct tenure tenure)
{
    kit_lock(engine);
    struct kit_part *part = kit_part_of(engine, tenure);
    assert_non_null(part);
    part->out_of_range++;
    engine->ports.watermarks_read(engine->ports.self, tenure);
    kit_unlock(engine);
}

size_t engine_room(struct engine *engine, struct tenure tenure)
{
    kit_lock(engine);
    struct kit_part *part = kit_part_of(engine, tenure);
    bool is_open = part != NULL && !part->is_revoked && !engine->is_stopping;
    size_t room = is_open && engine->queue_count < engine->room_limit
                      ? engine->room_limit - engine->queue_count
                      : 0;
    kit_unlock(engine);
    return room;
}

static struct output *kit_copy(struct engine *engine, const struct record *record)
{
    struct output *output = memory_new(sizeof *output);
    assert_non_null(output);
    arena_init(&output->arena, 32U << 20);
    struct record copy;
    assert_true(record_copy(&output->arena, record, &copy));
    const struct header *to = headers_last(copy.headers, "to");
    output->topic = to != NULL ? to->value : engine->out_topic;
    output->partition = -1;
    output->key = copy.key;
    output->value = copy.value;
    output->headers = copy.headers.list;
    output->header_count = copy.headers.count;
    return output;
}

void engine_record(struct engine *engine, struct tenure tenure, const struct record *record)
{
    kit_lock(engine);
    struct kit_part *part = kit_part_of(engine, tenure);
    assert_non_null(part);
    assert_true(part->is_started && engine->queue_count < KIT_OUTPUTS_MAX);
    if (record->offset < part->next_offset)
        engine->doubles++;
    part->next_offset = record->offset + 1;
    part->pending++;
    engine->records++;
    engine->queue[engine->queue_count++] = (struct kit_output){.output = kit_copy(engine, record),
                                                               .slot = tenure.slot,
                                                               .epoch = tenure.epoch,
                                                               .offset = record->offset};
    kit_unlock(engine);
}

void engine_partition_end(struct engine *engine, struct tenure tenure, int64_t position)
{
    kit_lock(engine);
    struct kit_part *part = kit_part_of(engine, tenure);
    assert_non_null(part);
    part->end_position = position;
    kit_unlock(engine);
}

void engine_batch_ended(struct engine *engine, const struct batch_end *end)
{
    kit_lock(engine);
    assert_true(engine->is_batch_open && end->id == engine->batch_id);
    engine->is_batch_open = false;
    engine->outcomes[end->outcome]++;
    engine->last_end = *end;
    snprintf(engine->last_reason, sizeof engine->last_reason, "%.*s", SLICE_ARG(end->reason));
    engine->last_end.reason = SLICE_NULL;
    engine->retry_at_ms = engine->now_ms + 100;
    if (end->outcome == BATCH_COMMITTED) {
        kit_done(engine, engine->batch_count);
    } else if (end->outcome == BATCH_REFUSED) {
        struct kit_output *blamed = &engine->queue[end->blame];
        engine->refused++;
        blamed->output->topic = engine->out_topic;
        blamed->output->value = SLICE("refused");
    } else if (end->outcome == BATCH_UNKNOWN || end->outcome == BATCH_FENCED) {
        engine->is_batch_open = engine->is_judging = true;
        engine->ports.offsets_read(engine->ports.self, engine->batch_offsets[0].tenure,
                                   KIT_TICKET_HELD);
    }
    kit_unlock(engine);
}

void engine_topic_found(struct engine *engine, uint32_t ticket, enum err err, int32_t partitions)
{
    (void)ticket;
    kit_lock(engine);
    engine->topics_answered++;
    engine->topic_err = err;
    engine->topic_partitions = partitions;
    kit_unlock(engine);
}

void engine_chunk_refused(struct engine *engine, struct call_ref call)
{
    kit_lock(engine);
    engine->chunks_refused++;
    engine->last_chunk = call;
    kit_unlock(engine);
}

void engine_call_head(struct engine *engine, struct call_ref call, int status, struct slice head)
{
    (void)engine, (void)call, (void)status, (void)head;
}

void engine_call_body(struct engine *engine, struct call_ref call, struct slice bytes)
{
    (void)engine, (void)call, (void)bytes;
}

void engine_call_ended(struct engine *engine, struct call_ref call, const struct call_end *end)
{
    (void)engine, (void)call, (void)end;
}

void engine_credentials(struct engine *engine, const struct credentials *credentials,
                        struct slice reason)
{
    (void)engine, (void)credentials, (void)reason;
}

void engine_stop(struct engine *engine)
{
    kit_lock(engine);
    engine->is_stopping = true;
    kit_unlock(engine);
}

/* One batch of what is first in the queue, with the offsets behind it. */
static void kit_cut(struct engine *engine)
{
    size_t count = engine->queue_count < KIT_BATCH_MAX ? engine->queue_count : KIT_BATCH_MAX;
    size_t offsets = 0;
    int place[KIT_PARTS_MAX];
    memset(place, -1, sizeof place);
    snprintf(engine->batch_metadata, sizeof engine->batch_metadata, "batch %u",
             (unsigned)engine->batch_id + 1);
    for (size_t i = 0; i < count; i++) {
        const struct kit_output *queued = &engine->queue[i];
        const struct kit_part *part = &engine->parts[queued->slot];
        engine->batch_outputs[i] = queued->output;
        if (place[queued->slot] < 0)
            place[queued->slot] = (int)offsets++;
        engine->batch_offsets[place[queued->slot]] =
            (struct batch_offset){.tenure = part->tenure,
                                  .topic = slice_of_text(part->topic),
                                  .partition = part->partition,
                                  .offset = queued->offset + 1,
                                  .metadata = slice_of_text(engine->batch_metadata)};
    }
    engine->batch_count = count;
    engine->is_batch_open = true;
    struct batch batch = {.id = ++engine->batch_id,
                          .outputs = engine->batch_outputs,
                          .output_count = count,
                          .offsets = engine->batch_offsets,
                          .offset_count = offsets};
    engine->ports.batch_commit(engine->ports.self, &batch);
}

static void kit_release_drained(struct engine *engine)
{
    for (size_t i = 0; i < KIT_PARTS_MAX; i++) {
        struct kit_part *part = &engine->parts[i];
        if (!part->is_known || !part->is_revoked || part->pending > 0)
            continue;
        part->is_known = false;
        part->is_released = true;
        engine->released++;
        engine->ports.partition_release(engine->ports.self, part->tenure);
    }
}

int64_t engine_turn(struct engine *engine)
{
    kit_lock(engine);
    if (!engine->is_batch_open)
        kit_forget_lost(engine);
    if (!engine->is_batch_open && engine->queue_count > 0 && !engine->is_holding &&
        engine->now_ms >= engine->retry_at_ms)
        kit_cut(engine);
    kit_release_drained(engine);
    if (engine->is_stopping && engine->queue_count == 0 && !engine->has_ended) {
        engine->has_ended = true;
        engine->ports.ended(engine->ports.self, 0);
    }
    int64_t next_ms = engine->now_ms + 50;
    kit_unlock(engine);
    return next_ms;
}

/* ---- the cluster and plain clients ---- */

static void kit_topic(struct kit *kit, const char *name, int partitions)
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

static void kit_ignore_log(const rd_kafka_t *client, int level, const char *facility,
                           const char *line)
{
    (void)client, (void)level, (void)facility, (void)line;
}

/* Topics are named after the time, so that a real cluster may be used again. partitions 0: no
 * topics yet. */
static void kit_init(struct kit *kit, int partitions, bool may_be_real)
{
    memset(kit, 0, sizeof *kit);
    char error[256];
    const char *real = may_be_real ? getenv("KAFKA_BOOTSTRAP_SERVERS") : NULL;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, kit_ignore_log);
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

static void kit_done_with(struct kit *kit)
{
    if (kit->mock != NULL)
        rd_kafka_mock_cluster_destroy(kit->mock);
    rd_kafka_destroy(kit->owner);
}

/* A client to produce with: the owner of an in-memory cluster is bound to no cluster itself. */
static rd_kafka_t *kit_producer(const struct kit *kit)
{
    char error[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", kit->brokers, NULL, 0);
    rd_kafka_conf_set(conf, "linger.ms", "5", NULL, 0);
    rd_kafka_conf_set_log_cb(conf, kit_ignore_log);
    rd_kafka_t *producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error, sizeof error);
    assert_non_null(producer);
    return producer;
}

/* `count` records with values "0", "1", … and the same keys. */
static void kit_produce(const struct kit *kit, int first, int count)
{
    rd_kafka_t *producer = kit_producer(kit);
    for (int i = first; i < first + count; i++) {
        char value[16];
        int len = snprintf(value, sizeof value, "%d", i);
        rd_kafka_resp_err_t err = rd_kafka_producev(
            producer, RD_KAFKA_V_TOPIC(kit->in), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
            RD_KAFKA_V_KEY(value, (size_t)len), RD_KAFKA_V_VALUE(value, (size_t)len),
            RD_KAFKA_V_END);
        assert_int_equal(err, 0);
    }
    assert_int_equal(rd_kafka_flush(producer, KIT_PATIENCE_MS), 0);
    rd_kafka_destroy(producer);
}

/* One record; the rest as rd_kafka_producev takes it. */
#define kit_produce_one(kit, ...)                                                                  \
    do {                                                                                           \
        rd_kafka_t *one = kit_producer(kit);                                                       \
        assert_int_equal(rd_kafka_producev(one, RD_KAFKA_V_TOPIC((kit)->in),                       \
                                           RD_KAFKA_V_PARTITION(0),                                \
                                           RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), __VA_ARGS__,  \
                                           RD_KAFKA_V_END),                                        \
                         0);                                                                       \
        assert_int_equal(rd_kafka_flush(one, KIT_PATIENCE_MS), 0);                                 \
        rd_kafka_destroy(one);                                                                     \
    } while (0)

/* A reader of the topic `out` from its beginning. */
static rd_kafka_t *kit_reader(const struct kit *kit)
{
    char error[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", kit->brokers, NULL, 0);
    rd_kafka_conf_set(conf, "group.id", "kit-reader", NULL, 0);
    rd_kafka_conf_set(conf, "isolation.level", "read_committed", NULL, 0);
    rd_kafka_conf_set(conf, "fetch.wait.max.ms", "20", NULL, 0);
    rd_kafka_conf_set(conf, "enable.auto.commit", "false", NULL, 0);
    rd_kafka_conf_set_log_cb(conf, kit_ignore_log);
    rd_kafka_t *reader = rd_kafka_new(RD_KAFKA_CONSUMER, conf, error, sizeof error);
    assert_non_null(reader);
    rd_kafka_poll_set_consumer(reader);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, kit->out, 0)->offset = RD_KAFKA_OFFSET_BEGINNING;
    assert_int_equal(rd_kafka_assign(reader, list), 0);
    rd_kafka_topic_partition_list_destroy(list);
    return reader;
}

/* The next record, or NULL after `timeout_ms`. */
static rd_kafka_message_t *kit_next(rd_kafka_t *reader, int64_t timeout_ms)
{
    int64_t until_ms = clock_monotonic_ms() + timeout_ms;
    while (clock_monotonic_ms() < until_ms) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(reader, 100);
        if (message != NULL && message->err == 0)
            return message;
        if (message != NULL)
            rd_kafka_message_destroy(message);
    }
    return NULL;
}

/* Reads `count` records with values 0 … count - 1, and nothing more: how often each came. */
static void kit_read_numbers(const struct kit *kit, int count, int *ret_times)
{
    rd_kafka_t *reader = kit_reader(kit);
    int different = 0;
    memset(ret_times, 0, (size_t)count * sizeof *ret_times);
    rd_kafka_message_t *message;
    while ((message = kit_next(reader, different < count ? KIT_PATIENCE_MS : 500)) != NULL) {
        int64_t number = -1;
        assert_true(slice_to_int64(slice_of(message->payload, message->len), &number));
        assert_true(number >= 0 && number < count);
        if (ret_times[number]++ == 0)
            different++;
        rd_kafka_message_destroy(message);
    }
    rd_kafka_destroy(reader);
}

static void kit_assert_each_once(const struct kit *kit, int count)
{
    int *times = calloc((size_t)count, sizeof *times);
    kit_read_numbers(kit, count, times);
    for (int i = 0; i < count; i++)
        assert_int_equal(times[i], 1);
    free(times);
}

/* For a person who looks for something: KIT_ONLY=<pattern of names>, KIT_LOG=1,
 * KIT_DEBUG=<librdkafka's debug>. */
UNUSED static void kit_only(void)
{
    if (getenv("KIT_ONLY") != NULL)
        cmocka_set_test_filter(getenv("KIT_ONLY"));
}

/* ---- the worker ---- */

static void kit_log_line(void *self, enum log_event event, struct slice line)
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
static struct kit_worker *kit_worker_new(const struct kit *kit, bool exactly_once)
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
                  .group_id = slice_of_text(kit->group),
                  .transactional_id = slice_of_text(kit->id),
                  .topics = kit->topics,
                  .topic_count = 1,
                  .output_topics = kit->outputs,
                  .output_topic_count = 1,
                  .exactly_once = exactly_once,
                  .commit_interval_ms = 50,
                  .session_timeout_ms = kit->mock != NULL ? 4000 : 6000,
                  .transaction_timeout_ms = 6000,
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
                .format = LOG_FORMAT_WORDS,
                .write = kit_log_line,
                .self = &worker->log},
        .drain_timeout_ms = 5000,
    };
    return worker;
}

static void *kit_worker_thread(void *argument)
{
    struct kit_worker *worker = argument;
    worker->exit_code = io_run(worker->io);
    return NULL;
}

static void kit_worker_start(struct kit_worker *worker)
{
    char error[KAFKA_WORDS_MAX] = "";
    static struct kafka_property debug = {.name = {"debug", 5}};
    debug.value = slice_of_text(getenv("KIT_DEBUG")); /* e.g. cgrp,eos */
    if (debug.value.ptr != NULL)
        worker->config.kafka.client = (struct kafka_properties){.list = &debug, .count = 1};
    worker->io = io_new(&worker->config, error, sizeof error);
    assert_string_equal(worker->io != NULL ? "" : error, "");
    worker->engine->ports = *io_ports(worker->io);
    io_attach(worker->io, worker->engine);
    assert_int_equal(pthread_create(&worker->thread, NULL, kit_worker_thread, worker), 0);
}

static struct kit_worker *kit_worker_run(const struct kit *kit, bool exactly_once)
{
    struct kit_worker *worker = kit_worker_new(kit, exactly_once);
    kit_worker_start(worker);
    return worker;
}

/* Stops it; the exit code. */
static int kit_worker_end(struct kit_worker *worker)
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

/* Numbers of requests in Kafka's protocol. */
enum api {
    API_PRODUCE = 0,
    API_OFFSET_COMMIT = 8,
    API_OFFSET_FETCH = 9,
    API_END_TXN = 26,
    API_TXN_OFFSET_COMMIT = 28
};

/* A worker with one partition that has started, holding `count` records back. */
UNUSED static struct kit_worker *kit_holding_worker(struct kit *kit, bool exactly_once, int count)
{
    kit_init(kit, 1, false);
    kit_produce(kit, 0, count);
    struct kit_worker *worker = kit_worker_new(kit, exactly_once);
    worker->engine->is_holding = true;
    kit_worker_start(worker);
    kit_until(worker, (int)worker->engine->records == count);
    return worker;
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

/* What is committed for partition 0 of `in`; -1 = nothing. */
static int64_t kit_committed(const struct kit *kit, char *ret_metadata, size_t room)
{
    char error[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", kit->brokers, NULL, 0);
    rd_kafka_conf_set(conf, "group.id", kit->group, NULL, 0);
    rd_kafka_conf_set_log_cb(conf, kit_ignore_log);
    rd_kafka_t *client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, error, sizeof error);
    assert_non_null(client);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, kit->in, 0);
    assert_int_equal(rd_kafka_committed(client, list, KIT_PATIENCE_MS), 0);
    int64_t offset = list->elems[0].offset >= 0 ? list->elems[0].offset : -1;
    snprintf(ret_metadata, room, "%.*s", (int)list->elems[0].metadata_size,
             list->elems[0].metadata != NULL ? (char *)list->elems[0].metadata : "");
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(client);
    return offset;
}

#endif
