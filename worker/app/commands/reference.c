/* `bedrock-worker reference`: the settings table for people and for editors. */
#include "app/commands/commands.h"

#include <stdio.h>

#define PAGE_BYTES_MAX ((size_t)1024 * 1024)

int command_reference(const struct arguments *arguments)
{
    struct buf page OWNED_BY(buf_done);
    buf_init(&page, PAGE_BYTES_MAX);
    if (arguments->schema)
        settings_add_schema(&page);
    else
        settings_add_reference(&page);
    bool is_whole = page.failed == OK && fwrite(page.ptr, 1, page.len, stdout) == page.len &&
                    fflush(stdout) == 0;
    return is_whole ? EXIT_DONE : EXIT_FAILED;
}
