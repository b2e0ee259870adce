/* The options -c FILE and --set PATH=VALUE of commands that need the worker's settings. */
#ifndef APP_COMMANDS_SETTINGS_OPTIONS_H
#define APP_COMMANDS_SETTINGS_OPTIONS_H

#include "app/commands/options.h"
#include "app/settings/settings.h"

struct settings_options {
    const char *file;     /* -c */
    const char *argument; /* FILE as the argument of the command, if it takes one */
    struct option_texts overrides;
};

/* The rows for a command's list of options. */
/* clang-format off */
#define SETTINGS_OPTION_ROWS(options)                                                              \
    {                                                                                              \
        .letter = 'c',                                                                             \
        .name = "config",                                                                          \
        .value = "FILE",                                                                           \
        .kind = OPTION_TEXT,                                                                       \
        .into.text = &(options).file,                                                              \
        .description = "Settings file (YAML); `-` is standard input. Without it: "                 \
                       "$BEDROCK_WORKER_CONFIG, else the defaults.",                               \
    }, {                                                                                           \
        .name = "set",                                                                             \
        .value = "PATH=VALUE",                                                                     \
        .kind = OPTION_TEXTS,                                                                      \
        .into.texts = &(options).overrides,                                                        \
        .description = "One setting; it wins over the file, e.g. --set "                           \
                       "delivery.max_in_flight=64. May be repeated.",                              \
    }
/* clang-format on */

/* Reads the settings that the command line names, for settings_options_free. With `tries_clients`
 * it also checks whether librdkafka accepts the properties (settings_try_clients). NULL: standard
 * error says why, and *ret_problems is the number of problems in the settings (NULL is fine). */
MUST_CHECK struct settings *settings_options_load(const struct settings_options *options,
                                                  bool tries_clients, size_t *ret_problems);
void settings_options_free(struct settings *settings); /* NULL is fine */
/* The name of the settings file; NULL = none, so the defaults apply. */
const char *settings_options_file(const struct settings_options *options);

#endif
