#include "world.h"

#include <stdarg.h>
#include <string.h>

#include "base/memory.h"

#define EVENTS_MAX     100000
#define CALM_AFTER_MS  240000
#define PIN_CHECK_MS   300000 /* every request is produced and had enough time */
#define CUT_LOG_CHANCE 200    /* per mille, each second; few find a log that can be cut */
#define END_WITHIN_MS  (4 * 3600 * 1000LL)

struct port sim_ports[WORKERS_MAX];

void world_note(struct world *world, const char *format, ...)
{
    char line[512];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    for (int i = 0; i < len && i < (int)sizeof line - 1; i++)
        world->trace = (world->trace ^ (uint8_t)line[i]) * 0x100000001b3ULL;
    world->trace ^= (uint64_t)world->now_ms;
    if (world->is_loud)
        printf("%10.3f  %s\n", (double)world->now_ms / 1000.0, line);
}

_Noreturn void world_broken(struct world *world, const char *fact, const char *file, int line)
{
    printf("seed %llu: a promise is broken at %lld ms: %s (%s:%d)\nreplay: world --%s %llu\n",
           (unsigned long long)world->seed, (long long)world->now_ms, fact, file, line,
           world->pin == PIN_NONE      ? "seed"
           : world->pin == PIN_OUTAGES ? "outages"
           : world->pin == PIN_CUTS    ? "cuts"
           : world->pin == PIN_FLOOD   ? "flood"
                                       : "pinned",
           (unsigned long long)world->seed);
    fflush(stdout);
    exit(1);
}

bool world_chance(struct world *world, enum fault fault)
{
    uint64_t dice = random_below(&world->random, 1000);
    return !world->is_calm && dice < (uint64_t)world->chance[fault];
}

int64_t world_delay(struct world *world, int64_t typical_ms)
{
    uint64_t dice = random_below(&world->random, 100);
    int64_t base = dice < 80 ? typical_ms : dice < 97 ? typical_ms * 4 : typical_ms * 20;
    return (int64_t)random_below(&world->random, (uint64_t)base + 1);
}

/* ---- events: a heap by (time, order) ---- */

static bool before(const struct sim_event *a, const struct sim_event *b)
{
    return a->at_ms < b->at_ms || (a->at_ms == b->at_ms && a->order < b->order);
}

struct sim_event *world_add(struct world *world, enum sim_event_kind kind,
                            const struct worker *worker, int64_t delay_ms)
{
    MUST(world, world->event_count < EVENTS_MAX); /* else the world never comes to rest */
    if (world->event_count == world->event_room) {
        world->event_room = world->event_room == 0 ? 256 : world->event_room * 2;
        world->events = realloc(world->events, world->event_room * sizeof *world->events);
        if (world->events == NULL)
            abort();
    }
    struct sim_event event = {
        .at_ms = world->now_ms + (delay_ms < 0 ? 0 : delay_ms),
        .order = world->next_order++,
        .kind = kind,
        .worker = worker == NULL ? -1 : worker->index,
        .incarnation = worker == NULL ? 0 : worker->incarnation,
    };
    size_t place = world->event_count++;
    while (place > 0 && before(&event, &world->events[(place - 1) / 2])) {
        world->events[place] = world->events[(place - 1) / 2];
        place = (place - 1) / 2;
    }
    world->events[place] = event;
    return &world->events[place];
}

static struct sim_event pop(struct world *world)
{
    struct sim_event first = world->events[0];
    struct sim_event last = world->events[--world->event_count];
    size_t place = 0;
    for (;;) {
        size_t child = 2 * place + 1;
        if (child >= world->event_count)
            break;
        if (child + 1 < world->event_count &&
            before(&world->events[child + 1], &world->events[child]))
            child++;
        if (!before(&world->events[child], &last))
            break;
        world->events[place] = world->events[child];
        place = child;
    }
    world->events[place] = last;
    return first;
}

/* ---- workers ---- */

static void on_log(void *self, enum log_event event, const struct log_field *fields, size_t count)
{
    struct port *port = self;
    struct buf line;
    buf_init(&line, 65536);
    log_add_text(&line, WALL_AT_START + port->world->now_ms, event, fields, count);
    const char *text = buf_text(&line);
    MUST(port->world, strstr(text, "canary") == NULL);
    MUST(port->world, strchr(text, '{') == NULL); /* every name of the sentence has its field */
    /* The trace notes that a line was logged, not its words, so that a better sentence leaves the
     * trace unchanged. */
    world_note(port->world, "w%d logs", port->worker->index);
    if (port->world->is_loud)
        printf("            %.300s\n", text + 25);
    buf_done(&line);
    if (event == LOG_SHELF_DROPPED)
        kafka_dropped(port->world, port->worker, (int)fields[1].number, fields[2].number);
    if (event == LOG_SHELF_CLEARED)
        port->world->adopted += (uint64_t)fields[2].number;
    if (event != LOG_LEDGER_DIFFERS && event != LOG_PARTITION_RECREATED &&
        event != LOG_PARTITION_CUT)
        return;
    /* The same tenure restarts, and never without a cause. */
    int index = (int)fields[1].number;
    const struct fake_log *log = &port->world->logs[index];
    bool was_other = log->committer != port->worker->index ||
                     log->committer_life != (int)port->worker->incarnation;
    if (event == LOG_PARTITION_CUT)
        MUST(port->world, log->is_cut);
    else
        MUST(port->world,
             event == LOG_PARTITION_RECREATED ? log->is_recreated : was_other || log->is_recreated);
    audit_tenure_over(port->world, port->worker, index);
    bool may_adopt = port->world->config.keep_lost_ms > 0; /* the calls that run */
    for (int64_t offset = 0; offset < RECORDS_MAX; offset++)
        if (!may_adopt || port->worker->accounts[index][offset].open == 0)
            memset(&port->worker->tried[index][offset], 0,
                   sizeof port->worker->tried[index][offset]);
}

static void on_ended(void *self, int exit_code)
{
    struct port *port = self;
    MUST(port->world, !port->worker->has_ended);
    world_note(port->world, "w%d ended %d", port->worker->index, exit_code);
    port->worker->has_ended = true;
    port->worker->exit_code = exit_code;
}

/* No call is rejected for its credentials in these worlds. */
static void on_refresh(void *self, uint32_t identity)
{
    (void)identity;
    struct port *port = self;
    MUST(port->world, false);
}

static void wake_at(struct world *world, struct worker *worker, int64_t at_ms)
{
    if (worker->wake_ms <= at_ms)
        return;
    worker->wake_ms = at_ms;
    world_add(world, EVENT_WAKE, worker, at_ms - world->now_ms);
}

static void worker_start(struct world *world, struct worker *worker)
{
    uint32_t incarnation = worker->incarnation + 1;
    int index = worker->index;
    memset(worker, 0, sizeof *worker);
    worker->index = index;
    worker->incarnation = incarnation;
    worker->wake_ms = INT64_MAX;
    sim_ports[index] = (struct port){world, worker};
    struct ports ports = {.self = &sim_ports[index],
                          .credentials_refresh = on_refresh,
                          .log = on_log,
                          .ended = on_ended};
    kafka_ports(&ports);
    broker_ports(&ports);
    bedrock_ports(&ports);
    world->config.seed = random_next(&world->random);
    worker->engine =
        engine_new(&world->config, &ports, world->now_ms, WALL_AT_START + world->now_ms);
    MUST(world, worker->engine != NULL);
    struct credentials credentials = {.access_key_id = SLICE("AKID"),
                                      .secret_access_key = SLICE("canary-secret"),
                                      .expires_wall_ms = INT64_MAX};
    engine_credentials(worker->engine, 0, &credentials, SLICE(""));
    world_note(world, "w%d starts", index);
    kafka_join(world, worker);
    if (world->has_quotas)
        world_add(world, EVENT_LOOK, worker, 200);
    wake_at(world, worker, world->now_ms + 1);
}

static void worker_end(struct world *world, struct worker *worker)
{
    quotas_worker_died(world, worker);
    bedrock_worker_died(worker);
    engine_free(worker->engine);
    worker->engine = NULL;
    worker->incarnation++;
    worker->has_batch = false;
}

static void worker_crash(struct world *world, struct worker *worker)
{
    world_note(world, "w%d is killed", worker->index);
    world->crashes++;
    if (worker->has_batch && !kafka_is_away(world) && random_below(&world->random, 2) == 0)
        broker_batch(world, worker); /* the committer's batch reached the broker */
    kafka_kick(world, worker, true);
    audit_worker_died(world, worker);
    worker_end(world, worker);
    marks_check(world);
    world_add(world, EVENT_START, worker, world_delay(world, 5000));
}

static void worker_turn(struct world *world, struct worker *worker)
{
    kafka_pump(world, worker);
    int64_t next_ms = engine_turn(worker->engine);
    kafka_pump(world, worker);
    quotas_turn_ended(world, worker);
    struct engine_stats stats;
    engine_stats(worker->engine, &stats);
    MUST(world, stats.held <= world->config.max_held);
    MUST(world, stats.calling <= world->config.max_in_flight);
    MUST(world, stats.held_bytes <= engine_memory_bound(&world->config));
    MUST(world, next_ms <= world->now_ms + 1000);
    if (worker->has_ended) {
        broker_commit_kept(world, worker);
        kafka_kick(world, worker, false);
        audit_worker_ended(world, worker);
        worker_end(world, worker);
        marks_check(world);
        if (!world->is_calm || !kafka_all_answered(world))
            world_add(world, EVENT_START, worker, world_delay(world, 3000));
        return;
    }
    wake_at(world, worker, next_ms > world->now_ms ? next_ms : world->now_ms + 1);
}

/* Once a virtual second: draws the faults of each worker. */
static void fate(struct world *world)
{
    for (int i = 0; i < world->worker_count; i++) {
        struct worker *worker = &world->workers[i];
        if (worker->engine == NULL || worker->is_stopping)
            continue;
        if (world_chance(world, FAULT_CRASH)) {
            worker_crash(world, worker);
        } else if (worker->stalled_until <= world->now_ms && world_chance(world, FAULT_STALL)) {
            worker->stalled_until =
                world->now_ms + 1000 + (int64_t)random_below(&world->random, 3 * SESSION_MS);
            world_note(world, "w%d stalls until %lld", i, (long long)worker->stalled_until);
            world->stalls++;
        } else if (worker->stalled_until <= world->now_ms && world_chance(world, FAULT_STOP)) {
            world_note(world, "w%d is asked to stop", i);
            worker->is_stopping = true;
            engine_time(worker->engine, world->now_ms, WALL_AT_START + world->now_ms);
            engine_stop(worker->engine);
        }
        if (worker->stalled_until > world->now_ms + SESSION_MS && worker->is_member &&
            !kafka_is_away(world))
            kafka_kick(world, worker, false);
    }
    if (!kafka_is_away(world) && world_chance(world, FAULT_OUTAGE))
        kafka_outage(world);
    if (!kafka_is_away(world) && world_chance(world, FAULT_MOVE))
        kafka_move(world);
    if (world_chance(world, FAULT_TRUNCATE))
        kafka_truncate(world);
    if (world_chance(world, FAULT_ANEW))
        kafka_recreate(world);
    if (world->pin == PIN_CUTS && world_chance(world, FAULT_CUT_LOG))
        kafka_cut(world);
    world_add(world, EVENT_FATE, NULL, 1000);
}

static void handle_for(struct world *world, struct worker *worker, const struct sim_event *event)
{
    if (event->kind == EVENT_WAKE)
        worker->wake_ms = INT64_MAX;
    engine_time(worker->engine, world->now_ms, WALL_AT_START + world->now_ms);
    switch (event->kind) {
    case EVENT_CALL_STEP:
        bedrock_step(world, worker, event);
        break;
    case EVENT_BATCH:
        broker_batch(world, worker);
        break;
    case EVENT_KEEP:
        broker_commit_kept(world, worker);
        break;
    case EVENT_READ:
        kafka_read(world, worker, event);
        break;
    case EVENT_SIBLINGS:
        kafka_siblings(world, worker, event);
        break;
    case EVENT_WATERMARKS:
        kafka_watermarks(world, worker, event);
        break;
    case EVENT_LOST:
        kafka_lost(world, worker);
        break;
    case EVENT_ASSIGN:
        kafka_assign(world, worker, event);
        break;
    case EVENT_TOPIC:
        kafka_topic(world, worker, event);
        break;
    case EVENT_LOOK:
        quotas_look(world, worker);
        break;
    case EVENT_WAKE:
    case EVENT_PRODUCE:
    case EVENT_FATE:
    case EVENT_START:
    case EVENT_BROKERS_BACK:
        break;
    }
    worker_turn(world, worker);
}

static void handle(struct world *world, const struct sim_event *event)
{
    if (event->kind == EVENT_PRODUCE) {
        kafka_produce(world, event);
        return;
    }
    if (event->kind == EVENT_BROKERS_BACK) {
        kafka_brokers_back(world);
        return;
    }
    if (event->kind == EVENT_FATE) {
        fate(world);
        return;
    }
    struct worker *worker = &world->workers[event->worker];
    if (event->kind == EVENT_START) {
        if (worker->engine == NULL)
            worker_start(world, worker);
        return;
    }
    if (worker->engine == NULL || event->incarnation != worker->incarnation)
        return;
    if (worker->stalled_until > world->now_ms) { /* it gets the events when it wakes, in order */
        struct sim_event later = *event;
        struct sim_event *added =
            world_add(world, event->kind, worker, worker->stalled_until - world->now_ms);
        later.at_ms = added->at_ms;
        later.order = added->order;
        *added = later;
        return;
    }
    handle_for(world, worker, event);
}

/* ---- a world's life ---- */

static void choose_faults(struct world *world)
{
    static const int STRONG[FAULT_COUNT] = {
        [FAULT_THROTTLE] = 300, [FAULT_SERVER_ERROR] = 150, [FAULT_REFUSED_CONNECTION] = 100,
        [FAULT_TIMEOUT] = 60,   [FAULT_CUT] = 200,          [FAULT_CORRUPT] = 80,
        [FAULT_EXCEPTION] = 80, [FAULT_REJECTED] = 60,      [FAULT_SLOW] = 20,
        [FAULT_ABORT] = 200,    [FAULT_UNKNOWN_MADE] = 100, [FAULT_UNKNOWN_NOT] = 100,
        [FAULT_READ] = 200,     [FAULT_LOOK_UP] = 300,      [FAULT_TRUNCATE] = 15,
        [FAULT_ANEW] = 100,     [FAULT_CRASH] = 60,         [FAULT_STALL] = 40,
        [FAULT_MOVE] = 200,     [FAULT_STOP] = 40,          [FAULT_OUTAGE] = 60,
    };
    world->chance[FAULT_CUT_LOG] = CUT_LOG_CHANCE;
    bool is_free = world->pin == PIN_NONE || world->pin == PIN_CUTS;
    for (int i = 0; i < FAULT_COUNT && is_free; i++)
        world->chance[i] = random_below(&world->random, 2) == 0
                               ? 0
                               : 1 + (int)random_below(&world->random, (uint64_t)STRONG[i]);
}

/* Most worlds keep results long enough for every outage; some hardly, some not at all. */
static int64_t keep_lost(struct random *random)
{
    uint64_t dice = random_below(random, 8);
    return dice == 0 ? 0 : dice == 1 ? 1 + (int64_t)random_below(random, 3 * SESSION_MS) : 600000;
}

static void choose_config(struct world *world)
{
    struct random *random = &world->random;
    world->retries_for_ever = random_below(random, 2) == 0;
    static const struct slice ECHO[] = {{"*", 1}};
    static const struct slice ALLOWED[] = {{"reply.*", 7}};
    static const uint64_t ORDERINGS[] = {ORDERING_KEY, ORDERING_KEY, ORDERING_PARTITION,
                                         ORDERING_NONE};
    world->config = (struct engine_config){
        .output = {.source = SLICE("/bedrock-worker/sim"),
                   .group_id = SLICE("sim"),
                   .responses_topic = SLICE("responses"),
                   .chunks_topic = SLICE("chunks"),
                   .usage_topic = SLICE("usage"),
                   .dead_letters_topic = SLICE("letters"),
                   .echo_headers = ECHO,
                   .echo_header_count = 1,
                   .output_bytes_max = 1 << 20},
        .region = SLICE("us-east-1"),
        .endpoint_url = SLICE("http://127.0.0.1:1"),
        .user_agent = SLICE("bedrock-worker/sim"),
        .transactional_id = SLICE("sim"),
        .ordering = (enum ordering)ORDERINGS[random_below(random, 4)],
        .reply_allowed = ALLOWED,
        .reply_allowed_count = COUNT_OF(ALLOWED),
        .exactly_once = random_below(random, 5) > 0,
        .write_ahead = random_below(random, 3) > 0,
        .send_dead_letters = true,
        .send_error_responses = true,
        .max_in_flight = 1 + (uint32_t)random_below(random, 24),
        .max_held = 4 + (uint32_t)random_below(random, 60),
        .max_held_bytes = random_below(random, 4) == 0 ? 30000 : 64 << 20,
        .max_request_bytes = 4096,
        .max_answer_bytes = 1 << 16,
        .max_begun = 3 + (uint32_t)random_below(random, 3),
        .batch_results_max = 1 + (uint32_t)random_below(random, 40),
        .batch_bytes_max = 1 << 20,
        .commit_interval_ms = 1 + (int64_t)random_below(random, 500),
        .drain_timeout_ms = 1000 + (int64_t)random_below(random, 20000),
        .stall_ms = SESSION_MS / 2,
        .heartbeat_ms = HEARTBEAT_MS,
        .keep_lost_ms = keep_lost(random),
        .offset_map_bytes_max = random_below(random, 4) == 0 ? 63 : 4096,
        .start_per_second = (double)random_below(random, 3) * 10,
        .retry.max_attempts =
            world->retries_for_ever ? 1000000 : 2 + (uint32_t)random_below(random, 5),
        .retry.max_elapsed_ms = world->retries_for_ever ? 1LL << 40 : 60000,
        .retry.transient_base_ms = 200,
        .retry.throttle_base_ms = 1000,
        .retry.max_delay_ms = 20000,
    };
}

/* Room for all requests that wait for the slow model, and a few call slots. */
static void pin_config(struct world *world)
{
    world->config.ordering = ORDERING_KEY;
    world->config.max_in_flight = 32;
    world->config.max_held = 64;
    world->config.max_held_bytes = 64 << 20;
    world->config.offset_map_bytes_max = 4096;
    world->config.drain_timeout_ms = 1000;
}

/* One worker that nothing but outages trouble. */
static void pin_outages(struct world *world)
{
    pin_config(world);
    world->config.exactly_once = true;
    world->config.keep_lost_ms = 600000;
    world->config.max_in_flight = 4 + (uint32_t)random_below(&world->random, 28);
    world->config.max_held = 16 + (uint32_t)random_below(&world->random, 48);
    world->chance[FAULT_OUTAGE] = 60;
    world->chance[FAULT_SLOW] = 20;
}

/* Tenants of one worker send more than its few slots can call, and nothing else happens. */
static void pin_flood(struct world *world)
{
    pin_config(world);
    world->config.exactly_once = true;
    world->config.write_ahead = false;
    world->config.max_in_flight = 1 + (uint32_t)random_below(&world->random, 3);
}

void world_run(struct world *world, uint64_t seed, enum pin pin, bool is_loud)
{
    memset(world, 0, sizeof *world);
    world->seed = seed;
    world->pin = pin;
    world->is_loud = is_loud;
    world->trace = 0xcbf29ce484222325ULL;
    random_init(&world->random, seed);
    choose_faults(world);
    choose_config(world);
    if (world->pin == PIN_SLOW_MODEL)
        pin_config(world);
    if (world->pin == PIN_OUTAGES)
        pin_outages(world);
    if (world->pin == PIN_FLOOD)
        pin_flood(world);
    fallback_config(world);
    quotas_config(world);
    turns_init(world);
    kafka_make(world);
    world->worker_count = 1 + (int)random_below(&world->random, WORKERS_MAX);
    if (world->pin == PIN_OUTAGES || world->pin == PIN_FLOOD)
        world->worker_count = 1;
    for (int i = 0; i < world->worker_count; i++) {
        world->workers[i].index = i;
        world_add(world, EVENT_START, &world->workers[i],
                  (int64_t)random_below(&world->random, 5000));
    }
    world_add(world, EVENT_FATE, NULL, 1000);
    bool is_stopping = false;
    bool is_pin_checked = false;
    int alive = world->worker_count;
    while (alive > 0) {
        struct sim_event event = pop(world);
        world->now_ms = event.at_ms;
        MUST(world, world->now_ms < END_WITHIN_MS);
        handle(world, &event);
        if (world->now_ms > CALM_AFTER_MS)
            world->is_calm = true;
        if (world->pin == PIN_SLOW_MODEL && !is_pin_checked && world->now_ms >= PIN_CHECK_MS) {
            is_pin_checked = true;
            kafka_check_pinned(world);
        }
        if (!is_stopping && world->is_calm && kafka_all_answered(world))
            is_stopping = true;
        alive = 0;
        for (int i = 0; i < world->worker_count; i++) {
            struct worker *worker = &world->workers[i];
            if (worker->engine == NULL)
                continue;
            if (is_stopping && !worker->is_stopping && worker->stalled_until <= world->now_ms) {
                worker->is_stopping = true;
                engine_time(worker->engine, world->now_ms, WALL_AT_START + world->now_ms);
                engine_stop(worker->engine);
            }
        }
        for (int i = 0; i < world->worker_count; i++)
            alive += !is_stopping || world->workers[i].engine != NULL;
    }
    kafka_check_end(world);
    for (int log = 0; log < world->log_count; log++)
        audit_check_log(world, log);
    free(world->events);
    free(world->usage_ids);
}
