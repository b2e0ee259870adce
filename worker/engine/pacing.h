/* Pacing: a call begins when its target's quota (policy/quota.h) allows its expected cost. A job
 * gets the quota's ticket when it is marked for a call or called, and holds it until the call ends
 * or is given up. A throttled job has no clock of its own: it waits in its target's queue. Failures
 * stop a target only when they say something about it (policy/outage.h). */
#ifndef ENGINE_PACING_H
#define ENGINE_PACING_H

#include "engine/state.h"

struct verdict;

/* A new target: what the settings say of its quota. */
void pacing_init(const struct engine *engine, struct target *target);
/* The worker's share of its group's quotas has changed: engine/sharing.h. */
void pacing_share(const struct engine *engine, struct target *target);
/* They have changed: what was learned stays. */
void pacing_reload(const struct engine *engine, struct target *target);

/* Whether the quota allows a call of this job now. If not, *ret_again_ms (monotonic) is when it may
 * allow one without an event; INT64_MAX: only the end of a call can change that. */
bool pacing_allows(const struct engine *engine, struct target *target, const struct job *job,
                   int64_t *ret_again_ms);
/* Gives the job its ticket; CHECKs that the quota allows the call. */
void pacing_admit(const struct engine *engine, struct job *job);
/* Whether the job's call may begin with the ticket that it holds. After a rest or an outage since
 * then it gets another one, if the quota allows; else it has none. */
bool pacing_confirm(const struct engine *engine, struct job *job, int64_t *ret_again_ms);
/* The call did not begin after all: returns the ticket, if there is one. */
void pacing_give_up(const struct engine *engine, struct job *job);
/* The call ended. Reports the verdict to the quota, and logs when the target throttles, fails or
 * has recovered. */
void pacing_end_call(struct engine *engine, struct job *job, const struct verdict *verdict);

/* How a target is paced, for people. */
struct pacing_figures {
    int64_t requests_a_minute, tokens_a_minute; /* that are allowed now; -1 = without a limit */
    int64_t measured_a_minute;                  /* calls of its quota; 0 = not measured */
    int64_t wait_ms; /* until the last of its waiting requests may be called, about */
};
struct pacing_figures pacing_figures(const struct engine *engine, const struct target *target);
/* "sound", "slow" (its quota limits it), "down" (it fails) or "spent" (its quota of the day is). */
const char *pacing_state(const struct target *target);

/* Milliseconds that the target has rested after throttling, ever; and until the present rest ends,
 * 0 = it does not rest. */
int64_t pacing_rested_ms(const struct engine *engine, const struct target *target);
int64_t pacing_rest_left_ms(const struct engine *engine, const struct target *target);

/* Whether the target rests, after throttling or in an outage. */
bool pacing_rests(const struct engine *engine, const struct target *target);
/* Whether failures, with no answer since, say that the target is down. */
bool pacing_is_down(const struct target *target);
/* Whether an idle target must not be forgotten: it rests, or has spent of a day's quota. */
bool pacing_must_be_kept(const struct engine *engine, struct target *target);
/* Whether an idle target has something to remember: that it rests, or what was learned of it. */
bool pacing_is_worth_keeping(const struct target *target);

#endif
