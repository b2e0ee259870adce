/* Handles SIGTERM, SIGINT and SIGHUP for one listener of the process. The first SIGTERM or SIGINT
 * asks the listener to stop; the second asks it to hurry, and ends the process by _exit after
 * SIGNALS_HURRY_MS, whatever the listener does meanwhile (a timer of the kernel with SIGALRM, which
 * POSIX lets a handler set); the third ends it at once. SIGHUP asks the listener to read its
 * settings again. Nothing fails. */
#ifndef IO_LOOP_SIGNALS_H
#define IO_LOOP_SIGNALS_H

#include <stdatomic.h>

#include "io/loop/wake.h"

#define SIGNALS_HURRY_MS 900 /* from the second signal to _exit */

struct signals {
    struct loop_wake wake; /* the handler calls it, so it must be async-signal-safe */
    atomic_int *stops;     /* requests to stop so far; the handler adds one */
    atomic_int *hurries;   /* SIGTERMs and SIGINTs behind the first request to stop */
    atomic_int *hang_ups;  /* SIGHUPs so far */
    int exit_code;         /* of _exit */
};

/* Ignores SIGPIPE and SIGXFSZ, so that a write to a closed socket, or of a log file beyond its
 * limit, fails with an error instead. */
void signals_ignore_pipe(void);
/* Ignores SIGHUP until there is a listener: what it asks for is about to happen anyway. */
void signals_ignore_hang_up(void);
/* Installs the listener, which is borrowed until signals_unset. */
void signals_set(const struct signals *signals);
/* Restores the default actions; SIGHUP is ignored, because a process that ends has no settings to
 * read. Does nothing when `signals` is not the listener. */
void signals_unset(const struct signals *signals);

#endif
