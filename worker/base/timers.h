/* Timers: a binary heap by due time. Of two timers that are due at the same time the one set first
 * fires first, so that a simulated world replays exactly. A timer lies in its object, which must
 * outlive its place in the heap; the heap owns an array of pointers whose size is fixed at birth.
 */
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

/* Makes a heap for up to `room` timers that are set at once. ERR_NO_MEMORY. */
MUST_CHECK enum err timers_init(struct timers *timers, size_t room);
/* Frees the heap. Does not touch the timers, whose objects may be gone. */
void timers_done(struct timers *timers);
/* Makes a timer that is not set. */
void timer_init(struct timer *timer);
/* Sets the timer to fire at `due_ms`, or moves it there. */
void timers_set(struct timers *timers, struct timer *timer, int64_t due_ms);
/* Removes the timer from the heap; one that is not set is fine. */
void timers_stop(struct timers *timers, struct timer *timer);
/* Removes and returns the first timer that is due at or before `now_ms`; NULL when there is none.
 */
struct timer *timers_pop(struct timers *timers, int64_t now_ms);
/* When the first timer is due; INT64_MAX when none is set. */
int64_t timers_next_ms(const struct timers *timers);

#endif
