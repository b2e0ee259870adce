/* A worker in this process: io and engine, made from the settings. `run` runs it in the main
 * thread, `demo` in a second thread. */
#ifndef APP_WORKER_H
#define APP_WORKER_H

#include "app/reload.h"

struct worker;

struct worker_options {
    bool handle_signals;
    /* Where the settings come from, to read them again; NULL = they never change. */
    const struct settings_origin *origin;
    /* Receives each log line instead of standard error, if not NULL; in any thread. */
    void (*log)(void *self, enum log_event event, struct slice line);
    void *log_self;
    const char *settings_file; /* its name for the log; NULL = none */
};

/* Makes a worker; `settings` is borrowed until worker_free. NULL: ret_reason (ASSEMBLY_REASON_MAX)
 * says why, and *ret_code is EXIT_USAGE or EXIT_FAILED. */
MUST_CHECK struct worker *worker_new(const struct settings *settings,
                                     const struct worker_options *options, int *ret_code,
                                     char *ret_reason);
/* Runs until the worker is stopped; returns the exit code. */
MUST_CHECK int worker_run(struct worker *worker);
/* Begins the graceful stop. Any thread. */
void worker_stop(struct worker *worker);
void worker_free(struct worker *worker); /* NULL is fine */

#endif
