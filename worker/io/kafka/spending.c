#include "io/kafka/spending.h"

#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/memory.h"
#include "io/kafka/log.h"
#include "io/kafka/tokens.h"
#include "io/loop/clock.h"
#include "wire/outputs/sums.h"

#define ASK_MS      5000 /* a question to the brokers */
#define POLL_MS     200
#define PAUSE_MS    200 /* after a question that failed */
#define STEP_MAX    200 /* records in one turn of the loop */
#define QUEUE_KIB   "8192"
#define TOPIC_ROOM  256
#define ARENA_BYTES ((size_t)16 * 1024 * 1024) /* of one record of sums */
#define RESERVED_MS 60000 /* older records of what workers have reserved say nothing */
#define SKIPPED_MAX 10    /* records that are logged one by one */

/* What was read, for the loop. */
struct spending_record {
    rd_kafka_message_t *message;
    bool is_sums, counts; /* counts: it stands for the usage before its offset */
};

struct kafka_spending {
    struct kafka_log log; /* first: the client's opaque begins with it */
    rd_kafka_t *client;
    char topic[TOPIC_ROOM], sums_topic[TOPIC_ROOM]; /* sums_topic "" = none */
    const struct spending_config *config;
    struct loop_wake wake;
    pthread_t thread;
    bool has_thread;
    atomic_bool stopping;
    /* The thread's: */
    rd_kafka_topic_partition_list_t *starts; /* of all partitions of the usage topic */
    rd_kafka_topic_partition_list_t *places; /* of the topic of budgets; NULL = it is not read */
    rd_kafka_message_t **sums;               /* the latest of each usage partition; NULL = none */
    bool *ended;                             /* partitions whose end was reached once */
    int count, open;                         /* partitions; those that have not ended */
    unsigned skipped;
    struct arena arena;
    pthread_mutex_t lock;
    pthread_cond_t taken;
    /* Under the lock: a ring of records, and whether the end of all partitions lies behind them */
    struct spending_record records[SPENDING_RECORDS_MAX];
    size_t first, queued;
    bool is_caught_up, was_told;
};

/* ---- in the thread ---- */

static bool stops(struct kafka_spending *spending)
{
    return atomic_load(&spending->stopping);
}

static void pause_thread(void)
{
    struct timespec pause = {0, (long)PAUSE_MS * 1000000};
    (void)nanosleep(&pause, NULL);
}

/* Waits until the brokers say how many partitions the topic has; 0 = the room ends or, unless the
 * worker waits for the topic, it is not there or may not be read. */
static int count_partitions(struct kafka_spending *spending, const char *name, bool waits)
{
    int count = 0;
    bool is_answered = false;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(spending->client, name, NULL);
    while (topic != NULL && count == 0 && !stops(spending) && (waits || !is_answered)) {
        const struct rd_kafka_metadata *metadata = NULL;
        if (rd_kafka_metadata(spending->client, 0, topic, &metadata, ASK_MS) ==
            RD_KAFKA_RESP_ERR_NO_ERROR) {
            count = metadata->topic_cnt == 1 ? metadata->topics[0].partition_cnt : 0;
            is_answered = metadata->topic_cnt == 1 &&
                          metadata->topics[0].err != RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
            rd_kafka_metadata_destroy(metadata);
        }
        if (count == 0)
            pause_thread();
    }
    if (topic != NULL)
        rd_kafka_topic_destroy(topic);
    return count;
}

/* Finds the first offsets of the time since which usage counts; false: the room ends. */
static bool find_starts(struct kafka_spending *spending)
{
    int count = spending->count;
    spending->starts = rd_kafka_topic_partition_list_new(count);
    rd_kafka_topic_partition_list_add_range(spending->starts, spending->topic, 0, count - 1);
    while (!stops(spending)) {
        for (int i = 0; i < count; i++)
            spending->starts->elems[i].offset = spending->config->since_ms;
        bool is_found = rd_kafka_offsets_for_times(spending->client, spending->starts, ASK_MS) ==
                        RD_KAFKA_RESP_ERR_NO_ERROR;
        for (int i = 0; i < count && is_found; i++)
            is_found = spending->starts->elems[i].err == RD_KAFKA_RESP_ERR_NO_ERROR;
        if (is_found)
            return true;
        pause_thread();
    }
    return false;
}

/* ---- sums ---- */

static void log_skipped(struct kafka_spending *spending, const rd_kafka_message_t *message,
                        const char *reason)
{
    if (spending->skipped++ >= SKIPPED_MAX)
        return;
    const struct log_field fields[] = {
        FIELD_TEXT("topic", slice_of_text(spending->sums_topic)),
        FIELD_INT("partition", message->partition),
        FIELD_INT("offset", message->offset),
        FIELD_TEXT("reason", slice_of_text(reason)),
    };
    log_sink_add(spending->log.sink, LOG_BUDGETS_SKIPPED, fields, COUNT_OF(fields));
}

/* NULL: the record has sums that are of use here, else why not. */
static const char *judge_sums(struct kafka_spending *spending, const rd_kafka_message_t *message,
                              struct sums *ret_sums)
{
    const char *why;
    arena_reset(&spending->arena);
    if (sums_read(&spending->arena, slice_of(message->payload, message->len), ret_sums, &why) !=
        SUMS_READ)
        return why;
    if (!slice_equal_text(ret_sums->usage_topic, spending->topic))
        return "it is of another usage topic";
    if (ret_sums->partition >= spending->count)
        return "the usage topic has no such partition";
    if (ret_sums->rules != spending->config->rules)
        return "it was made for other budgets than the settings have";
    return NULL;
}

static void add(struct kafka_spending *spending, struct spending_record record);

/* What a worker has reserved is of use while it is young. True: it was such a record, and is the
 * loop's or gone. */
static bool pass_reserved(struct kafka_spending *spending, rd_kafka_message_t *message)
{
    struct reserved reserved;
    arena_reset(&spending->arena);
    if (!reserved_read(&spending->arena, slice_of(message->payload, message->len), &reserved))
        return false;
    if (clock_wall_ms() - reserved.wall_ms < RESERVED_MS)
        add(spending, (struct spending_record){message, true, false});
    else
        rd_kafka_message_destroy(message);
    return true;
}

/* Keeps the record, if it has sums; else it is destroyed. */
static void keep_sums(struct kafka_spending *spending, rd_kafka_message_t *message)
{
    struct sums sums;
    if (message->len > 0 && pass_reserved(spending, message))
        return;
    const char *why = message->len > 0 ? judge_sums(spending, message, &sums) : NULL;
    if (why != NULL)
        log_skipped(spending, message, why);
    if (why != NULL || message->len == 0) { /* a tombstone says nothing */
        rd_kafka_message_destroy(message);
        return;
    }
    rd_kafka_message_t **place = &spending->sums[sums.partition];
    if (*place != NULL)
        rd_kafka_message_destroy(*place);
    *place = message;
}

/* Takes an event while the topic of budgets is read to its present end. False: it cannot be read.
 */
static bool take_sums_event(struct kafka_spending *spending, rd_kafka_message_t *message, int *open)
{
    bool is_right = true;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        keep_sums(spending, message);
        return true;
    }
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        rd_kafka_topic_partition_t *place = &spending->places->elems[message->partition];
        *open -= place->offset < 0;
        place->offset = message->offset;
    } else {
        is_right = !kafka_log_right(&spending->log, (int)message->err, "Read",
                                    slice_of_text(spending->sums_topic),
                                    "the worker reads the usage of the whole span");
    }
    rd_kafka_message_destroy(message);
    return is_right;
}

static void forget_places(struct kafka_spending *spending)
{
    rd_kafka_topic_partition_list_destroy(spending->places);
    spending->places = NULL;
}

/* Reads the topic of budgets to its present end, if it can be read. */
static void read_sums(struct kafka_spending *spending)
{
    int count = spending->sums_topic[0] != '\0'
                    ? count_partitions(spending, spending->sums_topic, false)
                    : 0;
    if (count == 0)
        return;
    spending->places = rd_kafka_topic_partition_list_new(count);
    rd_kafka_topic_partition_list_add_range(spending->places, spending->sums_topic, 0, count - 1);
    for (int i = 0; i < count; i++)
        spending->places->elems[i].offset = RD_KAFKA_OFFSET_BEGINNING;
    bool is_readable =
        rd_kafka_assign(spending->client, spending->places) == RD_KAFKA_RESP_ERR_NO_ERROR;
    while (count > 0 && is_readable && !stops(spending)) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(spending->client, POLL_MS);
        if (message != NULL)
            is_readable = take_sums_event(spending, message, &count);
    }
    if (!is_readable)
        forget_places(spending);
}

/* Whether the log still has what follows the sums. */
static bool has_log_after(struct kafka_spending *spending, int partition, int64_t offset)
{
    int64_t low = 0, high = 0;
    while (!stops(spending)) {
        if (rd_kafka_query_watermark_offsets(spending->client, spending->topic, partition, &low,
                                             &high, ASK_MS) == RD_KAFKA_RESP_ERR_NO_ERROR)
            return low <= offset && offset <= high;
        pause_thread();
    }
    return false;
}

/* Begins behind the sums, where there are some, and hands them over. */
static void begin_at_sums(struct kafka_spending *spending)
{
    for (int i = 0; i < spending->count; i++) {
        rd_kafka_message_t *message = spending->sums[i];
        struct sums sums;
        spending->sums[i] = NULL;
        if (message == NULL || judge_sums(spending, message, &sums) != NULL)
            continue;
        if (has_log_after(spending, i, sums.offset)) {
            spending->starts->elems[i].offset = sums.offset;
            add(spending, (struct spending_record){message, true, true});
            continue;
        }
        log_skipped(spending, message, "the usage topic no longer has what follows it");
        rd_kafka_message_destroy(message);
    }
}

/* ---- usage ---- */

static void note_end(struct kafka_spending *spending, int32_t partition)
{
    if (partition < 0 || partition >= spending->starts->cnt || spending->ended[partition])
        return;
    spending->ended[partition] = true;
    if (--spending->open > 0)
        return;
    pthread_mutex_lock(&spending->lock);
    spending->is_caught_up = true;
    pthread_mutex_unlock(&spending->lock);
    spending->wake.wake(spending->wake.self);
}

/* Queues a record; waits while the queue is full. */
static void add(struct kafka_spending *spending, struct spending_record record)
{
    pthread_mutex_lock(&spending->lock);
    while (spending->queued == SPENDING_RECORDS_MAX && !stops(spending))
        pthread_cond_wait(&spending->taken, &spending->lock);
    bool is_full = spending->queued == SPENDING_RECORDS_MAX;
    bool was_empty = spending->queued == 0;
    if (!is_full)
        spending->records[(spending->first + spending->queued++) % SPENDING_RECORDS_MAX] = record;
    pthread_mutex_unlock(&spending->lock);
    if (is_full)
        rd_kafka_message_destroy(record.message);
    else if (was_empty)
        spending->wake.wake(spending->wake.self);
}

static void take_event(struct kafka_spending *spending, rd_kafka_message_t *message)
{
    bool is_sums = message->rkt != NULL &&
                   strcmp(rd_kafka_topic_name(message->rkt), spending->sums_topic) == 0;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        add(spending, (struct spending_record){message, is_sums, false});
        return;
    }
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF && !is_sums)
        note_end(spending, message->partition);
    else if (message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF)
        (void)kafka_log_right(&spending->log, (int)message->err, "Read",
                              slice_of_text(is_sums ? spending->sums_topic : spending->topic),
                              is_sums ? "the worker does not see what sums others have written"
                                      : "requests of tenants with a budget wait");
    rd_kafka_message_destroy(message);
}

/* Reads both topics. */
static void read_all(struct kafka_spending *spending)
{
    rd_kafka_topic_partition_list_t *all = rd_kafka_topic_partition_list_copy(spending->starts);
    for (int i = 0; spending->places != NULL && i < spending->places->cnt; i++)
        rd_kafka_topic_partition_list_add(all, spending->sums_topic, i)->offset =
            spending->places->elems[i].offset;
    bool reads = rd_kafka_assign(spending->client, all) == RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_topic_partition_list_destroy(all);
    while (reads && !stops(spending)) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(spending->client, POLL_MS);
        if (message != NULL)
            take_event(spending, message);
    }
}

static void *run(void *self)
{
    struct kafka_spending *spending = self;
    spending->open = spending->count = count_partitions(spending, spending->topic, true);
    if (spending->count == 0)
        return NULL;
    spending->ended = memory_new((size_t)spending->count * sizeof *spending->ended);
    spending->sums = memory_new((size_t)spending->count * sizeof *spending->sums);
    if (spending->ended == NULL || spending->sums == NULL)
        return NULL;
    read_sums(spending);
    if (!stops(spending) && find_starts(spending)) {
        begin_at_sums(spending);
        read_all(spending);
    }
    return NULL;
}

/* ---- in the loop ---- */

static bool client_make(struct kafka_spending *spending, const struct kafka_config *config,
                        char *ret_error)
{
    rd_kafka_conf_t *conf = kafka_conf_new(config, KAFKA_CONSUMER, ret_error);
    if (conf == NULL)
        return false;
    bool is_set = rd_kafka_conf_set(conf, "enable.partition.eof", "true", ret_error,
                                    KAFKA_ERROR_MAX) == RD_KAFKA_CONF_OK &&
                  rd_kafka_conf_set(conf, "queued.max.messages.kbytes", QUEUE_KIB, ret_error,
                                    KAFKA_ERROR_MAX) == RD_KAFKA_CONF_OK;
    rd_kafka_conf_set_opaque(conf, spending);
    rd_kafka_conf_set_log_cb(conf, kafka_log_callback);
    if (is_set)
        spending->client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, ret_error, KAFKA_ERROR_MAX);
    if (spending->client == NULL) {
        rd_kafka_conf_destroy(conf);
        return false;
    }
    kafka_tokens_add(spending->log.tokens, spending->client);
    (void)rd_kafka_poll_set_consumer(spending->client);
    return true;
}

struct kafka_spending *kafka_spending_new(const struct kafka_config *kafka,
                                          const struct spending_config *config,
                                          struct kafka_lines *lines, struct loop_wake wake,
                                          char *ret_error)
{
    struct kafka_spending *spending = memory_new(sizeof *spending);
    if (spending == NULL)
        return NULL;
    kafka_log_init(&spending->log, lines, "spending");
    spending->log.tokens = kafka->tokens;
    spending->config = config;
    spending->wake = wake;
    arena_init(&spending->arena, ARENA_BYTES);
    slice_write(config->usage_topic, spending->topic, sizeof spending->topic);
    slice_write(config->budgets_topic, spending->sums_topic, sizeof spending->sums_topic);
    (void)pthread_mutex_init(&spending->lock, NULL);
    (void)pthread_cond_init(&spending->taken, NULL);
    if (client_make(spending, kafka, ret_error))
        spending->has_thread = pthread_create(&spending->thread, NULL, run, spending) == 0;
    if (spending->has_thread)
        return spending;
    kafka_spending_free(spending);
    return NULL;
}

static void pass_on(struct engine *engine, const struct spending_record *record)
{
    rd_kafka_message_t *message = record->message;
    struct slice value = slice_of(message->payload, message->len);
    if (record->is_sums)
        engine_sums_read(engine, value, record->counts);
    else
        engine_usage_read(engine, message->partition, message->offset, value);
    rd_kafka_message_destroy(message);
}

bool kafka_spending_step(struct kafka_spending *spending, struct engine *engine)
{
    struct spending_record taken[STEP_MAX];
    size_t count = 0;
    pthread_mutex_lock(&spending->lock);
    for (; count < STEP_MAX && spending->queued > 0; count++, spending->queued--) {
        taken[count] = spending->records[spending->first];
        spending->first = (spending->first + 1) % SPENDING_RECORDS_MAX;
    }
    bool is_more = spending->queued > 0;
    bool tells = spending->is_caught_up && !is_more && !spending->was_told;
    spending->was_told = spending->was_told || tells;
    pthread_cond_signal(&spending->taken);
    pthread_mutex_unlock(&spending->lock);
    for (size_t i = 0; i < count; i++)
        pass_on(engine, &taken[i]);
    if (tells)
        engine_usage_caught_up(engine);
    return is_more;
}

/* Ends the thread, and forgets what it has read. */
static void thread_end(struct kafka_spending *spending)
{
    if (!spending->has_thread)
        return;
    pthread_mutex_lock(&spending->lock);
    atomic_store(&spending->stopping, true);
    pthread_cond_signal(&spending->taken);
    pthread_mutex_unlock(&spending->lock);
    pthread_join(spending->thread, NULL);
    for (; spending->queued > 0; spending->queued--) {
        rd_kafka_message_destroy(spending->records[spending->first].message);
        spending->first = (spending->first + 1) % SPENDING_RECORDS_MAX;
    }
    for (int i = 0; spending->sums != NULL && i < spending->count; i++)
        if (spending->sums[i] != NULL)
            rd_kafka_message_destroy(spending->sums[i]);
}

void kafka_spending_free(struct kafka_spending *spending)
{
    if (spending == NULL)
        return;
    thread_end(spending);
    if (spending->client != NULL) {
        kafka_tokens_remove(spending->log.tokens, spending->client);
        rd_kafka_destroy(spending->client);
    }
    if (spending->starts != NULL)
        rd_kafka_topic_partition_list_destroy(spending->starts);
    if (spending->places != NULL)
        rd_kafka_topic_partition_list_destroy(spending->places);
    memory_free(spending->ended);
    memory_free(spending->sums);
    arena_done(&spending->arena);
    (void)pthread_cond_destroy(&spending->taken);
    (void)pthread_mutex_destroy(&spending->lock);
    kafka_log_done(&spending->log);
    memory_free(spending);
}
