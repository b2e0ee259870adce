/* bedrock-sim: a local Amazon Bedrock Runtime for development and tests. It speaks Converse and
 * ConverseStream over HTTP on one thread of its own, verifies signatures, checks request bodies,
 * injects faults by seed, and keeps a ledger of every call it served with the tokens it billed. The
 * program is sim_command; `bedrock-worker demo` and the tests run the same core in their process.
 */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "sim/faults.h"
#include "sim/settings.h"

struct sim;

struct sim_stats {
    int64_t calls;                       /* begun: head and body were read */
    int64_t ok;                          /* answered whole, with status 200 and no fault */
    int64_t errors;                      /* answered with another status */
    int64_t gone;                        /* the client left before the end */
    int64_t open;                        /* begun and not ended now */
    int64_t open_most;                   /* at once since the start */
    int64_t input_tokens, output_tokens; /* billed */
    int64_t faults[FAULT_COUNT];         /* by kind */
};

/* Borrows the settings until sim_free. NULL = out of memory. */
MUST_CHECK struct sim *sim_new(const struct sim_config *config);
/* Opens the port and the ledger, starts the thread. ERR_IO with words for people in sim_problem. */
MUST_CHECK enum err sim_start(struct sim *sim);
const char *sim_problem(const struct sim *sim);
/* The port that it listens on (the settings' 0 = one of the system's choice). */
int sim_port(const struct sim *sim);
/* From any thread, at any time. */
void sim_stats(const struct sim *sim, struct sim_stats *ret_stats);
/* Ends open calls at once (their ledger lines say `stopped`), flushes the ledger, joins the thread.
 * Harmless when not started. */
void sim_stop(struct sim *sim);
void sim_free(struct sim *sim); /* stops it first; NULL is fine */

/* The program: 0 done, 1 failed, 2 wrong settings or usage. */
int sim_command(int argc, char **argv);

#endif
