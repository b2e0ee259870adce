/* Targets: one model in one region behind one endpoint. A target owns its queue of waiting jobs,
 * its pace (how many calls it takes while it throttles) and its signing key; the call slots of the
 * worker are shared among the busy ones. */
#ifndef ENGINE_TARGET_H
#define ENGINE_TARGET_H

#include "engine/state.h"

/* The target for a model and region, made if it is new. The job that asks holds it until
 * target_release. ERR_NO_MEMORY; ERR_INVALID when the region is no region name or none is known. */
MUST_CHECK enum err target_get(struct engine *engine, struct slice model, struct slice region,
                               struct target **ret_target);
/* One holder less; a target without holders and without memory of refusals is forgotten. */
void target_release(struct engine *engine, struct target *target);
/* A job enters (at the end, or at the front when it has waited before) or leaves the queue, by
 * job->link. */
void target_enqueue(struct engine *engine, struct target *target, struct job *job, bool at_front);
void target_dequeue(struct engine *engine, struct target *target, struct job *job);
/* A call began (+1) or ended (-1). */
void target_calls(struct engine *engine, struct target *target, int change);
/* The job that may be called next, still in its queue; NULL = none now. Targets take turns; where
 * there are several, the last sixteenth of the call slots is for those that have fewer calls open.
 * When only time is in the way of a target, *ret_again_ms becomes at most that time. */
struct job *target_next_job(struct engine *engine, int64_t *ret_again_ms);
/* How a call ended: throttled; failed, for a reason that does not lie with the request (words for
 * the log); or answered in any other way. */
void target_refused(struct engine *engine, struct target *target, int64_t retry_after_ms);
void target_failed(struct engine *engine, struct target *target, const char *words);
void target_answered(struct engine *engine, struct target *target);
void targets_free(struct engine *engine);

#endif
