/* The table of the worker's partitions. io chooses a slot for each tenure; when the tenure is over,
 * the slot is free for another one. A partition that is gone has no slot. */
#ifndef ENGINE_SLOTS_H
#define ENGINE_SLOTS_H

#include "engine/state.h"

/* Allocates the table. ERR_NO_MEMORY. */
MUST_CHECK enum err slots_init(struct engine *engine);
/* Frees the table, not the partitions. */
void slots_done(struct engine *engine);

/* Puts a partition into the slot of its tenure, which is free (CHECKed). */
void slot_put(struct engine *engine, struct partition *partition);
/* Frees the slot of a partition; the partition must be in it (CHECKed). */
void slot_clear(struct engine *engine, const struct partition *partition);
/* The partition of this tenure; NULL when the tenure is over. */
struct partition *slot_find(const struct engine *engine, struct tenure tenure);

/* Number of partitions that have a slot. */
uint32_t slots_used(const struct engine *engine);
/* The partition after this one (NULL = the first) among those with a slot and a changed ledger, the
 * one that has been changed longest first; NULL = no more. */
struct partition *slots_next_changed(struct engine *engine, struct partition *partition);
/* The partition has something to do at a time of its own: it reads again or is revoked. */
void slot_set_due(struct engine *engine, struct partition *partition);

/* The next partition by slot from *cursor on, which it advances; NULL = no more. Begin with a
 * cursor of 0. Partitions may come and go between two calls. */
struct partition *slots_next(const struct engine *engine, uint32_t *cursor);

#endif
