#include "policy/renewal.h"

#define RETRY_MS           1000
#define RETRY_MAX_MS       60000
#define RETRY_URGENT_MS    10000 /* most, without keys or from the mandatory time on */
#define LOOK_FOR_CHEAP_MS  2000  /* without keys, when a search costs nothing */
#define LIFE_OF_HALVES_MS  (2 * RENEWAL_ADVISORY_MS)
#define JITTER_OF_ADVISORY ((RENEWAL_ADVISORY_MS - RENEWAL_MANDATORY_MS) / 2)

/* `ms` plus up to a `part`th of it. */
static int64_t later(int64_t ms, int64_t part, struct random *random)
{
    return ms + (int64_t)random_below(random, (uint64_t)(ms / part) + 1);
}

static int64_t retry_pause_ms(const struct renewal *renewal, struct random *random)
{
    if (!renewal->is_costly)
        return renewal->left_ms > 0 ? RENEWAL_LOOK_MS : LOOK_FOR_CHEAP_MS;
    int64_t most_ms = renewal->left_ms < RENEWAL_MANDATORY_MS ? RETRY_URGENT_MS : RETRY_MAX_MS;
    int64_t pause_ms = RETRY_MS;
    for (uint32_t i = 1; i < renewal->failures && pause_ms < most_ms; i++)
        pause_ms *= 2;
    pause_ms = pause_ms < most_ms ? pause_ms : most_ms;
    return later(pause_ms / 2, 1, random);
}

int64_t renewal_pause_ms(const struct renewal *renewal, struct random *random)
{
    if (renewal->failures > 0 || renewal->left_ms <= 0)
        return retry_pause_ms(renewal, random);
    if (!renewal->is_costly)
        return RENEWAL_LOOK_MS;
    if (renewal->left_ms == INT64_MAX)
        return INT64_MAX;
    if (renewal->left_ms < LIFE_OF_HALVES_MS)
        return later(renewal->left_ms / 2, 10, random);
    return renewal->left_ms - RENEWAL_ADVISORY_MS +
           (int64_t)random_below(random, JITTER_OF_ADVISORY);
}
