#include "io/kafka/conf.h"

#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "io/kafka/log.h"
#include "io/kafka/tokens.h"
#include "io/kafka/fetch_turns.h"
#include "wire/bedrock/msk_token.h"

#define NAME_MAX_BYTES  256
#define VALUE_MAX_BYTES 65536

#define FETCH_BACKOFF_VERSION 0x02020000 /* the first librdkafka with fetch.queue.backoff.ms */
#define RECORD_BESIDE         FETCH_RECORD_BESIDE
/* Bytes of the smallest records that the bound expects: a request has at least a message. */
#define RECORD_BYTES_MIN 64
#define QUEUED_BYTES     (64U << 20)
#define QUEUED_LEAST     8     /* queues of a partition that fill to their own limits */
#define CHUNKS_MIN       20000 /* the least that the queue of chunks takes */
#define CHUNKS_MOST      1000000
#define CHUNKS_PER_CALL  32
#define CHUNK_BYTES      820 /* of a chunk's value, which librdkafka counts … */
#define CHUNK_BESIDE     700 /* … and of its headers and librdkafka's own */

/* A property that the user may not set, except to the harmless value, if there is one. */
struct refusal {
    const char *name;
    const char *harmless;
    const char *why;
};

#define OWN_OFFSETS                                                                                \
    "the worker commits offsets itself, together with the results that they stand for"
#define OWN_DEFAULT "exactly-once delivery needs the value that the worker sets"
#define OWN_EVENTS  "the worker needs librdkafka's events and delivery reports itself"

static const struct refusal REFUSALS[] = {
    {"acks", "all", "a result is finished only when all replicas have it"},
    {"auto.commit.enable", "false", OWN_OFFSETS},
    {"auto.commit.interval.ms", NULL, OWN_OFFSETS},
    {"auto.offset.reset", "error",
     "the worker decides where to start, so that it skips and repeats no request unnoticed"},
    {"background_event_cb", NULL, OWN_EVENTS},
    {"bootstrap.servers", NULL, "set kafka.bootstrap_servers"},
    {"delivery.report.only.error", "false", OWN_EVENTS},
    {"enable.auto.commit", "false", OWN_OFFSETS},
    {"enable.auto.offset.store", "false", OWN_OFFSETS},
    {"enable.gapless.guarantee", "false",
     "one record that cannot be delivered would stop the producer for good"},
    {"enable.idempotence", "true", "without it a retry inside librdkafka doubles records"},
    {"enable.partition.eof", "true",
     "the worker needs to know where the log ends to commit past its last gap"},
    {"enabled_events", NULL, OWN_EVENTS},
    {"group.id", NULL, "set kafka.group_id"},
    {"group.instance.id", NULL, "set kafka.instance and kafka.static_membership"},
    {"isolation.level", "read_committed", "requests of aborted transactions must not be answered"},
    {"log.queue", NULL, "the worker writes librdkafka's lines to its own log"},
    {"log.thread.name", NULL, "the worker writes librdkafka's lines to its own log"},
    {"metadata.broker.list", NULL, "set kafka.bootstrap_servers"},
    {"offset.store.method", "broker", OWN_OFFSETS},
    {"offset.store.path", NULL, OWN_OFFSETS},
    {"opaque", NULL, OWN_EVENTS},
    {"partition.assignment.strategy", "cooperative-sticky",
     "partitions that stay must not stop while others move"},
    {"partitioner", "murmur2_random",
     "responses must be in the partition where Java clients expect the key"},
    {"queuing.strategy", "fifo", "records of one key must stay in order"},
    {"request.required.acks", "all", "a result is finished only when all replicas have it"},
    {"transactional.id", NULL, "set kafka.instance: the transactional id is <group>-<instance>"},
};

static const struct refusal *refusal_of(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(REFUSALS); i++) {
        if (strcmp(REFUSALS[i].name, name) == 0)
            return &REFUSALS[i];
    }
    return NULL;
}

/* Copies `s` as a NUL-terminated string; false when it is too long or holds a NUL. */
static bool text_of(struct slice s, char *ret_text, size_t room)
{
    if (s.len >= room || (s.len > 0 && memchr(s.ptr, '\0', s.len) != NULL))
        return false;
    if (s.len > 0)
        memcpy(ret_text, s.ptr, s.len);
    ret_text[s.len] = '\0';
    return true;
}

/* Sets one property; false when librdkafka rejects it: ret_error (KAFKA_ERROR_MAX) says why. */
static bool property_set(rd_kafka_conf_t *conf, struct slice name, struct slice value,
                         char *ret_error)
{
    static _Thread_local char value_text[VALUE_MAX_BYTES];
    char name_text[NAME_MAX_BYTES];
    if (!text_of(name, name_text, sizeof name_text) ||
        !text_of(value, value_text, sizeof value_text)) {
        (void)snprintf(ret_error, KAFKA_ERROR_MAX, "a name or value is too long, or holds a NUL");
        return false;
    }
    bool set = rd_kafka_conf_set(conf, name_text, value_text, ret_error, KAFKA_ERROR_MAX) ==
               RD_KAFKA_CONF_OK;
    explicit_bzero(value_text, value.len);
    return set;
}

enum err kafka_conf_check(struct slice name, struct slice value, struct buf *ret_reason)
{
    char name_text[NAME_MAX_BYTES];
    const struct refusal *refusal =
        text_of(name, name_text, sizeof name_text) ? refusal_of(name_text) : NULL;
    if (refusal != NULL &&
        (refusal->harmless == NULL || !slice_equal_text(value, refusal->harmless))) {
        buf_add_text(ret_reason, refusal->why);
        return ERR_NOT_ALLOWED;
    }
    char error[KAFKA_ERROR_MAX] = "";
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    bool set = property_set(conf, name, value, error);
    rd_kafka_conf_destroy(conf);
    if (set)
        return OK;
    buf_add_text(ret_reason, error);
    return ERR_INVALID;
}

/* ---- the clients' properties ---- */

/* A configuration that is being filled; its failure is sticky. */
struct filling {
    rd_kafka_conf_t *conf;
    char *error;
    bool failed;
};

static void fill(struct filling *filling, const char *name, struct slice value)
{
    if (!filling->failed &&
        !property_set(filling->conf, slice_of_text(name), value, filling->error))
        filling->failed = true;
}

static void fill_text(struct filling *filling, const char *name, const char *value)
{
    fill(filling, name, slice_of_text(value));
}

static void fill_number(struct filling *filling, const char *name, int64_t value)
{
    char text[24];
    int len = snprintf(text, sizeof text, "%" PRId64, value);
    fill(filling, name, slice_of(text, (size_t)len));
}

static void fill_properties(struct filling *filling, struct kafka_properties properties)
{
    for (size_t i = 0; i < properties.count && !filling->failed; i++) {
        if (!kafka_property_is_msk_iam(&properties.list[i]) &&
            !property_set(filling->conf, properties.list[i].name, properties.list[i].value,
                          filling->error))
            filling->failed = true;
    }
}

static int64_t or_default(int64_t value, int64_t otherwise)
{
    return value > 0 ? value : otherwise;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

bool kafka_conf_has_fetch_backoff(void)
{
    return rd_kafka_version() >= FETCH_BACKOFF_VERSION;
}

/* What librdkafka fetches ahead of each partition. librdkafka counts only the records' bytes, and
 * each takes RECORD_BESIDE more; a worker may have thousands of partitions. Versions before 2.2.0
 * wait a second after a full queue before they fetch again, so for them the queue must hold what a
 * partition needs in that time. */
static void fill_prefetch(struct filling *filling)
{
    bool is_slow = !kafka_conf_has_fetch_backoff();
    fill_text(filling, "queued.min.messages", is_slow ? "20000" : "128");
    fill_text(filling, "queued.max.messages.kbytes", is_slow ? "1024" : "256");
    fill_text(filling, "fetch.message.max.bytes", is_slow ? "262144" : "65536");
    if (!is_slow)
        fill_text(filling, "fetch.queue.backoff.ms", "20");
}

/* The user may change these. The queues are small, because their records count towards no limit of
 * the worker. */
static void fill_consumer_defaults(struct filling *filling, const struct kafka_config *config)
{
    int64_t session_ms = or_default(config->session_timeout_ms, 45000);
    fill_number(filling, "session.timeout.ms", session_ms);
    fill_number(filling, "heartbeat.interval.ms", smaller(3000, session_ms / 3));
    fill_number(filling, "max.poll.interval.ms", or_default(config->max_poll_interval_ms, 300000));
    fill_prefetch(filling);
    fill_text(filling, "fetch.wait.max.ms", "50");
    fill_text(filling, "fetch.error.backoff.ms", "100");
    fill_text(filling, "topic.metadata.refresh.interval.ms", "5000");
    fill_text(filling, "check.crcs", "true");
}

static void fill_consumer_guarantees(struct filling *filling, const struct kafka_config *config)
{
    fill(filling, "group.id", config->group_id);
    if (config->static_membership && config->instance.len > 0)
        fill(filling, "group.instance.id", config->instance);
    fill_text(filling, "enable.auto.commit", "false");
    fill_text(filling, "enable.auto.offset.store", "false");
    fill_text(filling, "auto.offset.reset", "error");
    fill_text(filling, "isolation.level", "read_committed");
    fill_text(filling, "enable.partition.eof", "true");
    fill_text(filling, "partition.assignment.strategy", "cooperative-sticky");
}

/* A second and more of the chunks of all calls: the time that an election takes. */
static int64_t chunks_max(const struct kafka_config *config)
{
    int64_t chunks = (int64_t)config->calls_max * CHUNKS_PER_CALL;
    chunks = chunks < CHUNKS_MIN ? CHUNKS_MIN : chunks;
    return chunks < CHUNKS_MOST ? chunks : CHUNKS_MOST;
}

static void fill_producer_defaults(struct filling *filling, const struct kafka_config *config,
                                   enum kafka_client client)
{
    bool transactional = client == KAFKA_PUBLISHER && config->exactly_once;
    int64_t transaction_ms = or_default(config->transaction_timeout_ms, 12000);
    fill_number(filling, "message.max.bytes",
                smaller(1000000000,
                        (int64_t)smaller((int64_t)config->output_bytes_max, 900000000) + 1048576));
    fill_text(filling, "topic.metadata.propagation.max.ms", "5000");
    if (transactional) {
        fill_number(filling, "transaction.timeout.ms", transaction_ms);
        fill_number(filling, "message.timeout.ms", transaction_ms * 2 / 3);
        fill_text(filling, "linger.ms", "0");
    } else if (client == KAFKA_PUBLISHER) {
        fill_text(filling, "message.timeout.ms", "30000");
        fill_text(filling, "linger.ms", "0");
    } else {
        fill_text(filling, "message.timeout.ms", "30000");
        fill_text(filling, "linger.ms", "2");
        fill_number(filling, "queue.buffering.max.messages", chunks_max(config));
        fill_number(filling, "queue.buffering.max.kbytes", chunks_max(config) * CHUNK_BYTES / 1024);
    }
}

static void fill_producer_guarantees(struct filling *filling, const struct kafka_config *config,
                                     enum kafka_client client)
{
    fill_text(filling, "enable.idempotence", "true");
    fill_text(filling, "acks", "all");
    fill_text(filling, "partitioner", "murmur2_random");
    if (client == KAFKA_PUBLISHER && config->exactly_once)
        fill(filling, "transactional.id", config->transactional_id);
    fill_text(filling, "delivery.report.only.error", client == KAFKA_CHUNKS ? "true" : "false");
}

/* ---- how the clients log in ---- */

bool kafka_property_is_msk_iam(const struct kafka_property *property)
{
    bool is_mechanism = slice_equal_text(property->name, "sasl.mechanism") ||
                        slice_equal_text(property->name, "sasl.mechanisms");
    return is_mechanism && slice_equal_text(slice_trim(property->value), MSK_MECHANISM);
}

static bool is_set_to(const rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char text[KAFKA_ERROR_MAX];
    size_t size = sizeof text;
    return rd_kafka_conf_get(conf, name, text, &size) == RD_KAFKA_CONF_OK &&
           slice_equal_nocase(slice_of(text, strnlen(text, sizeof text)), slice_of_text(value));
}

bool kafka_conf_begin_auth(struct rd_kafka_conf_s *conf, enum kafka_auth auth, char *ret_error)
{
    return auth != KAFKA_AUTH_MSK_IAM ||
           property_set(conf, SLICE("security.protocol"), SLICE("SASL_SSL"), ret_error);
}

/* librdkafka fetches OIDC's tokens itself, in its own thread. */
bool kafka_conf_end_auth(struct rd_kafka_conf_s *conf, enum kafka_auth auth,
                         void (*refresh)(struct rd_kafka_s *client, const char *config,
                                         void *opaque),
                         char *ret_error)
{
    bool is_msk = auth == KAFKA_AUTH_MSK_IAM;
    if (is_msk && !property_set(conf, SLICE("sasl.mechanisms"), SLICE("OAUTHBEARER"), ret_error))
        return false;
    if (is_msk || (is_set_to(conf, "sasl.mechanisms", "OAUTHBEARER") &&
                   !is_set_to(conf, "sasl.oauthbearer.method", "oidc")))
        kafka_tokens_prepare(conf, is_msk ? refresh : NULL);
    return true;
}

void kafka_conf_omit_metrics(struct rd_kafka_conf_s *conf)
{
    char error[KAFKA_ERROR_MAX];
    (void)rd_kafka_conf_set(conf, "enable.metrics.push", "false", error, sizeof error);
}

/* The opaque of every client begins with its kafka_log. */
static void on_refresh(rd_kafka_t *client, const char *config, void *opaque)
{
    (void)config;
    const struct kafka_log *log = opaque;
    if (log != NULL && log->tokens != NULL)
        kafka_tokens_refresh(log->tokens, client);
    else
        (void)rd_kafka_oauthbearer_set_token_failure(client, "this client needs no token");
}

/* In a thread of librdkafka. */
static int on_certificate(rd_kafka_t *client, const char *broker, int32_t broker_id, int *code,
                          int depth, const char *certificate, size_t size, char *ret_error,
                          size_t room, void *opaque)
{
    (void)client;
    (void)broker_id;
    (void)depth;
    (void)certificate;
    (void)size;
    struct kafka_log *log = opaque;
    return kafka_certificate_judge(log == NULL ? NULL : &log->certificate, broker, *code, ret_error,
                                   room);
}

struct rd_kafka_conf_s *kafka_conf_new(const struct kafka_config *config, enum kafka_client client,
                                       char *ret_error)
{
    struct filling filling = {.conf = rd_kafka_conf_new(), .error = ret_error};
    ret_error[0] = '\0';
    fill_text(&filling, "client.id", "bedrock-worker");
    if (config->client_id.len > 0)
        fill(&filling, "client.id", config->client_id);
    fill_text(&filling, "socket.nagle.disable", "true");
    fill_text(&filling, "socket.keepalive.enable", "true");
    fill_text(&filling, "reconnect.backoff.max.ms", "2000");
    fill_text(&filling, "log.connection.close", "false");
    kafka_conf_omit_metrics(filling.conf);
    (void)rd_kafka_conf_set_ssl_cert_verify_cb(filling.conf, on_certificate);
    if (!filling.failed && !kafka_conf_begin_auth(filling.conf, config->auth, ret_error))
        filling.failed = true;
    if (client == KAFKA_CONSUMER)
        fill_consumer_defaults(&filling, config);
    else
        fill_producer_defaults(&filling, config, client);
    fill_properties(&filling, config->client);
    fill_properties(&filling, client == KAFKA_CONSUMER ? config->consumer : config->producer);
    fill(&filling, "bootstrap.servers", config->bootstrap_servers);
    if (client == KAFKA_CONSUMER)
        fill_consumer_guarantees(&filling, config);
    else
        fill_producer_guarantees(&filling, config, client);
    if (!filling.failed && !kafka_conf_end_auth(filling.conf, config->auth, on_refresh, ret_error))
        filling.failed = true;
    if (!filling.failed)
        return filling.conf;
    rd_kafka_conf_destroy(filling.conf);
    return NULL;
}

static void ignore_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    (void)rk;
    (void)level;
    (void)facility;
    (void)text;
}

enum err kafka_conf_try(const struct kafka_config *config, enum kafka_client client,
                        char *ret_error)
{
    rd_kafka_conf_t *conf = kafka_conf_new(config, client, ret_error);
    if (conf == NULL)
        return ERR_INVALID;
    rd_kafka_conf_set_log_cb(conf, ignore_log);
    kafka_conf_omit_metrics(conf);
    rd_kafka_type_t type = client == KAFKA_CONSUMER ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER;
    rd_kafka_t *rk = NULL;
    if (rd_kafka_conf_set(conf, "bootstrap.servers", NULL, ret_error, KAFKA_ERROR_MAX) ==
        RD_KAFKA_CONF_OK)
        rk = rd_kafka_new(type, conf, ret_error, KAFKA_ERROR_MAX);
    if (rk == NULL) {
        rd_kafka_conf_destroy(conf);
        return ERR_INVALID;
    }
    rd_kafka_destroy_flags(rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    return OK;
}

static bool conf_number(const rd_kafka_conf_t *conf, const char *name, int64_t *ret_value)
{
    char value[64];
    size_t size = sizeof value;
    if (rd_kafka_conf_get(conf, name, value, &size) != RD_KAFKA_CONF_OK || size == 0)
        return false;
    return slice_to_int64(slice_of(value, strlen(value)), ret_value);
}

int64_t kafka_conf_number(const struct kafka_config *config, enum kafka_client client,
                          const char *name)
{
    char error[KAFKA_ERROR_MAX];
    rd_kafka_conf_t *conf = kafka_conf_new(config, client, error);
    int64_t value = -1;
    if (conf == NULL || !conf_number(conf, name, &value))
        value = -1;
    if (conf != NULL)
        rd_kafka_conf_destroy(conf);
    return value;
}

/* The most that the queue of a partition holds, whatever the size of its records. It fills to one
 * of its two limits, and the last fetch comes on top. */
static uint64_t prefetch_bytes(uint64_t records_max, uint64_t queue_bytes, uint64_t fetch_bytes)
{
    uint64_t small = RECORD_BYTES_MIN, count = queue_bytes / small;
    if (count > records_max)
        count = records_max;
    uint64_t of_small = (count + fetch_bytes / small) * (small + RECORD_BESIDE);
    uint64_t size = queue_bytes / records_max > small ? queue_bytes / records_max : small;
    uint64_t of_large =
        queue_bytes + fetch_bytes + (queue_bytes + fetch_bytes) / size * RECORD_BESIDE;
    return of_small > of_large ? of_small : of_large;
}

/* The same with the consumer's properties; 0 when they are invalid. */
static uint64_t bytes_of_partition(const struct kafka_config *config)
{
    int64_t queue_kbytes = kafka_conf_number(config, KAFKA_CONSUMER, "queued.max.messages.kbytes");
    int64_t fetch_bytes = kafka_conf_number(config, KAFKA_CONSUMER, "fetch.message.max.bytes");
    int64_t records = kafka_conf_number(config, KAFKA_CONSUMER, "queued.min.messages");
    if (records < 1 || queue_kbytes < 0 || fetch_bytes < 0)
        return 0;
    return prefetch_bytes((uint64_t)records, (uint64_t)queue_kbytes * 1024, (uint64_t)fetch_bytes);
}

uint64_t kafka_conf_queued_max(const struct kafka_config *config)
{
    if (config->queued_bytes_max > 0)
        return config->queued_bytes_max;
    uint64_t least = QUEUED_LEAST * bytes_of_partition(config);
    if (least == 0)
        return UINT64_MAX;
    return least > QUEUED_BYTES ? least : QUEUED_BYTES;
}

/* Of the queues of all partitions: what they may hold until they take turns, and as much again of
 * what librdkafka has not freed and of what is on its way then. */
static uint64_t queued_bound(const struct kafka_config *config, size_t partitions)
{
    uint64_t each = bytes_of_partition(config), most = 2 * kafka_conf_queued_max(config);
    return partitions * each < most ? partitions * each : most;
}

/* One record larger than a fetch can arrive. A producer copies a request once while it sends it. */
uint64_t kafka_conf_memory_bound(const struct kafka_config *config, size_t partitions)
{
    int64_t chunk_kbytes = kafka_conf_number(config, KAFKA_CHUNKS, "queue.buffering.max.kbytes");
    int64_t chunks = kafka_conf_number(config, KAFKA_CHUNKS, "queue.buffering.max.messages");
    if (bytes_of_partition(config) == 0 || chunk_kbytes < 0 || chunks < 0)
        return 0;
    uint64_t of_producers = (uint64_t)chunk_kbytes * 1024 + (uint64_t)chunks * CHUNK_BESIDE +
                            2 * config->output_bytes_max + (32U << 20);
    return queued_bound(config, partitions) + config->request_bytes_max + of_producers;
}
