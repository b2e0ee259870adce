#include "app/commands/commands.h"

#include <string.h>

#include "app/commands/help.h"
#include "base/suggest.h"
#include "io/loop/process.h"

static const struct command *const COMMANDS[] = {
#define COMMAND(name) &command_##name,
#include "app/commands/commands.def"
#undef COMMAND
};

/* NULL = no command has this name. */
static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(COMMANDS); i++)
        if (strcmp(name, COMMANDS[i]->name) == 0)
            return COMMANDS[i];
    return NULL;
}

static int refuse_unknown(const char *name)
{
    struct suggest suggest;
    suggest_init(&suggest, slice_of_text(name));
    for (size_t i = 0; i < COUNT_OF(COMMANDS); i++)
        suggest_offer(&suggest, slice_of_text(COMMANDS[i]->name));
    (void)fprintf(stderr, "bedrock-worker: unknown command '%s'", name);
    if (suggest.nearest.ptr != NULL)
        (void)fprintf(stderr, " (did you mean %.*s?)", SLICE_ARG(suggest.nearest));
    (void)fprintf(stderr, "; see bedrock-worker --help\n");
    return EXIT_USAGE;
}

static int run_command(const struct command *command, int argc, char **argv)
{
    switch (options_read(&command->options, command->name, argc, argv)) {
    case OPTIONS_HELP:
        help_print_command(stdout, command);
        return EXIT_DONE;
    case OPTIONS_WRONG:
        return EXIT_USAGE;
    case OPTIONS_TAKEN:
        break;
    }
    return command->run();
}

/* `word` is the first one as it was written, and asks for help on what follows it. */
static bool asks_for_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0;
}

static bool asks_for_version(const char *word)
{
    return strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0;
}

int commands_run(int argc, char **argv)
{
    process_hide(true);
    help_set_commands(COMMANDS, COUNT_OF(COMMANDS));
    const char *word = argc > 1 ? argv[1] : "";
    bool wants_help = asks_for_help(word);
    if (argc < 2 || (wants_help && argc == 2)) {
        help_print_program(wants_help ? stdout : stderr);
        return wants_help ? EXIT_DONE : EXIT_USAGE;
    }
    if (asks_for_version(word))
        return command_version.run();
    const char *name = wants_help ? argv[2] : word;
    const struct command *command = find_command(name);
    if (command == NULL)
        return refuse_unknown(name);
    if (!wants_help)
        return run_command(command, argc - 2, argv + 2);
    help_print_command(stdout, command);
    return EXIT_DONE;
}
