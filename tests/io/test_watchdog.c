/* io/loop/watchdog.c: the end of a process that hangs. */
#include "unit/unit.h"

#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "io/loop/watchdog.h"

#define PATIENCE_MS 120000

/* What the child reports: it stopped its watchdog in time. */
static atomic_bool *was_stopped;

static void sleep_ms(int64_t duration_ms)
{
    struct timespec pause = {.tv_sec = duration_ms / 1000,
                             .tv_nsec = (long)(duration_ms % 1000) * 1000000};
    nanosleep(&pause, NULL);
}

static void child_run(int64_t delay_ms, bool stops)
{
    struct watchdog *watchdog = watchdog_new();
    watchdog_set(watchdog, PATIENCE_MS, 9);
    watchdog_set(watchdog, delay_ms, 7);
    if (stops) {
        watchdog_stop(watchdog);
        atomic_store(was_stopped, true);
    }
    sleep_ms(stops ? 4 * delay_ms : PATIENCE_MS);
    watchdog_free(watchdog);
    _exit(0);
}

/* The exit code of a child that sets a watchdog and, on request, stops it in time. */
static int exit_code_with_watchdog(int64_t delay_ms, bool stops)
{
    atomic_store(was_stopped, false);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        child_run(delay_ms, stops);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void a_watchdog_ends_a_hanging_process_unless_it_was_stopped(void **state)
{
    (void)state;
    was_stopped =
        mmap(NULL, sizeof *was_stopped, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(was_stopped != MAP_FAILED);
    assert_int_equal(exit_code_with_watchdog(100, false), 7);
    int exit_code = 7;
    atomic_store(was_stopped, false);
    /* A machine that came too late to stop it gets more time. */
    for (int64_t delay_ms = 100; delay_ms < PATIENCE_MS && !atomic_load(was_stopped); delay_ms *= 2)
        exit_code = exit_code_with_watchdog(delay_ms, true);
    assert_true(atomic_load(was_stopped));
    assert_int_equal(exit_code, 0);
    assert_int_equal(munmap(was_stopped, sizeof *was_stopped), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_watchdog_ends_a_hanging_process_unless_it_was_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
