#include "engine/hold.h"

#include "engine/slots.h"

void hold_init(struct engine *engine)
{
    share_init(&engine->hold.count_share, engine->config.max_held);
    share_init(&engine->hold.bytes_share, engine->config.max_held_bytes);
}

void hold_recount(struct engine *engine)
{
    uint32_t cursor = 0;
    share_restart(&engine->hold.count_share, slots_used(engine));
    share_restart(&engine->hold.bytes_share, slots_used(engine));
    for (struct partition *partition; (partition = slots_next(engine, &cursor)) != NULL;) {
        share_count(&engine->hold.count_share, partition->held);
        share_count(&engine->hold.bytes_share, partition->held_bytes);
    }
}

void hold_count(struct engine *engine, struct partition *partition, int change)
{
    uint32_t before = partition->held;
    partition->held += (uint32_t)change;
    engine->hold.count += (uint32_t)change;
    if (!partition->is_gone)
        share_change(&engine->hold.count_share, before, partition->held);
}

void hold_bytes(struct engine *engine, struct partition *partition, uint64_t before, uint64_t after)
{
    uint64_t had = partition->held_bytes;
    partition->held_bytes = had - before + after;
    engine->hold.bytes = engine->hold.bytes - before + after;
    if (!partition->is_gone)
        share_change(&engine->hold.bytes_share, had, partition->held_bytes);
}

uint32_t held_count(const struct engine *engine)
{
    return engine->hold.count;
}

uint64_t held_bytes(const struct engine *engine)
{
    return engine->hold.bytes;
}

uint64_t hold_room_count(const struct engine *engine, const struct partition *partition)
{
    uint64_t room = share_room(&engine->hold.count_share, partition->held);
    uint64_t left = engine->config.max_held - engine->hold.count;
    return room < left ? room : left;
}

uint64_t hold_room_bytes(const struct engine *engine, const struct partition *partition)
{
    uint64_t room = share_room(&engine->hold.bytes_share, partition->held_bytes);
    return room == 0 && engine->hold.count == 0 ? 1 : room;
}
