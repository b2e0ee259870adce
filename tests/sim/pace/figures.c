#include "sim/pace/pace.h"

#define IN_A_ROW 5 /* seconds at 90 % make a recovery */
#define START_S  (START_MS / 1000)

void pace_second(struct pace_world *world)
{
    struct pace_mark *now = &world->now;
    for (int model = 0; model < PACE_MODELS; model++) {
        struct judge *judge = &world->judges[model];
        const struct judge_limit *limits[] = {&judge->requests, &judge->tokens};
        judge_advance(judge, world->now_ms);
        for (int i = 0; i < 2; i++) {
            now->refilled[model][i] = limits[i]->refilled;
            now->competing[model][i] = limits[i]->competing;
            now->spent[model][i] = limits[i]->rate > 0 ? limits[i]->spent : 0;
        }
    }
    now->is_down = pace_is_down(world);
    HOLD(world, world->mark_count < PACE_MARKS);
    world->marks[world->mark_count++] = *now;
}

/* What was spent of what was possible between two seconds. */
static double ratio(const struct pace_world *world, int model, int from, int to)
{
    double best = 0;
    for (int i = 0; i < 2; i++) {
        double possible = 0, spent = 0;
        for (int at = from + 1; at <= to && at < world->mark_count; at++) {
            const struct pace_mark *before = &world->marks[at - 1], *after = &world->marks[at];
            spent += after->spent[model][i] - before->spent[model][i];
            if (!after->is_down)
                possible += after->refilled[model][i] - before->refilled[model][i] -
                            (after->competing[model][i] - before->competing[model][i]);
        }
        if (possible > 0 && spent / possible > best)
            best = spent / possible;
    }
    return best;
}

/* Seconds until some in a row reach 90 % of what is possible. */
static double recovery(const struct pace_world *world, int from)
{
    for (int at = from; at + IN_A_ROW < world->mark_count; at++)
        if (ratio(world, 0, at, at + IN_A_ROW) >= 0.9)
            return at - from;
    return world->mark_count;
}

static double jain(const struct pace_world *world)
{
    double sum = 0, squares = 0;
    for (int i = 0; i < world->scenario->workers; i++) {
        sum += world->workers[i].answered;
        squares += world->workers[i].answered * world->workers[i].answered;
    }
    return squares > 0 ? sum * sum / (world->scenario->workers * squares) : 0;
}

static double waste(const struct pace_world *world, int model)
{
    const struct pace_mark *first = &world->marks[START_S];
    const struct pace_mark *last = &world->marks[world->mark_count - 1];
    return 100.0 * (last->refused[model] - first->refused[model]) /
           (last->served[model] - first->served[model] + 1.0);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double quiet_p95(const struct pace_world *world)
{
    static double waits[COUNT_OF(world->quiet_waits)];
    size_t count = (size_t)world->quiet_count;
    for (size_t i = 0; i < count; i++)
        waits[i] = world->quiet_waits[i];
    qsort(waits, count, sizeof waits[0], compare);
    return count > 0 ? waits[count * 95 / 100] : 0;
}

struct pace_figures pace_figures(const struct pace_world *world)
{
    const struct scenario *scenario = world->scenario;
    struct pace_figures ret = {.jain = jain(world), .quiet_p95_s = quiet_p95(world)};
    for (int model = 0; model < PACE_MODELS; model++) {
        ret.goodput[model] = 100 * ratio(world, model, START_S, world->mark_count - 1);
        ret.waste[model] = waste(world, model);
    }
    int events[2] = {scenario->steps[0].at, scenario->steps[1].at};
    if (scenario->down.to > 0)
        events[0] = scenario->down.to;
    if (scenario->dies_at > 0)
        events[0] = scenario->dies_at;
    if (scenario->joins_at > 0)
        events[0] = scenario->joins_at;
    for (int i = 0; i < 2; i++)
        ret.recovery_s[i] = events[i] > 0 ? recovery(world, events[i]) : 0;
    return ret;
}
