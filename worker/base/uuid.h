/* UUIDs of version 7 (RFC 9562): 48 bits of wall time in milliseconds, then random bits. The worker
 * names each call with one. */
#ifndef BASE_UUID_H
#define BASE_UUID_H

#include <stdint.h>

#include "base/random.h"
#include "base/slice.h"

#define UUID_TEXT_LEN 36

struct uuid {
    char text[UUID_TEXT_LEN]; /* lower case, with hyphens; no NUL */
};

/* Makes a UUID; `wall_ms` is since 1970. The seed of `random` decides the random bits. */
void uuid_new(struct uuid *ret_uuid, int64_t wall_ms, struct random *random);
/* Makes a UUID of version 7 whose 74 other bits come from `high` (12) and `low` (62); their upper
 * bits are ignored. */
void uuid_make(struct uuid *ret_uuid, int64_t wall_ms, uint64_t high, uint64_t low);

static inline struct slice uuid_slice(const struct uuid *uuid)
{
    return slice_of(uuid->text, UUID_TEXT_LEN);
}

#endif
