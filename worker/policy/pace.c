#include "policy/pace.h"

#include "base/check.h"

bool pace_allows(const struct pace *pace, uint32_t cost, int64_t now_ms, int64_t *ret_again_ms)
{
    *ret_again_ms = INT64_MAX;
    if (pace->calls_max == 0)
        return true;
    if (now_ms < pace->rest_until_ms) {
        *ret_again_ms = pace->rest_until_ms;
        return false;
    }
    return pace->open + cost <= pace->calls_max;
}

bool pace_admit(struct pace *pace, uint32_t cost, int64_t now_ms, struct pace_ticket *ret_ticket,
                int64_t *ret_again_ms)
{
    if (!pace_allows(pace, cost, now_ms, ret_again_ms))
        return false;
    pace->open += cost;
    *ret_ticket = (struct pace_ticket){.cost = cost, .generation = pace->generation};
    return true;
}

static struct pace_news refused(struct pace *pace, int64_t retry_after_ms,
                                const struct pace_rules *rules, int64_t now_ms,
                                struct random *random)
{
    struct pace_news news = {.rests = false};
    /* A refused probe counts as a whole streak. */
    pace->streak += pace->streak >= PACE_STREAK ? PACE_STREAK : 1;
    if (pace->streak < PACE_STREAK)
        return news;
    uint32_t doublings = pace->streak / PACE_STREAK - 1;
    int64_t delay_ms = retry_jitter_ms(rules->retry->throttle_base_ms, doublings,
                                       rules->retry->max_delay_ms, random);
    if (delay_ms < retry_after_ms)
        delay_ms = retry_after_ms;
    if (pace->calls_max == 0)
        pace->slowed_at_ms = now_ms;
    pace->calls_max = 1;
    pace->rest_until_ms = now_ms + delay_ms;
    pace->generation++;
    pace->open = 0;
    news.rests = true;
    news.delay_ms = delay_ms;
    return news;
}

static struct pace_news answered(struct pace *pace, const struct pace_rules *rules)
{
    struct pace_news news = {.is_whole = false};
    pace->streak = 0;
    if (pace->calls_max > 0 && ++pace->calls_max >= rules->calls_max) {
        pace->calls_max = 0;
        news.is_whole = true;
    }
    return news;
}

struct pace_news pace_settle(struct pace *pace, struct pace_ticket ticket,
                             struct pace_outcome outcome, const struct pace_rules *rules,
                             int64_t now_ms, struct random *random)
{
    bool is_older = ticket.generation != pace->generation;
    CHECK(ticket.cost > 0 && (is_older || pace->open >= ticket.cost));
    if (!is_older)
        pace->open -= ticket.cost;
    if (outcome.said == PACE_REFUSED && is_older)
        return (struct pace_news){.rests = false};
    if (outcome.said == PACE_REFUSED)
        return refused(pace, outcome.retry_after_ms, rules, now_ms, random);
    if (outcome.said == PACE_ANSWERED)
        return answered(pace, rules);
    return (struct pace_news){.rests = false};
}
