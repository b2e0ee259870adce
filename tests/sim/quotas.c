/* Worlds whose models have quotas, drawn at random: Bedrock enforces them with its accounting, some
 * workers know them, and all share them by looks at the group's offsets. In every world, with
 * quotas or without, the promises of promises.h are checked as things happen. */
#include "world.h"

#include <string.h>

#include "policy/lag_life.h"

#define LOOK_MS      4000
#define INPUT_TOKENS 7 /* as every answer counts */
#define SPENT_TOKENS 10
#define RESERVED     4103 /* with the longest answer of an unknown model */
#define MODELS       (MODELS_MAX + 1)

static struct quota_row rows[MODELS];
static char names[MODELS][4];

static bool are_drawn(const struct world *world)
{
    uint64_t kind = world->seed % 16;
    return world->pin == PIN_NONE && (kind == 4 || kind == 13 || kind == 15);
}

static void draw(struct random *random, struct quota_row *row, struct judge *judge)
{
    static const int64_t REQUESTS[] = {0, 60, 300, 1200}, TOKENS[] = {0, 40000, 400000};
    row->requests_per_minute = REQUESTS[random_below(random, COUNT_OF(REQUESTS))];
    row->tokens_per_minute = TOKENS[random_below(random, COUNT_OF(TOKENS))];
    row->burndown = 1;
    row->share = (double)(1 + random_below(random, 4)) / 4;
    row->burst_ms = (int64_t)random_below(random, 120000);
    judge_init(judge, (double)row->requests_per_minute, (double)row->tokens_per_minute, 0,
               random_below(random, 2) == 0 ? 60 : 6, random_below(random, 3) == 0);
    judge->burndown = 1;
}

/* By the seed, without a draw of the chance that the world has: those of earlier seeds stay as they
 * are. */
void quotas_config(struct world *world)
{
    struct random random;
    world->has_quotas = are_drawn(world) && !world->has_fallbacks;
    if (!world->has_quotas)
        return;
    random_init(&random, world->seed ^ 0x71a07a5);
    for (int i = 0; i < MODELS; i++) {
        (void)snprintf(names[i], sizeof names[i], "m.%d", i);
        rows[i] = (struct quota_row){.model = slice_of_text(names[i])};
        draw(&random, &rows[i], &world->judges[i]);
    }
    if (random_below(&random, 3) > 0)
        world->config.quotas = (struct quota_rows){rows, MODELS};
}

/* ---- calls ---- */

void quotas_call_began(struct world *world, struct worker *worker, struct call_ref ref)
{
    (void)world;
    promises_call_begins(&worker->promises, ref);
}

bool quotas_take(struct world *world, struct fake_call *call)
{
    if (!world->has_quotas)
        return true;
    call->is_taken = judge_takes(&world->judges[call->model], world->now_ms, RESERVED);
    world->over += !call->is_taken;
    return call->is_taken;
}

void quotas_call_ended(struct world *world, struct worker *worker, struct fake_call *call,
                       double tokens, bool is_granted)
{
    if (call->is_taken)
        judge_settle(&world->judges[call->model], world->now_ms, RESERVED, tokens, false);
    call->is_taken = false;
    promises_call_ended(&worker->promises, worker->engine, call->ref, is_granted, tokens);
}

void quotas_worker_died(struct world *world, struct worker *worker)
{
    for (int i = 0; i < CALLS_MAX; i++) {
        struct fake_call *call = &worker->calls[i];
        if (call->is_open && call->is_taken)
            judge_settle(&world->judges[call->model], world->now_ms, RESERVED, SPENT_TOKENS, false);
        call->is_taken = false;
    }
    if (worker->promises.longest_ms > world->longest_ms)
        world->longest_ms = worker->promises.longest_ms;
    if (worker->promises.fullest > world->fullest)
        world->fullest = worker->promises.fullest;
    promises_done(&worker->promises);
}

void quotas_turn_ended(struct world *world, struct worker *worker)
{
    const char *broken = promises_turn_ended(&worker->promises, worker->engine);
    if (broken != NULL)
        world_broken(world, broken, __FILE__, __LINE__);
}

/* ---- looks ---- */

void quotas_look(struct world *world, struct worker *worker)
{
    struct lag_part *parts = worker->parts;
    bool have_moved = worker->looked_in != world->group_generation;
    world_add(world, EVENT_LOOK, worker, LOOK_MS);
    if (kafka_is_away(world) || !engine_wants_group(worker->engine))
        return;
    for (int i = 0; i < world->log_count; i++) {
        const struct fake_log *log = &world->logs[i];
        parts[i].offset = log->offset;
        parts[i].map = (uint32_t)slice_hash(slice_of(log->metadata, log->metadata_len), 0);
        parts[i].end = log->offset < 0 ? -1 : log->end;
        parts[i].is_mine = worker->has_tenure[i];
    }
    struct lag_look look = lag_parts_look(parts, (size_t)world->log_count, have_moved,
                                          LAG_LIFE_PATIENCE_MS, world->now_ms);
    worker->looked_in = world->group_generation;
    world->looks++;
    MUST(world, look.mine_busy <= look.all_busy && look.mine_done <= look.all_done);
    engine_group_looked(worker->engine, &(struct group_look){.mine_busy = look.mine_busy,
                                                             .mine_idle = look.mine_idle,
                                                             .all_busy = look.all_busy,
                                                             .all_idle = look.all_idle,
                                                             .mine_done = look.mine_done,
                                                             .all_done = look.all_done});
}
