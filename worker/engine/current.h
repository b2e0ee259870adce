/* What the engine has in hand: the objects that the event under way is about, kept for the case
 * that a CHECK fails (objects.c says them). One for each thread; what is set here is never used for
 * the work itself. */
#ifndef ENGINE_CURRENT_H
#define ENGINE_CURRENT_H

#include "engine/state.h"

struct current {
    const struct engine *engine;       /* NULL = none runs on this thread */
    const struct partition *partition; /* the one looked up last; NULL = none in this turn */
    const struct job *job;             /* the one that moved last */
    const struct call *call;           /* the one looked up last */
};

/* A turn of this engine begins: nothing else is in hand. */
void current_begin(const struct engine *engine);
void current_set_partition(const struct partition *partition);
void current_set_job(const struct job *job);
void current_set_call(const struct call *call);
/* The partition is freed. */
void current_drop_partition(const struct partition *partition);
/* Puts everything down, when it is this engine's. */
void current_end(const struct engine *engine);
/* What is in hand now. */
const struct current *current_objects(void);

#endif
