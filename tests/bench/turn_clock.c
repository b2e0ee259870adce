/* What the turns of a program's loop cost: CPU time of its first thread from one look for events to
 * the next. tests/bench/scale.py preloads it into the worker, which knows nothing of it:
 *
 *   cc -O2 -shared -fPIC -o turn_clock.so turn_clock.c
 *   LD_PRELOAD=./turn_clock.so TURN_CLOCK=turns.txt bedrock-worker run …
 *
 * The file has a line for each turn that was longer than all before: microseconds, number of the
 * turn, when it was in seconds since 1970. To begin again, remove it. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

typedef int wait_call(int fd, struct epoll_event *events, int max, int timeout);

static int64_t began_us, longest_us;
static long turns;

static int64_t cpu_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void note(int64_t us)
{
    const char *path = getenv("TURN_CLOCK");
    if (path == NULL)
        return;
    if (access(path, F_OK) != 0)
        longest_us = 0;
    if (us <= longest_us)
        return;
    longest_us = us;
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd < 0)
        return;
    char line[80];
    int len =
        snprintf(line, sizeof line, "%lld %ld %lld\n", (long long)us, turns, (long long)time(NULL));
    (void)!write(fd, line, (size_t)len);
    (void)close(fd);
}

static void wait_begins(void)
{
    int64_t us = cpu_us() - began_us;
    if (++turns > 1 && (us > longest_us || turns % 1000 == 0))
        note(us);
}

/* Whether this is the loop's own look for events: libmicrohttpd has another one, and never waits.
 */
static int is_turn(int fd, int timeout)
{
    static int loop_fd = -1;
    if (gettid() != getpid())
        return 0;
    if (timeout != 0)
        loop_fd = fd;
    return fd == loop_fd;
}

int epoll_wait(int fd, struct epoll_event *events, int max, int timeout)
{
    static wait_call *real;
    if (real == NULL)
        real = (wait_call *)dlsym(RTLD_NEXT, "epoll_wait");
    if (!is_turn(fd, timeout))
        return real(fd, events, max, timeout);
    wait_begins();
    int count = real(fd, events, max, timeout);
    began_us = cpu_us();
    return count;
}

int epoll_pwait(int fd, struct epoll_event *events, int max, int timeout, const sigset_t *mask)
{
    static int (*real)(int, struct epoll_event *, int, int, const sigset_t *);
    if (real == NULL)
        real = (int (*)(int, struct epoll_event *, int, int, const sigset_t *))dlsym(RTLD_NEXT,
                                                                                     "epoll_pwait");
    if (!is_turn(fd, timeout))
        return real(fd, events, max, timeout, mask);
    wait_begins();
    int count = real(fd, events, max, timeout, mask);
    began_us = cpu_us();
    return count;
}
