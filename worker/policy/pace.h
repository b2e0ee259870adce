/* How fast a target (a model at an endpoint) may be called while it throttles or fails. Single
 * refusals are the affair of the request that got them; PACE_STREAK refusals in a row with no
 * answer between say that the target is full, or down. Then it rests (full jitter, doubled with
 * every further refusal, Retry-After honoured), is tried by one call, and opens again by doubling:
 * every answer makes room for its own successor and one more call, until `max`. A failure that says
 * nothing of the request is a refusal too. Pure; times are given. */
#ifndef POLICY_PACE_H
#define POLICY_PACE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/random.h"
#include "policy/retry.h"

#define PACE_STREAK 8

struct pace {
    uint32_t streak;    /* refusals since the last answer */
    uint32_t calls_max; /* open calls allowed now; 0 = no bound of its own */
    int64_t rest_until_ms;
    int64_t slowed_at_ms; /* when it began to be slow; only while calls_max > 0 */
};

/* true when this refusal made the target rest (anew): *ret_delay_ms says how long. */
bool pace_refused(struct pace *pace, const struct retry_settings *settings, int64_t now_ms,
                  int64_t retry_after_ms, struct random *random, int64_t *ret_delay_ms);
/* Nothing was answered since a whole streak of refusals: the target is not known to work. */
static inline bool pace_is_shut(const struct pace *pace)
{
    return pace->streak >= PACE_STREAK;
}
/* An answer. `max` = all call slots there are. true when the target has just recovered whole. */
bool pace_answered(struct pace *pace, uint32_t max);
/* May another call begin, with `calls` open? Else *ret_again_ms says when time alone may change
 * that (INT64_MAX: only an answer can). */
bool pace_allows(const struct pace *pace, uint32_t calls, int64_t now_ms, int64_t *ret_again_ms);

#endif
