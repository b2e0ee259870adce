/* Partitions: one tenure each, from assignment to release or loss. The engine reads offset and map
 * of a partition before anything else (offsets.c takes them), verifies the ledger against them
 * whenever it has reason for doubt (a stall, another membership, an unknown outcome), and drains
 * the partition when it is revoked. */
#ifndef ENGINE_PARTITION_H
#define ENGINE_PARTITION_H

#include "engine/state.h"

/* Whether it has a ledger: its offset was read, and nothing withholds it. */
static inline bool partition_has_ledger(const struct partition *partition)
{
    return partition->step == PARTITION_ACTIVE || partition->step == PARTITION_REVOKING;
}

/* Asks for offset and map: now, or when the batch under way has ended. */
void partition_read(struct engine *engine, struct partition *partition);
/* Asks for them at this time (monotonic). */
void partition_read_at(struct engine *engine, struct partition *partition, int64_t at_ms);
/* Reads the committed offset again. Until it is verified the engine begins no call of the partition
 * and commits nothing for it. */
void partition_doubt(struct engine *engine, struct partition *partition);
/* Likewise for all partitions. */
void partitions_doubt(struct engine *engine);

/* The tenure ends and will not answer requests that wait: jobs behind such ones in their lane, with
 * a call or an answer from the shelf, go out in a later tenure (or, when the worker stops, not). */
void partition_end_turns(struct engine *engine, struct partition *partition);
/* Drops the jobs that have neither a call nor an answer. */
void partition_drop_waiting(struct engine *engine, struct partition *partition);
/* Cancels the calls of its jobs. */
void partition_cancel_calls(struct engine *engine, struct partition *partition);

/* Ends the tenure and begins it again with a read: another worker committed here, or the topic was
 * recreated. `partition` is invalid afterwards; returns the one that takes its place. */
struct partition *partition_restart(struct engine *engine, struct partition *partition);
/* Ends the tenure and releases the partition to io. Drops the answers that are not committed; their
 * usage still goes out. `partition` is invalid afterwards. */
void partition_give_up(struct engine *engine, struct partition *partition);
/* Frees a partition that is gone once no batch and no result refers to it. */
void partition_settle(struct partition *partition);
/* Frees a partition, whatever refers to it. */
void partition_free(struct partition *partition);

/* Starts the reads that are due; ends drains that are done or over time. Lowers *ret_next_ms
 * (monotonic) to the next of them. Once a turn. */
void partitions_turn(struct engine *engine, int64_t *ret_next_ms);
/* Frees the partitions that have a slot, and the table of slots. */
void partitions_free(struct engine *engine);

#endif
