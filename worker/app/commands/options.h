/* The command line of one command. Each command declares its options in its own file, as rows that
 * point to where their values go; a command has no option but those of its rows and --help. An
 * option is written `--name VALUE`, `--name=VALUE`, `-n VALUE` or `-nVALUE`; `--` ends the options.
 * Beside options a command takes one argument at most. */
#ifndef APP_COMMANDS_OPTIONS_H
#define APP_COMMANDS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

enum option_kind {
    OPTION_FLAG,  /* takes no value */
    OPTION_TEXT,  /* any value; the last one counts */
    OPTION_TEXTS, /* every value counts */
    OPTION_SPAN,  /* a duration, at least 1ms */
    OPTION_COUNT, /* a whole number, 0 or more */
};

#define OPTION_TEXTS_MAX 64

struct option_texts {
    const char *list[OPTION_TEXTS_MAX];
    size_t count;
};

struct command_option {
    char letter; /* 0 = none */
    const char *name;
    const char *value; /* what the help calls the value; NULL for OPTION_FLAG */
    enum option_kind kind;
    int64_t max; /* OPTION_SPAN (ms), OPTION_COUNT */
    union {      /* where the value goes, by `kind`: FLAG, TEXT, TEXTS, SPAN (ms) and COUNT */
        bool *flag;
        const char **text;
        struct option_texts *texts;
        int64_t *number;
    } into;
    const char *words; /* for the help */
};

struct command_options {
    const struct command_option *list;
    size_t count;
    const char *argument_name; /* what the help calls the argument; NULL = the command takes none */
    const char **argument;     /* where it goes; borrowed from argv */
};

enum options_verdict {
    OPTIONS_TAKEN, /* every value is where it belongs */
    OPTIONS_HELP,  /* --help or -h: the rest was not looked at */
    OPTIONS_WRONG, /* stderr says what is wrong and what to write */
};

/* Reads the words of `argv` behind the command's name. */
MUST_CHECK enum options_verdict options_read(const struct command_options *options,
                                             const char *command, int argc, char **argv);

#endif
