/* What usage records do to budgets: those that this worker makes, and those that it reads
 * (engine_usage_read). A call's reservation becomes its real cost when its record is made, and goes
 * when that record is read. */
#ifndef ENGINE_BUDGET_RECORDS_H
#define ENGINE_BUDGET_RECORDS_H

#include "engine/state.h"

/* A usage record was made of the job's call: this is what it counts. `cost` may be NULL. */
void budgets_bill(struct engine *engine, struct job *job, const struct uuid *call,
                  const struct usage_counts *counts, const struct output_cost *cost);

#endif
