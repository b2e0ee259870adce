/* The configuration of the three Kafka clients: the consumer, the publisher of results
 * (transactional, or idempotent under at_least_once) and the idempotent producer of chunks. Each
 * client gets the worker's defaults, then the user's librdkafka properties, then the properties on
 * which the delivery guarantee depends. A user's property that would break the guarantee is
 * rejected by name. librdkafka's CONFIGURATION.md documents the properties. */
#ifndef IO_KAFKA_CONF_H
#define IO_KAFKA_CONF_H

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

#define KAFKA_ERROR_MAX 512 /* bytes of an error text, with its NUL */

enum kafka_auth {
    KAFKA_AUTH_PROPERTIES, /* as librdkafka's properties say */
    KAFKA_AUTH_MSK_IAM,    /* Amazon MSK's IAM: tokens over SASL_SSL */
};

enum kafka_client { KAFKA_CONSUMER, KAFKA_PUBLISHER, KAFKA_CHUNKS };

/* One librdkafka property of the settings (`kafka.client`, `kafka.consumer`, `kafka.producer`). */
struct kafka_property {
    struct slice name, value;
};

struct kafka_properties {
    const struct kafka_property *list;
    size_t count;
};

/* Everything is borrowed for the life of the clients. Times are in ms; 0 = the default in the
 * comment. */
struct kafka_config {
    struct slice bootstrap_servers;
    struct slice group_id;
    struct slice client_id;        /* null = bedrock-worker */
    struct slice instance;         /* empty = none */
    bool static_membership;        /* group.instance.id = instance (KIP-345) */
    struct slice transactional_id; /* never empty under exactly_once */
    const struct slice *topics;    /* to subscribe to */
    size_t topic_count;
    const struct slice *output_topics; /* to produce to; looked up before the first record */
    size_t output_topic_count;
    struct slice budgets_topic;     /* of them: where sums go; null = none */
    bool exactly_once;              /* false: at_least_once */
    int64_t commit_interval_ms;     /* at_least_once: shortest time between offset commits */
    int64_t session_timeout_ms;     /* 45000 */
    int64_t transaction_timeout_ms; /* 12000 */
    int64_t max_poll_interval_ms;   /* 300000 */
    uint64_t request_bytes_max;     /* delivery.max_request_size */
    uint64_t output_bytes_max;      /* of the largest record that the worker produces */
    uint32_t calls_max;             /* that may stream at once: delivery.max_in_flight */
    uint64_t queued_bytes_max;      /* of records in the queues of all partitions; 64 MiB */
    struct kafka_properties client, consumer, producer;
    enum kafka_auth auth;
    struct slice auth_region;    /* of the MSK cluster */
    struct kafka_tokens *tokens; /* of its clients (io/kafka/tokens.h), which io makes */
};

/* Checks a user's property. ERR_NOT_ALLOWED: the worker needs another value, and ret_reason says
 * why
 * ("the worker commits offsets itself, together with the results that they stand for").
 * ERR_INVALID: librdkafka rejects name or value, and ret_reason says why. */
MUST_CHECK enum err kafka_conf_check(struct slice name, struct slice value, struct buf *ret_reason);

/* The number that a property of the client has in the end, such as "session.timeout.ms" in ms. -1
 * when the client's properties are invalid. */
int64_t kafka_conf_number(const struct kafka_config *config, enum kafka_client client,
                          const char *name);

struct rd_kafka_conf_s;
struct rd_kafka_s;
struct kafka_tokens;
/* Set how a client logs in: before the user's properties what these may change, and behind them
 * what they may not. `refresh` as for kafka_tokens_prepare. False: ret_error (KAFKA_ERROR_MAX) says
 * why. */
bool kafka_conf_begin_auth(struct rd_kafka_conf_s *conf, enum kafka_auth auth, char *ret_error);
bool kafka_conf_end_auth(struct rd_kafka_conf_s *conf, enum kafka_auth auth,
                         void (*refresh)(struct rd_kafka_s *client, const char *config,
                                         void *opaque),
                         char *ret_error);
/* Does a property name the mechanism of MSK's Java clients (sasl.mechanism: AWS_MSK_IAM)? It asks
 * for KAFKA_AUTH_MSK_IAM, and librdkafka must not see it. */
bool kafka_property_is_msk_iam(const struct kafka_property *property);
/* Makes the configuration for rd_kafka_new; the caller owns it. NULL: ret_error (KAFKA_ERROR_MAX)
 * says why. */
MUST_CHECK struct rd_kafka_conf_s *kafka_conf_new(const struct kafka_config *config,
                                                  enum kafka_client client, char *ret_error);

/* Turns off client metrics (KIP-714), which the user may turn on again. With them, the end of a
 * client of librdkafka 2.5 to 2.8 (at least) waits a second for a signal that is lost. Earlier
 * versions have no such property; for them this does nothing. */
void kafka_conf_omit_metrics(struct rd_kafka_conf_s *conf);

/* Makes the client and ends it at once, without a connection or a log line, because librdkafka
 * checks some properties only then (combinations, certificate files). ERR_INVALID: ret_error
 * (KAFKA_ERROR_MAX) says why. */
MUST_CHECK enum err kafka_conf_try(const struct kafka_config *config, enum kafka_client client,
                                   char *ret_error);

/* Whether this librdkafka has fetch.queue.backoff.ms, as 2.2 and later do. */
bool kafka_conf_has_fetch_backoff(void);

/* Bytes of records in the queues of all partitions from which on they take turns
 * (io/kafka/fetch_turns.h). UINT64_MAX when the properties are invalid. */
uint64_t kafka_conf_queued_max(const struct kafka_config *config);
/* The most bytes that the queues of the three clients can hold, with `partitions` partitions. 0
 * when the properties are invalid. */
uint64_t kafka_conf_memory_bound(const struct kafka_config *config, size_t partitions);

#endif
