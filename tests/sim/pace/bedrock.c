#include "sim/pace/pace.h"

#include <stdio.h>
#include <string.h>

#define RTT_MS       20
#define RIVAL_MS     50
#define BYTES_EACH   3.6 /* of a token; the worker begins with 4 */
#define BURNDOWN     5
#define STREAM_MS    3600000
#define EIGHT        8
#define SAMPLE       4000 /* requests, for the mean cost */
#define HALF_A_MODEL 2    /* of two models every other request is for the small one … */

/* ---- what is asked for ---- */

/* exp(z / 2) for sixteen even parts of a normal distribution. */
static double spread(struct random *random)
{
    static const double PARTS[] = {.394,  .517,  .604,  .677,  .748,  .819,  .887,  .961,
                                   1.041, 1.127, 1.221, 1.337, 1.477, 1.657, 1.935, 2.535};
    return PARTS[random_below(random, COUNT_OF(PARTS))];
}

/* In tokens; a tenth of what people send, so that the worlds are quick. */
static void draw(enum load load, struct random *random, struct ask *ask)
{
    static const int MAXIMA[] = {20, 100, 100, 400, 400, 1600};
    double one = spread(random), other = spread(random);
    switch (load) {
    case SMALL:
        *ask = (struct ask){.input = 30 * one, .max_output = 51, .output = 8 * other};
        break;
    case GENEROUS:
        *ask = (struct ask){.input = 50 * one, .max_output = 400, .output = 15 * other};
        break;
    case MIXED:
        *ask = (struct ask){.input = 50 * one * one * spread(random),
                            .max_output = MAXIMA[random_below(random, COUNT_OF(MAXIMA))],
                            .output = 18 * other * spread(random)};
        if (random_below(random, 2) == 0)
            ask->cached = (double)(int)(ask->input / 2);
        break;
    }
    ask->bytes = (int)(ask->input * BYTES_EACH);
    ask->input = (double)(int)(ask->input < 1 ? 1 : ask->input);
    ask->output = (double)(int)(ask->output < 1 ? 1 : ask->output);
    if (ask->output > ask->max_output)
        ask->output = ask->max_output;
}

struct ask pace_ask(const struct pace_world *world, int log, int64_t offset)
{
    const struct scenario *scenario = world->scenario;
    struct random random;
    struct ask ask;
    random_init(&random, (uint64_t)offset * PACE_LOGS + (uint64_t)log + 1);
    draw(scenario->load, &random, &ask);
    double latency_ms = (double)scenario->latency_ms;
    ask.latency_ms = (int64_t)(latency_ms * (spread(&random) + 0.1 * ask.output));
    if (offset < scenario->streams)
        ask.latency_ms = STREAM_MS;
    double small = scenario->small_rpm / 60;
    double all = small + scenario->calls_per_second;
    if (small > 0 && (double)random_below(&random, 1000000) < small / all * 1e6)
        ask.model = 1;
    return ask;
}

static double cost_of(const struct ask *ask)
{
    return ask->input - ask->cached + ask->output * BURNDOWN;
}

static double reserved_of(const struct ask *ask)
{
    return ask->input + ask->max_output;
}

static double mean_cost(const struct pace_world *world)
{
    double sum = 0;
    for (int i = 0; i < SAMPLE; i++) {
        struct ask ask = pace_ask(world, 0, i);
        sum += cost_of(&ask);
    }
    return sum / SAMPLE;
}

void pace_bedrock_init(struct pace_world *world)
{
    static const struct slice MODELS[] = {{"*-4-a", 5}, {"*-4-b", 5}};
    const struct scenario *scenario = world->scenario;
    double window_s = scenario->window_s > 0 ? scenario->window_s : 60;
    double rpm = scenario->is_tokens || scenario->streams > 0 ? 0 : scenario->calls_per_second * 60;
    double tokens = scenario->calls_per_second * mean_cost(world);
    double tpm = scenario->is_tokens ? (double)(int64_t)(60 * tokens) : 0;
    judge_init(&world->judges[0], rpm, tpm, scenario->day_s * tokens, window_s,
               scenario->has_windows);
    judge_init(&world->judges[1], scenario->small_rpm, 0, 0, window_s, false);
    for (int i = 0; i < PACE_MODELS; i++)
        world->rows[i] = (struct quota_row){
            .model = MODELS[i],
            .requests_per_minute = (int64_t)world->judges[i].rpm,
            .tokens_per_minute = (int64_t)world->judges[i].tpm,
            .burndown = BURNDOWN,
            .share = 1,
            .burst_ms = QUOTA_BURST_MS,
        };
}

bool pace_is_down(const struct pace_world *world)
{
    return world->now_ms >= world->scenario->down.from * 1000LL &&
           world->now_ms < world->scenario->down.to * 1000LL;
}

/* ---- calls ---- */

static void find_place(const struct pace_world *world, struct slice body, int *ret_log,
                       int64_t *ret_offset)
{
    const char *at = memmem(body.ptr, body.len, "[[id:", 5);
    long long offset = 0;
    char text[32] = "";
    HOLD(world, at != NULL);
    (void)snprintf(text, sizeof text, "%.*s", (int)sizeof text - 1, at);
    HOLD(world, sscanf(text, "[[id:%d/%lld]]", ret_log, &offset) == 2);
    *ret_offset = offset;
}

static void note_wait(struct pace_world *world, int log, const struct job *job)
{
    bool counts = log == QUIET_LOG && job->calls <= 1 && world->now_ms >= START_MS;
    if (counts && world->quiet_count < (int)COUNT_OF(world->quiet_waits))
        world->quiet_waits[world->quiet_count++] =
            (double)(world->now_ms - (job->record.timestamp_ms - WALL_MS)) / 1000;
}

static void on_call_start(void *self, struct call_ref ref, const struct http_request *request)
{
    struct pace_port *port = self;
    struct pace_world *world = port->world;
    struct pace_worker *worker = port->worker;
    struct open_call *call = &worker->calls[ref.index];
    const struct job *job = worker->engine->calls.all[ref.index].job;
    HOLD(world, ref.index < PACE_CALLS && !call->is_open);
    int log;
    int64_t offset;
    find_place(world, request->body, &log, &offset);
    *call = (struct open_call){.is_open = true,
                               .ref = ref,
                               .log = log,
                               .offset = offset,
                               .ask = pace_ask(world, log, offset)};
    call->reserved = reserved_of(&call->ask);
    promises_call_begins(&worker->promises, ref);
    world->now.begun[call->ask.model]++;
    note_wait(world, log, job);
    if (world->eighth_ms > 0 && world->after_eight_ms == 0)
        world->after_eight_ms = world->now_ms;
    int64_t way_ms = RTT_MS / 2 + (int64_t)random_below(&world->random, RTT_MS);
    struct pace_event *event = pace_add(world, ARRIVES, worker, way_ms);
    event->which = (int)ref.index;
    event->ticket = ref.generation;
}

static bool on_call_cancel(void *self, struct call_ref ref)
{
    struct pace_port *port = self;
    (void)ref;
    HOLD(port->world, port->worker->engine == NULL); /* nothing of these worlds breaks calls off */
    return true;
}

/* In worlds of streams: the eight calls after them are refused, whatever the quota. */
static bool is_of_eight(struct pace_world *world, const struct open_call *call)
{
    int streams = world->scenario->streams;
    if (streams == 0)
        return false;
    world->streams += call->offset < streams;
    if (call->offset < streams || world->streams < streams || world->eight == EIGHT)
        return false;
    world->eight++;
    return true;
}

static void reply(struct pace_world *world, struct pace_worker *worker,
                  const struct pace_event *event, enum pace_event_kind kind, int64_t delay_ms)
{
    struct pace_event *next = pace_add(world, kind, worker, delay_ms);
    next->which = event->which;
    next->ticket = event->ticket;
    next->life = event->life;
    next->reserved = event->reserved;
    next->cost = event->cost;
}

/* A killed worker's call runs on: what it reserves and costs is in the event. */
void pace_arrives(struct pace_world *world, struct pace_worker *worker,
                  const struct pace_event *event)
{
    struct open_call *call = &worker->calls[event->which];
    struct pace_event sent = *event;
    if (worker->life != event->life || call->ref.generation != event->ticket)
        return; /* killed before it arrived */
    call->is_down = pace_is_down(world);
    sent.reserved = call->reserved;
    sent.cost = cost_of(&call->ask);
    sent.epoch = (uint32_t)call->ask.model;
    if (call->is_down || is_of_eight(world, call) ||
        !judge_takes(&world->judges[call->ask.model], world->now_ms, call->reserved)) {
        world->now.refused[call->ask.model] += !call->is_down;
        reply(world, worker, &sent, IS_REFUSED, RTT_MS);
        return;
    }
    reply(world, worker, &sent, ENDS, call->ask.latency_ms);
}

void pace_ends(struct pace_world *world, struct pace_worker *worker, const struct pace_event *event)
{
    const struct open_call *call = &worker->calls[event->which];
    bool is_known = worker->life == event->life;
    int model = is_known ? call->ask.model : 0; /* no worker dies in worlds of two */
    judge_settle(&world->judges[model], world->now_ms, event->reserved, event->cost, false);
    world->now.served[model]++;
    if (is_known)
        reply(world, worker, event, IS_HEARD, RTT_MS / 2);
}

static void hear_refusal(struct pace_worker *worker, struct call_ref ref, bool is_down)
{
    engine_call_head(
        worker->engine, ref, is_down ? 503 : 429,
        is_down ? SLICE("HTTP/1.1 503 x\r\nx-amzn-errortype: ServiceUnavailableException\r\n\r\n")
                : SLICE("HTTP/1.1 429 x\r\nx-amzn-errortype: ThrottlingException\r\n\r\n"));
    engine_call_body(worker->engine, ref, SLICE("{\"message\":\"no\"}"));
}

static void hear_answer(struct pace_worker *worker, struct call_ref ref, const struct ask *ask)
{
    char answer[512];
    int uncached = (int)(ask->input - ask->cached), output = (int)ask->output;
    (void)snprintf(
        answer, sizeof answer,
        "{\"output\":{\"message\":{\"role\":\"assistant\",\"content\":[{\"text\":\"x\"}]}},"
        "\"stopReason\":\"end_turn\",\"usage\":{\"inputTokens\":%d,\"outputTokens\":%d,"
        "\"totalTokens\":%d,\"cacheReadInputTokens\":%d},\"metrics\":{\"latencyMs\":5}}",
        uncached, output, uncached + output + (int)ask->cached, (int)ask->cached);
    engine_call_head(worker->engine, ref, 200,
                     SLICE("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n"));
    engine_call_body(worker->engine, ref, slice_of_text(answer));
}

void pace_hears(struct pace_world *world, struct pace_worker *worker,
                const struct pace_event *event)
{
    struct open_call *call = &worker->calls[event->which];
    bool is_refused = event->kind == IS_REFUSED;
    struct call_end end = {OK, true, SLICE("")};
    HOLD(world, call->is_open && call->ref.generation == event->ticket);
    call->is_open = false;
    promises_call_ended(&worker->promises, worker->engine, call->ref, !is_refused,
                        cost_of(&call->ask));
    if (is_refused)
        hear_refusal(worker, call->ref, call->is_down);
    else
        hear_answer(worker, call->ref, &call->ask);
    worker->answered += !is_refused;
    if (world->scenario->streams > 0 && is_refused && ++world->eight_heard == EIGHT)
        world->eighth_ms = world->now_ms;
    engine_call_ended(worker->engine, call->ref, &end);
}

/* ---- who else calls ---- */

void pace_competes(struct pace_world *world)
{
    const struct scenario *scenario = world->scenario;
    struct judge *judge = &world->judges[0];
    pace_add(world, COMPETES, NULL, RIVAL_MS);
    if (world->now_ms < scenario->rival.from * 1000LL ||
        world->now_ms >= scenario->rival.to * 1000LL)
        return;
    double rate = scenario->calls_per_second;
    world->wanted += rate * scenario->rival.share * RIVAL_MS / 1000;
    if (world->wanted > 1 + rate)
        world->wanted = 1 + rate;
    for (; world->wanted >= 1; world->wanted--) {
        struct ask ask = pace_ask(world, 0, (int64_t)world->events);
        if (!judge_takes(judge, world->now_ms, reserved_of(&ask)))
            return;
        struct pace_event *event = pace_add(world, RIVAL_ENDS, NULL, scenario->latency_ms);
        event->reserved = reserved_of(&ask);
        event->cost = cost_of(&ask);
    }
}

void pace_rival_ends(struct pace_world *world, const struct pace_event *event)
{
    judge_settle(&world->judges[0], world->now_ms, event->reserved, event->cost, true);
}

void pace_bedrock_ports(struct ports *ports)
{
    ports->call_start = on_call_start;
    ports->call_cancel = on_call_cancel;
}
