/* `bedrock-worker usage`: sums the usage topic. */
#include <stdio.h>
#include <string.h>

#include "app/books/focus.h"
#include "app/books/period.h"
#include "app/books/reprice.h"
#include "app/client/kafka_scan.h"
#include "app/commands/commands.h"
#include "app/commands/settings_options.h"
#include "app/commands/usage_reconcile.h"
#include "app/prices/price_file.h"
#include "base/memory.h"
#include "io/loop/clock.h"

#define CONNECT_MS       15000
#define READ_MS          200
#define EVERY_DEFAULT_MS 2000
#define EVERY_MAX_MS     3600000
#define EARLY_MS         INT64_C(3600000) /* clocks differ: records are read from before --since */
/* A record comes when its call is over; after an outage later, and that of a lost call when another
 * worker takes over, as long as the brokers keep the group's offsets: 7 days by default. */
#define LATE_MS    (8 * PERIOD_DAY_MS)
#define BY_DEFAULT "tenant,model"

static struct settings_options settings_options;
static struct option_texts by;
static const char *since, *until, *month, *format, *currency, *account = "unknown", *prices_file,
                                                              *other_file;
static int64_t every_ms = EVERY_DEFAULT_MS;
static bool watches;

static const struct command_option OPTIONS[] = {
    SETTINGS_OPTION_ROWS(settings_options),
    {
        .letter = 'b',
        .name = "by",
        .value = "COLUMNS",
        .kind = OPTION_TEXTS,
        .into.texts = &by,
        .description = "What to sum by, e.g. tenant,day: tenant, model, region, month, day, hour, "
                       "api, stop_reason, estimated, service_tier, labels (all of them) or "
                       "label:NAME (one). May be repeated. Default tenant,model.",
    },
    {
        .name = "since",
        .value = "TIME",
        .kind = OPTION_TEXT,
        .into.text = &since,
        .description = "Calls that began at this time or later: 2026-11-22T10:00:00Z, a day "
                       "(2026-11-22), a month (2026-11), or a duration before now (36h, 30d). "
                       "Default: all that the topic has.",
    },
    {
        .name = "until",
        .value = "TIME",
        .kind = OPTION_TEXT,
        .into.text = &until,
        .description = "Calls that began before this time. Default: to the end.",
    },
    {
        .name = "month",
        .value = "MONTH",
        .kind = OPTION_TEXT,
        .into.text = &month,
        .description = "The calls of a month in UTC, e.g. 2026-11.",
    },
    {
        .letter = 'f',
        .name = "format",
        .value = "FORMAT",
        .kind = OPTION_TEXT,
        .into.text = &format,
        .description = "table (default), csv, json (an object a line), or focus: CSV with the "
                       "columns of FOCUS 1.2. Tables round money to millionths; the others are "
                       "exact.",
    },
    {
        .name = "account",
        .value = "ID",
        .kind = OPTION_TEXT,
        .into.text = &account,
        .description = "The billing account in rows of FOCUS. Default `unknown`.",
    },
    {
        .name = "currency",
        .value = "CODE",
        .kind = OPTION_TEXT,
        .into.text = &currency,
        .description = "The currency whose costs are summed, should the topic have several. "
                       "Default: that of the first record.",
    },
    {
        .name = "reprice",
        .value = "FILE",
        .kind = OPTION_TEXT,
        .into.text = &prices_file,
        .description = "A price file: costs are what it would give, and the recorded ones stand "
                       "beside them.",
    },
    {
        .name = "reconcile",
        .value = "FILE",
        .kind = OPTION_TEXT,
        .into.text = &other_file,
        .description = "Compare with AWS's Cost and Usage Report (CSV; by day, model and class of "
                       "tokens) or Bedrock's invocation logs (JSON lines; by request id), and "
                       "name what is on one side only. `-` is standard input.",
    },
    {
        .letter = 'w',
        .name = "watch",
        .kind = OPTION_FLAG,
        .into.flag = &watches,
        .description = "Follow the topic and draw the table again and again, until Ctrl-C.",
    },
    {
        .name = "every",
        .value = "TIME",
        .kind = OPTION_SPAN,
        .max = EVERY_MAX_MS,
        .into.number = &every_ms,
        .description = "Time between two tables of --watch. Default 2s.",
    },
};

/* ---- the command line ---- */

PRINTF(1, 2)
static bool refuse(const char *text, ...)
{
    va_list args;
    (void)fprintf(stderr, "bedrock-worker usage: ");
    va_start(args, text);
    (void)vfprintf(stderr, text, args);
    va_end(args);
    (void)fprintf(stderr, "; see bedrock-worker usage --help\n");
    return false;
}

static bool take_columns(struct columns *columns, enum usage_format chosen)
{
    char fault[COLUMNS_FAULT_BYTES];
    if (chosen == USAGE_FOCUS && by.count > 0)
        return refuse("--format focus has columns of its own; leave --by out");
    if (other_file != NULL)
        return by.count == 0 || refuse("--reconcile has columns of its own; leave --by out");
    if (by.count == 0)
        by.list[by.count++] = chosen == USAGE_FOCUS ? FOCUS_COLUMNS : BY_DEFAULT;
    for (size_t i = 0; i < by.count; i++)
        if (!columns_add(columns, slice_of_text(by.list[i]), fault))
            return refuse("--by: %s", fault);
    return true;
}

static bool take_time(const char *name, const char *text, int64_t *ret_ms)
{
    return text == NULL || period_read_time(slice_of_text(text), clock_wall_ms(), ret_ms) ||
           refuse("--%s %.80s is no time; write " PERIOD_TIME_WORDS, name, text);
}

static bool take_window(struct book_plan *plan)
{
    plan->since_ms = INT64_MIN;
    plan->until_ms = INT64_MAX;
    if (month != NULL && (since != NULL || until != NULL))
        return refuse("--month says both ends; leave --since and --until out");
    if (month != NULL && !period_read_month(slice_of_text(month), &plan->since_ms, &plan->until_ms))
        return refuse("--month %.80s is no month; write one such as 2026-11", month);
    if (!take_time("since", since, &plan->since_ms) || !take_time("until", until, &plan->until_ms))
        return false;
    return plan->since_ms < plan->until_ms || refuse("--since is not before --until");
}

static bool take_rest(struct book_plan *plan, enum usage_format *ret_format)
{
    if (format != NULL && !usage_format_read(format, ret_format))
        return refuse("--format %.40s: formats are " USAGE_FORMATS, format);
    if (watches && *ret_format != USAGE_TABLE)
        return refuse("--watch draws tables only; leave --format out");
    if (watches && plan->until_ms != INT64_MAX)
        return refuse("--watch has no end; leave --until and --month out");
    if (other_file != NULL && (watches || *ret_format == USAGE_FOCUS))
        return refuse("--reconcile prints a table, csv or json, once; leave %s out",
                      watches ? "--watch" : "--format focus");
    if (currency != NULL)
        plan->currency = slice_of_text(currency);
    return currency == NULL || money_is_currency(plan->currency) ||
           refuse("--currency %.40s is no currency; write a code such as USD", currency);
}

/* ---- other prices ---- */

struct other_prices {
    struct arena arena;
    struct price_table table;
    struct reprice reprice;
};

static bool read_prices(struct other_prices *prices, struct problems *problems)
{
    struct buf text OWNED_BY(buf_done), faults OWNED_BY(buf_done);
    buf_init(&text, DOCUMENT_BYTES_MAX);
    buf_init(&faults, PROBLEMS_BYTES_MAX);
    const char *fault = settings_read_regular(prices_file, &text);
    if (fault != NULL)
        return refuse("--reprice %.200s: %s", prices_file, fault);
    problems_init(problems);
    if (price_file_read(&prices->arena, buf_slice(&text), prices_file, problems, &prices->table))
        return true;
    problems_add_text(problems, &faults);
    (void)fputs(buf_text(&faults), stderr);
    return false;
}

/* Has the plan use the prices of --reprice, if it is given. */
static bool take_prices(struct other_prices *prices, struct book_plan *plan)
{
    arena_init(&prices->arena, PRICE_FILE_ARENA_BYTES);
    if (prices_file == NULL)
        return true;
    struct problems *problems = memory_new(sizeof *problems);
    bool is_read = problems != NULL && read_prices(prices, problems);
    memory_free(problems);
    if (!is_read)
        return false;
    reprice_init(&prices->reprice, &prices->table);
    plan->price = reprice_entry;
    plan->pricer = &prices->reprice;
    return true;
}

/* Says which calls the prices of --reprice leave without a cost. */
static void print_lacks(const struct reprice *reprice)
{
    const struct {
        int64_t count;
        const char *why;
    } lacks[] = {
        {reprice->no_row, "no row of the price file applies to them"},
        {reprice->no_class, "they used tokens of a class without a price in their row"},
        {reprice->odd, "their counts contradict each other"},
    };
    for (size_t i = 0; i < COUNT_OF(lacks); i++)
        if (lacks[i].count > 0)
            (void)fprintf(stderr, "%lld calls have no cost by %s: %s\n", (long long)lacks[i].count,
                          prices_file, lacks[i].why);
}

/* ---- reading ---- */

struct usage {
    struct book book;
    struct scan *scan;
    struct usage_output output;
    struct usage_reconcile *reconcile; /* NULL = sums are printed */
    int64_t shown_ms;                  /* when a table or the progress was shown last */
};

static int fail(struct usage *usage, enum err err)
{
    screen_clear(&usage->output.err);
    if (err == ERR_TOO_LARGE)
        (void)fprintf(stderr, "bedrock-worker usage: --by makes too many rows; sum by fewer "
                              "columns, or less time\n");
    else if (err == ERR_NO_MEMORY)
        (void)fprintf(stderr, "bedrock-worker usage: out of memory\n");
    else
        (void)fprintf(stderr, "bedrock-worker usage: %s\n", scan_reason(usage->scan));
    return EXIT_FAILED;
}

static enum err take_batch(struct usage *usage, const struct scan_batch *batch)
{
    enum err err = OK;
    for (size_t i = 0; i < batch->count && err == OK; i++) {
        const struct scan_record *record = &batch->records[i];
        const struct book_place place = {record->partition, record->offset, NULL};
        err = book_take(&usage->book, &place, record->value, batch->now_ms);
    }
    return err;
}

static enum err show_between(struct usage *usage)
{
    int64_t now_ms = clock_monotonic_ms(), done = 0, all = 0;
    int64_t wait_ms = watches ? every_ms : READ_MS;
    if (now_ms - usage->shown_ms < wait_ms)
        return OK;
    usage->shown_ms = now_ms;
    scan_progress(usage->scan, &done, &all);
    if (!watches || done < all) {
        usage_show_progress(&usage->output, &usage->book, done, all);
        return OK;
    }
    return usage_print_again(&usage->output, &usage->book);
}

static enum err read_all(struct usage *usage)
{
    enum err err = OK;
    struct scan_batch *batch = memory_new(sizeof *batch);
    if (batch == NULL)
        return ERR_NO_MEMORY;
    usage->shown_ms = clock_monotonic_ms();
    while (err == OK && !scan_is_over(usage->scan)) {
        err = scan_next(usage->scan, READ_MS, batch);
        if (err == OK)
            err = take_batch(usage, batch);
        if (err == OK)
            err = show_between(usage);
    }
    memory_free(batch);
    return err;
}

static struct scan_window window_of(const struct settings *settings, const struct book_plan *plan)
{
    bool has_since = plan->since_ms > EARLY_MS, has_until = plan->until_ms < INT64_MAX - LATE_MS;
    return (struct scan_window){
        .topic = settings->topics_usage,
        .since_ms = has_since ? plan->since_ms - EARLY_MS : SCAN_START,
        .until_ms = has_until ? plan->until_ms + LATE_MS : SCAN_END,
        .follows = watches,
    };
}

static int read_and_print(struct usage *usage, const struct settings *settings,
                          const struct book_plan *plan)
{
    char reason[CLIENT_REASON_MAX];
    const struct scan_window window = window_of(settings, plan);
    usage->scan = scan_new(settings, &window, CONNECT_MS, reason);
    if (usage->scan == NULL) {
        (void)fprintf(stderr, "bedrock-worker usage: %s\n", reason);
        return EXIT_FAILED;
    }
    enum err err = read_all(usage);
    if (err == OK)
        err = usage->reconcile != NULL
                  ? usage_reconcile_print(usage->reconcile, &usage->output, &usage->book)
                  : usage_print(&usage->output, &usage->book);
    int code = err == OK ? EXIT_DONE : fail(usage, err);
    scan_free(usage->scan);
    return code;
}

static int run_with(const struct settings *settings, const struct book_plan *plan,
                    enum usage_format chosen, struct usage_reconcile *reconcile)
{
    struct usage *usage = memory_new(sizeof *usage);
    if (usage == NULL)
        return EXIT_FAILED;
    book_init(&usage->book, plan);
    usage_output_init(&usage->output, settings->topics_usage, chosen);
    usage->output.account = slice_of_text(account);
    usage->reconcile = reconcile;
    int code = read_and_print(usage, settings, plan);
    book_done(&usage->book);
    memory_free(usage);
    return code;
}

/* Sums the topic, or compares it with the file of --reconcile. */
static int run_reading(const struct settings *settings, struct book_plan *plan,
                       enum usage_format chosen)
{
    if (other_file == NULL)
        return run_with(settings, plan, chosen, NULL);
    struct usage_reconcile *reconcile = memory_new(sizeof *reconcile);
    if (reconcile == NULL)
        return EXIT_FAILED;
    int code = usage_reconcile_read(reconcile, other_file, plan)
                   ? run_with(settings, plan, chosen, reconcile)
                   : EXIT_FAILED;
    usage_reconcile_done(reconcile);
    memory_free(reconcile);
    return code;
}

static int run(void)
{
    struct book_plan plan = {.seed = clock_seed()};
    enum usage_format chosen = USAGE_TABLE;
    if (!take_window(&plan) || !take_rest(&plan, &chosen) || !take_columns(&plan.columns, chosen))
        return EXIT_USAGE;
    struct settings *settings = settings_options_load(&settings_options, true, NULL);
    if (settings == NULL)
        return EXIT_USAGE;
    struct other_prices *prices = memory_new(sizeof *prices);
    int code = prices != NULL && take_prices(prices, &plan) ? run_reading(settings, &plan, chosen)
                                                            : EXIT_USAGE;
    if (prices != NULL) {
        print_lacks(&prices->reprice);
        arena_done(&prices->arena);
    }
    memory_free(prices);
    settings_options_free(settings);
    return code;
}

const struct command command_usage = {
    .name = "usage",
    .summary = "sum what was used, from the usage topic",
    .synopsis = "[--by COLUMNS]... [--month MONTH | [--since TIME] [--until TIME]] "
                "[--format FORMAT] [--reprice FILE] [--reconcile FILE] [--watch] [--set "
                "PATH=VALUE]... [-c FILE | FILE]",
    .description =
        "Reads `topics.usage`, all partitions, committed records only, and sums requests, calls, "
        "tokens and costs by any of the columns. Each call counts once: a record that comes "
        "twice within a day is counted once, and one that another record replaces is left out. "
        "It ends at the end that the topic has at the start, and says on standard error what it "
        "skipped and where: records that are no usage records, damaged ones, those of another "
        "version.\n\n"
        "Days, hours and months are in UTC, of the time at which a call began. `requests` counts "
        "calls whose answer was published. Input tokens include cached ones. Costs are those of "
        "the records, summed exactly; calls without one are counted as unpriced, never as free.",
    .examples = "  bedrock-worker usage --month 2026-11 worker.yaml\n"
                "  bedrock-worker usage --by tenant,day --since 7d --format csv worker.yaml\n"
                "  bedrock-worker usage --by label:project --watch worker.yaml\n"
                "  bedrock-worker usage --month 2026-11 --reprice new-prices.yaml worker.yaml\n"
                "  zcat report.csv.gz | bedrock-worker usage --reconcile - worker.yaml\n",
    .options = {.list = OPTIONS,
                .count = COUNT_OF(OPTIONS),
                .argument_name = "FILE",
                .argument = &settings_options.argument},
    .run = run,
};
