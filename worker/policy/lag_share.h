/* This worker's share of a quota that all workers of a group use, without a coordinator: each looks
 * at the same offsets. A partition whose log reaches beyond what is committed has work; the share
 * is the worker's part of those. Idle ones count a little, because their work may begin between two
 * looks. Pure arithmetic. */
#ifndef POLICY_LAG_SHARE_H
#define POLICY_LAG_SHARE_H

#include <stdbool.h>
#include <stdint.h>

/* What a look at the group's offsets and the ends of its logs shows. */
struct lag_look {
    uint32_t mine_busy, mine_idle; /* partitions of this worker, with and without lag */
    uint32_t all_busy, all_idle;   /* of the group, these included */
    /* Requests that became done since the look before; negative = unknown, because partitions moved
     * in between. */
    int64_t mine_done, all_done;
};

struct lag_share {
    double share;               /* of the quota, above 0 and at most 1 */
    uint32_t workers;           /* of the group, by the partitions that each has */
    double part;                /* of the group's progress that was this worker's; 0 = not known */
    double mine, all;           /* requests done lately, with older ones fading … */
    double long_mine, long_all; /* … and fading slowly, over some ten minutes */
};

/* Before the first look: all of it. */
void lag_share_init(struct lag_share *share);
/* Takes a look. A look without partitions changes nothing. */
void lag_share_look(struct lag_share *share, const struct lag_look *look);
/* The worker's part of what the group does, above 0 and at most 1: its share at first, then what
 * the looks show. */
double lag_share_of_work(const struct lag_share *share);

#endif
