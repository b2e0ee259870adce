/* Lanes: requests that must not overtake each other. A lane is (topic-partition, key) when ordering
 * is `key` (a null key has none), the topic-partition when it is `partition`. The first job of a
 * lane leads it, the others wait in its list; the next one leads when the leader has finished, an
 * error being a finish too. No allocation: lanes are chains of jobs. */
#ifndef ENGINE_LANE_H
#define ENGINE_LANE_H

#include "engine/state.h"

/* What the buckets of lanes hold for each job of the pool, at most. */
#define LANE_BYTES_PER_JOB (2 * (size_t)LANES_PER_JOB * sizeof(struct link))
#define LANES_PER_JOB      2

/* Sized from delivery.max_held. ERR_NO_MEMORY. */
MUST_CHECK enum err lanes_init(struct engine *engine);
void lanes_done(struct engine *engine);

/* true: the job leads its lane (or needs none) and may go on; false: it now waits in the lane. */
bool lane_enter(struct engine *engine, struct job *job);
/* The job has finished or is forgotten. The next of its lane leads it from now on, and is woken. */
void lane_leave(struct engine *engine, struct job *job);
/* A woken job, which may go on now; NULL = none is left. */
struct job *lane_take_woken(struct engine *engine);
bool lanes_are_woken(const struct engine *engine);

#endif
