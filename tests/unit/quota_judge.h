/* Bedrock's accounting for one model in one region, in virtual time. A call reserves input +
 * max_tokens when it arrives and is refused if that is not there; at its end what counts is input +
 * output * burndown. A limit is a bucket that refills all the time, or a budget that is new with
 * each window. What is reserved keeps its place; a cost above its reservation becomes a debt. */
#ifndef UNIT_QUOTA_JUDGE_H
#define UNIT_QUOTA_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

struct judge_limit {
    double rate; /* per second; 0 = no limit */
    double depth, level, reserved;
    bool has_windows;
    double window_s;
    int64_t at_ms, window_end_ms;
    double refilled, competing, spent;
};

struct judge {
    struct judge_limit requests, tokens, day;
    double rpm, tpm, burndown;
};

static inline void judge_limit_init(struct judge_limit *limit, double per_second, double window_s,
                                    bool has_windows)
{
    *limit = (struct judge_limit){.rate = per_second,
                                  .depth = per_second * window_s,
                                  .level = per_second * window_s,
                                  .has_windows = has_windows,
                                  .window_s = window_s,
                                  .window_end_ms = (int64_t)(window_s * 1000)};
}

static inline void judge_limit_advance(struct judge_limit *limit, int64_t now_ms)
{
    if (limit->rate <= 0 || now_ms <= limit->at_ms)
        return;
    double refill = limit->rate * (double)(now_ms - limit->at_ms) / 1000;
    limit->refilled += refill;
    limit->at_ms = now_ms;
    if (!limit->has_windows) {
        double room = limit->depth - limit->reserved - limit->level;
        limit->level += refill < room ? refill : room > 0 ? room : 0;
        return;
    }
    for (; now_ms >= limit->window_end_ms;
         limit->window_end_ms += (int64_t)(limit->window_s * 1000))
        limit->level = limit->depth - limit->reserved + (limit->level < 0 ? limit->level : 0);
}

static inline void judge_limit_scale(struct judge_limit *limit, int64_t now_ms, double per_second)
{
    judge_limit_advance(limit, now_ms);
    limit->rate = per_second;
    limit->depth = per_second * limit->window_s;
    if (limit->level > limit->depth - limit->reserved)
        limit->level = limit->depth - limit->reserved;
}

static inline bool judge_limit_has(const struct judge_limit *limit, double amount)
{
    return limit->rate <= 0 || limit->level >= amount - 1e-9 ||
           (amount > limit->depth && limit->reserved <= 0 && limit->level >= limit->depth - 1e-9);
}

static inline void judge_limit_reserve(struct judge_limit *limit, double amount)
{
    limit->level -= amount;
    limit->reserved += amount;
}

static inline void judge_limit_settle(struct judge_limit *limit, double reserved, double cost,
                                      bool is_competing)
{
    limit->reserved -= reserved;
    limit->level += reserved - cost;
    *(is_competing ? &limit->competing : &limit->spent) += cost;
}

static inline void judge_advance(struct judge *judge, int64_t now_ms)
{
    judge_limit_advance(&judge->requests, now_ms);
    judge_limit_advance(&judge->tokens, now_ms);
    judge_limit_advance(&judge->day, now_ms);
}

/* Quotas a minute, 0 = none; a day's quota is a budget that never comes back here. */
static inline void judge_init(struct judge *judge, double rpm, double tpm, double day,
                              double window_s, bool has_windows)
{
    *judge = (struct judge){.rpm = rpm, .tpm = tpm, .burndown = tpm > 0 ? 5 : 1};
    judge_limit_init(&judge->requests, rpm / 60, window_s, has_windows);
    judge_limit_init(&judge->tokens, tpm / 60, window_s, has_windows);
    judge_limit_init(&judge->day, day / 86400, 86400, true);
}

static inline void judge_scale(struct judge *judge, int64_t now_ms, double factor)
{
    judge_limit_scale(&judge->requests, now_ms, judge->rpm / 60 * factor);
    judge_limit_scale(&judge->tokens, now_ms, judge->tpm / 60 * factor);
}

static inline bool judge_takes(struct judge *judge, int64_t now_ms, double reserved)
{
    judge_advance(judge, now_ms);
    if (!judge_limit_has(&judge->requests, 1) || !judge_limit_has(&judge->tokens, reserved) ||
        !judge_limit_has(&judge->day, reserved))
        return false;
    judge->requests.level--;
    judge_limit_reserve(&judge->tokens, reserved);
    judge_limit_reserve(&judge->day, reserved);
    return true;
}

static inline void judge_settle(struct judge *judge, int64_t now_ms, double reserved, double cost,
                                bool is_competing)
{
    judge_advance(judge, now_ms);
    *(is_competing ? &judge->requests.competing : &judge->requests.spent) += 1;
    judge_limit_settle(&judge->tokens, reserved, cost, is_competing);
    judge_limit_settle(&judge->day, reserved, cost, is_competing);
}

#endif
