/* The producer of results and one batch on it, from begin to its outcome. Everything here may block
 * and belongs to the committer's thread. Only a clean commit and a clean abort are believed; after
 * anything else the producer is destroyed and made again under the same transactional id, which
 * makes the broker end what was open, and the outcome is "unknown": the committed offsets say what
 * made it. Under at_least_once the producer is idempotent, and a batch ends with its last delivery
 * report. */
#ifndef IO_KAFKA_PUBLISHER_H
#define IO_KAFKA_PUBLISHER_H

#include <stdatomic.h>

#include "engine/ports.h"
#include "io/kafka/conf.h"
#include "io/kafka/log.h"

#define PUBLISHER_REASON_MAX 320

struct rd_kafka_consumer_group_metadata_s;

/* Of the batch under way: what the delivery reports said. */
struct deliveries {
    size_t outstanding;
    size_t refused; /* records that will never be taken */
    size_t blame;   /* the first of them */
    int blame_code;
    size_t failed; /* for a passing cause */
    int failed_code;
};

struct publisher {
    struct kafka_log log; /* first: the client's opaque begins with it */
    const struct kafka_config *config;
    struct rd_kafka_conf_s *conf; /* what each client is made from */
    struct rd_kafka_s *client;    /* NULL between two of them */
    atomic_bool stopping;         /* set by another thread: give up whatever takes long */
    int64_t transaction_ms;
    const struct batch *batch; /* under way, under at_least_once */
    struct deliveries deliveries;
    unsigned aborts; /* in a row */
    bool was_ready;  /* a first client has been ready */
    int64_t told_ms; /* when a line said last that none is ready */
    bool fenced;     /* the last failure was */
    char reason[PUBLISHER_REASON_MAX];
};

/* false: ret_error (KAFKA_ERROR_MAX) says why. */
MUST_CHECK bool publisher_init(struct publisher *publisher, const struct kafka_config *config,
                               struct log_sink *sink, char *ret_error);
void publisher_done(struct publisher *publisher);
/* Makes a client, destroying the old one, until one is ready, or stopping. */
void publisher_renew(struct publisher *publisher);
/* Publishes; ret_end->reason points into the publisher. `group` may be NULL when there are no
 * offsets. */
void publisher_run(struct publisher *publisher, const struct batch *batch,
                   const struct rd_kafka_consumer_group_metadata_s *group,
                   struct batch_end *ret_end);

#endif
