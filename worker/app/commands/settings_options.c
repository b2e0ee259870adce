#include "app/commands/settings_options.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"

#define FILE_VARIABLE "BEDROCK_WORKER_CONFIG"

const char *settings_options_file(const struct settings_options *options)
{
    if (options->argument != NULL)
        return options->argument;
    return options->file != NULL ? options->file : getenv(FILE_VARIABLE);
}

/* Rejects an empty file name, which a script gives whose variable is not set: its user does not
 * mean the defaults. */
static bool is_file_named(const struct settings_options *options)
{
    const char *file = settings_options_file(options);
    if (options->argument != NULL && options->file != NULL) {
        (void)fprintf(stderr,
                      "bedrock-worker: two settings files, %s and %s; name one, with or without "
                      "--config\n",
                      options->file, options->argument);
        return false;
    }
    if (file == NULL || file[0] != '\0')
        return true;
    (void)fprintf(stderr,
                  "bedrock-worker: %s is empty; name a file, or leave it out for the defaults\n",
                  options->argument != NULL ? "FILE"
                  : options->file != NULL   ? "--config"
                                            : FILE_VARIABLE);
    return false;
}

static void print_problems(const struct problems *problems)
{
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, PROBLEMS_BYTES_MAX);
    problems_add_text(problems, &text);
    (void)fputs(buf_text(&text), stderr);
}

struct settings *settings_options_load(const struct settings_options *options, bool tries_clients,
                                       size_t *ret_problems)
{
    size_t count = 0;
    bool is_good = false;
    bool is_named = is_file_named(options);
    struct settings *settings = is_named ? memory_new(sizeof *settings) : NULL;
    struct problems *problems = is_named ? memory_new(sizeof *problems) : NULL;
    if (settings != NULL && problems != NULL) {
        is_good = settings_load(settings, settings_options_file(options), options->overrides.list,
                                options->overrides.count, problems);
        if (tries_clients)
            is_good = settings_try_clients(settings, problems);
        count = problems_found(problems);
        print_problems(problems);
    } else if (is_named)
        (void)fprintf(stderr, "bedrock-worker: out of memory\n");
    memory_free(problems);
    if (ret_problems != NULL)
        *ret_problems = count;
    if (is_good)
        return settings;
    settings_options_free(settings);
    return NULL;
}

void settings_options_free(struct settings *settings)
{
    if (settings != NULL)
        settings_free(settings);
    memory_free(settings);
}
