/* A budget of tokens for any 24 hours. AWS does not publish when the day of its quota begins, and a
 * budget that holds for any 24 hours holds for every such day, too. What was spent is kept in half
 * hours; each counts until it is a day old as a whole.
 *
 * The budget is that of all workers. A worker counts its own calls and what the others will have
 * spent beside them: the caller passes its part of the work, and a call counts cost / part.
 *
 * Pure: the caller passes monotonic milliseconds, and nothing fails. A zeroed budget has spent
 * nothing. */
#ifndef POLICY_DAY_BUDGET_H
#define POLICY_DAY_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#define DAY_BUDGET_SLOT_MS 1800000
#define DAY_BUDGET_SLOTS   49 /* those of a day, and the present one */

struct day_budget {
    double spent[DAY_BUDGET_SLOTS]; /* by half hour, in a ring */
    int64_t slot;                   /* number of the present one */
};

/* Counts tokens as spent by this worker, whose part of all work is `part` (above 0; at most 1). */
void day_budget_spend(struct day_budget *budget, double tokens, double part, int64_t now_ms);
/* What was spent within the last day. */
double day_budget_spent(struct day_budget *budget, int64_t now_ms);
/* Whether `tokens` more fit into `max`. If not, *ret_again_ms is when they will. Something always
 * fits when nothing is spent. */
bool day_budget_allows(struct day_budget *budget, double max, double tokens, int64_t now_ms,
                       int64_t *ret_again_ms);

#endif
