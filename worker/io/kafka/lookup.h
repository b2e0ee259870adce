/* Questions to the brokers that librdkafka answers by blocking: does a topic exist, where does a
 * log begin and end, is anybody there. A thread of its own asks them with the consumer's client
 * (which creates no topic by asking); the answers wait in a list until kafka_lookup_step hands them
 * to the engine. It also watches for the topics of the settings that are not there yet, and says so
 * once. */
#ifndef IO_KAFKA_LOOKUP_H
#define IO_KAFKA_LOOKUP_H

#include "engine/ports.h"
#include "io/kafka/consumer.h"

struct kafka_lookup;

/* NULL: out of memory or threads. */
MUST_CHECK struct kafka_lookup *kafka_lookup_new(const struct kafka_config *config,
                                                 struct kafka_consumer *consumer,
                                                 struct log_sink *sink, struct loop_wake wake);
void kafka_lookup_attach(struct kafka_lookup *lookup, struct engine *engine);
/* Answered by engine_topic_found and engine_watermarks_read; ERR_IO, which is asked again, no
 * sooner than half a second later. */
void kafka_lookup_topic(struct kafka_lookup *lookup, struct slice topic, uint32_t ticket);
void kafka_lookup_watermarks(struct kafka_lookup *lookup, struct tenure tenure);
/* Hands answers over; asks for the brokers when they are said to be down. Once a turn. */
void kafka_lookup_step(struct kafka_lookup *lookup, int64_t now_ms);
/* Waits for the question under way (some seconds at most). NULL is fine. */
void kafka_lookup_free(struct kafka_lookup *lookup);

#endif
