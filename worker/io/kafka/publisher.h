/* The publisher: the producer of results, and the publishing of a batch from its beginning to its
 * outcome.
 *
 * Under exactly_once a batch is a transaction (KIP-98) that also commits offsets (KIP-447). Only a
 * commit or an abort that librdkafka confirms is certain. After anything else the outcome is
 * "unknown": the publisher replaces the producer by a new one with the same transactional id, which
 * makes the broker end the open transaction, and the engine then reads the committed offsets. Under
 * at_least_once the producer is idempotent, and a batch ends with its last delivery report.
 *
 * Every function may block; only the committer's thread calls them. */
#ifndef IO_KAFKA_PUBLISHER_H
#define IO_KAFKA_PUBLISHER_H

#include <stdatomic.h>

#include "engine/ports.h"
#include "io/kafka/conf.h"
#include "io/kafka/handles.h"
#include "io/kafka/log.h"
#include "io/kafka/refusals.h"
#include "io/kafka/topic_limits.h"

#define PUBLISHER_REASON_MAX 320

struct rd_kafka_consumer_group_metadata_s;

/* The delivery reports of the running batch. Codes are librdkafka's (rd_kafka_resp_err_t). */
struct deliveries {
    size_t outstanding; /* records without a report */
    size_t failed;      /* records that failed for a cause that may pass */
    int failed_code;
};

struct publisher {
    struct kafka_log log; /* first: the client's opaque begins with it */
    const struct kafka_config *config;
    struct rd_kafka_conf_s *conf; /* each client is made from a copy */
    struct rd_kafka_s *client;    /* NULL between two clients */
    struct kafka_handles handles; /* of its topics */
    atomic_bool stopping;         /* another thread sets it: give up what takes long */
    int64_t transaction_ms;       /* the transaction's time-out */
    const struct batch *batch;    /* the running one */
    struct deliveries deliveries;
    struct refusals refusals; /* records of the batch that the broker would reject again */
    bool is_compressing;
    int32_t broker_id;          /* one that answered; -1 = none */
    struct topic_limits limits; /* what topics take */
    int64_t limits_due_ms;      /* when to ask for them again */
    int64_t set_bytes;          /* batch.size of the client */
    int64_t set_bytes_usual;    /* of the settings, or less, for a topic that takes less */
    int64_t set_bytes_settings;
    int64_t set_bytes_until_ms; /* how long it is smaller than usual */
    unsigned aborts;            /* in a row */
    bool must_renew;            /* the next batch needs another client */
    bool was_ready;             /* a client has been ready once */
    int64_t logged_ms;          /* when a line last said that no client is ready; 0 = never */
    bool fenced;                /* another producer took the transactional id during this batch */
    char reason[PUBLISHER_REASON_MAX];
};

/* Makes a publisher without a client. `config` and `sink` are borrowed. False: ret_error
 * (KAFKA_ERROR_MAX) says why; then call publisher_done. */
MUST_CHECK bool publisher_init(struct publisher *publisher, const struct kafka_config *config,
                               struct kafka_lines *lines, char *ret_error);
void publisher_done(struct publisher *publisher);
/* Replaces the client, and retries until the new one is ready, or until `stopping` is set. */
void publisher_renew(struct publisher *publisher);
/* Publishes a batch and writes its outcome; ret_end->reason is borrowed until the next batch.
 * `group` is the group metadata for the offsets; it may be NULL when there are none. */
void publisher_run(struct publisher *publisher, const struct batch *batch,
                   const struct rd_kafka_consumer_group_metadata_s *group,
                   struct batch_end *ret_end);

#endif
