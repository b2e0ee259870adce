/* The end of a batch. Committed: its requests are done. Aborted: its results return to the queue,
 * changed where the broker rejected a record for good. Unknown: the engine reads the offsets of its
 * partitions again, and one of them shows whether the batch was committed. */
#ifndef ENGINE_SETTLE_H
#define ENGINE_SETTLE_H

#include "engine/state.h"

/* Settles a batch of unknown outcome whose partitions are all gone: no offset can show more now.
 * Its answers wait on the shelf until one of the partitions comes back, and its usage goes out
 * again under the same ids. Without a shelf it counts as not committed. Once a turn. */
void settle_turn(struct engine *engine);
/* Compares the committed offset and map of a partition with the batch of unknown outcome. True:
 * this settled the batch, or there was none with this partition; compare with the ledger next.
 * False: they are neither those of the batch nor those before it: the partition is lost. */
bool settle_by_offset(struct engine *engine, struct partition *partition, int64_t offset,
                      struct slice metadata);
/* A new tenure read this offset and map, and its ledger is open: they may show what became of a
 * batch of unknown outcome that has an earlier tenure of the same partition. */
void settle_by_first_read(struct engine *engine, const struct partition *partition, int64_t offset,
                          struct slice metadata);
/* Frees the open batch and the partitions in it that are gone; results_free has freed its results.
 */
void settle_done(struct engine *engine);

#endif
