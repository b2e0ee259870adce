/* Whether a failed call is tried again, and when. Pure: the error's remedy (base/err.def), what was
 * tried already, the settings and a seeded generator decide. Full jitter: rand(0..1) * min(base *
 * 2^n, max), transient and throttling bases apart; a service's Retry-After t moves the delay into
 * [t, t + 5 s] (AWS SDK retry behaviour). */
#ifndef POLICY_RETRY_H
#define POLICY_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/random.h"

struct retry_settings {
    uint32_t max_attempts;  /* calls that failed otherwise than by throttling, the first included */
    int64_t max_elapsed_ms; /* no call begins later than this after the first one */
    int64_t transient_base_ms, throttle_base_ms, max_delay_ms;
};

/* What one request has been through; zeroed at its start. */
struct retry_state {
    uint32_t failed;    /* attempts that count against max_attempts */
    uint32_t throttled; /* attempts that count against time alone */
    uint32_t once;      /* of DO_RETRY_ONCE */
    uint32_t refreshed; /* of DO_REFRESH, with what had changed since */
    uint32_t looks;     /* for new credentials, while nothing had changed */
    bool is_looking;    /* what it waits for: to be tried when there are some, else not */
};

struct retry_cause {
    enum err err;
    int64_t retry_after_ms; /* -1 = the service named none */
    bool is_refreshed;      /* credentials or clock offset changed since the call was signed */
    bool was_asked; /* since it failed the places of credentials were looked at, without news */
    /* nothing works there now, and the call cost nothing: it counts as throttled */
    bool is_blameless;
    int64_t elapsed_ms; /* since the first call began */
    int64_t left_ms;    /* until the request's own time limit; INT64_MAX = none */
};

/* Notes the failure in `state`; true: try again after *ret_delay_ms. */
bool retry_again(const struct retry_settings *settings, struct retry_state *state,
                 const struct retry_cause *cause, struct random *random, int64_t *ret_delay_ms);

/* It waits for new credentials and there are none yet: true: look again after *ret_delay_ms.
 * `cause` is what it failed with. False only when somebody looked meanwhile, or a time limit is
 * near. */
bool retry_look(const struct retry_settings *settings, struct retry_state *state,
                const struct retry_cause *cause, int64_t *ret_delay_ms);

/* rand(0..1) * min(base * 2^doublings, max); for other waits of the same kind. */
int64_t retry_jitter_ms(int64_t base_ms, uint32_t doublings, int64_t max_ms, struct random *random);

#endif
