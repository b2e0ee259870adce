/* A watchdog: ends the process when something that must end does not. It has a thread of its own,
 * because what hangs may be the loop. State is safe in the broker, so leaving hard is always
 * allowed. */
#ifndef IO_LOOP_WATCHDOG_H
#define IO_LOOP_WATCHDOG_H

#include <stdint.h>

#include "base/attr.h"

struct watchdog;

MUST_CHECK struct watchdog *watchdog_new(void); /* NULL: no memory or no thread */
/* After that time _exit(exit_code), unless it is set again or stopped before. */
void watchdog_set(struct watchdog *watchdog, int64_t delay_ms, int exit_code);
void watchdog_stop(struct watchdog *watchdog);
void watchdog_free(struct watchdog *watchdog); /* NULL is fine */

#endif
