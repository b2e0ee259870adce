/* Calls of lost partitions that this very process has in the books. The map that was committed last
 * still tells them as under way, and whoever gets the partition next takes them for a dead worker's
 * (worker_lost). If it comes back to this process, they are not told a second time. */
#ifndef ENGINE_LOST_CALLS_H
#define ENGINE_LOST_CALLS_H

#include "engine/state.h"

/* Nothing is known of this partition any more. */
void lost_calls_clear(struct engine *engine, const struct partition *partition);
/* Only what the ledger still waits for stays: the records of these calls have not come again. */
void lost_calls_prune(struct engine *engine, const struct partition *partition);
/* `calls` as ledger_committed_running gives them. */
void lost_calls_add(struct engine *engine, const struct partition *partition,
                    const struct offset_open *calls, size_t count);
/* What a request is known by. */
uint64_t lost_calls_hash(const struct engine *engine, const struct record *record);
/* Is the call that the map tells of this request, begun so often, one of them? Then it is
 * forgotten. */
MUST_CHECK bool lost_calls_forget(struct engine *engine, const struct partition *partition,
                                  const struct record *record, uint8_t begun);
void lost_calls_free(struct engine *engine);

#endif
