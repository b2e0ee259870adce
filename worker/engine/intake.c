/* Intake: what the worker takes of a partition now, and why not more. The events are those of
 * ports.h. */
#include "base/check.h"
#include "engine/hold.h"
#include "engine/job.h"
#include "engine/slots.h"
#include "engine/tell.h"

/* What requests wait for when it is not a target. */
static const char *const WAITS[] = {"their commit", "earlier ones of their key",
                                    "the look-up of their reply topic"};

static uint32_t *count_of(const struct job *job, uint32_t waits[COUNT_OF(WAITS)])
{
    if (job_is_finished(job))
        return &waits[0];
    if (job->step == JOB_BLOCKED)
        return &waits[1];
    return job->target == NULL ? &waits[2] : &job->target->counted;
}

/* What most of the requests of a partition wait for, and how many do. */
static struct slice awaited(struct engine *engine, const struct partition *partition,
                            uint32_t *ret_waiting)
{
    uint32_t waits[COUNT_OF(WAITS)] = {0};
    for (struct link *link = engine->targets.next; link != &engine->targets; link = link->next)
        LINK_OWNER(link, struct target, link)->counted = 0;
    for (struct link *link = partition->jobs.next; link != &partition->jobs; link = link->next)
        ++*count_of(LINK_OWNER(link, struct job, link_partition), waits);
    size_t most = 0;
    for (size_t i = 1; i < COUNT_OF(WAITS); i++)
        most = waits[i] > waits[most] ? i : most;
    struct slice what = slice_of_text(WAITS[most]);
    *ret_waiting = waits[most];
    for (struct link *link = engine->targets.next; link != &engine->targets; link = link->next) {
        const struct target *target = LINK_OWNER(link, struct target, link);
        if (target->counted <= *ret_waiting)
            continue;
        *ret_waiting = target->counted;
        what = target->model;
    }
    return what;
}

static void tell_full_share(struct engine *engine, struct partition *partition, const char *setting)
{
    if (!tell_now(engine, &partition->share_told_ms))
        return;
    uint32_t waiting;
    struct slice target = awaited(engine, partition, &waiting);
    ENGINE_LOG(engine, LOG_SHARE_FULL, PARTITION_FIELDS(partition),
               FIELD_TEXT("setting", slice_of_text(setting)), FIELD_INT("held", partition->held),
               FIELD_INT("waiting", waiting), FIELD_TEXT("target", target));
}

static void tell_full_map(struct engine *engine, struct partition *partition)
{
    if (!tell_now(engine, &partition->map_told_ms))
        return;
    ENGINE_LOG(engine, LOG_PARTITION_FULL_MAP, PARTITION_FIELDS(partition),
               FIELD_INT("open", (int64_t)partition->ledger.count),
               FIELD_INT("offset", ledger_front(&partition->ledger)));
}

size_t engine_room(struct engine *engine, struct tenure tenure)
{
    struct partition *partition = slot_find(engine, tenure);
    if (partition == NULL || engine->is_stopping || partition->step != PARTITION_ACTIVE)
        return 0;
    uint64_t room = hold_room_count(engine, partition);
    uint64_t bytes = hold_room_bytes(engine, partition);
    size_t map = ledger_room(&partition->ledger);
    if (room == 0 || bytes == 0)
        tell_full_share(engine, partition,
                        room == 0 ? "delivery.max_held" : "delivery.max_held_bytes");
    if (map == 0)
        tell_full_map(engine, partition);
    uint64_t by_bytes = bytes == 0 ? 0 : bytes / engine->config.max_request_bytes + 1;
    room = room < by_bytes ? room : by_bytes;
    return room < map ? room : map;
}

void engine_record(struct engine *engine, struct tenure tenure, const struct record *record)
{
    struct partition *partition = slot_find(engine, tenure);
    if (partition == NULL || partition->step != PARTITION_ACTIVE)
        return;
    if (ledger_fits(&partition->ledger, record->offset)) {
        job_take(engine, partition, record);
        return;
    }
    /* The map is full, and the log has no record any more where the map spoke of one: this one is
     * above. It is fetched again when there is room. */
    ledger_end(&partition->ledger, record->offset);
    engine->ports.partition_start(engine->ports.self, tenure, record->offset);
}

void engine_partition_end(struct engine *engine, struct tenure tenure, int64_t position)
{
    struct partition *partition = slot_find(engine, tenure);
    if (partition != NULL && partition->step == PARTITION_ACTIVE)
        ledger_end(&partition->ledger, position);
}
