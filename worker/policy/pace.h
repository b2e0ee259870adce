/* How fast the worker may call a target (a model at an endpoint) while the target throttles or
 * fails. One refusal concerns only its request (policy/retry.h). PACE_STREAK refusals in a row,
 * with no answer between, mean that the target is overloaded or down. It then rests, for a delay
 * with full jitter that doubles with each further streak and is at least the Retry-After. After the
 * rest one call probes it. Each answer then admits one more call, so that the number doubles per
 * round, until `calls_max` is reached and the bound ends. A failure that has nothing to do with the
 * request counts as a refusal.
 *
 * The bound counts only calls begun since the last rest: one that began before may last for hours,
 * and its refusal says nothing new.
 *
 * Each admitted call holds a ticket with its cost, a number of calls. The caller settles the ticket
 * exactly once, with what the end of the call says about the target. Pure: the caller passes all
 * times and the generator, and nothing fails. A zeroed pace has no bound. */
#ifndef POLICY_PACE_H
#define POLICY_PACE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/random.h"
#include "policy/retry.h"

#define PACE_STREAK    8
#define PACE_COST_CALL 1

struct pace {
    uint64_t open;       /* sum of the costs of the present generation's open tickets */
    uint64_t generation; /* number of rests so far */
    uint32_t streak;     /* refusals since the last answer */
    uint32_t calls_max;  /* how far `open` may go now; 0 = no bound */
    int64_t rest_until_ms;
    int64_t slowed_at_ms; /* since when there is a bound; valid while calls_max > 0 */
};

/* An admitted call. */
struct pace_ticket {
    uint32_t cost;
    uint64_t generation; /* of the pace when the call began */
};

/* What the end of a call says about its target. */
struct pace_outcome {
    enum {
        PACE_SILENT,   /* nothing: the call was cancelled, or its credentials were rejected */
        PACE_ANSWERED, /* it works */
        PACE_REFUSED,  /* it is overloaded, or down */
    } said;
    int64_t retry_after_ms; /* of a refusal; -1 = the target named none */
};

struct pace_rules {
    const struct retry_settings *retry; /* throttle_base_ms and max_delay_ms of a rest */
    uint32_t calls_max;                 /* all call slots of the worker */
};

/* What a settlement changed. */
struct pace_news {
    bool rests; /* the target rests from now on, for delay_ms */
    int64_t delay_ms;
    bool is_whole; /* the target has recovered: the bound has ended */
};

/* May a call of this cost begin now? If not, *ret_again_ms is when the rest ends; INT64_MAX when
 * only the end of a call can make room. */
bool pace_allows(const struct pace *pace, uint32_t cost, int64_t now_ms, int64_t *ret_again_ms);
/* As pace_allows; when true, counts the call as begun and writes its ticket. */
bool pace_admit(struct pace *pace, uint32_t cost, int64_t now_ms, struct pace_ticket *ret_ticket,
                int64_t *ret_again_ms);
/* Ends the call of a ticket. Returns what changed; the caller logs it. */
struct pace_news pace_settle(struct pace *pace, struct pace_ticket ticket,
                             struct pace_outcome outcome, const struct pace_rules *rules,
                             int64_t now_ms, struct random *random);
/* Has a whole streak of refusals passed without an answer since? */
static inline bool pace_is_shut(const struct pace *pace)
{
    return pace->streak >= PACE_STREAK;
}

#endif
