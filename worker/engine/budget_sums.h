/* Sums of the usage topic, kept in the topic of budgets (wire/outputs/sums.h): once a minute some
 * worker writes what each partition sums to up to an offset, so that a start reads those and then
 * only the usage after them. All workers read the topic: who sees that another one has written
 * waits again. Sums are of the budgets that there were at the start: after a reload that changes
 * who has one, or its unit or span, this worker writes none. */
#ifndef ENGINE_BUDGET_SUMS_H
#define ENGINE_BUDGET_SUMS_H

#include "engine/state.h"

/* A record of a usage partition was read. */
void budget_sums_note(struct engine *engine, int32_t partition, int64_t offset);
/* All that was there at the start was read: sums are due from now on. */
void budget_sums_begin(struct engine *engine);
/* Writes the sums that are due. */
void budget_sums_turn(struct engine *engine);

#endif
