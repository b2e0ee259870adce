#include "app/commands/options.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/suggest.h"
#include "yaml/units.h"

#define FAULT_WORDS_MAX 160

/* A command line while it is read. */
struct reading_line {
    const struct command_options *options;
    const char *command;
    int argc;
    char **argv;
    int at;
};

/* Prints what is wrong with the command line, and how to get the help. */
PRINTF(2, 3)
static enum options_verdict refuse(const struct reading_line *line, const char *format, ...)
{
    va_list args;
    (void)fprintf(stderr, "bedrock-worker %s: ", line->command);
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fprintf(stderr, "; see bedrock-worker %s --help\n", line->command);
    return OPTIONS_WRONG;
}

static bool is_number(struct slice text)
{
    int64_t number = 0;
    return slice_to_int64(text, &number);
}

/* Writes what is wrong with a duration to `ret_fault` (FAULT_WORDS_MAX); "" = it is right. */
static void take_span(const struct command_option *option, struct slice value, char *ret_fault)
{
    int64_t ms = 0;
    ret_fault[0] = '\0';
    if (is_number(value))
        (void)snprintf(ret_fault, FAULT_WORDS_MAX,
                       "the unit is missing; write %.40ss, %.40sm or %.40sh", value.ptr, value.ptr,
                       value.ptr);
    else if (!units_read_span(value, &ms) || ms < 1)
        (void)snprintf(ret_fault, FAULT_WORDS_MAX, "is not a duration; write one such as 30s, 10m");
    else if (ms > option->max)
        (void)snprintf(ret_fault, FAULT_WORDS_MAX, "is too long; the longest duration is %lldh",
                       (long long)option->max / 3600000);
    else
        *option->into.number = ms;
}

static void take_count(const struct command_option *option, struct slice value, char *ret_fault)
{
    int64_t count = 0;
    bool is_good = slice_to_int64(value, &count) && count >= 0 && count <= option->max;
    ret_fault[0] = '\0';
    if (is_good)
        *option->into.number = count;
    else
        (void)snprintf(ret_fault, FAULT_WORDS_MAX, "is not a whole number from 0 to %lld",
                       (long long)option->max);
}

static enum options_verdict take_value(const struct reading_line *line,
                                       const struct command_option *option, const char *value)
{
    char fault[FAULT_WORDS_MAX] = "";
    switch (option->kind) {
    case OPTION_FLAG:
        *option->into.flag = true;
        break;
    case OPTION_TEXT:
        *option->into.text = value;
        break;
    case OPTION_TEXTS:
        if (option->into.texts->count < OPTION_TEXTS_MAX)
            option->into.texts->list[option->into.texts->count++] = value;
        else
            (void)snprintf(fault, sizeof fault, "is one too many; %d are the most",
                           OPTION_TEXTS_MAX);
        break;
    case OPTION_SPAN:
        take_span(option, slice_of_text(value), fault);
        break;
    case OPTION_COUNT:
        take_count(option, slice_of_text(value), fault);
        break;
    }
    if (fault[0] == '\0')
        return OPTIONS_TAKEN;
    return refuse(line, "--%s %.80s: %s", option->name, value, fault);
}

/* The option that the argument `word` names, with the value in the same argument, if any; NULL = it
 * names none. */
static const struct command_option *find_option(const struct command_options *options,
                                                const char *word, const char **ret_value)
{
    *ret_value = NULL;
    for (size_t i = 0; i < options->count; i++) {
        const struct command_option *option = &options->list[i];
        size_t len = strlen(option->name);
        bool is_long = strncmp(word, "--", 2) == 0 && strncmp(word + 2, option->name, len) == 0;
        if (is_long && (word[2 + len] == '\0' || word[2 + len] == '=')) {
            *ret_value = word[2 + len] == '=' ? word + 3 + len : NULL;
            return option;
        }
        if (option->letter != 0 && word[1] == option->letter) {
            *ret_value = word[2] != '\0' ? word + 2 : NULL;
            return option;
        }
    }
    return NULL;
}

static enum options_verdict refuse_unknown(const struct reading_line *line, const char *word)
{
    struct slice name = slice_of_text(word + strspn(word, "-"));
    struct suggest suggest;
    suggest_init(&suggest, slice_sub(name, 0, slice_find(name, '=')));
    for (size_t i = 0; i < line->options->count; i++)
        suggest_offer(&suggest, slice_of_text(line->options->list[i].name));
    if (suggest.nearest.ptr == NULL)
        return refuse(line, "unknown option %.80s", word);
    return refuse(line, "unknown option %.80s (did you mean --%.*s?)", word,
                  SLICE_ARG(suggest.nearest));
}

/* Takes the option at the current argument, with its value from there or from the next argument. */
static enum options_verdict take_option(struct reading_line *line)
{
    const char *word = line->argv[line->at], *value = NULL;
    const struct command_option *option = find_option(line->options, word, &value);
    if (option == NULL)
        return refuse_unknown(line, word);
    if (option->kind == OPTION_FLAG && value != NULL)
        return refuse(line, "--%s takes no value", option->name);
    if (option->kind != OPTION_FLAG && value == NULL && line->at + 1 < line->argc)
        value = line->argv[++line->at];
    if (option->kind != OPTION_FLAG && value == NULL)
        return refuse(line, "--%s needs a value: --%s %s", option->name, option->name,
                      option->value);
    return take_value(line, option, value);
}

static enum options_verdict take_verb(const struct reading_line *line, const char *word)
{
    struct slice rest = slice_of_text(line->options->verbs);
    struct suggest suggest;
    suggest_init(&suggest, slice_of_text(word));
    for (int64_t place = 0; rest.len > 0; place++) {
        struct slice verb = slice_sub(rest, 0, slice_find(rest, '|'));
        if (slice_equal_text(verb, word)) {
            *line->options->verb = place;
            return OPTIONS_TAKEN;
        }
        suggest_offer(&suggest, verb);
        rest = slice_sub(rest, verb.len + 1, SIZE_MAX);
    }
    if (suggest.nearest.ptr == NULL)
        return refuse(line, "'%.80s' is none of %s", word, line->options->verbs);
    return refuse(line, "'%.80s' is none of %s (did you mean %.*s?)", word, line->options->verbs,
                  SLICE_ARG(suggest.nearest));
}

static enum options_verdict take_argument(const struct reading_line *line, const char *word)
{
    const struct command_options *options = line->options;
    if (options->verbs != NULL && *options->verb < 0)
        return take_verb(line, word);
    if (options->argument == NULL)
        return refuse(line, "'%.80s' is one word too many; the command takes options only", word);
    if (*options->argument != NULL)
        return refuse(line, "'%.80s' is a second %s; write one, in quotes if it has blanks", word,
                      options->argument_name);
    *options->argument = word;
    return OPTIONS_TAKEN;
}

enum options_verdict options_read(const struct command_options *options, const char *command,
                                  int argc, char **argv)
{
    struct reading_line line = {options, command, argc, argv, 0};
    enum options_verdict verdict = OPTIONS_TAKEN;
    bool are_options_over = false;
    for (; line.at < argc && verdict == OPTIONS_TAKEN; line.at++) {
        const char *word = argv[line.at];
        if (are_options_over || word[0] != '-' || word[1] == '\0')
            verdict = take_argument(&line, word);
        else if (strcmp(word, "--") == 0)
            are_options_over = true;
        else if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
            verdict = OPTIONS_HELP;
        else
            verdict = take_option(&line);
    }
    if (verdict == OPTIONS_TAKEN && options->verbs != NULL && *options->verb < 0)
        return refuse(&line, "a word is missing: one of %s", options->verbs);
    return verdict;
}
