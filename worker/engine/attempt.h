/* Attempts: the calls that a job made; the last one may be under way. An attempt (struct attempt,
 * wire/outputs/output.h) records what the worker called and how: model, region, dialect, version of
 * the credentials, ids and times. Outputs read these from the attempt, so the next attempt of a job
 * may call another model or region. The job's arena owns the attempts. */
#ifndef ENGINE_ATTEMPT_H
#define ENGINE_ATTEMPT_H

#include "engine/state.h"

/* Begins the job's next attempt at job->target, now, with the target's present identity. Replaces
 * the last attempt when the job has ATTEMPTS_MAX or no memory for one more. Never NULL; valid until
 * the next attempt begins. */
struct attempt *attempt_begin(struct engine *engine, struct job *job);
/* Removes the attempt that began last, whose call did not; what it replaced is back. */
void attempt_undo(struct engine *engine, struct job *job);
/* The last attempt, borrowed from the job; NULL before the first. */
struct attempt *attempt_last(const struct job *job);
/* Records the HTTP status, the request id and the tier that served from the answer's head. */
void attempt_head(struct attempt *attempt, int status, struct slice head);
/* Records the tier that the answer names; null = none. */
void attempt_tier(struct attempt *attempt, struct slice tier);
/* Records duration and error of the job's last attempt; err OK in `why`: it succeeded. */
void attempt_end(struct engine *engine, struct job *job, const struct why *why);

#endif
