/* Counts the instructions that a function executes: its cost, whatever the machine's speed. A child
 * process runs the function under the eyes of its parent, step by step, so nothing of it remains.
 * A step may take a tenth of a millisecond: give a limit of some thousands. */
#ifndef UNIT_STEPS_H
#define UNIT_STEPS_H

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit/unit.h"

/* Sanitizers add instructions of their own, which depend on what a test has allocated. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STEPS_ARE_THE_CODES_OWN false
#else
#define STEPS_ARE_THE_CODES_OWN true
#endif

/* Instructions of act(self), and some hundred of the kit's own; `most` when there are more. */
static inline size_t steps_of(void (*act)(void *self), void *self, size_t most)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
            _exit(1);
        (void)raise(SIGSTOP);
        act(self);
        (void)raise(SIGSTOP);
        _exit(0);
    }
    int status = 0;
    size_t steps = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
    do {
        assert_int_equal(ptrace(PTRACE_SINGLESTEP, child, NULL, NULL), 0);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSTOPPED(status));
        steps++;
    } while (WSTOPSIG(status) == SIGTRAP && steps < most);
    assert_true(steps == most || WSTOPSIG(status) == SIGSTOP);
    assert_int_equal(kill(child, SIGKILL), 0);
    (void)waitpid(child, &status, 0);
    return steps;
}

#endif
