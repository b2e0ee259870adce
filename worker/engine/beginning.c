#include "engine/beginning.h"

#include "base/check.h"
#include "engine/log.h"
#include "engine/partition.h"
#include "engine/slots.h"
#include "engine/withheld.h"

#define FRESH_MS 3600000 /* of the first record's time, before and after now */

/* ---- the place is known ---- */

static void begin_at(struct engine *engine, struct partition *partition, int64_t offset,
                     const char *reason)
{
    struct ledger *ledger = &partition->ledger;
    CHECK(ledger_open(ledger, offset, SLICE_NULL) == OK);
    ledger->committed_offset = -1;
    ledger_change(ledger); /* the next cut commits it */
    partition->beginning = BEGINNING_KNOWN;
    partition->step = PARTITION_ACTIVE;
    partition->is_verified = true;
    ENGINE_LOG(engine, LOG_PARTITION_EARLIEST, PARTITION_FIELDS(partition),
               FIELD_INT("offset", offset), FIELD_TEXT("reason", slice_of_text(reason)));
}

static void look_at_first(struct engine *engine, struct partition *partition)
{
    partition->beginning = BEGINNING_FIRST;
    engine->ports.partition_start(engine->ports.self, partition->tenure, -2, -1);
}

static void look_at_end(struct engine *engine, struct partition *partition,
                        enum partition_beginning beginning)
{
    partition->beginning = beginning;
    engine->ports.watermarks_read(engine->ports.self, partition->tenure);
}

/* ---- the questions ---- */

void beginning_find(struct engine *engine, struct partition *partition)
{
    partition->step = PARTITION_READING;
    partition->is_added = false;
    if (engine->config.start == START_EARLIEST) {
        look_at_first(engine, partition);
        return;
    }
    partition->beginning = BEGINNING_SIBLINGS;
    partition->is_read_pending = true;
    partition->read_ticket = ++engine->next_ticket;
    engine->ports.siblings_read(engine->ports.self, partition->tenure, partition->read_ticket);
}

/* How many partitions the topic had when the map was written; 0 = it does not say. */
static uint32_t partitions_of(const struct committed *sibling)
{
    struct offset_map_head head;
    bool is_whole = offset_map_read_head(sibling->metadata, &head) == OK &&
                    offset_map_fits(&head, sibling->offset);
    return is_whole ? head.stamp.partitions : 0;
}

/* Whether the topic has got the partition after all of its siblings' maps were written. One whose
 * map does not say how many partitions there were says nothing. */
static bool is_added(const struct partition *partition, const struct committed *siblings,
                     size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t partitions = partitions_of(&siblings[i]);
        if (partitions == 0 || (uint32_t)partition->number < partitions)
            return false;
    }
    return count > 0;
}

void engine_siblings_read(struct engine *engine, struct tenure tenure, uint32_t ticket,
                          enum err err, const struct committed *siblings, size_t count)
{
    struct partition *partition = slot_find(engine, tenure);
    if (partition == NULL || !partition->is_read_pending || ticket != partition->read_ticket ||
        partition->step != PARTITION_READING || partition->beginning != BEGINNING_SIBLINGS)
        return;
    partition->is_read_pending = false;
    if (err != OK) { /* again from the start, after a pause */
        partition_read_at(engine, partition, engine->now_ms + OFFSETS_AGAIN_MS);
        return;
    }
    partition->is_added = is_added(partition, siblings, count);
    if (engine->config.start == START_LATEST && !partition->is_added)
        look_at_end(engine, partition, BEGINNING_END);
    else
        look_at_first(engine, partition);
}

/* ---- what the log says ---- */

static bool is_fresh(const struct engine *engine, const struct record *record)
{
    return record->timestamp_ms >= engine->wall_ms - FRESH_MS &&
           record->timestamp_ms <= engine->wall_ms + FRESH_MS;
}

bool beginning_record(struct engine *engine, struct partition *partition,
                      const struct record *record)
{
    const char *reason = partition->is_added                      ? "the partition is new"
                         : engine->config.start == START_EARLIEST ? "kafka.start is earliest"
                         : is_fresh(engine, record)               ? "its first record is fresh"
                                                                  : NULL;
    if (reason != NULL) {
        begin_at(engine, partition, record->offset, reason);
        return true;
    }
    partition->withheld_records = record->offset; /* until the log's end is known */
    partition->withheld_age_ms =
        record->timestamp_ms < 0 ? -1 : engine->wall_ms - record->timestamp_ms;
    look_at_end(engine, partition, BEGINNING_COUNT);
    return false;
}

void beginning_gone(struct engine *engine, struct partition *partition)
{
    look_at_first(engine, partition);
}

void beginning_end(struct engine *engine, struct partition *partition, int64_t position)
{
    begin_at(engine, partition, position, "the log has no record");
}

void beginning_watermarks(struct engine *engine, struct partition *partition, enum err err,
                          int64_t low, int64_t high)
{
    (void)low;
    enum partition_beginning beginning = partition->beginning;
    if (partition->step != PARTITION_READING ||
        (beginning != BEGINNING_END && beginning != BEGINNING_COUNT))
        return;
    if (err != OK) { /* io waits between its tries */
        look_at_end(engine, partition, beginning);
    } else if (beginning == BEGINNING_END) {
        begin_at(engine, partition, high, "kafka.start is latest");
        engine->ports.partition_start(engine->ports.self, partition->tenure, high, -1);
    } else {
        int64_t records = high - partition->withheld_records;
        partition->beginning = BEGINNING_KNOWN;
        partition_withhold(engine, partition, WITHHELD_NO_OFFSET, records > 0 ? records : 0,
                           partition->withheld_age_ms);
    }
}
