/* Requests of librdkafka's admin interface, as the rooms here make them. The answer comes as an
 * event in the queue that was named. */
#ifndef IO_KAFKA_ADMIN_H
#define IO_KAFKA_ADMIN_H

#include <librdkafka/rdkafka.h>
#include <stddef.h>
#include <stdint.h>

#define ADMIN_DESCRIBES_TOPICS (RD_KAFKA_VERSION >= 0x02030000)

/* Options of a request with this limit, in milliseconds; the caller destroys them. NULL: out of
 * memory. */
rd_kafka_AdminOptions_t *admin_options(rd_kafka_t *client, rd_kafka_admin_op_t operation,
                                       int timeout_ms);

#if ADMIN_DESCRIBES_TOPICS
/* DescribeTopics (librdkafka 2.3), which makes no topic in the client, where it
 * would stay for ever, and creates none. `broker_id` is the broker that answers; below 0 =
 * librdkafka waits for the controller. CHECKs that there is memory. */
void admin_describe_topics(rd_kafka_t *client, const char **names, size_t count, int32_t broker_id,
                           int timeout_ms, rd_kafka_queue_t *queue);
#endif

#endif
