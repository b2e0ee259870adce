/* The help pages of the program and of each command, at most 80 columns wide. */
#ifndef APP_COMMANDS_HELP_H
#define APP_COMMANDS_HELP_H

#include <stdio.h>

#include "app/commands/commands.h"

/* NAME, SYNOPSIS, the list of commands, ENVIRONMENT. */
void help_print_program(FILE *out, const struct command *const *commands, size_t count);
/* NAME, SYNOPSIS, DESCRIPTION, OPTIONS, EXAMPLES. */
void help_print_command(FILE *out, const struct command *command);

#endif
