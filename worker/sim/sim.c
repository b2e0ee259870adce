#include "sim/sim.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "sim/parts.h"

#define TURN_MS_MAX      1000
#define CONNECTION_BYTES 16384 /* per connection, for head and buffers */
#define TIMEOUT_S_LEAST  1
#define LISTEN_BACKLOG   4096
#define STOP_TURNS       200

static int64_t monotonic_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Keeps the path as it was sent, because signatures cover that; libmicrohttpd would decode it. */
static size_t keep_escapes(void *self, struct MHD_Connection *connection, char *text)
{
    (void)self;
    (void)connection;
    return strlen(text);
}

struct sim *sim_new(const struct sim_config *config)
{
    struct sim *sim = memory_new(sizeof *sim);
    if (sim == NULL)
        return NULL;
    sim->config = config;
    sim->wake = -1;
    sim->journal.file = -1;
    link_init(&sim->open);
    random_init(&sim->random, (uint64_t)config->seed);
    quotas_init(&sim->quotas, config);
    if (planner_init(&sim->planner, config) != OK ||
        timers_init(&sim->timers, (size_t)config->connections_max + 1) != OK) {
        sim_free(sim);
        return NULL;
    }
    return sim;
}

const char *sim_problem(const struct sim *sim)
{
    return sim->problem;
}

int sim_port(const struct sim *sim)
{
    return sim->port;
}

static void fire_timers(struct sim *sim)
{
    for (;;) {
        struct timer *timer = timers_pop(&sim->timers, sim->now_ms);
        if (timer == NULL)
            return;
        serving_wake(LINK_OWNER(timer, struct served, timer));
    }
}

/* Resumes all waiting calls; each ends because `stopping` is set. */
static void end_open_calls(struct sim *sim)
{
    for (int turn = 0; turn < STOP_TURNS && !link_alone(&sim->open); turn++) {
        for (struct link *link = sim->open.next; link != &sim->open; link = link->next) {
            struct served *served = LINK_OWNER(link, struct served, link);
            timers_stop(&sim->timers, &served->timer);
            if (served->suspended)
                MHD_resume_connection(served->connection);
            served->suspended = false;
        }
        (void)MHD_run(sim->daemon);
    }
}

static int turn_timeout(struct sim *sim)
{
    MHD_UNSIGNED_LONG_LONG daemon_ms;
    int64_t until_ms = sim->now_ms + TURN_MS_MAX;
    int64_t timer_ms = timers_next_ms(&sim->timers);
    if (timer_ms < until_ms)
        until_ms = timer_ms;
    if (sim->journal.due_ms < until_ms)
        until_ms = sim->journal.due_ms;
    if (MHD_get_timeout(sim->daemon, &daemon_ms) == MHD_YES &&
        (int64_t)daemon_ms < until_ms - sim->now_ms)
        until_ms = sim->now_ms + (int64_t)daemon_ms;
    return until_ms > sim->now_ms ? (int)(until_ms - sim->now_ms) : 0;
}

static void *run(void *self)
{
    struct sim *sim = self;
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(sim->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    struct pollfd sources[2] = {{.fd = sim->wake, .events = POLLIN},
                                {.fd = info != NULL ? info->epoll_fd : -1, .events = POLLIN}};
    while (!atomic_load_explicit(&sim->stopping, memory_order_acquire)) {
        sim->now_ms = monotonic_ms();
        fire_timers(sim);
        (void)MHD_run(sim->daemon);
        journal_turn(&sim->journal, sim->now_ms);
        (void)poll(sources, COUNT_OF(sources), turn_timeout(sim));
    }
    sim->now_ms = monotonic_ms();
    end_open_calls(sim);
    return NULL;
}

static enum err fail(struct sim *sim, const char *text, const char *detail)
{
    (void)snprintf(sim->problem, sizeof sim->problem, "%s %.400s: %s", text, detail,
                   strerror(errno));
    return ERR_IO;
}

static struct MHD_Daemon *start_daemon(struct sim *sim, struct sockaddr_in *address)
{
    const struct sim_config *config = sim->config;
    int64_t idle_s = config->idle_ms / 1000;
    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_SUPPRESS_DATE_NO_CLOCK, 0, NULL, NULL,
        serving_step, sim, MHD_OPTION_SOCK_ADDR, address, MHD_OPTION_URI_LOG_CALLBACK, serving_new,
        sim, MHD_OPTION_NOTIFY_COMPLETED, serving_ended, sim, MHD_OPTION_UNESCAPE_CALLBACK,
        keep_escapes, NULL, MHD_OPTION_CONNECTION_LIMIT, (unsigned int)config->connections_max,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned int)(idle_s > 0 ? idle_s : TIMEOUT_S_LEAST), MHD_OPTION_LISTEN_BACKLOG_SIZE,
        (unsigned int)LISTEN_BACKLOG, MHD_OPTION_END);
}

static enum err open_port(struct sim *sim)
{
    const struct sim_config *config = sim->config;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)config->port)};
    char text[64];
    (void)snprintf(text, sizeof text, "%.*s:%lld",
                   (int)(config->address.len < 40 ? config->address.len : 40), config->address.ptr,
                   (long long)config->port);
    errno = EINVAL;
    if (inet_pton(AF_INET, config->address.ptr, &address.sin_addr) != 1)
        return fail(sim, "cannot listen on", text);
    sim->daemon = start_daemon(sim, &address);
    if (sim->daemon == NULL)
        return fail(sim, "cannot listen on", text);
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(sim->daemon, MHD_DAEMON_INFO_BIND_PORT);
    sim->port = info != NULL ? info->port : 0;
    return OK;
}

static void close_all(struct sim *sim)
{
    if (sim->daemon != NULL)
        MHD_stop_daemon(sim->daemon);
    sim->daemon = NULL;
    journal_close(&sim->journal);
    if (sim->wake >= 0)
        (void)close(sim->wake);
    sim->wake = -1;
}

enum err sim_start(struct sim *sim)
{
    const struct sim_config *config = sim->config;
    enum err err = OK;
    sim->now_ms = monotonic_ms();
    if (journal_open(&sim->journal, config->ledger_path, config->ledger_flush_ms) != OK)
        err = fail(sim, "cannot open the ledger", config->ledger_path.ptr);
    if (err == OK && (sim->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) < 0)
        err = fail(sim, "cannot make", "an eventfd");
    if (err == OK)
        err = open_port(sim);
    if (err == OK && (errno = pthread_create(&sim->thread, NULL, run, sim)) != 0)
        err = fail(sim, "cannot start", "a thread");
    sim->started = err == OK;
    if (err != OK)
        close_all(sim);
    return err;
}

void sim_stop(struct sim *sim)
{
    if (!sim->started)
        return;
    atomic_store_explicit(&sim->stopping, true, memory_order_release);
    uint64_t one = 1;
    (void)!write(sim->wake, &one, sizeof one);
    (void)pthread_join(sim->thread, NULL);
    sim->started = false;
    close_all(sim);
}

void sim_stats(const struct sim *sim, struct sim_stats *ret_stats)
{
    counters_read(&sim->counters, ret_stats);
}

void sim_free(struct sim *sim)
{
    if (sim == NULL)
        return;
    sim_stop(sim);
    timers_done(&sim->timers);
    planner_done(&sim->planner);
    explicit_bzero(&sim->access, sizeof sim->access);
    memory_free(sim);
}
