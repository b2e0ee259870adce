#include "engine/sharing.h"

#include "engine/pacing.h"
#include "engine/target.h"

void sharing_init(struct engine *engine)
{
    lag_share_init(&engine->sharing);
}

/* Known quotas are shared from the first request on, others when a refusal has shown them. */
bool engine_wants_group(const struct engine *engine)
{
    const struct quota_rows *rows = &engine->config.quotas;
    if (engine->budgets != NULL)
        return true;
    for (size_t i = 0; i < rows->count; i++)
        if (rows->list[i].requests_per_minute > 0 || rows->list[i].tokens_per_minute > 0)
            return true;
    for (const struct target *target = NULL; (target = targets_next(engine, target)) != NULL;)
        if (quota_is_limited(&target->quota) && !target->quota.is_starting)
            return true;
    return false;
}

void engine_group_looked(struct engine *engine, const struct group_look *look)
{
    struct lag_look lags = {
        .mine_busy = look->mine_busy,
        .mine_idle = look->mine_idle,
        .all_busy = look->all_busy,
        .all_idle = look->all_idle,
        .mine_done = look->mine_done,
        .all_done = look->all_done,
    };
    lag_share_look(&engine->sharing, &lags);
    for (struct target *target = NULL; (target = targets_next(engine, target)) != NULL;)
        pacing_share(engine, target);
}
