#include "engine/cut.h"

#include "engine/batch.h"
#include "engine/mark.h"
#include "engine/membership.h"
#include "engine/partition.h"
#include "engine/result.h"
#include "engine/slots.h"

/* Brokers keep the offsets of one commit as one batch of records, of at most message.max.bytes
 * (1 MiB); a larger commit fails, however often. */
#define OFFSETS_BYTES_MAX  (512 * 1024)
#define OFFSET_BESIDE      (150 + 2 * TOPIC_ROOM) /* bytes of an offset beside its map: names */
#define STALE_LOOK_MS      5000
#define ABORT_PAUSE_MIN_MS 100
#define ABORT_PAUSE_MAX_MS 10000

void cut_init(struct engine *engine)
{
    engine->cuts.limit = engine->config.batch_results_max;
    engine->cuts.last_ms = engine->now_ms - engine->config.commit_interval_ms;
    engine->cuts.last_offsets_ms = engine->cuts.last_ms;
}

/* ---- size and time ---- */

void cut_relax(struct engine *engine)
{
    uint32_t most = engine->config.batch_results_max;
    engine->cuts.aborts_in_row = 0;
    engine->cuts.after_ms = 0;
    if (engine->cuts.limit < most)
        engine->cuts.limit = engine->cuts.limit * 2 < most ? engine->cuts.limit * 2 : most;
}

int64_t cut_pause(struct engine *engine)
{
    int64_t pause_ms = ABORT_PAUSE_MIN_MS;
    for (uint32_t i = 0; i < engine->cuts.aborts_in_row && pause_ms < ABORT_PAUSE_MAX_MS; i++)
        pause_ms *= 2;
    pause_ms = pause_ms < ABORT_PAUSE_MAX_MS ? pause_ms : ABORT_PAUSE_MAX_MS;
    engine->cuts.aborts_in_row++;
    engine->cuts.after_ms = engine->now_ms + pause_ms;
    return pause_ms;
}

int64_t cut_pause_briefly(struct engine *engine)
{
    engine->cuts.after_ms = engine->now_ms + ABORT_PAUSE_MIN_MS;
    return ABORT_PAUSE_MIN_MS;
}

void cut_shrink(struct engine *engine)
{
    uint32_t answers = results_batched_answers(engine);
    if (answers > 0 && answers < engine->cuts.limit)
        engine->cuts.limit = answers;
    if (engine->cuts.limit > 1)
        engine->cuts.limit /= 2;
}

uint32_t cut_limit(const struct engine *engine)
{
    return engine->cuts.limit;
}

/* ---- content ---- */

static bool can_commit(const struct partition *partition)
{
    return partition_has_ledger(partition) && partition->is_verified;
}

/* Chooses the partitions of the cut: those with a changed ledger, as many as one commit takes, the
 * ones that wait longest first. */
static void choose_partitions(struct engine *engine)
{
    size_t bytes = 0, count = 0;
    struct partition *partition = NULL;
    while ((partition = slots_next_changed(engine, partition)) != NULL) {
        if (!can_commit(partition))
            continue;
        bytes += OFFSET_BESIDE + ledger_map_bound(&partition->ledger);
        if (bytes > OFFSETS_BYTES_MAX && count > 0)
            return;
        partition->is_in_cut = true;
        count++;
    }
}

/* Adds answers up to the limits, and all usage of calls that ended without one: a map can name only
 * one call of a request as running or not recorded. */
static void take_results(struct engine *engine)
{
    uint32_t count = 0;
    uint64_t bytes = 0;
    bool is_full = false;
    struct result *next;
    for (struct result *result = result_first(engine, RESULT_QUEUED); result != NULL;
         result = next) {
        next = result_next(engine, result);
        if (result->partition != NULL && !result->partition->is_in_cut)
            continue;
        is_full = is_full || count == engine->cuts.limit ||
                  (count > 0 && bytes + result->bytes > engine->config.batch_bytes_max);
        if (is_full && result->job != NULL)
            continue;
        count++;
        bytes += result->bytes;
        batch_add_result(engine, result);
    }
}

/* Adds offset and map of the chosen partitions. A batch of only orphans also takes a partition: if
 * its outcome becomes unknown, an offset must show it. */
static void take_offsets(struct engine *engine)
{
    struct partition *partition = slots_next_changed(engine, NULL), *next;
    for (; partition != NULL; partition = next) {
        next = slots_next_changed(engine, partition);
        if (partition->is_in_cut)
            batch_add_offset(engine, partition);
        partition->is_in_cut = false;
    }
    uint32_t cursor = 0;
    while (batch_outputs(engine) > 0 && batch_partitions(engine) == 0 &&
           (partition = slots_next(engine, &cursor)) != NULL)
        if (can_commit(partition))
            batch_add_offset(engine, partition);
}

/* ---- cuts ---- */

static bool is_draining(const struct engine *engine)
{
    if (engine->is_stopping)
        return true;
    const struct link *due = &engine->slots.due;
    for (struct link *link = due->next; link != due; link = link->next) {
        const struct partition *partition = LINK_OWNER(link, struct partition, link_due);
        if (partition->step == PARTITION_REVOKING && !partition->is_gone)
            return true;
    }
    return false;
}

/* Whether all partitions are in doubt while their offsets are read: one of them can soon show the
 * outcome of a batch. */
static bool is_witness_near(const struct engine *engine)
{
    bool is_near = false;
    uint32_t cursor = 0;
    for (const struct partition *partition; (partition = slots_next(engine, &cursor)) != NULL;) {
        if (!partition_has_ledger(partition))
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
    if (is_member)
        choose_partitions(engine);
    take_results(engine);
    if (is_member)
        take_offsets(engine);
    engine->cuts.last_ms = engine->now_ms;
    if (batch_partitions(engine) > 0) {
        engine->cuts.last_offsets_ms = engine->now_ms;
        marks_cut(engine);
    } else if (batch_outputs(engine) == 0) {
        return;
    }
    batch_open(engine, membership_number(engine),
               results_queued(engine) == 0 && is_draining(engine));
}

static bool has_changed_ledger(struct engine *engine)
{
    struct partition *partition = NULL;
    while ((partition = slots_next_changed(engine, partition)) != NULL)
        if (partition->is_verified)
            return true;
    return false;
}

/* When the next cut is due: results wait for commit_interval only under exactly_once, changed maps
 * in both modes. A stop in a hurry waits for neither. */
static int64_t cut_due_ms(struct engine *engine)
{
    int64_t due_ms = INT64_MAX;
    if (engine->is_hurrying && (results_queued(engine) > 0 || has_changed_ledger(engine)))
        due_ms = engine->now_ms;
    else if (results_queued(engine) > 0)
        due_ms = engine->config.exactly_once
                     ? engine->cuts.last_ms + engine->config.commit_interval_ms
                     : engine->now_ms;
    else if (has_changed_ledger(engine))
        due_ms =
            (engine->config.exactly_once ? engine->cuts.last_ms : engine->cuts.last_offsets_ms) +
            engine->config.commit_interval_ms;
    return due_ms < engine->cuts.after_ms ? engine->cuts.after_ms : due_ms;
}

/* A map that tells calls as under way that have ended, or as marked that run, is no reason for a
 * commit at once; but it is not left for long. */
static void renew_stale_maps(struct engine *engine)
{
    if (engine->now_ms < engine->cuts.stale_look_ms)
        return;
    engine->cuts.stale_look_ms = engine->now_ms + STALE_LOOK_MS;
    uint32_t cursor = 0;
    for (struct partition *partition; (partition = slots_next(engine, &cursor)) != NULL;)
        if (partition->ledger.is_stale)
            ledger_change(&partition->ledger);
}

void cut_turn(struct engine *engine, int64_t *ret_next_ms)
{
    if (engine->config.write_ahead)
        renew_stale_maps(engine);
    if (batch_is_open(engine) || engine->has_ended)
        return;
    int64_t due_ms = cut_due_ms(engine);
    if (due_ms <= engine->now_ms)
        cut(engine);
    else if (due_ms < *ret_next_ms)
        *ret_next_ms = due_ms;
}
