#include "engine/day_quota.h"

#include "engine/log.h"
#include "engine/spending.h"

void day_quota_set(const struct engine *engine, struct target *target)
{
    target->day_max = spending_day(engine, target);
    target->day_until_ms = 0;
}

bool day_quota_is_spent(const struct engine *engine, const struct target *target)
{
    return engine->now_ms < target->day_until_ms;
}

bool day_quota_is_used(const struct engine *engine, struct target *target)
{
    return target->day_max > 0 && day_budget_spent(&target->day, engine->now_ms) > 0;
}

static void log_spent(const struct engine *engine, struct target *target)
{
    if (!log_is_due(engine, &target->day_log_due_ms))
        return;
    ENGINE_LOG(engine, LOG_DAY_QUOTA_SPENT, FIELD_TEXT("target", target->model),
               FIELD_INT("tokens", (int64_t)target->day_max), FIELD_INT("waiting", target->holders),
               FIELD_INT("delay_ms", target->day_until_ms - engine->now_ms));
}

/* While calls are open, their end may show that less was used than is reserved. */
bool day_quota_allows(const struct engine *engine, struct target *target,
                      const struct quota_cost *cost, int64_t *ret_again_ms)
{
    if (target->day_max <= 0)
        return true;
    double reserved = target->quota.reserved;
    *ret_again_ms = target->day_until_ms;
    if (day_quota_is_spent(engine, target))
        return false;
    if (day_budget_allows(&target->day, target->day_max, reserved + cost->input + cost->max_output,
                          engine->now_ms, ret_again_ms))
        return true;
    if (reserved > 0) {
        *ret_again_ms = INT64_MAX;
        return false;
    }
    target->day_until_ms = *ret_again_ms;
    log_spent(engine, target);
    return false;
}

void day_quota_spend(const struct engine *engine, struct target *target, double tokens)
{
    if (target->day_max > 0 && tokens > 0)
        day_budget_spend(&target->day, tokens, lag_share_of_work(&engine->sharing), engine->now_ms);
}
