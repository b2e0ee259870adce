#include "sim/parts.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define LOOK_MS 1000 /* how often to check the client of a waiting call */

int64_t sim_wall_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void format_date(int64_t wall_s, char ret_date[HTTP_DATE_LEN + 1])
{
    static const char DAYS[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char MONTHS[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    char text[96]; /* the compiler wants room for any int */
    struct tm tm;
    time_t seconds = (time_t)wall_s;
    memset(ret_date, 0, HTTP_DATE_LEN + 1);
    if (gmtime_r(&seconds, &tm) == NULL)
        return;
    (void)snprintf(text, sizeof text, "%s, %02d %s %04d %02d:%02d:%02d GMT", DAYS[tm.tm_wday],
                   tm.tm_mday, MONTHS[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
                   tm.tm_sec);
    memcpy(ret_date, text, HTTP_DATE_LEN);
}

void sim_date(struct sim *sim, int64_t skew_ms, char ret_date[HTTP_DATE_LEN + 1])
{
    int64_t second = (sim_wall_us() / 1000 + sim->config->clock_skew_ms) / 1000;
    if (skew_ms != 0) {
        format_date(second + skew_ms / 1000, ret_date);
        return;
    }
    if (second != sim->date_second) {
        format_date(second, sim->date);
        sim->date_second = second;
    }
    memcpy(ret_date, sim->date, sizeof sim->date);
}

void sim_wait(struct served *served, int64_t due_ms)
{
    struct sim *sim = served->sim;
    int64_t look_ms = sim->now_ms + LOOK_MS;
    served->due_ms = due_ms;
    timers_set(&sim->timers, &served->timer, due_ms < look_ms ? due_ms : look_ms);
    if (!served->suspended)
        MHD_suspend_connection(served->connection);
    served->suspended = true;
}

void counters_read(const struct counters *counters, struct sim_stats *ret_stats)
{
#define GET(name) ret_stats->name = atomic_load_explicit(&counters->name, memory_order_relaxed)
    GET(calls);
    GET(ok);
    GET(errors);
    GET(gone);
    GET(open);
    GET(open_most);
    GET(input_tokens);
    GET(output_tokens);
    for (int fault = 0; fault < FAULT_COUNT; fault++)
        GET(faults[fault]);
#undef GET
}

void sim_refuse(struct served *served, int status, const char *type, const char *text)
{
    served->refusal.type = type;
    served->refusal.status = status;
    (void)snprintf(served->refusal.text, sizeof served->refusal.text, "%s", text);
}
