/* Partitions: one tenure each, from assignment to release or loss. A partition reads offset and map
 * before anything else (offsets.c hears them), is verified against them whenever there is reason
 * for doubt (a stall, another membership, an unknown outcome), and drains when it is revoked. */
#ifndef ENGINE_PARTITION_H
#define ENGINE_PARTITION_H

#include "engine/state.h"

/* Asks for offset and map, now or as soon as no batch is under way. */
void partition_read(struct engine *engine, struct partition *partition);
/* Calls nothing and commits nothing for this partition, or for all, until the broker's offsets were
 * read again. */
void partition_doubt(struct engine *engine, struct partition *partition);
void partitions_doubt(struct engine *engine);

/* Forgets the jobs that are not called and not finished. */
void partition_drop_waiting(struct engine *engine, struct partition *partition);
/* Breaks off the calls of its jobs. */
void partition_cancel_calls(struct engine *engine, struct partition *partition);

/* Ends the tenure and begins it again, to be read: another worker committed here, or the topic is
 * another one. Returns the partition that takes its place. */
struct partition *partition_restart(struct engine *engine, struct partition *partition);
/* Ends the tenure and gives the partition back to io as it is: answers that are not committed are
 * dropped, their usage still goes out. */
void partition_give_up(struct engine *engine, struct partition *partition);
/* Frees a partition that is gone when no batch and no result refers to it any more. */
void partition_settle(struct partition *partition);
/* Frees it whatever refers to it. */
void partition_free(struct partition *partition);

/* Reads that are due, drains that are done or over time. Once a turn; lowers *ret_next_ms. */
void partitions_turn(struct engine *engine, int64_t *ret_next_ms);
/* Frees all that have a slot, and the table. */
void partitions_free(struct engine *engine);

#endif
