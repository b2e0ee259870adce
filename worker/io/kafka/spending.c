#include "io/kafka/spending.h"

#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "io/kafka/log.h"
#include "io/kafka/tokens.h"
#include "io/loop/clock.h"

#define ASK_MS     5000 /* a question to the brokers */
#define POLL_MS    200
#define PAUSE_MS   200 /* after a question that failed */
#define STEP_MAX   200 /* records in one turn of the loop */
#define QUEUE_KIB  "8192"
#define TOPIC_ROOM 256

struct kafka_spending {
    struct kafka_log log; /* first: the client's opaque begins with it */
    rd_kafka_t *client;
    char topic[TOPIC_ROOM];
    int64_t since_ms;
    struct loop_wake wake;
    pthread_t thread;
    bool has_thread;
    atomic_bool stopping;
    /* The thread's: */
    rd_kafka_topic_partition_list_t *starts; /* of all partitions */
    bool *ended;                             /* partitions whose end was reached once */
    int open;                                /* the others */
    pthread_mutex_t lock;
    pthread_cond_t taken;
    /* Under the lock: a ring of records, and whether the end of all partitions lies behind them */
    rd_kafka_message_t *records[SPENDING_RECORDS_MAX];
    size_t first, count;
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

/* Waits until the brokers say how many partitions the topic has; 0 = the room ends. */
static int count_partitions(struct kafka_spending *spending)
{
    int count = 0;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(spending->client, spending->topic, NULL);
    while (topic != NULL && count == 0 && !stops(spending)) {
        const struct rd_kafka_metadata *metadata = NULL;
        if (rd_kafka_metadata(spending->client, 0, topic, &metadata, ASK_MS) ==
            RD_KAFKA_RESP_ERR_NO_ERROR) {
            count = metadata->topic_cnt == 1 ? metadata->topics[0].partition_cnt : 0;
            rd_kafka_metadata_destroy(metadata);
        }
        if (count == 0)
            pause_thread();
    }
    if (topic != NULL)
        rd_kafka_topic_destroy(topic);
    return count;
}

/* Finds the first offsets of that time; false: the room ends. */
static bool find_starts(struct kafka_spending *spending, int count)
{
    spending->starts = rd_kafka_topic_partition_list_new(count);
    rd_kafka_topic_partition_list_add_range(spending->starts, spending->topic, 0, count - 1);
    while (!stops(spending)) {
        for (int i = 0; i < count; i++)
            spending->starts->elems[i].offset = spending->since_ms;
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
static void add(struct kafka_spending *spending, rd_kafka_message_t *message)
{
    pthread_mutex_lock(&spending->lock);
    while (spending->count == SPENDING_RECORDS_MAX && !stops(spending))
        pthread_cond_wait(&spending->taken, &spending->lock);
    bool is_full = spending->count == SPENDING_RECORDS_MAX;
    bool was_empty = spending->count == 0;
    if (!is_full)
        spending->records[(spending->first + spending->count++) % SPENDING_RECORDS_MAX] = message;
    pthread_mutex_unlock(&spending->lock);
    if (is_full)
        rd_kafka_message_destroy(message);
    else if (was_empty)
        spending->wake.wake(spending->wake.self);
}

static void read_all(struct kafka_spending *spending)
{
    while (!stops(spending)) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(spending->client, POLL_MS);
        if (message == NULL)
            continue;
        if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            add(spending, message);
            continue;
        }
        if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
            note_end(spending, message->partition);
        else
            (void)kafka_log_right(&spending->log, (int)message->err, "Read",
                                  slice_of_text(spending->topic),
                                  "requests of tenants with a budget wait");
        rd_kafka_message_destroy(message);
    }
}

static void *run(void *self)
{
    struct kafka_spending *spending = self;
    int count = count_partitions(spending);
    spending->ended = count > 0 ? memory_new((size_t)count * sizeof *spending->ended) : NULL;
    spending->open = count;
    if (spending->ended != NULL && find_starts(spending, count) &&
        rd_kafka_assign(spending->client, spending->starts) == RD_KAFKA_RESP_ERR_NO_ERROR)
        read_all(spending);
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

struct kafka_spending *kafka_spending_new(const struct kafka_config *config, struct slice topic,
                                          int64_t since_ms, struct kafka_lines *lines,
                                          struct loop_wake wake, char *ret_error)
{
    struct kafka_spending *spending = memory_new(sizeof *spending);
    if (spending == NULL)
        return NULL;
    kafka_log_init(&spending->log, lines, "spending");
    spending->log.tokens = config->tokens;
    spending->since_ms = since_ms;
    spending->wake = wake;
    slice_write(topic, spending->topic, sizeof spending->topic);
    (void)pthread_mutex_init(&spending->lock, NULL);
    (void)pthread_cond_init(&spending->taken, NULL);
    if (client_make(spending, config, ret_error))
        spending->has_thread = pthread_create(&spending->thread, NULL, run, spending) == 0;
    if (spending->has_thread)
        return spending;
    kafka_spending_free(spending);
    return NULL;
}

static void pass_on(struct engine *engine, rd_kafka_message_t *message)
{
    engine_usage_read(engine, slice_of(message->payload, message->len));
    rd_kafka_message_destroy(message);
}

bool kafka_spending_step(struct kafka_spending *spending, struct engine *engine)
{
    rd_kafka_message_t *taken[STEP_MAX];
    size_t count = 0;
    pthread_mutex_lock(&spending->lock);
    for (; count < STEP_MAX && spending->count > 0; count++, spending->count--) {
        taken[count] = spending->records[spending->first];
        spending->first = (spending->first + 1) % SPENDING_RECORDS_MAX;
    }
    bool is_more = spending->count > 0;
    bool tells = spending->is_caught_up && !is_more && !spending->was_told;
    spending->was_told = spending->was_told || tells;
    pthread_cond_signal(&spending->taken);
    pthread_mutex_unlock(&spending->lock);
    for (size_t i = 0; i < count; i++)
        pass_on(engine, taken[i]);
    if (tells)
        engine_usage_caught_up(engine);
    return is_more;
}

void kafka_spending_free(struct kafka_spending *spending)
{
    if (spending == NULL)
        return;
    if (spending->has_thread) {
        pthread_mutex_lock(&spending->lock);
        atomic_store(&spending->stopping, true);
        pthread_cond_signal(&spending->taken);
        pthread_mutex_unlock(&spending->lock);
        pthread_join(spending->thread, NULL);
    }
    for (; spending->count > 0; spending->count--) {
        rd_kafka_message_destroy(spending->records[spending->first]);
        spending->first = (spending->first + 1) % SPENDING_RECORDS_MAX;
    }
    if (spending->client != NULL) {
        kafka_tokens_remove(spending->log.tokens, spending->client);
        rd_kafka_destroy(spending->client);
    }
    if (spending->starts != NULL)
        rd_kafka_topic_partition_list_destroy(spending->starts);
    memory_free(spending->ended);
    (void)pthread_cond_destroy(&spending->taken);
    (void)pthread_mutex_destroy(&spending->lock);
    kafka_log_done(&spending->log);
    memory_free(spending);
}
