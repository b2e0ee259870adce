/* How large a set of records may be for its topic: `max.message.bytes` as the brokers say it
 * (DescribeConfigs). Unknown without the right DescribeConfigs on the topic, and when no broker
 * answers within a second; then rejections show it. What is known is forgotten after some minutes,
 * because an operator may change it. Asking blocks; one thread. */
#ifndef IO_KAFKA_TOPIC_LIMITS_H
#define IO_KAFKA_TOPIC_LIMITS_H

#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "io/kafka/partitions.h"

#define TOPIC_LIMITS_MAX 32 /* topics; more stay unknown */

struct rd_kafka_s;

struct topic_limit {
    char topic[TOPIC_NAME_MAX + 1];
    int64_t bytes;
    int64_t until_ms; /* monotonic */
};

/* Starts zeroed. */
struct topic_limits {
    struct topic_limit list[TOPIC_LIMITS_MAX];
    size_t count;
};

/* Asks for these topics, each named once; those beyond TOPIC_LIMITS_MAX are left out. `broker_id`
 * is the broker to ask; below 0: librdkafka waits for the controller. */
void topic_limits_ask(struct topic_limits *limits, struct rd_kafka_s *client,
                      const struct slice *topics, size_t count, int32_t broker_id);
/* Forgets what was asked long ago. */
void topic_limits_forget(struct topic_limits *limits);
/* Bytes of the largest set of the topic; 0 = unknown. */
int64_t topic_limits_find(const struct topic_limits *limits, struct slice topic);
/* The smallest of the known ones; `none` when none is known. */
int64_t topic_limits_least(const struct topic_limits *limits, int64_t none);

#endif
