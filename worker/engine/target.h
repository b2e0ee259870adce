/* Targets: one model in one region behind one endpoint, called as one identity. A target owns its
 * queue of waiting jobs, its quota (engine/pacing.h) and its signing key. Busy targets share the
 * worker's call slots. engine/dispatch.h decides which one calls next.
 */
#ifndef ENGINE_TARGET_H
#define ENGINE_TARGET_H

#include "engine/state.h"

struct verdict;

/* Starts without targets. */
void targets_init(struct engine *engine);
/* Frees all targets. */
void targets_free(struct engine *engine);

/* The settings' quotas have changed. */
void targets_reload(struct engine *engine);

/* Finds or makes the target for a model, a region (empty = engine_config.region) and an identity by
 * its number. The job holds it until target_release. ERR_NO_MEMORY; ERR_INVALID: no valid region
 * name is known. */
MUST_CHECK enum err target_get(struct engine *engine, struct slice model, struct slice region,
                               uint32_t identity_number, struct target **ret_target);
/* The target, if it exists; else NULL. */
struct target *target_find(struct engine *engine, struct slice model, struct slice region,
                           uint32_t identity_number);
/* One more hold, until target_release. */
void target_hold(struct engine *engine, struct target *target);
/* Ends one hold. Frees a target that has no holders and nothing to remember; others live on for ten
 * minutes, 256 of them at most, and while they rest. */
void target_release(struct engine *engine, struct target *target);
/* Adds a job to the queue (engine/line.h): at the front if it has waited before, else at the end.
 */
void target_enqueue(struct engine *engine, struct target *target, struct job *job, bool at_front);
/* Removes a job from the queue: it is not called. */
void target_dequeue(struct engine *engine, struct target *target, struct job *job);

/* Likewise: it is marked for a call. */
void target_take(struct engine *engine, struct target *target, struct job *job);

/* The target after this one, in the order they were made; NULL = before the first, after the last.
 */
struct target *targets_next(const struct engine *engine, const struct target *target);
/* Likewise among targets with waiting jobs, in the order of their turns. */
struct target *targets_next_ready(const struct engine *engine, const struct target *target);
/* The job of a ready target whose turn it is, still in its queue. The target's next turn is after
 * those of all other ready targets. */
struct job *target_take_turn(struct engine *engine, struct target *target);

/* Whether the pace of a target with waiting jobs allows the call of the first one (pacing_allows).
 */
bool target_has_pace(struct engine *engine, struct target *target, int64_t *ret_again_ms);
/* Whether a free call slot may go to this target: it has its even share of the slots, and those
 * that no other target can claim. While there are several targets, and some time after, the last
 * sixteenth of the slots is for targets with few open calls. */
bool target_has_share(struct engine *engine, const struct target *target);
/* Logs that the target waits for its share; at most once a minute. */
void target_log_share(struct engine *engine, struct target *target);

/* The shares of the call slots must be counted again: a cut changes how many jobs may be marked. */
void targets_count_again(struct engine *engine);
/* Counts a job as marked (1) or not any more (-1). */
void target_mark(struct engine *engine, struct target *target, int change);

/* The call of a waiting or marked job began: removes it from its list and counts the call.
 * A waiting one gets its ticket; CHECKs that the pace allows the call. */
void target_begin_call(struct engine *engine, struct job *job);
/* The call ended; job->call is not freed yet. Reports the verdict to the pace (pacing_end_call).
 */
void target_end_call(struct engine *engine, struct job *job, const struct verdict *verdict);
#endif
