/* A watchdog: a thread that ends the process by _exit when the loop, or a library that ends, hangs.
 * That is always safe, because everything that counts is in Kafka. */
#ifndef IO_LOOP_WATCHDOG_H
#define IO_LOOP_WATCHDOG_H

#include <stdint.h>

#include "base/attr.h"

struct watchdog;

/* Starts the thread; the watchdog is not set. NULL: out of memory or threads. */
MUST_CHECK struct watchdog *watchdog_new(void);
/* Ends the process with `exit_code` after `delay_ms`, unless the caller sets it again or stops it
 * before. */
void watchdog_set(struct watchdog *watchdog, int64_t delay_ms, int exit_code);
/* Stops the watchdog; it can be set again. */
void watchdog_stop(struct watchdog *watchdog);
/* Ends the thread. NULL is fine. */
void watchdog_free(struct watchdog *watchdog);

#endif
