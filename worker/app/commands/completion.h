/* Completion of bedrock-worker's command line, as code for shells, made from the tables of the
 * commands and of the settings: commands, options, files, the values of an option that has a fixed
 * choice (`a|b`), and the paths of --set. */
#ifndef APP_COMMANDS_COMPLETION_H
#define APP_COMMANDS_COMPLETION_H

#include "base/attr.h"
#include "base/buf.h"

#define COMPLETION_SHELLS "bash|zsh"

/* Appends the code for this shell. False: it is none of COMPLETION_SHELLS. */
MUST_CHECK bool completion_add(struct buf *page, const char *shell);

#endif
