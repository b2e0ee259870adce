/* Reading a topic from committed offsets, and sending records together with the next ones in Kafka
 * transactions (KIP-98, KIP-447), for commands that move records. The client was made by
 * client_new_as. It joins no group: the transactional id makes sure that only the newest client
 * commits. Calls block up to their time-out. */
#ifndef APP_CLIENT_KAFKA_TRANSACTIONS_H
#define APP_CLIENT_KAFKA_TRANSACTIONS_H

#include "app/client/kafka_client.h"

/* A partition of a topic, as the brokers have it. */
struct client_place {
    int64_t low, high;    /* offsets of the first record, and behind the last */
    int64_t committed;    /* of the group; -1 = none */
    struct buf *metadata; /* where the text of the committed offset is added; borrowed */
};

/* Ends what an earlier client with the same transactional id left open, and fences that client.
 * ERR_NOT_ALLOWED, ERR_IO. */
MUST_CHECK enum err client_fence(struct client *client, int64_t timeout_ms);
/* Looks up a partition. ERR_NOT_ALLOWED, ERR_IO, ERR_TOO_LARGE or ERR_NO_MEMORY of the metadata. */
MUST_CHECK enum err client_look_up(struct client *client, struct slice topic, int32_t partition,
                                   int64_t timeout_ms, struct client_place *ret_place);
/* Begins to read the topic's partitions 0 to count - 1 at these offsets. Errors as client_follow;
 * ERR_NOT_FOUND, too, when it has fewer partitions. */
MUST_CHECK enum err client_follow_from(struct client *client, struct slice topic,
                                       const int64_t *offsets, int32_t count, int64_t timeout_ms);
/* Reads the record at an offset of another topic; it replaces the one of client_read.
 * ERR_NOT_FOUND: no committed record is there. ERR_TIMEOUT, ERR_NOT_ALLOWED, ERR_IO. */
MUST_CHECK enum err client_read_at(struct client *client, struct slice topic, int32_t partition,
                                   int64_t offset, int64_t timeout_ms, struct record *ret_record);

/* What one transaction commits. */
struct client_offset {
    struct slice topic;
    int32_t partition;
    int64_t offset;
    struct slice metadata;
};
struct client_batch {
    const struct record *records; /* topic, key, value, headers count; the key decides the
                                     partition */
    size_t record_count;
    const struct client_offset *offsets;
    size_t offset_count;
};

/* Sends a batch in a transaction. OK: it is committed. Nothing of it is after ERR_TOO_LARGE,
 * ERR_NOT_ALLOWED, ERR_NOT_FOUND or ERR_INVALID (the broker rejects record *ret_rejected, or the
 * offsets: then it is record_count) and after ERR_TIMEOUT (the same batch may succeed later).
 * ERR_FENCED: another client has taken over; nothing is committed. ERR_UNSTABLE: the outcome is
 * unknown; committed offsets tell it, and this client cannot go on. */
MUST_CHECK enum err client_transact(struct client *client, const struct client_batch *batch,
                                    int64_t timeout_ms, size_t *ret_rejected);

#endif
