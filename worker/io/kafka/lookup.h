/* Queries to the brokers for which librdkafka has only blocking calls: does a topic exist, where
 * does a log begin and end, does any broker answer. A thread runs them with the consumer's client,
 * which does not create topics. The answers wait in a list until kafka_lookup_step passes them to
 * the engine. The thread also watches the topics of the settings and logs when one is missing
 * (TOPIC_MISSING) and when it exists (TOPIC_FOUND). All functions are for the loop's thread. */
#ifndef IO_KAFKA_LOOKUP_H
#define IO_KAFKA_LOOKUP_H

#include "engine/ports.h"
#include "io/kafka/consumer.h"

struct kafka_lookup;

/* Starts the thread; it calls `wake` when it has an answer. `config` and `consumer` are borrowed.
 * NULL: out of memory or threads. */
MUST_CHECK struct kafka_lookup *kafka_lookup_new(const struct kafka_config *config,
                                                 struct kafka_consumer *consumer,
                                                 struct log_sink *sink, struct loop_wake wake);
/* Sets the engine that receives answers; NULL = none. */
void kafka_lookup_attach(struct kafka_lookup *lookup, struct engine *engine);
/* Query a topic, or the watermarks of a partition. engine_topic_found or engine_watermarks_read
 * gets the answer in a later step. The engine repeats a query after ERR_IO at once, so that answer
 * waits half a second. */
void kafka_lookup_topic(struct kafka_lookup *lookup, struct slice topic, uint32_t ticket);
void kafka_lookup_watermarks(struct kafka_lookup *lookup, struct tenure tenure);
/* Something else that asks brokers by calls that block: `run` in the thread, then `done` in a later
 * step of the loop. Not called when the room ends before. */
struct kafka_task {
    void (*run)(void *self);
    void (*done)(void *self, int64_t now_ms);
    void *self;
};
void kafka_lookup_task(struct kafka_lookup *lookup, struct kafka_task task);
/* How many partitions the request topics of the settings had when they were found; 0 = none is. */
int32_t kafka_lookup_partitions(struct kafka_lookup *lookup);
/* The id of a broker that has answered a query, the last one; -1 = none has. */
int32_t kafka_lookup_broker(const struct kafka_lookup *lookup);
/* Passes answers on, queries the brokers while they seem to be down, and from time to time where
 * the logs end that the worker is behind of. Call it once per turn. */
void kafka_lookup_step(struct kafka_lookup *lookup, int64_t now_ms);
/* Ends the thread; waits for its running query (a few seconds at most). NULL is fine. */
void kafka_lookup_free(struct kafka_lookup *lookup);

#endif
