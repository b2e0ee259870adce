/* Credentials that the service refuses. A call that fails for them says nothing about its request,
 * which waits (reason `credentials`, without counting an attempt) until its own time limit; so do
 * all others of its target. The engine asks io for new credentials, and calls resume with them.
 * With the same ones it tries one call of the target at times, because keys take effect late and
 * are activated again. Each target finds out for itself: a region that the account has not enabled
 * refuses the keys that other regions accept. */
#ifndef ENGINE_REFUSAL_H
#define ENGINE_REFUSAL_H

#include "engine/state.h"

struct verdict;

#define REFUSAL_PROBE_MS 30000 /* between two calls of a target whose credentials are refused */

/* Notes what the end of the job's call says about its target's credentials, before the call is
 * freed. True: they are refused, and the request is to wait for others. */
MUST_CHECK bool refusal_hear(struct engine *engine, struct job *job, const struct verdict *verdict);
/* Notes that a call of the target begins. */
void refusal_call_begins(const struct engine *engine, struct target *target);
/* Whether the service refuses the target's present credentials. */
bool refusal_is_known(const struct target *target);
/* Whether the target must not call because its present credentials are refused; then *ret_again_ms
 * is when it may try one call. */
MUST_CHECK bool refusal_stops(const struct engine *engine, const struct target *target,
                              int64_t *ret_again_ms);

#endif
