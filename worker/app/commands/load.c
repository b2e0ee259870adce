/* `bedrock-worker load`: the options of app/demo/load.c. */
#include "app/demo/load.h"

#include "app/commands/commands.h"
#include "app/commands/settings_options.h"

#define RATE_MAX     1000
#define RATE_DEFAULT 5
#define WAIT_MS_MAX  3600000

static struct settings_options settings_options;
static struct load_options options = {.rate = RATE_DEFAULT, .every_ms = 10000, .wait_ms = 120000};

static const struct command_option OPTIONS[] = {
    SETTINGS_OPTION_ROWS(settings_options),
    {
        .letter = 'r',
        .name = "rate",
        .value = "N",
        .kind = OPTION_COUNT,
        .max = RATE_MAX,
        .into.number = &options.rate,
        .description = "Requests a second. Default 5.",
    },
    {
        .letter = 'n',
        .name = "requests",
        .value = "N",
        .kind = OPTION_COUNT,
        .max = LOAD_REQUESTS_MAX,
        .into.number = &options.requests,
        .description = "End after this many requests and their answers. Default 0: on SIGTERM or "
                       "Ctrl-C.",
    },
    {
        .name = "every",
        .value = "TIME",
        .kind = OPTION_SPAN,
        .max = WAIT_MS_MAX,
        .into.number = &options.every_ms,
        .description = "Time between two tables. Default 10s.",
    },
    {
        .letter = 't',
        .name = "timeout",
        .value = "TIME",
        .kind = OPTION_SPAN,
        .max = WAIT_MS_MAX,
        .into.number = &options.wait_ms,
        .description = "How long to wait for the last answers. Default 2m.",
    },
};

static int run(void)
{
    if (options.rate == 0)
        options.rate = 1;
    struct settings *settings = settings_options_load(&settings_options, true, NULL);
    if (settings == NULL)
        return EXIT_USAGE;
    int code = load_run(settings, &options);
    settings_options_free(settings);
    return code;
}

const struct command command_load = {
    .name = "load",
    .summary = "send requests steadily and count what comes back",
    .synopsis = "[--rate N] [--requests N] [--every TIME] [--timeout TIME] [--set PATH=VALUE]... "
                "[-c FILE | FILE]",
    .description =
        "Sends small chat requests of three tenants to the first of `topics.requests`, for the "
        "models of models.aliases in turn, else for models.default. It follows responses and "
        "usage, and shows some of the answers and a table by tenant: asked, answered, tokens, and "
        "calls that ended with a killed worker and were made again. At its end it checks that "
        "each request has one answer. Workers must be running; with Amazon Bedrock each request "
        "costs some tokens.",
    .examples = "  bedrock-worker load worker.yaml\n"
                "  bedrock-worker load --rate 50 --requests 1000 worker.yaml\n",
    .options = {OPTIONS, COUNT_OF(OPTIONS), "FILE", &settings_options.argument, NULL, NULL},
    .run = run,
};
