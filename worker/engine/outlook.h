/* What a request must expect of a target: whether it will be called there, and after what wait. The
 * route of a request (route.h) is chosen by it. A target is out when calls fail in a row (no
 * connection, 5xx, time-outs) for seconds, whoever's they are; policy/outage.h, which stops the
 * calls of a target, wants more of them. Times are milliseconds. */
#ifndef ENGINE_OUTLOOK_H
#define ENGINE_OUTLOOK_H

#include "engine/state.h"

struct verdict;

#define OUTLOOK_OUTAGE_MS    5000 /* without an answer, from the first failure in a row */
#define OUTLOOK_OUTAGE_CALLS 2    /* that failed in a row */
#define OUTLOOK_PROBE_MS     5000 /* from the last of them to a request that tries again */

/* A call of the target ended. */
void outlook_note(const struct engine *engine, struct target *target,
                  const struct verdict *verdict);
/* Why requests avoid a target now, whatever their place there: MOVE_OUTAGE, MOVE_DAY or
 * MOVE_CREDENTIALS; MOVE_NONE: they do not. */
enum move outlook_of(const struct engine *engine, const struct target *target);
/* Likewise when no target exists yet: only its identity is known. */
enum move outlook_of_identity(const struct identity *identity);
/* The expected wait of a request there with `ahead` requests before it, by the target's rests and
 * rate. */
int64_t outlook_wait_ms(const struct engine *engine, const struct target *target, uint64_t ahead);
/* Whether one call may find out if the target answers again: none that began since the last bad
 * news is open, it does not rest, and its last failure is not of the last seconds. */
bool outlook_is_probe_due(const struct engine *engine, const struct target *target);

#endif
