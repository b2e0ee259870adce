/* The Kafka consumer of the request topics: its client, subscription, records and errors. It is
 * made of the partitions (io/kafka/partitions.h), the group's rebalances (io/kafka/rebalances.h)
 * and the membership (io/kafka/group.h). It reports to the engine by the events of engine/ports.h.
 * Loop thread only. */
#ifndef IO_KAFKA_CONSUMER_H
#define IO_KAFKA_CONSUMER_H

#include "engine/ports.h"
#include "io/kafka/arrival.h"
#include "io/kafka/conf.h"
#include "io/kafka/partitions.h"
#include "io/kafka/rebalances.h"
#include "io/loop/wake.h"

struct rd_kafka_consumer_group_metadata_s;
struct rd_kafka_topic_partition_list_s;

struct kafka_consumer;

/* Makes the client, without a subscription; it calls `wake` when it has events. `config` is
 * borrowed. NULL: ret_error (KAFKA_ERROR_MAX) says why. */
MUST_CHECK struct kafka_consumer *kafka_consumer_new(const struct kafka_config *config,
                                                     struct kafka_lines *lines,
                                                     struct loop_wake wake, char *ret_error);
/* Sets the engine that receives events. */
void kafka_consumer_attach(struct kafka_consumer *consumer, struct engine *engine);
/* Joins the group for the topics of the settings. False: ret_error (KAFKA_ERROR_MAX) says why. */
MUST_CHECK bool kafka_consumer_subscribe(struct kafka_consumer *consumer, char *ret_error);
/* The librdkafka client, borrowed until kafka_consumer_free. */
struct rd_kafka_s *kafka_consumer_client(struct kafka_consumer *consumer);

/* The engine's commands partition_start, partition_pause and partition_release; a tenure that is
 * over is ignored. */
void kafka_consumer_start(struct kafka_consumer *consumer, struct tenure tenure, int64_t offset,
                          int32_t leader_epoch);
void kafka_consumer_pause(struct kafka_consumer *consumer, struct tenure tenure);
void kafka_consumer_release(struct kafka_consumer *consumer, struct tenure tenure);
/* The partition of a tenure; NULL when the tenure is over. */
const struct part *kafka_consumer_part(struct kafka_consumer *consumer, struct tenure tenure);

/* Does this worker have the partition? */
bool kafka_consumer_has(struct kafka_consumer *consumer, const char *topic, int32_t partition);

/* Serves events and rebalances. Call it once per turn, even when nothing has happened. */
void kafka_consumer_step(struct kafka_consumer *consumer, int64_t now_ms);
/* Passes records to the engine; true: there are more, and room for them. */
MUST_CHECK bool kafka_consumer_pump(struct kafka_consumer *consumer);
/* What the group has given (io/kafka/arrival.h). */
struct arrival_look kafka_consumer_arrival(struct kafka_consumer *consumer);
/* Has the client failed for good (such as a fenced static member)? The worker must then stop. */
bool kafka_consumer_failed(const struct kafka_consumer *consumer);
/* Another room got an answer from a broker, so not all brokers are down. */
void kafka_consumer_brokers_up(struct kafka_consumer *consumer, int64_t now_ms);
/* Is no broker reachable? */
bool kafka_consumer_brokers_down(const struct kafka_consumer *consumer);

/* How many rebalances of a kind there were; their names: "assigned", "revoked", "lost". */
int64_t kafka_consumer_rebalances(const struct kafka_consumer *consumer, enum rebalance_kind kind);
/* The partitions of which io must ask where their logs end, and the answer: partitions.h. */
struct rd_kafka_topic_partition_list_s *kafka_consumer_behind(struct kafka_consumer *consumer);
void kafka_consumer_ends_found(struct kafka_consumer *consumer,
                               const struct rd_kafka_topic_partition_list_s *ends);
/* A partition that stands still (io/kafka/still.h), borrowed until the next step; NULL = none. */
const struct part *kafka_consumer_still(struct kafka_consumer *consumer);

/* Begins a turn of the loop: from here on the membership is read again when it is needed. */
void kafka_consumer_turn(struct kafka_consumer *consumer);
/* Appends the serialized group metadata of this turn; nothing when the client is no member (see
 * kafka_group_serialized). */
void kafka_consumer_membership(struct kafka_consumer *consumer, struct buf *ret_metadata);
/* The group metadata as an object, for the committer, who destroys it; NULL when there is none. */
struct rd_kafka_consumer_group_metadata_s *kafka_consumer_group(struct kafka_consumer *consumer);
/* Is a JoinGroup on its way? A commit would then be too late for its generation (joins.h). */
bool kafka_consumer_is_joining(struct kafka_consumer *consumer);
/* Is a SyncGroup? The coordinator would read a commit only after its answer. */
bool kafka_consumer_is_syncing(struct kafka_consumer *consumer);

/* Leaves the group: begin, then call kafka_consumer_step until closed. The engine gets no further
 * event. */
void kafka_consumer_close_begin(struct kafka_consumer *consumer);
MUST_CHECK bool kafka_consumer_closed(struct kafka_consumer *consumer);
/* Ends the client, without waiting for the group. NULL is fine. */
void kafka_consumer_free(struct kafka_consumer *consumer);

#endif
