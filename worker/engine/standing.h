/* How the worker's requests stand at one moment: how many there are for each reason of waits.def,
 * and what most of them wait for. Status, its headline and the line of each minute have it from
 * here. Costs a step for each held request. */
#ifndef ENGINE_STANDING_H
#define ENGINE_STANDING_H

#include "engine/state.h"
#include "engine/wait.h"

struct standing {
    uint32_t counts[WAIT_COUNT];
    int64_t oldest_of_ms[WAIT_COUNT]; /* time of the oldest one in its step */
    uint32_t held;
    int64_t oldest_ms;           /* age of the oldest request, since it was taken */
    enum wait most;              /* what most of the waiting ones wait for; NOTHING = none waits */
    const struct target *target; /* the one with most of them, where the reason is a target's */
};

/* Fills *ret_standing. */
void standing_read(struct engine *engine, struct standing *ret_standing);
/* Whether requests with this reason wait: neither called nor ended. */
bool standing_is_waiting(enum wait wait);
/* Appends the headline: "This worker: 4 partitions, 231 of 256 calls open, 3.0 answers a second;
 * 12 requests wait for a free call slot." */
void standing_add_headline(const struct engine *engine, const struct standing *standing,
                           struct buf *ret_text);

#endif
