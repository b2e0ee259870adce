/* How fast a target (a model at an endpoint) may be called while it throttles or fails. Single
 * refusals are the affair of the request that got them; PACE_STREAK refusals in a row with no
 * answer between say that the target is full, or down. Then it rests (full jitter, doubled with
 * every further refusal, Retry-After honoured), is tried by one call, and opens again by doubling:
 * every answer makes room for its own successor and one more call, until `calls_max`. A failure
 * that says nothing of the request is a refusal too.
 *
 * A call is admitted with its cost and gets a ticket; the ticket is settled once, with what the end
 * of the call says of the target. The cost is a number of calls. Pure; times are given. */
#ifndef POLICY_PACE_H
#define POLICY_PACE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/random.h"
#include "policy/retry.h"

#define PACE_STREAK    8
#define PACE_COST_CALL 1

struct pace {
    uint64_t open;      /* cost of the tickets that are not settled */
    uint32_t streak;    /* refusals since the last answer */
    uint32_t calls_max; /* open calls allowed now; 0 = no bound of its own */
    int64_t rest_until_ms;
    int64_t slowed_at_ms; /* when it began to be slow; only while calls_max > 0 */
};

struct pace_ticket {
    uint32_t cost;
};

/* What the end of a call says of its target. */
struct pace_outcome {
    enum {
        PACE_SILENT,   /* nothing: the call was cancelled, or its credentials were refused */
        PACE_ANSWERED, /* it works */
        PACE_REFUSED,  /* it is full, or down */
    } said;
    int64_t retry_after_ms; /* of a refusal; -1 = none named */
};

struct pace_rules {
    const struct retry_settings *retry; /* throttle_base_ms and max_delay_ms of a rest */
    uint32_t calls_max;                 /* all call slots there are */
};

/* What a settlement changed. */
struct pace_news {
    bool rests; /* from now on, for delay_ms */
    int64_t delay_ms;
    bool is_whole; /* it has just recovered: no bound any more */
};

/* May a call of this cost begin now? Else *ret_again_ms says when time alone may change that
 * (INT64_MAX: only the end of a call can). */
bool pace_allows(const struct pace *pace, uint32_t cost, int64_t now_ms, int64_t *ret_again_ms);
/* The same; where it may, the call has begun and *ret_ticket is its ticket. */
bool pace_admit(struct pace *pace, uint32_t cost, int64_t now_ms, struct pace_ticket *ret_ticket,
                int64_t *ret_again_ms);
/* The call of a ticket has ended. */
struct pace_news pace_settle(struct pace *pace, struct pace_ticket ticket,
                             struct pace_outcome outcome, const struct pace_rules *rules,
                             int64_t now_ms, struct random *random);
/* Nothing was answered since a whole streak of refusals: the target is not known to work. */
static inline bool pace_is_shut(const struct pace *pace)
{
    return pace->streak >= PACE_STREAK;
}

#endif
