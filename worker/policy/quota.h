/* How fast a target (a model in a region) may be called under its quotas of requests and tokens a
 * minute. Bedrock publishes neither how deep its buckets are nor whether it has windows, so nothing
 * here depends on that, nor on the text of a refusal.
 *
 * Spending: two levels, requests and tokens, fill at the allowed rates. A call begins when there is
 * one request and its expected cost; the difference is booked when its usage arrives. Bedrock
 * reserves input + max_tokens at the start of a call and counts uncached input + cache writes +
 * output * burndown at its end (Amazon Bedrock user guide, "How tokens are counted").
 *
 * A known quota is spent at 99 % of the share, so that the real bucket stays nearly full and
 * absorbs errors of estimation. An unknown one is measured by its refusals: at a refusal the bucket
 * is empty, so what was granted between two refusals is what was refilled between them. Refusals of
 * calls begun before the last one's cut say nothing new.
 *
 * Some refusals come at random, whatever the rate (policy/noise.h): at the start, and once that is
 * known, the rate is cut only when more calls are refused than chance explains.
 *
 * An outage (503, 529, no connection) says nothing about the quota: the target rests, one call
 * probes it, and then the rate grows from a quarter of what was allowed.
 *
 * Pure: the caller passes all times (monotonic milliseconds) and nothing fails. */
#ifndef POLICY_QUOTA_H
#define POLICY_QUOTA_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/noise.h"

/* What the settings say of a quota, and how the worker begins where they say nothing. */
struct quota_rules {
    double requests_per_minute; /* of the account; 0 = not known */
    double tokens_per_minute;   /* likewise */
    double burndown;            /* tokens that an output token counts for; at least 1 */
    double burst_s;             /* of a known quota that may be saved up while idle; at most 3600 */
    double start_per_second;    /* calls, of an unknown quota: doubled each second until the first
                                   refusal; 0 = without a limit until then */
};

enum quota_kind { QUOTA_REQUESTS, QUOTA_TOKENS, QUOTA_KINDS };

/* Of requests or tokens; rates are per second. */
struct quota_limit {
    double known;   /* of the account; 0 = not known */
    double learned; /* QUOTA_NO_LIMIT = not limited */
    double base;    /* the last measurement */
    double level;   /* what may be spent now; negative = more was spent than was expected */
    double started; /* sum of all reservations, ever */
    double mark;    /* it at the call whose refusal the measurement begins with */
    double less;    /* of those begun since then: refused, or given back at the end */
};

#define QUOTA_NO_LIMIT 1e18

/* What a call may cost, in tokens. */
struct quota_cost {
    double input;      /* estimated */
    double max_output; /* max_tokens, or the model's maximum */
};

/* An admitted call; lies in the call and is settled once. */
struct quota_ticket {
    uint64_t generation; /* of the quota when the call began */
    int64_t began_ms;
    double reserved, expected; /* tokens */
    double most_extra;         /* beyond the input */
    double input;
    double started[QUOTA_KINDS]; /* the limits' sums, this call included */
    bool is_probe;
    bool is_of_savings; /* it began with more credit than a steady caller ever has */
};

struct quota_outcome {
    enum quota_said {
        QUOTA_UNCALLED, /* nothing: the call did not begin after all, and cost nothing */
        QUOTA_SILENT,   /* nothing: the call was cancelled, or failed for another reason */
        QUOTA_ANSWERED, /* it works */
        QUOTA_REFUSED,  /* 429: a quota is spent */
        QUOTA_DOWN,     /* an outage */
    } said;
    double cost;            /* of the call as Bedrock counts it; negative = not known */
    int64_t retry_after_ms; /* of a refusal; -1 = the target named none */
};

struct quota {
    struct quota_rules rules;
    struct quota_limit limits[QUOTA_KINDS];
    uint64_t generation;    /* number of cuts and outages */
    double share;           /* of the account's quota that is this worker's, 0 < share <= 1 */
    double part;            /* of the group's progress that was this worker's; 0 = not known */
    double extra;           /* learned cost of a call beyond its input; 0 = none was seen */
    double reserved;        /* tokens, of open calls */
    double used;            /* calls begun in the last second, about */
    double period_calls;    /* that a test of the rate takes at least */
    double saved_s;         /* of a known rate that may be saved up now */
    double idle_s;          /* since the mark, in which nothing was held back */
    double slow;            /* part of the rate that is allowed after an outage; 1 = all */
    double calls_at_cut;    /* granted since the mark, at the last refusal */
    uint32_t again;         /* refusals since the mark with too few calls between */
    uint32_t downs;         /* outages in a row */
    struct noise noise;     /* refusals that have nothing to do with the rate */
    bool is_starting;       /* no refusal was seen yet */
    bool is_ramping;        /* only noise was seen since it was found */
    bool is_measured;       /* more is known than that the start was too fast */
    bool is_held;           /* a call waits for this quota */
    bool is_probing;        /* the one call after an outage, or of a spent day, is open */
    int64_t now_ms;         /* the levels are of this time */
    int64_t rest_until_ms;  /* no call begins before */
    int64_t quiet_until_ms; /* nor before this: the first call after a repeated refusal is open */
    int64_t cut_ms, mark_ms;
    int64_t refused_ms; /* the first refusal since an answer; 0 = none */
    bool is_day_spent;  /* refused for minutes without one answer: probed once a minute */
};

/* What a settlement changed; the caller logs it. */
struct quota_news {
    bool rests; /* the target rests from now on, for rest_ms */
    int64_t rest_ms;
    bool is_day_spent; /* since this settlement */
    bool is_answering; /* the first answer after a spent day's quota or an outage */
};

/* Begins without a saved credit. `rules` may change later by quota_set_rules. */
void quota_init(struct quota *quota, const struct quota_rules *rules, int64_t now_ms);
/* New figures from the settings: what was learned stays, except above the new ones. */
void quota_set_rules(struct quota *quota, const struct quota_rules *rules, int64_t now_ms);
/* The worker's share of the quota, and the part of the group's progress that was its own (0 = not
 * known). Learned rates follow the share. Out of range values are clamped. */
void quota_set_share(struct quota *quota, double share, double part, int64_t now_ms);

/* The tokens that a call of this cost is expected to use: its input, and what the calls before it
 * had beyond theirs on average, as far as it may have that. Before the first answer, careful: all
 * that may be reserved. */
double quota_expected(const struct quota *quota, const struct quota_cost *cost);
/* Whether a call of this cost may begin now. If not, *ret_again_ms is when it may without an event;
 * INT64_MAX: only the end of a call can change that. Remembers that a call waits. */
bool quota_allows(struct quota *quota, const struct quota_cost *cost, int64_t now_ms,
                  int64_t *ret_again_ms);
/* As quota_allows; when true, counts the call as begun and writes its ticket. */
bool quota_admit(struct quota *quota, const struct quota_cost *cost, int64_t now_ms,
                 struct quota_ticket *ret_ticket, int64_t *ret_again_ms);
/* Ends the call of a ticket. Returns what changed. */
struct quota_news quota_settle(struct quota *quota, const struct quota_ticket *ticket,
                               const struct quota_outcome *outcome, int64_t now_ms);

/* The rate that is allowed now, per second; QUOTA_NO_LIMIT = any. */
double quota_rate(const struct quota *quota, enum quota_kind kind);
/* Whether a limit is known or was learned. */
bool quota_is_limited(const struct quota *quota);
/* Calls of the mean cost that may begin in a second; QUOTA_NO_LIMIT = any. */
double quota_calls(const struct quota *quota);
/* Milliseconds after which `calls` calls of the mean cost will have begun; 0 = at once. */
int64_t quota_wait_ms(const struct quota *quota, uint64_t calls, int64_t now_ms);

#endif
