/* Committed offsets. Reading: offset and metadata together, stable (no transaction pending on
 * them), many partitions in one asynchronous request. Writing, under at_least_once alone: what
 * ended batches said is kept, the newest per partition, and committed with the consumer at most
 * every commit interval, or at once when something waits for it. A read waits until what is kept of
 * its partition is committed, so it reflects every batch that has ended. */
#ifndef IO_KAFKA_OFFSETS_H
#define IO_KAFKA_OFFSETS_H

#include "engine/ports.h"
#include "io/kafka/consumer.h"

struct kafka_offsets;

MUST_CHECK struct kafka_offsets *kafka_offsets_new(const struct kafka_config *config,
                                                   struct kafka_consumer *consumer,
                                                   struct log_sink *sink, struct loop_wake wake);
void kafka_offsets_attach(struct kafka_offsets *offsets, struct engine *engine);
/* Answered by engine_offsets_read in a later step. */
void kafka_offsets_read(struct kafka_offsets *offsets, struct tenure tenure, uint32_t ticket);
/* A batch has ended with this; copied. */
void kafka_offsets_keep(struct kafka_offsets *offsets, const struct batch_offset *offset);
/* Commit what is kept now. */
void kafka_offsets_commit(struct kafka_offsets *offsets);
/* Is anything of this tenure kept and not yet committed? */
bool kafka_offsets_holds(const struct kafka_offsets *offsets, struct tenure tenure);
/* … of any tenure? Of how many? */
bool kafka_offsets_holds_any(const struct kafka_offsets *offsets);
size_t kafka_offsets_held(const struct kafka_offsets *offsets);
/* Gives it up: the partition goes and could not be committed in that time. Says so. */
void kafka_offsets_give_up(struct kafka_offsets *offsets, struct tenure tenure, int64_t waited_ms);
/* Once a turn. Returns when it must be called next at the latest; INT64_MAX = when woken. */
int64_t kafka_offsets_step(struct kafka_offsets *offsets, int64_t now_ms);
/* Before the consumer. NULL is fine. */
void kafka_offsets_free(struct kafka_offsets *offsets);

#endif
