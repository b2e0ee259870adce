/* Hearing: what is heard of one answer while it comes. Whole answers are collected, streams are
 * read event by event and their chunks sent at once. Hearings are lent out from a pool: see struct
 * hearing. */
#ifndef ENGINE_RECEIVER_H
#define ENGINE_RECEIVER_H

#include "engine/state.h"

/* Nodes and decoded text, beside the bytes of an answer, while it is decoded. */
#define RECEIVER_ARENA_MAX(answer_bytes) (12 * (size_t)(answer_bytes) + (size_t)64 * 1024)
/* What one that is being heard holds: its head, the answer so far, a frame and its chunk. */
#define RECEIVER_BYTES_MAX(answer_bytes)                                                           \
    (sizeof(struct receiver) + HTTP_HEAD_BYTES_MAX + (answer_bytes) + (size_t)64 * 1024)

void receivers_init(struct engine *engine);
struct receiver *receiver_take(struct engine *engine);
void receiver_give_back(struct engine *engine, struct receiver *receiver,
                        const struct dialect *dialect);
void receivers_free(struct engine *engine);

/* What has come of the answer: an empty head when none did. Borrowed. */
struct heard call_received(const struct call *call);
void call_head(struct engine *engine, struct call *call, int status, struct slice head);
/* false: the answer cannot become whole any more (hearing->why); break the exchange off. */
MUST_CHECK bool call_body(struct engine *engine, struct call *call, struct slice bytes);

#endif
