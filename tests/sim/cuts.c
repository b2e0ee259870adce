/* Logs that are cut, as an unclean leader election does: the last records are gone, and others come
 * at their offsets under a new leader epoch, perhaps before any worker has noticed. A cut hits a
 * log whose requests are all answered and booked, so the books of what it takes away are closed. */
#include "world.h"

#include <string.h>

#define CUT_MOST 6

/* Where a log ends whose last leader had this epoch. */
static int64_t end_of_epoch(const struct fake_log *log, int32_t epoch)
{
    for (int64_t offset = log->low; offset < log->end; offset++)
        if (log->records[offset].epoch > epoch)
            return offset;
    return log->end;
}

int64_t kafka_cut_below(const struct fake_log *log, int64_t position, int32_t epoch)
{
    if (epoch < 0 || epoch >= log->epoch || log->is_recreated)
        return -1;
    int64_t end = end_of_epoch(log, epoch);
    return end < position ? end : -1;
}

bool kafka_is_cut_noticed(const struct world *world, int index)
{
    const struct fake_log *log = &world->logs[index];
    if (!log->is_cut)
        return true;
    for (int i = 0; i < world->worker_count; i++) {
        const struct worker *worker = &world->workers[i];
        if (worker->has_tenure[index] && worker->positions[index] >= 0 &&
            kafka_cut_below(log, worker->positions[index], worker->epochs[index]) >= 0)
            return false;
    }
    return kafka_cut_below(log, log->offset, log->committed_epoch) < 0;
}

/* Whether everybody can notice a cut: epochs are known wherever there is a position. */
static bool is_noticeable(const struct world *world, int index)
{
    const struct fake_log *log = &world->logs[index];
    for (int i = 0; i < world->worker_count; i++) {
        const struct worker *worker = &world->workers[i];
        if (worker->has_tenure[index] && worker->epochs[index] != log->epoch)
            return false;
    }
    return log->committed_epoch == log->epoch && !log->is_cut;
}

static void close_books(struct world *world, int index, int64_t from)
{
    struct fake_log *log = &world->logs[index];
    audit_check_log(world, index);
    for (int64_t offset = 0; offset < RECORDS_MAX; offset++) {
        struct fake_record *record = &log->records[offset];
        record->died_may = record->died_must = 0;
        for (int i = 0; i < world->worker_count; i++) {
            struct worker *worker = &world->workers[i];
            memset(&worker->tried[index][offset], 0, sizeof worker->tried[index][offset]);
            if (offset >= from)
                memset(&worker->accounts[index][offset], 0, sizeof worker->accounts[index][offset]);
        }
    }
    for (size_t key = 0; key < COUNT_OF(log->last_answers); key++)
        log->last_answers[key] = (struct last_answer){-1, -1};
}

void kafka_cut(struct world *world)
{
    int index = (int)random_below(&world->random, (uint64_t)world->log_count);
    struct fake_log *log = &world->logs[index];
    int64_t most = log->end - log->low < CUT_MOST ? log->end - log->low : CUT_MOST;
    if (most == 0 || !kafka_is_quiet(world, index) || !is_noticeable(world, index))
        return;
    int64_t from = log->end - 1 - (int64_t)random_below(&world->random, (uint64_t)most);
    close_books(world, index, from);
    log->epoch++;
    log->is_cut = true;
    log->end = from;
    log->planned = from + 1 + (int64_t)random_below(&world->random, (uint64_t)(RECORDS_MAX - from));
    kafka_draw_records(world, log, from);
    world->cuts++;
    world_note(world, "log %d is cut at %lld", index, (long long)from);
    /* Perhaps it has grown again before anybody looks. */
    for (uint64_t more = random_below(&world->random, 2 * CUT_MOST);
         more > 0 && log->end < log->planned - 1; more--)
        log->end++;
    world_add(world, EVENT_PRODUCE, NULL, world_delay(world, 800))->a = index;
}
