/* SIGTERM and SIGINT, heard for one listener of the process: the first asks it to stop, the next
 * one ends the process. SIGPIPE is ignored. */
#ifndef IO_LOOP_SIGNALS_H
#define IO_LOOP_SIGNALS_H

#include <stdatomic.h>

#include "io/loop/wake.h"

struct signals {
    struct loop_wake wake; /* called in the signal handler: async-signal-safe */
    atomic_int *stops;     /* how often a stop was asked for; the handler adds one */
    int exit_code;         /* of _exit, when a stop was asked for before */
};

/* Ignores SIGPIPE; every process with sockets wants that. */
void signals_ignore_pipe(void);
/* `signals` is borrowed until signals_unset. */
void signals_set(const struct signals *signals);
/* A signal does again what it does to any process. Nothing happens when another listener is set. */
void signals_unset(const struct signals *signals);

#endif
