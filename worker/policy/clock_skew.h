/* How far this machine's clock is from the service's, told by the Date header of its answers.
 * Signatures are made with the corrected time. Small differences are noise (the header has whole
 * seconds and travels): the offset follows only when it is wrong by more than CLOCK_SKEW_NOISE_MS.
 * Pure; times are given. */
#ifndef POLICY_CLOCK_SKEW_H
#define POLICY_CLOCK_SKEW_H

#include <stdbool.h>
#include <stdint.h>

#define CLOCK_SKEW_NOISE_MS 60000 /* signatures live five minutes */

struct clock_skew {
    int64_t offset_ms; /* to be added to the wall time */
};

/* An answer with this Date was heard at this wall time. True when the offset changed. */
bool clock_skew_hear(struct clock_skew *skew, int64_t wall_ms, int64_t date_ms);

static inline int64_t clock_skew_offset_ms(const struct clock_skew *skew)
{
    return skew->offset_ms;
}

#endif
