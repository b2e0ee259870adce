/* The table of the partitions that this worker has: io chooses a slot for each tenure, and a slot
 * whose tenure is over is free for another one. A partition that is gone is in no slot. */
#ifndef ENGINE_SLOTS_H
#define ENGINE_SLOTS_H

#include "engine/state.h"

/* ERR_NO_MEMORY. */
MUST_CHECK enum err slots_init(struct engine *engine);
/* Frees the table, not the partitions. */
void slots_done(struct engine *engine);

/* Into the slot of its tenure, which is free; and out of it. */
void slot_put(struct engine *engine, struct partition *partition);
void slot_clear(struct engine *engine, const struct partition *partition);
/* The partition of this tenure; NULL when the tenure is over. */
struct partition *slot_find(const struct engine *engine, struct tenure tenure);

/* Partitions that have a slot. */
uint32_t slots_used(const struct engine *engine);
/* The next partition from *cursor on, by slot; NULL = no more. Begin with a cursor of 0; partitions
 * may come and go between two calls. */
struct partition *slots_next(const struct engine *engine, uint32_t *cursor);

#endif
