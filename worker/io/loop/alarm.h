/* An alarm: makes the uv loop turn at a set time. A plain uv timer is not enough, because uv fires
 * due timers before it waits for sockets: when a timer comes due just before uv_run, its callback
 * runs, but uv_run then still waits for the next event. The alarm starts an idle handle, with which
 * uv does not wait. The owner embeds the alarm. All times are uv_now's, in milliseconds. Loop
 * thread only. */
#ifndef IO_LOOP_ALARM_H
#define IO_LOOP_ALARM_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct alarm {
    uv_timer_t timer;
    uv_idle_t hurry; /* while it runs, the loop does not wait */
    int64_t due_ms;  /* when `timer` is due; INT64_MAX = not set */
    int open_handles;
};

/* Makes an alarm that is not set. `loop` must outlive it. */
void alarm_init(struct alarm *alarm, uv_loop_t *loop);
/* Sets the alarm to `at_ms` if it is not set to an earlier time; a time in the past rings at once.
 */
void alarm_set(struct alarm *alarm, int64_t at_ms);
/* Sets the alarm to `at_ms` whatever it was; INT64_MAX: not at all. */
void alarm_move(struct alarm *alarm, int64_t at_ms);
/* Stops the ringing: the loop may wait again. An alarm that is set for later stays set. */
void alarm_clear(struct alarm *alarm);
/* Closes the handles; the owner runs the loop until alarm_is_closed before it frees the alarm. */
void alarm_close(struct alarm *alarm);
bool alarm_is_closed(const struct alarm *alarm);

#endif
