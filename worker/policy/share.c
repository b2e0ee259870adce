#include "policy/share.h"

#include "base/check.h"

void share_init(struct share_pool *pool, uint64_t max)
{
    *pool = (struct share_pool){.max = max};
}

uint64_t share_each(const struct share_pool *pool)
{
    uint64_t each = pool->parties == 0 ? pool->max : pool->max / pool->parties;
    return each == 0 ? 1 : each;
}

static uint64_t claim(const struct share_pool *pool, struct share_party party)
{
    uint64_t most = share_each(pool);
    most = party.most < most ? party.most : most;
    return party.has < most ? most - party.has : 0;
}

static struct share_party any(uint64_t has)
{
    return (struct share_party){.has = has, .most = UINT64_MAX};
}

void share_restart(struct share_pool *pool, uint64_t parties)
{
    pool->parties = parties;
    pool->used = 0;
    pool->claimed = 0;
}

void share_set_reserve(struct share_pool *pool, uint64_t reserve)
{
    pool->reserve = reserve;
}

void share_count_party(struct share_pool *pool, struct share_party party)
{
    pool->used += party.has;
    pool->claimed += claim(pool, party);
}

void share_count(struct share_pool *pool, uint64_t has)
{
    share_count_party(pool, any(has));
}

void share_change_party(struct share_pool *pool, struct share_party before,
                        struct share_party after)
{
    CHECK(pool->used >= before.has);
    pool->used = pool->used - before.has + after.has;
    CHECK(pool->claimed >= claim(pool, before));
    pool->claimed = pool->claimed - claim(pool, before) + claim(pool, after);
}

void share_change(struct share_pool *pool, uint64_t had, uint64_t has)
{
    share_change_party(pool, any(had), any(has));
}

uint64_t share_room(const struct share_pool *pool, uint64_t has)
{
    return share_room_party(pool, any(has));
}

uint64_t share_room_party(const struct share_pool *pool, struct share_party party)
{
    uint64_t own = claim(pool, party);
    uint64_t taken = pool->used + pool->claimed + pool->reserve;
    return own + (taken < pool->max ? pool->max - taken : 0);
}
