/* When a partition's log is not the one that its committed offset was written for: retention
 * deleted records below it, an unclean election cut the log's end off, or the topic was deleted and
 * created again. The topic's id in the map and the leader epoch beside the offset tell these apart:
 *
 *   the topic's id differs                      recreated: its first record, without the map
 *   id the same, the log was cut at d           d at most, and the map below d
 *   id the same, a record that the map covers   cut there
 *     has a higher epoch than the map's
 *   id the same, the log ends below the map's   cut at its end
 *     last offset
 *   the offset is below the log's start         retention: the log's start
 *   the offset is beyond the log's end, and     withheld (WITHHELD_CUT_LOG): to start at the first
 *     none of these is known                    record would pay for everything again
 */
#ifndef ENGINE_TOPIC_LOG_H
#define ENGINE_TOPIC_LOG_H

#include "engine/state.h"

/* Keeps what is known of the topic: as the broker says now, else as the committed map says. */
void topic_log_note(struct partition *partition, const struct committed *committed);
/* Whether the topic was recreated since the map or this tenure began, by its id. */
MUST_CHECK bool topic_log_is_recreated(const struct partition *partition,
                                       const struct committed *committed);
/* Starts at the topic's first record. The tenure begins again if it had begun; `partition` is
 * invalid then. */
void topic_log_recreate(struct engine *engine, struct partition *partition,
                        const struct committed *committed);
/* The committed offset was read and agrees: asks for the log's ends if its offset is out of range,
 * or its end in doubt. NULL is allowed. */
void topic_log_look(struct engine *engine, struct partition *partition);
/* Whether the record shows that the log was cut there; the tenure has begun again then, without the
 * record, and `partition` is invalid. */
MUST_CHECK bool topic_log_is_cut(struct engine *engine, struct partition *partition,
                                 const struct record *record);
/* Whether the log ends where the map covers records; then its end is asked for. */
MUST_CHECK bool topic_log_ends_early(struct engine *engine, struct partition *partition,
                                     int64_t position);

#endif
