#include "io/kafka/consumer.h"

#include <librdkafka/rdkafka.h>
#include <string.h>

#include "base/check.h"
#include "base/memory.h"
#include "io/kafka/fetching.h"
#include "io/kafka/joins.h"
#include "io/kafka/rebalances.h"
#include "io/kafka/tokens.h"

#define EVENTS_MAX 64   /* in one turn of the loop */
#define COUNT_MS   20   /* between two counts of the partitions that are read from */
#define ENDS_MS    1000 /* between two looks at the logs' ends */
/* A connection that is accepted and closed is no error to librdkafka (log.connection.close). */
#define HUNG_UP         "they hang up before their first answer, as those with TLS do on clients without"
#define SECURITY_REMEDY "; check security.protocol, sasl.* and ssl.* in kafka.client"

struct kafka_consumer {
    struct kafka_log log; /* first: the client's opaque begins with it */
    const struct kafka_config *config;
    struct loop_wake wake;
    rd_kafka_t *client;
    rd_kafka_queue_t *events, *closing;
    struct kafka_joins joins;
    struct parts parts;
    struct kafka_group group;
    struct kafka_rebalances rebalances;
    bool was_up; /* a broker has answered since the start */
    bool brokers_down;
    bool is_refused, is_refused_logged;     /* the last connection error is one of settings */
    char connection_error[KAFKA_ERROR_MAX]; /* the last one, with a remedy; "" = none */
    uint32_t running, waiting; /* partitions that are read from, and not yet, as counted last */
    int64_t count_due_ms;
    int64_t now_ms, down_since_ms, ends_due_ms;
};

static void consumer_woken(rd_kafka_t *client, void *opaque)
{
    (void)client;
    struct kafka_consumer *consumer = opaque;
    consumer->wake.wake(consumer->wake.self);
}

/* When rd_kafka_new fails, it has freed the interceptors of the configuration, which the caller
 * still owns; destroying that would free them twice. So kafka_conf_try finds invalid properties
 * without interceptors, and a later failure leaks one configuration. */
static bool client_make(struct kafka_consumer *consumer, char *ret_error)
{
    if (kafka_conf_try(consumer->config, KAFKA_CONSUMER, ret_error) != OK)
        return false;
    rd_kafka_conf_t *conf = kafka_conf_new(consumer->config, KAFKA_CONSUMER, ret_error);
    if (conf == NULL)
        return false;
    rd_kafka_conf_set_opaque(conf, consumer);
    rd_kafka_conf_set_log_cb(conf, kafka_log_callback);
    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_REBALANCE | RD_KAFKA_EVENT_ERROR);
    (void)snprintf(ret_error, KAFKA_ERROR_MAX, "out of memory");
    if (!kafka_joins_watch(conf, &consumer->joins)) {
        rd_kafka_conf_destroy(conf);
        return false;
    }
    consumer->client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, ret_error, KAFKA_ERROR_MAX);
    if (consumer->client == NULL)
        return false;
    kafka_tokens_add(consumer->log.tokens, consumer->client);
    (void)rd_kafka_poll_set_consumer(consumer->client);
    consumer->events = rd_kafka_queue_get_consumer(consumer->client);
    rd_kafka_queue_cb_event_enable(consumer->events, consumer_woken, consumer);
    return true;
}

struct kafka_consumer *kafka_consumer_new(const struct kafka_config *config,
                                          struct kafka_lines *lines, struct loop_wake wake,
                                          char *ret_error)
{
    struct kafka_consumer *consumer = memory_new(sizeof *consumer);
    if (consumer == NULL)
        return NULL;
    kafka_log_init(&consumer->log, lines, "consumer");
    consumer->log.tokens = config->tokens;
    consumer->config = config;
    consumer->wake = wake;
    rebalances_init(&consumer->rebalances, &consumer->parts, &consumer->group);
    if (!parts_init(&consumer->parts, kafka_conf_queued_max(config)) ||
        !client_make(consumer, ret_error)) {
        kafka_consumer_free(consumer);
        return NULL;
    }
    consumer->group.client = consumer->client;
    consumer->parts.client = consumer->client;
    consumer->parts.log = &consumer->log;
    consumer->parts.wake = wake.wake;
    consumer->parts.wake_self = wake.self;
    return consumer;
}

void kafka_consumer_attach(struct kafka_consumer *consumer, struct engine *engine)
{
    consumer->parts.engine = engine;
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
        (void)snprintf(ret_error, KAFKA_ERROR_MAX, "cannot subscribe: %s", rd_kafka_err2str(err));
    return err == RD_KAFKA_RESP_ERR_NO_ERROR;
}

struct rd_kafka_s *kafka_consumer_client(struct kafka_consumer *consumer)
{
    return consumer->client;
}

/* ---- membership ---- */

void kafka_consumer_turn(struct kafka_consumer *consumer)
{
    kafka_group_forget(&consumer->group);
}

void kafka_consumer_membership(struct kafka_consumer *consumer, struct buf *ret_metadata)
{
    buf_add(ret_metadata, kafka_group_serialized(&consumer->group));
}

struct rd_kafka_consumer_group_metadata_s *kafka_consumer_group(struct kafka_consumer *consumer)
{
    return kafka_group_metadata(&consumer->group);
}

struct arrival_look kafka_consumer_arrival(struct kafka_consumer *consumer)
{
    /* To count thousands in each turn would cost more than the news are worth. */
    if (consumer->now_ms >= consumer->count_due_ms) {
        consumer->count_due_ms = consumer->now_ms + COUNT_MS;
        consumer->running = parts_running(&consumer->parts, &consumer->waiting);
    }
    return (struct arrival_look){
        .is_joining = kafka_consumer_is_joining(consumer) || kafka_consumer_is_syncing(consumer),
        .has_brokers = !consumer->brokers_down,
        .has_joined = consumer->rebalances.has_assignment,
        .partitions = consumer->running,
        .waiting = consumer->waiting,
    };
}

bool kafka_consumer_is_joining(struct kafka_consumer *consumer)
{
    return kafka_joins_under_way(&consumer->joins);
}

bool kafka_consumer_is_syncing(struct kafka_consumer *consumer)
{
    return kafka_joins_sync_under_way(&consumer->joins);
}

/* ---- events ---- */

/* Logs it again when the settings turn out to be the cause: brokers that start, and then reject the
 * password. */
static void brokers_went_down(struct kafka_consumer *consumer, const char *reason)
{
    if (consumer->brokers_down && (consumer->is_refused_logged || !consumer->is_refused))
        return;
    if (!consumer->brokers_down)
        consumer->down_since_ms = consumer->now_ms;
    consumer->brokers_down = true;
    consumer->is_refused_logged = consumer->is_refused;
    struct log_field field = FIELD_TEXT("reason", slice_of_text(reason));
    kafka_lines_begin(consumer->log.lines, LOG_BROKERS_DOWN);
    log_sink_add(consumer->log.sink, LOG_BROKERS_DOWN, &field, 1);
}

void kafka_consumer_brokers_up(struct kafka_consumer *consumer, int64_t now_ms)
{
    consumer->was_up = true;
    if (!consumer->brokers_down)
        return;
    consumer->brokers_down = false;
    consumer->connection_error[0] = '\0';
    consumer->is_refused = false;
    const struct log_field fields[] = {
        FIELD_INT("down_ms", now_ms - consumer->down_since_ms),
        FIELD_INT("held_back", kafka_lines_end(consumer->log.lines, LOG_BROKERS_DOWN)),
    };
    log_sink_add(consumer->log.sink, LOG_BROKERS_UP, fields, COUNT_OF(fields));
}

/* Logs a missing right. Only librdkafka's text names the topic. */
static bool missing_right_log(struct kafka_consumer *consumer, rd_kafka_resp_err_t err,
                              const char *text)
{
    const struct kafka_config *config = consumer->config;
    if (err == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED)
        return kafka_log_right(&consumer->log, (int)err, NULL, config->group_id,
                               "the worker takes no partition until it is granted");
    struct slice name = SLICE_NULL;
    for (size_t i = 0; i < config->topic_count && name.ptr == NULL; i++)
        if (memmem(text, strlen(text), config->topics[i].ptr, config->topics[i].len) != NULL)
            name = config->topics[i];
    return name.ptr != NULL &&
           kafka_log_right(&consumer->log, (int)err, NULL, name,
                           "the worker takes no request of this topic until it is granted");
}

/* Keeps the error for the line that no broker is reachable; librdkafka logs it as well. */
static void connection_error_set(struct kafka_consumer *consumer, const char *text,
                                 const char *remedy)
{
    char certificate[KAFKA_CERTIFICATE_MAX];
    bool is_certificate = kafka_certificate_take(&consumer->log.certificate, certificate);
    consumer->is_refused = is_certificate || remedy[0] != '\0';
    (void)snprintf(consumer->connection_error, sizeof consumer->connection_error, "%.400s%s",
                   is_certificate ? certificate : text, is_certificate ? "" : remedy);
    if (consumer->brokers_down)
        brokers_went_down(consumer, consumer->connection_error);
}

/* Has the client failed for good? The event of a fatal error has only the code of its cause, and
 * librdkafka drops the assignment without a further event. */
static bool has_failed(struct kafka_consumer *consumer)
{
    char text[KAFKA_ERROR_MAX];
    if (rd_kafka_fatal_error(consumer->client, text, sizeof text) == RD_KAFKA_RESP_ERR_NO_ERROR)
        return false;
    if (consumer->group.is_over)
        return true;
    kafka_log_add(&consumer->log, LOG_LIBRDKAFKA_ERROR, "%s", text);
    consumer->group.is_over = true;
    rebalances_lose_all(&consumer->rebalances);
    return true;
}

static bool was_ever_up(const struct kafka_consumer *consumer)
{
    return consumer->was_up || consumer->rebalances.counts[REBALANCE_ASSIGNED] > 0;
}

static void on_error(struct kafka_consumer *consumer, rd_kafka_event_t *event)
{
    rd_kafka_resp_err_t err = rd_kafka_event_error(event);
    const char *text = rd_kafka_event_error_string(event);
    if (has_failed(consumer))
        return;
    switch ((int)err) {
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
        if (consumer->connection_error[0] == '\0' && !was_ever_up(consumer))
            connection_error_set(consumer, HUNG_UP, SECURITY_REMEDY);
        brokers_went_down(
            consumer, consumer->connection_error[0] != '\0' ? consumer->connection_error : text);
        break;
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR__SSL:
        connection_error_set(consumer, text, SECURITY_REMEDY);
        break;
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__RESOLVE:
        connection_error_set(consumer, text,
                             strstr(text, "security.protocol") != NULL ? SECURITY_REMEDY : "");
        break;
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
        break; /* io/kafka/lookup.c logs missing topics */
    default:
        if (!missing_right_log(consumer, err, text))
            kafka_log_add(&consumer->log, LOG_LIBRDKAFKA_ERROR, "%s", text);
        break;
    }
}

static bool event_serve(struct kafka_consumer *consumer, rd_kafka_queue_t *queue)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 0);
    if (event == NULL)
        return false;
    if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_REBALANCE)
        rebalances_add(&consumer->rebalances, event);
    else if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_ERROR)
        on_error(consumer, event);
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
    (void)has_failed(consumer);
    rebalances_serve(&consumer->rebalances, now_ms);
    if (rebalances_are_beginning(&consumer->rebalances))
        consumer->wake.wake(consumer->wake.self);
    /* librdkafka takes the assignment of a restart for the answer to a rebalance that waits in its
     * queue: so not while there is one. */
    if (rebalances_must_restart(&consumer->rebalances)) {
        if (!event_serve(consumer, consumer->events))
            rebalances_restart(&consumer->rebalances);
        consumer->wake.wake(consumer->wake.self);
    }
    if (consumer->parts.engine != NULL)
        fetching_serve(&consumer->parts, now_ms);
    /* All at once after a second without a turn. */
    for (int look = 0; look < PARTS_LOOKS && now_ms >= consumer->ends_due_ms; look++) {
        int64_t step_ms = ENDS_MS / PARTS_LOOKS;
        bool is_late = now_ms - consumer->ends_due_ms > ENDS_MS;
        consumer->ends_due_ms = (is_late ? now_ms - ENDS_MS : consumer->ends_due_ms) + step_ms;
        parts_look(&consumer->parts, !consumer->brokers_down, now_ms);
    }
}

const struct part *kafka_consumer_still(struct kafka_consumer *consumer)
{
    return parts_still(&consumer->parts);
}

int64_t kafka_consumer_rebalances(const struct kafka_consumer *consumer, enum rebalance_kind kind)
{
    return consumer->rebalances.counts[kind];
}

rd_kafka_topic_partition_list_t *kafka_consumer_behind(struct kafka_consumer *consumer)
{
    return parts_behind(&consumer->parts);
}

void kafka_consumer_ends_found(struct kafka_consumer *consumer,
                               const rd_kafka_topic_partition_list_t *ends)
{
    parts_ends_found(&consumer->parts, ends);
}

bool kafka_consumer_has(struct kafka_consumer *consumer, const char *topic, int32_t partition)
{
    const struct part *part = parts_find(&consumer->parts, topic, partition);
    return part != NULL && part->state != PART_LEAVING && part->state != PART_LEFT;
}

bool kafka_consumer_pump(struct kafka_consumer *consumer)
{
    return consumer->parts.engine != NULL && parts_pump(&consumer->parts);
}

bool kafka_consumer_failed(const struct kafka_consumer *consumer)
{
    return consumer->group.is_over;
}

bool kafka_consumer_brokers_down(const struct kafka_consumer *consumer)
{
    return consumer->brokers_down;
}

/* ---- commands ---- */

void kafka_consumer_start(struct kafka_consumer *consumer, struct tenure tenure, int64_t offset,
                          int32_t leader_epoch)
{
    struct part *part = parts_at(&consumer->parts, tenure);
    if (part == NULL)
        return;
    if (part->state == PART_WAITING && part->is_assigned) {
        part_go(part, offset, leader_epoch);
    } else if (part->state == PART_WAITING || part->state == PART_READY) {
        part->start_offset = offset;
        part->start_epoch = leader_epoch;
        part->state = PART_READY;
    } else if (part->state == PART_RUNNING && part->is_stopped) {
        part->start_offset = offset;
        part->start_epoch = leader_epoch;
        part_must_restart(part);
    } else if (part->state == PART_RUNNING) {
        part_seek(part, offset, leader_epoch);
    }
    consumer->wake.wake(consumer->wake.self);
}

void kafka_consumer_pause(struct kafka_consumer *consumer, struct tenure tenure)
{
    struct part *part = parts_at(&consumer->parts, tenure);
    if (part != NULL && part->state == PART_RUNNING)
        part_hold(part);
    else if (part != NULL && part->state == PART_READY)
        part->state = PART_WAITING;
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
    consumer->parts.engine = NULL;
    if (consumer->closing != NULL)
        return;
    consumer->closing = rd_kafka_queue_new(consumer->client);
    rd_kafka_queue_cb_event_enable(consumer->closing, consumer_woken, consumer);
    kafka_log_error(&consumer->log, "close",
                    rd_kafka_consumer_close_queue(consumer->client, consumer->closing));
}

bool kafka_consumer_closed(struct kafka_consumer *consumer)
{
    return consumer->group.is_over || rd_kafka_consumer_closed(consumer->client) != 0;
}

void kafka_consumer_free(struct kafka_consumer *consumer)
{
    if (consumer == NULL)
        return;
    consumer->parts.engine = NULL;
    rebalances_done(&consumer->rebalances);
    kafka_group_forget(&consumer->group);
    parts_done(&consumer->parts);
    if (consumer->events != NULL) {
        rd_kafka_queue_cb_event_enable(consumer->events, NULL, NULL);
        rd_kafka_queue_destroy(consumer->events);
    }
    if (consumer->closing != NULL) {
        rd_kafka_queue_cb_event_enable(consumer->closing, NULL, NULL);
        rd_kafka_queue_destroy(consumer->closing);
    }
    kafka_tokens_remove(consumer->log.tokens, consumer->client);
    if (consumer->client != NULL)
        rd_kafka_destroy_flags(consumer->client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    kafka_log_done(&consumer->log);
    memory_free(consumer);
}
