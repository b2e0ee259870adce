#include "engine/wait.h"

static const struct {
    const char *name, *state, *text;
    enum wait_whose whose;
} WAITS[WAIT_COUNT] = {
#define WAIT(name, state, whose, text) [WAIT_##name] = {#name, state, text, WAIT_OF_##whose},
#include "engine/waits.def"
#undef WAIT
};

const char *wait_name(enum wait wait)
{
    return WAITS[wait].name;
}

const char *wait_state(enum wait wait)
{
    return WAITS[wait].state;
}

const char *wait_text(enum wait wait)
{
    return WAITS[wait].text;
}

enum wait_whose wait_whose(enum wait wait)
{
    return WAITS[wait].whose;
}
