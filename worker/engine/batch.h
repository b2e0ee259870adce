/* The open batch: the content of one transaction. The engine adds results one by one, then offset
 * and map of each touched partition in the same step; then it hands the batch to the committer, one
 * batch at a time. cut.c decides when to cut it, settle.c what follows its end. Borrows results and
 * partitions; CHECKs that its arrays can grow. */
#ifndef ENGINE_BATCH_H
#define ENGINE_BATCH_H

#include "engine/state.h"

/* Frees the batch's arrays. CHECKs that no partition is in it. */
void batch_done(struct engine *engine);

/* Moves a queued result into the batch, which is not open yet: its outputs, its job's step and its
 * marks in the ledger. */
void batch_add_result(struct engine *engine, struct result *result);
/* Adds the partition's present offset and map. CHECKs that the batch does not have them yet. */
void batch_add_offset(struct engine *engine, struct partition *partition);
/* Hands the batch to the committer. `membership` is the number of the membership at the cut
 * (membership_number); `is_last` as in struct batch. */
void batch_open(struct engine *engine, uint32_t membership, bool is_last);
/* Marks the outcome of the open batch as unknown: reads of the committed offsets settle it. */
void batch_become_unknown(struct engine *engine);
/* Removes and returns one partition. NULL: the batch had none; it is now closed and empty. The
 * caller has removed the results before (CHECKed). */
struct partition *batch_remove_partition(struct engine *engine);

/* True from batch_open until the batch is settled. */
bool batch_is_open(const struct engine *engine);
/* True while the outcome of the open batch is unknown. */
bool batch_is_unknown(const struct engine *engine);
/* True while the committer has the batch: offsets read now may be older than its commit. */
bool batch_is_under_way(const struct engine *engine);
/* The id of the batch that was opened last; 0 before the first. */
uint64_t batch_id(const struct engine *engine);
/* The membership number that batch_open was given. */
uint32_t batch_membership(const struct engine *engine);
/* Monotonic milliseconds since batch_open. */
int64_t batch_age_ms(const struct engine *engine);

/* Number of outputs. */
size_t batch_outputs(const struct engine *engine);
/* An output by its index (CHECKed), and the result that owns it; both borrowed. */
struct output *batch_output(const struct engine *engine, size_t index);
struct result *batch_owner(const struct engine *engine, size_t index);
/* Number of partitions, and one by its index (CHECKed), borrowed. */
size_t batch_partitions(const struct engine *engine);
struct partition *batch_partition(const struct engine *engine, size_t index);

#endif
