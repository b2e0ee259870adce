/* Whether the worker retries a failed call, and when. The error's remedy (base/err.def), the
 * failures before, the settings and a seeded generator decide. The delay has full jitter:
 * rand(0..1) * min(base * 2^n, max), with separate bases for transient errors and an overloaded
 * service; a Retry-After t moves the delay into [t, t + 5 s] (AWS SDKs and Tools Reference Guide,
 * retry behavior). A throttled request has no delay: it waits for its target's quota
 * (policy/quota.h). Pure: the caller passes all times, owns the state, and nothing fails. */
#ifndef POLICY_RETRY_H
#define POLICY_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/random.h"

struct retry_settings {
    uint32_t max_attempts;  /* failed calls, the first included; throttled ones do not count */
    int64_t max_elapsed_ms; /* no call begins later than this after the first */
    int64_t transient_base_ms, throttle_base_ms, max_delay_ms;
};

/* The failures of one request so far; zeroed at its start. */
struct retry_state {
    uint32_t failed;    /* calls that count against max_attempts */
    uint32_t overloads; /* failed calls that count only against the time limits */
    uint32_t once;      /* failures whose remedy is DO_RETRY_ONCE */
    uint32_t refreshed; /* wrong signatures, when credentials or clock had changed */
};

/* The failure that retry_again judges. */
struct retry_cause {
    enum err err;
    int64_t retry_after_ms; /* -1 = the service named none */
    bool is_refreshed;      /* credentials or clock offset changed since the call was signed */
    bool is_blameless;      /* the whole target is down and the call cost nothing: as overloaded */
    int64_t elapsed_ms;     /* since the first call began, less the rests of its target */
    int64_t left_ms;        /* until the request's own time limit; INT64_MAX = none */
};

/* Counts the failure in `state`. True: retry after *ret_delay_ms. False: the failure is final. */
bool retry_again(const struct retry_settings *settings, struct retry_state *state,
                 const struct retry_cause *cause, struct random *random, int64_t *ret_delay_ms);

/* rand(0..1) * min(base * 2^doublings, max), in milliseconds from 0 to `max_ms`. */
int64_t retry_jitter_ms(int64_t base_ms, uint32_t doublings, int64_t max_ms, struct random *random);

#endif
