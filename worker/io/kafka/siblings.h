/* The offset maps of a topic's other partitions: what the group has committed for them. One
 * question asks for all offsets of the group and answers every partition that waits. It takes
 * offsets with a transaction pending, too: the maps only say how many partitions the topic had.
 * Loop thread only.
 */
#ifndef IO_KAFKA_SIBLINGS_H
#define IO_KAFKA_SIBLINGS_H

#include "engine/ports.h"
#include "io/kafka/consumer.h"

struct kafka_siblings;

/* Makes the room on the consumer's client; it calls `wake` when it has an answer. `config` and
 * `consumer` are borrowed. NULL: out of memory. */
MUST_CHECK struct kafka_siblings *kafka_siblings_new(const struct kafka_config *config,
                                                     struct kafka_consumer *consumer,
                                                     struct loop_wake wake);
/* Sets the engine that receives the maps; NULL = none. */
void kafka_siblings_attach(struct kafka_siblings *siblings, struct engine *engine);
/* Reads the maps of the siblings of a partition; engine_siblings_read gets them, with `ticket`, in
 * a later step. */
void kafka_siblings_read(struct kafka_siblings *siblings, struct tenure tenure, uint32_t ticket);
/* Serves the answer, and asks. Call it once per turn. */
void kafka_siblings_step(struct kafka_siblings *siblings);
/* Call it before kafka_consumer_free. NULL is fine. */
void kafka_siblings_free(struct kafka_siblings *siblings);

#endif
