/* What a tenant may spend in a minute, an hour, a day or a month (UTC), in money or in tokens, when
 * several workers spend at the same time and none of them coordinates.
 *
 * The usage topic is the truth: every worker reads it, and adds up what each tenant has spent in
 * the running span. Before a call begins, the worker reserves its expected cost. A call's
 * reservation becomes its real cost when the call ends, and goes when the usage topic shows that
 * cost. Workers tell each other what they have reserved; until the others know of a reservation it
 * is fresh.
 *
 * What is free is the limit, less what is spent, what others have reserved, and what this worker
 * has reserved and the others know. It is divided without a word: each worker may have one call's
 * worth of fresh reservations, the largest call's, and its share of the rest; all parts together
 * are what is free. So no request waits while more is free than workers times the largest call, and
 * whatever others reserve at the same time fits, too. Where workers cannot tell each other, all
 * reservations stay fresh, and calls of another worker that last long may exceed the limit.
 *
 * What is spent beyond the limit is at most the error of the estimates of open calls, and what
 * moves when shares move. Pure: the caller passes all times (Unix milliseconds for spans, monotonic
 * ones for reservations), and nothing fails. Sums that exceed 64 bits stay at the largest value,
 * which is above every limit. */
#ifndef POLICY_BUDGET_H
#define POLICY_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/money.h"

enum budget_per { BUDGET_NONE, BUDGET_MINUTE, BUDGET_HOUR, BUDGET_DAY, BUDGET_MONTH };

/* What the settings say; zeroed = no budget. */
struct budget_rules {
    enum budget_per per;
    bool is_money; /* amounts are in units of base/money.h, else in tokens */
    char currency[MONEY_CURRENCY_LEN + 1];
    int64_t limit; /* above 0 */
    int64_t soft;  /* an event and a header say that it is exceeded; 0 = none */
    bool rejects;  /* requests over the limit end in an error; else they wait */
};

#define BUDGET_FRESH    16
#define BUDGET_FRESH_MS 100 /* reservations that lie no further apart are one of them */

/* The group, as this worker sees it. */
struct budget_group {
    double share;     /* this worker's, 0 < share <= 1 */
    uint32_t workers; /* their number */
    /* The others know what this worker had reserved then (monotonic); below 0 = they cannot hear of
     * it, so that all of it stays fresh, and nothing of what is spent. */
    int64_t known_ms;
};

/* One tenant's. Zeroed = nothing is spent. */
struct budget {
    /* The two latest spans that something was asked about: clocks of workers differ, and jump. */
    struct budget_spent {
        int64_t start_ms;
        int64_t spent;
    } spans[2];
    int64_t reserved; /* by this worker: what the usage topic does not show yet */
    int64_t largest;  /* cost of a call, expected or real */
    int64_t others;   /* reserved by other workers, as far as they have said */
    /* What was reserved when, the latest last: until_ms is of the latest one of each. Older ones
     * than all of these are known to the others. `seen` is what is spent by now, which the others
     * may see later. */
    struct budget_fresh {
        int64_t until_ms, amount, seen;
    } fresh[BUDGET_FRESH];
    uint32_t fresh_count;
};

/* Where a span begins and ends. `per` is not BUDGET_NONE. */
int64_t budget_start_ms(enum budget_per per, int64_t wall_ms);
int64_t budget_end_ms(enum budget_per per, int64_t wall_ms);

/* How long a span may be at most: a month has 31 days. */
int64_t budget_longest_ms(enum budget_per per);

/* A usage record: what a call cost that is counted at this time. Older spans than the two latest
 * are forgotten. A negative amount takes back a record that another one replaces. */
void budget_add(struct budget *budget, const struct budget_rules *rules, int64_t at_ms,
                int64_t amount);
/* What is spent in the span of this time. */
int64_t budget_spent_at(const struct budget *budget, const struct budget_rules *rules,
                        int64_t wall_ms);
/* What is left of it for all workers, this worker's reservations taken off; never negative. */
int64_t budget_left(const struct budget *budget, const struct budget_rules *rules, int64_t wall_ms);

/* Whether a call of this expected cost may begin now. */
bool budget_allows(const struct budget *budget, const struct budget_rules *rules, int64_t expected,
                   const struct budget_group *group, int64_t wall_ms);
/* Whether too little is left, all reservations taken off: not more than the largest call of each
 * worker. Else a call that is not allowed will be soon. */
bool budget_is_over(const struct budget *budget, const struct budget_rules *rules, int64_t expected,
                    const struct budget_group *group, int64_t wall_ms);
/* A call begins. */
void budget_reserve(struct budget *budget, int64_t expected, int64_t now_ms);
/* It ends with another cost than expected: `from`, reserved at `since_ms`, is `to` now. */
void budget_change(struct budget *budget, int64_t from, int64_t to, int64_t since_ms);
/* Its record has been seen, and budget_add counts the same. */
void budget_seen(struct budget *budget, int64_t amount, int64_t since_ms);
/* A call, by whomever, costs this much, or other workers have reserved so much more (or less). */
void budget_note_call(struct budget *budget, int64_t cost);
void budget_note_others(struct budget *budget, int64_t more);
/* Whether nothing of it needs to be remembered. */
bool budget_is_idle(const struct budget *budget, const struct budget_rules *rules, int64_t wall_ms);

#endif
