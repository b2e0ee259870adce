/* What becomes of a batch. Committed: its requests are done. Aborted: its results go back to the
 * queue, changed where the broker refused a record for good. Unknown: the partitions in it are read
 * again, and what the broker has of one of them tells which of the two it was. */
#ifndef ENGINE_SETTLE_H
#define ENGINE_SETTLE_H

#include "engine/state.h"

/* A batch of unknown outcome whose partitions are all gone counts as not committed: nobody is left
 * to ask, and its usage goes out again under the same names. Once a turn. */
void settle_turn(struct engine *engine);
/* What the broker has for one partition. True when this settled the batch, or when there was
 * nothing to settle by it: compare with the ledger as usual. False: it is neither what the batch
 * would have committed nor what was committed before it: the partition is lost. */
bool settle_by_offset(struct engine *engine, struct partition *partition, int64_t offset,
                      struct slice metadata);
/* Frees the open batch, with the partitions in it that are gone. The results are freed already. */
void settle_done(struct engine *engine);

#endif
