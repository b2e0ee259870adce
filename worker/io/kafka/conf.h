/* What the Kafka clients are told: our settings, the user's librdkafka properties, and the promises
 * between them. Three clients are made from one kafka_config: the consumer, the publisher of
 * results (transactional, or idempotent under at_least_once), and the idempotent producer of
 * chunks. Properties that would break a promise are refused by name. The meaning of properties:
 * librdkafka's CONFIGURATION.md. */
#ifndef IO_KAFKA_CONF_H
#define IO_KAFKA_CONF_H

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

#define KAFKA_ERROR_MAX 512 /* of a text that tells why a client could not be made */

enum kafka_client { KAFKA_CONSUMER, KAFKA_PUBLISHER, KAFKA_CHUNKS };

/* One librdkafka property of the settings (`kafka.client`, `kafka.consumer`, `kafka.producer`). */
struct kafka_property {
    struct slice name, value;
};

struct kafka_properties {
    const struct kafka_property *list;
    size_t count;
};

/* Everything is borrowed for the life of the clients. Times in ms; 0 = the default named here. */
struct kafka_config {
    struct slice bootstrap_servers;
    struct slice group_id;
    struct slice client_id;        /* null = bedrock-worker */
    struct slice instance;         /* empty = none */
    bool static_membership;        /* instance is the group.instance.id, too */
    struct slice transactional_id; /* never empty under exactly_once */
    const struct slice *topics;    /* to subscribe to */
    size_t topic_count;
    const struct slice *output_topics; /* what is produced to; looked up before the first record */
    size_t output_topic_count;
    bool exactly_once;              /* false: at_least_once */
    int64_t commit_interval_ms;     /* at_least_once: least time between offset commits */
    int64_t session_timeout_ms;     /* 10000 */
    int64_t transaction_timeout_ms; /* 12000 */
    int64_t max_poll_interval_ms;   /* 300000 */
    uint64_t request_bytes_max; /* delivery.max_request_size: the largest value that is taken up */
    uint64_t output_bytes_max;  /* the largest record that is produced */
    struct kafka_properties client, consumer, producer;
};

/* Is this property one that we refuse? ERR_NOT_ALLOWED with the promise it would break in ret_words
 * ("the worker commits offsets itself, together with the results that they stand for"); else
 * librdkafka's own judgement of name and value: ERR_INVALID with its words. */
MUST_CHECK enum err kafka_conf_check(struct slice name, struct slice value, struct buf *ret_words);

/* The value in ms that a property has in the end (defaults, settings, properties):
 * "session.timeout.ms", "max.poll.interval.ms", "transaction.timeout.ms". -1 when the properties
 * are wrong. */
int64_t kafka_conf_number(const struct kafka_config *config, enum kafka_client client,
                          const char *name);

struct rd_kafka_conf_s;
/* What rd_kafka_new takes. NULL: ret_error (KAFKA_ERROR_MAX) says why. */
MUST_CHECK struct rd_kafka_conf_s *kafka_conf_new(const struct kafka_config *config,
                                                  enum kafka_client client, char *ret_error);

/* Clients push no metrics of their own to the broker (KIP-714), unless the user asks for it: from
 * 2.5 to 2.8 at least, the end of a client that does waits for a lost signal, a second long.
 * Earlier versions have no such property, and are left as they are. */
void kafka_conf_omit_metrics(struct rd_kafka_conf_s *conf);

/* Makes the client and ends it at once, without a broker, a connection or a line of the log: what
 * librdkafka judges only then (properties that do not go together, certificates that cannot be
 * read). ERR_INVALID: ret_error (KAFKA_ERROR_MAX) has its words. */
MUST_CHECK enum err kafka_conf_try(const struct kafka_config *config, enum kafka_client client,
                                   char *ret_error);

/* Bytes that the three clients may hold at most: fetch queues and what waits to be sent. For the
 * memory bound. */
uint64_t kafka_conf_memory_bound(const struct kafka_config *config, size_t partitions);

#endif
