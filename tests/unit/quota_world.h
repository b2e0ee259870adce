/* Workers whose calls policy/quota.c paces, against Bedrock's accounting, in virtual time. */
#ifndef UNIT_QUOTA_WORLD_H
#define UNIT_QUOTA_WORLD_H

#include "unit/unit.h"

#include <stdlib.h>

#include "base/random.h"
#include "policy/quota.h"
#include "unit/quota_judge.h"

#define WORKERS_MAX 8
#define OPEN_MAX    1024 /* calls of one worker */
#define JOBS        (WORKERS_MAX * OPEN_MAX + OPEN_MAX)
#define MARKS       (4 * 3600)
#define RTT_MS      20
#define LOOK_MS     5000
#define RIVAL_MS    50
#define START_MS    30000 /* of an unknown quota: does not count */

enum load { SMALL, GENEROUS, MIXED };

struct scenario {
    const char *name;
    double rpm, calls_per_second; /* requests a minute, or tokens for so many calls a second */
    double window_s;
    bool has_windows;
    enum load load;
    int workers, seconds;
    int64_t latency_ms;
    struct {
        int at;
        double factor;
    } steps[2];
    struct {
        int from, to;
        double share;
    } rival;
    struct {
        int from, to;
    } down;
    double day;    /* tokens, once */
    double noise;  /* part of the calls that is refused at random */
    int noise_s;   /* for so long; 0 = always */
    int slots;     /* calls of one worker that may be open; 0 = OPEN_MAX */
    uint64_t seed; /* 0 = 1 */
    int shift_s; /* the work is at one worker, and moves to the next so often; 0 = all have some */
};

struct call {
    double input, max_output, output; /* tokens */
    double reserved;                  /* at the judge */
    struct quota_ticket ticket;
    int worker, next; /* next: of a list; -1 = the last */
};

enum event_kind { ARRIVES, IS_REFUSED, ENDS, IS_HEARD, WAKES, MARK, COMPETES, RIVAL_ENDS };

struct event {
    int64_t at_ms;
    uint64_t number;
    enum event_kind kind;
    int which; /* call, or worker */
    bool is_down;
    double reserved, cost;
};

struct worker {
    struct quota quota;
    int refused; /* list of calls that wait again; -1 = none */
    uint32_t open;
    int64_t wake_ms;
    double answered, answered_before, part;
};

struct mark {
    double refilled[2], competing[2], spent[2];
    bool is_down;
};

struct world {
    const struct scenario *scenario;
    struct random random;
    struct judge judge;
    struct worker workers[WORKERS_MAX];
    struct call calls[JOBS];
    int free;
    struct event heap[4 * JOBS];
    size_t heap_len;
    uint64_t events;
    int64_t now_ms;
    uint64_t served, refused; /* after the first 30 s */
    uint64_t down;
    struct mark marks[MARKS];
    int mark_count;
    double wanted; /* calls that the competitor lacks */
    uint64_t refused_by_minute[MARKS / 60 + 1], begun_by_minute[MARKS / 60 + 1];
    double reserved_by_minute[MARKS / 60 + 1];
};

struct figures {
    double goodput, waste, jain;
};

/* ---- events in the order of their times ---- */

static bool is_before(const struct event *a, const struct event *b)
{
    return a->at_ms < b->at_ms || (a->at_ms == b->at_ms && a->number < b->number);
}

static struct event *add(struct world *world, enum event_kind kind, int64_t delay_ms, int which)
{
    assert_true(world->heap_len < COUNT_OF(world->heap));
    struct event event = {
        .at_ms = world->now_ms + delay_ms, .number = ++world->events, .kind = kind, .which = which};
    size_t at = world->heap_len++;
    for (; at > 0 && is_before(&event, &world->heap[(at - 1) / 2]); at = (at - 1) / 2)
        world->heap[at] = world->heap[(at - 1) / 2];
    world->heap[at] = event;
    return &world->heap[at];
}

static struct event first(struct world *world)
{
    struct event top = world->heap[0], last = world->heap[--world->heap_len];
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < world->heap_len; at = child) {
        if (child + 1 < world->heap_len && is_before(&world->heap[child + 1], &world->heap[child]))
            child++;
        if (!is_before(&world->heap[child], &last))
            break;
        world->heap[at] = world->heap[child];
    }
    world->heap[at] = last;
    return top;
}

/* ---- what is asked for ---- */

/* exp(z / 2) for sixteen even parts of a normal distribution. */
static double spread(struct world *world)
{
    static const double PARTS[] = {.394,  .517,  .604,  .677,  .748,  .819,  .887,  .961,
                                   1.041, 1.127, 1.221, 1.337, 1.477, 1.657, 1.935, 2.535};
    return PARTS[random_below(&world->random, COUNT_OF(PARTS))];
}

static void load(struct world *world, struct call *call)
{
    static const double MAXIMA[] = {200, 1000, 1000, 4000, 4000, 16000};
    double one = spread(world), other = spread(world);
    switch (world->scenario->load) {
    case SMALL:
        *call = (struct call){.input = 300 * one, .max_output = 512, .output = 80 * other};
        break;
    case GENEROUS:
        *call = (struct call){.input = 500 * one, .max_output = 4000, .output = 150 * other};
        break;
    case MIXED:
        *call = (struct call){.input = 500 * one * one * spread(world),
                              .max_output = MAXIMA[random_below(&world->random, 6)],
                              .output = 180 * other * spread(world)};
        break;
    }
    if (call->output > call->max_output)
        call->output = call->max_output;
    call->reserved = call->input + call->max_output;
}

static double cost_of(const struct world *world, const struct call *call)
{
    return call->input + call->output * world->judge.burndown;
}

static double mean_cost(const struct scenario *scenario)
{
    static struct world world;
    struct call call;
    double sum = 0;
    world.scenario = scenario;
    world.judge.burndown = 5;
    random_init(&world.random, 99);
    for (int i = 0; i < 4000; i++) {
        load(&world, &call);
        sum += cost_of(&world, &call);
    }
    return sum / 4000;
}

static bool is_asking(const struct world *world, int worker)
{
    int shift_s = world->scenario->shift_s;
    return shift_s == 0 || (world->now_ms / 1000 / shift_s) % world->scenario->workers == worker;
}

static bool is_down(const struct world *world)
{
    return world->now_ms >= world->scenario->down.from * 1000LL &&
           world->now_ms < world->scenario->down.to * 1000LL;
}

/* ---- workers ---- */

/* The next call of a worker: one that was refused, or a new one; -1 = none. */
static int take_call(struct world *world, int index)
{
    struct worker *worker = &world->workers[index];
    int which = worker->refused;
    if (which >= 0) {
        worker->refused = world->calls[which].next;
        return which;
    }
    if (!is_asking(world, index) || world->free < 0)
        return -1;
    which = world->free;
    world->free = world->calls[which].next;
    load(world, &world->calls[which]);
    world->calls[which].worker = index;
    return which;
}

static void put_back(struct world *world, int which)
{
    struct worker *worker = &world->workers[world->calls[which].worker];
    world->calls[which].next = worker->refused;
    worker->refused = which;
}

static void turn(struct world *world, int index)
{
    struct worker *worker = &world->workers[index];
    uint32_t slots = world->scenario->slots > 0 ? (uint32_t)world->scenario->slots : OPEN_MAX;
    while (worker->open < slots) {
        int which = take_call(world, index);
        if (which < 0)
            return;
        struct call *call = &world->calls[which];
        struct quota_cost cost = {.input = call->input, .max_output = call->max_output};
        int64_t again_ms;
        if (!quota_admit(&worker->quota, &cost, world->now_ms, &call->ticket, &again_ms)) {
            put_back(world, which);
            assert_true(again_ms > world->now_ms);
            if (again_ms != INT64_MAX &&
                (worker->wake_ms <= world->now_ms || again_ms < worker->wake_ms)) {
                worker->wake_ms = again_ms;
                add(world, WAKES, again_ms - world->now_ms, index);
            }
            return;
        }
        worker->open++;
        world->begun_by_minute[world->now_ms / 60000]++;
        world->reserved_by_minute[world->now_ms / 60000] += call->reserved;
        add(world, ARRIVES, RTT_MS / 2 + (int64_t)random_below(&world->random, RTT_MS), which);
    }
}

/* Each worker reads the group's offsets: who has work, and how much of the progress was its own. */
static void look(struct world *world)
{
    double asking = 0, all = 0;
    for (int i = 0; i < world->scenario->workers; i++) {
        struct worker *worker = &world->workers[i];
        asking += is_asking(world, i) || worker->open > 0 ? 1 : 0.005;
        all += worker->answered - worker->answered_before;
    }
    for (int i = 0; i < world->scenario->workers; i++) {
        struct worker *worker = &world->workers[i];
        double mine = is_asking(world, i) || worker->open > 0 ? 1 : 0.005;
        if (all > 0) {
            double part = (worker->answered - worker->answered_before) / all;
            worker->part = worker->part == 0 ? part : worker->part + 0.3 * (part - worker->part);
        }
        worker->answered_before = worker->answered;
        if (mine / asking != worker->quota.share)
            worker->part = 0;
        quota_set_share(&worker->quota, mine / asking, worker->part, world->now_ms);
    }
    for (int i = 0; i < world->scenario->workers; i++)
        turn(world, i);
}

/* ---- calls ---- */

/* Whether a call is refused whatever the quota says. */
static bool is_unlucky(struct world *world)
{
    double share = world->scenario->noise;
    if (world->scenario->noise_s > 0 && world->now_ms >= world->scenario->noise_s * 1000LL)
        share = 0;
    return share > 0 && (double)random_below(&world->random, 1000000) < share * 1e6;
}

static void arrives(struct world *world, int which)
{
    struct call *call = &world->calls[which];
    bool down = is_down(world);
    if (down || is_unlucky(world) || !judge_takes(&world->judge, world->now_ms, call->reserved)) {
        add(world, IS_REFUSED, RTT_MS, which)->is_down = down;
        return;
    }
    double latency_ms = (double)world->scenario->latency_ms;
    add(world, ENDS, (int64_t)(latency_ms * (spread(world) + 0.01 * call->output)), which);
}

static void is_refused(struct world *world, int which, bool down)
{
    struct call *call = &world->calls[which];
    struct worker *worker = &world->workers[call->worker];
    struct quota_outcome outcome = {
        .said = down ? QUOTA_DOWN : QUOTA_REFUSED, .cost = -1, .retry_after_ms = -1};
    if (down)
        world->down++;
    else
        world->refused += world->now_ms >= START_MS;
    if (!down)
        world->refused_by_minute[world->now_ms / 60000]++;
    (void)quota_settle(&worker->quota, &call->ticket, &outcome, world->now_ms);
    worker->open--;
    put_back(world, which);
    turn(world, call->worker);
}

static void ends(struct world *world, int which)
{
    struct call *call = &world->calls[which];
    judge_settle(&world->judge, world->now_ms, call->reserved, cost_of(world, call), false);
    add(world, IS_HEARD, RTT_MS / 2, which);
}

static void is_heard(struct world *world, int which)
{
    struct call *call = &world->calls[which];
    int index = call->worker;
    struct worker *worker = &world->workers[index];
    struct quota_outcome outcome = {
        .said = QUOTA_ANSWERED, .cost = cost_of(world, call), .retry_after_ms = -1};
    (void)quota_settle(&worker->quota, &call->ticket, &outcome, world->now_ms);
    world->served += world->now_ms >= START_MS;
    worker->answered++;
    worker->open--;
    call->next = world->free;
    world->free = which;
    turn(world, index);
}

/* A competitor takes its share of the quota. */
static void competes(struct world *world)
{
    const struct scenario *scenario = world->scenario;
    add(world, COMPETES, RIVAL_MS, 0);
    if (world->now_ms < scenario->rival.from * 1000LL ||
        world->now_ms >= scenario->rival.to * 1000LL)
        return;
    double rate = world->judge.requests.rate;
    struct call call;
    load(world, &call);
    world->wanted += rate * scenario->rival.share * RIVAL_MS / 1000;
    if (world->wanted > 1 + rate)
        world->wanted = 1 + rate;
    for (; world->wanted >= 1 && judge_takes(&world->judge, world->now_ms, call.reserved);
         world->wanted--) {
        struct event *event = add(world, RIVAL_ENDS, scenario->latency_ms, 0);
        event->reserved = call.reserved;
        event->cost = cost_of(world, &call);
    }
}

static void mark(struct world *world)
{
    const struct scenario *scenario = world->scenario;
    int second = (int)(world->now_ms / 1000);
    for (size_t i = 0; i < COUNT_OF(scenario->steps); i++)
        if (scenario->steps[i].at > 0 && scenario->steps[i].at == second)
            judge_scale(&world->judge, world->now_ms, scenario->steps[i].factor);
    judge_advance(&world->judge, world->now_ms);
    struct mark *next = &world->marks[world->mark_count++];
    const struct judge_limit *limits[] = {&world->judge.requests, &world->judge.tokens};
    for (int i = 0; i < 2; i++) {
        next->refilled[i] = limits[i]->refilled;
        next->competing[i] = limits[i]->competing;
        next->spent[i] = limits[i]->rate > 0 ? limits[i]->spent : 0;
    }
    next->is_down = is_down(world);
    if (world->now_ms % LOOK_MS == 0 && scenario->workers > 1)
        look(world);
    add(world, MARK, 1000, 0);
}

static void step(struct world *world, const struct event *event)
{
    switch (event->kind) {
    case ARRIVES:
        arrives(world, event->which);
        break;
    case IS_REFUSED:
        is_refused(world, event->which, event->is_down);
        break;
    case ENDS:
        ends(world, event->which);
        break;
    case IS_HEARD:
        is_heard(world, event->which);
        break;
    case WAKES:
        if (world->workers[event->which].wake_ms == event->at_ms)
            turn(world, event->which);
        break;
    case MARK:
        mark(world);
        break;
    case COMPETES:
        competes(world);
        break;
    case RIVAL_ENDS:
        judge_settle(&world->judge, world->now_ms, event->reserved, event->cost, true);
        break;
    }
}

/* ---- figures ---- */

/* What was spent of what was possible between two seconds. */
static double ratio(const struct world *world, int from, int to)
{
    double best = 0;
    for (int i = 0; i < 2; i++) {
        double possible = 0, spent = 0;
        for (int at = from + 1; at <= to && at < world->mark_count; at++) {
            const struct mark *before = &world->marks[at - 1], *after = &world->marks[at];
            spent += after->spent[i] - before->spent[i];
            if (!after->is_down)
                possible += after->refilled[i] - before->refilled[i] -
                            (after->competing[i] - before->competing[i]);
        }
        if (possible > 0 && spent / possible > best)
            best = spent / possible;
    }
    return best;
}

/* Seconds until five in a row reach 90 % of what is possible. */
static double recovery(const struct world *world, int from)
{
    for (int at = from; at + 5 < world->mark_count; at++)
        if (ratio(world, at, at + 5) >= 0.9)
            return at - from;
    return world->mark_count;
}

static double jain(const struct world *world)
{
    double sum = 0, squares = 0;
    for (int i = 0; i < world->scenario->workers; i++) {
        sum += world->workers[i].answered;
        squares += world->workers[i].answered * world->workers[i].answered;
    }
    return sum * sum / (world->scenario->workers * squares);
}

static struct world *simulate(const struct scenario *scenario, bool is_known,
                              struct figures *ret_figures)
{
    struct world *world = calloc(1, sizeof *world);
    assert_non_null(world);
    world->scenario = scenario;
    random_init(&world->random, scenario->seed > 0 ? scenario->seed : 1);
    double tpm = 0;
    if (scenario->calls_per_second > 0)
        tpm = 60 * scenario->calls_per_second * mean_cost(scenario);
    judge_init(&world->judge, scenario->rpm, tpm, scenario->day,
               scenario->window_s > 0 ? scenario->window_s : 60, scenario->has_windows);
    for (int i = 0; i < JOBS; i++)
        world->calls[i].next = i + 1 < JOBS ? i + 1 : -1;
    struct quota_rules rules = {.burndown = tpm > 0 ? 5 : 1, .burst_s = 50, .start_per_second = 5};
    if (is_known) {
        rules.requests_per_minute = scenario->rpm;
        rules.tokens_per_minute = tpm;
    }
    for (int i = 0; i < scenario->workers; i++) {
        quota_init(&world->workers[i].quota, &rules, 0);
        world->workers[i].refused = -1;
    }
    if (scenario->workers > 1)
        look(world);
    add(world, MARK, 0, 0);
    if (scenario->rival.share > 0)
        add(world, COMPETES, 0, 0);
    for (int i = 0; i < scenario->workers; i++)
        turn(world, i);
    while (world->heap_len > 0 && world->heap[0].at_ms <= scenario->seconds * 1000LL) {
        struct event event = first(world);
        world->now_ms = event.at_ms;
        step(world, &event);
    }
    *ret_figures = (struct figures){
        .goodput = 100 * ratio(world, START_MS / 1000, world->mark_count - 1),
        .waste = 100 * (double)world->refused / (double)(world->served + 1),
        .jain = jain(world),
    };
    print_message("%-16s %-7s goodput %5.1f, waste %5.2f, Jain %5.3f\n", scenario->name,
                  is_known ? "known" : "learned", ret_figures->goodput, ret_figures->waste,
                  ret_figures->jain);
    return world;
}

#endif
