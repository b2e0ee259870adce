#include "sim/pace/pace.h"

#include <stdio.h>
#include <string.h>

#include "policy/outage.h"

#define START_PER_SECOND 5.0 /* as the settings' default */

_Noreturn void pace_broken(const struct pace_world *world, const char *fact, const char *file,
                           int line)
{
    printf("%s, %s: a promise is broken at %lld ms: %s (%s:%d)\n", world->scenario->name,
           world->is_known ? "known" : "learned", (long long)world->now_ms, fact, file, line);
    fflush(stdout);
    exit(1);
}

/* ---- events: a heap by (time, number) ---- */

static bool is_before(const struct pace_event *a, const struct pace_event *b)
{
    return a->at_ms < b->at_ms || (a->at_ms == b->at_ms && a->number < b->number);
}

struct pace_event *pace_add(struct pace_world *world, enum pace_event_kind kind,
                            const struct pace_worker *worker, int64_t delay_ms)
{
    if (world->heap_len == world->heap_room) {
        world->heap_room = world->heap_room == 0 ? 1024 : world->heap_room * 2;
        world->heap = realloc(world->heap, world->heap_room * sizeof *world->heap);
        HOLD(world, world->heap != NULL);
    }
    struct pace_event event = {
        .at_ms = world->now_ms + delay_ms,
        .number = ++world->events,
        .kind = kind,
        .worker = worker == NULL ? -1 : worker->index,
        .life = worker == NULL ? 0 : worker->life,
    };
    size_t at = world->heap_len++;
    for (; at > 0 && is_before(&event, &world->heap[(at - 1) / 2]); at = (at - 1) / 2)
        world->heap[at] = world->heap[(at - 1) / 2];
    world->heap[at] = event;
    return &world->heap[at];
}

static struct pace_event first(struct pace_world *world)
{
    struct pace_event top = world->heap[0], last = world->heap[--world->heap_len];
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

/* ---- workers ---- */

static void on_log(void *self, enum log_event event, const struct log_field *fields, size_t count)
{
    struct pace_port *port = self;
    if (!port->world->is_loud)
        return;
    struct buf line;
    buf_init(&line, 65536);
    log_add_text(&line, WALL_MS + port->world->now_ms, event, fields, count);
    printf("%9.3f w%d %.300s\n", (double)port->world->now_ms / 1000, port->worker->index,
           buf_text(&line) + 25);
    buf_done(&line);
}

static void on_ended(void *self, int exit_code)
{
    struct pace_port *port = self;
    (void)exit_code;
    HOLD(port->world, port->worker->engine == NULL); /* no worker of these worlds ends */
}

static void on_refresh(void *self, uint32_t identity)
{
    struct pace_port *port = self;
    (void)identity;
    HOLD(port->world, port->worker->engine == NULL); /* no call is rejected for them */
}

static struct pace_port ports_of[PACE_WORKERS];

static void start(struct pace_world *world, int index)
{
    struct pace_worker *worker = &world->workers[index];
    ports_of[index] = (struct pace_port){world, worker};
    struct ports ports = {.self = &ports_of[index],
                          .credentials_refresh = on_refresh,
                          .log = on_log,
                          .ended = on_ended};
    pace_kafka_ports(&ports);
    pace_bedrock_ports(&ports);
    world->config.seed = random_next(&world->random);
    worker->engine = engine_new(&world->config, &ports, world->now_ms, WALL_MS + world->now_ms);
    HOLD(world, worker->engine != NULL);
    struct credentials credentials = {.access_key_id = SLICE("AKID"),
                                      .secret_access_key = SLICE("secret"),
                                      .expires_wall_ms = INT64_MAX};
    engine_credentials(worker->engine, 0, &credentials, SLICE(""));
    pace_join(world, worker);
    pace_add(world, LOOKS, worker, 200);
    worker->wake_ms = world->now_ms + 1;
    pace_add(world, TURN, worker, 1);
}

/* kill -9: what it had open runs on at Bedrock, unheard. */
static void kill_worker(struct pace_world *world, struct pace_worker *worker)
{
    engine_free(worker->engine);
    worker->engine = NULL;
    worker->life++;
    worker->has_batch = false;
    promises_done(&worker->promises);
    for (int i = 0; i < PACE_LOGS; i++)
        if (worker->has[i])
            pace_add(world, GIVES, NULL, SESSION_MS)->which = i;
    memset(worker->has, 0, sizeof worker->has);
}

static void turn(struct pace_world *world, struct pace_worker *worker)
{
    pace_pump(world, worker);
    int64_t next_ms = engine_turn(worker->engine);
    const char *broken = promises_turn_ended(&worker->promises, worker->engine);
    if (broken != NULL)
        pace_broken(world, broken, __FILE__, __LINE__);
    next_ms = next_ms > world->now_ms ? next_ms : world->now_ms + 1;
    if (worker->wake_ms > world->now_ms && worker->wake_ms <= next_ms)
        return;
    worker->wake_ms = next_ms;
    pace_add(world, TURN, worker, next_ms - world->now_ms);
}

static void handle_for(struct pace_world *world, struct pace_worker *worker,
                       const struct pace_event *event)
{
    if (event->kind == TURN && worker->wake_ms != event->at_ms)
        return; /* another one comes in its place */
    engine_time(worker->engine, world->now_ms, WALL_MS + world->now_ms);
    if (event->kind == IS_REFUSED || event->kind == IS_HEARD)
        pace_hears(world, worker, event);
    else if (event->kind == COMMITS)
        pace_commit(world, worker);
    else if (event->kind == READS)
        pace_read(world, worker, event);
    else if (event->kind == LOOKS)
        pace_look(world, worker, event->which == 0);
    turn(world, worker);
}

/* ---- the run ---- */

static void scheduled(struct pace_world *world)
{
    const struct scenario *scenario = world->scenario;
    int second = (int)(world->now_ms / 1000);
    for (size_t i = 0; i < COUNT_OF(scenario->steps); i++)
        if (scenario->steps[i].at > 0 && scenario->steps[i].at == second)
            judge_scale(&world->judges[0], world->now_ms, scenario->steps[i].factor);
    if (scenario->dies_at > 0 && scenario->dies_at == second)
        kill_worker(world, &world->workers[0]);
    if (scenario->joins_at > 0 && scenario->joins_at == second)
        start(world, scenario->workers - 1);
    pace_second(world);
    pace_add(world, SECOND, NULL, 1000);
    for (int i = 0; i < scenario->workers; i++) {
        struct pace_worker *worker = &world->workers[i];
        if (worker->engine == NULL)
            continue;
        engine_time(worker->engine, world->now_ms, WALL_MS + world->now_ms);
        turn(world, worker);
    }
}

static void handle(struct pace_world *world, const struct pace_event *event)
{
    struct pace_worker *worker = event->worker < 0 ? NULL : &world->workers[event->worker];
    bool is_alive = worker != NULL && worker->engine != NULL && worker->life == event->life;
    switch (event->kind) {
    case SECOND:
        scheduled(world);
        break;
    case COMPETES:
        pace_competes(world);
        break;
    case RIVAL_ENDS:
        pace_rival_ends(world, event);
        break;
    case GIVES:
        pace_give(world, event);
        break;
    case ARRIVES:
        pace_arrives(world, worker, event);
        break;
    case ENDS:
        pace_ends(world, worker, event);
        break;
    case TURN:
    case IS_REFUSED:
    case IS_HEARD:
    case COMMITS:
    case READS:
    case LOOKS:
        if (is_alive)
            handle_for(world, worker, event);
        break;
    }
}

static void configure(struct pace_world *world)
{
    world->config = (struct engine_config){
        .output = {.source = SLICE("/bedrock-worker/pace"),
                   .group_id = SLICE("pace"),
                   .responses_topic = SLICE("responses"),
                   .chunks_topic = SLICE("chunks"),
                   .usage_topic = SLICE("usage"),
                   .dead_letters_topic = SLICE("letters"),
                   .output_bytes_max = 1 << 20},
        .region = SLICE("us-east-1"),
        .endpoint_url = SLICE("http://127.0.0.1:1"),
        .user_agent = SLICE("bedrock-worker/pace"),
        .transactional_id = SLICE("pace"),
        .ordering = ORDERING_KEY,
        .exactly_once = true,
        .write_ahead = world->scenario->write_ahead,
        .send_dead_letters = true,
        .send_error_responses = true,
        .max_in_flight = PACE_CALLS,
        .max_held = 1000,
        .max_held_bytes = 64 << 20,
        .max_request_bytes = 1 << 20,
        .max_answer_bytes = 1 << 16,
        .max_begun = 3,
        .batch_results_max = 500,
        .batch_bytes_max = 16 << 20,
        .commit_interval_ms = 100,
        .drain_timeout_ms = 10000,
        .stall_ms = SESSION_MS / 2,
        .heartbeat_ms = 3000,
        .offset_map_bytes_max = sizeof world->logs[0].map,
        .start_per_second = START_PER_SECOND,
        .retry = {.max_attempts = 6,
                  .max_elapsed_ms = 1800000,
                  .transient_base_ms = 200,
                  .throttle_base_ms = 1000,
                  .max_delay_ms = 20000},
        .quotas = {world->rows, world->is_known ? PACE_MODELS : 0},
    };
}

struct pace_world *pace_run(const struct scenario *scenario, bool is_known, bool is_loud)
{
    struct pace_world *world = calloc(1, sizeof *world);
    if (world == NULL)
        abort();
    world->scenario = scenario;
    world->is_known = is_known;
    world->is_loud = is_loud;
    random_init(&world->random, 1);
    configure(world);
    pace_bedrock_init(world);
    pace_kafka_init(world);
    for (int i = 0; i < scenario->workers; i++) {
        world->workers[i].index = i;
        if (scenario->joins_at == 0 || i + 1 < scenario->workers)
            start(world, i);
    }
    pace_add(world, SECOND, NULL, 0);
    if (scenario->rival.share > 0)
        pace_add(world, COMPETES, NULL, 0);
    while (world->heap[0].at_ms <= scenario->seconds * 1000LL) {
        struct pace_event event = first(world);
        world->now_ms = event.at_ms;
        handle(world, &event);
    }
    for (int i = 0; i < scenario->workers; i++) {
        struct engine_stats stats = {0};
        if (world->workers[i].engine != NULL)
            engine_stats(world->workers[i].engine, &stats);
        HOLD(world, stats.failed == 0); /* none is given up */
    }
    return world;
}

void pace_free(struct pace_world *world)
{
    for (int i = 0; i < PACE_WORKERS; i++) {
        engine_free(world->workers[i].engine);
        promises_done(&world->workers[i].promises);
    }
    free(world->heap);
    free(world);
}
