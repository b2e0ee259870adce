#include "world.h"

#include <string.h>

#include "wire/formats/offset_map.h"

/* ---- what read_committed readers get ---- */

struct fake_record *broker_source(struct world *world, const char *value, const char *marker,
                                  int *ret_log, int64_t *ret_offset)
{
    const char *at = strstr(value, marker);
    MUST(world, at != NULL);
    long long offset;
    MUST(world,
         sscanf(at + strlen(marker), "\"topic\":\"requests\",\"partition\":%d,\"offset\":%lld",
                ret_log, &offset) == 2);
    *ret_offset = offset;
    return kafka_record(world, *ret_log, offset);
}

/* The answer is in the topic that the request named, or says why not. */
static void check_reply(struct world *world, const struct fake_record *record,
                        const struct output *output, const char *value)
{
    bool is_own = record->reply == REPLY_GOOD && record->kind != REQUEST_BAD_JSON;
    MUST(world, slice_equal_text(output->topic, is_own ? "reply.good" : "responses"));
    if (record->reply == REPLY_NONE || is_own || record->kind == REQUEST_BAD_JSON)
        return;
    bool was_abandoned = record->reply != REPLY_VANISHED && strstr(value, "\"abandoned\"") != NULL;
    MUST(world, was_abandoned || strstr(value, "\"reply_topic_refused\"") != NULL);
}

/* Under at_least_once nothing stops the producer of a worker that has lost the partition, unknown
 * to it. Its answer is the first one, behind later ones of another worker, where the log had lost
 * the request before that one could answer it in its turn. */
static bool is_late(const struct world *world, const struct worker *worker,
                    const struct fake_record *record, int log, const struct last_answer *last)
{
    return !world->config.exactly_once && record->is_gone &&
           world->logs[log].owner != worker->index && last->worker != worker->index;
}

static void check_order(struct world *world, const struct worker *worker,
                        const struct fake_record *record, const char *value, int log,
                        int64_t offset)
{
    bool is_free = strstr(value, "\"abandoned\"") != NULL || record->kind == REQUEST_BAD_JSON ||
                   record->kind == REQUEST_EXPIRING ||
                   strstr(value, "\"reply_topic_refused\"") != NULL || record->answers > 1 ||
                   world->config.ordering == ORDERING_NONE ||
                   (world->config.ordering == ORDERING_KEY && record->key < 0);
    if (is_free)
        return;
    struct last_answer *last =
        &world->logs[log].last_answers[world->config.ordering == ORDERING_KEY ? record->key : 0];
    if (is_late(world, worker, record, log, last))
        return;
    MUST(world, last->offset < offset);
    *last = (struct last_answer){offset, worker->index};
}

static void response_out(struct world *world, const struct worker *worker,
                         const struct output *output, const char *value)
{
    int log;
    int64_t offset;
    struct fake_record *record = broker_source(world, value, "\"request\":{", &log, &offset);
    MUST(world, record->answers == 0 || (!world->config.exactly_once && world->is_shaken));
    record->answers++;
    world->responses++;
    if (world->is_loud)
        printf("            w%d answers %d/%lld of key %d: %.30s\n", worker->index, log,
               (long long)offset, record->key, strstr(value, "\"status\":"));
    check_reply(world, record, output, value);
    check_order(world, worker, record, value, log, offset);
    /* No usage record shows each death during a call that only counts. */
    if (strstr(value, "\"abandoned\"") == NULL || record->is_count)
        return;
    /* Under at_least_once no cut is audited that would have added them to the deaths. */
    int spent = world->config.exactly_once ? 0 : audit_count_spent(world, worker, log, offset);
    int begun = record->deaths + record->is_lost_expected + spent;
    MUST(world, begun >= (int)world->config.max_begun);
}

/* Whether the batch has the usage of the call whose answer this is. */
static bool has_final(struct world *world, const struct batch *batch,
                      const struct fake_record *record)
{
    for (size_t i = 0; i < batch->output_count; i++) {
        struct buf text;
        int log;
        int64_t offset;
        if (batch->outputs[i]->kind != OUTPUT_USAGE)
            continue;
        buf_init(&text, 1 << 20);
        buf_add(&text, batch->outputs[i]->value);
        bool is_its =
            strstr(buf_text(&text), "\"final\":true") != NULL &&
            broker_source(world, buf_text(&text), "\"source\":{", &log, &offset) == record;
        buf_done(&text);
        if (is_its)
            return true;
    }
    return false;
}

/* An answer is committed with its usage. One that was not valid may be published when no further
 * call gave one: its usage went out before, as not final. */
static void check_final(struct world *world, const struct batch *batch, const char *value)
{
    int log;
    int64_t offset;
    const struct fake_record *record = broker_source(world, value, "\"request\":{", &log, &offset);
    bool is_ok = strstr(value, "\"status\":\"ok\"") != NULL;
    bool is_kept = record->wants_json && strstr(value, "\"parsing_error\"") != NULL;
    bool is_final = has_final(world, batch, record);
    MUST(world, is_ok && !record->is_count ? is_final || is_kept : !is_final);
}

/* Offsets tell the outcome of a batch, except those of a topic recreated meanwhile. */
static bool has_witness(const struct world *world, const struct batch *batch)
{
    for (size_t i = 0; i < batch->offset_count; i++)
        if (!world->logs[batch->offsets[i].partition].is_recreated)
            return true;
    return false;
}

/* Outputs [0, count) are there. */
static void publish(struct world *world, struct worker *worker, size_t count)
{
    const struct batch *batch = &worker->batch;
    char *value = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct output *output = batch->outputs[i];
        value = realloc(value, output->value.len + 1);
        if (value == NULL)
            abort();
        if (output->value.len > 0)
            memcpy(value, output->value.ptr, output->value.len);
        value[output->value.len] = '\0';
        if (output->kind == OUTPUT_RESPONSE)
            response_out(world, worker, output, value);
        else if (output->kind == OUTPUT_USAGE)
            audit_usage(world, worker, value, has_witness(world, batch));
        if (output->kind == OUTPUT_RESPONSE && world->config.exactly_once)
            check_final(world, batch, value);
    }
    free(value);
}

/* ---- offsets ---- */

/* The map is the truth: an offset is done if and only if its answer is committed. */
static void check_map(struct world *world, struct fake_log *log)
{
    static struct offset_open open[4096];
    size_t count;
    int64_t last;
    MUST(world, offset_map_read(slice_of(log->metadata, log->metadata_len), log->offset, open,
                                COUNT_OF(open), &count, &last) == OK);
    MUST(world, log->metadata_len <= world->config.offset_map_bytes_max);
    size_t next = 0;
    for (int64_t offset = 0; offset < log->end; offset++) {
        struct fake_record *record = &log->records[offset];
        while (next < count && open[next].offset < offset)
            next++;
        bool is_open = next < count && open[next].offset == offset;
        bool is_done = offset < log->offset || (offset <= last && !is_open);
        if (record->kind == REQUEST_GAP || record->is_gone)
            continue;
        MUST(world, !is_done || record->answers > 0);
        MUST(world, is_done || record->answers == 0 || !world->config.exactly_once);
        MUST(world, is_done || !record->is_done);
        record->is_done = is_done;
    }
}

static void commit_offset(struct world *world, const struct worker *worker, int index,
                          int64_t offset, int32_t epoch, struct slice metadata)
{
    struct fake_log *log = &world->logs[index];
    /* A worker may write where it stood before the log was cut: the next one notices by the epoch.
     */
    bool was_cut = kafka_cut_below(log, log->offset, log->committed_epoch) >= 0;
    bool is_stale = log->is_recreated || kafka_cut_below(log, offset, epoch) >= 0;
    MUST(world, is_stale || ((was_cut || offset >= log->offset) && offset <= log->end));
    log->offset = offset;
    log->committed_epoch = epoch;
    log->is_cut = !kafka_is_cut_noticed(world, index);
    memcpy(log->metadata, metadata.ptr, metadata.len);
    log->metadata_len = metadata.len;
    log->committer = worker->index;
    log->committer_life = (int)worker->incarnation;
    if (!is_stale)
        check_map(world, log);
}

static void commit_offsets(struct world *world, struct worker *worker)
{
    for (size_t i = 0; i < worker->batch.offset_count; i++) {
        const struct batch_offset *offset = &worker->batch.offsets[i];
        commit_offset(world, worker, offset->partition, offset->offset, offset->leader_epoch,
                      offset->metadata);
    }
}

/* ---- transactions ---- */

static void on_commit(void *self, const struct batch *batch)
{
    struct port *port = self;
    struct worker *worker = port->worker;
    MUST(port->world, !worker->has_batch);
    MUST(port->world, batch->output_count + batch->offset_count > 0);
    worker->has_batch = true;
    worker->batch = *batch;
    if (worker->is_member) /* as of this very call */
        worker->generation = port->world->group_generation;
    worker->batch_generation = worker->generation;
    audit_cut(port->world, worker);
    world_add(port->world, EVENT_BATCH, worker, 1 + world_delay(port->world, 10));
}

/* The first output that this broker refuses: answers of some requests are too large for it, and
 * some topics were deleted. */
static enum err find_refused(struct world *world, const struct batch *batch, size_t *ret_blame)
{
    for (size_t i = 0; i < batch->output_count; i++) {
        const struct output *output = batch->outputs[i];
        if (output->kind != OUTPUT_RESPONSE)
            continue;
        *ret_blame = i;
        if (slice_equal_text(output->topic, "reply.vanished"))
            return ERR_NOT_FOUND;
        struct buf text;
        buf_init(&text, 1 << 20);
        buf_add(&text, output->value);
        int log;
        int64_t offset;
        const struct fake_record *record =
            broker_source(world, buf_text(&text), "\"request\":{", &log, &offset);
        bool is_refused = record->kind == REQUEST_REFUSED_ANSWER &&
                          strstr(buf_text(&text), "\"status\":\"ok\"") != NULL;
        buf_done(&text);
        if (is_refused)
            return ERR_TOO_LARGE;
    }
    return OK;
}

static void note_hurt(struct world *world, struct worker *worker)
{
    for (int i = 0; i < world->log_count; i++)
        worker->is_revoke_hurt[i] = worker->is_revoke_hurt[i] || worker->is_revoking[i];
}

static void decide_transaction(struct world *world, struct worker *worker,
                               struct batch_end *ret_end)
{
    const struct batch *batch = &worker->batch;
    if (kafka_is_away(world)) {
        ret_end->outcome = BATCH_UNKNOWN;
    } else if (batch->offset_count > 0 && !worker->is_member) {
        ret_end->outcome = BATCH_MEMBER_GONE;
        note_hurt(world, worker);
    } else if (batch->offset_count > 0 && worker->batch_generation != world->group_generation) {
        ret_end->outcome = BATCH_GENERATION;
        note_hurt(world, worker);
    } else if (world_chance(world, FAULT_ABORT)) {
        ret_end->outcome = BATCH_ABORTED;
        ret_end->was_time = random_below(&world->random, 2) == 0;
    } else if (world_chance(world, FAULT_UNKNOWN_NOT)) {
        ret_end->outcome = BATCH_UNKNOWN;
    } else {
        uint64_t first = world->usages;
        publish(world, worker, batch->output_count);
        commit_offsets(world, worker);
        audit_committed(world, worker);
        ret_end->outcome =
            world_chance(world, FAULT_UNKNOWN_MADE) ? BATCH_UNKNOWN : BATCH_COMMITTED;
        for (uint64_t i = first; i < world->usages; i++) {
            world->usage_ids[i].worker = worker->index;
            world->usage_ids[i].is_unknown = ret_end->outcome == BATCH_UNKNOWN;
        }
    }
}

static void keep(struct world *world, struct worker *worker)
{
    for (size_t i = 0; i < worker->batch.offset_count; i++) {
        const struct batch_offset *offset = &worker->batch.offsets[i];
        struct kept *kept = &worker->kept[offset->partition];
        if (!worker->has_tenure[offset->partition] ||
            worker->tenures[offset->partition].epoch != offset->tenure.epoch)
            continue;
        kept->is_set = true;
        kept->offset = offset->offset;
        kept->epoch = offset->leader_epoch;
        memcpy(kept->metadata, offset->metadata.ptr, offset->metadata.len);
        kept->metadata_len = offset->metadata.len;
        kept->batch = offset->batch;
    }
    if (worker->batch.is_last)
        broker_commit_kept(world, worker);
    else
        world_add(world, EVENT_KEEP, worker, world->config.commit_interval_ms);
}

/* Under at_least_once delivered records stay, whatever happens to the rest. */
static void decide_plain(struct world *world, struct worker *worker, struct batch_end *ret_end)
{
    const struct batch *batch = &worker->batch;
    if (world_chance(world, FAULT_ABORT)) {
        world->is_shaken = true;
        publish(world, worker, random_below(&world->random, batch->output_count + 1));
        ret_end->outcome = BATCH_ABORTED;
        ret_end->was_time = random_below(&world->random, 2) == 0;
        return;
    }
    publish(world, worker, batch->output_count);
    keep(world, worker);
    ret_end->outcome = BATCH_COMMITTED;
}

void broker_commit_kept(struct world *world, struct worker *worker)
{
    for (int i = 0; i < world->log_count; i++) {
        struct kept *kept = &worker->kept[i];
        if (!kept->is_set || !worker->is_member || world->logs[i].owner != worker->index)
            continue;
        kept->is_set = false;
        commit_offset(world, worker, i, kept->offset, kept->epoch,
                      slice_of(kept->metadata, kept->metadata_len));
        if (worker->has_tenure[i])
            engine_offsets_committed(worker->engine, worker->tenures[i], kept->batch);
    }
}

/* The commit waits for the brokers, or its answer is lost with them. */
static bool is_held_up(struct world *world, struct worker *worker)
{
    if (!kafka_is_away(world) || (world->config.exactly_once && world->outage_until % 3 == 0))
        return false;
    world_add(world, EVENT_BATCH, worker, world->outage_until - world->now_ms + 1);
    return true;
}

void broker_batch(struct world *world, struct worker *worker)
{
    if (is_held_up(world, worker))
        return;
    struct batch_end end = {.id = worker->batch.id, .reason = SLICE("simulated")};
    worker->has_batch = false;
    struct batch_refusal refusal = {.is_sure = true};
    refusal.err = find_refused(world, &worker->batch, &refusal.index);
    if (refusal.err != OK) {
        end.outcome = BATCH_REFUSED;
        end.refusals = &refusal;
        end.refusal_count = 1;
        if (!world->config.exactly_once) {
            world->is_shaken = true;
            publish(world, worker, refusal.index);
        }
    } else if (world->config.exactly_once) {
        decide_transaction(world, worker, &end);
    } else {
        decide_plain(world, worker, &end);
    }
    if (end.outcome == BATCH_UNKNOWN)
        audit_unknown(world, worker);
    world_note(world, "w%d batch %llu: outcome %d", worker->index, (unsigned long long)end.id,
               (int)end.outcome);
    engine_batch_ended(worker->engine, &end);
}

static bool on_chunk(void *self, struct call_ref call, struct output *chunk, bool is_last)
{
    struct port *port = self;
    struct world *world = port->world;
    (void)call, (void)is_last;
    struct buf text;
    buf_init(&text, 1 << 20);
    buf_add(&text, chunk->value);
    const char *value = buf_text(&text);
    int log;
    long long offset, seq;
    const char *id = strstr(value, "\"id\":\"requests-");
    const char *run = strstr(value, "\"run\":\"");
    const char *at = strstr(value, "\"seq\":");
    MUST(world, id != NULL && run != NULL && at != NULL);
    MUST(world, sscanf(id, "\"id\":\"requests-%d-%lld", &log, &offset) == 2);
    MUST(world, sscanf(at, "\"seq\":%lld", &seq) == 1);
    struct fake_record *record = kafka_record(world, log, offset);
    /* A run counts from 0 without a gap, and nothing follows its last chunk. (Chunks of a worker
     * that stood still may come beside its successor's run.) */
    if (memcmp(record->run.text, run + 7, UUID_TEXT_LEN) != 0)
        record->run_next = 0;
    memcpy(record->run.text, run + 7, UUID_TEXT_LEN);
    MUST(world, record->run_next == seq || world->stalls > 0);
    record->run_next = strstr(value, "\"last\":true") != NULL ? -1 : seq + 1;
    buf_done(&text);
    output_free(chunk);
    return true;
}

void broker_ports(struct ports *ports)
{
    ports->batch_commit = on_commit;
    ports->chunk_send = on_chunk;
}
