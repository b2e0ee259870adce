/* The open batch: what one transaction holds. Results go into it one by one, then offset and map of
 * each touched partition, taken in the same step; then the committer has it, one batch at a time.
 * When it is cut is cut.c's, what becomes of it settle.c's. */
#ifndef ENGINE_BATCH_H
#define ENGINE_BATCH_H

#include "engine/state.h"

/* Frees its memory; no partition may be in it. */
void batch_done(struct engine *engine);

/* Takes a queued result into the batch: its outputs, and what they settle in its ledger. */
void batch_add_result(struct engine *engine, struct result *result);
/* The batch commits offset and map of this partition as they are now. */
void batch_add_offset(struct engine *engine, struct partition *partition);
/* Hands the batch to the committer. `membership`: the number of the one that it is cut under. */
void batch_open(struct engine *engine, uint32_t membership, bool is_last);
/* Nobody knows whether the open batch was committed: reads of the offsets will tell. */
void batch_become_unknown(struct engine *engine);
/* A partition leaves the batch; NULL = none is in it any more, and the batch is closed and empty.
 * Its results have left before. */
struct partition *batch_remove_partition(struct engine *engine);

/* The committer has it, or its outcome is unknown. */
bool batch_is_open(const struct engine *engine);
bool batch_is_unknown(const struct engine *engine);
/* The committer has it: what is read of the broker's offsets now may be from before its commit. */
bool batch_is_under_way(const struct engine *engine);
uint64_t batch_id(const struct engine *engine);
uint32_t batch_membership(const struct engine *engine);
/* Monotonic milliseconds since batch_open. */
int64_t batch_age_ms(const struct engine *engine);

size_t batch_outputs(const struct engine *engine);
/* An output by its index, and the result that owns it. */
struct output *batch_output(const struct engine *engine, size_t index);
struct result *batch_owner(const struct engine *engine, size_t index);
size_t batch_partitions(const struct engine *engine);
struct partition *batch_partition(const struct engine *engine, size_t index);

#endif
