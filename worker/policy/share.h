/* Shares of something countable (held requests, held bytes, call slots) among parties (partitions,
 * targets). Each party is always allowed its even share; beyond it, only what no other party's
 * unfilled share may claim. A party that can say how much it could use claims no more than that:
 * what it could not use now is for the others, and it may have to wait until they give some back.
 * Pure arithmetic: the owner says how much each party has. */
#ifndef POLICY_SHARE_H
#define POLICY_SHARE_H

#include <stdbool.h>
#include <stdint.h>

struct share_pool {
    uint64_t max; /* of all parties together */
    uint64_t parties;
    uint64_t used;    /* by all */
    uint64_t claimed; /* sum over parties of what is missing to their share */
};

struct share_party {
    uint64_t has;
    uint64_t most; /* it could use, what it has included; UINT64_MAX = nobody knows */
};

void share_init(struct share_pool *pool, uint64_t max);
/* Even share of one party; at least 1. */
uint64_t share_each(const struct share_pool *pool);
/* Begin to count anew because the number of parties changed: then add each party with share_count.
 */
void share_restart(struct share_pool *pool, uint64_t parties);
void share_count(struct share_pool *pool, uint64_t has);
void share_count_party(struct share_pool *pool, struct share_party party);
/* A party's amount changed. */
void share_change(struct share_pool *pool, uint64_t had, uint64_t has);
void share_change_party(struct share_pool *pool, struct share_party before,
                        struct share_party after);
/* How much more a party that has `has` may take now; 0 = none. */
uint64_t share_room(const struct share_pool *pool, uint64_t has);
uint64_t share_room_party(const struct share_pool *pool, struct share_party party);

#endif
