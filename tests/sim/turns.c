/* Whose turn it is: tenants and priorities of a world's requests, and the promise that none waits
 * for ever. In tokens, while a request is the first of its tenant, later ones of other tenants get
 * no more than their shares of what its own costs, and one request each; while one of a class
 * waits, other classes get no more than what the class saves up for its first request. */
#include "world.h"

#include <string.h>

#include "engine/line.h"

#define TENANTS     4
#define WEIGHTS     (1 + 1 + 2 + 3)
#define PARTS_WHOLE 100

static const struct tenant_row ROWS[] = {{.name = {"t3", 2}, .weight = 3},
                                         {.name = {"t?*2", 4}, .weight = 2},
                                         {.name = {"t2", 2}, .weight = 2}};
/* Of all tokens, at least; high requests go first. */
static const uint64_t PARTS[FAIR_CLASSES] = {[FAIR_NORMAL] = 15, [FAIR_LOW] = 5};

/* What others got while this request waited. */
struct watched {
    const struct partition *partition;
    int64_t offset, since_ms; /* this wait; another one begins with nothing */
    uint64_t of_tenants, of_classes;
    uint64_t most, most_of_class; /* of one call of others; of one that waits beside it */
};

static struct watched watched[WORKERS_MAX][JOBS_MAX];

void turns_init(struct world *world)
{
    memset(watched, 0, sizeof watched);
    world->config.tenants = (struct tenant_table){.rows = ROWS, .count = COUNT_OF(ROWS)};
}

/* By the seed, without a draw, so that the worlds of earlier seeds stay as they are; a half of the
 * worlds has one tenant. */
void turns_add_members(const struct world *world, int log, int64_t offset, char *ret_text,
                       size_t room)
{
    static const char *const PRIORITIES[] = {"high", "normal", "low", "normal"};
    char place[64];
    int len = snprintf(place, sizeof place, "%d/%lld", log, (long long)offset);
    uint64_t hash = slice_hash(slice_of(place, (size_t)len), world->seed);
    int tenant = hash % 2 == 0 ? 0 : (int)(hash / 2 % TENANTS); /* the first one is a flood */
    ret_text[0] = '\0';
    if (world->seed % 2 == 0 || world->pin == PIN_FLOOD)
        (void)snprintf(ret_text, room, ", \"tenant\": \"t%d\", \"priority\": \"%s\"", tenant,
                       PRIORITIES[hash / 8 % COUNT_OF(PRIORITIES)]);
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t cost_of(const struct job *job)
{
    return job->turn.cost < FAIR_COST_MAX ? job->turn.cost : FAIR_COST_MAX;
}

static struct watched *watch(int worker, const struct job *job)
{
    struct watched *ret = &watched[worker][job->index];
    if (ret->partition != job->partition || ret->offset != job->offset ||
        ret->since_ms != job->step_ms)
        *ret = (struct watched){
            .partition = job->partition, .offset = job->offset, .since_ms = job->step_ms};
    return ret;
}

/* `called` begins its first call while `waiting` waits for the same target; `most_of_class` is what
 * a request of its class that waits there costs at most. Besides what a class must save up, some
 * calls more may begin before its turn: those that were refused and come back are not counted here,
 * and take turns, too. */
static void check(struct world *world, struct watched *of, const struct job *waiting,
                  const struct job *called, uint64_t most_of_class)
{
    enum fair_class class = waiting->turn.class;
    bool is_class = called->turn.class == class;
    bool is_tenant = is_class && slice_equal(called->request.tenant, waiting->request.tenant);
    if (is_class)
        of->of_classes = of->most_of_class = 0;
    else
        of->of_classes += cost_of(called);
    if (is_tenant || line_place(waiting).own > 0)
        of->of_tenants = 0;
    else if (is_class && called->received_ms > of->since_ms)
        of->of_tenants += cost_of(called);
    of->most = larger(of->most, cost_of(called));
    of->most_of_class = larger(of->most_of_class, most_of_class);
    uint64_t weight = waiting->turn.weight, cost = cost_of(waiting);
    MUST(world, of->of_tenants <= cost * (WEIGHTS - weight) / weight + (TENANTS - 1) * of->most);
    if (class != FAIR_HIGH)
        MUST(world,
             of->of_classes <= of->most_of_class * PARTS_WHOLE / PARTS[class] + 6 * of->most);
}

static bool waits_beside(const struct job *job, const struct job *called)
{
    return job->step == JOB_WAITING && job != called && job->target == called->target;
}

/* A request that was refused and comes back takes the turn of its class, like any other. */
static void note_return(const struct worker *worker, const struct job *called)
{
    const struct engine *engine = worker->engine;
    const struct job *all = engine->jobs.all;
    for (uint32_t i = 0; i < engine->config.max_held; i++) {
        if (!waits_beside(&all[i], called) || all[i].turn.class != called->turn.class)
            continue;
        struct watched *of = watch(worker->index, &all[i]);
        of->of_classes = of->most_of_class = 0;
    }
}

void turns_call_began(struct world *world, const struct worker *worker, uint32_t index)
{
    const struct engine *engine = worker->engine;
    const struct job *called = engine->calls.all[index].job, *all = engine->jobs.all;
    uint64_t most[FAIR_CLASSES] = {0};
    /* Calls that are marked first begin later than they had their turn. */
    if (world->config.write_ahead)
        return;
    if (called->calls > 1) { /* it may be before others that wait longer */
        note_return(worker, called);
        return;
    }
    for (uint32_t i = 0; i < engine->config.max_held; i++)
        if (waits_beside(&all[i], called))
            most[all[i].turn.class] = larger(most[all[i].turn.class], cost_of(&all[i]));
    for (uint32_t i = 0; i < engine->config.max_held; i++)
        if (waits_beside(&all[i], called))
            check(world, watch(worker->index, &all[i]), &all[i], called, most[all[i].turn.class]);
}
