/* Outcomes: the outputs of a job, made into results. An outcome is an answer (response with usage),
 * an error (error response, dead letter), or the usage of a call that gave no answer. CHECKs that
 * there is memory for errors and usage. */
#ifndef ENGINE_OUTCOME_H
#define ENGINE_OUTCOME_H

#include "engine/call.h"
#include "engine/state.h"

/* Adds response and final usage to job->result. False: the answer cannot become a record, and
 * job->why has the reason; the job must fail. */
MUST_CHECK bool outcome_answer(struct engine *engine, struct job *job,
                               const struct verdict *verdict);
/* Adds the response with the job's kept answer to job->result; clears job->why. False, and nothing
 * is changed: the answer cannot become a record. */
MUST_CHECK bool outcome_kept(struct engine *engine, struct job *job);
/* Adds an error response and a dead letter for job->why (not OK), as the settings say. Drops the
 * outputs that were not delivered. */
void outcome_error(struct engine *engine, struct job *job);
/* Submits the usage of the job's last attempt, which gave no answer, as a separate result. */
void outcome_call_usage(struct engine *engine, struct job *job, const struct verdict *verdict);
/* Submits the estimated usage of a call that a dead owner had under way (worker_lost), or may never
 * have made, as the map tells. */
void outcome_dead_owners_call(struct engine *engine, struct job *job,
                              const struct ledger_taken *taken);
/* Submits the usage of a finished job whose partition is gone, as not final: its answer is not
 * published. */
void outcome_orphan(struct engine *engine, struct job *job);
/* Makes the usage of a told call whose tenure is over, or that another owner recorded, say which
 * record it replaces. No effect on other results. CHECKs that there is memory. */
void outcome_name_replaced(struct engine *engine, struct result *result);
/* Whether another record can replace an output that the broker rejected with `err`. If not, the
 * batch must wait: a topic of the settings is missing, forbidden or too strict. */
bool outcome_can_replace(const struct result *result, const struct output *output, enum err err);
/* Replaces the output, which outcome_can_replace allows (CHECKed), and frees it. */
void outcome_replace(struct engine *engine, struct result *result, struct output *output,
                     enum err err);

/* Logs that the broker rejects an output for the request at this offset. */
void outcome_log_rejected(struct engine *engine, const struct partition *partition, int64_t offset,
                          const struct output *output, struct slice reason);

#endif
