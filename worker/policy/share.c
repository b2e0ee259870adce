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

static uint64_t claim(const struct share_pool *pool, uint64_t has)
{
    uint64_t each = share_each(pool);
    return has < each ? each - has : 0;
}

void share_restart(struct share_pool *pool, uint64_t parties)
{
    pool->parties = parties;
    pool->used = 0;
    pool->claimed = 0;
}

void share_count(struct share_pool *pool, uint64_t has)
{
    pool->used += has;
    pool->claimed += claim(pool, has);
}

void share_change(struct share_pool *pool, uint64_t had, uint64_t has)
{
    CHECK(pool->used >= had);
    pool->used = pool->used - had + has;
    CHECK(pool->claimed >= claim(pool, had));
    pool->claimed = pool->claimed - claim(pool, had) + claim(pool, has);
}

uint64_t share_room(const struct share_pool *pool, uint64_t has)
{
    uint64_t own = claim(pool, has);
    uint64_t taken = pool->used + pool->claimed;
    return own + (taken < pool->max ? pool->max - taken : 0);
}
