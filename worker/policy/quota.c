#include "policy/quota.h"

#include "base/check.h"

/* The constants come from a simulation of these rules for hours of virtual time;
 * tests/unit/test_quota_sim.c repeats it. */
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
#define RESERVED_MAX_S     54.0 /* of a known quota: so much may be reserved at once */
#define QUIET_MS           200  /* within which a refusal would have come */
#define SMOOTH             0.7  /* weight of a new measurement */
#define PULL               0.3  /* towards the fair part, at each cut */
#define MEASURED_CALLS     10.0 /* a measurement needs so many, */
#define MEASURED_S         10.0 /* and takes at least this long */
#define EXTRA_WEIGHT       0.02 /* of one call in the mean of costs */
#define BURST_CUT          0.7  /* of the savings, when they were refused */
#define DEBT_MAX_S         60.0 /* of the rate: absurd usage stops a target no longer */
#define RATE_MIN           0.001
#define START_MIN          2.0  /* per second; lower rates are found by measuring */
#define SLOW_START         0.25 /* of the rate, after an outage, */
#define SLOW_DOUBLE_S      0.5  /* and doubled each half second */
#define DOWN_REST_MIN_S    0.25
#define DOWN_REST_MAX_S    4.0
#define RETRY_AFTER_MAX_MS 600000
#define DAY_AFTER_MS       180000 /* refused for so long: the day's quota is spent */
#define DAY_PROBE_MS       60000

static double least(double a, double b)
{
    return a < b ? a : b;
}

static double most(double a, double b)
{
    return a > b ? a : b;
}

/* 2^x for 0 <= x < 32; linear between the powers. */
static double power_of_two(double x)
{
    uint32_t whole = (uint32_t)x;
    return (double)(1ULL << whole) * (1 + (x - (double)whole));
}

static double seconds(int64_t ms)
{
    return (double)ms / 1000;
}

static double known_of(const struct quota *quota, enum quota_kind kind)
{
    return quota->limits[kind].known * quota->share;
}

static bool is_known(const struct quota *quota)
{
    return quota->limits[QUOTA_REQUESTS].known > 0 || quota->limits[QUOTA_TOKENS].known > 0;
}

bool quota_is_limited(const struct quota *quota)
{
    return is_known(quota) || quota->limits[QUOTA_REQUESTS].learned < QUOTA_NO_LIMIT ||
           quota->limits[QUOTA_TOKENS].learned < QUOTA_NO_LIMIT;
}

double quota_rate(const struct quota *quota, enum quota_kind kind)
{
    double rate = quota->limits[kind].learned;
    double known = known_of(quota, kind) * USE_OF_KNOWN;
    if (known > 0)
        rate = least(rate, known);
    return rate >= QUOTA_NO_LIMIT ? QUOTA_NO_LIMIT : most(rate, RATE_MIN) * quota->slow;
}

/* What was granted from the mark up to a call. Later ones may still be refused. */
static double granted(const struct quota_limit *limit, double started)
{
    return started - limit->mark - limit->less;
}

static double room_s(const struct quota *quota)
{
    return is_known(quota) ? quota->saved_s : 1;
}

/* ---- the levels ---- */

static double test_s(const struct quota *quota)
{
    double calls_s = quota->period_calls / most(quota->limits[QUOTA_REQUESTS].base, RATE_MIN);
    return most(TEST_S, calls_s);
}

/* How many tests the present one lasts already. */
static double tests_since_cut(const struct quota *quota)
{
    return (seconds(quota->now_ms - quota->cut_ms) - quota->idle_s) / test_s(quota);
}

static bool holds_back(const struct quota *quota, enum quota_kind kind)
{
    const struct quota_limit *limit = &quota->limits[kind];
    double much = kind == QUOTA_REQUESTS ? 1.5 : 2 * quota->extra;
    return limit->learned < QUOTA_NO_LIMIT &&
           limit->level <= most(much, quota_rate(quota, kind) * 0.5);
}

/* Three per cent above the share the learned rate is no news any more. */
static void end_learning_above_known(struct quota *quota)
{
    for (int kind = 0; kind < QUOTA_KINDS; kind++) {
        double known = known_of(quota, (enum quota_kind)kind);
        if (known > 0 && quota->limits[kind].learned <= 1.03 * known)
            return;
    }
    for (int kind = 0; kind < QUOTA_KINDS; kind++)
        quota->limits[kind].learned = QUOTA_NO_LIMIT;
}

/* Raises the limit that holds calls back: from below the measured rate to above it in one test,
 * then faster and faster. */
static void grow(struct quota *quota, double s)
{
    struct quota_limit *requests = &quota->limits[QUOTA_REQUESTS];
    if (requests->learned >= QUOTA_NO_LIMIT &&
        quota->limits[QUOTA_TOKENS].learned >= QUOTA_NO_LIMIT)
        return;
    if (quota->is_starting) {
        if (quota->is_held)
            requests->learned *= power_of_two(least(s, 1));
        return;
    }
    double slope = 2 * SWING / test_s(quota);
    double age = tests_since_cut(quota);
    if (age > TEST_LATE)
        slope *= power_of_two(least(TEST_DOUBLINGS, (age - TEST_LATE) * 4));
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
    if (is_known(quota))
        end_learning_above_known(quota);
}

static void fill(struct quota *quota, enum quota_kind kind, double s)
{
    struct quota_limit *limit = &quota->limits[kind];
    double rate = quota_rate(quota, kind);
    if (rate >= QUOTA_NO_LIMIT) {
        limit->level = QUOTA_NO_LIMIT;
        return;
    }
    double room = most(1, rate * room_s(quota));
    limit->level = limit->level >= QUOTA_NO_LIMIT ? room : least(room, limit->level + rate * s);
}

/* Brings the levels to the present time. Nothing is saved up during a rest. */
static void advance(struct quota *quota, int64_t now_ms)
{
    if (now_ms <= quota->now_ms)
        return;
    double passed = seconds(now_ms - quota->now_ms);
    quota->used /= 1 + passed + passed * passed / 2;
    int64_t from_ms = quota->rest_until_ms > quota->now_ms ? quota->rest_until_ms : quota->now_ms;
    quota->now_ms = now_ms;
    if (from_ms >= now_ms)
        return;
    double s = seconds(now_ms - from_ms);
    if (quota->slow < 1 && quota->downs == 0)
        quota->slow = least(1, quota->slow * power_of_two(least(s / SLOW_DOUBLE_S, 2)));
    if (s > 1 && !quota->is_held) { /* the target was idle: no test of its rate */
        quota->idle_s += s - 1;
        grow(quota, 1);
    } else {
        grow(quota, s);
    }
    fill(quota, QUOTA_REQUESTS, s);
    fill(quota, QUOTA_TOKENS, s);
}

/* ---- admission ---- */

static double reservation(const struct quota_cost *cost)
{
    return cost->input + cost->max_output;
}

/* Before the first answer, careful: all that may be reserved. */
static double expected(const struct quota *quota, const struct quota_cost *cost)
{
    double all = cost->max_output * quota->rules.burndown;
    return cost->input + (quota->extra > 0 ? least(quota->extra, all) : cost->max_output);
}

static int64_t time_of(const struct quota *quota, double missing, double rate)
{
    return quota->now_ms + 1 + (int64_t)(least(missing / rate, 1e9) * 1000);
}

static bool allows(const struct quota *quota, const struct quota_cost *cost, int64_t *ret_again_ms)
{
    const struct quota_limit *requests = &quota->limits[QUOTA_REQUESTS];
    const struct quota_limit *tokens = &quota->limits[QUOTA_TOKENS];
    *ret_again_ms = INT64_MAX;
    if (quota->now_ms < quota->rest_until_ms || quota->now_ms < quota->quiet_until_ms) {
        bool is_rest = quota->rest_until_ms > quota->quiet_until_ms;
        *ret_again_ms = is_rest ? quota->rest_until_ms : quota->quiet_until_ms;
        return false;
    }
    if (quota->is_probing)
        return false;
    if (requests->level < 1) {
        *ret_again_ms = time_of(quota, 1 - requests->level, quota_rate(quota, QUOTA_REQUESTS));
        return false;
    }
    double rate = quota_rate(quota, QUOTA_TOKENS);
    double need = least(expected(quota, cost), most(1, rate * room_s(quota)));
    if (tokens->level < need) {
        *ret_again_ms = time_of(quota, need - tokens->level, rate);
        return false;
    }
    return tokens->known == 0 || quota->reserved <= 0 ||
           quota->reserved + reservation(cost) <= RESERVED_MAX_S * known_of(quota, QUOTA_TOKENS);
}

bool quota_allows(struct quota *quota, const struct quota_cost *cost, int64_t now_ms,
                  int64_t *ret_again_ms)
{
    advance(quota, now_ms);
    bool is_allowed = allows(quota, cost, ret_again_ms);
    quota->is_held = !is_allowed;
    return is_allowed;
}

static void spend(struct quota *quota, enum quota_kind kind, double amount)
{
    if (quota->limits[kind].level < QUOTA_NO_LIMIT)
        quota->limits[kind].level -= amount;
}

static bool is_saved_up(const struct quota *quota)
{
    for (int kind = 0; kind < QUOTA_KINDS; kind++) {
        double rate = quota_rate(quota, (enum quota_kind)kind);
        if (rate < QUOTA_NO_LIMIT && quota->limits[kind].level > most(2, 2 * rate))
            return true;
    }
    return false;
}

bool quota_admit(struct quota *quota, const struct quota_cost *cost, int64_t now_ms,
                 struct quota_ticket *ret_ticket, int64_t *ret_again_ms)
{
    if (!quota_allows(quota, cost, now_ms, ret_again_ms))
        return false;
    struct quota_ticket ticket = {
        .generation = quota->generation,
        .began_ms = now_ms,
        .reserved = reservation(cost),
        .expected = expected(quota, cost),
        .most_extra = cost->max_output * quota->rules.burndown,
        .input = cost->input,
        .is_probe = quota->downs > 0,
        .is_of_savings = is_known(quota) && is_saved_up(quota),
    };
    spend(quota, QUOTA_REQUESTS, 1);
    spend(quota, QUOTA_TOKENS, ticket.expected);
    quota->reserved += ticket.reserved;
    quota->limits[QUOTA_REQUESTS].started++;
    quota->limits[QUOTA_TOKENS].started += ticket.reserved;
    for (int kind = 0; kind < QUOTA_KINDS; kind++)
        ticket.started[kind] = quota->limits[kind].started;
    quota->used++;
    if (ticket.is_probe)
        quota->is_probing = true;
    else if (quota->again > 0 &&
             granted(&quota->limits[QUOTA_REQUESTS], ticket.started[QUOTA_REQUESTS]) < 3)
        quota->quiet_until_ms = now_ms + QUIET_MS;
    *ret_ticket = ticket;
    return true;
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

static double measured_rate(const struct quota *quota, enum quota_kind kind, double started,
                            double passed, bool is_late)
{
    const struct quota_limit *limit = &quota->limits[kind];
    double measured = most(0, granted(limit, started)) / most(passed, 0.001);
    /* Either the bucket was full for a while or the limit has risen: the truth is between. */
    if (is_late && limit->learned < QUOTA_NO_LIMIT)
        measured = (measured + most(measured, least(limit->learned, 2 * measured))) / 2;
    return measured;
}

/* The first refusal: the bucket was full at first, so that only this is known: it is too fast. */
static double first_base(const struct quota *quota, enum quota_kind kind,
                         const struct quota_ticket *ticket, double calls)
{
    double rate = quota_rate(quota, kind);
    if (is_known(quota) && rate < QUOTA_NO_LIMIT)
        return rate;
    double each = granted(&quota->limits[kind], ticket->started[kind]) / calls;
    return each * most(0.02, quota->used * 0.5);
}

static double next_base(const struct quota *quota, enum quota_kind kind, double measured,
                        double passed)
{
    double base = quota->limits[kind].base;
    if (quota->idle_s > 0.2 * passed) /* the bucket may have been full in between */
        return base;
    if (measured < 0.5 * base)
        return base * 0.5;
    return base + SMOOTH * (measured - base);
}

/* Towards this worker's share of what the group achieves. */
static double pulled(const struct quota *quota, double base)
{
    if (quota->part <= 0)
        return base;
    double lack = most(0.5, least(2, quota->share / quota->part));
    return base * (1 + PULL * (lack - 1));
}

static double rest_s(const struct quota *quota, const struct quota_ticket *ticket)
{
    double rate = quota->limits[QUOTA_REQUESTS].base;
    rate = quota->is_starting ? 1e9 : most(0.02, rate);
    uint32_t doublings = quota->again > 7 ? 7 : quota->again;
    double s = most(REST_MIN_S, least(REST_MAX_S, REST_CALLS / rate)) * (double)(1U << doublings);
    double tokens = quota->limits[QUOTA_TOKENS].base;
    if (tokens > 0)
        s = most(s, least(REST_RESERVED_S, 0.5 * ticket->reserved / tokens));
    return least(s, 2 * REST_MAX_S);
}

/* Too few calls were granted for a measurement. The rate of the start was only a guess: it is
 * halved if any were. */
static void refused_again(struct quota *quota, double calls)
{
    bool is_guess = !quota->is_measured && !is_known(quota) && calls > quota->calls_at_cut;
    quota->again++;
    quota->calls_at_cut = calls;
    for (int kind = 0; kind < QUOTA_KINDS && is_guess; kind++) {
        struct quota_limit *limit = &quota->limits[kind];
        limit->base = most(limit->base / 2, RATE_MIN);
        limit->learned = limit->base * (1 - SWING);
    }
}

static void cut(struct quota *quota, const struct quota_ticket *ticket)
{
    double passed = seconds(ticket->began_ms - quota->mark_ms);
    double calls =
        most(1, granted(&quota->limits[QUOTA_REQUESTS], ticket->started[QUOTA_REQUESTS]));
    bool is_late = tests_since_cut(quota) > TEST_LATE;
    bool is_first = quota->is_starting;
    bool is_measured = !is_first && calls >= MEASURED_CALLS && passed >= MEASURED_S;
    if (!is_first && !is_measured) { /* refused again at once: a longer rest is needed */
        refused_again(quota,
                      granted(&quota->limits[QUOTA_REQUESTS], ticket->started[QUOTA_REQUESTS]));
        return;
    }
    if (is_first && calls < MEASURED_CALLS && !is_known(quota)) { /* too few to learn from */
        quota->again++;
        quota->limits[QUOTA_REQUESTS].learned =
            least(quota->limits[QUOTA_REQUESTS].learned, most(START_MIN, quota->used * 0.5));
        return;
    }
    quota->is_measured = is_measured;
    if (is_measured) /* the longer the measurement, the slower the next test of it */
        quota->period_calls = most(TEST_CALLS_MIN, least(TEST_CALLS_MAX, 2 * calls));
    double bases[QUOTA_KINDS];
    for (int i = 0; i < QUOTA_KINDS; i++) {
        enum quota_kind kind = (enum quota_kind)i;
        double measured = measured_rate(quota, kind, ticket->started[i], passed, is_late);
        double base = is_first ? first_base(quota, kind, ticket, calls)
                               : next_base(quota, kind, measured, passed);
        bases[i] = pulled(quota, base);
    }
    for (int i = 0; i < QUOTA_KINDS; i++) {
        struct quota_limit *limit = &quota->limits[i];
        limit->base = most(bases[i], RATE_MIN);
        limit->learned = limit->base * (1 - SWING);
        limit->mark = ticket->started[i];
        limit->less = 0;
    }
    quota->mark_ms = ticket->began_ms;
    quota->again = 0;
    quota->calls_at_cut = 0;
    quota->idle_s = 0;
    quota->is_starting = false;
}

static int64_t retry_after(const struct quota_outcome *outcome)
{
    return outcome->retry_after_ms < RETRY_AFTER_MAX_MS ? outcome->retry_after_ms
                                                        : RETRY_AFTER_MAX_MS;
}

static void refused(struct quota *quota, const struct quota_ticket *ticket,
                    const struct quota_outcome *outcome, struct quota_news *news)
{
    quota->generation++;
    quota->downs = 0;
    if (quota->refused_ms == 0)
        quota->refused_ms = quota->now_ms;
    if (ticket->is_of_savings) { /* deeper than the bucket, which is no news of the rate */
        quota->saved_s = most(1, quota->saved_s * BURST_CUT);
        quota->cut_ms = quota->now_ms;
    } else {
        cut(quota, ticket);
        quota->cut_ms = quota->now_ms;
    }
    rest(quota, rest_s(quota, ticket), retry_after(outcome), news);
    if (quota->now_ms - quota->refused_ms >= DAY_AFTER_MS) {
        news->is_day_spent = !quota->is_day_spent;
        quota->is_day_spent = true;
        rest(quota, seconds(DAY_PROBE_MS), retry_after(outcome), news);
    }
    for (int kind = 0; kind < QUOTA_KINDS; kind++)
        quota->limits[kind].level = least(quota->limits[kind].level, 1);
}

static void went_down(struct quota *quota, const struct quota_outcome *outcome,
                      struct quota_news *news)
{
    quota->generation++;
    double s = DOWN_REST_MIN_S * power_of_two(quota->downs > 4 ? 4 : quota->downs);
    quota->downs++;
    quota->slow = SLOW_START;
    rest(quota, least(s, DOWN_REST_MAX_S), retry_after(outcome), news);
}

/* ---- settlement ---- */

static void learn_extra(struct quota *quota, const struct quota_ticket *ticket, double cost)
{
    double extra = most(1, least(cost - ticket->input, ticket->most_extra));
    quota->extra = quota->extra == 0 ? extra : quota->extra + EXTRA_WEIGHT * (extra - quota->extra);
}

static void book(struct quota *quota, const struct quota_ticket *ticket, double cost)
{
    struct quota_limit *limit = &quota->limits[QUOTA_TOKENS];
    spend(quota, QUOTA_TOKENS, cost - ticket->expected);
    limit->level = most(limit->level, -DEBT_MAX_S * quota_rate(quota, QUOTA_TOKENS));
    if (ticket->started[QUOTA_TOKENS] > limit->mark)
        limit->less += ticket->reserved - cost;
}

/* A refused call cost nothing. */
static void give_back(struct quota *quota, const struct quota_ticket *ticket)
{
    double requests = quota->limits[QUOTA_REQUESTS].level;
    double tokens = quota->limits[QUOTA_TOKENS].level;
    book(quota, ticket, 0);
    spend(quota, QUOTA_REQUESTS, -1);
    if (ticket->generation != quota->generation) { /* the cut has set the levels anew */
        quota->limits[QUOTA_REQUESTS].level = requests;
        quota->limits[QUOTA_TOKENS].level = tokens;
    }
    if (ticket->started[QUOTA_REQUESTS] > quota->limits[QUOTA_REQUESTS].mark)
        quota->limits[QUOTA_REQUESTS].less++;
}

struct quota_news quota_settle(struct quota *quota, const struct quota_ticket *ticket,
                               const struct quota_outcome *outcome, int64_t now_ms)
{
    struct quota_news news = {.rests = false};
    bool is_older = ticket->generation != quota->generation;
    advance(quota, now_ms);
    quota->reserved = most(0, quota->reserved - ticket->reserved);
    if (ticket->is_probe && !is_older)
        quota->is_probing = false;
    bool is_granted = outcome->said == QUOTA_ANSWERED || outcome->said == QUOTA_SILENT;
    if (!is_granted) {
        give_back(quota, ticket);
        if (!is_older && outcome->said == QUOTA_REFUSED)
            refused(quota, ticket, outcome, &news);
        else if (!is_older && outcome->said == QUOTA_DOWN)
            went_down(quota, outcome, &news);
        return news;
    }
    book(quota, ticket, outcome->cost >= 0 ? outcome->cost : ticket->expected);
    if (outcome->said == QUOTA_SILENT)
        return news;
    if (outcome->cost > 0)
        learn_extra(quota, ticket, outcome->cost);
    if (!is_older || quota->downs == 0) {
        news.is_answering = quota->downs > 0 || quota->is_day_spent;
        quota->downs = 0;
    }
    if (!is_older || !quota->is_day_spent) {
        quota->refused_ms = 0;
        quota->is_day_spent = false;
    }
    return news;
}

/* ---- rules and shares ---- */

static void take_rules(struct quota *quota, const struct quota_rules *rules)
{
    quota->rules = *rules;
    quota->rules.burndown = most(1, rules->burndown);
    quota->saved_s = most(1, rules->burst_s);
    quota->limits[QUOTA_REQUESTS].known = rules->requests_per_minute / 60;
    quota->limits[QUOTA_TOKENS].known = rules->tokens_per_minute / 60;
}

void quota_init(struct quota *quota, const struct quota_rules *rules, int64_t now_ms)
{
    *quota = (struct quota){.share = 1,
                            .slow = 1,
                            .period_calls = TEST_CALLS_MIN,
                            .is_starting = true,
                            .now_ms = now_ms,
                            .cut_ms = now_ms,
                            .mark_ms = now_ms};
    take_rules(quota, rules);
    for (int kind = 0; kind < QUOTA_KINDS; kind++)
        quota->limits[kind].learned = QUOTA_NO_LIMIT;
    if (!is_known(quota) && rules->start_per_second > 0)
        quota->limits[QUOTA_REQUESTS].learned = rules->start_per_second;
    for (int kind = 0; kind < QUOTA_KINDS; kind++) {
        double rate = quota_rate(quota, (enum quota_kind)kind);
        quota->limits[kind].level = rate >= QUOTA_NO_LIMIT   ? QUOTA_NO_LIMIT
                                    : kind == QUOTA_REQUESTS ? 1
                                                             : 0;
    }
}

void quota_set_rules(struct quota *quota, const struct quota_rules *rules, int64_t now_ms)
{
    advance(quota, now_ms);
    take_rules(quota, rules);
    fill(quota, QUOTA_REQUESTS, 0);
    fill(quota, QUOTA_TOKENS, 0);
}

void quota_set_share(struct quota *quota, double share, double part, int64_t now_ms)
{
    advance(quota, now_ms);
    share = most(0.0001, least(1, share));
    double factor = most(0.25, least(4, share / quota->share));
    for (int kind = 0; kind < QUOTA_KINDS && !quota->is_starting; kind++) {
        struct quota_limit *limit = &quota->limits[kind];
        if (limit->learned < QUOTA_NO_LIMIT)
            limit->learned *= factor;
        limit->base *= factor;
    }
    quota->part = share == quota->share ? part : 0;
    quota->share = share;
}

int64_t quota_wait_ms(const struct quota *quota, uint64_t calls, int64_t now_ms)
{
    double rate = quota_rate(quota, QUOTA_REQUESTS);
    double tokens = quota_rate(quota, QUOTA_TOKENS);
    if (quota->extra > 0 && tokens < QUOTA_NO_LIMIT)
        rate = least(rate, tokens / quota->extra);
    int64_t rest_ms = quota->rest_until_ms > now_ms ? quota->rest_until_ms - now_ms : 0;
    return rate >= QUOTA_NO_LIMIT ? rest_ms
                                  : rest_ms + (int64_t)(least((double)calls / rate, 1e9) * 1000);
}
