/* Is the consumer joining its group right now? librdkafka has no function for that, so interceptors
 * count its JoinGroup and SyncGroup requests and their answers. The coordinator answers the one
 * when all members have joined, the other when their leader has said who gets what: both may take
 * as long as a dead member's session.
 *
 * It matters for offset commits of the consumer, and when it leaves. The coordinator handles what
 * follows on the same connection only after the answer: a commit behind a JoinGroup has an old
 * generation then, and librdkafka 2.0.2 treats all partitions as lost. */
#ifndef IO_KAFKA_JOINS_H
#define IO_KAFKA_JOINS_H

#include <stdatomic.h>
#include <stdbool.h>

struct rd_kafka_conf_s;

/* Requests of one kind. */
struct kafka_join {
    atomic_uint sent, answered;
};

/* librdkafka's threads count. Must outlive the client. */
struct kafka_joins {
    struct kafka_join join, sync;
};

/* Makes clients of `conf` count in `joins`. False: out of memory. */
bool kafka_joins_watch(struct rd_kafka_conf_s *conf, struct kafka_joins *joins);
/* Is a JoinGroup without its answer? The generation is the old one. Any thread. */
bool kafka_joins_under_way(struct kafka_joins *joins);
/* Is a SyncGroup? The generation is the new one. Any thread. */
bool kafka_joins_sync_under_way(struct kafka_joins *joins);

#endif
