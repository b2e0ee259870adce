/* `bedrock-worker health`: asks the worker's probes. */
#include <stdio.h>

#include "app/commands/address_options.h"
#include "app/commands/commands.h"

static struct address_options address_options;
static bool is_live;

static const struct command_option OPTIONS[] = {
    {
        .name = "live",
        .kind = OPTION_FLAG,
        .into.flag = &is_live,
        .description = "Ask whether the worker lives (/livez) instead of whether it is ready.",
    },
    ADDRESS_OPTION_ROWS(address_options),
};

/* Prints the probe's words. */
static bool hear(void *self, struct visit *visit, bool is_named)
{
    bool is_good = visit->status == 200;
    FILE *out = is_good ? stdout : stderr;
    (void)self;
    if (is_named)
        (void)fprintf(out, "%s: ", visit->address);
    (void)fprintf(out, "%.*s", SLICE_ARG(buf_slice(&visit->body)));
    return is_good;
}

/* Exits with 0 or 1 only: Docker reserves 2. */
static int run(void)
{
    struct address_tally tally;
    address_options_ask(&address_options, "health", is_live ? SLICE("/livez") : SLICE("/readyz"),
                        false, hear, NULL, &tally);
    return tally.good > 0 && tally.good == tally.asked ? EXIT_DONE : EXIT_FAILED;
}

const struct command command_health = {
    .name = "health",
    .summary = "ask whether a running worker is ready, for probes",
    .synopsis = "[--live] [--address HOST:PORT]... [--set PATH=VALUE]... [-c FILE]",
    .description =
        "Asks a running worker whether it is ready: it has joined its group and does not stop. "
        "Throttling and lost brokers leave it ready. With --live it asks whether the worker "
        "lives: its loop turns, and no partition with records stands still. Prints the worker's "
        "words, and ends with 0 when all is well, else with 1, as container health checks "
        "expect.",
    .examples = "  bedrock-worker health\n"
                "  bedrock-worker health --live --address 127.0.0.1:9465\n",
    .options = {OPTIONS, COUNT_OF(OPTIONS), NULL, NULL, NULL, NULL},
    .run = run,
};
