/* What workers have reserved of tenants' budgets, told each other in the topic of budgets
 * (wire/outputs/sums.h): a worker sends a record of all that it has reserved, at most twice a
 * second and when that has changed or is ten seconds old, and reads its own as it reads the
 * others'. When it has read its own, the others have or will soon; it allows for the time that it
 * took, and some more. A worker that is not heard of until after its session is forgotten: what its
 * calls cost is in the usage by then. */
#ifndef ENGINE_RESERVATIONS_H
#define ENGINE_RESERVATIONS_H

#include "engine/spenders.h"
#include "wire/outputs/sums.h"

void reservations_init(struct engine *engine, struct budgets *budgets);
void reservations_free(struct budgets *budgets);
/* A record, of this worker or another one. */
void reservations_read(struct engine *engine, const struct reserved *reserved);
/* Whether the others know of this worker, and so leave it a share; or cannot hear of it. */
bool reservations_are_shared(const struct engine *engine);
/* Tells the others what has changed, and forgets whom it has not heard of. */
void reservations_turn(struct engine *engine);

#endif
