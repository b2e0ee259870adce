/* Withheld partitions: assigned to this worker, but nothing is taken from them, because to go on
 * could pay for requests a second time or skip some unseen, and only an operator knows which. The
 * other partitions go on. Every WITHHELD_AGAIN_MS the worker reads the offset again and decides
 * anew. One line a topic and reason in that time names the partitions and the ways on
 * (PARTITIONS_WITHHELD); a metric counts them. */
#ifndef ENGINE_WITHHELD_H
#define ENGINE_WITHHELD_H

#include "engine/state.h"

#define WITHHELD_AGAIN_MS 600000 /* between two looks, and between two lines */

/* No partition is withheld. */
void withheld_init(struct engine *engine);
/* Withholds a partition that has no job (CHECKed): io fetches nothing of it, and nothing is
 * committed for it. `records`: how many wait there, `age_ms`: age of the oldest; -1 = unknown. */
void partition_withhold(struct engine *engine, struct partition *partition, enum withheld why,
                        int64_t records, int64_t age_ms);
/* Logs the lines that are due. Lowers *ret_next_ms (monotonic) to the next. Once a turn. */
void withheld_turn(struct engine *engine, int64_t *ret_next_ms);

#endif
