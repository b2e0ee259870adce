/* The commands of bedrock-worker. commands.def lists them. Each command has a file with its help
 * page, its options and its code. Commands print results to standard output and problems to
 * standard error, and return an exit code. To add a command, add a row and a file. */
#ifndef APP_COMMANDS_COMMANDS_H
#define APP_COMMANDS_COMMANDS_H

#include "app/commands/options.h"
#include "app/exit_code.h"

struct command {
    const char *name;
    const char *summary;     /* a phrase, for the list of commands */
    const char *synopsis;    /* options and argument */
    const char *description; /* paragraphs with an empty line between them */
    const char *examples;    /* command lines */
    struct command_options options;
    int (*run)(void); /* runs after the options are read; returns the exit code */
};

#define COMMAND(name) extern const struct command command_##name;
#include "app/commands/commands.def"
#undef COMMAND

/* Runs the command that the command line names. Returns the exit code of the program. */
int commands_run(int argc, char **argv);

#endif
