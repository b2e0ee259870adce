/* An answer that is not what structured_output wants, put into the conversation with what is wrong
 * with it, so that the model can correct it: its message, and a user turn behind it, for a call a
 * tool result with status error. */
#ifndef WIRE_CHAT_CORRECTION_H
#define WIRE_CHAT_CORRECTION_H

#include "wire/chat/answer.h"
#include "wire/chat/request.h"

/* Puts an answer with parsing_error behind the turns of the request that was read from `source`,
 * and behind earlier corrections; all else of the request stays. On an error (the arena is too
 * small, the answer cannot go back to the model) the request is unchanged. */
MUST_CHECK enum err correction_add(struct arena *arena, const struct request_source *source,
                                   const struct answer *answer, struct request *request);

#endif
