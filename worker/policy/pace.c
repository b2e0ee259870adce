#include "policy/pace.h"

bool pace_refused(struct pace *pace, const struct retry_settings *settings, int64_t now_ms,
                  int64_t retry_after_ms, struct random *random, int64_t *ret_delay_ms)
{
    /* Refusals of calls that were open when the rest began say nothing new. */
    if (pace->calls_max > 0 && now_ms < pace->rest_until_ms)
        return false;
    /* A refused probe stands for a whole streak. */
    pace->streak += pace->streak >= PACE_STREAK ? PACE_STREAK : 1;
    if (pace->streak < PACE_STREAK)
        return false;
    uint32_t doublings = pace->streak / PACE_STREAK - 1;
    int64_t delay_ms =
        retry_jitter_ms(settings->throttle_base_ms, doublings, settings->max_delay_ms, random);
    if (delay_ms < retry_after_ms)
        delay_ms = retry_after_ms;
    if (pace->calls_max == 0)
        pace->slowed_at_ms = now_ms;
    pace->calls_max = 1;
    pace->rest_until_ms = now_ms + delay_ms;
    *ret_delay_ms = delay_ms;
    return true;
}

bool pace_answered(struct pace *pace, uint32_t max)
{
    pace->streak = 0;
    if (pace->calls_max == 0)
        return false;
    pace->calls_max++;
    if (pace->calls_max < max)
        return false;
    pace->calls_max = 0;
    return true;
}

bool pace_allows(const struct pace *pace, uint32_t calls, int64_t now_ms, int64_t *ret_again_ms)
{
    *ret_again_ms = INT64_MAX;
    if (pace->calls_max == 0)
        return true;
    if (now_ms < pace->rest_until_ms) {
        *ret_again_ms = pace->rest_until_ms;
        return false;
    }
    return calls < pace->calls_max;
}
