/* `bedrock-worker health`: asks the worker's probes. */
#include <stdio.h>

#include "app/client/visit.h"
#include "app/commands/commands.h"
#include "app/commands/settings_options.h"

static struct settings_options settings_options;
static const char *address;
static bool is_live;

static const struct command_option OPTIONS[] = {
    {
        .letter = 'a',
        .name = "address",
        .value = "HOST:PORT",
        .kind = OPTION_TEXT,
        .into.text = &address,
        .description = "The worker's address. Without it: telemetry.http.address of the settings, "
                       "on this machine.",
    },
    {
        .name = "live",
        .kind = OPTION_FLAG,
        .into.flag = &is_live,
        .description = "Ask whether the worker lives (/livez) instead of whether it is ready.",
    },
    SETTINGS_OPTION_ROWS(settings_options),
};

/* Prints the probe's words. Returns whether the worker is healthy. */
static bool probe(struct visit *visit)
{
    bool is_answered = visit_get(visit, is_live ? SLICE("/livez") : SLICE("/readyz"));
    bool is_good = is_answered && visit->status == 200;
    if (!is_answered)
        (void)fprintf(stderr, "no worker answers at %s: %s\n", visit->address, visit->reason);
    else
        (void)fprintf(is_good ? stdout : stderr, "%.*s", SLICE_ARG(buf_slice(&visit->body)));
    return is_good;
}

/* Exits with 0 or 1 only: Docker reserves 2. */
static int run(void)
{
    struct visit visit;
    struct settings *settings = NULL;
    if (address == NULL) {
        settings = settings_options_load(&settings_options, false, NULL);
        if (settings == NULL)
            return EXIT_FAILED;
    }
    bool is_good = visit_init(&visit, address, settings);
    if (!is_good)
        (void)fprintf(stderr, "bedrock-worker health: %s\n", visit.reason);
    is_good = is_good && probe(&visit);
    visit_done(&visit);
    settings_options_free(settings);
    return is_good ? EXIT_DONE : EXIT_FAILED;
}

const struct command command_health = {
    .name = "health",
    .summary = "ask whether a running worker is ready, for probes",
    .synopsis = "[--live] [--address HOST:PORT] [--set PATH=VALUE]... [-c FILE]",
    .description =
        "Asks a running worker whether it is ready: it has joined its group and does not stop. "
        "Throttling and lost brokers leave it ready. With --live it asks whether the worker "
        "lives: its loop turns, and no partition with records stands still. Prints the worker's "
        "words, and ends with 0 when all is well, else with 1, as container health checks "
        "expect.",
    .examples = "  bedrock-worker health\n"
                "  bedrock-worker health --live --address 127.0.0.1:9465\n",
    .options = {OPTIONS, COUNT_OF(OPTIONS), NULL, NULL},
    .run = run,
};
