/* A wake-up call for the loop: at the time that is set, and not after some socket's event later,
 * the loop turns once more. (A timer that is due fires before uv waits for sockets and does not
 * shorten that wait: one of 0 ms set in a turn, or of a few that pass before uv_run looks, is slept
 * through.) */
#ifndef IO_LOOP_ALARM_H
#define IO_LOOP_ALARM_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct alarm {
    uv_timer_t timer;
    uv_idle_t hurry; /* while it runs the loop does not wait */
    int64_t due_ms;  /* that `timer` is set for; INT64_MAX = none */
    int open_handles;
};

void alarm_init(struct alarm *alarm, uv_loop_t *loop);
/* Earlier than what was set before, or nothing changes; in the past: at once. uv_now's time. */
void alarm_set(struct alarm *alarm, int64_t at_ms);
/* To this time, later than before or not; in the past: at once; INT64_MAX: not at all. */
void alarm_move(struct alarm *alarm, int64_t at_ms);
/* The turn has come: the loop may wait again. An alarm set for later stays set. */
void alarm_heard(struct alarm *alarm);
/* Closed when the loop has run until alarm_is_closed. */
void alarm_close(struct alarm *alarm);
bool alarm_is_closed(const struct alarm *alarm);

#endif
