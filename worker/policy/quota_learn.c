#include "policy/quota_parts.h"

#define USE_OF_KNOWN       0.99 /* of a known rate: the bucket stays nearly full */
#define SWING              0.03 /* a test begins so much below the measured rate, and ends above it */
#define TEST_S             8.0  /* a test takes at least this long, */
#define TEST_CALLS_MIN     20.0 /* and so many calls */
#define TEST_CALLS_MAX     150.0
#define TEST_LATE          1.2 /* tests: after so many, the slope doubles each quarter of one, */
#define TEST_DOUBLINGS     4.0 /* so many times */
#define REST_CALLS         8.0 /* a refused target rests for the time of so many calls */
#define REST_MIN_S         0.25
#define REST_MAX_S         15.0 /* less than a bucket holds, or refill is lost; twice it when repeated */
#define REST_RESERVED_S    20.0
#define SMOOTH             0.7  /* weight of a new measurement */
#define PULL               0.3  /* towards the fair part, at each cut */
#define MEASURED_CALLS     10.0 /* a measurement needs so many, */
#define MEASURED_S         10.0 /* and takes at least this long */
#define GUESS_MIN          0.02 /* per second: a guess is no lower, as a test would take hours */
#define GUESS_CALLS        3.0  /* say something about a guess */
#define BURST_CUT          0.7  /* of the savings, when they were refused */
#define START_SLOW         3.0  /* per second: so few calls wait after each refusal */
#define START_MIN          2.0  /* per second; lower rates are found by measuring */
#define SLOW_START         0.25 /* of the rate, after an outage */
#define DOWN_REST_MIN_S    0.25
#define DOWN_REST_MAX_S    4.0
#define RETRY_AFTER_MAX_MS 600000
#define DAY_AFTER_MS       180000 /* refused for so long: the day's quota is spent */
#define DAY_PROBE_MS       60000

/* ---- tests of the rate ---- */

double quota_rate(const struct quota *quota, enum quota_kind kind)
{
    double rate = quota->limits[kind].learned;
    double known = quota_known_of(quota, kind) * USE_OF_KNOWN;
    if (known > 0)
        rate = quota_least(rate, known);
    return rate >= QUOTA_NO_LIMIT ? QUOTA_NO_LIMIT : quota_most(rate, QUOTA_RATE_MIN) * quota->slow;
}

static double test_s(const struct quota *quota)
{
    double calls_s =
        quota->period_calls / quota_most(quota->limits[QUOTA_REQUESTS].base, QUOTA_RATE_MIN);
    return quota_most(TEST_S, calls_s);
}

/* How many tests the present one lasts already. */
static double tests_since_cut(const struct quota *quota)
{
    return (quota_seconds(quota->now_ms - quota->cut_ms) - quota->idle_s) / test_s(quota);
}

static bool holds_back(const struct quota *quota, enum quota_kind kind)
{
    const struct quota_limit *limit = &quota->limits[kind];
    double much = kind == QUOTA_REQUESTS ? 1.5 : 2 * quota->extra;
    return limit->learned < QUOTA_NO_LIMIT &&
           limit->level <= quota_most(much, quota_rate(quota, kind) * 0.5);
}

/* Three per cent above the share the learned rate is no news any more. */
static void end_learning_above_known(struct quota *quota)
{
    for (int kind = 0; kind < QUOTA_KINDS; kind++) {
        double known = quota_known_of(quota, (enum quota_kind)kind);
        if (known > 0 && quota->limits[kind].learned <= 1.03 * known)
            return;
    }
    for (int kind = 0; kind < QUOTA_KINDS; kind++)
        quota->limits[kind].learned = QUOTA_NO_LIMIT;
}

/* Raises the limit that holds calls back: from below the measured rate to above it in one test,
 * then faster and faster. */
void quota_grow(struct quota *quota, double s)
{
    struct quota_limit *requests = &quota->limits[QUOTA_REQUESTS];
    if (requests->learned >= QUOTA_NO_LIMIT &&
        quota->limits[QUOTA_TOKENS].learned >= QUOTA_NO_LIMIT)
        return;
    if (quota->is_starting) {
        if (quota->is_held)
            requests->learned *= quota_power_of_two(quota_least(s, 1));
        return;
    }
    if (quota->is_ramping) {
        for (int kind = 0; kind < QUOTA_KINDS; kind++)
            if (holds_back(quota, (enum quota_kind)kind))
                quota->limits[kind].learned *= quota_power_of_two(quota_least(s, 1));
        return;
    }
    double slope = 2 * SWING / test_s(quota);
    double age = tests_since_cut(quota);
    if (age > TEST_LATE)
        slope *= quota_power_of_two(quota_least(TEST_DOUBLINGS, (age - TEST_LATE) * 4));
    bool is_tested = false, is_long = age > TEST_LATE + 1;
    for (int kind = 0; kind < QUOTA_KINDS; kind++) {
        if (!holds_back(quota, (enum quota_kind)kind))
            continue;
        is_tested = true;
        struct quota_limit *limit = &quota->limits[kind];
        limit->learned += (is_long ? limit->learned : limit->base) * slope * s;
    }
    if (!is_tested)
        quota->idle_s += s;
    if (quota_is_known(quota))
        end_learning_above_known(quota);
}

/* ---- refusals ---- */

static void rest(struct quota *quota, double s, int64_t least_ms, struct quota_news *news)
{
    int64_t ms = (int64_t)(s * 1000);
    if (ms < least_ms)
        ms = least_ms;
    news->rests = true;
    news->rest_ms = ms;
    quota->rest_until_ms = quota->now_ms + ms;
}

/* What was granted a second from the mark up to a call. */
static double granted_rate(const struct quota_limit *limit, double started, double passed)
{
    return quota_most(0, quota_granted(limit, started)) / quota_most(passed, 0.001);
}

static double measured_rate(const struct quota *quota, enum quota_kind kind, double started,
                            double passed, bool is_late)
{
    const struct quota_limit *limit = &quota->limits[kind];
    double measured = granted_rate(limit, started, passed);
    /* Either the bucket was full for a while or the limit has risen: the truth is between. */
    if (is_late && limit->learned < QUOTA_NO_LIMIT)
        measured = (measured + quota_most(measured, quota_least(limit->learned, 2 * measured))) / 2;
    return measured;
}

/* The first refusal: the bucket was full at first, so that only this is known: it is too fast. */
static double first_base(const struct quota *quota, enum quota_kind kind,
                         const struct quota_ticket *ticket, double calls)
{
    double rate = quota_rate(quota, kind);
    if (quota_is_known(quota) && (rate < QUOTA_NO_LIMIT || calls < MEASURED_CALLS))
        return rate;
    double each = quota_granted(&quota->limits[kind], ticket->started[kind]) / calls;
    if (kind == QUOTA_TOKENS) /* what later calls did not use is taken off, too */
        each = quota_most(each, ticket->input + quota_least(quota->extra, ticket->most_extra));
    return each * quota_most(GUESS_MIN, quota->used * 0.5);
}

static double next_base(const struct quota *quota, enum quota_kind kind, double measured,
                        double passed)
{
    double base = quota->limits[kind].base;
    if (base >= QUOTA_NO_LIMIT)
        return measured;
    if (quota->idle_s > 0.2 * passed) /* the bucket may have been full in between */
        return base;
    if (measured < 0.5 * base)
        return base * 0.5;
    return base + SMOOTH * (measured - base);
}

/* Towards this worker's share of what the group achieves. */
static double pulled(const struct quota *quota, double base)
{
    if (quota->part <= 0 || base >= QUOTA_NO_LIMIT)
        return base;
    double lack = quota_most(0.5, quota_least(2, quota->share / quota->part));
    return base * (1 + PULL * (lack - 1));
}

static double rest_s(const struct quota *quota, const struct quota_ticket *ticket)
{
    double rate = quota->limits[QUOTA_REQUESTS].base;
    rate = quota->is_starting ? 1e9 : quota_most(0.02, rate);
    uint32_t doublings = quota->again > 7 ? 7 : quota->again;
    double s = quota_most(REST_MIN_S, quota_least(REST_MAX_S, REST_CALLS / rate)) *
               (double)(1U << doublings);
    double tokens = quota->limits[QUOTA_TOKENS].base;
    if (tokens > 0)
        s = quota_most(s, quota_least(REST_RESERVED_S, 0.5 * ticket->reserved / tokens));
    return quota_least(s, 2 * REST_MAX_S);
}

/* Too few calls were granted for a measurement, so the rest before was too short. But the rate of
 * the start was only a guess: it follows the few calls that were granted, at most halved. */
static void refused_again(struct quota *quota, double calls)
{
    bool is_guess = !quota->is_measured && !quota_is_known(quota) && calls > quota->calls_at_cut;
    double since = calls - quota->calls_at_cut;
    if (!is_guess || since < GUESS_CALLS)
        quota->again++;
    quota->calls_at_cut = calls;
    double part = quota_most(0.5, since / (since + REST_CALLS));
    for (int kind = 0; kind < QUOTA_KINDS && is_guess; kind++) {
        struct quota_limit *limit = &quota->limits[kind];
        limit->base = quota_most(limit->base * part, GUESS_MIN);
        limit->learned = limit->base * (1 - SWING);
    }
}

/* Begins a measurement with this call, and a test of these rates. */
static void set_bases(struct quota *quota, const struct quota_ticket *ticket,
                      const double bases[QUOTA_KINDS])
{
    for (int i = 0; i < QUOTA_KINDS; i++) {
        struct quota_limit *limit = &quota->limits[i];
        limit->base = quota_most(bases[i], QUOTA_RATE_MIN);
        limit->learned = limit->base < QUOTA_NO_LIMIT ? limit->base * (1 - SWING) : QUOTA_NO_LIMIT;
        limit->mark = ticket->started[i];
        limit->less = 0;
    }
    quota->mark_ms = ticket->began_ms;
    quota->again = 0;
    quota->calls_at_cut = 0;
    quota->idle_s = 0;
    quota->is_starting = false;
    quota->is_ramping = false;
}

/* The start, or what followed noise that is proved, went faster and faster. */
static void end_of_start(struct quota *quota, const struct quota_ticket *ticket, double calls)
{
    if (calls < MEASURED_CALLS && !quota_is_known(quota)) { /* too few to learn from */
        quota->again++;
        quota->limits[QUOTA_REQUESTS].learned = quota_least(
            quota->limits[QUOTA_REQUESTS].learned, quota_most(START_MIN, quota->used * 0.5));
        noise_open(&quota->noise);
        return;
    }
    double bases[QUOTA_KINDS];
    for (int i = 0; i < QUOTA_KINDS; i++)
        bases[i] = pulled(quota, first_base(quota, (enum quota_kind)i, ticket, calls));
    noise_measured(&quota->noise, 0, bases[QUOTA_REQUESTS]);
    quota->is_measured = false;
    set_bases(quota, ticket, bases);
}

static void cut(struct quota *quota, const struct quota_ticket *ticket, double calls, double passed)
{
    bool is_late = tests_since_cut(quota) > TEST_LATE;
    double before = quota->limits[QUOTA_REQUESTS].base;
    if (calls < MEASURED_CALLS || passed < MEASURED_S) { /* a longer rest is needed */
        refused_again(quota, calls);
        return;
    }
    quota->is_measured = true;
    /* The longer the measurement, the slower the next test of it. */
    quota->period_calls = quota_most(TEST_CALLS_MIN, quota_least(TEST_CALLS_MAX, 2 * calls));
    double bases[QUOTA_KINDS];
    for (int i = 0; i < QUOTA_KINDS; i++) {
        enum quota_kind kind = (enum quota_kind)i;
        double measured = measured_rate(quota, kind, ticket->started[i], passed, is_late);
        double base = next_base(quota, kind, measured, passed);
        if (kind == QUOTA_REQUESTS)
            noise_measured(&quota->noise, before, base);
        bases[i] = pulled(quota, base);
    }
    set_bases(quota, ticket, bases);
}

/* The quota refuses calls, besides what noise there may be. */
static void learn(struct quota *quota, const struct quota_ticket *ticket, enum noise_says says)
{
    const struct quota_limit *requests = &quota->limits[QUOTA_REQUESTS];
    double started = ticket->started[QUOTA_REQUESTS];
    double calls = quota_granted(requests, started);
    double passed = quota_seconds(ticket->began_ms - quota->mark_ms);
    enum noise_verdict verdict = NOISE_WAS_KNOWN;
    if (says == NOISE_EXCESS)
        verdict =
            noise_exceeded(&quota->noise, granted_rate(requests, started, passed), quota->share);
    if (verdict == NOISE_IS_DISPROVED)
        set_bases(quota, ticket,
                  (double[]){quota->limits[QUOTA_REQUESTS].base, quota->limits[QUOTA_TOKENS].base});
    else if (quota->is_starting || verdict == NOISE_IS_KNOWN)
        end_of_start(quota, ticket, quota_most(1, calls));
    else
        cut(quota, ticket, calls, passed);
}

/* The refusals before were noise: as at the start, the rate doubles each second. */
static void start_again(struct quota *quota)
{
    quota->is_ramping = true;
    quota->again = 0;
    quota->idle_s = 0;
    quota->cut_ms = quota->now_ms;
    quota->refused_ms = 0;
}

static int64_t retry_after(const struct quota_outcome *outcome)
{
    return outcome->retry_after_ms < RETRY_AFTER_MAX_MS ? outcome->retry_after_ms
                                                        : RETRY_AFTER_MAX_MS;
}

/* Whether a refusal is no chance, though others may be. */
static bool is_certain(const struct quota *quota, const struct quota_ticket *ticket,
                       const struct quota_outcome *outcome)
{
    return quota->is_day_spent ||
           (quota->is_starting &&
            (ticket->is_of_savings || outcome->retry_after_ms > 0 || quota->again > 0));
}

void quota_refused(struct quota *quota, const struct quota_ticket *ticket,
                   const struct quota_outcome *outcome, struct quota_news *ret_news)
{
    enum noise_says says = noise_refusal(&quota->noise, ticket->started[QUOTA_REQUESTS],
                                         quota->limits[QUOTA_REQUESTS].learned, quota_is_low(quota),
                                         quota->share, quota_seconds(quota->now_ms));
    if (says == NOISE_FOUND)
        start_again(quota);
    if (says == NOISE_FOUND || (says == NOISE_WITHIN && !is_certain(quota, ticket, outcome))) {
        bool is_slow = quota->is_starting && quota->used < START_SLOW;
        if (is_slow || outcome->retry_after_ms > 0)
            rest(quota, is_slow ? REST_MIN_S : 0, retry_after(outcome), ret_news);
        return;
    }
    quota->generation++;
    quota->downs = 0;
    if (quota->refused_ms == 0)
        quota->refused_ms = quota->now_ms;
    if (ticket->is_of_savings) /* deeper than the bucket, which is no news of the rate */
        quota->saved_s = quota_most(1, quota->saved_s * BURST_CUT);
    else
        learn(quota, ticket, says);
    quota->cut_ms = quota->now_ms;
    rest(quota, rest_s(quota, ticket), retry_after(outcome), ret_news);
    if (quota->now_ms - quota->refused_ms >= DAY_AFTER_MS) {
        ret_news->is_day_spent = !quota->is_day_spent;
        quota->is_day_spent = true;
        rest(quota, quota_seconds(DAY_PROBE_MS), retry_after(outcome), ret_news);
    }
    for (int kind = 0; kind < QUOTA_KINDS; kind++)
        quota->limits[kind].level = quota_least(quota->limits[kind].level, 1);
}

void quota_went_down(struct quota *quota, const struct quota_outcome *outcome,
                     struct quota_news *ret_news)
{
    quota->generation++;
    double s = DOWN_REST_MIN_S * quota_power_of_two(quota->downs > 4 ? 4 : quota->downs);
    quota->downs++;
    quota->slow = SLOW_START;
    rest(quota, quota_least(s, DOWN_REST_MAX_S), retry_after(outcome), ret_news);
}
