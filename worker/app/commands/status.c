/* `bedrock-worker status`: prints how running workers stand. */
#include <stdio.h>
#include <string.h>

#include "app/client/screen.h"
#include "app/commands/address_options.h"
#include "app/commands/commands.h"
#include "base/utf8.h"
#include "wire/formats/json.h"

#define ARENA_BYTES_MAX ((size_t)256 * 1024 * 1024)
#define LINE_BYTES_MAX  4096
#define EVENTS_SHOWN    5

static struct address_options address_options;
static bool prints_json;

static const struct command_option OPTIONS[] = {
    {
        .name = "json",
        .kind = OPTION_FLAG,
        .into.flag = &prints_json,
        .description = "Print each worker's /status.json as it is.",
    },
    ADDRESS_OPTION_ROWS(address_options),
};

/* A column of a table: the member, how to show it, and its width. */
struct column {
    const char *title, *member;
    enum { SHOW_TEXT, SHOW_COUNT, SHOW_MS } show;
    size_t width;
};

static const struct column TARGETS[] = {
    {"MODEL", "model", SHOW_TEXT, 29},
    {"STATE", "state", SHOW_TEXT, 5},
    {"CALLS", "calling", SHOW_COUNT, 5},
    {"WAIT", "waiting", SHOW_COUNT, 6},
    {"THROTTLED", "throttled", SHOW_COUNT, 9},
    {"TOK/MIN", "tokens_per_minute", SHOW_COUNT, 9},
    {"P50", "p50_ms", SHOW_MS, 4},
    {"P95", "p95_ms", SHOW_MS, 4},
};

static const struct column PARTITIONS[] = {
    {"TOPIC", "topic", SHOW_TEXT, 26},      {"PART", "partition", SHOW_COUNT, 5},
    {"STATE", "state", SHOW_TEXT, 8},       {"BACKLOG", "backlog", SHOW_COUNT, 8},
    {"HELD", "held", SHOW_COUNT, 7},        {"OPEN", "open", SHOW_COUNT, 7},
    {"OLDEST", "front_age_ms", SHOW_MS, 6}, {"MAP%", "map_percent", SHOW_COUNT, 4},
};

static const struct column WAITS[] = {
    {"REQUESTS", "count", SHOW_COUNT, 8},
    {"OLDEST", "oldest_ms", SHOW_MS, 6},
    {"WAITING FOR", "text", SHOW_TEXT, 60},
};

/* 0.5s, 42s, 7m, 3h: at most four columns. */
static void add_span(struct buf *text, int64_t ms)
{
    if (ms < 9950)
        buf_addf(text, "%.1fs", (double)ms / 1000);
    else if (ms < 599500)
        buf_addf(text, "%llds", (long long)(ms / 1000));
    else if (ms < 36000000)
        buf_addf(text, "%lldm", (long long)(ms / 60000));
    else
        buf_addf(text, "%lldh", (long long)(ms / 3600000));
}

static void add_cell(struct arena *arena, const struct json *row, const struct column *column,
                     struct buf *cell)
{
    const struct json *member = json_member(row, column->member);
    struct slice text;
    int64_t number;
    if (column->show == SHOW_TEXT && json_is(member, JSON_STRING) &&
        json_string(arena, member, &text))
        buf_add(cell, utf8_clip(text, column->width));
    else if (column->show != SHOW_TEXT && member != NULL && json_int64(member, &number)) {
        if (column->show == SHOW_MS)
            add_span(cell, number);
        else
            buf_add_int(cell, number);
    } else
        buf_add_byte(cell, '-');
}

static void add_padded(struct buf *line, const struct column *column, struct slice cell)
{
    size_t pad = cell.len < column->width ? column->width - cell.len : 0;
    if (line->len > 0)
        buf_add_byte(line, ' ');
    if (column->show == SHOW_TEXT)
        buf_add(line, cell);
    for (size_t i = 0; i < pad; i++)
        buf_add_byte(line, ' ');
    if (column->show != SHOW_TEXT)
        buf_add(line, cell);
}

static void show_row(struct screen *screen, const struct column *columns, size_t count,
                     struct arena *arena, const struct json *row)
{
    struct buf line OWNED_BY(buf_done), cell OWNED_BY(buf_done);
    buf_init(&line, LINE_BYTES_MAX);
    buf_init(&cell, LINE_BYTES_MAX);
    for (size_t i = 0; i < count; i++) {
        buf_reset(&cell);
        if (row == NULL)
            buf_add_text(&cell, columns[i].title);
        else
            add_cell(arena, row, &columns[i], &cell);
        add_padded(&line, &columns[i], buf_slice(&cell));
    }
    while (line.len > 0 && line.ptr[line.len - 1] == ' ')
        line.len--;
    if (row == NULL)
        screen_print_heading(screen, "%s", buf_text(&line));
    else
        screen_print_line(screen, buf_slice(&line));
}

static void show_table(struct screen *screen, const struct column *columns, size_t count,
                       struct arena *arena, const struct json *rows)
{
    if (!json_is(rows, JSON_ARRAY) || rows->first == NULL)
        return;
    screen_print_line(screen, SLICE(""));
    show_row(screen, columns, count, arena, NULL);
    for (const struct json *row = rows->first; row != NULL; row = row->next)
        show_row(screen, columns, count, arena, row);
}

static void show_events(struct screen *screen, struct arena *arena, const struct json *events)
{
    size_t count = 0;
    struct slice time, message;
    if (!json_is(events, JSON_ARRAY) || events->first == NULL)
        return;
    screen_print_line(screen, SLICE(""));
    screen_print_heading(screen, "LAST WARNINGS");
    for (const struct json *event = events->first; event != NULL && count < EVENTS_SHOWN;
         event = event->next, count++)
        if (json_string(arena, json_member(event, "time"), &time) &&
            json_string(arena, json_member(event, "message"), &message))
            screen_printf(screen, "", STYLE_PLAIN, "%.*s %.*s", SLICE_ARG(slice_sub(time, 0, 19)),
                          SLICE_ARG(message));
}

/* False: this is not a worker's page. */
static bool show(struct screen *screen, const struct visit *visit)
{
    struct arena arena OWNED_BY(arena_done);
    const struct json *root = NULL;
    struct slice headline;
    arena_init(&arena, ARENA_BYTES_MAX);
    if (visit->status != 200 || json_parse(&arena, buf_slice(&visit->body), &root, NULL) != OK ||
        !json_is(json_member(root, "headline"), JSON_STRING) ||
        !json_string(&arena, json_member(root, "headline"), &headline))
        return false;
    screen_print(screen, "", STYLE_PLAIN, headline);
    show_table(screen, TARGETS, COUNT_OF(TARGETS), &arena, json_member(root, "targets"));
    show_table(screen, PARTITIONS, COUNT_OF(PARTITIONS), &arena, json_member(root, "partitions"));
    show_table(screen, WAITS, COUNT_OF(WAITS), &arena, json_member(root, "waits"));
    show_events(screen, &arena, json_member(root, "events"));
    return true;
}

static struct screen screen;
static size_t shown;

/* address_hear. */
static bool hear(void *self, struct visit *visit, bool is_named)
{
    (void)self;
    if (prints_json && visit->status == 200) {
        (void)printf("%.*s", SLICE_ARG(buf_slice(&visit->body)));
        return true;
    }
    if (shown++ > 0)
        screen_print_line(&screen, SLICE(""));
    if (is_named)
        screen_print_heading(&screen, "%s", visit->address);
    bool is_good = show(&screen, visit);
    if (!is_good)
        (void)fprintf(stderr, "%s answers with HTTP %d, not as a worker does: %.*s\n",
                      visit->address, visit->status,
                      (int)(visit->body.len < 200 ? visit->body.len : 200), buf_text(&visit->body));
    return is_good;
}

static int run(void)
{
    struct address_tally tally;
    screen_init(&screen, stdout, 0);
    address_options_ask(&address_options, "status", SLICE("/status.json"), true, hear, NULL,
                        &tally);
    if (tally.has_wrong_settings)
        return EXIT_USAGE;
    return tally.good > 0 && tally.good == tally.asked ? EXIT_DONE : EXIT_FAILED;
}

const struct command command_status = {
    .name = "status",
    .summary = "show how running workers stand",
    .synopsis = "[--address HOST:PORT]... [--json] [--set PATH=VALUE]... [-c FILE]",
    .description =
        "Prints a running worker's headline, its targets (models with their state, open calls, "
        "waiting requests, throttled calls, tokens a minute, and the times of half and of 95 in "
        "100 calls), its partitions, why requests wait, and the last warnings. The status page "
        "at the same address shows the same and the last hour.",
    .examples = "  bedrock-worker status\n"
                "  watch -n 2 bedrock-worker status --address 127.0.0.1:9464\n",
    .options = {OPTIONS, COUNT_OF(OPTIONS), NULL, NULL, NULL, NULL},
    .run = run,
};
