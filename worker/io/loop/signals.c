#include "io/loop/signals.h"

#include <signal.h>
#include <unistd.h>

#include "base/check.h"

static _Atomic(const struct signals *) listener;

static void on_signal(int number)
{
    const struct signals *signals = atomic_load(&listener);
    if (signals == NULL)
        return;
    if (number == SIGHUP)
        (void)atomic_fetch_add(signals->hang_ups, 1);
    else if (atomic_fetch_add(signals->stops, 1) > 0)
        _exit(signals->exit_code);
    signals->wake.wake(signals->wake.self);
}

void signals_ignore_pipe(void)
{
    struct sigaction action = {.sa_handler = SIG_IGN};
    CHECK(sigaction(SIGPIPE, &action, NULL) == 0);
}

void signals_ignore_hang_up(void)
{
    struct sigaction action = {.sa_handler = SIG_IGN};
    CHECK(sigaction(SIGHUP, &action, NULL) == 0);
}

void signals_set(const struct signals *signals)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    atomic_store(&listener, signals);
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
    atomic_store(&listener, NULL);
}
