/* The producer of stream chunks: idempotent, outside of transactions, never waiting. Records are
 * copied into its bounded queue; one that is refused, finds the queue full or cannot be delivered
 * in time ends its run. */
#ifndef IO_KAFKA_CHUNKS_H
#define IO_KAFKA_CHUNKS_H

#include "engine/ports.h"
#include "io/kafka/conf.h"
#include "io/loop/log_sink.h"
#include "io/loop/wake.h"

struct kafka_chunks;

/* NULL: ret_error (KAFKA_ERROR_MAX) says why. */
MUST_CHECK struct kafka_chunks *kafka_chunks_new(const struct kafka_config *config,
                                                 struct log_sink *sink, struct loop_wake wake,
                                                 char *ret_error);
void kafka_chunks_attach(struct kafka_chunks *chunks, struct engine *engine);
/* Takes the output. */
void kafka_chunks_send(struct kafka_chunks *chunks, struct call_ref call, struct output *chunk);
/* Tells the engine of refusals. Once a turn. */
void kafka_chunks_step(struct kafka_chunks *chunks);
/* Chunks that are on their way. */
size_t kafka_chunks_waiting(const struct kafka_chunks *chunks);
/* Drops what is on its way. NULL is fine. */
void kafka_chunks_free(struct kafka_chunks *chunks);

#endif
