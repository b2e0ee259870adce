/* How the work of the group is spread: a look at the offsets that the group has committed for all
 * partitions of the request topics, and at where their logs end, in the look-up thread.
 * The room looks when the engine wants it: every LAGS_EVERY_MS, soon after a rebalance, and rarely
 * while this worker has all partitions. A look has five seconds; one that fails changes nothing. It
 * takes offsets with a transaction pending, too. Partitions whose worker is gone count as idle
 * before the group notices (policy/lag_life.h). Loop thread only. */
#ifndef IO_KAFKA_LAGS_H
#define IO_KAFKA_LAGS_H

#include "engine/ports.h"
#include "io/kafka/consumer.h"
#include "io/kafka/lookup.h"

/* Two looks and a session that began with the first are over within 10 s. */
#define LAGS_EVERY_MS 4000

struct kafka_lags;

/* Makes the room; everything is borrowed. NULL: out of memory. Free it after the look-up room,
 * whose thread may use it. */
MUST_CHECK struct kafka_lags *kafka_lags_new(const struct kafka_config *config,
                                             struct kafka_consumer *consumer,
                                             struct kafka_lookup *lookup);
/* Sets the engine that receives the looks; NULL = none. */
void kafka_lags_attach(struct kafka_lags *lags, struct engine *engine);
/* Begins a look when one is due. Call it once per turn. */
void kafka_lags_step(struct kafka_lags *lags, int64_t now_ms);
/* How many looks succeeded, for tests and metrics. */
int64_t kafka_lags_looks(const struct kafka_lags *lags);
/* NULL is fine. */
void kafka_lags_free(struct kafka_lags *lags);

#endif
