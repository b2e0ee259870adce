#include "policy/clock_skew.h"

bool clock_skew_hear(struct clock_skew *skew, int64_t wall_ms, int64_t date_ms)
{
    int64_t offset_ms = date_ms - wall_ms;
    int64_t wrong_ms = offset_ms - skew->offset_ms;
    if (wrong_ms <= CLOCK_SKEW_NOISE_MS && wrong_ms >= -CLOCK_SKEW_NOISE_MS)
        return false;
    skew->offset_ms = offset_ms;
    return true;
}
