/* Targets: one model in one region behind one endpoint, called as one identity. A target owns its
 * queue of waiting jobs, its pace (how many calls it takes while it throttles) and its signing key;
 * the busy targets share the call slots of the worker. Which of them may call next is dispatch's
 * decision (engine/dispatch.h). */
#ifndef ENGINE_TARGET_H
#define ENGINE_TARGET_H

#include "engine/state.h"

struct verdict;

void targets_init(struct engine *engine);
void targets_free(struct engine *engine);

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

/* The target after this one, in the order of their birth; NULL before the first and after the last.
 */
struct target *targets_next(const struct engine *engine, const struct target *target);
/* Likewise of those with waiting jobs, in the order of their turns. */
struct target *targets_next_ready(const struct engine *engine, const struct target *target);
/* The first job of a ready target, still in its queue; the target is now the last of the ready
 * ones.
 */
struct job *target_take_turn(struct engine *engine, struct target *target);

/* Whether the pace takes one more call now; else *ret_again_ms says when time alone may change that
 * (INT64_MAX: only the end of a call can). */
bool target_has_pace(const struct engine *engine, const struct target *target,
                     int64_t *ret_again_ms);
/* Whether a free call slot may go to this target: its even share of the slots, and what no other
 * one can claim. Where there are several targets, or were of late, the last sixteenth of the slots
 * is for those that have fewer calls open. */
bool target_has_share(struct engine *engine, const struct target *target);
/* The line about a target without a share, at most once a minute. */
void target_log_share(struct engine *engine, struct target *target);

/* The call of a waiting job began: it leaves the queue, and job->call holds the ticket. The pace
 * takes it (CHECKed). */
void target_begin_call(struct engine *engine, struct job *job);
/* It ended, before job->call is freed: the pace hears what that says of the target, and the log of
 * a target that throttles, fails or has recovered. */
void target_end_call(struct engine *engine, struct job *job, const struct verdict *verdict);
/* Nothing was answered since a streak of refusals: the target is not known to work. */
bool target_is_shut(const struct target *target);

#endif
