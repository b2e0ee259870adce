#include "policy/lag_life.h"

#define MISSED_MIN 5.0 /* requests that would have been completed: chance explains fewer */
#define WEIGHT     0.3 /* of the time since the last change in the rate */

static double seconds(int64_t ms)
{
    return (double)ms / 1000;
}

static bool is_busy(const struct lag_part *part)
{
    return part->end > part->offset;
}

/* What was completed above the offset shows in the map only: one request at least. */
static void learn_rate(struct lag_life *life, int64_t done, int64_t now_ms)
{
    double s = seconds(now_ms - life->alive_ms);
    double rate = s > 0 ? (double)(done > 0 ? done : 1) / s : 0;
    if (s > 0)
        life->rate = life->rate > 0 ? life->rate + WEIGHT * (rate - life->rate) : rate;
}

/* Brings the partition's life up to date. Returns whether it has changed since the look before. */
static bool look_at(struct lag_part *part, int64_t now_ms)
{
    struct lag_life *life = &part->life;
    bool is_first = life->seen_ms == 0;
    bool has_changed = !is_first && (part->offset != life->offset || part->map != life->map);
    part->done = !is_first && part->offset > life->offset ? part->offset - life->offset : 0;
    if (is_first)
        life->seen_ms = now_ms;
    if (has_changed)
        learn_rate(life, part->done, now_ms);
    if (is_first || has_changed || !is_busy(part))
        life->alive_ms = now_ms;
    life->offset = part->offset;
    life->map = part->map;
    return has_changed;
}

/* `others`: what each partition that has changed completes in a second; 0 = none has. */
static bool is_deserted(const struct lag_part *part, double others, int64_t patience_ms,
                        int64_t now_ms)
{
    int64_t silent_ms = now_ms - part->life.alive_ms;
    double rate = part->life.rate > 0 ? part->life.rate : others;
    return !part->is_mine && is_busy(part) && others > 0 && silent_ms >= patience_ms &&
           rate * seconds(silent_ms) >= MISSED_MIN;
}

static void count(struct lag_look *look, const struct lag_part *part, bool does_work)
{
    look->all_busy += does_work;
    look->all_idle += !does_work;
    look->all_done += part->done;
    if (!part->is_mine)
        return;
    look->mine_busy += does_work;
    look->mine_idle += !does_work;
    look->mine_done += part->done;
}

struct lag_look lag_parts_look(struct lag_part *parts, size_t part_count, bool have_moved,
                               int64_t patience_ms, int64_t now_ms)
{
    struct lag_look look = {.mine_busy = 0};
    double rates = 0;
    uint32_t changed = 0;
    for (size_t i = 0; i < part_count; i++) {
        if (parts[i].end < 0 || !look_at(&parts[i], now_ms))
            continue;
        changed++;
        rates += parts[i].life.rate;
    }
    double others = changed > 0 ? rates / changed : 0;
    for (size_t i = 0; i < part_count; i++)
        if (parts[i].end >= 0)
            count(&look, &parts[i],
                  is_busy(&parts[i]) && !is_deserted(&parts[i], others, patience_ms, now_ms));
    if (have_moved)
        look.mine_done = look.all_done = -1;
    return look;
}
