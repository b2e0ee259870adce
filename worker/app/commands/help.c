#include "app/commands/help.h"

#include <string.h>

#include "base/wrap.h"

#define PAGE_COLUMNS   80
#define INDENT         2
#define OPTION_INDENT  6
#define SUMMARY_INDENT 13

const char HELP_NAME[] =
    "bedrock-worker - chat requests from Kafka through Amazon Bedrock and back";
const char HELP_SYNOPSIS[] = "bedrock-worker COMMAND [OPTION]...";
const char HELP_EXIT_STATUS[] = "0 done, 1 failed, 2 wrong settings or a wrong command line";
const char HELP_ENVIRONMENT[] =
    "BEDROCK_WORKER_CONFIG names the settings file when -c does not. KAFKA_BOOTSTRAP_SERVERS "
    "is the default of kafka.bootstrap_servers. AWS_REGION, AWS_PROFILE, AWS_ACCESS_KEY_ID, "
    "AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_BEARER_TOKEN_BEDROCK, "
    "AWS_ENDPOINT_URL_BEDROCK_RUNTIME and AWS_CA_BUNDLE mean what they mean to the AWS SDKs. "
    "Settings can use any variable as ${NAME} or ${NAME:-default}. NO_COLOR and TERM=dumb "
    "turn colours and moving lines off.";

static const struct command *const *commands;
static size_t command_count;

void help_set_commands(const struct command *const *list, size_t count)
{
    commands = list;
    command_count = count;
}

const struct command *const *help_commands(size_t *ret_count)
{
    *ret_count = command_count;
    return commands;
}

/* Adds a heading with its wrapped text below. */
static void add_section(struct buf *page, const char *heading, const char *text)
{
    buf_addf(page, "%s\n  ", heading);
    wrap_add(page, slice_of_text(text), INDENT, PAGE_COLUMNS);
    buf_add_text(page, "\n\n");
}

static void add_option(struct buf *page, const struct command_option *option)
{
    buf_add_text(page, "  ");
    if (option->letter != 0)
        buf_addf(page, "-%c, ", option->letter);
    buf_addf(page, "--%s%s%s\n%*s", option->name, option->value != NULL ? " " : "",
             option->value != NULL ? option->value : "", OPTION_INDENT, "");
    wrap_add(page, slice_of_text(option->description), OPTION_INDENT, PAGE_COLUMNS);
    buf_add_byte(page, '\n');
}

static void add_synopsis(struct buf *page, const struct command *command)
{
    struct buf call OWNED_BY(buf_done);
    buf_init(&call, HELP_BYTES_MAX);
    buf_addf(&call, "bedrock-worker %s ", command->name);
    size_t indent = INDENT + call.len;
    buf_addf(page, "SYNOPSIS\n  %s", buf_text(&call));
    wrap_add(page, slice_of_text(command->synopsis), indent, PAGE_COLUMNS);
    buf_add_text(page, "\n\n");
}

void help_print_command(FILE *out, const struct command *command)
{
    struct buf page OWNED_BY(buf_done);
    buf_init(&page, HELP_BYTES_MAX);
    buf_addf(&page, "NAME\n  bedrock-worker %s - %s\n\n", command->name, command->summary);
    add_synopsis(&page, command);
    add_section(&page, "DESCRIPTION", command->description);
    buf_add_text(&page, "OPTIONS\n");
    for (size_t i = 0; i < command->options.count; i++)
        add_option(&page, &command->options.list[i]);
    buf_addf(&page, "  -h, --help\n      Print this page.\n\nEXAMPLES\n%s\nEXIT STATUS\n  %s\n",
             command->examples, HELP_EXIT_STATUS);
    (void)fputs(buf_text(&page), out);
}

void help_print_program(FILE *out)
{
    struct buf page OWNED_BY(buf_done);
    buf_init(&page, HELP_BYTES_MAX);
    add_section(&page, "NAME", HELP_NAME);
    add_section(&page, "SYNOPSIS", HELP_SYNOPSIS);
    buf_add_text(&page, "COMMANDS\n");
    for (size_t i = 0; i < command_count; i++) {
        buf_addf(&page, "  %-10s ", commands[i]->name);
        wrap_add(&page, slice_of_text(commands[i]->summary), SUMMARY_INDENT, PAGE_COLUMNS);
        buf_add_byte(&page, '\n');
    }
    buf_add_text(&page, "\n  `bedrock-worker COMMAND --help` says more about each; start with "
                        "`demo`.\n\n");
    add_section(&page, "ENVIRONMENT", HELP_ENVIRONMENT);
    buf_addf(&page, "EXIT STATUS\n  %s\n", HELP_EXIT_STATUS);
    (void)fputs(buf_text(&page), out);
}
