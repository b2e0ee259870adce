#include "base/check.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The one place below io that writes anything, and the one that ends the process: without stdio,
 * whose locks and buffers may be what is broken. */

static check_hook *hook_of_app;

void check_set_hook(check_hook *hook)
{
    hook_of_app = hook;
}

static void say(const char *text)
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

static void say_number(int number)
{
    char digits[16];
    size_t at = sizeof digits - 1;
    unsigned rest = number < 0 ? 0 : (unsigned)number;
    digits[at] = '\0';
    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    say(digits + at);
}

void check_failed(const char *fact, const char *file, int line)
{
    /* A check that fails in the hook must not call the hook again. */
    static _Thread_local bool failing;
    say("CHECK failed: ");
    say(fact);
    say(" at ");
    say(file);
    say(":");
    say_number(line);
    say("\n");
    if (hook_of_app != NULL && !failing) {
        failing = true;
        hook_of_app(fact, file, line);
    }
    abort();
}
