/* What the status page shows of the past, in fixed memory: 60 sums of a minute, answers of the last
 * seconds, and of the last 64 targets their tokens a minute and how long their calls took. Counted
 * where engine/meter.h counts. A minute is one of wall time; when the clock goes back, the present
 * one goes on. */
#ifndef ENGINE_HISTORY_H
#define ENGINE_HISTORY_H

#include "engine/state.h"

struct verdict;

/* Begins with the present minute. */
void history_init(struct engine *engine);
/* Whether the clock has left the present minute. */
bool history_is_minute_over(const struct engine *engine);
/* Moves on with the clock. Once a turn. */
void history_turn(struct engine *engine);

/* A request was taken; has its outcome committed. */
void history_taken(struct engine *engine);
void history_committed(struct engine *engine, const struct job *job);
/* A job's call ended; its target and its last attempt are known. */
void history_call(struct engine *engine, const struct job *job, const struct verdict *verdict);

/* The sums from the oldest minute to the present one: `age` 59 to 0. A minute before the start has
 * a start_wall_ms of 0. */
const struct minute *history_minute(const struct engine *engine, uint32_t age);
/* Tenths of answers a second, over the last ten seconds. */
uint32_t history_rate(const struct engine *engine);
/* The tally of a target; NULL = none of the last HISTORY_TALLIES. */
const struct tally *history_tally(const struct engine *engine, const struct target *target);
/* Tokens of this target in the last whole minute, or in the present one if they are more. */
uint64_t tally_tokens(const struct engine *engine, const struct tally *tally);
/* The time that `percent` of the target's last calls did not exceed, about; -1 = there were none.
 */
int64_t tally_duration(const struct tally *tally, uint32_t percent);

#endif
