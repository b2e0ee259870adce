/* Reads the usage topic, so that the worker knows what the tenants of the whole group have spent
 * (policy/budget.h): the records of all its partitions from a time on, committed ones only, without
 * a consumer group. A thread asks the brokers, which may block, and reads; at most
 * SPENDING_RECORDS_MAX records wait for the loop. It goes on for ever after every error.
 *
 * Loop thread only, except where noted. */
#ifndef IO_KAFKA_SPENDING_H
#define IO_KAFKA_SPENDING_H

#include "engine/ports.h"
#include "io/kafka/conf.h"
#include "io/kafka/lines.h"
#include "io/loop/wake.h"

#define SPENDING_RECORDS_MAX 1000

struct kafka_spending;

/* Starts the thread, which calls `wake` when there is something for the loop. It reads `topic`
 * (borrowed) from `since_ms` (Unix time) on. `config` and `lines` are borrowed. NULL: ret_error
 * (KAFKA_ERROR_MAX) says why. */
MUST_CHECK struct kafka_spending *kafka_spending_new(const struct kafka_config *config,
                                                     struct slice topic, int64_t since_ms,
                                                     struct kafka_lines *lines,
                                                     struct loop_wake wake, char *ret_error);
/* Passes what was read to the engine: engine_usage_read, and engine_usage_caught_up once, when all
 * that was there at the start has been passed on. Call it once per turn. Returns whether more
 * waits. */
bool kafka_spending_step(struct kafka_spending *spending, struct engine *engine);
/* Ends the thread; takes up to half a second. NULL is fine. */
void kafka_spending_free(struct kafka_spending *spending);

#endif
