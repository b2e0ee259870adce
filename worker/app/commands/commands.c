#include "app/commands/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "io/http/client.h"
#include "io/kafka/library.h"

#define HELP_COLUMNS  80
#define OPTION_INDENT "      "

enum command_name {
#define COMMAND(name, function, word, synopsis, summary, description, examples) COMMAND_##name,
#include "app/commands/commands.def"
#undef COMMAND
    COMMAND_COUNT
};

struct command {
    int (*run)(const struct arguments *arguments);
    const char *word, *synopsis, *summary, *description, *examples;
};

static const struct command COMMANDS[COMMAND_COUNT] = {
#define COMMAND(name, function, word, synopsis, summary, description, examples)                    \
    [COMMAND_##name] = {function, word, synopsis, summary, description, examples},
#include "app/commands/commands.def"
#undef COMMAND
};

enum option_kind { OPTION_FLAG, OPTION_TEXT, OPTION_MANY, OPTION_SPAN, OPTION_COUNT };

struct option_row {
    const char *name, *argument, *words;
    size_t at;         /* in struct arguments */
    unsigned commands; /* bits of enum command_name */
    enum option_kind kind;
    char letter;
};

#define FOR(name) (1U << COMMAND_##name)
static const struct option_row OPTIONS[] = {
#define OPTION(letter, name, member, kind, argument, commands, words)                              \
    {name, argument, words, offsetof(struct arguments, member), commands, OPTION_##kind, letter},
#include "app/commands/options.def"
#undef OPTION
};

#define REQUESTS_DEFAULT   300
#define REQUESTS_MAX       10000
#define TIMEOUT_DEFAULT_MS 300000
#define FILE_VARIABLE      "BEDROCK_WORKER_CONFIG"

/* ---- help ---- */

/* One paragraph after the other, broken at spaces. */
static void print_wrapped(FILE *out, const char *indent, const char *words)
{
    size_t column = 0;
    while (*words != '\0') {
        if (*words == '\n') {
            (void)fputs("\n", out);
            column = 0;
            words++;
            continue;
        }
        size_t len = strcspn(words, " \n");
        if (column > 0 && column + 1 + len > HELP_COLUMNS) {
            (void)fputs("\n", out);
            column = 0;
        }
        (void)fprintf(out, "%s%.*s", column == 0 ? indent : " ", (int)len, words);
        column += len + (column == 0 ? strlen(indent) : 1);
        words += len + (words[len] == ' ');
    }
    (void)fputs("\n", out);
}

static void print_option(FILE *out, const struct option_row *option)
{
    (void)fputs("  ", out);
    if (option->letter != 0)
        (void)fprintf(out, "-%c, ", option->letter);
    (void)fprintf(out, "--%s%s%s\n", option->name, option->argument != NULL ? " " : "",
                  option->argument != NULL ? option->argument : "");
    print_wrapped(out, OPTION_INDENT, option->words);
}

static void print_command_help(enum command_name name)
{
    const struct command *command = &COMMANDS[name];
    (void)printf("NAME\n  bedrock-worker %s - %s\n\nSYNOPSIS\n", command->word, command->summary);
    (void)printf("  bedrock-worker %s %s\n\nDESCRIPTION\n", command->word, command->synopsis);
    print_wrapped(stdout, "  ", command->description);
    (void)printf("\nOPTIONS\n");
    for (size_t i = 0; i < COUNT_OF(OPTIONS); i++) {
        if ((OPTIONS[i].commands & (1U << name)) != 0)
            print_option(stdout, &OPTIONS[i]);
    }
    (void)printf("  -h, --help\n" OPTION_INDENT "This page.\n\nEXAMPLES\n%s\n", command->examples);
    (void)printf("EXIT STATUS\n  0 done, 1 failed, 2 wrong settings or usage.\n");
}

static void print_help(FILE *out)
{
    (void)fprintf(out,
                  "NAME\n  bedrock-worker - chat requests from Kafka through Amazon Bedrock and "
                  "back\n\nSYNOPSIS\n  bedrock-worker COMMAND [OPTION]...\n\nCOMMANDS\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        (void)fprintf(out, "  %-10s %s\n", COMMANDS[i].word, COMMANDS[i].summary);
    (void)fprintf(
        out, "\n  `bedrock-worker COMMAND --help` tells more; `bedrock-worker demo` is the place "
             "to start.\n\nENVIRONMENT\n");
    print_wrapped(out, "  ",
                  "BEDROCK_WORKER_CONFIG names the settings file when -c does not. "
                  "KAFKA_BOOTSTRAP_SERVERS is the default of kafka.bootstrap_servers. AWS_REGION, "
                  "AWS_PROFILE, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, "
                  "AWS_BEARER_TOKEN_BEDROCK, AWS_ENDPOINT_URL_BEDROCK_RUNTIME and AWS_CA_BUNDLE "
                  "mean what they mean to the AWS SDKs. Any variable can be used in the settings "
                  "as ${NAME} or ${NAME:-default}.");
    (void)fprintf(out, "\nEXIT STATUS\n  0 done, 1 failed, 2 wrong settings or usage.\n");
}

/* ---- the command line ---- */

static int refuse(const char *words, const char *what)
{
    (void)fprintf(stderr, "bedrock-worker: %s%s%s\n", words, what != NULL ? ": " : "",
                  what != NULL ? what : "");
    return EXIT_USAGE;
}

/* Takes an option's value; NULL = fine, else what is wrong with it. */
static const char *take_value(struct arguments *arguments, const struct option_row *option,
                              const char *value)
{
    char *member = (char *)arguments + option->at;
    int64_t amount = 0;
    bool yes = true;
    switch (option->kind) {
    case OPTION_FLAG:
        memcpy(member, &yes, sizeof yes);
        return NULL;
    case OPTION_TEXT:
        memcpy(member, &value, sizeof value);
        return NULL;
    case OPTION_MANY:
        if (arguments->override_count == OVERRIDES_MAX)
            return "is given too often";
        arguments->overrides[arguments->override_count++] = value;
        return NULL;
    case OPTION_SPAN:
        if (!units_read_span(slice_of_text(value), &amount) || amount < 1 || amount > 86400000)
            return "needs a duration of at most 1d, such as 30s or 10m";
        break;
    case OPTION_COUNT:
        if (!slice_to_int64(slice_of_text(value), &amount) || amount < 0 || amount > REQUESTS_MAX)
            return "needs a whole number up to 10000";
        break;
    }
    memcpy(member, &amount, sizeof amount);
    return NULL;
}

/* The option that `word` names for this command, and the value after `=` if any. */
static const struct option_row *find_option(enum command_name name, const char *word,
                                            const char **ret_value)
{
    *ret_value = NULL;
    for (size_t i = 0; i < COUNT_OF(OPTIONS); i++) {
        const struct option_row *option = &OPTIONS[i];
        if ((option->commands & (1U << name)) == 0)
            continue;
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

/* Takes the word at *index (and its value behind it). */
static int take_word(enum command_name name, int argc, char **argv, int *index,
                     struct arguments *arguments)
{
    const char *word = argv[*index], *value = NULL;
    const struct option_row *option = find_option(name, word, &value);
    if (option == NULL) {
        (void)fprintf(stderr,
                      "bedrock-worker %s: unknown option %s; see bedrock-worker %s --help\n",
                      COMMANDS[name].word, word, COMMANDS[name].word);
        return EXIT_USAGE;
    }
    const char *fault = NULL;
    if (option->kind == OPTION_FLAG && value != NULL)
        fault = "takes no value";
    else if (option->kind != OPTION_FLAG && value == NULL && *index + 1 < argc)
        value = argv[++*index];
    else if (option->kind != OPTION_FLAG && value == NULL)
        fault = "needs a value";
    if (fault == NULL)
        fault = take_value(arguments, option, value);
    if (fault != NULL) {
        (void)fprintf(stderr, "bedrock-worker %s: --%s %s\n", COMMANDS[name].word, option->name,
                      fault);
        return EXIT_USAGE;
    }
    return EXIT_DONE;
}

static int take_text(enum command_name name, const char *word, struct arguments *arguments)
{
    if (name != COMMAND_ASK || arguments->text != NULL) {
        (void)fprintf(stderr, "bedrock-worker %s: what is '%s' for? see bedrock-worker %s --help\n",
                      COMMANDS[name].word, word, COMMANDS[name].word);
        return EXIT_USAGE;
    }
    arguments->text = word;
    return EXIT_DONE;
}

static int run_command(enum command_name name, int argc, char **argv)
{
    struct arguments arguments = {
        .program = argv[0], .timeout_ms = TIMEOUT_DEFAULT_MS, .requests = REQUESTS_DEFAULT};
    bool only_text = false;
    for (int i = 2; i < argc; i++) {
        const char *word = argv[i];
        int code = EXIT_DONE;
        if (!only_text && (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)) {
            print_command_help(name);
            return EXIT_DONE;
        }
        if (!only_text && strcmp(word, "--") == 0)
            only_text = true;
        else if (!only_text && word[0] == '-' && word[1] != '\0')
            code = take_word(name, argc, argv, &i, &arguments);
        else
            code = take_text(name, word, &arguments);
        if (code != EXIT_DONE)
            return code;
    }
    return COMMANDS[name].run(&arguments);
}

int commands_run(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return EXIT_USAGE;
    }
    const char *word = argv[1];
    if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0 || strcmp(word, "version") == 0) {
        (void)printf("bedrock-worker " BEDROCK_VERSION "\nlibrdkafka %s\n%s\n",
                     kafka_library_version_text(), http_library_versions());
        return EXIT_DONE;
    }
    bool wants_help =
        strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0;
    if (wants_help && argc == 2) {
        print_help(stdout);
        return EXIT_DONE;
    }
    const char *wanted = wants_help ? argv[2] : word;
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(wanted, COMMANDS[i].word) != 0)
            continue;
        if (!wants_help)
            return run_command((enum command_name)i, argc, argv);
        print_command_help((enum command_name)i);
        return EXIT_DONE;
    }
    return refuse("no such command, see bedrock-worker --help", wanted);
}

/* ---- settings for commands ---- */

const char *commands_settings_file(const struct arguments *arguments)
{
    return arguments->file != NULL ? arguments->file : getenv(FILE_VARIABLE);
}

/* An empty name is a variable of some script that was not set: the defaults are not what was meant.
 */
static bool is_file_named(const struct arguments *arguments)
{
    const char *file = commands_settings_file(arguments);
    if (file == NULL || file[0] != '\0')
        return true;
    (void)fprintf(stderr, "bedrock-worker: %s; name a file, or leave it out for the defaults\n",
                  arguments->file != NULL ? "--config names no file (it is empty)"
                                          : FILE_VARIABLE " is set, but empty");
    return false;
}

static struct settings *load_settings(const struct arguments *arguments, bool tries_clients)
{
    if (!is_file_named(arguments))
        return NULL;
    struct settings *settings = memory_new(sizeof *settings);
    struct problems *problems = memory_new(sizeof *problems);
    bool is_good = false;
    if (settings != NULL && problems != NULL) {
        is_good = settings_load(settings, commands_settings_file(arguments), arguments->overrides,
                                arguments->override_count, problems);
        if (tries_clients)
            is_good = settings_try_clients(settings, problems);
        struct buf text OWNED_BY(buf_done);
        buf_init(&text, 256 * 1024);
        problems_add_text(problems, &text);
        (void)fputs(buf_text(&text), stderr);
    }
    memory_free(problems);
    if (is_good)
        return settings;
    commands_free_settings(settings);
    return NULL;
}

struct settings *commands_load_settings(const struct arguments *arguments)
{
    return load_settings(arguments, false);
}

struct settings *commands_check_settings(const struct arguments *arguments)
{
    return load_settings(arguments, true);
}

void commands_free_settings(struct settings *settings)
{
    if (settings != NULL)
        settings_free(settings);
    memory_free(settings);
}
