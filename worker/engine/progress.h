/* The line of each minute with work (LOG_PROGRESS): what was answered, what failed by code, what is
 * in flight, what the others wait for, throttled calls, tokens, and the oldest request. */
#ifndef ENGINE_PROGRESS_H
#define ENGINE_PROGRESS_H

#include "engine/state.h"

/* Logs the minute that has ended and begins the next one. Once a turn. */
void progress_turn(struct engine *engine);

#endif
