/* Why requests wait: the reasons of waits.def with their names and texts. engine/dispatch.h finds
 * the reason of a job. */
#ifndef ENGINE_WAIT_H
#define ENGINE_WAIT_H

enum wait {
#define WAIT(name, state, whose, text) WAIT_##name,
#include "engine/waits.def"
#undef WAIT
    WAIT_COUNT
};

/* Whose requests a reason delays: one request, those of an identity, those of a target, or all. */
enum wait_whose { WAIT_OF_REQUEST, WAIT_OF_IDENTITY, WAIT_OF_TARGET, WAIT_OF_WORKER };

/* The name, as in "REPLY_TOPIC"; static. */
const char *wait_name(enum wait wait);
/* The name as the label `state` of metrics: "reply_topic", "calling" for WAIT_ANSWER, "uncommitted"
 * for WAIT_COMMIT; static. */
const char *wait_state(enum wait wait);
/* The end of the sentence "requests wait for …"; static. */
const char *wait_text(enum wait wait);
/* Whose requests it delays. */
enum wait_whose wait_whose(enum wait wait);

#endif
