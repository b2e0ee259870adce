#include "io/kafka/lookup.h"

#include <errno.h>
#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "base/list.h"
#include "base/memory.h"
#include "io/kafka/admin.h"

#define QUERY_TIMEOUT_MS   3000
#define PROBE_TIMEOUT_MS   1000
#define PROBE_EVERY_MS     1000
#define WATCH_EVERY_S      2
#define REPEAT_PAUSE_MS    500 /* because the engine repeats a failed query at once */
#define ENDS_EVERY_MS      10000
#define QUERIES_MAX        65536
#define TOPICS_IN_QUESTION 1000

enum lookup_kind { LOOKUP_TOPIC, LOOKUP_WATERMARKS, LOOKUP_BROKERS, LOOKUP_ENDS, LOOKUP_TASK };

/* A query, and later its answer. */
struct lookup_query {
    struct link link;
    enum lookup_kind kind;
    struct tenure tenure;
    uint32_t ticket;
    char topic[TOPIC_NAME_MAX + 1];
    int32_t partition;
    enum err err;
    int32_t partitions;
    int64_t low, high;
    rd_kafka_topic_partition_list_t *ends; /* LOOKUP_ENDS: owned */
    struct kafka_task task;                /* LOOKUP_TASK */
    int64_t due_ms;                        /* the loop's: when to pass the answer on */
};

struct kafka_lookup {
    const struct kafka_config *config;
    struct kafka_consumer *consumer;
    rd_kafka_t *client;
    struct log_sink *sink;
    struct engine *engine;
    struct loop_wake wake;
    bool is_probing, is_asking_ends;
    int64_t probe_due_ms, ends_due_ms;
    struct link due; /* answers that wait for their due_ms */
    pthread_t thread;
    bool has_thread;
    atomic_int broker_id;                           /* the last one that answered; -1 = none */
    struct lookup_query *taken[TOPICS_IN_QUESTION]; /* the thread's: what it asks now */
    /* The thread's, for each topic of the settings: */
    bool *is_missing; /* TOPIC_MISSING was logged */
    bool *is_found;
    atomic_int partitions; /* of the request topics that are found */
    pthread_mutex_t lock;
    pthread_cond_t added;
    /* Under the lock: */
    struct link queries, answers;
    size_t count; /* queries whose answer has not been passed on */
    bool ending;
};

/* ---- in the thread ---- */

static enum err err_of_topic(rd_kafka_resp_err_t err)
{
    switch ((int)err) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
        return OK;
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
        return ERR_NOT_FOUND;
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
        return ERR_NOT_ALLOWED;
    default:
        return ERR_IO;
    }
}

static void broker_note(struct kafka_lookup *lookup, const struct rd_kafka_metadata *metadata)
{
    atomic_store(&lookup->broker_id, metadata->orig_broker_id);
}

static enum err topic_query(struct kafka_lookup *lookup, const char *name, int32_t *ret_partitions)
{
    rd_kafka_topic_t *topic = rd_kafka_topic_new(lookup->client, name, NULL);
    if (topic == NULL)
        return ERR_NOT_FOUND;
    const struct rd_kafka_metadata *metadata = NULL;
    enum err err = ERR_IO;
    if (rd_kafka_metadata(lookup->client, 0, topic, &metadata, QUERY_TIMEOUT_MS) ==
        RD_KAFKA_RESP_ERR_NO_ERROR) {
        broker_note(lookup, metadata);
        if (metadata->topic_cnt == 1) {
            *ret_partitions = metadata->topics[0].partition_cnt;
            err = err_of_topic(metadata->topics[0].err);
        }
        rd_kafka_metadata_destroy(metadata);
    }
    rd_kafka_topic_destroy(topic);
    return err == OK && *ret_partitions <= 0 ? ERR_IO : err;
}

static enum err brokers_query(struct kafka_lookup *lookup)
{
    const struct rd_kafka_metadata *metadata = NULL;
    if (rd_kafka_metadata(lookup->client, 0, NULL, &metadata, PROBE_TIMEOUT_MS) !=
        RD_KAFKA_RESP_ERR_NO_ERROR)
        return ERR_IO;
    broker_note(lookup, metadata);
    rd_kafka_metadata_destroy(metadata);
    return OK;
}

#if ADMIN_DESCRIBES_TOPICS

static int by_name(const void *a, const void *b)
{
    const struct lookup_query *const *left = a, *const *right = b;
    return strcmp((*left)->topic, (*right)->topic);
}

/* Names in order, each once; the empty one, which cannot be asked for, is left out. */
static size_t names_of(struct lookup_query **queries, size_t count, const char **ret_names)
{
    size_t names = 0;
    for (size_t i = 0; i < count; i++) {
        const char *name = queries[i]->topic;
        if (name[0] != '\0' && (names == 0 || strcmp(ret_names[names - 1], name) != 0))
            ret_names[names++] = name;
    }
    return names;
}

static rd_kafka_event_t *describe(struct kafka_lookup *lookup, const char **names, size_t count,
                                  rd_kafka_queue_t *queue)
{
    admin_describe_topics(lookup->client, names, count, atomic_load(&lookup->broker_id),
                          QUERY_TIMEOUT_MS, queue);
    return rd_kafka_queue_poll(queue, QUERY_TIMEOUT_MS + PROBE_TIMEOUT_MS);
}

static void description_take(struct lookup_query **queries, size_t count,
                             const rd_kafka_TopicDescription_t *topic)
{
    struct lookup_query key, *wanted = &key;
    size_t partitions = 0;
    slice_write(slice_of_text(rd_kafka_TopicDescription_name(topic)), key.topic, sizeof key.topic);
    struct lookup_query **found = bsearch(&wanted, queries, count, sizeof *queries, by_name);
    const rd_kafka_error_t *error = rd_kafka_TopicDescription_error(topic);
    enum err err =
        err_of_topic(error == NULL ? RD_KAFKA_RESP_ERR_NO_ERROR : rd_kafka_error_code(error));
    if (err == OK)
        (void)rd_kafka_TopicDescription_partitions(topic, &partitions);
    while (found != NULL && found > queries && by_name(found - 1, &wanted) == 0)
        found--;
    for (; found != NULL && found < queries + count && by_name(found, &wanted) == 0; found++) {
        (*found)->partitions = (int32_t)partitions;
        (*found)->err = err == OK && partitions == 0 ? ERR_IO : err;
    }
}

/* Answers queries about topics by one question, however many there are. */
static void topics_query(struct kafka_lookup *lookup, struct lookup_query **queries, size_t count)
{
    const char *names[TOPICS_IN_QUESTION];
    qsort(queries, count, sizeof *queries, by_name);
    for (size_t i = 0; i < count; i++)
        queries[i]->err = queries[i]->topic[0] == '\0' ? ERR_NOT_FOUND : ERR_IO;
    size_t name_count = names_of(queries, count, names), found = 0;
    if (name_count == 0)
        return;
    rd_kafka_queue_t *queue = rd_kafka_queue_new(lookup->client);
    rd_kafka_event_t *event = describe(lookup, names, name_count, queue);
    if (event != NULL && rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        const rd_kafka_TopicDescription_t **topics = rd_kafka_DescribeTopics_result_topics(
            rd_kafka_event_DescribeTopics_result(event), &found);
        for (size_t i = 0; i < found; i++)
            description_take(queries, count, topics[i]);
    } else { /* the broker may be gone: the next question goes to another one */
        (void)brokers_query(lookup);
    }
    if (event != NULL)
        rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
}

#else

static void topics_query(struct kafka_lookup *lookup, struct lookup_query **queries, size_t count)
{
    for (size_t i = 0; i < count; i++)
        queries[i]->err = topic_query(lookup, queries[i]->topic, &queries[i]->partitions);
}

#endif

static void query_run(struct kafka_lookup *lookup, struct lookup_query *query)
{
    if (query->kind == LOOKUP_WATERMARKS)
        query->err = err_of_topic(rd_kafka_query_watermark_offsets(lookup->client, query->topic,
                                                                   query->partition, &query->low,
                                                                   &query->high, QUERY_TIMEOUT_MS));
    else if (query->kind == LOOKUP_ENDS)
        query->err =
            err_of_topic(rd_kafka_offsets_for_times(lookup->client, query->ends, QUERY_TIMEOUT_MS));
    else if (query->kind == LOOKUP_TASK)
        query->task.run(query->task.self);
    else
        query->err = brokers_query(lookup);
}

static struct slice topic_at(const struct kafka_lookup *lookup, size_t index)
{
    const struct kafka_config *config = lookup->config;
    return index < config->topic_count ? config->topics[index]
                                       : config->output_topics[index - config->topic_count];
}

/* Queries the topics of the settings that are not found yet, and logs changes. True: all are found.
 */
static bool topics_watch(struct kafka_lookup *lookup)
{
    bool all = true;
    for (size_t i = 0; i < lookup->config->topic_count + lookup->config->output_topic_count; i++) {
        struct slice topic = topic_at(lookup, i);
        char name[TOPIC_NAME_MAX + 1] = "";
        int32_t partitions = 0;
        if (lookup->is_found[i] || topic.len > TOPIC_NAME_MAX)
            continue;
        memcpy(name, topic.ptr, topic.len);
        enum err err = topic_query(lookup, name, &partitions);
        struct log_field field = FIELD_TEXT("topic", topic);
        lookup->is_found[i] = err == OK;
        if (err == OK && i < lookup->config->topic_count)
            (void)atomic_fetch_add(&lookup->partitions, partitions);
        if (err == OK && lookup->is_missing[i])
            log_sink_add(lookup->sink, LOG_TOPIC_FOUND, &field, 1);
        else if (err == ERR_NOT_FOUND && !lookup->is_missing[i])
            log_sink_add(lookup->sink, LOG_TOPIC_MISSING, &field, 1);
        lookup->is_missing[i] = err == ERR_NOT_FOUND || (err != OK && lookup->is_missing[i]);
        all = all && err == OK;
        if (err == ERR_IO)
            return false;
    }
    return all;
}

/* Waits for a query, for the end or, with `watching`, until it is time to query topics. Under the
 * lock. */
static void query_wait(struct kafka_lookup *lookup, bool watching)
{
    struct timespec until;
    CHECK(clock_gettime(CLOCK_MONOTONIC, &until) == 0);
    until.tv_sec += WATCH_EVERY_S;
    while (link_alone(&lookup->queries) && !lookup->ending) {
        if (!watching)
            (void)pthread_cond_wait(&lookup->added, &lookup->lock);
        else if (pthread_cond_timedwait(&lookup->added, &lookup->lock, &until) == ETIMEDOUT)
            return;
    }
}

/* Takes the first query, and if it asks for a topic, those about topics that follow it. Under the
 * lock. */
static size_t queries_take(struct kafka_lookup *lookup, struct lookup_query **ret_queries)
{
    size_t count = 0;
    for (struct link *first;
         count < TOPICS_IN_QUESTION && (first = list_first(&lookup->queries)) != NULL;) {
        struct lookup_query *query = LINK_OWNER(first, struct lookup_query, link);
        if (count > 0 && query->kind != LOOKUP_TOPIC)
            break;
        link_out(first);
        ret_queries[count++] = query;
        if (query->kind != LOOKUP_TOPIC)
            break;
    }
    return count;
}

static void *lookup_run(void *argument)
{
    struct kafka_lookup *lookup = argument;
    struct lookup_query **queries = lookup->taken;
    size_t count;
    bool watching = !topics_watch(lookup);
    (void)pthread_mutex_lock(&lookup->lock);
    for (;;) {
        query_wait(lookup, watching);
        if (lookup->ending)
            break;
        count = queries_take(lookup, queries);
        (void)pthread_mutex_unlock(&lookup->lock);
        if (count == 0)
            watching = !topics_watch(lookup);
        else if (queries[0]->kind == LOOKUP_TOPIC)
            topics_query(lookup, queries, count);
        else
            query_run(lookup, queries[0]);
        (void)pthread_mutex_lock(&lookup->lock);
        for (size_t i = 0; i < count; i++)
            list_add_last(&lookup->answers, &queries[i]->link);
        if (count > 0)
            lookup->wake.wake(lookup->wake.self);
    }
    (void)pthread_mutex_unlock(&lookup->lock);
    return NULL;
}

/* ---- in the loop ---- */

struct kafka_lookup *kafka_lookup_new(const struct kafka_config *config,
                                      struct kafka_consumer *consumer, struct log_sink *sink,
                                      struct loop_wake wake)
{
    struct kafka_lookup *lookup = memory_new(sizeof *lookup);
    if (lookup == NULL)
        return NULL;
    size_t topics = config->topic_count + config->output_topic_count + 1;
    lookup->config = config;
    lookup->consumer = consumer;
    lookup->client = kafka_consumer_client(consumer);
    lookup->sink = sink;
    atomic_init(&lookup->broker_id, -1);
    lookup->wake = wake;
    lookup->is_missing = memory_new(topics * sizeof *lookup->is_missing);
    lookup->is_found = memory_new(topics * sizeof *lookup->is_found);
    link_init(&lookup->queries);
    link_init(&lookup->answers);
    link_init(&lookup->due);
    pthread_condattr_t attributes;
    CHECK(pthread_condattr_init(&attributes) == 0);
    CHECK(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
    CHECK(pthread_cond_init(&lookup->added, &attributes) == 0);
    (void)pthread_condattr_destroy(&attributes);
    CHECK(pthread_mutex_init(&lookup->lock, NULL) == 0);
    lookup->has_thread = lookup->is_missing != NULL && lookup->is_found != NULL &&
                         pthread_create(&lookup->thread, NULL, lookup_run, lookup) == 0;
    if (lookup->has_thread)
        return lookup;
    kafka_lookup_free(lookup);
    return NULL;
}

int32_t kafka_lookup_broker(const struct kafka_lookup *lookup)
{
    return atomic_load(&lookup->broker_id);
}

void kafka_lookup_attach(struct kafka_lookup *lookup, struct engine *engine)
{
    lookup->engine = engine;
}

static void query_add(struct kafka_lookup *lookup, const struct lookup_query *content)
{
    struct lookup_query *query = memory_new(sizeof *query);
    CHECK(query != NULL);
    *query = *content;
    link_init(&query->link);
    (void)pthread_mutex_lock(&lookup->lock);
    CHECK(lookup->count < QUERIES_MAX);
    lookup->count++;
    list_add_last(&lookup->queries, &query->link);
    (void)pthread_cond_signal(&lookup->added);
    (void)pthread_mutex_unlock(&lookup->lock);
}

int32_t kafka_lookup_partitions(struct kafka_lookup *lookup)
{
    return atomic_load(&lookup->partitions);
}

void kafka_lookup_topic(struct kafka_lookup *lookup, struct slice topic, uint32_t ticket)
{
    struct lookup_query query = {.kind = LOOKUP_TOPIC, .ticket = ticket};
    /* A name that Kafka does not allow becomes the empty one, which does not exist either. */
    if (topic.len <= TOPIC_NAME_MAX && slice_find(topic, '\0') == topic.len && topic.len > 0)
        memcpy(query.topic, topic.ptr, topic.len);
    query_add(lookup, &query);
}

void kafka_lookup_task(struct kafka_lookup *lookup, struct kafka_task task)
{
    struct lookup_query query = {.kind = LOOKUP_TASK, .task = task};
    query_add(lookup, &query);
}

void kafka_lookup_watermarks(struct kafka_lookup *lookup, struct tenure tenure)
{
    const struct part *part = kafka_consumer_part(lookup->consumer, tenure);
    if (part == NULL)
        return;
    struct lookup_query query = {
        .kind = LOOKUP_WATERMARKS, .tenure = tenure, .partition = part->partition};
    memcpy(query.topic, part->topic, sizeof query.topic);
    query_add(lookup, &query);
}

static void query_free(struct lookup_query *query)
{
    if (query->ends != NULL)
        rd_kafka_topic_partition_list_destroy(query->ends);
    memory_free(query);
}

static void answer_pass_on(struct kafka_lookup *lookup, const struct lookup_query *answer,
                           int64_t now_ms)
{
    if (answer->kind == LOOKUP_BROKERS) {
        lookup->is_probing = false;
        lookup->probe_due_ms = now_ms + PROBE_EVERY_MS;
        if (answer->err == OK)
            kafka_consumer_brokers_up(lookup->consumer, now_ms);
    } else if (answer->kind == LOOKUP_ENDS) {
        lookup->is_asking_ends = false;
        lookup->ends_due_ms = now_ms + ENDS_EVERY_MS;
        if (answer->err == OK)
            kafka_consumer_ends_found(lookup->consumer, answer->ends);
    } else if (answer->kind == LOOKUP_TASK) {
        answer->task.done(answer->task.self, now_ms);
    } else if (lookup->engine == NULL) {
        return;
    } else if (answer->kind == LOOKUP_TOPIC) {
        engine_topic_found(lookup->engine, answer->ticket, answer->err, answer->partitions);
    } else {
        engine_watermarks_read(lookup->engine, answer->tenure, answer->err == OK ? OK : ERR_IO,
                               answer->low, answer->high);
    }
}

static void answers_take(struct kafka_lookup *lookup, int64_t now_ms)
{
    struct link taken;
    link_init(&taken);
    (void)pthread_mutex_lock(&lookup->lock);
    list_move_all(&lookup->answers, &taken);
    (void)pthread_mutex_unlock(&lookup->lock);
    for (struct link *link = taken.next; link != &taken; link = link->next) {
        struct lookup_query *answer = LINK_OWNER(link, struct lookup_query, link);
        bool is_repeated = answer->err == ERR_IO &&
                           (answer->kind == LOOKUP_TOPIC || answer->kind == LOOKUP_WATERMARKS);
        answer->due_ms = is_repeated ? now_ms + REPEAT_PAUSE_MS : now_ms;
    }
    list_move_all(&taken, &lookup->due);
}

/* Asks where the logs of partitions end that the worker is behind of. */
static void ends_ask(struct kafka_lookup *lookup, int64_t now_ms)
{
    if (lookup->is_asking_ends || now_ms < lookup->ends_due_ms ||
        kafka_consumer_brokers_down(lookup->consumer))
        return;
    struct lookup_query query = {.kind = LOOKUP_ENDS,
                                 .ends = kafka_consumer_behind(lookup->consumer)};
    lookup->ends_due_ms = now_ms + ENDS_EVERY_MS;
    if (query.ends == NULL)
        return;
    lookup->is_asking_ends = true;
    query_add(lookup, &query);
}

void kafka_lookup_step(struct kafka_lookup *lookup, int64_t now_ms)
{
    answers_take(lookup, now_ms);
    for (struct link *link = lookup->due.next; link != &lookup->due;) {
        struct lookup_query *answer = LINK_OWNER(link, struct lookup_query, link);
        link = link->next;
        if (answer->due_ms > now_ms)
            continue;
        link_out(&answer->link);
        answer_pass_on(lookup, answer, now_ms);
        query_free(answer);
        (void)pthread_mutex_lock(&lookup->lock);
        lookup->count--;
        (void)pthread_mutex_unlock(&lookup->lock);
    }
    if (kafka_consumer_brokers_down(lookup->consumer) && !lookup->is_probing &&
        now_ms >= lookup->probe_due_ms) {
        lookup->is_probing = true;
        struct lookup_query probe = {.kind = LOOKUP_BROKERS};
        query_add(lookup, &probe);
    }
    ends_ask(lookup, now_ms);
}

static void queries_free(struct link *list)
{
    while (!link_alone(list)) {
        struct link *first = list->next;
        link_out(first);
        query_free(LINK_OWNER(first, struct lookup_query, link));
    }
}

void kafka_lookup_free(struct kafka_lookup *lookup)
{
    if (lookup == NULL)
        return;
    if (lookup->has_thread) {
        (void)pthread_mutex_lock(&lookup->lock);
        lookup->ending = true;
        (void)pthread_cond_signal(&lookup->added);
        (void)pthread_mutex_unlock(&lookup->lock);
        (void)pthread_join(lookup->thread, NULL);
    }
    queries_free(&lookup->queries);
    queries_free(&lookup->answers);
    queries_free(&lookup->due);
    (void)pthread_cond_destroy(&lookup->added);
    (void)pthread_mutex_destroy(&lookup->lock);
    memory_free(lookup->is_missing);
    memory_free(lookup->is_found);
    memory_free(lookup);
}
