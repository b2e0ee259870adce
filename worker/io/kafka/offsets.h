/* Committed offsets, with their metadata.
 *
 * Reads: one asynchronous request for many partitions; only stable offsets count, on which no
 * transaction is pending (KIP-447). Commits, only under at_least_once (under exactly_once the
 * transaction commits them): this room keeps the newest offset per partition of the batches that
 * have ended, and commits it with the consumer once per commit interval, or at once when something
 * waits for it. A read waits until the kept offset of its partition is committed, so that it
 * reflects every batch that has ended. Loop thread only. */
#ifndef IO_KAFKA_OFFSETS_H
#define IO_KAFKA_OFFSETS_H

#include "engine/ports.h"
#include "io/kafka/consumer.h"

struct kafka_offsets;

/* Makes the room on the consumer's client; it calls `wake` when it has answers. `config` and
 * `consumer` are borrowed. NULL: out of memory. */
MUST_CHECK struct kafka_offsets *kafka_offsets_new(const struct kafka_config *config,
                                                   struct kafka_consumer *consumer,
                                                   struct log_sink *sink, struct loop_wake wake);
/* A broker that answers, to ask about topics; -1 = none is known. */
void kafka_offsets_set_broker(struct kafka_offsets *offsets, int32_t broker_id);
/* Sets the engine that receives what was read; NULL = none. */
void kafka_offsets_attach(struct kafka_offsets *offsets, struct engine *engine);
/* Reads the committed offset of a partition; engine_offsets_read gets it, with `ticket`, in a later
 * step. A later read of the same tenure replaces one that is not sent yet. */
void kafka_offsets_read(struct kafka_offsets *offsets, struct tenure tenure, uint32_t ticket);
/* Keeps the offset of a batch that has ended, to commit it later. Copies it. */
void kafka_offsets_keep(struct kafka_offsets *offsets, const struct batch_offset *offset);
/* Commits the kept offsets in the next step. */
void kafka_offsets_commit(struct kafka_offsets *offsets);
/* Is an offset of this tenure kept? An offset is kept until it is committed. */
bool kafka_offsets_holds(const struct kafka_offsets *offsets, struct tenure tenure);
/* Is one of any tenure kept, and of how many? */
bool kafka_offsets_holds_any(const struct kafka_offsets *offsets);
size_t kafka_offsets_held(const struct kafka_offsets *offsets);
/* Drops the kept offset of a partition that leaves, because it could not be committed within
 * `waited_ms`, and logs OFFSETS_NOT_COMMITTED. */
void kafka_offsets_give_up(struct kafka_offsets *offsets, struct tenure tenure, int64_t waited_ms);
/* Serves answers, commits and reads. Call it once per turn, again at the time that it returns
 * (INT64_MAX = none), and when woken. */
int64_t kafka_offsets_step(struct kafka_offsets *offsets, int64_t now_ms);
/* Call it before kafka_consumer_free. NULL is fine. */
void kafka_offsets_free(struct kafka_offsets *offsets);

#endif
