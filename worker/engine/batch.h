/* Batches: one cut of what is finished, offset and map of each touched partition taken in the same
 * step, handed to the committer as one transaction. One batch at a time. Its outcome decides:
 * committed, back into the queue, or unknown, and then the stable offsets of the broker tell. */
#ifndef ENGINE_BATCH_H
#define ENGINE_BATCH_H

#include "engine/state.h"

/* Cuts a batch if there is something to say and nothing speaks against it; lowers *ret_next_ms. */
void batch_turn(struct engine *engine, int64_t *ret_next_ms);
void batch_ended(struct engine *engine, const struct batch_end *end);
/* While the outcome is unknown: what the broker has for one partition. True when this settled the
 * batch (or it had been settled): the caller then compares with the ledger as usual. False: this
 * partition is in neither state: it is lost. */
bool batch_learn(struct engine *engine, struct partition *partition, int64_t offset,
                 struct slice metadata);
/* A partition of a batch of unknown outcome is gone: when none is left to ask, the batch counts as
 * not made. */
void batch_lost_witness(struct engine *engine, struct partition *partition);
void batch_done(struct engine *engine);

#endif
