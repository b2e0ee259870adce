#include "engine/topic_log.h"

#include "base/check.h"
#include "engine/adopt.h"
#include "engine/beginning.h"
#include "engine/log.h"
#include "engine/lost_calls.h"
#include "engine/partition.h"
#include "engine/slots.h"
#include "engine/withheld.h"

void topic_log_note(struct partition *partition, const struct committed *committed)
{
    const struct offset_map_stamp *stamp = &partition->ledger.stamp;
    uint32_t hash = offset_map_topic(committed->topic_id);
    partition->topic_hash = hash != 0 ? hash : stamp->topic;
    partition->topic_partitions =
        committed->topic_partitions > 0 ? (uint32_t)committed->topic_partitions : stamp->partitions;
}

/* ---- recreated ---- */

/* The topic of the map, or of this tenure; 0 = unknown. */
static uint32_t topic_before(const struct partition *partition, const struct committed *committed)
{
    struct offset_map_head head;
    if (partition_has_ledger(partition))
        return partition->topic_hash;
    bool is_whole = offset_map_read_head(committed->metadata, &head) == OK &&
                    offset_map_fits(&head, committed->offset);
    return is_whole ? head.stamp.topic : 0;
}

bool topic_log_is_recreated(const struct partition *partition, const struct committed *committed)
{
    uint32_t before = topic_before(partition, committed);
    uint32_t now = offset_map_topic(committed->topic_id);
    return before != 0 && now != 0 && before != now;
}

static void activate(struct engine *engine, struct partition *partition, int64_t offset,
                     int32_t epoch)
{
    partition->step = PARTITION_ACTIVE;
    partition->is_verified = true;
    engine->ports.partition_start(engine->ports.self, partition->tenure, offset, epoch);
}

/* The broker still has the offsets of the old topic. */
void topic_log_recreate(struct engine *engine, struct partition *partition,
                        const struct committed *committed)
{
    ENGINE_LOG(engine, LOG_PARTITION_RECREATED, PARTITION_FIELDS(partition),
               FIELD_INT("offset", committed->offset));
    if (partition_has_ledger(partition))
        partition = partition_restart(engine, partition);
    lost_calls_clear(engine, partition);
    adopt_none(engine, partition);
    (void)ledger_open(&partition->ledger, committed->offset, committed->metadata);
    ledger_restart(&partition->ledger, 0);
    topic_log_note(partition, committed);
    activate(engine, partition, -2, -1);
}

/* ---- cut ---- */

/* The tenure begins again with what is committed; the caller changes its ledger. */
static struct partition *reopen(struct engine *engine, struct partition *partition)
{
    int64_t committed = partition->ledger.committed_offset;
    int32_t epoch = ledger_epoch(&partition->ledger, committed);
    uint32_t hash = partition->topic_hash, partitions = partition->topic_partitions;
    struct buf map OWNED_BY(buf_done);
    buf_init(&map, LEDGER_MAP_BYTES_MAX);
    buf_add(&map, buf_slice(&partition->ledger.committed_map));
    CHECK(map.failed == OK);
    partition = partition_restart(engine, partition);
    (void)ledger_open(&partition->ledger, committed, buf_slice(&map));
    ledger_set_epoch(&partition->ledger, epoch);
    adopt_opened(engine, partition, committed, buf_slice(&map));
    partition->topic_hash = hash;
    partition->topic_partitions = partitions;
    return partition;
}

static void cut_at(struct engine *engine, struct partition *partition, int64_t end)
{
    int64_t next = partition->ledger.next;
    bool is_in_doubt = !partition->is_verified;
    partition = reopen(engine, partition);
    int64_t lost = ledger_cut(&partition->ledger, end);
    adopt_below(engine, partition, end);
    ENGINE_LOG(engine, LOG_PARTITION_CUT, PARTITION_FIELDS(partition), FIELD_INT("end", end),
               FIELD_INT("offset", next), FIELD_INT("lost", lost));
    activate(engine, partition, partition->ledger.next, -1);
    if (is_in_doubt) /* what the log says does not show that the group still has this member */
        partition_doubt(engine, partition);
}

bool topic_log_is_cut(struct engine *engine, struct partition *partition,
                      const struct record *record)
{
    if (!ledger_is_cut_at(&partition->ledger, record->offset, record->leader_epoch))
        return false;
    cut_at(engine, partition, record->offset);
    return true;
}

/* ---- out of range ---- */

void engine_partition_out_of_range(struct engine *engine, struct tenure tenure, int64_t end)
{
    struct partition *partition = slot_find(engine, tenure);
    if (partition != NULL && beginning_is_looking(partition)) {
        beginning_gone(engine, partition);
        return;
    }
    if (partition == NULL || partition->step != PARTITION_ACTIVE)
        return;
    partition->is_out_of_range = true;
    partition->cut_end = end;
    partition_read(engine, partition); /* for the topic's id of now */
}

bool topic_log_ends_early(struct engine *engine, struct partition *partition, int64_t position)
{
    if (position > partition->ledger.map_last)
        return false;
    partition->is_end_doubted = true; /* a new leader may not know yet how far its log goes */
    engine->ports.watermarks_read(engine->ports.self, partition->tenure);
    return true;
}

void topic_log_look(struct engine *engine, struct partition *partition)
{
    if (partition != NULL && partition->step == PARTITION_ACTIVE && partition->is_out_of_range)
        engine->ports.watermarks_read(engine->ports.self, partition->tenure);
}

static void retained(struct engine *engine, struct partition *partition, int64_t low)
{
    int64_t next = partition->ledger.next;
    int64_t lost = ledger_truncate(&partition->ledger, low);
    ENGINE_LOG(engine, LOG_PARTITION_TRUNCATED, PARTITION_FIELDS(partition), FIELD_INT("low", low),
               FIELD_INT("offset", next), FIELD_INT("lost", lost));
}

/* Its offset is out of range, and the topic is the same as far as it is known. */
static void range_decide(struct engine *engine, struct partition *partition, int64_t low,
                         int64_t high)
{
    int64_t next = partition->ledger.next, end = partition->cut_end;
    partition->is_out_of_range = false;
    /* Retention may have deleted what came behind the cut: then all that is there is new. */
    bool is_below = end >= 0 && end < low;
    if (is_below || (next >= low && end >= low && end <= high)) {
        int64_t at = is_below ? low : end;
        cut_at(engine, partition, at < next ? at : next);
        return;
    }
    if (next > high || (next >= low && end == OUT_OF_RANGE_CUT)) {
        partition = reopen(engine, partition);
        partition_withhold(engine, partition, WITHHELD_CUT_LOG, -1, -1);
        return;
    }
    if (next < low)
        retained(engine, partition, low);
    engine->ports.partition_start(engine->ports.self, partition->tenure, partition->ledger.next,
                                  -1);
}

/* The log seemed to end where the map covers records. */
static void end_decide(struct engine *engine, struct partition *partition, int64_t high)
{
    partition->is_end_doubted = false;
    if (high > partition->ledger.map_last)
        return;
    if (partition->topic_hash != 0) {
        cut_at(engine, partition, high);
        return;
    }
    partition = reopen(engine, partition);
    partition_withhold(engine, partition, WITHHELD_CUT_LOG, -1, -1);
}

void engine_watermarks_read(struct engine *engine, struct tenure tenure, enum err err, int64_t low,
                            int64_t high)
{
    struct partition *partition = slot_find(engine, tenure);
    if (partition == NULL)
        return;
    if (partition->step == PARTITION_READING) {
        beginning_watermarks(engine, partition, err, low, high);
        return;
    }
    if (partition->step != PARTITION_ACTIVE ||
        (!partition->is_out_of_range && !partition->is_end_doubted))
        return;
    if (err != OK) /* read again; io waits between its tries */
        engine->ports.watermarks_read(engine->ports.self, tenure);
    else if (partition->is_out_of_range)
        range_decide(engine, partition, low, high);
    else
        end_decide(engine, partition, high);
}
