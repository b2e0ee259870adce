/* Jobs: the road of one request, from its record to its commit. job.c reads from top to bottom as
 * its life. */
#ifndef ENGINE_JOB_H
#define ENGINE_JOB_H

#include "engine/call.h"
#include "engine/state.h"

/* A record came and its partition has room: a job takes it up. */
void job_take(struct engine *engine, struct partition *partition, const struct record *record);
/* Its reply topic was looked up. */
void job_route(struct engine *engine, struct job *job);
/* It leads its lane now. */
void job_lead(struct engine *engine, struct job *job);
/* It may be called now: it is at the head of its target's queue and there is a free slot. */
void job_call(struct engine *engine, struct job *job);
/* Its call ended; `end` NULL: broken off by ourselves because of call->why. */
void job_call_ended(struct engine *engine, struct job *job, const struct call_end *end);
/* Its timer fired: the rest is over, or its time limit has passed. */
void job_due(struct engine *engine, struct job *job);
/* Its partition is known to be ours (again). */
void job_unpark(struct engine *engine, struct job *job);
/* Its batch is committed. */
void job_committed(struct engine *engine, struct job *job);
/* Forgets a job that is not called and not finished: its request stays in Kafka for the next owner.
 */
void job_drop(struct engine *engine, struct job *job);
/* Breaks its call off for good (drain, lost partition); the usage goes out as cancelled, the
 * request stays in Kafka. */
void job_cancel(struct engine *engine, struct job *job);
/* Its partition is gone and its answer will not be published: only its usage goes out. */
void job_orphan(struct engine *engine, struct job *job);
bool job_is_finished(const struct job *job);

#endif
