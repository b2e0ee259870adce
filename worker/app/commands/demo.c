/* `bedrock-worker demo`: the options of app/demo. */
#include <errno.h>

#include "app/commands/commands.h"
#include "app/demo/demo.h"

#define REQUESTS_DEFAULT 300
#define REQUESTS_MAX     10000
#define QUOTA_MAX        1000000

static struct demo_options options = {.requests = REQUESTS_DEFAULT};

static const struct command_option OPTIONS[] = {
    {
        .name = "keep",
        .kind = OPTION_FLAG,
        .into.flag = &options.keep,
        .description =
            "Stay up afterwards, and print the broker's address with lines to try; Ctrl-C ends it.",
    },
    {
        .letter = 'n',
        .name = "requests",
        .value = "N",
        .kind = OPTION_COUNT,
        .max = REQUESTS_MAX,
        .into.number = &options.requests,
        .description = "Requests beside the conversations. Default 300, at most 10000.",
    },
    {
        .letter = 'q',
        .name = "quota",
        .value = "N",
        .kind = OPTION_COUNT,
        .max = QUOTA_MAX,
        .into.number = &options.quota,
        .description = "A flood through a quota: the local Bedrock takes N requests a minute for "
                       "each model, and a plot shows what the worker makes of it, e.g. 300.",
    },
};

static int run(void)
{
    options.program = program_invocation_name;
    return demo_run(&options);
}

const struct command command_demo = {
    .name = "demo",
    .summary = "run everything in one process and watch it work",
    .synopsis = "[--keep] [--requests N] [--quota N]",
    .description =
        "Starts a broker (librdkafka's in-memory cluster), a local Bedrock (the core of "
        "bedrock-sim) and a worker in this process; sends seven conversations and some hundred "
        "other requests, with 5 % of the calls throttled and some streams cut; and shows the "
        "answers, the token usage by model and what was retried. Then it checks the results: "
        "every request has exactly one answer, and the usage equals what the local Bedrock "
        "billed.\n\n"
        "The in-memory cluster drops transactional offsets, so the worker runs with "
        "`at_least_once` there. With KAFKA_BOOTSTRAP_SERVERS set the demo uses that cluster with "
        "temporary topics, and `exactly_once`. It sends nothing to AWS and needs no credentials.",
    .examples = "  bedrock-worker demo\n"
                "  bedrock-worker demo --keep\n"
                "  bedrock-worker demo --quota 300\n"
                "  KAFKA_BOOTSTRAP_SERVERS=127.0.0.1:9092 bedrock-worker demo\n",
    .options = {OPTIONS, COUNT_OF(OPTIONS), NULL, NULL, NULL, NULL},
    .run = run,
};
