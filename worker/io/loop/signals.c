#include "io/loop/signals.h"

#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"

static _Atomic(const struct signals *) listener;

static timer_t hurry_timer; /* made by signals_set */

static void on_hurry_end(int number)
{
    const struct signals *signals = atomic_load(&listener);
    (void)number;
    if (signals != NULL)
        _exit(signals->exit_code);
}

/* The second signal gives the listener a moment, the third none. */
static void hurry(const struct signals *signals)
{
    const struct itimerspec end = {.it_value = {.tv_nsec = SIGNALS_HURRY_MS * 1000000L}};
    if (atomic_fetch_add(signals->hurries, 1) > 0 || timer_settime(hurry_timer, 0, &end, NULL) != 0)
        _exit(signals->exit_code);
}

static void on_signal(int number)
{
    const struct signals *signals = atomic_load(&listener);
    if (signals == NULL)
        return;
    if (number == SIGHUP)
        (void)atomic_fetch_add(signals->hang_ups, 1);
    else if (atomic_fetch_add(signals->stops, 1) > 0)
        hurry(signals);
    signals->wake.wake(signals->wake.self);
}

void signals_ignore_pipe(void)
{
    struct sigaction action = {.sa_handler = SIG_IGN};
    CHECK(sigaction(SIGPIPE, &action, NULL) == 0);
    CHECK(sigaction(SIGXFSZ, &action, NULL) == 0);
}

void signals_ignore_hang_up(void)
{
    struct sigaction action = {.sa_handler = SIG_IGN};
    CHECK(sigaction(SIGHUP, &action, NULL) == 0);
}

void signals_set(const struct signals *signals)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    struct sigaction at_end = {.sa_handler = on_hurry_end, .sa_flags = SA_RESTART};
    struct sigevent ring = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
    atomic_store(&listener, signals);
    CHECK(sigaction(SIGALRM, &at_end, NULL) == 0);
    CHECK(timer_create(CLOCK_MONOTONIC, &ring, &hurry_timer) == 0);
    CHECK(sigaction(SIGTERM, &action, NULL) == 0);
    CHECK(sigaction(SIGINT, &action, NULL) == 0);
    CHECK(sigaction(SIGHUP, &action, NULL) == 0);
}

void signals_unset(const struct signals *signals)
{
    if (atomic_load(&listener) != signals)
        return;
    struct sigaction action = {.sa_handler = SIG_DFL};
    CHECK(sigaction(SIGTERM, &action, NULL) == 0);
    CHECK(sigaction(SIGINT, &action, NULL) == 0);
    action.sa_handler = SIG_IGN;
    CHECK(sigaction(SIGHUP, &action, NULL) == 0);
    (void)timer_delete(hurry_timer);
    atomic_store(&listener, NULL);
}
