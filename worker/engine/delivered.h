/* Answers that were delivered under at_least_once while the commit of their offsets may be under
 * way: when the partition is lost before it, their records come again, and would be called and paid
 * again. The room remembers the last answers by partition, offset and hash of the record. What
 * comes again under a later tenure of this process is done without a call. Under exactly_once
 * answers and offsets are one commit, so there is nothing to remember. */
#ifndef ENGINE_DELIVERED_H
#define ENGINE_DELIVERED_H

#include "engine/state.h"

/* The most answers that are remembered; older ones are forgotten. */
#define DELIVERED_MAX 65536

/* Allocates the memory, under at_least_once. ERR_NO_MEMORY; delivered_free is due in any case. */
MUST_CHECK enum err delivered_init(struct engine *engine);
/* Frees the memory. */
void delivered_free(struct engine *engine);
/* The most bytes that the room holds. */
uint64_t delivered_bytes(bool exactly_once);

/* The job's answer was delivered. */
void delivered_add(struct engine *engine, const struct job *job);
/* The partition's ledger was opened: collects what is remembered of its open offsets. CHECKs that
 * there is memory. */
void delivered_collect(struct engine *engine, struct partition *partition);
/* The tenure is over: what was collected and did not come is remembered again. */
void delivered_return(struct engine *engine, struct partition *partition);
/* Whether this record, which has come, was answered in an earlier tenure. */
MUST_CHECK bool delivered_before(const struct engine *engine, const struct partition *partition,
                                 const struct record *record);

#endif
