/* The commands of bedrock-worker: one list (commands.def) with their options (options.def). */
#ifndef APP_COMMANDS_COMMANDS_H
#define APP_COMMANDS_COMMANDS_H

#include "app/exit_code.h"
#include "app/settings/settings.h"

#define OVERRIDES_MAX 64

/* What the command line said; members of other commands keep their defaults. */
struct arguments {
    const char *program; /* as it was called */
    const char *file;    /* NULL = not given */
    const char *overrides[OVERRIDES_MAX];
    size_t override_count;
    const char *model, *system, *text; /* NULL = not given */
    int64_t timeout_ms;
    int64_t requests;
    bool connect, stream, json, schema, keep;
};

/* The whole program; what main returns. */
int commands_run(int argc, char **argv);

/* Each command. They print; problems to stderr. */
int command_run(const struct arguments *arguments);
int command_check(const struct arguments *arguments);
int command_ask(const struct arguments *arguments);
int command_reference(const struct arguments *arguments);
int command_demo(const struct arguments *arguments);

/* The settings that the command line asks for, on the heap (commands_free_settings). NULL: every
 * problem was printed. */
MUST_CHECK struct settings *commands_load_settings(const struct arguments *arguments);
/* The same, and the Kafka clients are tried (settings_try_clients). */
MUST_CHECK struct settings *commands_check_settings(const struct arguments *arguments);
void commands_free_settings(struct settings *settings); /* NULL is fine */
/* The file that they come from; NULL = none, the defaults. */
const char *commands_settings_file(const struct arguments *arguments);

#endif
