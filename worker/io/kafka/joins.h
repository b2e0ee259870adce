/* Is the consumer joining its group right now? librdkafka has no function for that, so interceptors
 * count its JoinGroup requests and their answers.
 *
 * It matters for offset commits of the consumer. The coordinator handles a commit that follows a
 * JoinGroup on the same connection only after the rebalance, and rejects its old generation;
 * librdkafka 2.0.2 then treats all partitions as lost. */
#ifndef IO_KAFKA_JOINS_H
#define IO_KAFKA_JOINS_H

#include <stdatomic.h>
#include <stdbool.h>

struct rd_kafka_conf_s;

/* JoinGroup requests; librdkafka's threads count. Must outlive the client. */
struct kafka_joins {
    atomic_uint sent, answered;
};

/* Makes clients of `conf` count in `joins`. False: out of memory. */
bool kafka_joins_watch(struct rd_kafka_conf_s *conf, struct kafka_joins *joins);
/* Is a JoinGroup without its answer? Any thread. */
bool kafka_joins_under_way(struct kafka_joins *joins);

#endif
