/* Lines of the log that could come again and again: one of a kind about one thing in a minute. */
#ifndef ENGINE_TELL_H
#define ENGINE_TELL_H

#include "engine/state.h"

#define TELL_AGAIN_MS 60000

/* Whether a line may be said now; if so, the next one not before a minute is over. *again_ms is
 * kept with the thing that the line is about, and 0 at first. */
static inline bool tell_now(const struct engine *engine, int64_t *again_ms)
{
    if (engine->now_ms < *again_ms)
        return false;
    *again_ms = engine->now_ms + TELL_AGAIN_MS;
    return true;
}

#endif
