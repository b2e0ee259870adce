/* The cut: when the worker takes a batch, and which results. Under exactly_once, results wait for
 * delivery.commit_interval; changed offset maps wait for it in both modes. After an abort cuts
 * pause, and batches shrink when their size was the cause. */
#ifndef ENGINE_CUT_H
#define ENGINE_CUT_H

#include "engine/state.h"

/* The first cut is due at once, with the limits of the settings. */
void cut_init(struct engine *engine);
/* Cuts a batch when a cut is due, no batch is open and there is something to commit. Lowers
 * *ret_next_ms (monotonic) to the next cut. Once a turn. */
void cut_turn(struct engine *engine, int64_t *ret_next_ms);

/* After a commit: ends the pause and lets batches grow. */
void cut_relax(struct engine *engine);
/* After an abort: pauses cuts, longer with each abort in a row. Returns the pause in milliseconds.
 */
int64_t cut_pause(struct engine *engine);
/* Pauses cuts for the shortest pause without counting an abort. Returns milliseconds. */
int64_t cut_pause_briefly(struct engine *engine);
/* Limits the next batch to half the answers of the open one. */
void cut_shrink(struct engine *engine);
/* The present limit of answers in a batch. */
uint32_t cut_limit(const struct engine *engine);

#endif
