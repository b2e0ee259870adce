#include "base/check.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The one place below io that writes anything, and the one that ends the process: without stdio,
 * whose locks and buffers may be what is broken. */

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

void check_say(const char *text)
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

void check_say_number(int64_t number)
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
    check_say(digits + at);
}

void check_failed(const char *fact, const char *file, int line)
{
    /* A check that fails among the objects or in the hook must not call them again. */
    static _Thread_local bool failing;
    check_say("CHECK failed: ");
    check_say(fact);
    check_say(" at ");
    check_say(file);
    check_say(":");
    check_say_number(line);
    check_say("\n");
    bool is_first = !failing;
    failing = true;
    if (objects_of_engine != NULL && is_first)
        objects_of_engine();
    if (hook_of_app != NULL && is_first)
        hook_of_app(fact, file, line);
    abort();
}
