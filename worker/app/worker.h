/* A worker in this process: io and engine put together from settings. `run` has one in its main
 * thread, `demo` in a second thread. */
#ifndef APP_WORKER_H
#define APP_WORKER_H

#include "app/assembly.h"

struct worker;

struct worker_options {
    bool handle_signals;
    /* When not NULL: hears each log line (in any thread) in place of stderr. */
    void (*log)(void *self, enum log_event event, struct slice line);
    void *log_self;
};

/* NULL: ret_words (ASSEMBLY_WORDS_MAX) says why, and *ret_code is EXIT_USAGE or EXIT_FAILED.
 * Settings are borrowed until worker_free. */
MUST_CHECK struct worker *worker_new(const struct settings *settings,
                                     const struct worker_options *options, int *ret_code,
                                     char *ret_words);
/* Runs until it is stopped; the exit code. */
MUST_CHECK int worker_run(struct worker *worker);
/* From any thread: begins the graceful stop. */
void worker_stop(struct worker *worker);
void worker_free(struct worker *worker); /* NULL is fine */

#endif
