/* This worker's share of the quotas that its group uses together, by what io sees of the group's
 * offsets (engine_group_looked): policy/lag_share.h. All targets have the same share, because a
 * look does not show which model a request that waits in Kafka is for. */
#ifndef ENGINE_SHARING_H
#define ENGINE_SHARING_H

#include "engine/state.h"

/* All of each quota, until a look says otherwise. */
void sharing_init(struct engine *engine);

#endif
