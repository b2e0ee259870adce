/* Which sizes topics reject, as rejections showed: each costs all results a cut, so records at
 * least as large are replaced before they are sent. A limit is forgotten after some minutes,
 * because an operator may have raised it. */
#ifndef ENGINE_SIZE_LIMITS_H
#define ENGINE_SIZE_LIMITS_H

#include "engine/state.h"

/* The topic of this output rejects records of its size. `bytes_max` is what it takes; 0 = unknown.
 */
void size_limits_learn(struct engine *engine, const struct output *output, uint64_t bytes_max);
/* Whether the topic of this output rejected a record of this or a smaller size lately. */
bool size_limits_exceeded(const struct engine *engine, const struct output *output);

#endif
