/* Where a partition begins whose group has committed no offset there (kafka.start). A topic that is
 * fresh is taken from its first record; one that is old may have been answered by a group of
 * another name, so it is withheld until an operator decides. The rules, in their order:
 *
 *   the log has no record              its end
 *   younger than its siblings' maps    its first record, whatever its age: a partition was added
 *   kafka.start = earliest | latest    its first record | its end
 *   auto, first record of the last     its first record
 *     hour (or up to an hour ahead)
 *   auto, any other                    withheld (WITHHELD_NO_OFFSET)
 *
 * The offset is committed at once with an empty map, so that the question is asked only once. */
#ifndef ENGINE_BEGINNING_H
#define ENGINE_BEGINNING_H

#include "engine/state.h"

/* Looks for the place of a partition that has no committed offset; the events below answer. */
void beginning_find(struct engine *engine, struct partition *partition);
/* Whether it fetches to see the first record or the log's end. */
static inline bool beginning_is_looking(const struct partition *partition)
{
    return partition->step == PARTITION_READING && partition->beginning == BEGINNING_FIRST;
}
/* The first record of the log. True: the partition is active now, and the record is its. */
MUST_CHECK bool beginning_record(struct engine *engine, struct partition *partition,
                                 const struct record *record);
/* Retention deleted the first record before it came: another one is the first now. */
void beginning_gone(struct engine *engine, struct partition *partition);
/* The log has no record below `position`. */
void beginning_end(struct engine *engine, struct partition *partition, int64_t position);
/* Takes the log's first and end offset, or that they are unknown. */
void beginning_watermarks(struct engine *engine, struct partition *partition, enum err err,
                          int64_t low, int64_t high);

#endif
