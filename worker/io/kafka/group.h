/* The consumer's membership of its group, as commits and the engine need it: the serialized group
 * metadata (member id and generation; KIP-447). This room reads it from librdkafka at most once per
 * turn of the loop, because librdkafka's main thread must answer. Loop thread only. */
#ifndef IO_KAFKA_GROUP_H
#define IO_KAFKA_GROUP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

struct rd_kafka_s;
struct rd_kafka_consumer_group_metadata_s;

struct kafka_group {
    struct rd_kafka_s *client; /* borrowed */
    char *bytes;               /* of this turn; NULL = not read yet, or no member */
    size_t size;
    bool is_read; /* in this turn */
    bool is_over; /* the client has failed for good */
};

/* Frees the metadata of the last turn. Call it at the beginning of each turn and at the end. */
void kafka_group_forget(struct kafka_group *group);
/* The serialized metadata, borrowed until the next kafka_group_forget. Null when the client is no
 * member (no member id, no generation, or its assignment is lost) and may not commit. */
struct slice kafka_group_serialized(struct kafka_group *group);
/* The metadata as an object for rd_kafka_send_offsets_to_transaction; the caller destroys it. NULL
 * when the client is no member. */
struct rd_kafka_consumer_group_metadata_s *kafka_group_metadata(struct kafka_group *group);

#endif
