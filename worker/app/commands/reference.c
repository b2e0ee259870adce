/* `bedrock-worker reference`: prints the settings, as a page for people or a schema for editors,
 * and what a package needs that comes from the same tables: manual pages, completion for shells. */
#include <stdio.h>
#include <string.h>

#include "app/commands/commands.h"
#include "app/commands/completion.h"
#include "app/commands/man.h"
#include "app/settings/settings.h"

#define PAGE_BYTES_MAX ((size_t)1024 * 1024)

static bool prints_schema;
static const char *manual, *shell;

static const struct command_option OPTIONS[] = {
    {
        .name = "schema",
        .kind = OPTION_FLAG,
        .into.flag = &prints_schema,
        .description = "Print a JSON Schema instead of the page.",
    },
    {
        .name = "man",
        .value = "1|5",
        .kind = OPTION_TEXT,
        .into.text = &manual,
        .description = "Print a manual page instead: 1 = bedrock-worker and its commands, 5 = the "
                       "settings file.",
    },
    {
        .name = "completion",
        .value = COMPLETION_SHELLS,
        .kind = OPTION_TEXT,
        .into.text = &shell,
        .description = "Print what completes bedrock-worker's command line in this shell.",
    },
};

/* Prints what is wrong with the options. `value` is one of them, or "". */
static int refuse(const char *value, const char *words)
{
    (void)fprintf(stderr,
                  "bedrock-worker reference: %.80s%s; see bedrock-worker reference --help\n", value,
                  words);
    return EXIT_USAGE;
}

/* Adds what the options ask for. Returns an exit code. */
static int add_page(struct buf *page)
{
    if (prints_schema + (manual != NULL) + (shell != NULL) > 1)
        return refuse("", "--schema, --man and --completion exclude each other; write one");
    if (shell != NULL && !completion_add(page, shell))
        return refuse(shell, " is not a shell that --completion knows; write bash or zsh");
    if (manual != NULL && strcmp(manual, "1") != 0 && strcmp(manual, "5") != 0)
        return refuse(manual, " is not a page of --man; write 1 (commands) or 5 (settings)");
    if (manual != NULL && manual[0] == '1')
        man_add_program(page);
    else if (manual != NULL)
        man_add_settings(page);
    else if (prints_schema)
        settings_add_schema(page);
    else if (shell == NULL)
        settings_add_reference(page);
    return EXIT_DONE;
}

static int run(void)
{
    struct buf page OWNED_BY(buf_done);
    buf_init(&page, PAGE_BYTES_MAX);
    int code = add_page(&page);
    if (code != EXIT_DONE)
        return code;
    bool is_whole = page.failed == OK && fwrite(page.ptr, 1, page.len, stdout) == page.len &&
                    fflush(stdout) == 0;
    return is_whole ? EXIT_DONE : EXIT_FAILED;
}

const struct command command_reference = {
    .name = "reference",
    .summary = "print every setting: default, limits and meaning",
    .synopsis = "[--schema | --man 1|5 | --completion bash|zsh]",
    .description =
        "Prints the reference page of the settings file, made from the table that the worker "
        "reads the file with. With --schema it prints a JSON Schema (2020-12) instead, for "
        "editors that check and complete YAML. With --man it prints a manual page, with "
        "--completion what a shell needs to complete commands, options and settings; the package "
        "has both.",
    .examples = "  bedrock-worker reference | less\n"
                "  bedrock-worker reference --schema > worker.schema.json\n"
                "  bedrock-worker reference --man 5 | man -l -\n"
                "  source <(bedrock-worker reference --completion bash)\n",
    .options = {OPTIONS, COUNT_OF(OPTIONS), NULL, NULL, NULL, NULL},
    .run = run,
};
