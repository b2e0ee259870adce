/* Is the consumer joining its group just now? librdkafka has no question for it, but shows each
 * request that leaves.
 *
 * It matters for commits of the consumer's own: behind a JoinGroup on the same connection the
 * coordinator looks at them only when the next generation stands, refuses the number of the last
 * one, and librdkafka 2.0.2 then gives all partitions up as lost. */
#ifndef IO_KAFKA_JOINS_H
#define IO_KAFKA_JOINS_H

#include <stdatomic.h>
#include <stdbool.h>

struct rd_kafka_conf_s;

/* Written by librdkafka's threads; must live as long as the client. */
struct kafka_joins {
    atomic_uint sent, answered;
};

/* Clients made of `conf` are watched. False: out of memory. */
bool kafka_joins_watch(struct rd_kafka_conf_s *conf, struct kafka_joins *joins);
bool kafka_joins_under_way(struct kafka_joins *joins);

#endif
