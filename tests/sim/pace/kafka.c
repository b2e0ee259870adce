#include "sim/pace/pace.h"

#include <string.h>
#include <stdio.h>

#define OFFERED     1.5 /* times the quota */
#define COMMIT_MS   15
#define READ_MS     5
#define MOVE_MS     50
#define SOON_MS     200
#define TOPIC       SLICE("requests")
#define PATIENCE_MS LAG_LIFE_PATIENCE_MS

/* ---- logs ---- */

bool pace_is_asking(const struct pace_world *world, int log)
{
    int shift_s = world->scenario->shift_s;
    int on_s = world->scenario->on_s, off_s = world->scenario->off_s;
    if (on_s > 0 && world->now_ms / 1000 % (on_s + off_s) >= on_s)
        return false;
    return log == QUIET_LOG || shift_s == 0 ||
           (world->now_ms / 1000 / shift_s) % world->scenario->workers == log;
}

/* How many requests a second come to this log. */
static double coming(const struct pace_world *world, int log)
{
    const struct scenario *scenario = world->scenario;
    double most = 1;
    if (log == QUIET_LOG)
        return scenario->has_quiet_tenant ? 0.2 : 0;
    for (size_t i = 0; i < COUNT_OF(scenario->steps); i++)
        if (scenario->steps[i].factor > most)
            most = scenario->steps[i].factor;
    double offered = scenario->offered > 0 ? scenario->offered : OFFERED;
    double all = offered * (scenario->calls_per_second * most + scenario->small_rpm / 60);
    return scenario->shift_s > 0 ? all : all / scenario->workers;
}

/* Where the log ends now. */
static int64_t end_of(struct pace_world *world, int index)
{
    struct pace_log *log = &world->logs[index];
    double s = (double)world->now_ms / 1000;
    if (pace_is_asking(world, index))
        log->produced += (s - log->counted) * coming(world, index);
    log->counted = s;
    return (int64_t)log->produced;
}

static void deliver(struct pace_world *world, struct pace_worker *worker, int log, int64_t offset)
{
    static char value[1 << 17];
    struct ask ask = pace_ask(world, log, offset);
    int len = snprintf(value, sizeof value,
                       "{\"model\": \"us.anthropic.claude-sonnet-4-%c\", \"max_tokens\": %d, "
                       "\"tenant\": \"t%d\", \"messages\": [[\"human\", \"[[id:%d/%lld]] ",
                       'a' + ask.model, ask.max_output, log == QUIET_LOG, log, (long long)offset);
    int marker = (int)(value + len - strstr(value, "[[id:"));
    int rest = ask.bytes > marker ? ask.bytes - marker : 0;
    memset(value + len, 'x', (size_t)rest);
    len += rest;
    len += snprintf(value + len, sizeof value - (size_t)len, "\"]]}");
    struct record record = {
        .topic = TOPIC,
        .partition = log,
        .offset = offset,
        .timestamp_ms = WALL_MS + world->now_ms,
        .timestamp_type = TIMESTAMP_CREATE,
        .key = SLICE_NULL,
        .value = slice_of(value, (size_t)len),
    };
    engine_record(worker->engine, worker->tenures[log], &record);
}

void pace_pump(struct pace_world *world, struct pace_worker *worker)
{
    for (int log = 0; log < PACE_LOGS; log++) {
        if (!worker->has[log] || worker->positions[log] < 0)
            continue;
        int64_t end = end_of(world, log);
        struct tenure tenure = worker->tenures[log];
        while (worker->positions[log] < end && engine_room(worker->engine, tenure) > 0)
            deliver(world, worker, log, worker->positions[log]++);
        if (worker->positions[log] == end) {
            engine_partition_empty(worker->engine, tenure);
            engine_partition_end(worker->engine, tenure, end);
        }
    }
}

/* ---- the group ---- */

static void assign(struct pace_world *world, struct pace_worker *worker, int log)
{
    world->logs[log].owner = worker->index;
    world->logs[log].next_owner = -1;
    worker->has[log] = worker->have_moved = true;
    worker->positions[log] = -1;
    worker->tenures[log] = (struct tenure){(uint32_t)log, ++world->next_epoch};
    engine_partition_assigned(worker->engine, worker->tenures[log], TOPIC, log);
    pace_add(world, LOOKS, worker, SOON_MS)->which = 1;
}

void pace_join(struct pace_world *world, struct pace_worker *worker)
{
    struct pace_log *log = &world->logs[worker->index];
    if (log->owner < 0) {
        assign(world, worker, worker->index);
    } else {
        struct pace_worker *from = &world->workers[log->owner];
        log->next_owner = worker->index;
        engine_time(from->engine, world->now_ms, WALL_MS + world->now_ms);
        engine_partition_revoked(from->engine, from->tenures[worker->index]);
    }
    if (worker->index == 0 && world->scenario->has_quiet_tenant)
        assign(world, worker, QUIET_LOG);
}

void pace_kafka_init(struct pace_world *world)
{
    const struct scenario *scenario = world->scenario;
    for (int i = 0; i < PACE_LOGS; i++) {
        world->logs[i].owner = world->logs[i].next_owner = -1;
        bool exists = i < scenario->workers || (i == QUIET_LOG && scenario->has_quiet_tenant);
        world->logs[i].offset = exists ? 0 : -1;
        for (int k = 0; k < PACE_WORKERS; k++)
            world->workers[k].positions[i] = -1;
    }
}

void pace_give(struct pace_world *world, const struct pace_event *event)
{
    struct pace_log *log = &world->logs[event->which];
    int to = log->next_owner >= 0 ? log->next_owner : (log->owner + 1) % world->scenario->workers;
    struct pace_worker *worker = &world->workers[to];
    HOLD(world, worker->engine != NULL);
    engine_time(worker->engine, world->now_ms, WALL_MS + world->now_ms);
    assign(world, worker, event->which);
    worker->wake_ms = world->now_ms + 1;
    pace_add(world, TURN, worker, 1);
}

static void on_release(void *self, struct tenure tenure)
{
    struct pace_port *port = self;
    struct pace_worker *worker = port->worker;
    worker->has[tenure.slot] = false;
    worker->have_moved = true;
    worker->positions[tenure.slot] = -1;
    pace_add(port->world, GIVES, NULL, MOVE_MS)->which = (int)tenure.slot;
    pace_add(port->world, LOOKS, worker, SOON_MS)->which = 1;
}

static void on_membership(void *self, struct buf *ret)
{
    struct pace_port *port = self;
    buf_addf(ret, "member %d", port->worker->index);
}

/* ---- looks ---- */

void pace_look(struct pace_world *world, struct pace_worker *worker, bool is_regular)
{
    for (int i = 0; i < PACE_LOGS; i++) {
        struct pace_log *log = &world->logs[i];
        struct lag_part *part = &worker->parts[i];
        if (log->offset >= 0 && part->life.seen_ms == 0)
            worker->have_moved = true; /* it is seen first */
        part->offset = log->offset;
        part->map = (uint32_t)slice_hash(slice_of(log->map, log->map_len), 0);
        part->end = log->offset < 0 ? -1 : end_of(world, i);
        part->is_mine = worker->has[i];
    }
    struct lag_look look =
        lag_parts_look(worker->parts, PACE_LOGS, worker->have_moved, PATIENCE_MS, world->now_ms);
    worker->have_moved = false;
    if (is_regular)
        pace_add(world, LOOKS, worker, LOOK_MS);
    if (engine_wants_group(worker->engine))
        engine_group_looked(worker->engine, &(struct group_look){.mine_busy = look.mine_busy,
                                                                 .mine_idle = look.mine_idle,
                                                                 .all_busy = look.all_busy,
                                                                 .all_idle = look.all_idle,
                                                                 .mine_done = look.mine_done,
                                                                 .all_done = look.all_done});
}

/* ---- offsets ---- */

static void on_offsets_read(void *self, struct tenure tenure, uint32_t ticket)
{
    struct pace_port *port = self;
    struct pace_event *event = pace_add(port->world, READS, port->worker, READ_MS);
    event->which = (int)tenure.slot;
    event->epoch = tenure.epoch;
    event->ticket = ticket;
}

void pace_read(struct pace_world *world, struct pace_worker *worker, const struct pace_event *event)
{
    const struct pace_log *log = &world->logs[event->which];
    struct tenure tenure = {(uint32_t)event->which, event->epoch};
    struct committed committed = {.offset = log->offset < 0 ? 0 : log->offset,
                                  .leader_epoch = -1,
                                  .metadata = slice_of(log->map, log->map_len)};
    engine_offsets_read(worker->engine, tenure, event->ticket, OK, &committed);
}

static void on_tenure(void *self, struct tenure tenure)
{
    (void)self, (void)tenure;
}

static void on_siblings(void *self, struct tenure tenure, uint32_t ticket)
{
    (void)self, (void)tenure, (void)ticket;
}

static void on_start(void *self, struct tenure tenure, int64_t offset, int32_t leader_epoch)
{
    struct pace_port *port = self;
    (void)leader_epoch;
    port->worker->positions[tenure.slot] = offset < 0 ? 0 : offset;
}

static void on_pause(void *self, struct tenure tenure)
{
    struct pace_port *port = self;
    port->worker->positions[tenure.slot] = -1;
}

static void on_commit(void *self, const struct batch *batch)
{
    struct pace_port *port = self;
    HOLD(port->world, !port->worker->has_batch);
    port->worker->has_batch = true;
    port->worker->batch = *batch;
    pace_add(port->world, COMMITS, port->worker, COMMIT_MS);
}

void pace_commit(struct pace_world *world, struct pace_worker *worker)
{
    const struct batch *batch = &worker->batch;
    for (size_t i = 0; i < batch->offset_count; i++) {
        struct pace_log *log = &world->logs[batch->offsets[i].partition];
        HOLD(world, log->owner == worker->index && batch->offsets[i].offset >= log->offset);
        log->offset = batch->offsets[i].offset;
        log->map_len = batch->offsets[i].metadata.len;
        memcpy(log->map, batch->offsets[i].metadata.ptr, log->map_len);
    }
    struct batch_end end = {.id = batch->id, .outcome = BATCH_COMMITTED, .reason = SLICE("")};
    worker->has_batch = false;
    engine_batch_ended(worker->engine, &end);
}

static void on_look_up(void *self, struct slice topic, uint32_t ticket)
{
    (void)self, (void)topic, (void)ticket;
}

static bool on_chunk(void *self, struct call_ref call, struct output *chunk, bool is_last)
{
    (void)self, (void)call, (void)is_last;
    output_free(chunk);
    return true;
}

void pace_kafka_ports(struct ports *ports)
{
    ports->offsets_read = on_offsets_read;
    ports->siblings_read = on_siblings;
    ports->watermarks_read = on_tenure;
    ports->partition_start = on_start;
    ports->partition_pause = on_pause;
    ports->partition_release = on_release;
    ports->membership = on_membership;
    ports->batch_commit = on_commit;
    ports->topic_look_up = on_look_up;
    ports->chunk_send = on_chunk;
}
