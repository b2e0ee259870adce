/* Whether failures of calls (no connection, 5xx, time-outs, broken answers) say that a target is
 * down. One failing request says nothing about its target: only OUTAGE_FAILURES failures in a row,
 * of more than one request and with no answer between, do. Then each further failure says so again,
 * until an answer. Pure: nothing fails. A zeroed outage is a target that works. */
#ifndef POLICY_OUTAGE_H
#define POLICY_OUTAGE_H

#include <stdbool.h>
#include <stdint.h>

#define OUTAGE_FAILURES 8

struct outage {
    uint32_t failures; /* in a row; stops at UINT32_MAX */
    uint64_t request;  /* whose failure was the first of them */
    bool are_several;  /* another request failed too */
};

static inline bool outage_is_on(const struct outage *outage)
{
    return outage->failures >= OUTAGE_FAILURES && outage->are_several;
}

/* A call failed. `request` tells requests apart. Returns outage_is_on. */
static inline bool outage_failure(struct outage *outage, uint64_t request)
{
    if (outage->failures == 0)
        *outage = (struct outage){.request = request};
    outage->are_several = outage->are_several || request != outage->request;
    outage->failures += outage->failures < UINT32_MAX;
    return outage_is_on(outage);
}

/* The target answered. */
static inline void outage_answer(struct outage *outage)
{
    *outage = (struct outage){.failures = 0};
}

#endif
