#include "app/client/kafka_client.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <string.h>

#include "app/client/login.h"
#include "app/client/parts.h"
#include "base/memory.h"
#include "base/secrets.h"
#include "io/loop/clock.h"
#include "io/kafka/conf.h"
#include "io/kafka/produce.h"

#define FETCH_WAIT_MS      "50"
#define ROLE_QUEUE_KIB     "8192" /* fetched ahead, of a partition */
#define RECORD_FRAME_BYTES 65536  /* key, headers and frame of a record */
#define REFUSED_MS         2000   /* the longest wait when every broker refuses */

void client_set_reason(struct client *client, const char *what, const char *why)
{
    (void)snprintf(client->reason, sizeof client->reason, "%.200s: %.300s", what, why);
    secrets_mask(client->reason);
}

static enum err err_of(rd_kafka_resp_err_t code)
{
    switch ((int)code) {
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
        return ERR_NOT_FOUND;
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
        return ERR_NOT_ALLOWED;
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
        return ERR_TOO_LARGE;
    default:
        return ERR_IO;
    }
}

enum err client_fail(struct client *client, const char *what, int code)
{
    bool is_connection = code == RD_KAFKA_RESP_ERR__TRANSPORT ||
                         code == RD_KAFKA_RESP_ERR__TIMED_OUT ||
                         code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN;
    rd_kafka_poll(client->consumer, 0);
    if (client->producer != NULL)
        rd_kafka_poll(client->producer, 0);
    client_set_reason(client, what,
                      is_connection && client->connection_error[0] != '\0'
                          ? client->connection_error
                          : rd_kafka_err2str(code));
    return err_of(code);
}

const char *client_reason(const struct client *client)
{
    return client->reason;
}

/* librdkafka's text shows at which step the connection failed. */
const char *client_suspects(const struct client *client)
{
    bool is_security = strstr(client->reason, "SASL") != NULL ||
                       strstr(client->reason, "certificate") != NULL ||
                       strstr(client->reason, "SSL") != NULL ||
                       strstr(client->reason, "security.protocol") != NULL;
    return is_security ? "security.protocol, sasl.* and ssl.* in kafka.client"
                       : "kafka.bootstrap_servers";
}

/* ---- birth and end ---- */

/* Drops librdkafka's log lines, which would mix with the command's output; on_error gets errors. */
static void ignore_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    (void)rk;
    (void)level;
    (void)facility;
    (void)text;
}

static void on_error(rd_kafka_t *rk, int code, const char *reason, void *self)
{
    struct client *client = self;
    (void)rk;
    char certificate[KAFKA_CERTIFICATE_MAX];
    client->were_all_down |= code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN;
    if (kafka_certificate_take(&client->certificate, certificate)) {
        client->was_rejected = true;
        (void)snprintf(client->connection_error, sizeof client->connection_error, "%s",
                       certificate);
    } else if (!client->was_rejected &&
               (code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || client->connection_error[0] == '\0'))
        (void)snprintf(client->connection_error, sizeof client->connection_error, "%s", reason);
}

/* In a thread of librdkafka. */
static int on_certificate(rd_kafka_t *rk, const char *broker, int32_t broker_id, int *code,
                          int depth, const char *certificate, size_t size, char *ret_error,
                          size_t room, void *self)
{
    struct client *client = self;
    (void)rk;
    (void)broker_id;
    (void)depth;
    (void)certificate;
    (void)size;
    return kafka_certificate_judge(&client->certificate, broker, *code, ret_error, room);
}

static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *message, void *self)
{
    struct client *client = self;
    (void)rk;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    client->rejected = message->err;
    if (message->_private != NULL && client->rejected_record == 0)
        client->rejected_record = (size_t)(uintptr_t)message->_private;
    client_set_reason(client, "the broker rejected a record", rd_kafka_err2str(message->err));
}

static bool set(rd_kafka_conf_t *conf, const char *name, const char *value, char *ret_reason)
{
    return rd_kafka_conf_set(conf, name, value, ret_reason, CLIENT_REASON_MAX) == RD_KAFKA_CONF_OK;
}

/* Allows every request that the worker accepts. The user's properties win over it. */
static bool set_record_size(rd_kafka_conf_t *conf, const struct settings *settings,
                            char *ret_reason)
{
    char bytes[32];
    (void)snprintf(bytes, sizeof bytes, "%lld",
                   (long long)settings->delivery_max_request_size + RECORD_FRAME_BYTES);
    return set(conf, "message.max.bytes", bytes, ret_reason);
}

/* Names and values have a NUL behind them (app/settings/settings.h). */
static bool set_all(rd_kafka_conf_t *conf, struct kafka_properties properties, char *ret_reason)
{
    for (size_t i = 0; i < properties.count; i++) {
        if (!kafka_property_is_msk_iam(&properties.list[i]) &&
            !set(conf, properties.list[i].name.ptr, properties.list[i].value.ptr, ret_reason))
            return false;
    }
    return true;
}

/* What a reader has beside the properties of all consumers. */
static bool set_own(rd_kafka_conf_t *conf, const struct client_property *list, size_t count,
                    char *ret_reason)
{
    for (size_t i = 0; i < count; i++)
        if (!set(conf, list[i].name, list[i].value, ret_reason))
            return false;
    return true;
}

/* In a thread of librdkafka. */
static void on_refresh(rd_kafka_t *rk, const char *config, void *self)
{
    struct client *client = self;
    (void)config;
    if (client != NULL && client->login != NULL)
        login_refresh(client->login, rk);
}

static rd_kafka_t *make(struct client *client, const struct settings *settings,
                        rd_kafka_type_t type, char *ret_reason)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    bool is_consumer = type == RD_KAFKA_CONSUMER;
    enum kafka_auth auth = settings_kafka_auth(settings);
    kafka_conf_omit_metrics(conf);
    bool is_set = set(conf, "client.id", "bedrock-worker-client", ret_reason) &&
                  kafka_conf_begin_auth(conf, auth, ret_reason) &&
                  (is_consumer || set_record_size(conf, settings, ret_reason)) &&
                  set_all(conf, settings->kafka_client.set, ret_reason);
    is_set = is_set && set_own(conf, client->own, client->own_count, ret_reason);
    if (is_consumer)
        is_set = is_set && set_all(conf, settings->kafka_consumer.set, ret_reason) &&
                 set(conf, "isolation.level", "read_committed", ret_reason) &&
                 set(conf, "auto.offset.reset", "earliest", ret_reason) &&
                 set(conf, "fetch.wait.max.ms", FETCH_WAIT_MS, ret_reason);
    else
        is_set = is_set && set_all(conf, settings->kafka_producer.set, ret_reason) &&
                 set(conf, "partitioner", "murmur2_random", ret_reason) &&
                 set(conf, "enable.idempotence", "true", ret_reason);
    is_set = is_set &&
             set(conf, "bootstrap.servers", settings->kafka_bootstrap_servers.ptr, ret_reason) &&
             kafka_conf_end_auth(conf, auth, on_refresh, ret_reason);
    rd_kafka_conf_set_log_cb(conf, ignore_log);
    rd_kafka_conf_set_error_cb(conf, on_error);
    (void)rd_kafka_conf_set_ssl_cert_verify_cb(conf, on_certificate);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    rd_kafka_conf_set_opaque(conf, client);
    rd_kafka_t *rk = is_set ? rd_kafka_new(type, conf, ret_reason, CLIENT_REASON_MAX) : NULL;
    if (rk == NULL)
        rd_kafka_conf_destroy(conf);
    else
        login_add(client->login, rk);
    return rk;
}

struct client *client_new_reader(const struct settings *settings,
                                 const struct client_property *properties, size_t count,
                                 char *ret_reason)
{
    struct client *client = memory_new(sizeof *client);
    if (client == NULL) {
        (void)snprintf(ret_reason, CLIENT_REASON_MAX, "out of memory");
        return NULL;
    }
    kafka_certificate_init(&client->certificate);
    client->login = login_new(settings);
    client->own = properties;
    client->own_count = count;
    client->consumer = make(client, settings, RD_KAFKA_CONSUMER, ret_reason);
    client->own = NULL;
    client->own_count = 0;
    if (client->consumer == NULL) {
        client_free(client);
        return NULL;
    }
    client->followed = rd_kafka_queue_new(client->consumer);
    return client;
}

/* Adds a producer with more properties of its own. Frees the client when that fails. */
static struct client *add_producer(struct client *client, const struct settings *settings,
                                   const struct client_property *properties, size_t count,
                                   char *ret_reason)
{
    if (client == NULL)
        return NULL;
    client->own = properties;
    client->own_count = count;
    client->producer = make(client, settings, RD_KAFKA_PRODUCER, ret_reason);
    client->own = NULL;
    client->own_count = 0;
    if (client->producer != NULL)
        return client;
    client_free(client);
    return NULL;
}

struct client *client_new(const struct settings *settings, char *ret_reason)
{
    struct client *client = client_new_reader(settings, NULL, 0, ret_reason);
    return add_producer(client, settings, NULL, 0, ret_reason);
}

struct client *client_new_as(const struct settings *settings, const struct client_role *role,
                             char *ret_reason)
{
    const struct client_property reading[] = {{"group.id", role->group_id},
                                              {"queued.max.messages.kbytes", ROLE_QUEUE_KIB},
                                              {"enable.partition.eof", "true"}};
    const struct client_property sending[] = {{"transactional.id", role->transactional_id}};
    struct client *client = client_new_reader(settings, reading, COUNT_OF(reading), ret_reason);
    return add_producer(client, settings, sending, COUNT_OF(sending), ret_reason);
}

static void drop_message(struct client *client)
{
    if (client->message != NULL)
        rd_kafka_message_destroy(client->message);
    client->message = NULL;
}

void client_free(struct client *client)
{
    if (client == NULL)
        return;
    drop_message(client);
    for (size_t i = 0; i < client->topic_count; i++) {
        for (int32_t j = 0; j < client->partitions[i]; j++)
            rd_kafka_consume_stop(client->topics[i], j);
        rd_kafka_topic_destroy(client->topics[i]);
    }
    if (client->followed != NULL)
        rd_kafka_queue_destroy(client->followed);
    if (client->producer != NULL) {
        login_remove(client->login, client->producer);
        rd_kafka_purge(client->producer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        rd_kafka_destroy(client->producer);
    }
    if (client->consumer != NULL) {
        login_remove(client->login, client->consumer);
        rd_kafka_destroy(client->consumer);
    }
    login_free(client->login);
    kafka_certificate_done(&client->certificate);
    memory_free(client);
}

/* ---- queries ---- */

/* librdkafka retries until the time is over, even when every broker refuses; then this ends early.
 */
enum err client_brokers(struct client *client, int64_t timeout_ms, int *ret_count)
{
    const struct rd_kafka_metadata *metadata = NULL;
    int64_t first_ms = timeout_ms < REFUSED_MS ? timeout_ms : REFUSED_MS;
    rd_kafka_resp_err_t code =
        rd_kafka_metadata(client->consumer, 0, NULL, &metadata, (int)first_ms);
    (void)rd_kafka_poll(client->consumer, 0); /* calls on_error */
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR && !client->were_all_down && timeout_ms > first_ms)
        code =
            rd_kafka_metadata(client->consumer, 0, NULL, &metadata, (int)(timeout_ms - first_ms));
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return client_fail(client, "no broker answers", code);
    *ret_count = metadata->broker_cnt;
    rd_kafka_metadata_destroy(metadata);
    return OK;
}

/* Makes the handle of a topic; NULL when the name is invalid. */
static rd_kafka_topic_t *open_topic(rd_kafka_t *rk, struct slice topic)
{
    char name[TOPIC_BYTES_MAX];
    if (topic.len >= sizeof name)
        return NULL;
    memcpy(name, topic.ptr, topic.len);
    name[topic.len] = '\0';
    return rd_kafka_topic_new(rk, name, NULL);
}

static enum err look_up(struct client *client, rd_kafka_topic_t *topic, int64_t timeout_ms,
                        struct client_shape *ret_shape)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t code =
        rd_kafka_metadata(client->consumer, 0, topic, &metadata, (int)timeout_ms);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return client_fail(client, "no broker answers", code);
    ret_shape->partitions = metadata->topic_cnt == 1 ? metadata->topics[0].partition_cnt : 0;
    ret_shape->replicas =
        ret_shape->partitions > 0 ? metadata->topics[0].partitions[0].replica_cnt : 0;
    code = metadata->topic_cnt == 1 ? metadata->topics[0].err
                                    : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR && ret_shape->partitions == 0)
        code = RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    rd_kafka_metadata_destroy(metadata);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR
               ? OK
               : client_fail(client, rd_kafka_topic_name(topic), code);
}

enum err client_topic_shape(struct client *client, struct slice topic, int64_t timeout_ms,
                            struct client_shape *ret_shape)
{
    rd_kafka_topic_t *handle = open_topic(client->consumer, topic);
    if (handle == NULL)
        return client_fail(client, "topic name", RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION);
    enum err err = look_up(client, handle, timeout_ms, ret_shape);
    rd_kafka_topic_destroy(handle);
    return err;
}

enum err client_topic(struct client *client, struct slice topic, int64_t timeout_ms,
                      int32_t *ret_partitions)
{
    struct client_shape shape = {0};
    enum err err = client_topic_shape(client, topic, timeout_ms, &shape);
    *ret_partitions = shape.partitions;
    return err;
}

/* ---- sending ---- */

void client_warm_up(struct client *client, struct slice topic, int64_t timeout_ms)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_topic_t *handle = open_topic(client->producer, topic);
    if (handle == NULL)
        return;
    if (rd_kafka_metadata(client->producer, 0, handle, &metadata, (int)timeout_ms) ==
        RD_KAFKA_RESP_ERR_NO_ERROR)
        rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(handle);
}

enum err client_send(struct client *client, const struct record *record)
{
    const struct output output = {
        .topic = record->topic,
        .partition = RD_KAFKA_PARTITION_UA,
        .key = record->key,
        .value = record->value,
        .headers = record->headers.list,
        .header_count = record->headers.count,
    };
    int code = RD_KAFKA_RESP_ERR__QUEUE_FULL;
    while (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        code = kafka_produce(client->producer, NULL, &output, true, NULL);
        rd_kafka_poll(client->producer, code == RD_KAFKA_RESP_ERR__QUEUE_FULL ? 100 : 0);
    }
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return OK;
    return client_fail(client, "cannot send", (rd_kafka_resp_err_t)code);
}

enum err client_flush(struct client *client, int64_t timeout_ms)
{
    rd_kafka_resp_err_t code = rd_kafka_flush(client->producer, (int)timeout_ms);
    rd_kafka_resp_err_t rejected = client->rejected;
    client->rejected = RD_KAFKA_RESP_ERR_NO_ERROR;
    if (code == RD_KAFKA_RESP_ERR__TIMED_OUT) {
        (void)client_fail(client, "no broker took the record in time", code);
        return ERR_TIMEOUT;
    }
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return client_fail(client, "cannot send", code);
    return rejected == RD_KAFKA_RESP_ERR_NO_ERROR ? OK : err_of(rejected);
}

/* ---- reading ---- */

/* Where to begin in a partition. */
static enum err find_start(struct client *client, rd_kafka_topic_t *topic, int32_t partition,
                           bool from_start, int64_t timeout_ms, int64_t *ret_from)
{
    int64_t low = 0;
    *ret_from = RD_KAFKA_OFFSET_BEGINNING;
    if (from_start)
        return OK;
    rd_kafka_resp_err_t code = rd_kafka_query_watermark_offsets(
        client->consumer, rd_kafka_topic_name(topic), partition, &low, ret_from, (int)timeout_ms);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR
               ? OK
               : client_fail(client, rd_kafka_topic_name(topic), code);
}

enum err client_start(struct client *client, rd_kafka_topic_t *topic, int32_t partition,
                      int64_t offset)
{
    if (rd_kafka_consume_start_queue(topic, partition, offset, client->followed) != 0)
        return client_fail(client, rd_kafka_topic_name(topic), rd_kafka_last_error());
    return OK;
}

enum err client_open(struct client *client, struct slice topic, int64_t timeout_ms,
                     int32_t *ret_partitions, rd_kafka_topic_t **ret_topic)
{
    if (client->topic_count == CLIENT_TOPICS_MAX)
        return client_fail(client, "too many topics", RD_KAFKA_RESP_ERR__INVALID_ARG);
    rd_kafka_topic_t *handle = open_topic(client->consumer, topic);
    struct client_shape shape = {0};
    if (handle == NULL)
        return client_fail(client, "topic name", RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION);
    enum err err = look_up(client, handle, timeout_ms, &shape);
    if (err != OK) {
        rd_kafka_topic_destroy(handle);
        return err;
    }
    client->topics[client->topic_count++] = handle;
    *ret_partitions = shape.partitions;
    *ret_topic = handle;
    return OK;
}

enum err client_follow(struct client *client, struct slice topic, bool from_start,
                       int64_t timeout_ms)
{
    int64_t end_ms = clock_monotonic_ms() + timeout_ms;
    rd_kafka_topic_t *handle = NULL;
    int32_t count = 0;
    enum err err = client_open(client, topic, timeout_ms, &count, &handle);
    if (err != OK)
        return err;
    size_t index = client->topic_count - 1;
    for (int32_t i = 0; i < count && err == OK; i++) {
        int64_t rest_ms = end_ms - clock_monotonic_ms(), from = 0;
        err = find_start(client, handle, i, from_start, rest_ms > 0 ? rest_ms : 0, &from);
        if (err == OK)
            err = client_start(client, handle, i, from);
        client->partitions[index] = err == OK ? i + 1 : i;
    }
    return err;
}

static void read_headers(struct client *client, struct record *ret_record)
{
    rd_kafka_headers_t *headers = NULL;
    size_t count = 0;
    const char *name = NULL;
    const void *value = NULL;
    size_t len = 0;
    bool has_any =
        rd_kafka_message_headers(client->message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR;
    while (has_any && count < HEADERS_MAX &&
           rd_kafka_header_get_all(headers, count, &name, &value, &len) ==
               RD_KAFKA_RESP_ERR_NO_ERROR) {
        client->headers[count].name = slice_of_text(name);
        client->headers[count].value = slice_of(value, len);
        count++;
    }
    ret_record->headers = (struct headers){client->headers, count};
}

enum err client_take(struct client *client, rd_kafka_message_t *taken, struct record *ret_record)
{
    drop_message(client);
    client->message = taken;
    if (taken == NULL)
        return ERR_TIMEOUT;
    const rd_kafka_message_t *message = taken;
    bool is_end = message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR && !is_end)
        return client_fail(client, "cannot read", message->err);
    rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
    *ret_record = (struct record){
        .topic = slice_of_text(rd_kafka_topic_name(message->rkt)),
        .partition = message->partition,
        .offset = message->offset,
        .timestamp_ms = rd_kafka_message_timestamp(message, &type),
        .key = slice_of(message->key, message->key_len),
        .value = slice_of(message->payload, message->len),
    };
    if (is_end)
        return ERR_NOT_FOUND;
    read_headers(client, ret_record);
    return OK;
}

enum err client_read(struct client *client, int64_t timeout_ms, struct record *ret_record)
{
    drop_message(client);
    rd_kafka_poll(client->consumer, 0);
    return client_take(client, rd_kafka_consume_queue(client->followed, (int)timeout_ms),
                       ret_record);
}
