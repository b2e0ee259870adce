#include "policy/retry.h"

#include "base/check.h"

#define RETRY_AFTER_WINDOW_MS 5000

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
static bool is_overload(const struct retry_cause *cause)
{
    enum remedy remedy = err_remedy(cause->err);
    return remedy == DO_BACK_OFF || (cause->is_blameless && remedy == DO_RETRY);
}

/* Counts the failure; false when the worker may not retry after this cause. */
static bool count_failure(const struct retry_settings *settings, struct retry_state *state,
                          const struct retry_cause *cause)
{
    if (is_overload(cause)) {
        state->overloads++;
        return true;
    }
    switch (err_remedy(cause->err)) {
    case DO_RETRY:
        return ++state->failed < settings->max_attempts;
    case DO_RETRY_ONCE:
        return ++state->failed < settings->max_attempts && ++state->once <= 1;
    case DO_REFRESH:
        /* Old credentials say nothing about the request, and there are new ones. */
        if (cause->err == ERR_CREDENTIALS_OLD)
            return cause->is_refreshed;
        return ++state->failed < settings->max_attempts && cause->is_refreshed &&
               ++state->refreshed <= 1;
    case DO_PACE:
        return true;
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

/* Milliseconds to wait, by the failures so far and what the service asks for. */
static int64_t delay_of(const struct retry_settings *settings, const struct retry_state *state,
                        const struct retry_cause *cause, struct random *random)
{
    if (err_remedy(cause->err) == DO_PACE)
        return 0;
    bool is_over = is_overload(cause);
    int64_t base_ms = is_over ? settings->throttle_base_ms : settings->transient_base_ms;
    uint32_t failures = is_over ? state->overloads : state->failed;
    uint32_t doublings = failures > 0 ? failures - 1 : 0;
    int64_t delay_ms = retry_jitter_ms(base_ms, doublings, settings->max_delay_ms, random);
    if (cause->retry_after_ms < 0)
        return delay_ms;
    int64_t least = cause->retry_after_ms;
    int64_t most = least + RETRY_AFTER_WINDOW_MS;
    return delay_ms < least ? least : delay_ms > most ? most : delay_ms;
}

bool retry_again(const struct retry_settings *settings, struct retry_state *state,
                 const struct retry_cause *cause, struct random *random, int64_t *ret_delay_ms)
{
    if (!count_failure(settings, state, cause))
        return false;
    int64_t delay_ms = delay_of(settings, state, cause, random);
    if (!is_in_time(settings, cause, delay_ms))
        return false;
    *ret_delay_ms = delay_ms;
    return true;
}
