/* Intake: how many records the worker takes from a partition now, and why not more. The events are
 * those of ports.h. */
#include "base/check.h"
#include "engine/beginning.h"
#include "engine/dispatch.h"
#include "engine/hold.h"
#include "engine/adopt.h"
#include "engine/job.h"
#include "engine/job_pool.h"
#include "engine/log.h"
#include "engine/shelf.h"
#include "engine/slots.h"
#include "engine/target.h"
#include "engine/topic_log.h"

/* What most requests of a partition wait for. */
struct awaited {
    enum wait wait;
    const struct target *target; /* NULL: the reason is not a target's */
    uint32_t count;
};

/* Counts all reasons of one target together. */
static void find_awaited(struct engine *engine, const struct partition *partition,
                         struct awaited *ret)
{
    uint32_t counts[WAIT_COUNT] = {0};
    struct target *target = NULL;
    *ret = (struct awaited){.wait = WAIT_NOTHING};
    while ((target = targets_next(engine, target)) != NULL)
        target->counted = 0;
    for (struct link *link = partition->jobs.next; link != &partition->jobs; link = link->next) {
        const struct job *job = LINK_OWNER(link, struct job, link_partition);
        enum wait wait = wait_of(engine, job);
        bool is_targets = wait_whose(wait) == WAIT_OF_TARGET;
        uint32_t count = is_targets ? ++job->target->counted : ++counts[wait];
        if (count > ret->count)
            *ret = (struct awaited){
                .wait = wait, .target = is_targets ? job->target : NULL, .count = count};
    }
}

static void log_full_share(struct engine *engine, struct partition *partition, const char *setting)
{
    if (!log_is_due(engine, &partition->share_log_due_ms))
        return;
    struct awaited most;
    find_awaited(engine, partition, &most);
    ENGINE_LOG(engine, LOG_SHARE_FULL, PARTITION_FIELDS(partition),
               FIELD_TEXT("setting", slice_of_text(setting)), FIELD_INT("held", partition->held),
               FIELD_INT("waiting", most.count),
               FIELD_TEXT("target", most.target != NULL ? most.target->model
                                                        : slice_of_text(wait_text(most.wait))),
               FIELD_TEXT("wait", slice_of_text(wait_name(most.wait))));
}

static void log_full_map(struct engine *engine, struct partition *partition)
{
    if (!log_is_due(engine, &partition->map_log_due_ms))
        return;
    ENGINE_LOG(engine, LOG_PARTITION_FULL_MAP, PARTITION_FIELDS(partition),
               FIELD_INT("open", (int64_t)partition->ledger.count),
               FIELD_INT("offset", ledger_front(&partition->ledger)));
}

size_t engine_room(struct engine *engine, struct tenure tenure)
{
    struct partition *partition = slot_find(engine, tenure);
    if (partition == NULL || engine->is_stopping)
        return 0;
    bool is_looking = beginning_is_looking(partition);
    if (partition->step != PARTITION_ACTIVE && !is_looking)
        return 0;
    hold_ask(engine, partition);
    (void)adopt_make_room(engine, partition);
    uint64_t room = hold_room_count(engine, partition);
    uint64_t bytes = hold_room_bytes(engine, partition);
    size_t map = ledger_room(&partition->ledger);
    if (room == 0 || bytes == 0)
        log_full_share(engine, partition,
                       room == 0 ? "delivery.max_held" : "delivery.max_held_bytes");
    if (map == 0)
        log_full_map(engine, partition);
    uint64_t by_bytes = bytes == 0 ? 0 : bytes / engine->config.max_request_bytes + 1;
    room = room < by_bytes ? room : by_bytes;
    if (is_looking)
        return room > 0 ? 1 : 0;
    room = room < map ? room : map;
    if (room > 0)
        partition->is_refused = false;
    partition->is_room_for_shelf =
        room == 0 && map > 0 && shelf_first(partition) != NULL && !partition->is_refused;
    return partition->is_room_for_shelf ? 1 : room;
}

/* A record came in a room that only one of the shelf needs not to share: it is fetched again when
 * there is room. */
static void refuse(struct engine *engine, struct partition *partition, const struct record *record)
{
    partition->is_refused = true;
    engine->ports.partition_start(engine->ports.self, partition->tenure, record->offset, -1);
}

static void take(struct engine *engine, struct partition *partition, const struct record *record)
{
    bool may_take = !partition->is_room_for_shelf && jobs_are_free(engine);
    if (!ledger_is_open(&partition->ledger, record->offset))
        (void)ledger_take(&partition->ledger, record->offset, LEDGER_NO_JOB);
    else if (adopt_record(engine, partition, record))
        return;
    else if (may_take || adopt_make_room(engine, partition))
        job_take(engine, partition, record);
    else
        refuse(engine, partition, record);
}

bool engine_is_full(const struct engine *engine)
{
    bool is_full = held_count(engine) >= engine->config.max_held ||
                   (held_count(engine) > 0 && held_bytes(engine) >= engine->config.max_held_bytes);
    /* What the shelf holds needs no room, or makes some. */
    return engine->is_stopping || (is_full && shelf_count(engine) == 0);
}

void engine_partition_empty(struct engine *engine, struct tenure tenure)
{
    struct partition *partition = slot_find(engine, tenure);
    if (partition != NULL)
        hold_be_quiet(engine, partition);
}

bool engine_partition_is_idle(struct engine *engine, struct tenure tenure)
{
    const struct partition *partition = slot_find(engine, tenure);
    return partition != NULL && !engine->is_stopping && partition->step == PARTITION_ACTIVE &&
           partition->held == 0 && hold_room_count(engine, partition) > 0 &&
           hold_room_bytes(engine, partition) > 0 && ledger_room(&partition->ledger) > 0;
}

void engine_record(struct engine *engine, struct tenure tenure, const struct record *record)
{
    struct partition *partition = slot_find(engine, tenure);
    if (partition != NULL && beginning_is_looking(partition) &&
        !beginning_record(engine, partition, record))
        return;
    if (partition == NULL || partition->step != PARTITION_ACTIVE)
        return;
    if (topic_log_is_cut(engine, partition, record))
        return;
    ledger_see(&partition->ledger, record->offset, record->leader_epoch);
    if (ledger_fits(&partition->ledger, record->offset)) {
        take(engine, partition, record);
        return;
    }
    /* The map is full, and the log has no record any more where the map spoke of one: this one is
     * above. It is fetched again when there is room. */
    ledger_end(&partition->ledger, record->offset);
    engine->ports.partition_start(engine->ports.self, tenure, record->offset, -1);
}

void engine_partition_end(struct engine *engine, struct tenure tenure, int64_t position)
{
    struct partition *partition = slot_find(engine, tenure);
    if (partition != NULL && beginning_is_looking(partition))
        beginning_end(engine, partition, position);
    else if (partition != NULL && partition->step == PARTITION_ACTIVE &&
             !topic_log_ends_early(engine, partition, position))
        ledger_end(&partition->ledger, position);
}
