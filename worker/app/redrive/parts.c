#include "app/redrive/parts.h"

#include <stdio.h>
#include <time.h>

bool redrive_fail(const char *what, const char *why)
{
    (void)fprintf(stderr, "bedrock-worker redrive: %s: %s\n", what, why);
    return false;
}

bool redrive_is_interrupted(struct run *run)
{
    const struct timespec now = {0, 0};
    run->is_interrupted |= sigtimedwait(&run->signals, NULL, &now) > 0;
    return run->is_interrupted;
}

void redrive_pause(int64_t ms)
{
    struct timespec pause = {ms / 1000, ms % 1000 * 1000000};
    (void)nanosleep(&pause, NULL);
}
