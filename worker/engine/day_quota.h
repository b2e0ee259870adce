/* The tokens that a target may spend in any 24 hours, by quotas.tokens_per_day of the settings:
 * policy/day_budget.h. What each call counts is divided by this worker's part of the group's work,
 * as what the other workers spend meanwhile. When the day's tokens are spent, the target's requests
 * wait (WAIT_DAY) until enough of them are a day old. */
#ifndef ENGINE_DAY_QUOTA_H
#define ENGINE_DAY_QUOTA_H

#include "engine/state.h"

/* What the settings say, of a new target or after a change. */
void day_quota_set(const struct engine *engine, struct target *target);
/* Whether a call of this cost may begin now. If not, *ret_again_ms is when it may without an event;
 * INT64_MAX: when an open call ends. Logs when the day's tokens are spent. */
bool day_quota_allows(const struct engine *engine, struct target *target,
                      const struct quota_cost *cost, int64_t *ret_again_ms);
/* Counts what an ended call has used; negative = not known. */
void day_quota_spend(const struct engine *engine, struct target *target, double tokens);
/* Whether the day's tokens are spent. */
bool day_quota_is_spent(const struct engine *engine, const struct target *target);
/* Whether the target must be remembered because of what it spent. */
bool day_quota_is_used(const struct engine *engine, struct target *target);

#endif
