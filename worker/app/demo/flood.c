/* A flood through a quota: the local Bedrock's quota, and a plot of its ledger, calls in the order
 * of time, served and refused. */
#include "app/demo/demo.h"

#include <string.h>

#include "sim/sim.h"
#include "wire/formats/json_scan.h"

#define ROWS_MAX    20
#define BAR_COLUMNS 44
#define SECONDS_MAX 3600
#define PLOT_BYTES  8192
#define SAVED_MS    2000 /* of the quota, in a full bucket */

void demo_set_quota(struct sim_config *config, int64_t requests)
{
    config->quotas[0] =
        (struct sim_quota){.requests = requests, .burst_ms = SAVED_MS, .burndown = 1};
    config->quota_count = 1;
}

/* The calls that began in each second after the first. */
struct plot {
    int64_t first_us;
    size_t seconds; /* that have calls, and those before */
    struct {
        uint32_t served, refused;
    } at[SECONDS_MAX];
};

struct line {
    struct slice event, outcome;
    int64_t started_us;
};

static bool read_line(struct slice text, struct line *ret_line)
{
    struct json_scan scan;
    struct slice name, value;
    *ret_line = (struct line){.started_us = -1};
    json_scan_begin(&scan, text);
    while (json_scan_next(&scan, &name)) {
        if (!json_scan_value(&scan, &value))
            return false;
        bool is_good = true;
        if (slice_equal_text(name, "event"))
            is_good = json_scan_plain(value, &ret_line->event);
        else if (slice_equal_text(name, "outcome"))
            is_good = json_scan_plain(value, &ret_line->outcome);
        else if (slice_equal_text(name, "started_us"))
            is_good = slice_to_int64(value, &ret_line->started_us);
        if (!is_good)
            return false;
    }
    return json_scan_is_whole(&scan) && ret_line->started_us >= 0;
}

static void take(struct plot *plot, const struct line *line)
{
    if (plot->first_us < 0)
        plot->first_us = line->started_us;
    int64_t second = (line->started_us - plot->first_us) / 1000000;
    if (!slice_equal_text(line->event, "end") || second < 0 || second >= SECONDS_MAX)
        return;
    if ((size_t)second >= plot->seconds)
        plot->seconds = (size_t)second + 1;
    if (slice_equal_text(line->outcome, "ThrottlingException"))
        plot->at[second].refused++;
    else
        plot->at[second].served++;
}

static void read_all(struct plot *plot, struct slice ledger)
{
    while (ledger.len > 0) {
        struct line line;
        size_t len = slice_find(ledger, '\n');
        if (read_line(slice_sub(ledger, 0, len), &line))
            take(plot, &line);
        ledger = slice_sub(ledger, len + 1, ledger.len);
    }
}

/* The sums of the seconds from `from` on. */
static void sum(const struct plot *plot, size_t from, size_t count, uint32_t *ret_served,
                uint32_t *ret_refused)
{
    *ret_served = *ret_refused = 0;
    for (size_t i = from; i < from + count && i < plot->seconds; i++) {
        *ret_served += plot->at[i].served;
        *ret_refused += plot->at[i].refused;
    }
}

static void add_bar(struct buf *text, char mark, uint32_t calls, uint32_t most)
{
    uint32_t length = (uint32_t)(((uint64_t)calls * BAR_COLUMNS + most - 1) / most);
    for (uint32_t i = 0; i < length; i++)
        buf_add_byte(text, mark);
}

static void add_rows(const struct plot *plot, struct buf *text)
{
    size_t step = (plot->seconds + ROWS_MAX - 1) / ROWS_MAX;
    uint32_t most = 1, served, refused;
    for (size_t i = 0; i < plot->seconds; i += step) {
        sum(plot, i, step, &served, &refused);
        most = served + refused > most ? served + refused : most;
    }
    for (size_t i = 0; i < plot->seconds; i += step) {
        sum(plot, i, step, &served, &refused);
        buf_addf(text, "%5zu s %6u %7u  ", i, (unsigned)served, (unsigned)refused);
        add_bar(text, '#', served, most);
        add_bar(text, 'x', refused, most);
        buf_add_byte(text, '\n');
    }
}

void demo_show_plot(struct demo_screen *screen, struct slice ledger, int64_t quota)
{
    static struct plot plot;
    struct buf text OWNED_BY(buf_done);
    uint32_t served, refused;
    buf_init(&text, PLOT_BYTES);
    memset(&plot, 0, sizeof plot);
    plot.first_us = -1;
    read_all(&plot, ledger);
    if (plot.seconds == 0)
        return;
    add_rows(&plot, &text);
    sum(&plot, 0, plot.seconds, &served, &refused);
    screen_print_heading(&screen->out, "   time served refused  # served, x refused");
    (void)fwrite(text.ptr, 1, text.len, stdout);
    screen_printf(&screen->out, "quota", STYLE_GOOD,
                  "%u calls served and %u refused, %.1f for 100 served: the worker does not know "
                  "the %lld requests a minute of each model, and finds them by refusals",
                  (unsigned)served, (unsigned)refused,
                  100.0 * (double)refused / (double)(served > 0 ? served : 1), (long long)quota);
}
