/* Reads the command line of a command. Each command declares its options in its file, as rows that
 * point to the variables for their values; every command also has --help. An option is written
 * `--name VALUE`, `--name=VALUE`, `-n VALUE` or `-nVALUE`; `--` ends the options. A command takes
 * at most one argument, and before it one of its verbs if it has some. Values are borrowed from
 * argv. */
#ifndef APP_COMMANDS_OPTIONS_H
#define APP_COMMANDS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

enum option_kind {
    OPTION_FLAG,  /* takes no value */
    OPTION_TEXT,  /* any value; the last one counts */
    OPTION_TEXTS, /* any value; all count */
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
    const char *value; /* the value's name in the help; NULL for OPTION_FLAG */
    enum option_kind kind;
    int64_t max; /* OPTION_SPAN (ms), OPTION_COUNT */
    union {      /* the variable for the value, by `kind`: FLAG, TEXT, TEXTS, SPAN (ms) and COUNT */
        bool *flag;
        const char **text;
        struct option_texts *texts;
        int64_t *number;
    } into;
    const char *description; /* for the help */
};

struct command_options {
    const struct command_option *list;
    size_t count;
    const char *argument_name; /* in the help; NULL = the command takes no argument */
    const char **argument;     /* the variable for it */
    const char *verbs;         /* `a|b`: the first argument is one of these; NULL = there is none */
    int64_t *verb;             /* the variable for its place among them; -1 before */
};

enum options_verdict {
    OPTIONS_TAKEN, /* all values are stored */
    OPTIONS_HELP,  /* --help or -h; the rest was not read */
    OPTIONS_WRONG, /* standard error says what is wrong and what to write */
};

/* Reads the elements of `argv` behind the command's name. */
MUST_CHECK enum options_verdict options_read(const struct command_options *options,
                                             const char *command, int argc, char **argv);

#endif
