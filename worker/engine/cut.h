/* The cut: when what is finished goes out as a batch, and what of it. Results wait for
 * delivery.commit_interval under exactly_once, changed offset maps in any case; after an abort the
 * cuts pause, and the batches get smaller where their size was the cause. */
#ifndef ENGINE_CUT_H
#define ENGINE_CUT_H

#include "engine/state.h"

void cut_init(struct engine *engine);
/* Cuts a batch when one is due, none is open and there is something to say; lowers *ret_next_ms. */
void cut_turn(struct engine *engine, int64_t *ret_next_ms);

/* A batch was committed: no pause, and batches may be larger again. */
void cut_relax(struct engine *engine);
/* No cut for a while, longer with each abort in a row; returns the milliseconds. */
int64_t cut_pause(struct engine *engine);
/* No cut for the shortest pause, which counts as no abort; returns the milliseconds. */
int64_t cut_pause_briefly(struct engine *engine);
/* The next batch holds half the answers that the open one has. */
void cut_shrink(struct engine *engine);
/* The most answers in one batch now. */
uint32_t cut_limit(const struct engine *engine);

#endif
