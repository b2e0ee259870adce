#include "engine/hold.h"

#include "engine/slots.h"

#define RESERVE_PART 16    /* of each limit */
#define LATELY_MS    10000 /* how long a partition claims what it held */

void hold_init(struct engine *engine)
{
    share_init(&engine->hold.count_share, engine->config.max_held);
    share_init(&engine->hold.bytes_share, engine->config.max_held_bytes);
    link_init(&engine->hold.quiet);
}

/* ---- what a partition claims ---- */

static struct share_party count_party(const struct partition *partition)
{
    uint64_t most = partition->demand.is_asking ? UINT64_MAX : partition->demand.count;
    return (struct share_party){.has = partition->held, .most = most};
}

static struct share_party bytes_party(const struct partition *partition)
{
    uint64_t most = partition->demand.is_asking ? UINT64_MAX : partition->demand.bytes;
    return (struct share_party){.has = partition->held_bytes, .most = most};
}

static void reserve(struct share_pool *pool, uint64_t asking)
{
    uint64_t most = (pool->parties - asking) * share_each(pool);
    uint64_t part = pool->max / RESERVE_PART > 0 ? pool->max / RESERVE_PART : 1;
    share_set_reserve(pool, part < most ? part : most);
}

static void reserve_both(struct engine *engine)
{
    reserve(&engine->hold.count_share, engine->hold.asking);
    reserve(&engine->hold.bytes_share, engine->hold.asking);
}

/* Counts the partition's claims again after a change of its demand. */
static void claim_again(struct engine *engine, const struct partition *partition,
                        struct share_party count, struct share_party bytes)
{
    if (engine->hold.is_share_old)
        return;
    share_change_party(&engine->hold.count_share, count, count_party(partition));
    share_change_party(&engine->hold.bytes_share, bytes, bytes_party(partition));
}

static void set_asking(struct engine *engine, struct partition *partition, bool is_asking)
{
    struct share_party count = count_party(partition), bytes = bytes_party(partition);
    partition->demand.is_asking = is_asking;
    if (is_asking)
        engine->hold.asking++;
    else
        engine->hold.asking--;
    claim_again(engine, partition, count, bytes);
    if (!engine->hold.is_share_old)
        reserve_both(engine);
}

/* Notes the most that it held lately. */
static void note(uint64_t now, int64_t now_ms, uint64_t *most, int64_t *most_ms)
{
    if (now < *most && now_ms - *most_ms <= LATELY_MS)
        return;
    *most = now;
    *most_ms = now_ms;
}

void hold_ask(struct engine *engine, struct partition *partition)
{
    if (partition->is_gone || partition->demand.is_asking)
        return;
    link_out(&partition->demand.link);
    set_asking(engine, partition, true);
}

void hold_be_quiet(struct engine *engine, struct partition *partition)
{
    struct demand *demand = &partition->demand;
    if (partition->is_gone || !demand->is_asking)
        return;
    note(partition->held, engine->now_ms, &demand->count, &demand->count_ms);
    note(partition->held_bytes, engine->now_ms, &demand->bytes, &demand->bytes_ms);
    set_asking(engine, partition, false);
    if (demand->count == 0)
        return;
    demand->quiet_ms = engine->now_ms;
    list_add_last(&engine->hold.quiet, &demand->link);
}

static void forget_demand(struct engine *engine, struct partition *partition)
{
    struct share_party count = count_party(partition), bytes = bytes_party(partition);
    link_out(&partition->demand.link);
    partition->demand.count = partition->demand.bytes = 0;
    claim_again(engine, partition, count, bytes);
}

/* ---- the shares ---- */

void hold_enter(struct engine *engine, struct partition *partition)
{
    link_init(&partition->demand.link);
    engine->hold.is_share_old = true;
}

void hold_leave(struct engine *engine, struct partition *partition)
{
    link_out(&partition->demand.link);
    if (partition->demand.is_asking)
        engine->hold.asking--;
    engine->hold.is_share_old = true;
}

static void recount(struct engine *engine)
{
    struct hold *hold = &engine->hold;
    uint32_t cursor = 0;
    hold->is_share_old = false;
    share_restart(&hold->count_share, slots_used(engine));
    share_restart(&hold->bytes_share, slots_used(engine));
    for (struct partition *partition; (partition = slots_next(engine, &cursor)) != NULL;) {
        share_count_party(&hold->count_share, count_party(partition));
        share_count_party(&hold->bytes_share, bytes_party(partition));
    }
    reserve_both(engine);
}

static void bring_up_to_date(struct engine *engine)
{
    struct hold *hold = &engine->hold;
    if (hold->is_share_old)
        recount(engine);
    while (!link_alone(&hold->quiet)) {
        struct partition *longest =
            LINK_OWNER(list_first(&hold->quiet), struct partition, demand.link);
        if (longest->demand.quiet_ms + LATELY_MS > engine->now_ms)
            return;
        forget_demand(engine, longest);
    }
}

/* ---- what is held ---- */

void hold_count(struct engine *engine, struct partition *partition, int change)
{
    struct share_party before = count_party(partition);
    partition->held += (uint32_t)change;
    engine->hold.count += (uint32_t)change;
    if (partition->is_gone)
        return;
    if (partition->demand.is_asking)
        note(partition->held, engine->now_ms, &partition->demand.count,
             &partition->demand.count_ms);
    if (!engine->hold.is_share_old)
        share_change_party(&engine->hold.count_share, before, count_party(partition));
}

void hold_bytes(struct engine *engine, struct partition *partition, uint64_t before, uint64_t after)
{
    struct share_party party = bytes_party(partition);
    partition->held_bytes = partition->held_bytes - before + after;
    engine->hold.bytes = engine->hold.bytes - before + after;
    if (partition->is_gone)
        return;
    if (partition->demand.is_asking)
        note(partition->held_bytes, engine->now_ms, &partition->demand.bytes,
             &partition->demand.bytes_ms);
    if (!engine->hold.is_share_old)
        share_change_party(&engine->hold.bytes_share, party, bytes_party(partition));
}

uint32_t held_count(const struct engine *engine)
{
    return engine->hold.count;
}

uint64_t held_bytes(const struct engine *engine)
{
    return engine->hold.bytes;
}

/* ---- room ---- */

uint64_t hold_room_count(struct engine *engine, const struct partition *partition)
{
    const struct share_party party = {.has = partition->held, .most = UINT64_MAX};
    bring_up_to_date(engine);
    uint64_t room = share_room_party(&engine->hold.count_share, party);
    uint64_t left = engine->config.max_held - engine->hold.count;
    return room < left ? room : left;
}

uint64_t hold_room_bytes(struct engine *engine, const struct partition *partition)
{
    const struct share_party party = {.has = partition->held_bytes, .most = UINT64_MAX};
    const struct share_pool *pool = &engine->hold.bytes_share;
    uint64_t most = engine->config.max_held_bytes;
    bring_up_to_date(engine);
    uint64_t room = share_room_party(pool, party);
    uint64_t left = engine->hold.bytes < most ? most - engine->hold.bytes : 0;
    bool is_beyond_share = party.has >= share_each(pool);
    room = room < left ? room : left;
    if (is_beyond_share && room < engine->config.max_request_bytes)
        room = 0;
    return room == 0 && engine->hold.count == 0 ? 1 : room;
}
