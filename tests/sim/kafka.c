#include "world.h"

#include <string.h>

#include "wire/formats/offset_map.h"

#define ANEW_AGAIN_MS 500

/* ---- logs ---- */

struct fake_record *kafka_record(struct world *world, int log, int64_t offset)
{
    MUST(world, log >= 0 && log < world->log_count && offset >= 0 && offset < RECORDS_MAX);
    return &world->logs[log].records[offset];
}

/* Whether every worker has noticed that the topic was recreated. (A worker that has not cannot tell
 * its requests from the old ones.) */
static bool is_recreation_noticed(const struct world *world, int index)
{
    const struct fake_log *log = &world->logs[index];
    for (int i = 0; i < world->worker_count; i++)
        if (world->workers[i].has_tenure[index] && world->workers[i].positions[index] > log->end)
            return false;
    return log->offset <= log->end;
}

void kafka_produce(struct world *world, const struct sim_event *event)
{
    int index = event->a;
    struct fake_log *log = &world->logs[index];
    if (log->is_recreated && !is_recreation_noticed(world, index)) {
        world_add(world, EVENT_PRODUCE, NULL, ANEW_AGAIN_MS)->a = index;
        return;
    }
    log->is_recreated = false;
    log->end++;
    int64_t typical_ms = world->pin == PIN_NONE || world->pin == PIN_CUTS ? 800 : 300;
    if (log->end < log->planned)
        world_add(world, EVENT_PRODUCE, NULL, world_delay(world, typical_ms))->a = index;
}

static bool is_settled(const struct fake_record *record)
{
    return record->kind == REQUEST_GAP || record->is_gone || record->answers > 0;
}

static bool is_log_answered(const struct fake_log *log)
{
    if (log->end < log->planned)
        return false;
    for (int64_t offset = 0; offset < log->planned; offset++)
        if (!is_settled(&log->records[offset]))
            return false;
    return true;
}

/* In a pinned world: all requests for other models than the slow one are answered. */
void kafka_check_pinned(struct world *world)
{
    for (int i = 0; i < world->log_count; i++)
        for (int64_t offset = 0; offset < world->logs[i].planned; offset++) {
            const struct fake_record *record = kafka_record(world, i, offset);
            MUST(world, record->model == 0 || record->answers > 0);
        }
}

bool kafka_all_answered(const struct world *world)
{
    for (int i = 0; i < world->log_count; i++)
        if (!is_log_answered(&world->logs[i]))
            return false;
    return true;
}

/* Retention deletes the oldest records, answered or not. */
void kafka_truncate(struct world *world)
{
    int index = (int)random_below(&world->random, (uint64_t)world->log_count);
    struct fake_log *log = &world->logs[index];
    if (log->end == 0 || log->is_recreated)
        return;
    int64_t low =
        log->low + (int64_t)random_below(&world->random, (uint64_t)(log->end - log->low) + 1);
    for (int64_t offset = log->low; offset < low; offset++) {
        struct fake_record *record = &log->records[offset];
        record->is_gone = record->is_gone || !record->is_done;
    }
    log->low = low;
    world->truncations++;
    world_note(world, "log %d now begins at %lld", index, (long long)low);
}

bool kafka_is_quiet(const struct world *world, int index)
{
    const struct fake_log *log = &world->logs[index];
    if (log->is_recreated || log->is_cut || log->offset != log->end || !is_log_answered(log) ||
        !audit_is_quiet(world, index))
        return false;
    for (int i = 0; i < world->worker_count; i++) {
        const struct worker *worker = &world->workers[i];
        struct engine_stats stats = {0};
        if (worker->engine != NULL)
            engine_stats(worker->engine, &stats);
        if (stats.held > 0 || worker->has_batch || worker->kept[index].is_set ||
            worker->stalled_until > world->now_ms)
            return false;
    }
    return true;
}

/* The topic is deleted and recreated while no call of it is running. */
void kafka_recreate(struct world *world)
{
    int index = (int)random_below(&world->random, (uint64_t)world->log_count);
    struct fake_log *log = &world->logs[index];
    if (!kafka_is_quiet(world, index))
        return;
    audit_check_log(world, index);
    kafka_make_records(world, log, 1 + (int64_t)random_below(&world->random, RECORDS_MAX));
    log->is_recreated = true;
    log->is_cut = false;
    log->epoch = 0;
    log->id++;
    if (random_below(&world->random, 2) == 0) { /* Kafka deletes its offsets later */
        log->offset = -1;
        log->metadata_len = 0;
        log->committer = -1;
    }
    for (int i = 0; i < world->worker_count; i++)
        memset(world->workers[i].tried[index], 0, sizeof world->workers[i].tried[index]);
    world->recreations++;
    world_note(world, "log %d is made anew", index);
    world_add(world, EVENT_PRODUCE, NULL, ANEW_AGAIN_MS)->a = index;
}

static void deliver(struct world *world, struct worker *worker, int log, int64_t offset)
{
    static const char *const REPLIES[] = {
        [REPLY_NONE] = "",
        [REPLY_GOOD] = ", \"reply_to\": \"reply.good\"",
        [REPLY_MISSING] = ", \"reply_to\": \"reply.missing\"",
        [REPLY_FORBIDDEN] = ", \"reply_to\": \"orders\"",
        [REPLY_VANISHED] = ", \"reply_to\": \"reply.vanished\"",
    };
    struct fake_record *fake = kafka_record(world, log, offset);
    if (fake->timestamp_ms == 0)
        fake->timestamp_ms = WALL_AT_START + world->now_ms;
    char value[640], turn[64], key[8];
    turns_add_members(world, log, offset, turn, sizeof turn);
    int len =
        snprintf(value, sizeof value,
                 "{\"model\": \"m.%d\", \"messages\": [[\"human\", \"[[id:%d/%lld]] " CANARY
                 "\"]]%s%s%s%s%s%s}",
                 fake->model, log, (long long)offset, fake->stream ? ", \"stream\": true" : "",
                 fake->kind == REQUEST_EXPIRING ? ", \"ttl_ms\": 3000" : "",
                 fake->wants_json ? WANTS_JSON : "",
                 fake->is_count ? ", \"count_tokens\": true" : "", REPLIES[fake->reply], turn);
    if (fake->kind == REQUEST_BAD_JSON)
        len -= 3;
    (void)snprintf(key, sizeof key, "k%d", fake->key);
    struct record record = {
        .topic = TOPIC,
        .partition = log,
        .offset = offset,
        .leader_epoch = fake->epoch,
        .timestamp_ms = fake->timestamp_ms,
        .timestamp_type = TIMESTAMP_CREATE,
        .key = fake->key < 0 ? SLICE_NULL : slice_of_text(key),
        .value = slice_of(value, (size_t)len),
    };
    worker->epochs[log] = fake->epoch;
    worker->accounts[log][offset].has_come = true;
    engine_record(worker->engine, worker->tenures[log], &record);
}

static void skip_gaps(const struct fake_log *log, int64_t *position, int32_t *epoch)
{
    while (*position < log->end && log->records[*position].kind == REQUEST_GAP)
        *epoch = log->records[(*position)++].epoch;
}

static void pump_log(struct world *world, struct worker *worker, int index)
{
    const struct fake_log *log = &world->logs[index];
    int64_t *position = &worker->positions[index];
    struct tenure tenure = worker->tenures[index];
    int64_t cut = kafka_cut_below(log, *position, worker->epochs[index]);
    if (*position < log->low || *position > log->end || cut >= 0) {
        if (worker->is_out_of_range[index])
            return;
        worker->is_out_of_range[index] = true; /* until the engine starts it again */
        engine_partition_out_of_range(worker->engine, tenure, cut >= 0 ? cut : OUT_OF_RANGE);
        return;
    }
    skip_gaps(log, position, &worker->epochs[index]);
    while (*position >= 0 && *position < log->end && engine_room(worker->engine, tenure) > 0) {
        deliver(world, worker, index, (*position)++);
        skip_gaps(log, position, &worker->epochs[index]);
    }
    if (*position == log->end)
        engine_partition_empty(worker->engine, tenure);
    if (*position == log->end && *position != worker->heard_ends[index])
        engine_partition_end(worker->engine, tenure, *position);
    worker->heard_ends[index] = *position;
}

void kafka_pump(struct world *world, struct worker *worker)
{
    if (kafka_is_away(world))
        return;
    for (int i = 0; i < world->log_count; i++)
        if (worker->has_tenure[i] && worker->positions[i] >= 0 && !worker->is_revoking[i])
            pump_log(world, worker, i);
}

/* ---- the group ---- */

/* Whether the worker that called this request last may still have its call or answer: it keeps what
 * a lost partition had. */
static bool is_held(const struct world *world, const struct fake_record *record)
{
    const struct worker *holder = &world->workers[record->holder];
    return world->config.keep_lost_ms > 0 && world->config.exactly_once && holder->engine != NULL &&
           !holder->is_stopping && (int)holder->incarnation == record->holder_life;
}

/* The results of this log's calls are lost, or do not help its next owner (-1 = unknown yet), which
 * may call again. */
static void may_call_again(const struct world *world, struct fake_log *log, int owner)
{
    for (int64_t offset = 0; offset < log->planned; offset++) {
        struct fake_record *record = &log->records[offset];
        if (!is_held(world, record) || (owner >= 0 && owner != record->holder))
            record->may_call = true;
    }
}

void kafka_dropped(struct world *world, const struct worker *worker, int log, int64_t offset)
{
    struct fake_record *record = kafka_record(world, log, offset);
    if (record->holder == worker->index)
        record->may_call = true;
    memset(&world->workers[worker->index].tried[log][offset], 0, sizeof worker->tried[log][offset]);
}

/* An owner is gone: its successor must record the calls that the map has as running. */
static void note_owner_gone(struct world *world, struct fake_log *log)
{
    static struct offset_open open[4096];
    size_t count = 0;
    int64_t last;
    if (log->offset < 0 || log->is_recreated ||
        offset_map_read(slice_of(log->metadata, log->metadata_len), log->offset, open,
                        COUNT_OF(open), &count, &last) != OK)
        return;
    for (size_t i = 0; i < count; i++) {
        struct fake_record *record = kafka_record(world, (int)(log - world->logs), open[i].offset);
        if (open[i].is_under_way && !record->is_gone && record->kind != REQUEST_GAP)
            audit_call_lost(world, record, (int)(log - world->logs), open[i].offset);
    }
}

void kafka_give(struct world *world, struct fake_log *log, int to)
{
    log->owner = to;
    log->next_owner = -1;
    world->group_generation++;
    if (kafka_is_away(world))
        log->owner = -1;
    if (log->owner < 0)
        return;
    int index = (int)(log - world->logs);
    world_add(world, EVENT_ASSIGN, &world->workers[to], world_delay(world, 50))->a = index;
}

int kafka_any_member(struct world *world)
{
    int start = (int)random_below(&world->random, (uint64_t)world->worker_count);
    for (int i = 0; i < world->worker_count; i++) {
        int index = (start + i) % world->worker_count;
        const struct worker *worker = &world->workers[index];
        if (worker->engine != NULL && worker->is_member && !worker->is_stopping)
            return index;
    }
    return -1;
}

void kafka_join(struct world *world, struct worker *worker)
{
    worker->knows_it_is_out = true;
    if (kafka_is_away(world))
        return;
    worker->is_member = true;
    worker->knows_it_is_out = false;
    world->group_generation++;
    for (int i = 0; i < world->log_count; i++)
        if (world->logs[i].owner < 0)
            kafka_give(world, &world->logs[i], worker->index);
    for (int i = 0; i < LOGS_MAX; i++)
        worker->positions[i] = worker->has_tenure[i] ? worker->positions[i] : -1;
}

void kafka_assign(struct world *world, struct worker *worker, const struct sim_event *event)
{
    int index = event->a;
    if (kafka_is_away(world)) {
        world_add(world, EVENT_ASSIGN, worker, world->outage_until - world->now_ms)->a = index;
        return;
    }
    if (world->logs[index].owner != worker->index || worker->has_tenure[index] ||
        !worker->is_member || worker->knows_it_is_out)
        return;
    worker->has_tenure[index] = true;
    worker->is_revoking[index] = worker->is_revoke_hurt[index] = false;
    worker->positions[index] = -1;
    for (int64_t offset = 0; offset < RECORDS_MAX; offset++)
        if (worker->accounts[index][offset].open == 0) /* else its call may be adopted */
            memset(&worker->tried[index][offset], 0, sizeof worker->tried[index][offset]);
    worker->tenures[index] = (struct tenure){(uint32_t)index, ++worker->next_epoch};
    world_note(world, "w%d gets %d", worker->index, index);
    may_call_again(world, &world->logs[index], worker->index);
    engine_partition_assigned(worker->engine, worker->tenures[index], TOPIC, index);
}

void kafka_move(struct world *world)
{
    int index = (int)random_below(&world->random, (uint64_t)world->log_count);
    struct fake_log *log = &world->logs[index];
    int to = kafka_any_member(world);
    if (log->owner < 0 || to < 0 || to == log->owner || log->next_owner >= 0)
        return;
    struct worker *from = &world->workers[log->owner];
    if (from->engine == NULL || !from->has_tenure[index] || from->stalled_until > world->now_ms ||
        from->is_stopping)
        return;
    world_note(world, "w%d has to give %d to w%d", from->index, index, to);
    world->group_generation++;
    log->next_owner = to;
    from->is_revoking[index] = true;
    from->revoked_ms[index] = world->now_ms;
    engine_time(from->engine, world->now_ms, WALL_AT_START + world->now_ms);
    engine_partition_revoked(from->engine, from->tenures[index]);
    world_add(world, EVENT_WAKE, from, 0);
}

/* The group removes a member and assigns its partitions to others. A live one learns of it
 * later. */
void kafka_kick(struct world *world, struct worker *worker, bool is_dead)
{
    bool has_done = worker->has_ended && worker->exit_code == 0 && worker->is_member;
    worker->is_member = false;
    world->group_generation++;
    world->is_shaken = world->is_shaken || !has_done;
    for (int i = 0; i < world->log_count; i++) {
        struct fake_log *log = &world->logs[i];
        if (log->next_owner == worker->index)
            log->next_owner = -1;
        if (!has_done && worker->has_tenure[i])
            may_call_again(world, log, -1);
        if (log->owner != worker->index)
            continue;
        note_owner_gone(world, log);
        if (has_done)
            MUST(world, !audit_is_open(worker, i));
        int to = log->next_owner;
        if (to < 0 || !world->workers[to].is_member || world->workers[to].is_stopping)
            to = kafka_any_member(world);
        kafka_give(world, log, to);
    }
    /* A worker without its partitions cannot learn from their offsets the outcome of its last
     * transaction. */
    for (uint64_t i = 0; i < world->usages; i++)
        if (world->usage_ids[i].worker == worker->index && world->usage_ids[i].is_unknown)
            world->usage_ids[i].is_witnessed = false;
    if (is_dead || worker->has_ended)
        return;
    world_note(world, "w%d is put out of the group", worker->index);
    audit_removed(world, worker);
    /* Its first heartbeat after it woke tells it. */
    int64_t asleep_ms =
        worker->stalled_until > world->now_ms ? worker->stalled_until - world->now_ms : 0;
    int64_t lost_ms = asleep_ms + (int64_t)random_below(&world->random, HEARTBEAT_MS);
    /* Without brokers its own client ends the session, and before they can be back. */
    if (kafka_is_away(world) && asleep_ms <= SESSION_MS)
        lost_ms = SESSION_MS;
    world_add(world, EVENT_LOST, worker, lost_ms);
}

void kafka_lost(struct world *world, struct worker *worker)
{
    world_note(world, "w%d learns that it is out", worker->index);
    for (int i = 0; i < world->log_count; i++) {
        if (!worker->has_tenure[i])
            continue;
        engine_partition_lost(worker->engine, worker->tenures[i]);
        audit_tenure_over(world, worker, i);
        may_call_again(world, &world->logs[i], -1);
        worker->has_tenure[i] = false;
        worker->kept[i].is_set = false;
        worker->positions[i] = -1;
    }
    if (!worker->is_stopping)
        kafka_join(world, worker);
    else
        worker->knows_it_is_out = true;
}

/* A partition is released with every ended call committed and none running. */
static void check_release(struct world *world, struct worker *worker, int index)
{
    bool is_late = world->now_ms - worker->revoked_ms[index] >= world->config.drain_timeout_ms;
    if (is_late || worker->is_revoke_hurt[index] || !worker->is_revoking[index]) {
        may_call_again(world, &world->logs[index], -1);
        world->is_shaken = true;
        return;
    }
    MUST(world, !audit_is_open(worker, index));
}

static void on_release(void *self, struct tenure tenure)
{
    struct port *port = self;
    struct world *world = port->world;
    struct worker *worker = port->worker;
    int index = (int)tenure.slot;
    MUST(world, worker->has_tenure[index] && worker->tenures[index].epoch == tenure.epoch);
    world_note(world, "w%d gives %d back", worker->index, index);
    broker_commit_kept(world, worker);
    worker->kept[index].is_set = false;
    check_release(world, worker, index);
    audit_tenure_over(world, worker, index);
    worker->has_tenure[index] = false;
    worker->positions[index] = -1;
    struct fake_log *log = &world->logs[index];
    if (log->owner != worker->index)
        return;
    note_owner_gone(world, log);
    int to = log->next_owner;
    if (to < 0 || world->workers[to].engine == NULL || !world->workers[to].is_member)
        to = kafka_any_member(world);
    kafka_give(world, log, to);
}

static void on_membership(void *self, struct buf *ret)
{
    struct port *port = self;
    if (port->worker->knows_it_is_out)
        return;
    if (port->worker->is_member)
        port->worker->generation = port->world->group_generation;
    buf_addf(ret, "CGMDv2:%u,member %d of life %u", port->worker->generation, port->worker->index,
             port->worker->incarnation);
}

/* ---- offsets ---- */

static void on_offsets_read(void *self, struct tenure tenure, uint32_t ticket)
{
    struct port *port = self;
    struct sim_event *event =
        world_add(port->world, EVENT_READ, port->worker, world_delay(port->world, 20));
    event->a = (int)tenure.slot;
    event->b = ticket;
    event->c = tenure.epoch;
}

/* Some worker has an open transaction with offsets of this log. */
static bool is_pending(const struct world *world, int log)
{
    for (int i = 0; world->config.exactly_once && i < world->worker_count; i++) {
        const struct worker *worker = &world->workers[i];
        for (size_t k = 0;
             worker->engine != NULL && worker->has_batch && k < worker->batch.offset_count; k++)
            if (worker->batch.offsets[k].partition == log)
                return true;
    }
    return false;
}

void kafka_read(struct world *world, struct worker *worker, const struct sim_event *event)
{
    struct tenure tenure = {(uint32_t)event->a, event->c};
    const struct fake_log *log = &world->logs[event->a];
    char id[16] = {'t', (char)log->id, (char)event->a};
    broker_commit_kept(world, worker);
    struct committed committed = {
        .offset = log->offset,
        .leader_epoch = log->offset < 0 ? -1 : log->committed_epoch,
        .metadata = slice_of(log->metadata, log->metadata_len),
        .topic_id = slice_of(id, sizeof id),
    };
    if (kafka_is_away(world))
        engine_offsets_read(worker->engine, tenure, event->b, ERR_IO, NULL);
    else if (is_pending(world, event->a))
        engine_offsets_read(worker->engine, tenure, event->b, ERR_UNSTABLE, NULL);
    else if (world_chance(world, FAULT_READ) || worker->kept[event->a].is_set)
        engine_offsets_read(worker->engine, tenure, event->b, ERR_IO, NULL);
    else
        engine_offsets_read(worker->engine, tenure, event->b, OK, &committed);
}

static void on_siblings_read(void *self, struct tenure tenure, uint32_t ticket)
{
    struct port *port = self;
    struct sim_event *event =
        world_add(port->world, EVENT_SIBLINGS, port->worker, world_delay(port->world, 20));
    event->a = (int)tenure.slot;
    event->b = ticket;
    event->c = tenure.epoch;
}

void kafka_siblings(struct world *world, struct worker *worker, const struct sim_event *event)
{
    struct tenure tenure = {(uint32_t)event->a, event->c};
    struct committed maps[LOGS_MAX];
    size_t count = 0;
    for (int i = 0; i < world->log_count; i++)
        if (i != event->a && world->logs[i].offset >= 0)
            maps[count++] = (struct committed){
                .offset = world->logs[i].offset,
                .metadata = slice_of(world->logs[i].metadata, world->logs[i].metadata_len)};
    enum err err = world_chance(world, FAULT_READ) ? ERR_IO : OK;
    engine_siblings_read(worker->engine, tenure, event->b, err, maps, count);
}

static void on_watermarks_read(void *self, struct tenure tenure)
{
    struct port *port = self;
    struct sim_event *event = world_add(port->world, EVENT_WATERMARKS, port->worker, 5);
    event->a = (int)tenure.slot;
    event->c = tenure.epoch;
}

void kafka_watermarks(struct world *world, struct worker *worker, const struct sim_event *event)
{
    struct tenure tenure = {(uint32_t)event->a, event->c};
    const struct fake_log *log = &world->logs[event->a];
    enum err err = world_chance(world, FAULT_READ) || kafka_is_away(world) ? ERR_IO : OK;
    engine_watermarks_read(worker->engine, tenure, err, log->low, log->end);
}

static void on_start(void *self, struct tenure tenure, int64_t offset, int32_t leader_epoch)
{
    struct port *port = self;
    struct worker *worker = port->worker;
    MUST(port->world, worker->tenures[tenure.slot].epoch == tenure.epoch);
    MUST(port->world, offset >= 0 || offset == -2);
    worker->positions[tenure.slot] = offset < 0 ? port->world->logs[tenure.slot].low : offset;
    worker->epochs[tenure.slot] = leader_epoch;
    worker->is_out_of_range[tenure.slot] = false;
    worker->heard_ends[tenure.slot] = -1;
    /* Those from here on come again. */
    for (int64_t next = worker->positions[tenure.slot]; next < RECORDS_MAX; next++)
        worker->accounts[tenure.slot][next].has_come = false;
    world_add(port->world, EVENT_WAKE, worker, 0);
}

static void on_pause(void *self, struct tenure tenure)
{
    struct port *port = self;
    MUST(port->world, port->worker->tenures[tenure.slot].epoch == tenure.epoch);
    port->worker->positions[tenure.slot] = -1;
}

static void on_topic_look_up(void *self, struct slice topic, uint32_t ticket)
{
    struct port *port = self;
    bool is_known = slice_equal_text(topic, "chunks") || slice_equal_text(topic, "reply.good") ||
                    slice_equal_text(topic, "reply.vanished");
    MUST(port->world, is_known || slice_equal_text(topic, "reply.missing"));
    struct sim_event *event =
        world_add(port->world, EVENT_TOPIC, port->worker, 3 + world_delay(port->world, 20));
    event->a = is_known;
    event->b = ticket;
}

void kafka_topic(struct world *world, struct worker *worker, const struct sim_event *event)
{
    bool is_unknown = world_chance(world, FAULT_LOOK_UP) || kafka_is_away(world);
    enum err err = is_unknown ? ERR_IO : event->a ? OK : ERR_NOT_FOUND;
    engine_topic_found(worker->engine, event->b, err, err == OK ? 4 : 0);
}

void kafka_ports(struct ports *ports)
{
    ports->offsets_read = on_offsets_read;
    ports->siblings_read = on_siblings_read;
    ports->watermarks_read = on_watermarks_read;
    ports->partition_start = on_start;
    ports->partition_pause = on_pause;
    ports->partition_release = on_release;
    ports->membership = on_membership;
    ports->topic_look_up = on_topic_look_up;
}
