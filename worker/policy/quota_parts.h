/* What the files of the quota share. The constants come from a simulation of these rules for hours
 * of virtual time; tests/unit/test_quota_sim.c repeats it. */
#ifndef POLICY_QUOTA_PARTS_H
#define POLICY_QUOTA_PARTS_H

#include "policy/quota.h"

#define QUOTA_RATE_MIN 0.001 /* per second */

static inline double quota_least(double a, double b)
{
    return a < b ? a : b;
}

static inline double quota_most(double a, double b)
{
    return a > b ? a : b;
}

/* 2^x for 0 <= x < 32; linear between the powers. */
static inline double quota_power_of_two(double x)
{
    uint32_t whole = (uint32_t)x;
    return (double)(1ULL << whole) * (1 + (x - (double)whole));
}

static inline double quota_seconds(int64_t ms)
{
    return (double)ms / 1000;
}

static inline double quota_known_of(const struct quota *quota, enum quota_kind kind)
{
    return quota->limits[kind].known * quota->share;
}

static inline bool quota_is_known(const struct quota *quota)
{
    return quota->limits[QUOTA_REQUESTS].known > 0 || quota->limits[QUOTA_TOKENS].known > 0;
}

/* What was granted from the mark up to a call. Later ones may still be refused. */
static inline double quota_granted(const struct quota_limit *limit, double started)
{
    return started - limit->mark - limit->less;
}

/* Whether the rate is below the last measurement. */
static inline bool quota_is_low(const struct quota *quota)
{
    return quota->limits[QUOTA_REQUESTS].learned < quota->limits[QUOTA_REQUESTS].base;
}

/* ---- policy/quota_learn.c ---- */

/* The rates after `s` seconds without a rest: raises the limit that holds calls back. */
void quota_grow(struct quota *quota, double s);
/* A call of the present generation was refused, or shows that the target is down: learns from it,
 * and sets the rest. */
void quota_refused(struct quota *quota, const struct quota_ticket *ticket,
                   const struct quota_outcome *outcome, struct quota_news *ret_news);
void quota_went_down(struct quota *quota, const struct quota_outcome *outcome,
                     struct quota_news *ret_news);

#endif
