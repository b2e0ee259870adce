/* What topics are now: id (KIP-516) and number of partitions, by DescribeTopics, which librdkafka
 * has since 2.3.0. With an older one, an older broker or without the right to describe a topic they
 * are unknown. One question at a time; its answer is kept until the next. Loop thread only. */
#ifndef IO_KAFKA_TOPIC_IDS_H
#define IO_KAFKA_TOPIC_IDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/slice.h"

struct rd_kafka_s;
struct rd_kafka_queue_s;
struct rd_kafka_op_s;
struct topic_ids_entry;

struct kafka_topic_ids {
    struct rd_kafka_s *client;      /* borrowed */
    struct rd_kafka_queue_s *queue; /* of the answer; borrowed */
    struct topic_ids_entry *entries;
    size_t count;
    bool is_asking;
    bool has_failed;   /* the last question, as a whole; it may succeed later */
    uint32_t failures; /* in a row */
    int32_t broker_id; /* a broker to ask; -1 = the controller */
};

/* Makes an empty room. */
void topic_ids_init(struct kafka_topic_ids *ids, struct rd_kafka_s *client,
                    struct rd_kafka_queue_s *queue);
void topic_ids_done(struct kafka_topic_ids *ids);
/* Asks for these topics (NUL-terminated, each once), and forgets what was known. `count` is above
 * 0, and no question runs (both CHECKed). is_asking stays false where there is nothing to ask. */
void topic_ids_ask(struct kafka_topic_ids *ids, const char *const *topics, size_t count);
/* Takes an event of the queue; false: it is not the answer. */
MUST_CHECK bool topic_ids_answer(struct kafka_topic_ids *ids, struct rd_kafka_op_s *event);
/* What is known of a topic that was asked for. OK: *ret_id is its id (16 bytes, borrowed until the
 * next question; null = unknown) and *ret_partitions their number (0 = unknown). ERR_IO: the answer
 * may be another one later. */
MUST_CHECK enum err topic_ids_find(const struct kafka_topic_ids *ids, const char *topic,
                                   struct slice *ret_id, int32_t *ret_partitions);

#endif
