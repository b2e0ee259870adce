/* Whom a request bills. A producer can write any tenant into a request; what broker ACLs protect is
 * the topic. So the settings may say which topics may bill a tenant, and whom the requests of a
 * topic bill that name none (policy/tenants.h). */
#ifndef ENGINE_TENANCY_H
#define ENGINE_TENANCY_H

#include "engine/state.h"

/* Sets the tenant of a request that names none, and checks it. ERR_INVALID: job->why. */
MUST_CHECK enum err tenancy_check(struct job *job);

#endif
