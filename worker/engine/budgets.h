/* Budgets of tenants: before a call begins, its expected cost is reserved (policy/budget.h); a
 * request whose tenant has nothing left is held until there is, or ends in an error, as the
 * settings say. What the group has spent is read from the usage topic (engine/budget_records.h), at
 * a start after the sums that there are (engine/budget_sums.h); until all of it has been read once,
 * requests of tenants with a budget are held, others go on. */
#ifndef ENGINE_BUDGETS_H
#define ENGINE_BUDGETS_H

#include "engine/state.h"

/* Makes the room; without a budget in the settings it does nothing. CHECKs that there is memory. */
void budgets_init(struct engine *engine);
void budgets_free(struct engine *engine);

enum budget_answer {
    BUDGET_OPEN,  /* the call may begin; what it may cost is reserved */
    BUDGET_HELD,  /* it must wait */
    BUDGET_SPENT, /* the request ends in an error: job->why */
};

/* Whether the tenant's budget allows a call of this job. */
enum budget_answer budgets_admit(struct engine *engine, struct job *job);
/* Returns what is reserved for a call that will not be made; nothing may be reserved. */
void budgets_give_up(struct engine *engine, struct job *job);

/* Lets the job, which is in no list, wait for its tenant's budget; and the reverse. */
void budgets_hold(struct engine *engine, struct job *job);
void budgets_leave(struct engine *engine, struct job *job);
/* The next held job that may go on; what its call may cost is reserved, and it is in no list. NULL:
 * none. */
struct job *budgets_next_open(struct engine *engine);

/* Whether all usage has been read that there was at the start, the worker has seen its share of the
 * group, and the others know of it: until then each of several would take the whole budget for its
 * own. */
bool budgets_are_read(const struct engine *engine);
/* When a held job's budget opens by itself (Unix time): its span's end. */
int64_t budgets_open_wall_ms(const struct engine *engine, const struct job *job);
/* Whether the tenant of the job has spent more than its soft limit. */
bool budgets_is_soft(const struct engine *engine, const struct job *job);
/* Since when (Unix time) usage must be read, for the longest span in the settings; -1: it need not
 * be, because there is no budget. */
int64_t budgets_since_ms(const struct engine_config *config, int64_t wall_ms);

#endif
