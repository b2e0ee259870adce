/* Partitions: one tenure each, from assignment to release or loss. A partition reads offset and map
 * before anything else, is verified against them whenever there is reason for doubt (a stall,
 * another group generation, an unknown outcome), and drains when it is revoked. */
#ifndef ENGINE_PARTITION_H
#define ENGINE_PARTITION_H

#include "engine/state.h"

#define OFFSETS_AGAIN_MS 500  /* before an unstable or failed read is repeated */
#define REVOKE_GRACE_MS  5000 /* after drain_timeout, for the last commit */

/* Calls nothing and commits nothing for any partition until the broker's offsets were read again.
 */
void partitions_doubt(struct engine *engine);
/* Asks for offset and map, now or as soon as no batch is open. */
void partition_read(struct engine *engine, struct partition *partition);
/* The tenure is over without a release: answers that are not committed are dropped, their usage
 * still goes out. */
void partition_end_tenure(struct engine *engine, struct partition *partition);
/* Frees a partition that is gone when nothing of it is left. */
void partition_settle(struct engine *engine, struct partition *partition);
/* Forgets the jobs that are not called and not finished. */
void partition_drop_waiting(struct engine *engine, struct partition *partition);
void partition_cancel_calls(struct engine *engine, struct partition *partition);
/* Reads that are due, drains that are done or over time. Once a turn; lowers *ret_next_ms. */
void partitions_turn(struct engine *engine, int64_t *ret_next_ms);
/* A revoked partition could not commit: it is given back as it is. */
void partition_give_up(struct engine *engine, struct partition *partition);
void partitions_free(struct engine *engine);

#endif
