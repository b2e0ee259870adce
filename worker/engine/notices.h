/* Notices: log lines of which a process writes one for each model. A full table stays silent about
 * further models, so that requests with many names of models cannot fill the log. */
#ifndef ENGINE_NOTICES_H
#define ENGINE_NOTICES_H

#include "engine/state.h"

/* Logs what is left out of the job's request because its model does not take it. */
void notice_unsent(struct engine *engine, const struct job *job);

#endif
