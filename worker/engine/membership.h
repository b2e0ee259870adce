/* The membership of the consumer group, compared with the one under which the ledgers were
 * verified. The engine looks here before it calls or commits; the caller decides which partitions
 * are in doubt. This room knows no partition and no batch. */
#ifndef ENGINE_MEMBERSHIP_H
#define ENGINE_MEMBERSHIP_H

#include "engine/state.h"

enum membership_news {
    MEMBERSHIP_SAME,    /* the ledgers were verified under it */
    MEMBERSHIP_CHANGED, /* a new one since this look: the ledgers are not verified under it */
    MEMBERSHIP_GONE,    /* none now: other workers may own the partitions */
    MEMBERSHIP_OUTCAST, /* the group removed this member, and there is no new membership yet */
};

/* Starts without a membership. */
void membership_init(struct engine *engine);
void membership_done(struct engine *engine);

/* Asks io for the present group metadata and compares. The very first membership is SAME. Logs a
 * change. */
enum membership_news membership_look(struct engine *engine);
/* As membership_look if the last look is at least 100 ms old, else as membership_standing. */
enum membership_news membership_recent(struct engine *engine);
/* The finding of the last look, but SAME after a change: a look returns each change once. */
enum membership_news membership_standing(const struct engine *engine);
/* Monotonic milliseconds at which membership_recent looks again. */
int64_t membership_again_ms(const struct engine *engine);

/* The number of the present membership, from 1; 0 = none was seen yet. */
uint32_t membership_number(const struct engine *engine);
/* The group reported the member of this membership as unknown: OUTCAST until there is a new one. No
 * effect when `number` is not the present one. */
void membership_cast_out(struct engine *engine, uint32_t number);

#endif
