/* Which records of a batch the broker rejected. It rejects all records of one topic-partition that
 * it receives together, so a record is at fault for sure only if it was sent alone: because it was
 * the only one, or because it fills a set (batch.size) by its own size. Where the topic's limit is
 * known, a record over it is. */
#ifndef IO_KAFKA_REFUSALS_H
#define IO_KAFKA_REFUSALS_H

#include "engine/ports.h"

struct refusal_note;
struct topic_limits;

struct refusals {
    struct refusal_note *notes;
    struct batch_refusal *told; /* what the engine is told */
    size_t count, room;
};

/* Starts zeroed. */
void refusals_done(struct refusals *refusals);
void refusals_clear(struct refusals *refusals);
/* Notes that a record of the batch was rejected with this code of librdkafka. `partition`: where it
 * was sent to; -1: librdkafka did not send it. */
void refusals_add(struct refusals *refusals, const struct batch *batch, size_t index, int code,
                  int32_t partition);
/* The code of the first rejected record of the batch; there must be one (CHECKed). */
int refusals_first_code(const struct refusals *refusals);
/* The topics of records that the broker rejected as too large, each once, borrowed from the batch:
 * at most `room`. Returns their number. */
size_t refusals_large_topics(const struct refusals *refusals, struct slice *ret_topics,
                             size_t room);
/* Fills the list of an end; `set_bytes` is the client's batch.size, `limits` what is known of the
 * topics; NULL: it does not decide, because records are compressed. Returns what the next client's
 * batch.size should be; 0: the same. It is the least limit of a topic that rejected records and
 * whose limit is known and smaller; else, if records may have been rejected for others, the size of
 * the smallest of them, so that each is sent alone and shows whether it is at fault; if one is
 * smaller than a set and too large, it is half of that. *ret_set: the broker rejected a set for
 * what it has; then it may reject the next sets of the same client for their numbers. */
size_t refusals_tell(struct refusals *refusals, const struct topic_limits *limits,
                     int64_t set_bytes, struct batch_end *ret_end, bool *ret_set);

#endif
