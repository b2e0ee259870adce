/* Offsets: the engine reads a partition's committed offset and map before anything else, and again
 * whenever it has reason for doubt. The first read starts the ledger; a later one settles a batch
 * of unknown outcome and verifies the ledger. When the log was truncated or the topic recreated,
 * the ledger follows. The events are those of ports.h. */
#include "base/check.h"
#include "engine/adopt.h"
#include "engine/beginning.h"
#include "engine/delivered.h"
#include "engine/lost_calls.h"
#include "engine/job.h"
#include "engine/partition.h"
#include "engine/settle.h"
#include "engine/slots.h"
#include "engine/topic_log.h"
#include "engine/withheld.h"
#include "engine/log.h"

#define PENDING_LOG_MS 1000 /* an open transaction is worth a line then */

/* ---- the first read: start ---- */

/* What is done above the offset is unknown: to start there would answer it again. */
static void withhold_map(struct engine *engine, struct partition *partition, enum err metadata_err)
{
    enum withheld why = metadata_err == ERR_LATER_VERSION ? WITHHELD_MAP_LATER
                        : metadata_err == ERR_NOT_ALLOWED ? WITHHELD_MAP_FOREIGN
                                                          : WITHHELD_MAP_DAMAGED;
    partition_withhold(engine, partition, why, -1, -1);
}

static void start(struct engine *engine, struct partition *partition, enum err metadata_err)
{
    struct ledger *ledger = &partition->ledger;
    int64_t offset = ledger->committed_offset;
    if (metadata_err != OK) {
        withhold_map(engine, partition, metadata_err);
        return;
    }
    partition->step = PARTITION_ACTIVE;
    partition->is_verified = true;
    size_t begun = 0;
    for (size_t i = 0; i < ledger->count; i++)
        begun += ledger->entries[i].was_running;
    ENGINE_LOG(engine, LOG_PARTITION_STARTED, PARTITION_FIELDS(partition),
               FIELD_INT("offset", offset), FIELD_INT("open", (int64_t)ledger->count),
               FIELD_INT("begun", (int64_t)begun));
    engine->ports.partition_start(engine->ports.self, partition->tenure, offset,
                                  ledger_epoch(ledger, offset));
}

/* ---- a later read: verify ---- */

static void unpark(struct engine *engine, struct partition *partition)
{
    struct link parked;
    link_init(&parked);
    list_move_all(&partition->parked, &parked);
    while (!link_alone(&parked))
        job_unpark(engine, LINK_OWNER(parked.next, struct job, link));
}

static void verify(struct engine *engine, struct partition *partition, int64_t offset,
                   struct slice metadata)
{
    bool agrees = settle_by_offset(engine, partition, offset, metadata) &&
                  ledger_agrees(&partition->ledger, offset, metadata);
    if (agrees) {
        partition->is_verified = true;
        unpark(engine, partition);
        return;
    }
    ENGINE_LOG(engine, LOG_LEDGER_DIFFERS, PARTITION_FIELDS(partition));
    if (partition->step == PARTITION_REVOKING) {
        partition_give_up(engine, partition);
        return;
    }
    /* Another worker committed here and owns the partition now; the group will revoke it. If it
     * does not, the tenure begins again from the committed offset. */
    partition = partition_restart(engine, partition);
    partition_read_at(engine, partition, engine->now_ms + engine->config.stall_ms);
}

/* A transaction on the offset is still open, as it is for a moment after each commit. */
static void note_pending(struct engine *engine, struct partition *partition)
{
    if (partition->pending_since_ms == 0)
        partition->pending_since_ms = engine->now_ms;
    if (partition->is_pending_logged ||
        engine->now_ms - partition->pending_since_ms < PENDING_LOG_MS)
        return;
    partition->is_pending_logged = true;
    ENGINE_LOG(engine, LOG_OFFSETS_PENDING, PARTITION_FIELDS(partition));
}

void engine_offsets_read(struct engine *engine, struct tenure tenure, uint32_t ticket, enum err err,
                         const struct committed *committed)
{
    struct partition *partition = slot_find(engine, tenure);
    if (partition == NULL || !partition->is_read_pending || ticket != partition->read_ticket)
        return;
    partition->is_read_pending = false;
    if (err != OK) {
        if (err != ERR_UNSTABLE && !partition->is_read_logged)
            ENGINE_LOG(engine, LOG_OFFSETS_UNREADABLE, PARTITION_FIELDS(partition),
                       FIELD_TEXT("error", slice_of_text(err_words(err))));
        partition->is_read_logged = err != ERR_UNSTABLE;
        if (err == ERR_UNSTABLE)
            note_pending(engine, partition);
        partition_read_at(engine, partition, engine->now_ms + OFFSETS_AGAIN_MS);
        return;
    }
    partition->is_read_logged = partition->is_pending_logged = false;
    partition->pending_since_ms = 0;
    if (topic_log_is_recreated(partition, committed)) {
        topic_log_recreate(engine, partition, committed);
    } else if (!partition_has_ledger(partition)) {
        enum err opened = ledger_open(&partition->ledger, committed->offset, committed->metadata);
        ledger_set_epoch(&partition->ledger, committed->leader_epoch);
        topic_log_note(partition, committed);
        if (opened == OK) {
            settle_by_first_read(engine, partition, committed->offset, committed->metadata);
            delivered_collect(engine, partition);
            adopt_opened(engine, partition, committed->offset, committed->metadata);
        }
        if (committed->offset < 0)
            beginning_find(engine, partition);
        else
            start(engine, partition, opened);
    } else {
        verify(engine, partition, committed->offset, committed->metadata);
        topic_log_look(engine, slot_find(engine, tenure));
    }
}
