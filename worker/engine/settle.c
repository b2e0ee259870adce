#include "engine/settle.h"

#include "base/check.h"
#include "base/memory.h"
#include "engine/adopt.h"
#include "engine/batch.h"
#include "engine/cut.h"
#include "engine/delivered.h"
#include "engine/job.h"
#include "engine/job_pool.h"
#include "engine/lost_calls.h"
#include "engine/mark.h"
#include "engine/membership.h"
#include "engine/meter.h"
#include "engine/outcome.h"
#include "engine/partition.h"
#include "engine/result.h"
#include "engine/size_limits.h"
#include "engine/shelf.h"
#include "engine/slots.h"
#include "engine/trace.h"
#include "engine/log.h"

#define FENCED_AGAIN_MS      60000
#define GENERATION_TRIES_MAX 1 /* while a partition is revoked: once more with fresh metadata */

/* ---- the two ends ---- */

static void close_batch(struct engine *engine)
{
    for (struct partition *partition; (partition = batch_remove_partition(engine)) != NULL;)
        partition_settle(partition);
}

/* Under at_least_once the offsets of a batch follow its records, and those of a lost tenure may
 * never be committed. */
static void settle_delivered(struct engine *engine)
{
    for (size_t i = 0; i < batch_partitions(engine); i++)
        if (batch_partition(engine, i)->is_gone)
            lost_calls_note_unknown(engine, batch_partition(engine, i), batch_id(engine));
    lost_calls_delivered(engine, batch_id(engine));
}

static void settle_told(struct engine *engine, bool was_committed)
{
    if (engine->shelf.told_in != batch_id(engine))
        return;
    if (was_committed && !engine->config.exactly_once)
        settle_delivered(engine);
    else
        lost_calls_settle(engine, batch_id(engine), was_committed);
}

static void settle_committed(struct engine *engine)
{
    trace_batch(engine, NULL);
    for (size_t i = 0; i < batch_partitions(engine); i++) {
        struct partition *partition = batch_partition(engine, i);
        ledger_commit(&partition->ledger, partition->batch_offset,
                      buf_slice(&partition->batch_map));
        if (engine->config.exactly_once)
            marks_told(engine, partition, batch_id(engine));
    }
    for (struct result *result; (result = result_first(engine, RESULT_BATCHED)) != NULL;) {
        meter_usage(engine, result);
        if (result->job != NULL)
            delivered_add(engine, result->job);
        if (result->job != NULL)
            job_committed(engine, result->job);
        else
            result_free(engine, result);
    }
    settle_told(engine, true);
    engine->stats.commits++;
    meter_batch(engine, "committed", batch_age_ms(engine));
    cut_relax(engine);
    close_batch(engine);
}

/* Returns a result of an aborted batch to the head of the queue. If its partition is gone, an
 * answer goes to the shelf, and usage becomes an orphan. */
static void give_back(struct engine *engine, struct result *result, uint64_t unknown_batch)
{
    struct partition *partition = result->partition;
    result_return(engine, result);
    if (result->job != NULL)
        job_go(engine, result->job, JOB_FINISHED);
    if (partition == NULL)
        return;
    if (!partition->is_gone) {
        if (result->has_usage && !result->told.is_booked)
            ledger_unrecord(&partition->ledger, result->offset, result->is_dead_owners);
    } else if (result->job != NULL) {
        result->job->unknown_batch = unknown_batch;
        job_outlive(engine, result->job);
    } else {
        result_orphan(engine, result);
    }
}

static void give_all_back(struct engine *engine, uint64_t unknown_batch)
{
    for (size_t i = 0; i < batch_partitions(engine); i++)
        ledger_abort(&batch_partition(engine, i)->ledger);
    for (struct result *result; (result = result_last(engine, RESULT_BATCHED)) != NULL;)
        give_back(engine, result, unknown_batch);
}

/* Returns the number of outputs that go out again. */
static size_t settle_aborted(struct engine *engine)
{
    size_t outputs = batch_outputs(engine);
    trace_batch(engine, "aborted");
    settle_told(engine, false);
    give_all_back(engine, 0);
    engine->stats.aborts++;
    meter_batch(engine, "aborted", -1);
    close_batch(engine);
    return outputs;
}

/* ---- a clean abort ---- */

static void log_aborted(struct engine *engine, size_t outputs, struct slice reason,
                        int64_t pause_ms)
{
    ENGINE_LOG(engine, LOG_BATCH_ABORTED, FIELD_TEXT("reason", reason),
               FIELD_INT("outputs", (int64_t)outputs), FIELD_INT("delay_ms", pause_ms),
               FIELD_INT("limit", cut_limit(engine)));
}

static void aborted(struct engine *engine, const struct batch_end *end)
{
    if (end->was_time)
        cut_shrink(engine);
    size_t outputs = settle_aborted(engine);
    log_aborted(engine, outputs, end->reason, cut_pause(engine));
}

/* A topic of the settings rejects records: all commits wait until an operator acts. */
static void log_blocked(struct engine *engine, const struct output *output, enum err err,
                        struct slice reason)
{
    if (!log_is_due(engine, &engine->settle.blocked_log_due_ms))
        return;
    const char *remedy = err == ERR_NOT_ALLOWED ? "grant the worker's user the right Write on it"
                         : err == ERR_NOT_FOUND ? "create it"
                         : err == ERR_TOO_LARGE ? "raise its max.message.bytes"
                                                : "check its configuration";
    ENGINE_LOG(engine, LOG_OUTPUT_TOPIC_BLOCKED, FIELD_TEXT("topic", output->topic),
               FIELD_TEXT("reason", reason), FIELD_INT("outputs", (int64_t)batch_outputs(engine)),
               FIELD_TEXT("remedy", slice_of_text(remedy)));
}

/* Whose outputs the broker rejects for sure. */
struct blamed {
    struct output *output;
    struct result *result;
    enum err err;
};

static bool is_blamed(const struct batch_refusal *refusal, bool is_one_answer)
{
    return refusal->is_sure || is_one_answer;
}

static bool is_replaceable(const struct result *result, const struct output *output, enum err err)
{
    return result->partition != NULL && !result->partition->is_gone &&
           outcome_can_replace(result, output, err);
}

/* Collects the outputs to replace, at most one of each result: to replace it may replace the
 * others. Logs those that cannot be replaced. Returns their number; *ret_sure: that of all at
 * fault. */
static size_t collect(struct engine *engine, const struct batch_end *end, struct blamed *ret_list,
                      size_t *ret_sure)
{
    /* Of a batch of one answer the first rejected record is at fault. */
    bool is_one_answer = results_batched_answers(engine) <= 1;
    size_t count = 0;
    *ret_sure = 0;
    for (size_t i = 0; i < end->refusal_count; i++) {
        const struct batch_refusal *refusal = &end->refusals[i];
        struct output *output = batch_output(engine, refusal->index);
        struct result *result = batch_owner(engine, refusal->index);
        if (!is_blamed(refusal, is_one_answer && i == 0))
            continue;
        ++*ret_sure;
        if (refusal->is_sure && refusal->err == ERR_TOO_LARGE && end->do_sizes_decide)
            size_limits_learn(engine, output, refusal->bytes_max);
        if (count > 0 && ret_list[count - 1].result == result)
            continue;
        if (is_replaceable(result, output, refusal->err))
            ret_list[count++] =
                (struct blamed){.output = output, .result = result, .err = refusal->err};
        else
            log_blocked(engine, output, refusal->err, end->reason);
    }
    return count;
}

static void replace(struct engine *engine, const struct blamed *blamed, struct slice reason)
{
    outcome_log_rejected(engine, blamed->result->partition, blamed->result->offset, blamed->output,
                         reason);
    outcome_replace(engine, blamed->result, blamed->output, blamed->err);
}

static struct output *find_too_large(const struct engine *engine, const struct result *result)
{
    for (struct link *link = result->outputs.next; link != &result->outputs; link = link->next) {
        struct output *output = LINK_OWNER(link, struct output, link);
        if (size_limits_exceeded(engine, output) && is_replaceable(result, output, ERR_TOO_LARGE))
            return output;
    }
    return NULL;
}

/* Replaces what waits and would be rejected for its size. */
static void replace_too_large(struct engine *engine, struct slice reason)
{
    struct blamed blamed = {.err = ERR_TOO_LARGE};
    for (struct result *result = result_first(engine, RESULT_QUEUED); result != NULL;
         result = result_next(engine, result)) {
        blamed.result = result;
        blamed.output = find_too_large(engine, result);
        if (blamed.output != NULL)
            replace(engine, &blamed, reason);
    }
}

/* Replaces all outputs that are at fault after this one abort. If none is for sure, a smaller batch
 * shows which are. */
static void rejected(struct engine *engine, const struct batch_end *end)
{
    struct blamed *list = memory_new(end->refusal_count * sizeof *list);
    CHECK(list != NULL && end->refusal_count > 0);
    size_t sure, count = collect(engine, end, list, &sure);
    if (sure == 0)
        cut_shrink(engine);
    size_t outputs = settle_aborted(engine);
    if (sure == 0)
        log_aborted(engine, outputs, end->reason, cut_pause_briefly(engine));
    else if (count == 0)
        (void)cut_pause(engine);
    for (size_t i = 0; i < count; i++)
        replace(engine, &list[i], end->reason);
    memory_free(list);
    replace_too_large(engine, end->reason);
}

/* The group rejects this member or its generation. Revoked partitions get only a few tries. */
static void member_rejected(struct engine *engine, const struct batch_end *end)
{
    bool is_out = end->outcome == BATCH_MEMBER_GONE;
    if (is_out)
        membership_cast_out(engine, batch_membership(engine));
    size_t outputs = settle_aborted(engine);
    uint32_t cursor = 0;
    for (struct partition *partition; (partition = slots_next(engine, &cursor)) != NULL;) {
        if (partition->step != PARTITION_REVOKING)
            continue;
        if (is_out || partition->revoke_tries++ >= GENERATION_TRIES_MAX)
            partition_give_up(engine, partition);
    }
    partitions_doubt(engine);
    log_aborted(engine, outputs, end->reason, cut_pause(engine));
}

/* ---- an unknown outcome ---- */

static void settle_not_committed(struct engine *engine)
{
    ENGINE_LOG(engine, LOG_BATCH_NOT_COMMITTED,
               FIELD_INT("outputs", (int64_t)batch_outputs(engine)));
    (void)settle_aborted(engine);
}

static bool has_witness(const struct engine *engine)
{
    for (size_t i = 0; i < batch_partitions(engine); i++)
        if (!batch_partition(engine, i)->is_gone)
            return true;
    return false;
}

/* No partition of the batch is left to show what became of it. Answers wait on the shelf, if there
 * is one, until a partition comes back; usage goes out again, perhaps twice under one id. */
static void settle_unknown(struct engine *engine)
{
    trace_batch(engine, "unknown");
    give_all_back(engine, batch_id(engine));
    for (size_t i = 0; i < batch_partitions(engine); i++) {
        shelf_note_unknown(engine, batch_partition(engine, i), batch_id(engine));
        lost_calls_note_unknown(engine, batch_partition(engine, i), batch_id(engine));
    }
    engine->stats.aborts++;
    close_batch(engine);
    if (!engine->is_stopping) /* the usage has only a short time then */
        (void)cut_pause(engine);
}

void settle_turn(struct engine *engine)
{
    if (batch_is_unknown(engine) && !has_witness(engine))
        settle_unknown(engine);
}

/* Whether an offset that the batch answers is open in the ledger of a later tenure. */
static bool shows_abort(struct engine *engine, const struct partition *gone,
                        const struct ledger *ledger)
{
    for (struct result *result = result_first(engine, RESULT_BATCHED); result != NULL;
         result = result_next(engine, result))
        if (result->partition == gone && result->job != NULL &&
            ledger_is_open(ledger, result->offset))
            return true;
    return false;
}

void settle_by_first_read(struct engine *engine, const struct partition *partition, int64_t offset,
                          struct slice metadata)
{
    for (size_t i = 0; batch_is_unknown(engine) && i < batch_partitions(engine); i++) {
        const struct partition *gone = batch_partition(engine, i);
        if (!gone->is_gone || gone->number != partition->number ||
            !slice_equal(gone->topic, partition->topic))
            continue;
        if (offset == gone->batch_offset && slice_equal(metadata, buf_slice(&gone->batch_map))) {
            engine_log(engine, LOG_BATCH_WAS_COMMITTED, NULL, 0);
            settle_committed(engine);
        } else if (shows_abort(engine, gone, &partition->ledger)) {
            settle_not_committed(engine);
        }
    }
}

bool settle_by_offset(struct engine *engine, struct partition *partition, int64_t offset,
                      struct slice metadata)
{
    if (!batch_is_unknown(engine) || !partition->is_in_batch)
        return true;
    if (offset == partition->batch_offset &&
        slice_equal(metadata, buf_slice(&partition->batch_map))) {
        engine_log(engine, LOG_BATCH_WAS_COMMITTED, NULL, 0);
        settle_committed(engine);
        return true;
    }
    if (!ledger_agrees(&partition->ledger, offset, metadata))
        return false;
    settle_not_committed(engine);
    return true;
}

/* Another worker uses this transactional id. Ends the worker when that happens twice in a minute
 * without a stall: else the two would fence each other without end. */
static void fenced(struct engine *engine)
{
    int64_t before_ms = engine->settle.fenced_ms;
    bool is_again =
        before_ms != INT64_MIN && engine->now_ms - before_ms < FENCED_AGAIN_MS &&
        (engine->stalled_ms == INT64_MIN || engine->now_ms - engine->stalled_ms > FENCED_AGAIN_MS);
    engine->settle.fenced_ms = engine->now_ms;
    ENGINE_LOG(engine, is_again ? LOG_FENCED_TWICE : LOG_FENCED,
               FIELD_TEXT("transactional_id", engine->config.transactional_id));
    if (!is_again || engine->has_ended)
        return;
    engine->has_ended = true;
    engine->ports.ended(engine->ports.self, 1);
}

static void become_unknown(struct engine *engine, const struct batch_end *end)
{
    ENGINE_LOG(engine, LOG_BATCH_UNKNOWN, FIELD_TEXT("reason", end->reason));
    if (end->outcome == BATCH_FENCED)
        fenced(engine);
    meter_batch(engine, "unknown", -1);
    batch_become_unknown(engine);
    for (size_t i = 0; i < batch_partitions(engine); i++)
        if (!batch_partition(engine, i)->is_gone)
            partition_doubt(engine, batch_partition(engine, i));
    settle_turn(engine);
}

void engine_offsets_committed(struct engine *engine, struct tenure tenure, uint64_t batch)
{
    struct partition *partition = slot_find(engine, tenure);
    if (partition != NULL && !engine->config.exactly_once)
        marks_told(engine, partition, batch);
}

/* ---- its end ---- */

void engine_batch_ended(struct engine *engine, const struct batch_end *end)
{
    if (!batch_is_under_way(engine) || end->id != batch_id(engine))
        return;
    switch (end->outcome) {
    case BATCH_COMMITTED:
        ENGINE_LOG(engine, LOG_BATCH_COMMITTED,
                   FIELD_INT("outputs", (int64_t)batch_outputs(engine)),
                   FIELD_INT("partitions", (int64_t)batch_partitions(engine)),
                   FIELD_INT("duration_ms", batch_age_ms(engine)));
        settle_committed(engine);
        return;
    case BATCH_ABORTED:
        aborted(engine, end);
        return;
    case BATCH_REFUSED:
        rejected(engine, end);
        return;
    case BATCH_GENERATION:
    case BATCH_MEMBER_GONE:
        member_rejected(engine, end);
        return;
    case BATCH_UNKNOWN:
    case BATCH_FENCED:
        become_unknown(engine, end);
        return;
    }
}

void settle_done(struct engine *engine)
{
    for (struct partition *partition; (partition = batch_remove_partition(engine)) != NULL;)
        if (partition->is_gone)
            partition_free(partition);
    batch_done(engine);
}
