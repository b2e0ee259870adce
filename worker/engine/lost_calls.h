/* Calls of lost partitions: the last committed map of a partition that this process lost may name
 * calls of this process as running, although the process records their usage itself. The next owner
 * cannot know that and takes them for a dead owner's calls (worker_lost). If the partition comes
 * back to this process, this list keeps it from recording them twice. */
#ifndef ENGINE_LOST_CALLS_H
#define ENGINE_LOST_CALLS_H

#include "engine/state.h"

/* Forgets all calls of this partition. */
void lost_calls_clear(struct engine *engine, const struct partition *partition);
/* Forgets the calls whose records the partition's ledger does not expect any more. */
void lost_calls_prune(struct engine *engine, const struct partition *partition);
/* Remembers `count` calls as ledger_committed_running returns them; copies them. CHECKs that there
 * is memory and that the ledger has an entry for each. */
void lost_calls_add(struct engine *engine, const struct partition *partition,
                    const struct offset_open *calls, size_t count);
/* The hash that identifies a request: of its value, seeded with engine->hash_seed. */
uint64_t lost_calls_hash(const struct engine *engine, const struct record *record);
/* Whether the list has this record's call with this begun count. If so, forgets it. */
MUST_CHECK bool lost_calls_forget(struct engine *engine, const struct partition *partition,
                                  const struct record *record, uint8_t begun);
/* Frees the list. */
void lost_calls_free(struct engine *engine);

#endif
