/* The help pages of the program and of each command, at most 80 columns wide. */
#ifndef APP_COMMANDS_HELP_H
#define APP_COMMANDS_HELP_H

#include <stdio.h>

#include "app/commands/commands.h"

#define HELP_BYTES_MAX ((size_t)256 * 1024)

/* Texts that the manual page has too. */
extern const char HELP_NAME[], HELP_SYNOPSIS[], HELP_ENVIRONMENT[], HELP_EXIT_STATUS[];

/* The list of all commands, borrowed: commands.c sets it before anything is printed. */
void help_set_commands(const struct command *const *commands, size_t count);
const struct command *const *help_commands(size_t *ret_count);
/* NAME, SYNOPSIS, the list of commands, ENVIRONMENT. */
void help_print_program(FILE *out);
/* NAME, SYNOPSIS, DESCRIPTION, OPTIONS, EXAMPLES. */
void help_print_command(FILE *out, const struct command *command);

#endif
