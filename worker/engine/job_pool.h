/* The pool of jobs: max_held of them, made at birth. Here a job is handed out and taken back,
 * changes its step, and is counted against the limits; what it does between is its road (job.c). */
#ifndef ENGINE_JOB_POOL_H
#define ENGINE_JOB_POOL_H

#include "engine/state.h"

MUST_CHECK enum err jobs_init(struct engine *engine);
void jobs_done(struct engine *engine);

/* The job that job_start takes next: there is one while fewer than max_held are held. */
struct job *job_next_free(struct engine *engine);
/* The job with this index, a free one too. */
const struct job *job_at(const struct engine *engine, uint32_t index);
/* The only place where a job changes its step: job_steps.def says which moves there are. */
void job_go(struct job *job, enum job_step next);
/* Takes a free job out of the pool for this record, which is not copied yet. */
void job_start(struct engine *engine, struct job *job, struct partition *partition,
               const struct record *record);
/* Gives it back with all that it owns. It is in no lane and has no call. */
void job_free(struct engine *engine, struct job *job);
/* Counts the memory that it holds now against its partition and delivery.max_held_bytes. */
void job_charge(struct engine *engine, struct job *job);

#endif
