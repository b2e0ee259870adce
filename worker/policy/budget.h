/* What a tenant may spend in a minute, an hour, a day or a month (UTC), in money or in tokens, when
 * several workers spend at the same time and none of them coordinates.
 *
 * The usage topic is the truth: every worker reads it, and adds up what each tenant has spent in
 * the running span. Before a call begins, the worker reserves its expected cost. It may reserve at
 * most its share of what is left, so that all workers together stay below the limit; and always one
 * call while every worker's largest call fits into what is left, so that no request waits for a
 * share of something small. A call's reservation becomes its real cost when the call ends, and goes
 * when the usage topic shows that cost.
 *
 * What is spent beyond the limit is at most the error of the estimates of open calls, what other
 * workers have spent since this one read the topic, and what moves when shares move. Pure: the
 * caller passes all times (Unix milliseconds), and nothing fails. Sums that exceed 64 bits stay at
 * the largest value, which is above every limit. */
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

/* One tenant's. Zeroed = nothing is spent. */
struct budget {
    /* The two latest spans that something was asked about: clocks of workers differ, and jump. */
    struct budget_spent {
        int64_t start_ms;
        int64_t spent;
    } spans[2];
    int64_t reserved; /* by this worker: what the usage topic does not show yet */
    int64_t largest;  /* expected cost of a call */
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

/* Whether a call of this expected cost may begin now. `share` is this worker's of the group
 * (0 < share <= 1), `workers` their number. */
bool budget_allows(const struct budget *budget, const struct budget_rules *rules, int64_t expected,
                   double share, uint32_t workers, int64_t wall_ms);
/* A call begins, ends with another cost than expected, or its record has been seen. */
void budget_reserve(struct budget *budget, int64_t expected);
void budget_change(struct budget *budget, int64_t from, int64_t to);
/* Whether nothing of it needs to be remembered. */
bool budget_is_idle(const struct budget *budget, const struct budget_rules *rules, int64_t wall_ms);

#endif
