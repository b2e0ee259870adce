/* What delivery.write_ahead promises: a call begins only when a committed map tells it as under
 * way, and no billed call is missing from usage, whatever is killed when. Every call counts as
 * billed until its end says that it cost nothing. */
#include "world.h"

#include "wire/formats/offset_map.h"

/* Whether the committed map tells this request as under way. */
static bool is_told(const struct fake_log *log, int64_t offset)
{
    static struct offset_open open[4096];
    size_t count = 0;
    int64_t last;
    if (log->offset < 0 || offset_map_read(slice_of(log->metadata, log->metadata_len), log->offset,
                                           open, COUNT_OF(open), &count, &last) != OK)
        return false;
    for (size_t i = 0; i < count; i++)
        if (open[i].offset == offset)
            return open[i].is_under_way;
    return false;
}

/* Calls of live workers for this request that may be billed and are not recorded yet. */
static int count_open(const struct world *world, int log, int64_t offset)
{
    int count = 0;
    for (int i = 0; i < world->worker_count; i++) {
        const struct account *account = &world->workers[i].accounts[log][offset];
        if (world->workers[i].engine != NULL)
            count += account->open + account->owed + account->orphans;
    }
    return count;
}

void marks_call_began(struct world *world, const struct worker *worker, int log, int64_t offset,
                      bool has_two_owners)
{
    const struct account *account = &worker->accounts[log][offset];
    struct fake_record *record = kafka_record(world, log, offset);
    record->billed += !record->is_count;
    if (!world->config.write_ahead || world->logs[log].is_recreated)
        return;
    MUST(world, account->owed == 0); /* that call uses the mark */
    if (!has_two_owners) /* else its successor has recorded its mark, and may have cleared it */
        MUST(world, is_told(&world->logs[log], offset));
}

void marks_call_cost_nothing(struct fake_record *record)
{
    record->billed -= !record->is_count;
}

void marks_usage(struct fake_record *record)
{
    record->booked++;
}

void marks_check(struct world *world)
{
    for (int log = 0; world->config.write_ahead && log < world->log_count; log++)
        for (int64_t offset = 0; offset < world->logs[log].end; offset++) {
            const struct fake_record *record = kafka_record(world, log, offset);
            if (record->is_gone || world->logs[log].is_recreated)
                continue;
            MUST(world, record->billed <= record->booked + count_open(world, log, offset) +
                                              record->is_lost_expected);
        }
}
