/* How long a request may take: its own time limit, and retry.max_elapsed from its first call, which
 * does not run while its target rests after throttling. */
#ifndef ENGINE_JOB_LIMITS_H
#define ENGINE_JOB_LIMITS_H

#include "engine/state.h"

/* Milliseconds until its own time limit, by the service's clock; INT64_MAX = it has none. */
int64_t job_left_ms(const struct engine *engine, const struct job *job);
/* Whether that has passed; then job->why says so. */
bool job_is_expired(struct engine *engine, struct job *job);
/* Milliseconds since its first call began, less the rests of its target, as far as these are not
 * longer than max_elapsed: a request that only it is throttled for must end. 0 = none began. */
int64_t job_elapsed_ms(const struct engine *engine, const struct job *job);
/* Whether it waited too long for another attempt. */
bool job_is_out_of_time(const struct engine *engine, const struct job *job);
/* Sets the job's timer to the time at which the first of both limits may pass. */
void job_watch_limits(struct engine *engine, struct job *job);

#endif
