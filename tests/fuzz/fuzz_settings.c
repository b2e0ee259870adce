/* Any bytes as a settings file: read or refused, never a crash, a leak or a problem without words.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "app/settings.h"
#include "base/check.h"
#include "base/memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *get_variable(void *self, const char *name)
{
    (void)self;
    return name[0] == 'A' ? "a value" : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct settings settings;
    static struct problems problems;
    struct settings_source source = {
        .text = slice_of(data, size), .file = "fuzz.yaml", .environment = {get_variable, NULL}};
    int64_t before = memory_live();
    bool is_good = settings_read(&settings, &source, &problems);
    CHECK(is_good == (problems.count == 0));
    for (size_t i = 0; i < problems.count; i++)
        CHECK(problems.list[i].words[0] != '\0');
    settings_free(&settings);
    CHECK(memory_live() == before);
    return 0;
}
