/* Jobs: the road of one request from its record to its commit. job.c reads from top to bottom as
 * this life. A failure is an answer too: the job finishes with an error response and a dead letter.
 */
#ifndef ENGINE_JOB_H
#define ENGINE_JOB_H

#include "engine/call.h"
#include "engine/state.h"

/* Takes a record, for which the partition has room, into a free job (CHECKed). Copies the record;
 * ignores one that the ledger knows as done. */
void job_take(struct engine *engine, struct partition *partition, const struct record *record);
/* The map names a call of this request as running: one that this process recorded in an earlier
 * tenure, or a dead owner's, whose usage goes out now. Corrects taken->begun. */
void job_settle_earlier_call(struct engine *engine, struct job *job, struct ledger_taken *taken);
/* Checks the reply topic, again after its look-up; then the job lines up, or fails. */
void job_route(struct engine *engine, struct job *job);
/* The job leads its lane from now on. */
void job_lead(struct engine *engine, struct job *job);
/* Begins the job's call, or with delivery.write_ahead marks the job for it: the job is at the head
 * of its target's queue and all gates are open. Parks it instead while its partition is in doubt;
 * fails it after its time limit. */
void job_call(struct engine *engine, struct job *job);
/* Begins the call of a marked job whose mark is committed; it waits for its turn again when `may`
 * is false, and parks or fails as in job_call. */
void job_start_marked(struct engine *engine, struct job *job, bool may);
/* Ends the job's call: the job finishes, rests until its next attempt, or fails. `end` NULL: the
 * worker broke the call off itself. */
void job_call_ended(struct engine *engine, struct job *job, const struct call_end *end);
/* The job's timer fired: its rest is over, or its time limit has passed. */
void job_due(struct engine *engine, struct job *job);
/* A held job lines up again: its tenant's budget has room, which is reserved for it. */
void job_unhold(struct engine *engine, struct job *job);
/* A parked job lines up again: its partition is verified. */
void job_unpark(struct engine *engine, struct job *job);
/* Queues the job's answer for the next cut: it exists, and it is the job's turn in its lane. */
void job_submit(struct engine *engine, struct job *job);
/* Frees a job whose batch was committed. */
void job_committed(struct engine *engine, struct job *job);
/* Forgets a job without call or answer: its request stays in Kafka for the next owner. */
void job_drop(struct engine *engine, struct job *job);
/* Cancels the job's call (drain, lost partition) and drops the job. The usage goes out as
 * cancelled; the request stays in Kafka. */
void job_cancel(struct engine *engine, struct job *job);
/* Ends a job that has a call or an answer, and whose answer will not be published: breaks the call
 * off; its usage goes out. `reason`, for the log, is for a job of the shelf, which it leaves. */
void job_forsake(struct engine *engine, struct job *job, const char *reason);
/* Frees a job with an answer that will not be published: only its usage goes out. */
void job_orphan(struct engine *engine, struct job *job);
/* Whether its answer waits for a batch or is in one. */
bool job_is_finished(const struct job *job);

#endif
