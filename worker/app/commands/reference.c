/* `bedrock-worker reference`: prints the settings, as a page for people or a schema for editors. */
#include <stdio.h>

#include "app/commands/commands.h"
#include "app/settings/settings.h"

#define PAGE_BYTES_MAX ((size_t)1024 * 1024)

static bool prints_schema;

static const struct command_option OPTIONS[] = {
    {
        .name = "schema",
        .kind = OPTION_FLAG,
        .into.flag = &prints_schema,
        .description = "Print a JSON Schema instead of the page.",
    },
};

static int run(void)
{
    struct buf page OWNED_BY(buf_done);
    buf_init(&page, PAGE_BYTES_MAX);
    if (prints_schema)
        settings_add_schema(&page);
    else
        settings_add_reference(&page);
    bool is_whole = page.failed == OK && fwrite(page.ptr, 1, page.len, stdout) == page.len &&
                    fflush(stdout) == 0;
    return is_whole ? EXIT_DONE : EXIT_FAILED;
}

const struct command command_reference = {
    .name = "reference",
    .summary = "print every setting: default, limits and meaning",
    .synopsis = "[--schema]",
    .description =
        "Prints the reference page of the settings file, made from the table that the worker "
        "reads the file with. With --schema it prints a JSON Schema (2020-12) instead, for "
        "editors that check and complete YAML.",
    .examples = "  bedrock-worker reference | less\n"
                "  bedrock-worker reference --schema > worker.schema.json\n",
    .options = {OPTIONS, COUNT_OF(OPTIONS), NULL, NULL},
    .run = run,
};
