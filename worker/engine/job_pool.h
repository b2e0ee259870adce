/* The pool of jobs: delivery.max_held of them, allocated at birth. This room hands jobs out, takes
 * them back, changes their step and counts them against the limits; job.c has their life. */
#ifndef ENGINE_JOB_POOL_H
#define ENGINE_JOB_POOL_H

#include "engine/state.h"

/* ERR_NO_MEMORY; jobs_done is due in any case. */
MUST_CHECK enum err jobs_init(struct engine *engine);
/* Frees all jobs with their results. */
void jobs_done(struct engine *engine);

/* Moves a job to another partition, of which it is held from now on, with its open call. The caller
 * adds job->link_partition to the jobs of `to`. */
void job_move(struct engine *engine, struct job *job, struct partition *to);
/* Whether one is free. */
bool jobs_are_free(const struct engine *engine);
/* The job that job_start takes next. CHECKs that one is free. */
struct job *job_next_free(struct engine *engine);
/* The job with this index (CHECKed), free or not. */
const struct job *job_at(const struct engine *engine, uint32_t index);
/* Moves a job to its next step; the only function that does. CHECKs the move (job_steps.def). */
void job_go(const struct engine *engine, struct job *job, enum job_step next);
/* Takes a free job for this record and counts it as held. Does not copy the record. */
void job_start(struct engine *engine, struct job *job, struct partition *partition,
               const struct record *record);
/* Returns the job to the pool with everything that it owns. CHECKs that it leads no lane and has no
 * call. */
void job_free(struct engine *engine, struct job *job);
/* Counts the bytes that the job holds now against its partition and delivery.max_held_bytes. */
void job_charge(struct engine *engine, struct job *job);

#endif
