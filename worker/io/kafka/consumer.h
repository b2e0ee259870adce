/* The consumer: its client, subscription, records and errors. The group's rebalances are
 * io/kafka/rebalances, the membership io/kafka/group. Loop thread only. */
#ifndef IO_KAFKA_CONSUMER_H
#define IO_KAFKA_CONSUMER_H

#include "engine/ports.h"
#include "io/kafka/conf.h"
#include "io/kafka/partitions.h"
#include "io/loop/wake.h"

struct rd_kafka_consumer_group_metadata_s;

struct kafka_consumer;

/* NULL: ret_error (KAFKA_ERROR_MAX) says why. */
MUST_CHECK struct kafka_consumer *kafka_consumer_new(const struct kafka_config *config,
                                                     struct log_sink *sink, struct loop_wake wake,
                                                     char *ret_error);
void kafka_consumer_attach(struct kafka_consumer *consumer, struct engine *engine);
MUST_CHECK bool kafka_consumer_subscribe(struct kafka_consumer *consumer, char *ret_error);
struct rd_kafka_s *kafka_consumer_client(struct kafka_consumer *consumer);

/* The commands. Tenures that are over are left alone. */
void kafka_consumer_start(struct kafka_consumer *consumer, struct tenure tenure, int64_t offset);
void kafka_consumer_release(struct kafka_consumer *consumer, struct tenure tenure);
/* The partition of a tenure, or NULL. */
const struct part *kafka_consumer_part(struct kafka_consumer *consumer, struct tenure tenure);

/* Serves the group's events, answers rebalances. Once a turn, even when nothing happened. */
void kafka_consumer_step(struct kafka_consumer *consumer, int64_t now_ms);
/* Hands records over; true: there are more that could go at once. */
MUST_CHECK bool kafka_consumer_pump(struct kafka_consumer *consumer);
/* librdkafka gave the client up for good (a static member fenced): nothing but leaving helps. */
bool kafka_consumer_failed(const struct kafka_consumer *consumer);
/* Another room heard from a broker: they are not all down. */
void kafka_consumer_heard(struct kafka_consumer *consumer, int64_t now_ms);
bool kafka_consumer_brokers_down(const struct kafka_consumer *consumer);

/* A new turn of the loop: what the group says of us is asked for again. */
void kafka_consumer_turn(struct kafka_consumer *consumer);
/* As of this turn: serialized, appended; nothing when there is
 * no member id or the assignment is lost. */
void kafka_consumer_membership(struct kafka_consumer *consumer, struct buf *ret_metadata);
/* The same as an object for the committer, who destroys it; NULL when there is none. */
struct rd_kafka_consumer_group_metadata_s *kafka_consumer_group(struct kafka_consumer *consumer);
/* A JoinGroup is on its way: a commit would come too late for the generation it names. */
bool kafka_consumer_is_joining(struct kafka_consumer *consumer);

/* Leaves the group: begin, then step until closed. No event reaches the engine any more. */
void kafka_consumer_close_begin(struct kafka_consumer *consumer);
MUST_CHECK bool kafka_consumer_closed(struct kafka_consumer *consumer);
void kafka_consumer_free(struct kafka_consumer *consumer); /* NULL is fine */

#endif
