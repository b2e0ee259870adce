/* The option --address HOST:PORT, with -c and --set, of commands that ask running workers; and how
 * they ask. Without --address it is telemetry.http.address of the settings, on this machine. Where
 * that is the default, a worker may have taken one of the next ports, so all of them are tried; an
 * answer counts that has the worker's Server header. */
#ifndef APP_COMMANDS_ADDRESS_OPTIONS_H
#define APP_COMMANDS_ADDRESS_OPTIONS_H

#include "app/client/visit.h"
#include "app/commands/settings_options.h"

struct address_options {
    struct option_texts addresses;
    struct settings_options settings;
};

/* The rows for a command's list of options. */
/* clang-format off */
#define ADDRESS_OPTION_ROWS(options)                                                               \
    {                                                                                              \
        .letter = 'a',                                                                             \
        .name = "address",                                                                         \
        .value = "HOST:PORT",                                                                      \
        .kind = OPTION_TEXTS,                                                                      \
        .into.texts = &(options).addresses,                                                        \
        .description = "A worker's address; may be repeated, to ask several. Without it: "         \
                       "telemetry.http.address of the settings, on this machine; with the "        \
                       "default address also the ports up to 9479, which workers take when the "   \
                       "ones before are taken.",                                                   \
    }, SETTINGS_OPTION_ROWS((options).settings)
/* clang-format on */

/* Hears an answer. `is_named`: the output must say which address answered, because it is not the
 * only one or not the one that was asked first. Returns whether the answer is good. */
typedef bool address_hear(void *self, struct visit *visit, bool is_named);

struct address_tally {
    size_t asked, answered, good; /* workers; of a search, `asked` counts those that answered */
    bool has_wrong_settings;
};

/* Asks each worker for `path`, and of a search only the first that answers unless `asks_all`.
 * Standard error says, as `bedrock-worker COMMAND`, what is wrong with an address or the settings,
 * and who does not answer. */
void address_options_ask(const struct address_options *options, const char *command,
                         struct slice path, bool asks_all, address_hear *hear, void *self,
                         struct address_tally *ret_tally);

#endif
