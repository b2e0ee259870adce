/* Reads the usage topic, so that the worker knows what the tenants of the whole group have spent
 * (policy/budget.h): committed records only, without a consumer group. Where the topic of budgets
 * has sums of a partition (wire/outputs/sums.h), it reads the usage after them, else all from a
 * time on. Sums that are of no use are logged and passed over. Afterwards it goes on to read both.
 * A thread asks the brokers, which may block, and reads; at most SPENDING_RECORDS_MAX records wait
 * for the loop. It goes on for ever after every error.
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

/* Everything is borrowed. */
struct spending_config {
    struct slice usage_topic;
    struct slice budgets_topic; /* null = it has no sums */
    int64_t since_ms;           /* Unix time */
    uint64_t rules;             /* which budgets there are: other sums are of no use */
};

/* Starts the thread, which calls `wake` when there is something for the loop. `kafka`, `config` and
 * `lines` are borrowed. NULL: ret_error (KAFKA_ERROR_MAX) says why. */
MUST_CHECK struct kafka_spending *kafka_spending_new(const struct kafka_config *kafka,
                                                     const struct spending_config *config,
                                                     struct kafka_lines *lines,
                                                     struct loop_wake wake, char *ret_error);
/* Passes what was read to the engine: engine_sums_read, engine_usage_read, and
 * engine_usage_caught_up once, when all that was there at the start has been passed on. Call it
 * once per turn. Returns whether more waits. */
bool kafka_spending_step(struct kafka_spending *spending, struct engine *engine);
/* Ends the thread; takes up to half a second. NULL is fine. */
void kafka_spending_free(struct kafka_spending *spending);

#endif
