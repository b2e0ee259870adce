#include "io/kafka/lookup.h"

#include <errno.h>
#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "base/list.h"
#include "base/memory.h"

#define QUESTION_TIMEOUT_MS 3000
#define PROBE_TIMEOUT_MS    1000
#define PROBE_EVERY_MS      1000
#define WATCH_EVERY_S       2
#define UNKNOWN_PAUSE_MS    500 /* the engine asks again at once */
#define QUESTIONS_MAX       65536

enum lookup_kind { LOOKUP_TOPIC, LOOKUP_WATERMARKS, LOOKUP_BROKERS };

/* A question, and later its answer. */
struct lookup_question {
    struct link link;
    enum lookup_kind kind;
    struct tenure tenure;
    uint32_t ticket;
    char topic[TOPIC_NAME_MAX + 1];
    int32_t partition;
    enum err err;
    int32_t partitions;
    int64_t low, high;
    int64_t due_ms; /* the loop's: the answer is handed over then */
};

struct kafka_lookup {
    const struct kafka_config *config;
    struct kafka_consumer *consumer;
    rd_kafka_t *client;
    struct log_sink *sink;
    struct engine *engine;
    struct loop_wake wake;
    bool is_probing;
    int64_t probe_due_ms;
    struct link heard; /* answers that are not handed over yet */
    pthread_t thread;
    bool has_thread;
    bool *is_missing; /* the thread's: of each topic of the settings, was it said to be missing */
    bool *is_found;
    pthread_mutex_t lock;
    pthread_cond_t asked;
    /* Under the lock: */
    struct link questions, answers;
    size_t count; /* of all that are not handed over */
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

static enum err topic_ask(rd_kafka_t *client, const char *name, int32_t *ret_partitions)
{
    rd_kafka_topic_t *topic = rd_kafka_topic_new(client, name, NULL);
    if (topic == NULL)
        return ERR_NOT_FOUND;
    const struct rd_kafka_metadata *metadata = NULL;
    enum err err = ERR_IO;
    if (rd_kafka_metadata(client, 0, topic, &metadata, QUESTION_TIMEOUT_MS) ==
        RD_KAFKA_RESP_ERR_NO_ERROR) {
        if (metadata->topic_cnt == 1) {
            *ret_partitions = metadata->topics[0].partition_cnt;
            err = err_of_topic(metadata->topics[0].err);
        }
        rd_kafka_metadata_destroy(metadata);
    }
    rd_kafka_topic_destroy(topic);
    return err == OK && *ret_partitions <= 0 ? ERR_IO : err;
}

static enum err brokers_ask(rd_kafka_t *client)
{
    const struct rd_kafka_metadata *metadata = NULL;
    if (rd_kafka_metadata(client, 0, NULL, &metadata, PROBE_TIMEOUT_MS) !=
        RD_KAFKA_RESP_ERR_NO_ERROR)
        return ERR_IO;
    rd_kafka_metadata_destroy(metadata);
    return OK;
}

static void question_ask(struct kafka_lookup *lookup, struct lookup_question *question)
{
    if (question->kind == LOOKUP_TOPIC)
        question->err = topic_ask(lookup->client, question->topic, &question->partitions);
    else if (question->kind == LOOKUP_WATERMARKS)
        question->err = err_of_topic(
            rd_kafka_query_watermark_offsets(lookup->client, question->topic, question->partition,
                                             &question->low, &question->high, QUESTION_TIMEOUT_MS));
    else
        question->err = brokers_ask(lookup->client);
}

static struct slice topic_at(const struct kafka_lookup *lookup, size_t index)
{
    const struct kafka_config *config = lookup->config;
    return index < config->topic_count ? config->topics[index]
                                       : config->output_topics[index - config->topic_count];
}

/* Topics of the settings that are not there are looked for again and again; true = all are. */
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
        enum err err = topic_ask(lookup->client, name, &partitions);
        struct log_field field = FIELD_TEXT("topic", topic);
        lookup->is_found[i] = err == OK;
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

/* Under the lock: waits until there is a question, the end, or time to look for topics. */
static void question_wait(struct kafka_lookup *lookup, bool watching)
{
    struct timespec until;
    CHECK(clock_gettime(CLOCK_MONOTONIC, &until) == 0);
    until.tv_sec += WATCH_EVERY_S;
    while (link_alone(&lookup->questions) && !lookup->ending) {
        if (!watching)
            (void)pthread_cond_wait(&lookup->asked, &lookup->lock);
        else if (pthread_cond_timedwait(&lookup->asked, &lookup->lock, &until) == ETIMEDOUT)
            return;
    }
}

static void *lookup_run(void *argument)
{
    struct kafka_lookup *lookup = argument;
    bool watching = !topics_watch(lookup);
    (void)pthread_mutex_lock(&lookup->lock);
    for (;;) {
        question_wait(lookup, watching);
        if (lookup->ending)
            break;
        struct link *first = list_first(&lookup->questions);
        if (first != NULL)
            link_out(first);
        (void)pthread_mutex_unlock(&lookup->lock);
        if (first != NULL)
            question_ask(lookup, LINK_OWNER(first, struct lookup_question, link));
        else
            watching = !topics_watch(lookup);
        (void)pthread_mutex_lock(&lookup->lock);
        if (first != NULL) {
            list_add_last(&lookup->answers, first);
            lookup->wake.wake(lookup->wake.self);
        }
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
    lookup->wake = wake;
    lookup->is_missing = memory_new(topics * sizeof *lookup->is_missing);
    lookup->is_found = memory_new(topics * sizeof *lookup->is_found);
    link_init(&lookup->questions);
    link_init(&lookup->answers);
    link_init(&lookup->heard);
    pthread_condattr_t attributes;
    CHECK(pthread_condattr_init(&attributes) == 0);
    CHECK(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
    CHECK(pthread_cond_init(&lookup->asked, &attributes) == 0);
    (void)pthread_condattr_destroy(&attributes);
    CHECK(pthread_mutex_init(&lookup->lock, NULL) == 0);
    lookup->has_thread = lookup->is_missing != NULL && lookup->is_found != NULL &&
                         pthread_create(&lookup->thread, NULL, lookup_run, lookup) == 0;
    if (lookup->has_thread)
        return lookup;
    kafka_lookup_free(lookup);
    return NULL;
}

void kafka_lookup_attach(struct kafka_lookup *lookup, struct engine *engine)
{
    lookup->engine = engine;
}

static void question_add(struct kafka_lookup *lookup, const struct lookup_question *asked)
{
    struct lookup_question *question = memory_new(sizeof *question);
    CHECK(question != NULL);
    *question = *asked;
    link_init(&question->link);
    (void)pthread_mutex_lock(&lookup->lock);
    CHECK(lookup->count < QUESTIONS_MAX);
    lookup->count++;
    list_add_last(&lookup->questions, &question->link);
    (void)pthread_cond_signal(&lookup->asked);
    (void)pthread_mutex_unlock(&lookup->lock);
}

void kafka_lookup_topic(struct kafka_lookup *lookup, struct slice topic, uint32_t ticket)
{
    struct lookup_question question = {.kind = LOOKUP_TOPIC, .ticket = ticket};
    /* A name that Kafka cannot have becomes the empty one, which is not there either. */
    if (topic.len <= TOPIC_NAME_MAX && slice_find(topic, '\0') == topic.len && topic.len > 0)
        memcpy(question.topic, topic.ptr, topic.len);
    question_add(lookup, &question);
}

void kafka_lookup_watermarks(struct kafka_lookup *lookup, struct tenure tenure)
{
    const struct part *part = kafka_consumer_part(lookup->consumer, tenure);
    if (part == NULL)
        return;
    struct lookup_question question = {
        .kind = LOOKUP_WATERMARKS, .tenure = tenure, .partition = part->partition};
    memcpy(question.topic, part->topic, sizeof question.topic);
    question_add(lookup, &question);
}

static void answer_hand_over(struct kafka_lookup *lookup, const struct lookup_question *answer,
                             int64_t now_ms)
{
    if (answer->kind == LOOKUP_BROKERS) {
        lookup->is_probing = false;
        lookup->probe_due_ms = now_ms + PROBE_EVERY_MS;
        if (answer->err == OK)
            kafka_consumer_heard(lookup->consumer, now_ms);
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
        struct lookup_question *answer = LINK_OWNER(link, struct lookup_question, link);
        bool is_asked_again = answer->err == ERR_IO && answer->kind != LOOKUP_BROKERS;
        answer->due_ms = is_asked_again ? now_ms + UNKNOWN_PAUSE_MS : now_ms;
    }
    list_move_all(&taken, &lookup->heard);
}

void kafka_lookup_step(struct kafka_lookup *lookup, int64_t now_ms)
{
    answers_take(lookup, now_ms);
    for (struct link *link = lookup->heard.next; link != &lookup->heard;) {
        struct lookup_question *answer = LINK_OWNER(link, struct lookup_question, link);
        link = link->next;
        if (answer->due_ms > now_ms)
            continue;
        link_out(&answer->link);
        answer_hand_over(lookup, answer, now_ms);
        memory_free(answer);
        (void)pthread_mutex_lock(&lookup->lock);
        lookup->count--;
        (void)pthread_mutex_unlock(&lookup->lock);
    }
    if (kafka_consumer_brokers_down(lookup->consumer) && !lookup->is_probing &&
        now_ms >= lookup->probe_due_ms) {
        lookup->is_probing = true;
        struct lookup_question probe = {.kind = LOOKUP_BROKERS};
        question_add(lookup, &probe);
    }
}

static void questions_free(struct link *list)
{
    while (!link_alone(list)) {
        struct link *first = list->next;
        link_out(first);
        memory_free(LINK_OWNER(first, struct lookup_question, link));
    }
}

void kafka_lookup_free(struct kafka_lookup *lookup)
{
    if (lookup == NULL)
        return;
    if (lookup->has_thread) {
        (void)pthread_mutex_lock(&lookup->lock);
        lookup->ending = true;
        (void)pthread_cond_signal(&lookup->asked);
        (void)pthread_mutex_unlock(&lookup->lock);
        (void)pthread_join(lookup->thread, NULL);
    }
    questions_free(&lookup->questions);
    questions_free(&lookup->answers);
    questions_free(&lookup->heard);
    (void)pthread_cond_destroy(&lookup->asked);
    (void)pthread_mutex_destroy(&lookup->lock);
    memory_free(lookup->is_missing);
    memory_free(lookup->is_found);
    memory_free(lookup);
}
