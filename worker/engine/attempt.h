/* Attempts: the calls that a job made, the last one perhaps under way. An attempt (struct attempt,
 * wire/outputs/output.h) keeps what was called and how: model, region, dialect, with what it was
 * signed, its names and times. Outputs take these from the attempt, so that the next attempt of a
 * job may go to another model or region. The job's arena holds the attempts. */
#ifndef ENGINE_ATTEMPT_H
#define ENGINE_ATTEMPT_H

#include "engine/state.h"

/* The next attempt of a job, at its target, from this moment on, signed as the target's identity
 * would sign now. When there are ATTEMPTS_MAX, or no memory for one more, it takes the place of the
 * last. The pointer is valid until the next one begins. */
struct attempt *attempt_begin(struct engine *engine, struct job *job);
/* Its call could not be made up: it does not count. */
void attempt_undo(struct job *job);
/* The last one; NULL = none yet. */
struct attempt *attempt_last(const struct job *job);
/* The answer's head came. */
void attempt_head(struct attempt *attempt, int status, struct slice head);
/* The job's last attempt ended; `why` says how it failed (err OK = it did not). */
void attempt_end(struct engine *engine, struct job *job, const struct why *why);

#endif
