/* `bedrock-worker run`: runs the worker. */
#include <stdio.h>
#include <unistd.h>

#include "app/commands/commands.h"
#include "app/commands/settings_options.h"
#include "app/worker.h"
#include "base/check.h"
#include "io/loop/process.h"
#include "io/loop/signals.h"

#define BUG_LINE_MAX 2048

static struct settings_options options;

static const struct command_option OPTIONS[] = {SETTINGS_OPTION_ROWS(options)};

static bool writes_json; /* for the hook; set once, before the worker runs */

/* Writes the last log line after a failed CHECK, at once, because the process then aborts. */
static void log_bug(const char *fact, const char *file, int line)
{
    const struct log_field fields[] = {
        FIELD_TEXT("fact", slice_of_text(fact)),
        FIELD_TEXT("file", slice_of_text(file)),
        FIELD_INT("line", line),
    };
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, BUG_LINE_MAX);
    if (writes_json)
        log_add_json(&text, clock_wall_ms(), LOG_BUG, fields, COUNT_OF(fields));
    else
        log_add_text(&text, clock_wall_ms(), LOG_BUG, fields, COUNT_OF(fields));
    ssize_t written = write(STDERR_FILENO, text.ptr, text.len);
    (void)written;
}

static void watch_for_bugs(const struct settings *settings)
{
    int format = settings->telemetry_log_format;
    writes_json =
        format == LOG_FORMAT_JSON || (format == LOG_FORMAT_AUTO && !isatty(STDERR_FILENO));
    check_set_hook(log_bug);
}

static int run(void)
{
    char words[ASSEMBLY_REASON_MAX] = "";
    int code = EXIT_USAGE;
    signals_ignore_hang_up();
    struct settings *settings = settings_options_load(&options, true, NULL);
    if (settings == NULL)
        return code;
    if (settings->telemetry_core_dumps)
        process_hide(false);
    watch_for_bugs(settings);
    const struct settings_origin origin = {settings_options_file(&options), options.overrides.list,
                                           options.overrides.count};
    struct worker_options worker_options = {.handle_signals = true,
                                            .settings_file = settings_options_file(&options),
                                            .origin = &origin};
    struct worker *worker = worker_new(settings, &worker_options, &code, words);
    if (worker != NULL)
        code = worker_run(worker);
    else
        (void)fprintf(stderr, "bedrock-worker: cannot start: %s\n", words);
    worker_free(worker);
    settings_options_free(settings);
    return code;
}

const struct command command_run = {
    .name = "run",
    .summary = "run the service",
    .synopsis = "[--set PATH=VALUE]... [-c FILE | FILE]",
    .description =
        "Takes chat requests from Kafka, calls Amazon Bedrock, and publishes one response and the "
        "token usage of each request, in one Kafka transaction with the offsets. It runs until "
        "SIGTERM or SIGINT: then it takes no more requests, lets running calls finish "
        "(`delivery.drain_timeout`), commits and leaves the group. A second signal cancels the "
        "calls, and the worker records what it can and ends within a second; what was committed "
        "stays committed. SIGHUP makes it read its settings file again, "
        "and so does a change of the file (`settings.watch`).\n\n"
        "Log lines go to stderr: text on a terminal, JSON lines elsewhere. Workers with the same "
        "`kafka.group_id` share the work; start more processes to use more cores.",
    .examples = "  bedrock-worker run worker.yaml\n"
                "  AWS_REGION=us-east-1 bedrock-worker run \\\n"
                "      --set kafka.bootstrap_servers=kafka:9092\n",
    .options = {OPTIONS, COUNT_OF(OPTIONS), "FILE", &options.argument, NULL, NULL},
    .run = run,
};
