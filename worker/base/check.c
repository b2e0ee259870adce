#include "base/check.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The only code below io that writes anything or ends the process. It does not use stdio, whose
 * locks and buffers may be damaged. */

static check_hook *hook_of_app;
static check_objects *objects_of_engine;

void check_set_hook(check_hook *hook)
{
    hook_of_app = hook;
}

void check_set_objects(check_objects *objects)
{
    objects_of_engine = objects;
}

void check_print(const char *text)
{
    size_t len = strlen(text);
    while (len > 0) {
        ssize_t wrote = write(STDERR_FILENO, text, len);
        if (wrote <= 0)
            return;
        text += wrote;
        len -= (size_t)wrote;
    }
}

void check_print_number(int64_t number)
{
    char digits[24];
    size_t at = sizeof digits - 1;
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    digits[at] = '\0';
    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (number < 0)
        digits[--at] = '-';
    check_print(digits + at);
}

void check_failed(const char *fact, const char *file, int line)
{
    /* A check that fails among the objects or in the hook must not call them again. */
    static _Thread_local bool failing;
    check_print("CHECK failed: ");
    check_print(fact);
    check_print(" at ");
    check_print(file);
    check_print(":");
    check_print_number(line);
    check_print("\n");
    bool is_first = !failing;
    failing = true;
    if (objects_of_engine != NULL && is_first)
        objects_of_engine();
    if (hook_of_app != NULL && is_first)
        hook_of_app(fact, file, line);
    abort();
}
