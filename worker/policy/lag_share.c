#include "policy/lag_share.h"

#define IDLE_WEIGHT 0.005 /* of a partition without lag */
#define FADE        0.6   /* of earlier looks' progress, at each look */
#define LONG_FADE   0.99
#define DONE_MIN    20.0 /* requests; fewer say nothing of a worker's part */

void lag_share_init(struct lag_share *share)
{
    *share = (struct lag_share){.share = 1};
}

static double weight(uint32_t busy, uint32_t idle)
{
    return (double)busy + IDLE_WEIGHT * (double)idle;
}

void lag_share_look(struct lag_share *share, const struct lag_look *look)
{
    double all = weight(look->all_busy, look->all_idle);
    double mine = weight(look->mine_busy, look->mine_idle);
    if (all <= 0 || mine > all)
        return;
    uint32_t partitions = look->mine_busy + look->mine_idle;
    uint32_t total = look->all_busy + look->all_idle;
    if (partitions > 0)
        share->workers = (total + partitions - 1) / partitions;
    /* Without a partition: as much as one that is idle would have. */
    share->share = mine > 0 ? mine / all : IDLE_WEIGHT / (all + IDLE_WEIGHT);
    if (look->mine_done < 0 || look->all_done < look->mine_done) {
        share->mine = share->all = share->part = 0;
        return;
    }
    share->mine = FADE * share->mine + (double)look->mine_done;
    share->all = FADE * share->all + (double)look->all_done;
    share->long_mine = LONG_FADE * share->long_mine + (double)look->mine_done;
    share->long_all = LONG_FADE * share->long_all + (double)look->all_done;
    share->part = share->all >= DONE_MIN ? share->mine / share->all : 0;
}

/* The share counts as one request. */
double lag_share_of_work(const struct lag_share *share)
{
    return (share->long_mine + share->share) / (share->long_all + 1);
}
