#include "engine/line.h"

#include "base/check.h"
#include "engine/spending.h"

#define OUTPUT_GUESSED 256

enum err lines_init(struct engine *engine)
{
    return fair_pool_init(&engine->lines, engine->config.max_held, engine->hash_seed);
}

void lines_done(struct engine *engine)
{
    fair_pool_done(&engine->lines);
}

static enum fair_class class_of(enum request_priority priority)
{
    return priority == PRIORITY_HIGH  ? FAIR_HIGH
           : priority == PRIORITY_LOW ? FAIR_LOW
                                      : FAIR_NORMAL;
}

/* The tokens that the call is expected to cost. Before the first answer a guess, so that requests
 * that come later do not seem far cheaper. */
static uint64_t cost_of(const struct target *target, const struct job *job)
{
    struct quota_cost cost = spending_cost(target, job);
    if (target->quota.extra == 0 && cost.max_output > OUTPUT_GUESSED)
        cost.max_output = OUTPUT_GUESSED;
    double tokens = quota_expected(&target->quota, &cost);
    return tokens < FAIR_COST_MAX ? (uint64_t)tokens + 1 : FAIR_COST_MAX;
}

void line_add(struct engine *engine, struct target *target, struct job *job, bool at_front)
{
    struct fair_entry *turn = &job->turn;
    turn->class = class_of(job->request.priority);
    turn->tenant = job->request.tenant;
    turn->weight = tenant_weight(&job->terms->tenants, job->request.tenant);
    turn->partition = job->partition->tenure.slot;
    turn->cost = cost_of(target, job);
    fair_add(&engine->lines, &target->line, turn, at_front);
}

void line_remove(struct engine *engine, struct target *target, struct job *job)
{
    fair_remove(&engine->lines, &target->line, &job->turn);
}

void line_take(struct engine *engine, struct target *target, struct job *job)
{
    fair_take(&engine->lines, &target->line, &job->turn);
}

void line_bill(struct job *job)
{
    job->turn.is_unbilled = false;
}

struct job *line_next(const struct target *target)
{
    struct fair_entry *turn = fair_next(&target->line);
    CHECK(turn != NULL);
    return LINK_OWNER(turn, struct job, turn);
}

struct job *line_walk_next(struct fair_walk *walk)
{
    struct fair_entry *turn = fair_walk_next(walk);
    return turn == NULL ? NULL : LINK_OWNER(turn, struct job, turn);
}

uint32_t line_ahead(const struct engine *engine, const struct target *target, const struct job *job)
{
    return fair_ahead(&engine->lines, &target->line, class_of(job->request.priority),
                      job->request.tenant);
}

struct fair_place line_place(const struct job *job)
{
    return fair_place_of(&job->target->line, &job->turn);
}
