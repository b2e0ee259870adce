#include "policy/quota.h"

#include "base/check.h"
#include "policy/quota_parts.h"

#define RESERVED_MAX_S 54.0 /* of a known quota: so much may be reserved at once */
#define QUIET_MS       200  /* within which a refusal would have come */
#define EXTRA_WEIGHT   0.02 /* of one call in the mean of costs */
#define DEBT_MAX_S     60.0 /* of the rate: absurd usage stops a target no longer */
#define SLOW_DOUBLE_S  0.5  /* the rate after an outage doubles in this time */
#define PERIOD_CALLS   20.0 /* of the first tests */

bool quota_is_limited(const struct quota *quota)
{
    return quota_is_known(quota) || quota->limits[QUOTA_REQUESTS].learned < QUOTA_NO_LIMIT ||
           quota->limits[QUOTA_TOKENS].learned < QUOTA_NO_LIMIT;
}

static double room_s(const struct quota *quota)
{
    return quota_is_known(quota) ? quota->saved_s : 1;
}

/* ---- the levels ---- */

static void fill(struct quota *quota, enum quota_kind kind, double s)
{
    struct quota_limit *limit = &quota->limits[kind];
    double rate = quota_rate(quota, kind);
    if (rate >= QUOTA_NO_LIMIT) {
        limit->level = QUOTA_NO_LIMIT;
        return;
    }
    double room = quota_most(1, rate * room_s(quota));
    limit->level =
        limit->level >= QUOTA_NO_LIMIT ? room : quota_least(room, limit->level + rate * s);
}

/* Brings the levels to the present time. Nothing is saved up during a rest. */
static void advance(struct quota *quota, int64_t now_ms)
{
    if (now_ms <= quota->now_ms)
        return;
    double passed = quota_seconds(now_ms - quota->now_ms);
    quota->used /= 1 + passed + passed * passed / 2;
    int64_t from_ms = quota->rest_until_ms > quota->now_ms ? quota->rest_until_ms : quota->now_ms;
    quota->now_ms = now_ms;
    if (from_ms >= now_ms)
        return;
    double s = quota_seconds(now_ms - from_ms);
    if (quota->slow < 1 && quota->downs == 0)
        quota->slow =
            quota_least(1, quota->slow * quota_power_of_two(quota_least(s / SLOW_DOUBLE_S, 2)));
    if (s > 1 && !quota->is_held) { /* the target was idle: no test of its rate */
        quota->idle_s += s - 1;
        quota_grow(quota, 1);
    } else {
        quota_grow(quota, s);
    }
    fill(quota, QUOTA_REQUESTS, s);
    fill(quota, QUOTA_TOKENS, s);
}

/* ---- admission ---- */

static double reservation(const struct quota_cost *cost)
{
    return cost->input + cost->max_output;
}

double quota_expected(const struct quota *quota, const struct quota_cost *cost)
{
    double all = cost->max_output * quota->rules.burndown;
    return cost->input + (quota->extra > 0 ? quota_least(quota->extra, all) : cost->max_output);
}

static int64_t time_of(const struct quota *quota, double missing, double rate)
{
    return quota->now_ms + 1 + (int64_t)(quota_least(missing / rate, 1e9) * 1000);
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
    double need = quota_least(quota_expected(quota, cost), quota_most(1, rate * room_s(quota)));
    if (tokens->level < need) {
        *ret_again_ms = time_of(quota, need - tokens->level, rate);
        return false;
    }
    return tokens->known == 0 || quota->reserved <= 0 ||
           quota->reserved + reservation(cost) <=
               RESERVED_MAX_S * quota_known_of(quota, QUOTA_TOKENS);
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
        if (rate < QUOTA_NO_LIMIT && quota->limits[kind].level > quota_most(2, 2 * rate))
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
        .expected = quota_expected(quota, cost),
        .most_extra = cost->max_output * quota->rules.burndown,
        .input = cost->input,
        .is_probe = quota->downs > 0 || quota->is_day_spent,
        .is_of_savings = quota_is_known(quota) && is_saved_up(quota),
    };
    spend(quota, QUOTA_REQUESTS, 1);
    spend(quota, QUOTA_TOKENS, ticket.expected);
    quota->reserved += ticket.reserved;
    quota->limits[QUOTA_REQUESTS].started++;
    quota->limits[QUOTA_TOKENS].started += ticket.reserved;
    for (int kind = 0; kind < QUOTA_KINDS; kind++)
        ticket.started[kind] = quota->limits[kind].started;
    quota->used++;
    noise_call(&quota->noise, quota_is_low(quota));
    if (ticket.is_probe)
        quota->is_probing = true;
    else if (quota->again > 0 &&
             quota_granted(&quota->limits[QUOTA_REQUESTS], ticket.started[QUOTA_REQUESTS]) < 3)
        quota->quiet_until_ms = now_ms + QUIET_MS;
    *ret_ticket = ticket;
    return true;
}

/* ---- settlement ---- */

static void learn_extra(struct quota *quota, const struct quota_ticket *ticket, double cost)
{
    double extra = quota_most(1, quota_least(cost - ticket->input, ticket->most_extra));
    quota->extra = quota->extra == 0 ? extra : quota->extra + EXTRA_WEIGHT * (extra - quota->extra);
}

static void book(struct quota *quota, const struct quota_ticket *ticket, double cost)
{
    struct quota_limit *limit = &quota->limits[QUOTA_TOKENS];
    spend(quota, QUOTA_TOKENS, cost - ticket->expected);
    limit->level = quota_most(limit->level, -DEBT_MAX_S * quota_rate(quota, QUOTA_TOKENS));
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
    quota->reserved = quota_most(0, quota->reserved - ticket->reserved);
    if (ticket->is_probe && !is_older)
        quota->is_probing = false;
    bool is_granted = outcome->said == QUOTA_ANSWERED || outcome->said == QUOTA_SILENT;
    if (!is_granted) {
        give_back(quota, ticket);
        if (!is_older && outcome->said == QUOTA_REFUSED)
            quota_refused(quota, ticket, outcome, &news);
        else if (!is_older && outcome->said == QUOTA_DOWN)
            quota_went_down(quota, outcome, &news);
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
    quota->rules.burndown = quota_most(1, rules->burndown);
    quota->saved_s = quota_most(1, rules->burst_s);
    quota->limits[QUOTA_REQUESTS].known = rules->requests_per_minute / 60;
    quota->limits[QUOTA_TOKENS].known = rules->tokens_per_minute / 60;
}

void quota_init(struct quota *quota, const struct quota_rules *rules, int64_t now_ms)
{
    *quota = (struct quota){.share = 1,
                            .slow = 1,
                            .period_calls = PERIOD_CALLS,
                            .is_starting = true,
                            .now_ms = now_ms,
                            .cut_ms = now_ms,
                            .mark_ms = now_ms};
    take_rules(quota, rules);
    noise_open(&quota->noise);
    for (int kind = 0; kind < QUOTA_KINDS; kind++)
        quota->limits[kind].learned = QUOTA_NO_LIMIT;
    if (!quota_is_known(quota) && rules->start_per_second > 0)
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
    share = quota_most(0.0001, quota_least(1, share));
    double factor = quota_most(0.25, quota_least(4, share / quota->share));
    for (int kind = 0; kind < QUOTA_KINDS && !quota->is_starting; kind++) {
        struct quota_limit *limit = &quota->limits[kind];
        if (limit->learned < QUOTA_NO_LIMIT)
            limit->learned *= factor;
        if (limit->base < QUOTA_NO_LIMIT)
            limit->base *= factor;
    }
    quota->noise.peak *= factor;
    quota->noise.found *= factor;
    quota->noise.granted *= factor;
    quota->part = share == quota->share ? part : 0;
    quota->share = share;
}

double quota_calls(const struct quota *quota)
{
    double rate = quota_rate(quota, QUOTA_REQUESTS);
    double tokens = quota_rate(quota, QUOTA_TOKENS);
    return quota->extra > 0 && tokens < QUOTA_NO_LIMIT ? quota_least(rate, tokens / quota->extra)
                                                       : rate;
}

int64_t quota_wait_ms(const struct quota *quota, uint64_t calls, int64_t now_ms)
{
    double rate = quota_calls(quota);
    int64_t rest_ms = quota->rest_until_ms > now_ms ? quota->rest_until_ms - now_ms : 0;
    return rate >= QUOTA_NO_LIMIT
               ? rest_ms
               : rest_ms + (int64_t)(quota_least((double)calls / rate, 1e9) * 1000);
}
