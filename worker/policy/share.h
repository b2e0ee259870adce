/* Divides something countable (held requests, held bytes, call slots) among parties (partitions,
 * targets). A party may always take its even share. Beyond that it may take only what the unfilled
 * shares of the others do not claim. A party that knows how much it can use claims no more than
 * that; the rest of its share is then free for the others, and the party may have to wait until
 * they give some back. Pure arithmetic: the pool stores sums, the caller says how much each party
 * has, and nothing fails. */
#ifndef POLICY_SHARE_H
#define POLICY_SHARE_H

#include <stdbool.h>
#include <stdint.h>

struct share_pool {
    uint64_t max;     /* for all parties together */
    uint64_t parties; /* their number */
    uint64_t used;    /* by all parties */
    uint64_t claimed; /* sum of what the parties lack to fill their shares */
    uint64_t reserve; /* for parties below their shares that claim less than they may soon want */
};

struct share_party {
    uint64_t has;
    uint64_t most; /* that it can use, `has` included; UINT64_MAX = unknown */
};

/* Makes a pool of `max` without parties. */
void share_init(struct share_pool *pool, uint64_t max);
/* The even share of one party; at least 1. */
uint64_t share_each(const struct share_pool *pool);
/* Sets the number of parties and clears the sums; the caller then adds each party with share_count
 * or share_count_party. */
void share_restart(struct share_pool *pool, uint64_t parties);
void share_count(struct share_pool *pool, uint64_t has);
void share_count_party(struct share_pool *pool, struct share_party party);
/* Keeps the last `reserve` of the pool for parties below their even share. share_restart leaves it
 * as it is. */
void share_set_reserve(struct share_pool *pool, uint64_t reserve);
/* Replace what a party has. */
void share_change(struct share_pool *pool, uint64_t had, uint64_t has);
void share_change_party(struct share_pool *pool, struct share_party before,
                        struct share_party after);
/* How much more a party may take now; 0 = nothing. */
uint64_t share_room(const struct share_pool *pool, uint64_t has);
uint64_t share_room_party(const struct share_pool *pool, struct share_party party);

#endif
