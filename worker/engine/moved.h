/* Moved requests, counted by pairs of targets: each pair has a log line at once, then one a minute
 * with the number of requests since. */
#ifndef ENGINE_MOVED_H
#define ENGINE_MOVED_H

#include "engine/state.h"

/* A request moves. */
void moved_note(struct engine *engine, const struct target *from, const struct target *to,
                enum move why);
/* Logs the pairs whose line is due. */
void moved_log(struct engine *engine);

#endif
