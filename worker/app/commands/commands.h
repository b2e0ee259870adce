/* The commands of bedrock-worker. commands.def lists them; each has a file that holds its page of
 * help, its options and what it does. Commands print to standard output, problems to standard
 * error, and return an exit code. To add one: a row and a file. */
#ifndef APP_COMMANDS_COMMANDS_H
#define APP_COMMANDS_COMMANDS_H

#include "app/commands/options.h"
#include "app/exit_code.h"

struct command {
    const char *name;
    const char *summary;     /* a phrase, for the list of commands */
    const char *synopsis;    /* options and argument */
    const char *description; /* paragraphs with an empty line between */
    const char *examples;    /* lines as they are typed */
    struct command_options options;
    int (*run)(void); /* once the options are read; the exit code */
};

#define COMMAND(name) extern const struct command command_##name;
#include "app/commands/commands.def"
#undef COMMAND

/* The whole program; what main returns. */
int commands_run(int argc, char **argv);

#endif
