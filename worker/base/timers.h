/* Timers: a binary heap of (due, order) with stable ties: of two timers due together the one set
 * first fires first, so a simulated world replays. A timer lies in its object; the heap holds
 * pointers and its capacity is fixed at birth. */
#ifndef BASE_TIMERS_H
#define BASE_TIMERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

#define TIMER_IDLE SIZE_MAX

struct timer {
    int64_t due_ms; /* monotonic */
    uint64_t order; /* set by timers_set */
    size_t place;   /* in the heap; TIMER_IDLE = not set */
};

struct timers {
    struct timer **heap;
    size_t count, room;
    uint64_t next_order;
};

MUST_CHECK enum err timers_init(struct timers *timers, size_t room);
void timers_done(struct timers *timers); /* does not touch the timers: their objects may be gone */
void timer_init(struct timer *timer);    /* idle */
void timers_set(struct timers *timers, struct timer *timer, int64_t due_ms); /* sets or moves it */
void timers_stop(struct timers *timers, struct timer *timer);                /* idle is fine */
/* Takes out and returns the first timer due at or before now_ms, else NULL. */
struct timer *timers_pop(struct timers *timers, int64_t now_ms);
/* When the first one is due; INT64_MAX when none is set. */
int64_t timers_next_ms(const struct timers *timers);

#endif
