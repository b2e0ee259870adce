/* The consumer's membership of its group, as commits and the engine need it: the serialized group
 * metadata. It is asked of librdkafka once a turn of the loop, because the question goes to its
 * main thread. Loop thread only. */
#ifndef IO_KAFKA_GROUP_H
#define IO_KAFKA_GROUP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

struct rd_kafka_s;
struct rd_kafka_consumer_group_metadata_s;

struct kafka_group {
    struct rd_kafka_s *client; /* borrowed */
    char *bytes;               /* of this turn; NULL = not asked yet, or no member */
    size_t size;
    bool is_asked;
    bool is_over; /* librdkafka gave the client up: there is no membership any more */
};

/* A turn begins: what the last one knew no longer counts. Also frees it. */
void kafka_group_forget(struct kafka_group *group);
/* The serialized metadata, valid until the next forget; null when the client is no member (no
 * member id, no generation, or the assignment is lost), which may not commit. */
struct slice kafka_group_serialized(struct kafka_group *group);
/* The same as an object for rd_kafka_send_offsets_to_transaction; the caller destroys it. NULL when
 * the client is no member. */
struct rd_kafka_consumer_group_metadata_s *kafka_group_metadata(struct kafka_group *group);

#endif
