#include "engine/sharing.h"

#include "engine/pacing.h"
#include "engine/target.h"

void sharing_init(struct engine *engine)
{
    lag_share_init(&engine->sharing);
}

/* A quota that is known, or that a refusal has shown. */
static bool is_shared(const struct quota *quota)
{
    bool is_known = quota->rules.requests_per_minute > 0 || quota->rules.tokens_per_minute > 0;
    return is_known || (quota_is_limited(quota) && !quota->is_starting);
}

bool engine_wants_group(const struct engine *engine)
{
    for (const struct target *target = NULL; (target = targets_next(engine, target)) != NULL;)
        if (is_shared(&target->quota))
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
