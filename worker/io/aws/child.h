/* A child process that answers on its standard output, for credential_process: started from a list
 * of words without a shell, with an environment without the worker's secrets, in a process group of
 * its own, which is killed when it takes too long, says too much, or the search is cancelled. */
#ifndef IO_AWS_CHILD_H
#define IO_AWS_CHILD_H

#include "io/aws/provider.h"

#define CHILD_WORDS_MAX  128
#define CHILD_ANSWER_MAX ((size_t)64 * 1024)
#define CHILD_STDERR_MAX ((size_t)4096) /* what is kept of its standard error */

struct child_end {
    int exit_code; /* of an ended child; -1 = by a signal */
    char reason[256];
};

/* Runs the words (each with a NUL behind it) and reads both outputs, into initialized bufs, until
 * both are closed and the child has ended. OK: it ended by itself. ERR_IO: it cannot be started;
 * ERR_TIMEOUT; ERR_TOO_LARGE (its standard output); ERR_CANCELLED; ERR_NO_MEMORY; then
 * ret_end->reason says why. No process of its group is left behind. */
MUST_CHECK enum err child_run(struct search *search, const struct slice *words, size_t count,
                              int64_t timeout_ms, struct buf *ret_output, struct buf *ret_errors,
                              struct child_end *ret_end);

#endif
