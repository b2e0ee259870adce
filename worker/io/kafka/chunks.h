/* The producer of stream chunks: idempotent (KIP-98), outside of transactions, never blocking. It
 * copies records into a queue that is bounded by the calls in flight. When a chunk is rejected or
 * is not delivered in time, the engine gets engine_chunk_refused and sends no further chunks of
 * that call. Loop thread only. */
#ifndef IO_KAFKA_CHUNKS_H
#define IO_KAFKA_CHUNKS_H

#include "engine/ports.h"
#include "io/kafka/conf.h"
#include "io/kafka/lines.h"
#include "io/loop/wake.h"

struct kafka_chunks;

/* Makes the producer; it calls `wake` when it has events for kafka_chunks_step. `config` is
 * borrowed. NULL: ret_error (KAFKA_ERROR_MAX) says why. */
MUST_CHECK struct kafka_chunks *kafka_chunks_new(const struct kafka_config *config,
                                                 struct kafka_lines *lines, struct loop_wake wake,
                                                 char *ret_error);
/* Sets the engine that receives refusals; NULL = none. */
void kafka_chunks_attach(struct kafka_chunks *chunks, struct engine *engine);
/* Queues a chunk of `call`. Takes the output over and frees it. False: the queue is full; the last
 * sixteenth of it is for last chunks. */
MUST_CHECK bool kafka_chunks_send(struct kafka_chunks *chunks, struct call_ref call,
                                  struct output *chunk, bool is_last);
/* Serves the producer and reports refusals to the engine. Call it once per turn. */
void kafka_chunks_step(struct kafka_chunks *chunks);
/* The number of chunks that have no delivery report yet. */
size_t kafka_chunks_waiting(const struct kafka_chunks *chunks);
/* Drops these chunks and ends the producer. NULL is fine. */
void kafka_chunks_free(struct kafka_chunks *chunks);

#endif
