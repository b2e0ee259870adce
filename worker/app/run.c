/* `bedrock-worker run`: the service. */
#include <stdio.h>

#include "app/commands.h"
#include "app/worker.h"

int command_run(const struct arguments *arguments)
{
    char words[ASSEMBLY_WORDS_MAX] = "";
    int code = EXIT_USAGE;
    struct settings *settings = commands_load_settings(arguments);
    if (settings == NULL)
        return code;
    struct worker_options options = {.handle_signals = true};
    struct worker *worker = worker_new(settings, &options, &code, words);
    if (worker != NULL)
        code = worker_run(worker);
    else
        fprintf(stderr, "bedrock-worker: cannot start: %s\n", words);
    worker_free(worker);
    commands_free_settings(settings);
    return code;
}
