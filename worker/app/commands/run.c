/* `bedrock-worker run`: the service. */
#include <stdio.h>
#include <unistd.h>

#include "app/commands/commands.h"
#include "app/worker.h"
#include "base/check.h"

#define BUG_LINE_MAX 2048

static bool writes_json; /* for the hook alone: set once, before the worker runs */

/* The last line of a worker that found itself confused; written at once, for no thread may write it
 * later. */
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
        log_add_words(&text, clock_wall_ms(), LOG_BUG, fields, COUNT_OF(fields));
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

int command_run(const struct arguments *arguments)
{
    char words[ASSEMBLY_WORDS_MAX] = "";
    int code = EXIT_USAGE;
    struct settings *settings = commands_check_settings(arguments);
    if (settings == NULL)
        return code;
    watch_for_bugs(settings);
    struct worker_options options = {.handle_signals = true};
    struct worker *worker = worker_new(settings, &options, &code, words);
    if (worker != NULL)
        code = worker_run(worker);
    else
        (void)fprintf(stderr, "bedrock-worker: cannot start: %s\n", words);
    worker_free(worker);
    commands_free_settings(settings);
    return code;
}
