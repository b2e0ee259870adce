/* Dispatch: who may call next. The targets that have waiting jobs take turns; before each call,
 * dispatch asks the gates in their order (credentials, membership, stall, answers, slot, pace,
 * share), and each answers yes or a reason of waits.def. */
#ifndef ENGINE_DISPATCH_H
#define ENGINE_DISPATCH_H

#include "engine/state.h"
#include "engine/wait.h"

/* This process stood still: no call begins until then, when the group will have said whether it
 * was put out. */
void dispatch_pause(struct engine *engine, int64_t until_ms);
/* Begins every call that may begin now; logs why others must wait. Once a turn. Lowers *ret_next_ms
 * to when time alone may open a gate. */
void dispatch_turn(struct engine *engine, int64_t *ret_next_ms);
/* Why a held job waits, at this moment. */
enum wait wait_of(struct engine *engine, const struct job *job);

#endif
