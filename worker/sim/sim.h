/* bedrock-sim: a local Amazon Bedrock Runtime for development and tests. It serves Converse and
 * ConverseStream over HTTP from one thread, verifies signatures, checks request bodies, injects
 * faults by a seed, and keeps a ledger of every call with the tokens that it billed. The program is
 * sim_command; `bedrock-worker demo` and the tests run a simulator in their process. */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "sim/faults.h"
#include "sim/settings.h"

struct sim;

/* Counters since the start. */
struct sim_stats {
    int64_t calls;                       /* that began: head and body were read */
    int64_t ok;                          /* whole answers with status 200 and without a fault */
    int64_t errors;                      /* answers with another status */
    int64_t gone;                        /* calls whose client left before the end */
    int64_t open;                        /* calls that have begun and not ended */
    int64_t open_most;                   /* the most open calls so far */
    int64_t input_tokens, output_tokens; /* billed */
    int64_t faults[FAULT_COUNT];         /* by kind */
};

/* Makes a simulator; `config` is borrowed until sim_free. NULL: out of memory. */
MUST_CHECK struct sim *sim_new(const struct sim_config *config);
/* Opens the port and the ledger, and starts the thread. ERR_IO: sim_problem says why. */
MUST_CHECK enum err sim_start(struct sim *sim);
/* What went wrong, for people. */
const char *sim_problem(const struct sim *sim);
/* The port that it listens on; with port 0 in the settings, the one that the system chose. */
int sim_port(const struct sim *sim);
/* Reads the counters. Any thread. */
void sim_stats(const struct sim *sim, struct sim_stats *ret_stats);
/* Ends open calls at once (with the outcome `stopped` in the ledger), writes the ledger and ends
 * the thread. Does nothing when not started. */
void sim_stop(struct sim *sim);
/* Stops and frees the simulator. NULL is fine. */
void sim_free(struct sim *sim);

/* The program bedrock-sim. Returns its exit code: 0 done, 1 failed, 2 invalid settings or usage. */
int sim_command(int argc, char **argv);

#endif
