/* Calls of lost tenures that a committed map tells as running ("told"): their next owner takes each
 * for a dead owner's and records it as `worker_lost`, although this process records its usage
 * itself. So a told call carries the begun count of its offset, and its usage names that record as
 * replaced when it goes out after the loss. If the partition comes back to this process, the list
 * of this room keeps it from recording such calls twice.
 *
 * A map tells one call of an offset: the oldest one whose usage is not committed with it. Two maps
 * count at a loss: the committed one and that of the open batch. */
#ifndef ENGINE_LOST_CALLS_H
#define ENGINE_LOST_CALLS_H

#include "engine/state.h"

/* Ends a tenure: finds its told calls among the results and the running calls of `partition`, sets
 * their `told`, and adds those to the list that leave no call or answer behind. CHECKs that there
 * is memory. */
void lost_calls_tell(struct engine *engine, const struct partition *partition);
/* Adds the call of this result, which is told, to the list: it ends without an answer of a
 * committed tenure. `hash` is lost_calls_hash of the request; `is_recorded`: its usage goes out.
 * No effect when it is not told. */
void lost_calls_add(struct engine *engine, const struct partition *partition,
                    const struct result *result, uint64_t hash, bool is_recorded);
/* The open batch was not committed, or was: calls that only its map tells are not told, or surely.
 */
void lost_calls_settle(struct engine *engine, uint64_t batch, bool was_committed);
/* Under at_least_once: the records of the open batch are there, and whether its maps will be is
 * unknown. Marks without a call that only they tell stay so, because another owner may mark the
 * same requests; lost_calls_note_unknown says when they were told after all. */
void lost_calls_delivered(struct engine *engine, uint64_t batch);
/* The outcome of the open batch, which has this partition, stays unknown: its tenure is over. Keeps
 * what the batch would have committed while the list has calls of the partition. */
void lost_calls_note_unknown(struct engine *engine, const struct partition *partition,
                             uint64_t batch);
/* The batch of unknown outcome that committed this offset and map, read at the begin of a later
 * tenure; 0 = none. */
uint64_t lost_calls_committed(const struct engine *engine, const struct partition *partition,
                              int64_t offset, struct slice metadata);

/* The hash that identifies a request: of its value, seeded with engine->hash_seed. */
uint64_t lost_calls_hash(const struct engine *engine, const struct record *record);
/* Whether the list has this record's call with this begun count. If so, forgets it;
 * *ret_is_recorded: its usage went out, and names the record of this count as replaced. */
MUST_CHECK bool lost_calls_forget(struct engine *engine, const struct partition *partition,
                                  const struct record *record, uint8_t begun,
                                  bool *ret_is_recorded);
/* The topic was recreated: forgets the calls of this partition. */
void lost_calls_clear(struct engine *engine, const struct partition *partition);
/* Frees the list. */
void lost_calls_free(struct engine *engine);

#endif
