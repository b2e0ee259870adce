/* Lanes: requests that must not overtake each other. A lane is a (topic-partition, key) when
 * ordering is `key` (a null key has no lane), a topic-partition when it is `partition`. The first
 * job leads the lane and the others wait in its list; when the leader finishes, also with an error,
 * the next one leads. Allocates only at birth: lanes are chains of jobs. */
#ifndef ENGINE_LANE_H
#define ENGINE_LANE_H

#include "engine/state.h"

/* The most bytes that the buckets of lanes hold for each job of the pool. */
#define LANE_BYTES_PER_JOB (2 * (size_t)LANES_PER_JOB * sizeof(struct link))
#define LANES_PER_JOB      2

/* Sized by delivery.max_held. ERR_NO_MEMORY. */
MUST_CHECK enum err lanes_init(struct engine *engine);
/* Frees the buckets. */
void lanes_done(struct engine *engine);

/* True: the job leads its lane or needs none, and may go on. False: it waits in its lane. */
bool lane_enter(struct engine *engine, struct job *job);
/* Whether a request before this one in its lane has neither a call nor an answer. False for the
 * leader. CHECKs that the job is in a lane. */
bool lane_waits(struct engine *engine, const struct job *job);
/* A job that has finished or is dropped leaves its lane; wakes the next one, which leads now. */
void lane_leave(struct engine *engine, struct job *job);
/* Removes and returns a woken job, which may go on now; NULL = there is none. */
struct job *lane_take_woken(struct engine *engine);
/* Whether there are woken jobs. */
bool lanes_are_woken(const struct engine *engine);

#endif
