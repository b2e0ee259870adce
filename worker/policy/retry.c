#include "policy/retry.h"

#include "base/check.h"

#define RETRY_AFTER_WINDOW_MS 5000
/* The program that writes new credentials to a file may be a little late. */
#define LOOK_MS   1000
#define LOOKS_MAX 15

int64_t retry_jitter_ms(int64_t base_ms, uint32_t doublings, int64_t max_ms, struct random *random)
{
    CHECK(base_ms >= 0 && max_ms >= 0);
    int64_t most = base_ms;
    for (uint32_t i = 0; i < doublings && most < max_ms; i++)
        most *= 2;
    if (most > max_ms)
        most = max_ms;
    return (int64_t)random_below(random, (uint64_t)most + 1);
}

/* Does the failure count only against the time limits? */
static bool is_throttled(const struct retry_cause *cause)
{
    enum remedy remedy = err_remedy(cause->err);
    return remedy == DO_BACK_OFF ||
           (cause->is_blameless && (remedy == DO_RETRY || remedy == DO_REFRESH));
}

/* Counts the failure; false when the worker may not retry after this cause. */
static bool count_failure(const struct retry_settings *settings, struct retry_state *state,
                          const struct retry_cause *cause)
{
    state->is_looking = false;
    if (is_throttled(cause)) {
        state->throttled++;
        return true;
    }
    switch (err_remedy(cause->err)) {
    case DO_RETRY:
        return ++state->failed < settings->max_attempts;
    case DO_RETRY_ONCE:
        return ++state->failed < settings->max_attempts && ++state->once <= 1;
    case DO_REFRESH:
        if (++state->failed >= settings->max_attempts)
            return false;
        if (cause->is_refreshed)
            return ++state->refreshed <= 1;
        state->is_looking = cause->err == ERR_CREDENTIALS_OLD;
        return state->is_looking;
    case DO_BACK_OFF:
    case DO_NOTHING:
    case DO_REJECT:
    case DO_STOP:
        break;
    }
    return false;
}

static bool is_in_time(const struct retry_settings *settings, const struct retry_cause *cause,
                       int64_t delay_ms)
{
    return delay_ms <= settings->max_elapsed_ms - cause->elapsed_ms && delay_ms < cause->left_ms;
}

bool retry_look(const struct retry_settings *settings, struct retry_state *state,
                const struct retry_cause *cause, int64_t *ret_delay_ms)
{
    if (state->looks >= LOOKS_MAX && cause->was_asked)
        return false;
    if (!is_in_time(settings, cause, LOOK_MS))
        return false;
    state->looks++;
    *ret_delay_ms = LOOK_MS;
    return true;
}

bool retry_again(const struct retry_settings *settings, struct retry_state *state,
                 const struct retry_cause *cause, struct random *random, int64_t *ret_delay_ms)
{
    if (!count_failure(settings, state, cause))
        return false;
    if (state->is_looking)
        return retry_look(settings, state, cause, ret_delay_ms);
    bool throttled = is_throttled(cause);
    int64_t base_ms = throttled ? settings->throttle_base_ms : settings->transient_base_ms;
    uint32_t doublings = (throttled ? state->throttled : state->failed) - 1;
    int64_t delay_ms = retry_jitter_ms(base_ms, doublings, settings->max_delay_ms, random);
    if (cause->retry_after_ms >= 0) {
        int64_t least = cause->retry_after_ms;
        int64_t most = least + RETRY_AFTER_WINDOW_MS;
        delay_ms = delay_ms < least ? least : delay_ms > most ? most : delay_ms;
    }
    if (!is_in_time(settings, cause, delay_ms))
        return false;
    *ret_delay_ms = delay_ms;
    return true;
}
