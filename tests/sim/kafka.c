#include "world.h"

#include <string.h>

#include "wire/offset_map.h"

#define TOPIC SLICE("requests")
#define KEYS 3
#define MODELS 3

/* ---- logs ---- */

static struct fake_record *record_of(struct world *world, int log, int64_t offset)
{
    MUST(world, log >= 0 && log < world->log_count && offset >= 0 && offset < RECORDS_MAX);
    return &world->logs[log].records[offset];
}

void kafka_make(struct world *world)
{
    struct random *random = &world->random;
    world->log_count = 1 + (int)random_below(random, LOGS_MAX);
    bool has_gaps = random_below(random, 2) == 0;
    for (int i = 0; i < world->log_count; i++) {
        struct fake_log *log = &world->logs[i];
        log->offset = -1;
        log->owner = -1;
        log->next_owner = -1;
        log->planned = 10 + (int64_t)random_below(random, RECORDS_MAX - 10);
        for (size_t key = 0; key < COUNT_OF(log->last_answer); key++)
            log->last_answer[key] = -1;
        for (int64_t offset = 0; offset < log->planned; offset++) {
            struct fake_record *record = &log->records[offset];
            uint64_t dice = random_below(random, 100);
            record->kind = has_gaps && dice < 20 ? REQUEST_GAP
                           : dice < 24           ? REQUEST_BAD_JSON
                           : dice < 28           ? REQUEST_EXPIRING
                           : dice < 32           ? REQUEST_REFUSED_ANSWER
                                                 : REQUEST_GOOD;
            record->key = (int)random_below(random, KEYS + 1) - 1;
            record->model = (int)random_below(random, MODELS);
            record->stream = random_below(random, 3) == 0;
        }
        struct sim_event *event = world_add(world, EVENT_PRODUCE, NULL, 0);
        event->a = i;
    }
}

void kafka_produce(struct world *world, const struct sim_event *event)
{
    struct fake_log *log = &world->logs[event->a];
    log->end++;
    if (log->end < log->planned) {
        int log_index = event->a;
        struct sim_event *next = world_add(world, EVENT_PRODUCE, NULL, world_delay(world, 800));
        next->a = log_index;
    }
}

bool kafka_all_answered(const struct world *world)
{
    for (int i = 0; i < world->log_count; i++) {
        const struct fake_log *log = &world->logs[i];
        if (log->end < log->planned)
            return false;
        for (int64_t offset = 0; offset < log->planned; offset++)
            if (log->records[offset].kind != REQUEST_GAP && log->records[offset].answers == 0)
                return false;
    }
    return true;
}

static void deliver(struct world *world, struct worker *worker, int log, int64_t offset)
{
    const struct fake_record *fake = record_of(world, log, offset);
    char value[512];
    char key[8];
    const char *ttl = fake->kind == REQUEST_EXPIRING ? ", \"ttl_ms\": 3000" : "";
    int len = snprintf(value, sizeof value,
                       "{\"model\": \"m.%d\", \"messages\": [[\"human\", \"[[id:%d/%lld]] " CANARY
                       "\"]]%s%s}",
                       fake->model, log, (long long)offset, fake->stream ? ", \"stream\": true" : "",
                       ttl);
    if (fake->kind == REQUEST_BAD_JSON)
        len -= 3;
    snprintf(key, sizeof key, "k%d", fake->key);
    struct record record = {
        .topic = TOPIC,
        .partition = log,
        .offset = offset,
        .timestamp_ms = 1795000000000LL + world->now_ms,
        .timestamp_type = TIMESTAMP_CREATE,
        .key = fake->key < 0 ? SLICE_NULL : slice_of_text(key),
        .value = slice_of(value, (size_t)len),
    };
    engine_record(worker->engine, worker->tenures[log], &record);
}

void kafka_pump(struct world *world, struct worker *worker)
{
    for (int i = 0; i < world->log_count; i++) {
        struct fake_log *log = &world->logs[i];
        int64_t *position = &worker->positions[i];
        if (!worker->has_tenure[i] || *position < 0 || worker->is_revoking[i])
            continue;
        int64_t before = *position;
        size_t room = engine_room(worker->engine, worker->tenures[i]);
        while (*position < log->end && room > 0) {
            int64_t offset = (*position)++;
            if (log->records[offset].kind == REQUEST_GAP)
                continue;
            deliver(world, worker, i, offset);
            room = engine_room(worker->engine, worker->tenures[i]);
        }
        while (*position < log->end && log->records[*position].kind == REQUEST_GAP)
            (*position)++;
        if (*position == log->end && *position != before)
            engine_partition_end(worker->engine, worker->tenures[i], *position);
    }
}

/* ---- the group ---- */

/* An owner is gone: calls that the map tells as under way are to be booked by its successor. */
static void note_owner_gone(struct world *world, struct fake_log *log)
{
    static struct offset_open open[4096];
    size_t count = 0;
    int64_t last;
    if (log->offset < 0 || offset_map_read(slice_of(log->metadata, log->metadata_len), log->offset,
                                           open, COUNT_OF(open), &count, &last) != OK)
        return;
    for (size_t i = 0; i < count; i++)
        if (open[i].is_running)
            record_of(world, (int)(log - world->logs), open[i].offset)->is_lost_expected = true;
}

static void give(struct world *world, struct fake_log *log, int to)
{
    log->owner = to;
    log->next_owner = -1;
    world->group_generation++;
    if (to < 0)
        return;
    int log_index = (int)(log - world->logs);
    struct sim_event *event = world_add(world, EVENT_ASSIGN, &world->workers[to], world_delay(world, 50));
    event->a = log_index;
}

static int any_member(struct world *world)
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
    worker->is_member = true;
    worker->knows_it_is_out = false;
    world->group_generation++;
    for (int i = 0; i < world->log_count; i++)
        if (world->logs[i].owner < 0)
            give(world, &world->logs[i], worker->index);
    for (int i = 0; i < LOGS_MAX; i++)
        worker->positions[i] = worker->has_tenure[i] ? worker->positions[i] : -1;
}

void kafka_assign(struct world *world, struct worker *worker, const struct sim_event *event)
{
    if (world->logs[event->a].owner != worker->index || worker->has_tenure[event->a] ||
        !worker->is_member)
        return;
    worker->has_tenure[event->a] = true;
    worker->is_revoking[event->a] = false;
    worker->positions[event->a] = -1;
    worker->tenures[event->a] = (struct tenure){(uint32_t)event->a, ++worker->next_epoch};
    world_note(world, "w%d gets %d", worker->index, event->a);
    engine_partition_assigned(worker->engine, worker->tenures[event->a], TOPIC, event->a);
}

void kafka_move(struct world *world)
{
    int index = (int)random_below(&world->random, (uint64_t)world->log_count);
    struct fake_log *log = &world->logs[index];
    int to = any_member(world);
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
    engine_time(from->engine, world->now_ms, 1795000000000LL + world->now_ms);
    engine_partition_revoked(from->engine, from->tenures[index]);
    world_add(world, EVENT_WAKE, from, 0);
}

/* The group forgets a member; its partitions go to others. A living one hears of it later. */
void kafka_kick(struct world *world, struct worker *worker, bool is_dead)
{
    worker->is_member = false;
    world->group_generation++;
    for (int i = 0; i < world->log_count; i++) {
        struct fake_log *log = &world->logs[i];
        if (log->next_owner == worker->index)
            log->next_owner = -1;
        if (log->owner != worker->index)
            continue;
        note_owner_gone(world, log);
        int to = log->next_owner;
        if (to < 0 || !world->workers[to].is_member || world->workers[to].is_stopping)
            to = any_member(world);
        give(world, log, to);
    }
    /* Whose partitions are gone cannot learn from their offsets any more what became of its last transaction. */
    for (uint64_t i = 0; i < world->usages; i++)
        if (world->usage_ids[i].worker == worker->index && world->usage_ids[i].is_unknown)
            world->usage_ids[i].is_witnessed = false;
    if (is_dead || worker->has_ended)
        return;
    world_note(world, "w%d is put out of the group", worker->index);
    /* Heartbeats tell it, within their interval after it woke. */
    int64_t asleep_ms = worker->stalled_until > world->now_ms ? worker->stalled_until - world->now_ms : 0;
    world_add(world, EVENT_LOST, worker, asleep_ms + (int64_t)random_below(&world->random, HEARTBEAT_MS));
}

void kafka_lost(struct world *world, struct worker *worker)
{
    world_note(world, "w%d learns that it is out", worker->index);
    for (int i = 0; i < world->log_count; i++) {
        if (!worker->has_tenure[i])
            continue;
        engine_partition_lost(worker->engine, worker->tenures[i]);
        worker->has_tenure[i] = false;
        worker->positions[i] = -1;
    }
    if (!worker->is_stopping)
        kafka_join(world, worker);
    else
        worker->knows_it_is_out = true;
}

static void on_release(void *self, struct tenure tenure)
{
    struct port *port = self;
    struct world *world = port->world;
    struct worker *worker = port->worker;
    int index = (int)tenure.slot;
    MUST(world, worker->has_tenure[index] && worker->tenures[index].epoch == tenure.epoch);
    world_note(world, "w%d gives %d back", worker->index, index);
    worker->has_tenure[index] = false;
    worker->positions[index] = -1;
    struct fake_log *log = &world->logs[index];
    if (log->owner != worker->index)
        return;
    note_owner_gone(world, log);
    int to = log->next_owner;
    if (to < 0 || world->workers[to].engine == NULL || !world->workers[to].is_member)
        to = any_member(world);
    give(world, log, to);
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

/* A transaction with offsets of this log is under way somewhere. */
static bool is_pending(const struct world *world, int log)
{
    for (int i = 0; i < world->worker_count; i++) {
        const struct worker *worker = &world->workers[i];
        for (size_t k = 0; worker->engine != NULL && worker->has_batch && k < worker->batch.offset_count; k++)
            if (worker->batch.offsets[k].partition == log)
                return true;
    }
    return false;
}

void kafka_read(struct world *world, struct worker *worker, const struct sim_event *event)
{
    struct tenure tenure = {(uint32_t)event->a, event->c};
    const struct fake_log *log = &world->logs[event->a];
    if (is_pending(world, event->a))
        engine_offsets_read(worker->engine, tenure, event->b, ERR_UNSTABLE, -1, SLICE_NULL);
    else if (world_chance(world, FAULT_READ))
        engine_offsets_read(worker->engine, tenure, event->b, ERR_IO, -1, SLICE_NULL);
    else
        engine_offsets_read(worker->engine, tenure, event->b, OK, log->offset,
                            slice_of(log->metadata, log->metadata_len));
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
    engine_watermarks_read(worker->engine, (struct tenure){(uint32_t)event->a, event->c}, OK, 0,
                           world->logs[event->a].end);
}

static void on_start(void *self, struct tenure tenure, int64_t offset)
{
    struct port *port = self;
    MUST(port->world, port->worker->tenures[tenure.slot].epoch == tenure.epoch);
    port->worker->positions[tenure.slot] = offset < 0 ? 0 : offset;
    memset(port->worker->tried[tenure.slot], 0, sizeof port->worker->tried[tenure.slot]);
    world_add(port->world, EVENT_WAKE, port->worker, 0);
}

/* ---- transactions ---- */

static void on_commit(void *self, const struct batch *batch)
{
    struct port *port = self;
    struct worker *worker = port->worker;
    MUST(port->world, !worker->has_batch);
    worker->has_batch = true;
    worker->batch = *batch;
    worker->batch_generation = worker->generation;
    world_add(port->world, EVENT_BATCH, worker, 1 + world_delay(port->world, 10));
}

/* Where a record says it comes from: `marker` then "topic":"requests","partition":L,"offset":O. */
static struct fake_record *source_of(struct world *world, const char *value, const char *marker,
                                     int *ret_log, int64_t *ret_offset)
{
    const char *at = strstr(value, marker);
    MUST(world, at != NULL);
    long long offset;
    MUST(world, sscanf(at + strlen(marker), "\"topic\":\"requests\",\"partition\":%d,\"offset\":%lld",
                       ret_log, &offset) == 2);
    *ret_offset = offset;
    return record_of(world, *ret_log, offset);
}

static void response_out(struct world *world, const char *value)
{
    int log;
    int64_t offset;
    struct fake_record *record = source_of(world, value, "\"request\":{", &log, &offset);
    MUST(world, record->answers == 0); /* never twice */
    record->answers++;
    world->responses++;
    bool is_free = strstr(value, "\"abandoned\"") != NULL || record->kind == REQUEST_BAD_JSON ||
                   record->kind == REQUEST_EXPIRING || world->config.ordering == ORDERING_NONE ||
                   (world->config.ordering == ORDERING_KEY && record->key < 0);
    if (is_free)
        return;
    int64_t *last = &world->logs[log].last_answer[world->config.ordering == ORDERING_KEY ? record->key : 0];
    MUST(world, *last < offset); /* in the order of its key */
    *last = offset;
}

static void usage_out(struct world *world, const char *value, bool is_witnessed)
{
    int log;
    int64_t offset;
    struct fake_record *record = source_of(world, value, "\"source\":{", &log, &offset);
    const char *id = strstr(value, "\"id\":\"");
    MUST(world, id != NULL);
    if (world->usages == world->usage_room) {
        world->usage_room = world->usage_room == 0 ? 256 : world->usage_room * 2;
        world->usage_ids = realloc(world->usage_ids, world->usage_room * sizeof *world->usage_ids);
        if (world->usage_ids == NULL)
            abort();
    }
    /* One call counts once. (A worker that lost its partitions has nobody to ask what became of a transaction of unknown
     * outcome: it publishes again under the same name.) */
    for (uint64_t i = 0; i < world->usages; i++)
        MUST(world, !world->usage_ids[i].is_witnessed ||
                        memcmp(world->usage_ids[i].id.text, id + 6, UUID_TEXT_LEN) != 0);
    world->usage_ids[world->usages].is_witnessed = is_witnessed;
    world->usage_ids[world->usages].worker = -1;
    world->usage_ids[world->usages].is_unknown = false;
    memcpy(world->usage_ids[world->usages++].id.text, id + 6, UUID_TEXT_LEN);
    if (strstr(value, "\"worker_lost\"") == NULL)
        return;
    MUST(world, record->is_lost_expected);
    record->is_lost_expected = false;
    world->lost_usages++;
}

static void check_map(struct world *world, const struct fake_log *log)
{
    static struct offset_open open[4096];
    size_t count;
    int64_t last;
    MUST(world, offset_map_read(slice_of(log->metadata, log->metadata_len), log->offset, open,
                                COUNT_OF(open), &count, &last) == OK);
    MUST(world, log->metadata_len <= world->config.offset_map_bytes_max);
    size_t next = 0;
    for (int64_t offset = 0; offset < log->end; offset++) {
        while (next < count && open[next].offset < offset)
            next++;
        bool is_open = next < count && open[next].offset == offset;
        bool is_done = offset < log->offset || (offset <= last && !is_open);
        if (log->records[offset].kind != REQUEST_GAP)
            MUST(world, is_done == (log->records[offset].answers > 0)); /* the map is the truth */
    }
}

static void apply(struct world *world, const struct batch *batch)
{
    char *value = NULL;
    for (size_t i = 0; i < batch->output_count; i++) {
        const struct output *output = batch->outputs[i];
        value = realloc(value, output->value.len + 1);
        if (value == NULL)
            abort();
        memcpy(value, output->value.ptr, output->value.len);
        value[output->value.len] = '\0';
        if (output->kind == OUTPUT_RESPONSE)
            response_out(world, value);
        else if (output->kind == OUTPUT_USAGE)
            usage_out(world, value, batch->offset_count > 0);
    }
    free(value);
    for (size_t i = 0; i < batch->offset_count; i++) {
        const struct batch_offset *offset = &batch->offsets[i];
        struct fake_log *log = &world->logs[offset->partition];
        MUST(world, offset->offset >= log->offset && offset->offset <= log->end);
        log->offset = offset->offset;
        memcpy(log->metadata, offset->metadata.ptr, offset->metadata.len);
        log->metadata_len = offset->metadata.len;
    }
    for (size_t i = 0; i < batch->offset_count; i++)
        check_map(world, &world->logs[batch->offsets[i].partition]);
}

/* The first output that this broker never takes: answers of some requests are too large for it. */
static bool find_refused(struct world *world, const struct batch *batch, size_t *ret_blame)
{
    for (size_t i = 0; i < batch->output_count; i++) {
        const struct output *output = batch->outputs[i];
        if (output->kind != OUTPUT_RESPONSE)
            continue;
        struct buf text;
        buf_init(&text, 1 << 20);
        buf_add(&text, output->value);
        int log;
        int64_t offset;
        bool is_refused = source_of(world, buf_text(&text), "\"request\":{", &log, &offset)->kind ==
                              REQUEST_REFUSED_ANSWER &&
                          strstr(buf_text(&text), "\"status\":\"ok\"") != NULL;
        buf_done(&text);
        *ret_blame = i;
        if (is_refused)
            return true;
    }
    return false;
}

static void decide(struct world *world, struct worker *worker, struct batch_end *ret_end)
{
    const struct batch *batch = &worker->batch;
    if (find_refused(world, batch, &ret_end->blame)) {
        ret_end->outcome = BATCH_REFUSED;
        ret_end->blame_err = ERR_TOO_LARGE;
        return;
    }
    if (batch->offset_count > 0 && !worker->is_member) {
        ret_end->outcome = BATCH_MEMBER_GONE;
    } else if (batch->offset_count > 0 && worker->batch_generation != world->group_generation) {
        ret_end->outcome = BATCH_GENERATION;
    } else if (world_chance(world, FAULT_ABORT)) {
        ret_end->outcome = BATCH_ABORTED;
        ret_end->was_time = random_below(&world->random, 2) == 0;
    } else if (world_chance(world, FAULT_UNKNOWN_NOT)) {
        ret_end->outcome = BATCH_UNKNOWN;
    } else {
        uint64_t first = world->usages;
        apply(world, batch);
        ret_end->outcome = world_chance(world, FAULT_UNKNOWN_MADE) ? BATCH_UNKNOWN : BATCH_COMMITTED;
        for (uint64_t i = first; i < world->usages; i++) {
            world->usage_ids[i].worker = worker->index;
            world->usage_ids[i].is_unknown = ret_end->outcome == BATCH_UNKNOWN;
        }
    }
}

void kafka_batch(struct world *world, struct worker *worker)
{
    struct batch_end end = {.id = worker->batch.id, .reason = SLICE("simulated")};
    worker->has_batch = false;
    decide(world, worker, &end);
    world_note(world, "w%d batch %llu: outcome %d", worker->index, (unsigned long long)end.id,
               (int)end.outcome);
    engine_batch_ended(worker->engine, &end);
}

static void on_topic_look_up(void *self, struct slice topic, uint32_t ticket)
{
    (void)topic;
    struct port *port = self;
    struct sim_event *event = world_add(port->world, EVENT_TOPIC, port->worker, 3);
    event->b = ticket;
}

static void on_chunk(void *self, struct call_ref call, struct output *chunk)
{
    (void)self;
    (void)call;
    output_free(chunk);
}

void kafka_ports(struct ports *ports)
{
    ports->offsets_read = on_offsets_read;
    ports->watermarks_read = on_watermarks_read;
    ports->partition_start = on_start;
    ports->partition_release = on_release;
    ports->membership = on_membership;
    ports->batch_commit = on_commit;
    ports->topic_look_up = on_topic_look_up;
    ports->chunk_send = on_chunk;
}

/* All is said, nothing is open, and whoever died is in the books. */
void kafka_check_end(struct world *world)
{
    MUST(world, kafka_all_answered(world));
    for (int i = 0; i < world->log_count; i++) {
        const struct fake_log *log = &world->logs[i];
        static struct offset_open open[4096];
        size_t count = 0;
        int64_t last;
        MUST(world, log->offset == log->end);
        MUST(world, offset_map_read(slice_of(log->metadata, log->metadata_len), log->offset, open,
                                    COUNT_OF(open), &count, &last) == OK);
        MUST(world, count == 0);
        for (int64_t offset = 0; offset < log->end; offset++)
            MUST(world, !log->records[offset].is_lost_expected);
    }
}
