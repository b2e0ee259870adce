/* Tells the service manager how the worker stands: a datagram of sd_notify(3) each, to the socket
 * that NOTIFY_SOCKET names (a path, or an abstract name after `@`). Without the variable, which
 * systemd sets for Type=notify, nothing is sent. No datagram waits: one that the socket does not
 * take is dropped, and the next status or watchdog tick follows. Loop thread only. */
#ifndef IO_LOOP_NOTIFY_H
#define IO_LOOP_NOTIFY_H

#include <stdbool.h>

#include "base/slice.h"

#define NOTIFY_STATUS_MS 5000 /* between two status lines */

struct notify {
    int fd;              /* -1 = there is no service manager */
    int64_t watchdog_ms; /* between two WATCHDOG=1: half of WATCHDOG_USEC; 0 = it watches not */
    int64_t watchdog_due_ms, status_due_ms;
};

/* Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID. A name that no socket has leaves it off. */
void notify_open(struct notify *notify);
/* The worker serves. */
void notify_ready(const struct notify *notify);
/* The worker stops, and needs up to `most_ms` for it. */
void notify_stopping(const struct notify *notify, int64_t most_ms);
/* Sends the watchdog's sign of life when it is due. True: so is a line for notify_status. */
bool notify_step(struct notify *notify, int64_t now_ms);
/* What `systemctl status` shows: the first line of `text`. */
void notify_status(const struct notify *notify, struct slice text);
/* Also of one that is all zeroes. */
void notify_close(struct notify *notify);

#endif
