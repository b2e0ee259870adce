/* -c FILE and --set PATH=VALUE: the options of commands that work with the worker's settings. */
#ifndef APP_COMMANDS_SETTINGS_OPTIONS_H
#define APP_COMMANDS_SETTINGS_OPTIONS_H

#include "app/commands/options.h"
#include "app/settings/settings.h"

struct settings_options {
    const char *file;     /* -c */
    const char *argument; /* FILE as the command's argument, where it takes one */
    struct option_texts overrides;
};

/* The rows of a command's list. */
/* clang-format off */
#define SETTINGS_OPTION_ROWS(options)                                                              \
    {                                                                                              \
        .letter = 'c',                                                                             \
        .name = "config",                                                                          \
        .value = "FILE",                                                                           \
        .kind = OPTION_TEXT,                                                                       \
        .into.text = &(options).file,                                                              \
        .words = "Settings file (YAML); `-` is standard input. Without it: "                       \
                 "$BEDROCK_WORKER_CONFIG, else the defaults.",                                     \
    }, {                                                                                           \
        .name = "set",                                                                             \
        .value = "PATH=VALUE",                                                                     \
        .kind = OPTION_TEXTS,                                                                      \
        .into.texts = &(options).overrides,                                                        \
        .words = "One setting; it wins over the file, e.g. --set delivery.max_in_flight=64. May "  \
                 "be repeated.",                                                                   \
    }
/* clang-format on */

/* Reads the settings that the command line names; `tries_clients`: and asks librdkafka whether it
 * takes their properties (settings_try_clients). On the heap: settings_options_free. NULL: stderr
 * says why; *ret_problems counts the problems of the settings (NULL is fine). */
MUST_CHECK struct settings *settings_options_load(const struct settings_options *options,
                                                  bool tries_clients, size_t *ret_problems);
void settings_options_free(struct settings *settings); /* NULL is fine */
/* The file that the settings come from; NULL = none, the defaults. */
const char *settings_options_file(const struct settings_options *options);

#endif
