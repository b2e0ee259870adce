/* Dispatch: which job calls next. Targets with waiting jobs take turns. Before each call, dispatch
 * asks the gates in order (credentials, membership, stall, answers, slot, pace, share); each opens
 * or gives a reason of waits.def. */
#ifndef ENGINE_DISPATCH_H
#define ENGINE_DISPATCH_H

#include "engine/state.h"
#include "engine/wait.h"

/* After a stall: begins no call before `until_ms` (monotonic). By then the group has reported
 * whether it removed this member. */
void dispatch_pause(struct engine *engine, int64_t until_ms);
/* Begins every call that may begin now and logs why others wait. Lowers *ret_next_ms (monotonic) to
 * the time at which a gate may open without an event. Once a turn. */
void dispatch_turn(struct engine *engine, int64_t *ret_next_ms);
/* The first closed gate of a target with waiting jobs; WAIT_NOTHING: all are open. *ret_again_ms
 * (monotonic) is when one may open without an event; INT64_MAX: that is not known. */
enum wait dispatch_gate(struct engine *engine, struct target *target, int64_t *ret_again_ms);
/* The reason why a held job waits at this moment. */
enum wait wait_of(struct engine *engine, const struct job *job);

#endif
