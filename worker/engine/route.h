/* Routes: a request that names an alias with fallbacks is called as the first of them that is
 * called now. It moves to another one between two calls only: while its target has answered nothing
 * for seconds, has spent its day's quota or lacks credentials, or when the expected wait there
 * exceeds fallback_after; never for one refusal, and never when an answer was kept (kept.h). Behind
 * it the request is another one: it is read again from its record for that alias
 * (wire/chat/substitute.h), with that one's model, API and defaults. A request that a fallback
 * cannot take stays.
 *
 * Once in a while one request tries a target that others avoid. When it answers again, they return.
 *
 * Counts and time limits of a request (policy/retry.h) are those of all its calls, wherever. Marks,
 * ledger and lanes know nothing of targets, so a move does not touch them. */
#ifndef ENGINE_ROUTE_H
#define ENGINE_ROUTE_H

#include "engine/state.h"

struct verdict;

#define ROUTE_LOOK_MS 250  /* between two looks at the requests that wait */
#define ROUTE_STAY_MS 1000 /* that a request stays where it came to before it goes back */

/* Gives a job that is in no queue and has no call the target where it is to be called, which may be
 * another one than it has. at_front: where it will be put in the queue. On an error, job->why says
 * why its alias has no target. */
MUST_CHECK enum err route_choose(struct engine *engine, struct job *job, bool at_front);
/* Whether route_choose would move it now: it need not wait for another call of its target. */
bool route_leads_away(struct engine *engine, const struct job *job);
/* Moves jobs that wait, and logs how many moved. Lowers *ret_next_ms (monotonic). Once a turn. */
void route_turn(struct engine *engine, int64_t *ret_next_ms);
/* A call of a fallback failed for good. True: that may be the fallback's own matter (its model
 * rejects what another one takes, or is not granted), and the job is to be called elsewhere. */
MUST_CHECK bool route_is_rejected(struct job *job, const struct verdict *verdict);

#endif
