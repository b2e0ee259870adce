#include "engine/batch.h"

#include "base/check.h"
#include "base/memory.h"
#include "engine/job.h"
#include "engine/membership.h"
#include "engine/outcome.h"
#include "engine/partition.h"
#include "engine/result.h"
#include "engine/slots.h"
#include "engine/tell.h"

#define ABORT_PAUSE_MIN_MS   100
#define ABORT_PAUSE_MAX_MS   10000
#define FENCED_AGAIN_MS      60000
#define GENERATION_TRIES_MAX 1 /* while a partition is revoked: once more with fresh metadata */

/* ---- the cut ---- */

static void add_output(struct engine *engine, struct output *output, struct result *owner)
{
    if (engine->batch.output_count == engine->batch.output_room) {
        size_t room = engine->batch.output_room == 0 ? 256 : engine->batch.output_room * 2;
        struct output **outputs = memory_resize(engine->batch.outputs, room * sizeof *outputs);
        CHECK(outputs != NULL);
        engine->batch.outputs = outputs;
        struct result **owners = memory_resize(engine->batch.owners, room * sizeof *owners);
        CHECK(owners != NULL);
        engine->batch.owners = owners;
        engine->batch.output_room = room;
    }
    engine->batch.outputs[engine->batch.output_count] = output;
    engine->batch.owners[engine->batch.output_count++] = owner;
}

static void take_result(struct engine *engine, struct result *result)
{
    result_batch(engine, result);
    for (struct link *link = result->outputs.next; link != &result->outputs; link = link->next)
        add_output(engine, LINK_OWNER(link, struct output, link), result);
    struct partition *partition = result->partition;
    if (partition == NULL)
        return;
    if (result->has_usage)
        ledger_book(&partition->ledger, result->offset, result->is_lost_call);
    if (result->job != NULL) {
        job_batched(engine, result->job);
        ledger_put_in_batch(&partition->ledger, ledger_find(&partition->ledger, result->offset));
    }
}

/* Answers up to the limits. Usage of calls that ended without one goes always: of the calls of one
 * request a map can count one as under way or not in the books, not two. */
static void take_results(struct engine *engine, bool orphans_only)
{
    uint32_t count = 0;
    uint64_t bytes = 0;
    bool is_full = false;
    struct result *next;
    for (struct result *result = result_first(engine, RESULT_QUEUED); result != NULL;
         result = next) {
        next = result_next(engine, result);
        if (result->partition != NULL && (orphans_only || !result->partition->is_verified))
            continue;
        is_full = is_full || count == engine->batch_limit ||
                  (count > 0 && bytes + result->bytes > engine->config.batch_bytes_max);
        if (is_full && result->job != NULL)
            continue;
        count++;
        bytes += result->bytes;
        take_result(engine, result);
    }
}

static void add_offset(struct engine *engine, struct partition *partition)
{
    if (engine->batch.offset_count == engine->batch.offset_room) {
        size_t room = engine->batch.offset_room == 0 ? 64 : engine->batch.offset_room * 2;
        struct batch_offset *offsets = memory_resize(engine->batch.offsets, room * sizeof *offsets);
        CHECK(offsets != NULL);
        engine->batch.offsets = offsets;
        struct partition **owners = memory_resize(engine->batch.partitions, room * sizeof *owners);
        CHECK(owners != NULL);
        engine->batch.partitions = owners;
        engine->batch.offset_room = room;
    }
    /* Offset and map of one moment: this one. */
    struct ledger *ledger = &partition->ledger;
    partition->batch_offset = ledger_front(ledger);
    buf_reset(&partition->batch_map);
    CHECK(ledger_add_map(ledger, (uint32_t)random_next(&engine->random), &partition->batch_map) ==
          OK);
    ledger->is_changed = false;
    partition->is_in_batch = true;
    engine->batch.partitions[engine->batch.offset_count] = partition;
    engine->batch.offsets[engine->batch.offset_count++] = (struct batch_offset){
        .tenure = partition->tenure,
        .topic = partition->topic,
        .partition = partition->number,
        .offset = partition->batch_offset,
        .metadata = buf_slice(&partition->batch_map),
    };
}

static bool is_draining(const struct engine *engine)
{
    if (engine->is_stopping)
        return true;
    uint32_t cursor = 0;
    for (const struct partition *partition; (partition = slots_next(engine, &cursor)) != NULL;)
        if (partition->step == PARTITION_REVOKING)
            return true;
    return false;
}

/* All partitions are in doubt, and their offsets are being read: soon one can tell what becomes of
 * a batch. */
static bool is_witness_near(const struct engine *engine)
{
    bool is_near = false;
    uint32_t cursor = 0;
    for (const struct partition *partition; (partition = slots_next(engine, &cursor)) != NULL;) {
        if (partition->step == PARTITION_READING)
            continue;
        if (partition->is_verified)
            return false;
        is_near = true;
    }
    return is_near;
}

static void cut(struct engine *engine)
{
    enum membership_news news = membership_look(engine);
    bool is_member = news == MEMBERSHIP_SAME;
    if (news == MEMBERSHIP_CHANGED)
        partitions_doubt(engine);
    if (news != MEMBERSHIP_GONE && engine->config.exactly_once && !engine->is_stopping &&
        is_witness_near(engine))
        return;
    engine->batch.membership = membership_number(engine);
    engine->batch.output_count = 0;
    engine->batch.offset_count = 0;
    take_results(engine, !is_member);
    struct partition *witness = NULL;
    uint32_t cursor = 0;
    for (struct partition *partition;
         is_member && (partition = slots_next(engine, &cursor)) != NULL;) {
        if (partition->step == PARTITION_READING || !partition->is_verified)
            continue;
        if (partition->batch_results > 0 || partition->ledger.is_changed)
            add_offset(engine, partition);
        else if (witness == NULL)
            witness = partition;
    }
    /* Orphans alone leave no trace in offsets: if the outcome becomes unknown, somebody must tell.
     */
    if (engine->batch.output_count > 0 && engine->batch.offset_count == 0 && witness != NULL)
        add_offset(engine, witness);
    engine->last_cut_ms = engine->now_ms;
    if (engine->batch.output_count == 0 && engine->batch.offset_count == 0)
        return;
    if (engine->batch.offset_count > 0)
        engine->last_offsets_ms = engine->now_ms;
    engine->batch.is_open = true;
    engine->batch.id++;
    engine->batch.started_ms = engine->now_ms;
    struct batch batch = {
        .id = engine->batch.id,
        .outputs = engine->batch.outputs,
        .output_count = engine->batch.output_count,
        .offsets = engine->batch.offsets,
        .offset_count = engine->batch.offset_count,
        .is_last = results_queued(engine) == 0 && is_draining(engine),
    };
    engine->ports.batch_commit(engine->ports.self, &batch);
}

static bool has_changed_ledger(const struct engine *engine)
{
    uint32_t cursor = 0;
    for (const struct partition *partition; (partition = slots_next(engine, &cursor)) != NULL;)
        if (partition->is_verified && partition->ledger.is_changed)
            return true;
    return false;
}

/* When the next cut may be: results wait for commit_interval under exactly_once alone, changed maps
 * in any case. */
static int64_t cut_due_ms(const struct engine *engine)
{
    int64_t due_ms = INT64_MAX;
    if (results_queued(engine) > 0)
        due_ms = engine->config.exactly_once
                     ? engine->last_cut_ms + engine->config.commit_interval_ms
                     : engine->now_ms;
    else if (has_changed_ledger(engine))
        due_ms = (engine->config.exactly_once ? engine->last_cut_ms : engine->last_offsets_ms) +
                 engine->config.commit_interval_ms;
    return due_ms < engine->cut_after_ms ? engine->cut_after_ms : due_ms;
}

void batch_turn(struct engine *engine, int64_t *ret_next_ms)
{
    if (engine->batch.is_open || engine->has_ended)
        return;
    int64_t due_ms = cut_due_ms(engine);
    if (due_ms <= engine->now_ms)
        cut(engine);
    else if (due_ms < *ret_next_ms)
        *ret_next_ms = due_ms;
}

/* ---- its end ---- */

static void close_offsets(struct engine *engine)
{
    for (size_t i = 0; i < engine->batch.offset_count; i++) {
        struct partition *partition = engine->batch.partitions[i];
        partition->is_in_batch = false;
        partition_settle(engine, partition);
    }
    engine->batch.offset_count = 0;
    engine->batch.is_open = false;
    engine->batch.is_unknown = false;
}

static void settle_committed(struct engine *engine)
{
    for (size_t i = 0; i < engine->batch.offset_count; i++) {
        struct partition *partition = engine->batch.partitions[i];
        ledger_commit(&partition->ledger, partition->batch_offset,
                      buf_slice(&partition->batch_map));
    }
    for (struct result *result; (result = result_first(engine, RESULT_BATCHED)) != NULL;) {
        if (result->job != NULL)
            job_committed(engine, result->job);
        else
            result_free(engine, result);
    }
    engine->stats.commits++;
    engine->aborts_in_row = 0;
    engine->cut_after_ms = 0;
    if (engine->batch_limit < engine->config.batch_results_max)
        engine->batch_limit = engine->batch_limit * 2 < engine->config.batch_results_max
                                  ? engine->batch_limit * 2
                                  : engine->config.batch_results_max;
    close_offsets(engine);
}

/* One result of an aborted batch goes back to the head of the queue, or on its way as an orphan. */
static void give_back(struct engine *engine, struct result *result)
{
    struct partition *partition = result->partition;
    result_return(engine, result);
    if (result->job != NULL)
        job_aborted(engine, result->job);
    if (partition == NULL)
        return;
    if (!partition->is_gone) {
        if (result->has_usage)
            ledger_unbook(&partition->ledger, result->offset, result->is_lost_call);
    } else if (result->job != NULL) {
        job_orphan(engine, result->job);
    } else {
        result_orphan(engine, result);
    }
}

static void settle_aborted(struct engine *engine)
{
    for (size_t i = 0; i < engine->batch.offset_count; i++)
        ledger_abort(&engine->batch.partitions[i]->ledger);
    for (struct result *result; (result = result_last(engine, RESULT_BATCHED)) != NULL;)
        give_back(engine, result);
    engine->stats.aborts++;
    close_offsets(engine);
}

/* Half of what the last batch really held. */
static void shrink(struct engine *engine, uint32_t answers)
{
    if (answers > 0 && answers < engine->batch_limit)
        engine->batch_limit = answers;
    if (engine->batch_limit > 1)
        engine->batch_limit /= 2;
}

/* No cut for a while; returns how long. */
static int64_t pause_cuts(struct engine *engine)
{
    int64_t pause_ms = ABORT_PAUSE_MIN_MS;
    for (uint32_t i = 0; i < engine->aborts_in_row && pause_ms < ABORT_PAUSE_MAX_MS; i++)
        pause_ms *= 2;
    pause_ms = pause_ms < ABORT_PAUSE_MAX_MS ? pause_ms : ABORT_PAUSE_MAX_MS;
    engine->aborts_in_row++;
    engine->cut_after_ms = engine->now_ms + pause_ms;
    return pause_ms;
}

static void tell_aborted(struct engine *engine, struct slice reason, int64_t pause_ms)
{
    struct log_field fields[] = {
        FIELD_TEXT("reason", reason),
        FIELD_INT("outputs", (int64_t)engine->batch.output_count),
        FIELD_INT("delay_ms", pause_ms),
        FIELD_INT("limit", engine->batch_limit),
    };
    engine->ports.log(engine->ports.self, LOG_BATCH_ABORTED, fields, COUNT_OF(fields));
}

static void aborted(struct engine *engine, const struct batch_end *end)
{
    if (end->was_time)
        shrink(engine, results_batched_answers(engine));
    settle_aborted(engine);
    tell_aborted(engine, end->reason, pause_cuts(engine));
}

static void tell_refused(struct engine *engine, const struct output *output,
                         const struct result *result, struct slice reason)
{
    struct log_field fields[] = {
        FIELD_TEXT("topic", output->topic),
        FIELD_TEXT("request_topic", result->partition->topic),
        FIELD_INT("partition", result->partition->number),
        FIELD_INT("offset", result->offset),
        FIELD_TEXT("reason", reason),
    };
    engine->ports.log(engine->ports.self, LOG_OUTPUT_REFUSED, fields, COUNT_OF(fields));
}

/* A topic of the settings takes nothing: everything waits, and somebody must act. */
static void tell_held(struct engine *engine, const struct output *output, enum err err,
                      struct slice reason)
{
    if (!tell_now(engine, &engine->held_told_ms))
        return;
    const char *remedy = err == ERR_NOT_ALLOWED ? "grant the worker's user the right Write on it"
                         : err == ERR_NOT_FOUND ? "create it"
                         : err == ERR_TOO_LARGE ? "raise its max.message.bytes"
                                                : "look at its configuration";
    struct log_field fields[] = {
        FIELD_TEXT("topic", output->topic),
        FIELD_TEXT("reason", reason),
        FIELD_INT("outputs", (int64_t)engine->batch.output_count),
        FIELD_TEXT("remedy", slice_of_text(remedy)),
    };
    engine->ports.log(engine->ports.self, LOG_OUTPUT_TOPIC_BLOCKED, fields, COUNT_OF(fields));
}

/* The broker refuses what lies beside a bad record with it: in smaller batches it stands alone. */
static bool is_blame_unsure(const struct engine *engine, const struct batch_end *end)
{
    return end->refused > 1 && (end->blame_err == ERR_TOO_LARGE || end->blame_err == ERR_INVALID) &&
           results_batched_answers(engine) > 1;
}

static void refused(struct engine *engine, const struct batch_end *end)
{
    CHECK(end->blame < engine->batch.output_count);
    if (is_blame_unsure(engine, end)) {
        shrink(engine, results_batched_answers(engine));
        settle_aborted(engine);
        engine->cut_after_ms = engine->now_ms + ABORT_PAUSE_MIN_MS;
        tell_aborted(engine, end->reason, ABORT_PAUSE_MIN_MS);
        return;
    }
    struct output *output = engine->batch.outputs[end->blame];
    struct result *result = engine->batch.owners[end->blame];
    bool is_gone = result->partition == NULL || result->partition->is_gone;
    bool is_alone = !is_gone && outcome_can_replace(result, output, end->blame_err);
    if (is_alone)
        tell_refused(engine, output, result, end->reason);
    else
        tell_held(engine, output, end->blame_err, end->reason);
    settle_aborted(engine);
    if (is_alone)
        outcome_replace(engine, result, output, end->blame_err);
    else
        (void)pause_cuts(engine);
}

/* The group says that this member may not commit as it did. Revoked partitions cannot wait for
 * ever. */
static void member_refused(struct engine *engine, const struct batch_end *end)
{
    if (end->outcome == BATCH_MEMBER_GONE)
        membership_cast_out(engine, engine->batch.membership);
    settle_aborted(engine);
    uint32_t cursor = 0;
    for (struct partition *partition; (partition = slots_next(engine, &cursor)) != NULL;) {
        if (partition->step != PARTITION_REVOKING)
            continue;
        if (end->outcome == BATCH_MEMBER_GONE || partition->revoke_tries++ >= GENERATION_TRIES_MAX)
            partition_give_up(engine, partition);
    }
    partitions_doubt(engine);
    tell_aborted(engine, end->reason, pause_cuts(engine));
}

static void end_fenced(struct engine *engine)
{
    struct log_field id = FIELD_TEXT("transactional_id", engine->config.transactional_id);
    bool again =
        engine->fenced_ms != INT64_MIN && engine->now_ms - engine->fenced_ms < FENCED_AGAIN_MS &&
        (engine->stalled_ms == INT64_MIN || engine->now_ms - engine->stalled_ms > FENCED_AGAIN_MS);
    engine->fenced_ms = engine->now_ms;
    engine->ports.log(engine->ports.self, again ? LOG_FENCED_TWICE : LOG_FENCED, &id, 1);
    if (!again || engine->has_ended)
        return;
    engine->has_ended = true;
    engine->ports.ended(engine->ports.self, 1);
}

/* Nobody can be asked what became of the batch: its usage is published again under the same names.
 */
static void settle_unwitnessed(struct engine *engine)
{
    for (size_t i = 0; i < engine->batch.offset_count; i++)
        if (!engine->batch.partitions[i]->is_gone)
            return;
    struct log_field outputs = FIELD_INT("outputs", (int64_t)engine->batch.output_count);
    engine->ports.log(engine->ports.self, LOG_BATCH_NOT_COMMITTED, &outputs, 1);
    settle_aborted(engine);
}

static void become_unknown(struct engine *engine, const struct batch_end *end)
{
    struct log_field reason = FIELD_TEXT("reason", end->reason);
    engine->ports.log(engine->ports.self, LOG_BATCH_UNKNOWN, &reason, 1);
    if (end->outcome == BATCH_FENCED)
        end_fenced(engine);
    engine->batch.is_unknown = true;
    for (size_t i = 0; i < engine->batch.offset_count; i++) {
        struct partition *partition = engine->batch.partitions[i];
        if (partition->is_gone)
            continue;
        partition->is_verified = false;
        partition_read(engine, partition);
    }
    settle_unwitnessed(engine);
}

bool batch_learn(struct engine *engine, struct partition *partition, int64_t offset,
                 struct slice metadata)
{
    if (!engine->batch.is_unknown || !partition->is_in_batch)
        return true;
    bool made_it = offset == partition->batch_offset &&
                   slice_equal(metadata, buf_slice(&partition->batch_map));
    bool did_not = ledger_agrees(&partition->ledger, offset, metadata);
    if (!made_it && !did_not)
        return false;
    if (made_it) {
        engine->ports.log(engine->ports.self, LOG_BATCH_WAS_COMMITTED, NULL, 0);
        settle_committed(engine);
        return true;
    }
    struct log_field outputs = FIELD_INT("outputs", (int64_t)engine->batch.output_count);
    engine->ports.log(engine->ports.self, LOG_BATCH_NOT_COMMITTED, &outputs, 1);
    settle_aborted(engine);
    return true;
}

void batch_lost_witness(struct engine *engine, struct partition *partition)
{
    if (engine->batch.is_unknown && partition->is_in_batch)
        settle_unwitnessed(engine);
}

void batch_ended(struct engine *engine, const struct batch_end *end)
{
    if (!engine->batch.is_open || engine->batch.is_unknown || end->id != engine->batch.id)
        return;
    struct log_field fields[] = {
        FIELD_INT("outputs", (int64_t)engine->batch.output_count),
        FIELD_INT("partitions", (int64_t)engine->batch.offset_count),
        FIELD_INT("duration_ms", engine->now_ms - engine->batch.started_ms),
    };
    switch (end->outcome) {
    case BATCH_COMMITTED:
        engine->ports.log(engine->ports.self, LOG_BATCH_COMMITTED, fields, COUNT_OF(fields));
        settle_committed(engine);
        return;
    case BATCH_ABORTED:
        aborted(engine, end);
        return;
    case BATCH_REFUSED:
        refused(engine, end);
        return;
    case BATCH_GENERATION:
    case BATCH_MEMBER_GONE:
        member_refused(engine, end);
        return;
    case BATCH_UNKNOWN:
    case BATCH_FENCED:
        become_unknown(engine, end);
        return;
    }
}

void batch_done(struct engine *engine)
{
    for (size_t i = 0; i < engine->batch.offset_count; i++) {
        struct partition *partition = engine->batch.partitions[i];
        partition->is_in_batch = false;
        partition->held = 0;
        while (!link_alone(&partition->jobs))
            link_out(partition->jobs.next);
        partition_settle(engine, partition);
    }
    memory_free(engine->batch.outputs);
    memory_free(engine->batch.owners);
    memory_free(engine->batch.offsets);
    memory_free(engine->batch.partitions);
}
