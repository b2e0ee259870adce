#include "world.h"

#include <string.h>

#include "engine/outlook.h"
#include "engine/pacing.h"
#include "engine/target.h"

#define OUT_EVERY_MS 120000 /* model 0 fails for … */
#define OUT_MS       40000  /* … so long, again and again */
#define GRACE_MS     3000   /* from its answer to the last call of its fallback */

static const uint32_t FALLBACKS[] = {1};
static const struct model_alias ALIASES[] = {
    {.name = {"m.0", 3},
     .id = {"m.0", 3},
     .fallbacks = FALLBACKS,
     .fallback_count = 1,
     .fallback_after_ms = 86400000},
    {.name = {"spare", 5}, .id = {"m.3", 3}, .region = {"eu-west-1", 9}},
};

void fallback_config(struct world *world)
{
    world->has_fallbacks = world->pin == PIN_NONE && world->seed % 3 == 1;
    if (!world->has_fallbacks)
        return;
    world->config.catalog.aliases = ALIASES;
    world->config.catalog.alias_count = COUNT_OF(ALIASES);
}

int fallback_model(struct world *world, struct slice url)
{
    const char *at = memmem(url.ptr, url.len, "/model/m.", 9);
    MUST(world, at != NULL && at + 9 < url.ptr + url.len);
    int model = at[9] - '0';
    MUST(world, model >= 0 && model <= FALLBACK);
    return model;
}

bool fallback_is_out(const struct world *world, int model)
{
    return world->has_fallbacks && model == 0 && !world->is_calm &&
           world->now_ms % OUT_EVERY_MS < OUT_MS;
}

static bool is_out(const struct world *world, const struct worker *worker)
{
    const struct failing *failing = &worker->failing;
    return failing->calls >= OUTLOOK_OUTAGE_CALLS &&
           world->now_ms - failing->since_ms >= OUTLOOK_OUTAGE_MS;
}

/* A request that waits for its mark is called where it was to be called then, and one with an
 * answer that is not valid where it got that. */
void fallback_call_began(struct world *world, struct worker *worker,
                         const struct fake_record *record, int model)
{
    MUST(world, model == record->model || (model == FALLBACK && record->model == 0));
    if (model != FALLBACK)
        return;
    MUST(world, world->has_fallbacks && !record->is_count);
    if (is_out(world, worker))
        worker->failing.out_ms = world->now_ms;
    MUST(world, worker->failing.out_ms > 0);
    MUST(world, world->config.write_ahead || worker->stalled_until > 0 || record->wants_json ||
                    world->now_ms - worker->failing.out_ms <= GRACE_MS);
    world->moved++;
}

void fallback_call_ended(const struct world *world, struct worker *worker, bool is_failure)
{
    struct failing *failing = &worker->failing;
    if (is_out(world, worker))
        failing->out_ms = world->now_ms;
    if (!is_failure)
        failing->calls = 0;
    else if (failing->calls++ == 0)
        failing->since_ms = world->now_ms;
}

int64_t fallback_rested_ms(const struct world *world, const struct engine *engine,
                           const struct target *target)
{
    int64_t sum_ms = 0;
    if (!world->has_fallbacks)
        return pacing_rested_ms(engine, target);
    for (const struct target *other = NULL; (other = targets_next(engine, other)) != NULL;)
        sum_ms += pacing_rested_ms(engine, other);
    return sum_ms;
}
