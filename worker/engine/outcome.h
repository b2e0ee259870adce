/* Outcomes: what goes out for a job, made into results: an answer (response, its usage, dead
 * letter), or the usage of a call that ended without one. */
#ifndef ENGINE_OUTCOME_H
#define ENGINE_OUTCOME_H

#include "engine/call.h"
#include "engine/state.h"

/* The job's answer: response and final usage. False: the answer cannot be a record (job->why says
 * why); make it an error. */
MUST_CHECK bool outcome_answer(struct engine *engine, struct job *job,
                               const struct verdict *verdict);
/* An error response and a dead letter, as the settings want them, for job->why. */
void outcome_error(struct engine *engine, struct job *job);
/* Usage of the job's last attempt, which did not give the answer. */
void outcome_call_usage(struct engine *engine, struct job *job, const struct verdict *verdict);
/* Usage of a call that a dead owner had under way. */
void outcome_dead_owners_call(struct engine *engine, struct job *job);
/* The job's answer will not be published (its partition is gone): the usage of its call still is,
 * as not final. */
void outcome_orphan(struct engine *engine, struct job *job);
/* The broker refused this output for good: can something that it takes be published instead? Else
 * nothing can be done but wait (a topic of the settings itself is missing or forbidden). */
bool outcome_can_replace(const struct result *result, const struct output *output, enum err err);
void outcome_replace(struct engine *engine, struct result *result, struct output *output,
                     enum err err);

#endif
