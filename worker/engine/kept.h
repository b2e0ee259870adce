/* Kept answers: an answer that is not what the request's structured_output wants, while the request
 * asks for calls more (retry_invalid). The job keeps it in its arena, with the attempt that gave
 * it, and its request goes on with the answer and its faults. The usage of such a call goes out at
 * once, as not final. When no further call gives an answer, the kept one is published
 * (outcome_kept). */
#ifndef ENGINE_KEPT_H
#define ENGINE_KEPT_H

#include "engine/call.h"
#include "engine/state.h"

struct kept_answer {
    struct answer answer;
    struct attempt attempt;
};

/* Keeps the answer and puts it into the job's request. False: the answer is the last one, because
 * it is valid, no call more is asked for or makes sense, or the job's memory does not hold it. */
MUST_CHECK bool kept_take(struct engine *engine, struct job *job, const struct answer *answer);

#endif
