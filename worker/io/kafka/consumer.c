#include "io/kafka/consumer.h"

#include <librdkafka/rdkafka.h>
#include <string.h>

#include "base/check.h"
#include "base/list.h"
#include "base/memory.h"
#include "io/kafka/joins.h"

#define EVENTS_MAX    64  /* in one turn of the loop */
#define GONE_CHECK_MS 500 /* is a member that gives partitions back still one? */
#define GENERATION_AT 7   /* in the serialized metadata: behind "CGMDv2:" */

struct rebalance {
    struct link link;
    bool is_assign, begun;
    rd_kafka_topic_partition_list_t *list;
};

struct kafka_consumer {
    struct kafka_words words; /* first: the client's opaque begins with it */
    const struct kafka_config *config;
    struct loop_wake wake;
    struct engine *engine; /* NULL when closing: nobody listens */
    rd_kafka_t *client;
    rd_kafka_queue_t *events, *closing;
    struct kafka_joins joins;
    struct parts parts;
    struct link rebalances; /* the first one is being answered */
    char *group;            /* serialized, as of this turn; NULL = not asked yet, or no member */
    size_t group_size;
    bool group_asked, failed;
    bool brokers_down;
    char trouble[KAFKA_WORDS_MAX]; /* the last failure of a connection */
    int64_t now_ms, down_since_ms, gone_checked_ms;
};

static void consumer_woken(rd_kafka_t *client, void *opaque)
{
    (void)client;
    struct kafka_consumer *consumer = opaque;
    consumer->wake.wake(consumer->wake.self);
}

/* A client that could not be made has cleared the interceptors of its conf, which is still the
 * caller's: to destroy it would free them twice. So what is wrong with the properties is found out
 * without interceptors, and a failure after that costs one conf. */
static bool client_make(struct kafka_consumer *consumer, char *ret_error)
{
    if (kafka_conf_try(consumer->config, KAFKA_CONSUMER, ret_error) != OK)
        return false;
    rd_kafka_conf_t *conf = kafka_conf_new(consumer->config, KAFKA_CONSUMER, ret_error);
    if (conf == NULL)
        return false;
    rd_kafka_conf_set_opaque(conf, consumer);
    rd_kafka_conf_set_log_cb(conf, kafka_words_hear);
    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_REBALANCE | RD_KAFKA_EVENT_ERROR);
    (void)snprintf(ret_error, KAFKA_WORDS_MAX, "out of memory");
    if (!kafka_joins_watch(conf, &consumer->joins)) {
        rd_kafka_conf_destroy(conf);
        return false;
    }
    consumer->client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, ret_error, KAFKA_WORDS_MAX);
    if (consumer->client == NULL)
        return false;
    (void)rd_kafka_poll_set_consumer(consumer->client);
    consumer->events = rd_kafka_queue_get_consumer(consumer->client);
    rd_kafka_queue_cb_event_enable(consumer->events, consumer_woken, consumer);
    return true;
}

struct kafka_consumer *kafka_consumer_new(const struct kafka_config *config, struct log_sink *sink,
                                          struct loop_wake wake, char *ret_error)
{
    struct kafka_consumer *consumer = memory_new(sizeof *consumer);
    if (consumer == NULL)
        return NULL;
    kafka_words_init(&consumer->words, sink, "consumer");
    consumer->config = config;
    consumer->wake = wake;
    link_init(&consumer->rebalances);
    if (!parts_init(&consumer->parts) || !client_make(consumer, ret_error)) {
        kafka_consumer_free(consumer);
        return NULL;
    }
    consumer->parts.client = consumer->client;
    consumer->parts.words = &consumer->words;
    consumer->parts.wake = wake.wake;
    consumer->parts.wake_self = wake.self;
    return consumer;
}

void kafka_consumer_attach(struct kafka_consumer *consumer, struct engine *engine)
{
    consumer->engine = engine;
}

bool kafka_consumer_subscribe(struct kafka_consumer *consumer, char *ret_error)
{
    const struct kafka_config *config = consumer->config;
    rd_kafka_topic_partition_list_t *topics =
        rd_kafka_topic_partition_list_new((int)config->topic_count);
    for (size_t i = 0; i < config->topic_count; i++) {
        char name[TOPIC_NAME_MAX + 1] = "";
        size_t len =
            config->topics[i].len < TOPIC_NAME_MAX ? config->topics[i].len : TOPIC_NAME_MAX;
        memcpy(name, config->topics[i].ptr, len);
        (void)rd_kafka_topic_partition_list_add(topics, name, RD_KAFKA_PARTITION_UA);
    }
    rd_kafka_resp_err_t err = rd_kafka_subscribe(consumer->client, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
        (void)snprintf(ret_error, KAFKA_WORDS_MAX, "cannot subscribe: %s", rd_kafka_err2str(err));
    return err == RD_KAFKA_RESP_ERR_NO_ERROR;
}

struct rd_kafka_s *kafka_consumer_client(struct kafka_consumer *consumer)
{
    return consumer->client;
}

/* ---- membership ---- */

static void group_forget(struct kafka_consumer *consumer)
{
    if (consumer->group != NULL)
        rd_kafka_mem_free(consumer->client, consumer->group);
    consumer->group = NULL;
    consumer->group_asked = false;
}

/* A member without an id, or without a generation, may not commit. */
static bool group_is_member(const char *bytes, size_t size)
{
    int32_t generation;
    size_t group_id_at = GENERATION_AT + sizeof generation;
    if (group_id_at >= size)
        return false;
    memcpy(&generation, bytes + GENERATION_AT, sizeof generation);
    size_t member_id_at = group_id_at + strnlen(bytes + group_id_at, size - group_id_at) + 1;
    return generation >= 0 && member_id_at < size && bytes[member_id_at] != '\0';
}

/* Asks librdkafka once a turn: it is a question to its main thread. */
static void group_ask(struct kafka_consumer *consumer)
{
    if (consumer->group_asked)
        return;
    consumer->group_asked = true;
    if (consumer->failed || rd_kafka_assignment_lost(consumer->client))
        return;
    rd_kafka_consumer_group_metadata_t *group = rd_kafka_consumer_group_metadata(consumer->client);
    if (group == NULL)
        return;
    void *bytes = NULL;
    rd_kafka_error_t *error =
        rd_kafka_consumer_group_metadata_write(group, &bytes, &consumer->group_size);
    rd_kafka_consumer_group_metadata_destroy(group);
    if (error != NULL) {
        rd_kafka_error_destroy(error);
        return;
    }
    consumer->group = bytes;
    if (!group_is_member(consumer->group, consumer->group_size)) {
        group_forget(consumer);
        consumer->group_asked = true;
    }
}

void kafka_consumer_turn(struct kafka_consumer *consumer)
{
    group_forget(consumer);
}

void kafka_consumer_membership(struct kafka_consumer *consumer, struct buf *ret_metadata)
{
    group_ask(consumer);
    if (consumer->group != NULL)
        buf_add(ret_metadata, slice_of(consumer->group, consumer->group_size));
}

struct rd_kafka_consumer_group_metadata_s *kafka_consumer_group(struct kafka_consumer *consumer)
{
    group_ask(consumer);
    if (consumer->group == NULL)
        return NULL;
    rd_kafka_consumer_group_metadata_t *group = NULL;
    rd_kafka_error_t *error =
        rd_kafka_consumer_group_metadata_read(&group, consumer->group, consumer->group_size);
    if (error == NULL)
        return group;
    rd_kafka_error_destroy(error);
    return NULL;
}

bool kafka_consumer_is_joining(struct kafka_consumer *consumer)
{
    return kafka_joins_under_way(&consumer->joins);
}

/* ---- rebalances ---- */

static void rebalance_drop(struct rebalance *rebalance)
{
    link_out(&rebalance->link);
    rd_kafka_topic_partition_list_destroy(rebalance->list);
    memory_free(rebalance);
}

static void part_lose(struct kafka_consumer *consumer, struct part *part)
{
    if (part->state == PART_LEFT)
        return;
    part->state = PART_LEFT;
    if (consumer->engine != NULL)
        engine_partition_lost(consumer->engine, part_tenure(part));
    if (!part->is_assigned)
        part_free(part);
}

static void list_lose(struct kafka_consumer *consumer, const rd_kafka_topic_partition_list_t *list)
{
    for (int i = 0; i < list->cnt; i++) {
        struct part *part =
            parts_find(&consumer->parts, list->elems[i].topic, list->elems[i].partition);
        if (part != NULL)
            part_lose(consumer, part);
    }
}

static void all_lose(struct kafka_consumer *consumer)
{
    for (size_t i = 0; i < consumer->parts.end; i++) {
        if (consumer->parts.slots[i].state != PART_FREE)
            part_lose(consumer, &consumer->parts.slots[i]);
    }
}

static void rebalance_begin(struct kafka_consumer *consumer, struct rebalance *rebalance)
{
    rebalance->begun = true;
    for (int i = 0; i < rebalance->list->cnt && consumer->engine != NULL; i++) {
        const rd_kafka_topic_partition_t *element = &rebalance->list->elems[i];
        struct part *part = parts_find(&consumer->parts, element->topic, element->partition);
        if (rebalance->is_assign) {
            part = part != NULL ? NULL
                                : parts_take(&consumer->parts, element->topic, element->partition);
            if (part == NULL)
                kafka_words_say(&consumer->words, LOG_LIBRDKAFKA_ERROR,
                                "%s-%d cannot be taken up (%d partitions at most)", element->topic,
                                (int)element->partition, PARTITIONS_MAX);
            else
                engine_partition_assigned(consumer->engine, part_tenure(part),
                                          slice_of_text(part->topic), part->partition);
        } else if (part != NULL && part->state == PART_RUNNING) {
            part->state = PART_LEAVING;
            engine_partition_revoked(consumer->engine, part_tenure(part));
        }
    }
}

/* Has the engine done its part for every partition of it? */
static bool rebalance_is_ready(struct kafka_consumer *consumer, const struct rebalance *rebalance)
{
    for (int i = 0; i < rebalance->list->cnt && consumer->engine != NULL; i++) {
        const rd_kafka_topic_partition_t *element = &rebalance->list->elems[i];
        const struct part *part = parts_find(&consumer->parts, element->topic, element->partition);
        if (part != NULL && part->state == (rebalance->is_assign ? PART_WAITING : PART_LEAVING))
            return false;
    }
    return true;
}

static void error_say(struct kafka_consumer *consumer, const char *what, rd_kafka_error_t *error)
{
    if (error == NULL)
        return;
    kafka_words_say(&consumer->words, LOG_LIBRDKAFKA_ERROR, "%s: %s", what,
                    rd_kafka_error_string(error));
    rd_kafka_error_destroy(error);
}

static void assign_answer(struct kafka_consumer *consumer, const struct rebalance *rebalance)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(rebalance->list->cnt);
    for (int i = 0; i < rebalance->list->cnt; i++) {
        const rd_kafka_topic_partition_t *element = &rebalance->list->elems[i];
        struct part *part = parts_find(&consumer->parts, element->topic, element->partition);
        if (part == NULL || part->state != PART_READY)
            continue;
        part_open(part);
        part->state = PART_RUNNING;
        part->is_assigned = true;
        rd_kafka_topic_partition_list_add(list, part->topic, part->partition)->offset =
            part->start_offset;
    }
    error_say(consumer, "assign", rd_kafka_incremental_assign(consumer->client, list));
    rd_kafka_topic_partition_list_destroy(list);
}

static void unassign_answer(struct kafka_consumer *consumer, const struct rebalance *rebalance)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(rebalance->list->cnt);
    for (int i = 0; i < rebalance->list->cnt; i++) {
        const rd_kafka_topic_partition_t *element = &rebalance->list->elems[i];
        struct part *part = parts_find(&consumer->parts, element->topic, element->partition);
        if (part == NULL)
            continue;
        if (part->is_assigned)
            (void)rd_kafka_topic_partition_list_add(list, part->topic, part->partition);
        part_free(part);
    }
    error_say(consumer, "unassign", rd_kafka_incremental_unassign(consumer->client, list));
    rd_kafka_topic_partition_list_destroy(list);
}

/* While a rebalance waits for us, librdkafka says nothing of a membership that ended meanwhile; its
 * id tells. The other partitions are the engine's to judge: it sees the membership change. */
static void leaving_check(struct kafka_consumer *consumer, const struct rebalance *rebalance)
{
    if (rebalance->is_assign || consumer->now_ms - consumer->gone_checked_ms < GONE_CHECK_MS)
        return;
    consumer->gone_checked_ms = consumer->now_ms;
    group_ask(consumer);
    if (consumer->group == NULL)
        list_lose(consumer, rebalance->list);
}

static void rebalances_serve(struct kafka_consumer *consumer)
{
    struct link *first;
    while ((first = list_first(&consumer->rebalances)) != NULL) {
        struct rebalance *rebalance = LINK_OWNER(first, struct rebalance, link);
        if (!rebalance->begun)
            rebalance_begin(consumer, rebalance);
        else
            leaving_check(consumer, rebalance);
        if (!rebalance_is_ready(consumer, rebalance))
            return;
        if (rebalance->is_assign)
            assign_answer(consumer, rebalance);
        else
            unassign_answer(consumer, rebalance);
        rebalance_drop(rebalance);
    }
}

/* librdkafka stops a partition whose offset is out of range for good: only a new assignment starts
 * it again. Never while a rebalance waits for its answer: it would be taken for that. */
static void parts_restart(struct kafka_consumer *consumer)
{
    for (size_t i = 0; i < consumer->parts.end && link_alone(&consumer->rebalances); i++) {
        struct part *part = &consumer->parts.slots[i];
        if (part->state != PART_RUNNING || !part->must_restart)
            continue;
        rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
        (void)rd_kafka_topic_partition_list_add(list, part->topic, part->partition);
        error_say(consumer, "stop", rd_kafka_incremental_unassign(consumer->client, list));
        list->elems[0].offset = part->start_offset;
        error_say(consumer, "start", rd_kafka_incremental_assign(consumer->client, list));
        rd_kafka_topic_partition_list_destroy(list);
        part_restarted(part);
    }
}

static void rebalance_add(struct kafka_consumer *consumer, rd_kafka_event_t *event)
{
    const rd_kafka_topic_partition_list_t *list = rd_kafka_event_topic_partition_list(event);
    bool is_assign = rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
    if (!is_assign && rd_kafka_assignment_lost(consumer->client)) {
        list_lose(consumer, list);
        struct link *first = list_first(&consumer->rebalances);
        while (first != NULL) { /* overruled, and what it was to bring is lost, too */
            struct rebalance *overruled = LINK_OWNER(first, struct rebalance, link);
            if (overruled->is_assign && overruled->begun)
                list_lose(consumer, overruled->list);
            rebalance_drop(overruled);
            first = list_first(&consumer->rebalances);
        }
    }
    struct rebalance *rebalance = memory_new(sizeof *rebalance);
    CHECK(rebalance != NULL);
    rebalance->is_assign = is_assign;
    rebalance->list = rd_kafka_topic_partition_list_copy(list);
    link_init(&rebalance->link);
    list_add_last(&consumer->rebalances, &rebalance->link);
}

/* ---- events ---- */

static void brokers_went_down(struct kafka_consumer *consumer, const char *reason)
{
    if (consumer->brokers_down)
        return;
    consumer->brokers_down = true;
    consumer->down_since_ms = consumer->now_ms;
    struct log_field field = FIELD_TEXT("reason", slice_of_text(reason));
    log_sink_add(consumer->words.sink, LOG_BROKERS_DOWN, &field, 1);
}

void kafka_consumer_heard(struct kafka_consumer *consumer, int64_t now_ms)
{
    if (!consumer->brokers_down)
        return;
    consumer->brokers_down = false;
    consumer->trouble[0] = '\0';
    struct log_field field = FIELD_INT("down_ms", now_ms - consumer->down_since_ms);
    log_sink_add(consumer->words.sink, LOG_BROKERS_UP, &field, 1);
}

/* The topic is named in librdkafka's words alone. */
static bool right_hear(struct kafka_consumer *consumer, rd_kafka_resp_err_t err, const char *words)
{
    const struct kafka_config *config = consumer->config;
    if (err == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED)
        return kafka_words_right(&consumer->words, (int)err, NULL, config->group_id,
                                 "no partition is taken until it is granted");
    struct slice name = SLICE_NULL;
    for (size_t i = 0; i < config->topic_count && name.ptr == NULL; i++)
        if (memmem(words, strlen(words), config->topics[i].ptr, config->topics[i].len) != NULL)
            name = config->topics[i];
    return name.ptr != NULL && kafka_words_right(&consumer->words, (int)err, NULL, name,
                                                 "no request of it is taken until it is granted");
}

/* Said with the line that no broker can be reached; librdkafka's own line has it, too. */
static void trouble_set(struct kafka_consumer *consumer, const char *words, const char *remedy)
{
    (void)snprintf(consumer->trouble, sizeof consumer->trouble, "%.400s%s", words, remedy);
}

/* The event of a fatal error has the code of its cause, and librdkafka drops the assignment without
 * another word: only this question tells. */
static bool fatal_hear(struct kafka_consumer *consumer)
{
    char words[KAFKA_WORDS_MAX];
    if (rd_kafka_fatal_error(consumer->client, words, sizeof words) == RD_KAFKA_RESP_ERR_NO_ERROR)
        return false;
    if (consumer->failed)
        return true;
    kafka_words_say(&consumer->words, LOG_LIBRDKAFKA_ERROR, "%s", words);
    consumer->failed = true;
    all_lose(consumer);
    return true;
}

static void error_hear(struct kafka_consumer *consumer, rd_kafka_event_t *event)
{
    rd_kafka_resp_err_t err = rd_kafka_event_error(event);
    const char *words = rd_kafka_event_error_string(event);
    if (fatal_hear(consumer))
        return;
    switch ((int)err) {
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
        brokers_went_down(consumer, consumer->trouble[0] != '\0' ? consumer->trouble : words);
        break;
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR__SSL:
        trouble_set(consumer, words, "; check security.protocol, sasl.* and ssl.* in kafka.client");
        break;
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__RESOLVE:
        trouble_set(consumer, words, "");
        break;
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
        break; /* told by the look-up of missing topics */
    default:
        if (!right_hear(consumer, err, words))
            kafka_words_say(&consumer->words, LOG_LIBRDKAFKA_ERROR, "%s", words);
        break;
    }
}

static bool event_serve(struct kafka_consumer *consumer, rd_kafka_queue_t *queue)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 0);
    if (event == NULL)
        return false;
    if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_REBALANCE)
        rebalance_add(consumer, event);
    else if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_ERROR)
        error_hear(consumer, event);
    rd_kafka_event_destroy(event);
    return true;
}

void kafka_consumer_step(struct kafka_consumer *consumer, int64_t now_ms)
{
    consumer->now_ms = now_ms;
    size_t count = 0;
    while (count < EVENTS_MAX && event_serve(consumer, consumer->events))
        count++;
    if (consumer->closing != NULL) {
        while (count < EVENTS_MAX && event_serve(consumer, consumer->closing))
            count++;
    }
    if (count == EVENTS_MAX)
        consumer->wake.wake(consumer->wake.self);
    (void)fatal_hear(consumer);
    rebalances_serve(consumer);
    parts_restart(consumer);
}

bool kafka_consumer_pump(struct kafka_consumer *consumer)
{
    return consumer->engine != NULL && parts_pump(&consumer->parts, consumer->engine);
}

bool kafka_consumer_failed(const struct kafka_consumer *consumer)
{
    return consumer->failed;
}

bool kafka_consumer_brokers_down(const struct kafka_consumer *consumer)
{
    return consumer->brokers_down;
}

/* ---- commands ---- */

void kafka_consumer_start(struct kafka_consumer *consumer, struct tenure tenure, int64_t offset)
{
    struct part *part = parts_at(&consumer->parts, tenure);
    if (part == NULL)
        return;
    if (part->state == PART_WAITING) {
        part->start_offset = offset;
        part->state = PART_READY;
        consumer->wake.wake(consumer->wake.self);
    } else if (part->state == PART_READY) {
        part->start_offset = offset;
    } else if (part->state == PART_RUNNING) {
        part->start_offset = offset;
        if (part->is_stopped)
            part->must_restart = true;
        else
            part_seek(part, offset);
        consumer->wake.wake(consumer->wake.self);
    }
}

void kafka_consumer_release(struct kafka_consumer *consumer, struct tenure tenure)
{
    struct part *part = parts_at(&consumer->parts, tenure);
    if (part == NULL || part->state != PART_LEAVING)
        return;
    part->state = PART_LEFT;
    consumer->wake.wake(consumer->wake.self);
}

const struct part *kafka_consumer_part(struct kafka_consumer *consumer, struct tenure tenure)
{
    return parts_at(&consumer->parts, tenure);
}

/* ---- the end ---- */

void kafka_consumer_close_begin(struct kafka_consumer *consumer)
{
    consumer->engine = NULL;
    if (consumer->closing != NULL)
        return;
    consumer->closing = rd_kafka_queue_new(consumer->client);
    rd_kafka_queue_cb_event_enable(consumer->closing, consumer_woken, consumer);
    error_say(consumer, "close",
              rd_kafka_consumer_close_queue(consumer->client, consumer->closing));
}

bool kafka_consumer_closed(struct kafka_consumer *consumer)
{
    return consumer->failed || rd_kafka_consumer_closed(consumer->client) != 0;
}

void kafka_consumer_free(struct kafka_consumer *consumer)
{
    if (consumer == NULL)
        return;
    consumer->engine = NULL;
    while (!link_alone(&consumer->rebalances))
        rebalance_drop(LINK_OWNER(consumer->rebalances.next, struct rebalance, link));
    group_forget(consumer);
    parts_done(&consumer->parts);
    if (consumer->events != NULL) {
        rd_kafka_queue_cb_event_enable(consumer->events, NULL, NULL);
        rd_kafka_queue_destroy(consumer->events);
    }
    if (consumer->closing != NULL) {
        rd_kafka_queue_cb_event_enable(consumer->closing, NULL, NULL);
        rd_kafka_queue_destroy(consumer->closing);
    }
    if (consumer->client != NULL)
        rd_kafka_destroy_flags(consumer->client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    kafka_words_done(&consumer->words);
    memory_free(consumer);
}
