/* The waiting jobs of a target, and whose turn it is: the glue between jobs and policy/fair.h, by
 * the priority of the request, its tenant with the weight of its settings, and its partition. */
#ifndef ENGINE_LINE_H
#define ENGINE_LINE_H

#include "engine/state.h"

/* Room for delivery.max_held jobs that wait. ERR_NO_MEMORY; lines_done is due in any case. */
MUST_CHECK enum err lines_init(struct engine *engine);
void lines_done(struct engine *engine);

/* Adds a job: at the front of its tenant's requests of its partition, or at their end. */
void line_add(struct engine *engine, struct target *target, struct job *job, bool at_front);
/* Removes a waiting job that is not called. */
void line_remove(struct engine *engine, struct target *target, struct job *job);
/* Removes a waiting job that is called, or marked for it. */
void line_take(struct engine *engine, struct target *target, struct job *job);
/* The call of a job was billed: if it waits again, it pays again. */
void line_bill(struct job *job);
/* The waiting job whose turn it is; CHECKs that there is one. */
struct job *line_next(const struct target *target);
/* The next job of a walk through target->line (fair_walk_begin); NULL: these were all. */
struct job *line_walk_next(struct fair_walk *walk);
/* About how many jobs a job would wait for that is added now, at the end. */
uint32_t line_ahead(const struct engine *engine, const struct target *target,
                    const struct job *job);
/* How many jobs are called before this one, which waits. Costs as much as a walk. */
struct fair_place line_place(const struct job *job);

#endif
