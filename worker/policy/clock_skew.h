/* How far this machine's clock is off against the service's, by the Date header of its answers (RFC
 * 9110). The worker signs with the corrected time, because AWS rejects a signature whose time is
 * more than five minutes off. Small differences are noise (the header has whole seconds and takes
 * time to arrive): the offset changes only when it is wrong by more than CLOCK_SKEW_NOISE_MS. Pure:
 * the caller passes all times, and nothing fails. A zeroed struct has no offset. */
#ifndef POLICY_CLOCK_SKEW_H
#define POLICY_CLOCK_SKEW_H

#include <stdbool.h>
#include <stdint.h>

#define CLOCK_SKEW_NOISE_MS 60000

struct clock_skew {
    int64_t offset_ms; /* add it to the wall time */
};

/* Takes note of an answer that arrived at `wall_ms` with the Date `date_ms`. True when the offset
 * changed. */
bool clock_skew_hear(struct clock_skew *skew, int64_t wall_ms, int64_t date_ms);

/* The offset to add to the wall time. */
static inline int64_t clock_skew_offset_ms(const struct clock_skew *skew)
{
    return skew->offset_ms;
}

#endif
