#include "io/loop/watchdog.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/memory.h"

struct watchdog {
    pthread_mutex_t lock;
    pthread_cond_t changed; /* its clock is the monotonic one */
    pthread_t thread;
    /* Under the lock: */
    bool set, ending;
    struct timespec due;
    int exit_code;
};

static void *watchdog_run(void *argument)
{
    struct watchdog *watchdog = argument;
    (void)pthread_mutex_lock(&watchdog->lock);
    while (!watchdog->ending) {
        if (!watchdog->set) {
            (void)pthread_cond_wait(&watchdog->changed, &watchdog->lock);
            continue;
        }
        struct timespec due = watchdog->due;
        if (pthread_cond_timedwait(&watchdog->changed, &watchdog->lock, &due) != ETIMEDOUT)
            continue;
        if (watchdog->set && watchdog->due.tv_sec == due.tv_sec &&
            watchdog->due.tv_nsec == due.tv_nsec)
            _exit(watchdog->exit_code);
    }
    (void)pthread_mutex_unlock(&watchdog->lock);
    return NULL;
}

struct watchdog *watchdog_new(void)
{
    struct watchdog *watchdog = memory_new(sizeof *watchdog);
    if (watchdog == NULL)
        return NULL;
    pthread_condattr_t attributes;
    CHECK(pthread_condattr_init(&attributes) == 0);
    CHECK(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
    CHECK(pthread_cond_init(&watchdog->changed, &attributes) == 0);
    (void)pthread_condattr_destroy(&attributes);
    CHECK(pthread_mutex_init(&watchdog->lock, NULL) == 0);
    if (pthread_create(&watchdog->thread, NULL, watchdog_run, watchdog) != 0) {
        memory_free(watchdog);
        return NULL;
    }
    return watchdog;
}

void watchdog_set(struct watchdog *watchdog, int64_t delay_ms, int exit_code)
{
    (void)pthread_mutex_lock(&watchdog->lock);
    CHECK(clock_gettime(CLOCK_MONOTONIC, &watchdog->due) == 0);
    watchdog->due.tv_sec += delay_ms / 1000;
    watchdog->due.tv_nsec += (long)(delay_ms % 1000) * 1000000;
    if (watchdog->due.tv_nsec >= 1000000000) {
        watchdog->due.tv_sec++;
        watchdog->due.tv_nsec -= 1000000000;
    }
    watchdog->exit_code = exit_code;
    watchdog->set = true;
    (void)pthread_cond_signal(&watchdog->changed);
    (void)pthread_mutex_unlock(&watchdog->lock);
}

void watchdog_stop(struct watchdog *watchdog)
{
    (void)pthread_mutex_lock(&watchdog->lock);
    watchdog->set = false;
    (void)pthread_cond_signal(&watchdog->changed);
    (void)pthread_mutex_unlock(&watchdog->lock);
}

void watchdog_free(struct watchdog *watchdog)
{
    if (watchdog == NULL)
        return;
    (void)pthread_mutex_lock(&watchdog->lock);
    watchdog->ending = true;
    (void)pthread_cond_signal(&watchdog->changed);
    (void)pthread_mutex_unlock(&watchdog->lock);
    (void)pthread_join(watchdog->thread, NULL);
    (void)pthread_cond_destroy(&watchdog->changed);
    (void)pthread_mutex_destroy(&watchdog->lock);
    memory_free(watchdog);
}
