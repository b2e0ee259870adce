/* The current objects: those that the event under way is about. A failed CHECK prints them
 * (objects.c); the engine's work never reads them. Each thread has one set; all pointers are
 * borrowed. */
#ifndef ENGINE_CURRENT_H
#define ENGINE_CURRENT_H

#include "engine/state.h"

struct current {
    const struct engine *engine;       /* NULL = no engine runs on this thread */
    const struct partition *partition; /* the one looked up last; NULL = none in this turn */
    const struct job *job;             /* the one that changed its step last */
    const struct call *call;           /* the one looked up last */
};

/* Begins a turn of this engine: forgets the other objects. */
void current_begin(const struct engine *engine);
/* Remembers the object. */
void current_set_partition(const struct partition *partition);
void current_set_job(const struct job *job);
void current_set_call(const struct call *call);
/* Forgets the partition if it is the current one; call this before freeing it. */
void current_drop_partition(const struct partition *partition);
/* Forgets all objects if they belong to this engine; call this before freeing it. */
void current_end(const struct engine *engine);
/* The current objects of this thread. */
const struct current *current_objects(void);

#endif
