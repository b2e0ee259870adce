/* `bedrock-worker prices`: says which price applies to a model, checks a price file, and makes one
 * from others' lists. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/books/period.h"
#include "app/commands/commands.h"
#include "app/commands/settings_options.h"
#include "app/prices/imports.h"
#include "app/prices/showing.h"
#include "base/instant.h"
#include "base/memory.h"
#include "io/loop/clock.h"
#include "wire/chat/traits.h"

#define PAGE_BYTES_MAX ((size_t)4 * 1024 * 1024)
#define TOKENS_MAX     1000000000
#define DATE_LEN       10
#define NOTES_SHOWN    40

enum verb { SHOW, CHECK_FILE, IMPORT };

static struct settings_options settings_options;
static int64_t verb = -1, input_tokens;
static const char *subject, *file, *region, *tier, *moment;
static struct option_texts names;

static const struct command_option OPTIONS[] = {
    SETTINGS_OPTION_ROWS(settings_options),
    {
        .letter = 'f',
        .name = "file",
        .value = "FILE",
        .kind = OPTION_TEXT,
        .into.text = &file,
        .description = "show: the price file. Without it that of the settings (prices.file).",
    },
    {
        .name = "region",
        .value = "REGION",
        .kind = OPTION_TEXT,
        .into.text = &region,
        .description = "show: the region that is called. Without it that of the alias, the "
                       "settings or AWS_REGION.",
    },
    {
        .name = "tier",
        .value = "TIER",
        .kind = OPTION_TEXT,
        .into.text = &tier,
        .description = "show: the tier that serves, such as flex (default: default).",
    },
    {
        .name = "input",
        .value = "N",
        .kind = OPTION_COUNT,
        .max = TOKENS_MAX,
        .into.number = &input_tokens,
        .description = "show: the input tokens of the call, cached ones with it (default 0).",
    },
    {
        .name = "at",
        .value = "TIME",
        .kind = OPTION_TEXT,
        .into.text = &moment,
        .description =
            "show: when the call begins: 2026-08-06T12:00:00Z, a day (2026-08-06), a month "
            "(2026-08), or a duration before now (36h). Default: now.",
    },
    {
        .name = "name",
        .value = "NAME=MODEL",
        .kind = OPTION_TEXTS,
        .into.texts = &names,
        .description = "import: the model id, or a glob, for a name of AWS's offer, which has no "
                       "ids. May be repeated.",
    },
};

static int fail(const char *words, const char *what)
{
    (void)fprintf(stderr, "bedrock-worker prices: %s%s%s\n", what, what[0] != '\0' ? ": " : "",
                  words);
    return EXIT_USAGE;
}

static void print_problems(const struct problems *problems)
{
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, PROBLEMS_BYTES_MAX);
    problems_add_text(problems, &text);
    (void)fputs(buf_text(&text), stderr);
}

/* Reads a price file; false: standard error says what is wrong. */
static bool read_table(struct arena *arena, const char *name, struct price_table *ret_table)
{
    static struct problems problems;
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, DOCUMENT_BYTES_MAX);
    problems_init(&problems);
    const char *fault = settings_read_regular(name, &text);
    if (fault != NULL)
        problems_add(&problems, (struct place){name, 0, 0}, SLICE(""),
                     "%s; check path and permissions", fault);
    bool is_good =
        fault == NULL && price_file_read(arena, buf_slice(&text), name, &problems, ret_table);
    problems_sort(&problems);
    print_problems(&problems);
    return is_good;
}

/* ---- show ---- */

static bool read_moment(int64_t *ret_ms)
{
    *ret_ms = clock_wall_ms();
    return moment == NULL || period_read_time(slice_of_text(moment), *ret_ms, ret_ms);
}

/* What an alias calls; else the model itself in the settings' region. */
static void resolve(const struct settings *settings, struct slice *ret_model,
                    struct slice *ret_region)
{
    const struct setting_aliases *aliases = &settings->models_aliases;
    const char *variable = getenv("AWS_REGION");
    *ret_model = slice_of_text(subject);
    *ret_region = settings->bedrock_region;
    for (size_t i = 0; i < aliases->count; i++) {
        if (!slice_equal_text(aliases->list[i].name, subject))
            continue;
        *ret_model = aliases->list[i].id;
        if (aliases->list[i].region.len > 0)
            *ret_region = aliases->list[i].region;
    }
    if (ret_region->len == 0 && variable != NULL)
        *ret_region = slice_of_text(variable);
    if (region != NULL)
        *ret_region = slice_of_text(region);
}

static int show_in(const struct settings *settings, const char *name,
                   const struct price_table *table)
{
    struct slice model, called_in;
    struct buf page OWNED_BY(buf_done);
    int64_t at_ms;
    buf_init(&page, PAGE_BYTES_MAX);
    resolve(settings, &model, &called_in);
    if (called_in.len == 0)
        return fail("no region is known; name the one that is called with --region", "");
    if (!read_moment(&at_ms))
        return fail("is no time; write " PERIOD_TIME_WORDS, moment);
    struct price_query query = {
        .names = {model, traits_id(model), traits_name(model)},
        .region = called_in,
        .tier = tier != NULL ? slice_of_text(tier) : SLICE(PRICE_TIER),
        .input_tokens = input_tokens,
        .at_ms = at_ms,
    };
    query.is_global = slice_starts(query.names[PRICE_OF_ARN], SLICE(PRICE_GLOBAL "."));
    bool applies = price_show(&page, table, name, &query);
    (void)fputs(buf_text(&page), stdout);
    return applies ? EXIT_DONE : EXIT_FAILED;
}

static int show(void)
{
    struct arena arena;
    struct price_table table;
    if (subject == NULL)
        return fail("write prices show MODEL", "no model is named");
    struct settings *settings = settings_options_load(&settings_options, false, NULL);
    if (settings == NULL)
        return EXIT_USAGE;
    int code = EXIT_USAGE;
    arena_init(&arena, PRICE_FILE_ARENA_BYTES);
    if (file == NULL && settings->prices_file.file.len > 0)
        code = show_in(settings, settings->prices_file.file.ptr, &settings->prices_file.table);
    else if (file == NULL)
        code = fail("name it with --file, or as prices.file in the settings", "no price file");
    else if (read_table(&arena, file, &table))
        code = show_in(settings, file, &table);
    arena_done(&arena);
    settings_options_free(settings);
    return code;
}

/* ---- check ---- */

static int check(void)
{
    struct arena arena;
    struct price_table table;
    if (subject == NULL)
        return fail("write prices check FILE", "no file is named");
    arena_init(&arena, PRICE_FILE_ARENA_BYTES);
    bool is_good = read_table(&arena, subject, &table);
    if (is_good)
        (void)printf("%s: %zu rows in %s, version %s\n", subject, table.count, table.currency,
                     table.version);
    arena_done(&arena);
    return is_good ? EXIT_DONE : EXIT_USAGE;
}

/* ---- import ---- */

static void add_head(struct buf *page, const struct import *import, const char *name)
{
    struct buf today OWNED_BY(buf_done);
    buf_init(&today, 64);
    instant_add_rfc3339(&today, clock_wall_ms());
    buf_addf(page,
             "# Made by `bedrock-worker prices import` from %s,\n"
             "# %s. Compare the rows of your models with AWS's page.\n",
             name, import->is_offer ? "an offer of AWS's Price List" : "LiteLLM's price map");
    buf_addf(page, "date: %.*s\ncurrency: %s\nprices:%s\n", DATE_LEN, buf_text(&today),
             import->currency, import->count == 0 ? " []" : "");
}

/* Prints the rows. They are read again, so that what is printed is a right file. */
static int print_import(const struct import *import, const char *name)
{
    static struct problems problems;
    struct arena arena;
    struct price_table table;
    struct buf page OWNED_BY(buf_done);
    buf_init(&page, DOCUMENT_BYTES_MAX);
    add_head(&page, import, name);
    for (size_t i = 0; i < import->count; i++) {
        buf_add_text(&page, "  - ");
        price_row_add(&page, &import->rows[i]);
        buf_add_byte(&page, '\n');
    }
    if (import->unnamed->len > 0)
        buf_add_text(&page, "# Prices of models whose ids the offer does not say (--name):\n");
    buf_add(&page, buf_slice(import->unnamed));
    arena_init(&arena, PRICE_FILE_ARENA_BYTES);
    problems_init(&problems);
    bool is_good =
        page.failed == OK && price_file_read(&arena, buf_slice(&page), "output", &problems, &table);
    arena_done(&arena);
    (void)fputs(buf_text(&page), stdout);
    print_problems(&problems);
    (void)fprintf(stderr, "bedrock-worker prices: %zu rows\n", import->count);
    return is_good ? EXIT_DONE : EXIT_FAILED;
}

static void print_notes(const struct buf *notes)
{
    struct slice rest = buf_slice(notes);
    size_t shown = 0, more = 0;
    while (rest.len > 0) {
        struct slice line = slice_sub(rest, 0, slice_find(rest, '\n'));
        rest = slice_sub(rest, line.len + 1, SIZE_MAX);
        if (shown < NOTES_SHOWN)
            (void)fprintf(stderr, "%.*s\n", SLICE_ARG(line));
        else
            more++;
        shown++;
    }
    if (more > 0)
        (void)fprintf(stderr, "and %zu more\n", more);
}

/* Splits NAME=MODEL; false: standard error says what is wrong. */
static bool read_names(struct import_name list[OPTION_TEXTS_MAX])
{
    for (size_t i = 0; i < names.count; i++) {
        struct slice text = slice_of_text(names.list[i]);
        size_t equals = slice_find(text, '=');
        list[i].offered = slice_sub(text, 0, equals);
        list[i].model = slice_sub(text, equals + 1, SIZE_MAX);
        if (list[i].offered.len > 0 && list[i].model.len > 0 &&
            list[i].model.len == strcspn(list[i].model.ptr, " \"\\"))
            continue;
        (void)fail("is not NAME=MODEL", names.list[i]);
        return false;
    }
    return true;
}

static int import_text(struct slice text)
{
    static struct import_name list[OPTION_TEXTS_MAX];
    struct json_fault fault;
    struct arena arena;
    struct buf notes OWNED_BY(buf_done), unnamed OWNED_BY(buf_done);
    buf_init(&notes, IMPORT_NOTES_MAX);
    buf_init(&unnamed, IMPORT_NOTES_MAX);
    if (!read_names(list))
        return EXIT_USAGE;
    arena_init(&arena, IMPORT_ARENA_BYTES);
    struct import import = {.arena = &arena,
                            .names = list,
                            .name_count = names.count,
                            .notes = &notes,
                            .unnamed = &unnamed};
    enum err err = import_read(&import, text, &fault);
    int code = EXIT_FAILED;
    print_notes(&notes);
    if (err == OK)
        code = print_import(&import, subject);
    else if (err == ERR_FORMAT && fault.words != NULL)
        (void)fprintf(stderr, "%s:%zu:%zu: is no JSON: %s\n", subject, fault.line, fault.column,
                      fault.words);
    else if (err == ERR_FORMAT)
        (void)fail("has no price of a model at Bedrock; name LiteLLM's price map or an offer file "
                   "of AWS's Price List",
                   subject);
    else
        (void)fail("has too many prices", subject);
    arena_done(&arena);
    return code;
}

static int import(void)
{
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, IMPORT_BYTES_MAX);
    if (subject == NULL)
        return fail("write prices import FILE", "no file is named");
    const char *fault = settings_read_regular(subject, &text);
    if (fault == NULL)
        return import_text(buf_slice(&text));
    return fail(text.failed != OK ? "is over 64 MiB" : fault, subject);
}

static int run(void)
{
    if (verb == SHOW)
        return show();
    return verb == CHECK_FILE ? check() : import();
}

const struct command command_prices = {
    .name = "prices",
    .summary = "say which price applies; check or make a price file",
    .synopsis = "show MODEL | check FILE | import FILE [OPTION]...",
    .description =
        "show: says which row of the price file applies to a call of MODEL (an alias, an id or an "
        "ARN), and of the other rows for it why they do not. Ends with 1 when none applies.\n\n"
        "check: reads a price file and prints every mistake as `file:line:column: what is "
        "wrong`.\n\n"
        "import: reads LiteLLM's price map (model_prices_and_context_window.json), or an offer "
        "file of AWS's Price List, and prints a price file, digit by digit. What has no exact "
        "price for a token is left out and named on standard error. An offer says no model ids: "
        "--name gives them, and the other prices become comments. The reader of offers was made "
        "from AWS's description and not tried on a real file: compare what it prints.",
    .examples = "  bedrock-worker prices show us.amazon.nova-lite-v1:0 --region us-east-1 \\\n"
                "      --file prices.yaml\n"
                "  bedrock-worker prices check prices.yaml\n"
                "  bedrock-worker prices import model_prices.json >prices.yaml\n",
    .options = {OPTIONS, COUNT_OF(OPTIONS), "FILE", &subject, "show|check|import", &verb},
    .run = run,
};
