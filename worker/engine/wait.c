#include "engine/wait.h"

static const struct {
    const char *name, *text;
    enum wait_whose whose;
} WAITS[WAIT_COUNT] = {
#define WAIT(name, whose, text) [WAIT_##name] = {#name, text, WAIT_OF_##whose},
#include "engine/waits.def"
#undef WAIT
};

const char *wait_name(enum wait wait)
{
    return WAITS[wait].name;
}

const char *wait_text(enum wait wait)
{
    return WAITS[wait].text;
}

enum wait_whose wait_whose(enum wait wait)
{
    return WAITS[wait].whose;
}
