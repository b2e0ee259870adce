#include "app/commands/man.h"

#include <stdio.h>

#include "app/commands/help.h"
#include "app/settings/settings.h"
#include "base/roff.h"

#define TERM_MAX 128

static void add_section(struct buf *page, const char *heading, const char *text)
{
    roff_add_heading(page, heading, false);
    roff_add_text(page, slice_of_text(text));
}

static void add_option(struct buf *page, const struct command_option *option)
{
    char term[TERM_MAX] = "";
    const char letter[] = {'-', option->letter, ',', ' ', '\0'};
    (void)snprintf(term, sizeof term, "%s--%s", option->letter != 0 ? letter : "", option->name);
    roff_add_item(page, term, option->value);
    roff_add_text(page, slice_of_text(option->description));
}

static void add_command(struct buf *page, const struct command *command)
{
    struct buf call OWNED_BY(buf_done);
    buf_init(&call, HELP_BYTES_MAX);
    buf_addf(&call, "bedrock-worker %s%s%s", command->name, command->synopsis[0] != '\0' ? " " : "",
             command->synopsis);
    roff_add_heading(page, buf_text(&call), true);
    roff_add_text(page, slice_of_text(command->description));
    for (size_t i = 0; i < command->options.count; i++)
        add_option(page, &command->options.list[i]);
    buf_add_text(page, ".PP\n");
    roff_add_code(page, slice_of_text(command->examples));
}

void man_add_program(struct buf *page)
{
    size_t count = 0;
    const struct command *const *commands = help_commands(&count);
    roff_add_title(page, "BEDROCK-WORKER", 1, "bedrock-worker " BEDROCK_VERSION);
    add_section(page, "NAME", HELP_NAME);
    add_section(page, "SYNOPSIS", HELP_SYNOPSIS);
    add_section(page, "DESCRIPTION",
                "Each command prints results to standard output and problems to standard error. "
                "`-h` and `--help` print the page of a command.");
    roff_add_heading(page, "COMMANDS", false);
    for (size_t i = 0; i < count; i++) {
        roff_add_item(page, commands[i]->name, NULL);
        roff_add_text(page, slice_of_text(commands[i]->summary));
    }
    for (size_t i = 0; i < count; i++)
        add_command(page, commands[i]);
    add_section(page, "ENVIRONMENT", HELP_ENVIRONMENT);
    add_section(page, "EXIT STATUS", HELP_EXIT_STATUS);
    add_section(page, "SEE ALSO", "bedrock-worker.yaml(5), bedrock-sim(1)");
}

void man_add_settings(struct buf *page)
{
    roff_add_title(page, "BEDROCK-WORKER.YAML", 5, "bedrock-worker " BEDROCK_VERSION);
    add_section(page, "NAME", "bedrock-worker.yaml - settings of bedrock-worker");
    settings_add_manual(page);
    add_section(page, "SEE ALSO", "bedrock-worker(1)");
}
