/* When keys are renewed. Keys with an end are renewed before it: 15 minutes before (advisory), and
 * keys that live for less than 30 minutes at half of their life; a little later by chance, so that
 * many workers do not ask at once. From 10 minutes before the end (mandatory) failures are retried
 * faster. Keys without an end are looked at again when that costs nothing. */
#ifndef POLICY_RENEWAL_H
#define POLICY_RENEWAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/random.h"

#define RENEWAL_ADVISORY_MS  INT64_C(900000)
#define RENEWAL_MANDATORY_MS INT64_C(600000)
#define RENEWAL_LOOK_MS      10000 /* between looks at what costs nothing */
#define RENEWAL_REFUSED_MS   10000 /* least time between renewals because the service refused */

/* How keys stand, in milliseconds. */
struct renewal {
    int64_t left_ms;   /* until their end; INT64_MAX = they have none; <= 0: there are none */
    bool is_costly;    /* finding them took requests or a process */
    uint32_t failures; /* searches that failed since the last one that did not */
};

/* How long after a search the next one begins. */
int64_t renewal_pause_ms(const struct renewal *renewal, struct random *random);

#endif
