/* Why requests wait: the reasons of waits.def, by their names and in words. Which of them holds up
 * a job, engine/dispatch.h knows. */
#ifndef ENGINE_WAIT_H
#define ENGINE_WAIT_H

enum wait {
#define WAIT(name, whose, words) WAIT_##name,
#include "engine/waits.def"
#undef WAIT
    WAIT_COUNT
};

/* What a reason lies with: it holds up one request, those of an identity, of a target, or all. */
enum wait_whose { WAIT_OF_REQUEST, WAIT_OF_IDENTITY, WAIT_OF_TARGET, WAIT_OF_WORKER };

const char *wait_name(enum wait wait); /* "REPLY_TOPIC" */
const char *wait_text(enum wait wait); /* complete "requests wait for …" */
enum wait_whose wait_whose(enum wait wait);

#endif
