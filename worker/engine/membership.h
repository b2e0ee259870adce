/* The membership of the consumer group, as the ledgers were verified under it. Whoever is about to
 * call or to commit looks here first; the answer says what the group says, and the caller decides
 * who is in doubt. This room only asks and remembers: it knows no partition and no batch. */
#ifndef ENGINE_MEMBERSHIP_H
#define ENGINE_MEMBERSHIP_H

#include "engine/state.h"

enum membership_news {
    MEMBERSHIP_SAME,    /* the ledgers were verified under it */
    MEMBERSHIP_CHANGED, /* another one, from this look on: the ledgers are not verified under it */
    MEMBERSHIP_GONE,    /* none now: others may have the partitions */
    MEMBERSHIP_OUTCAST, /* the group does not know it any more, and there is no other one yet */
};

void membership_init(struct engine *engine);
void membership_done(struct engine *engine);

/* Asks io for the group metadata of this moment and compares. The first membership of all is
 * SAME: there was none to differ from. Logs a change. */
enum membership_news membership_look(struct engine *engine);
/* The same when the last look is older than 100 ms, and else what that one found (a change is
 * answered once). */
enum membership_news membership_recent(struct engine *engine);
/* What the last look found: SAME after a change, too. */
enum membership_news membership_standing(const struct engine *engine);
/* Monotonic milliseconds from which membership_recent looks again. */
int64_t membership_again_ms(const struct engine *engine);

/* Counts the memberships: names the one of this moment for membership_cast_out. */
uint32_t membership_number(const struct engine *engine);
/* The group said of the membership of this number that it does not know the member: OUTCAST until
 * there is another one. No effect when there is already. */
void membership_cast_out(struct engine *engine, uint32_t number);

#endif
