/* A part of a test that ends its process, run in a child. */
#ifndef UNIT_CHILD_H
#define UNIT_CHILD_H

#include "unit/unit.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* Runs `body` in a child. Returns the child's status, as waitpid has it, and gives what the child
 * wrote to standard error. */
static inline int run_child(void (*body)(void), char *ret_text, size_t room)
{
    int ends[2], status = 0;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)signal(SIGABRT, SIG_DFL);
        (void)dup2(ends[1], STDERR_FILENO);
        body();
        _exit(0);
    }
    (void)close(ends[1]);
    size_t len = 0;
    ssize_t got;
    while (len < room - 1 && (got = read(ends[0], ret_text + len, room - 1 - len)) > 0)
        len += (size_t)got;
    ret_text[len] = '\0';
    (void)close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

#endif
