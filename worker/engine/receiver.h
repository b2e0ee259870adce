/* Receivers: each receives one answer. A whole answer is collected; a stream is read event by event
 * and its chunks sent at once. A pool lends receivers to calls (struct receiver). */
#ifndef ENGINE_RECEIVER_H
#define ENGINE_RECEIVER_H

#include "engine/state.h"

/* Bytes of parsed nodes and decoded text while an answer of this size is decoded. */
#define RECEIVER_ARENA_MAX(answer_bytes) (12 * (size_t)(answer_bytes) + (size_t)64 * 1024)
/* Bytes that one receiver holds besides: head, answer so far, one frame and its chunk. */
#define RECEIVER_BYTES_MAX(answer_bytes)                                                           \
    (sizeof(struct receiver) + HTTP_HEAD_BYTES_MAX + (answer_bytes) + (size_t)64 * 1024)

/* Starts with an empty pool. */
void receivers_init(struct engine *engine);
/* Lends a receiver; CHECKs that there is memory for a new one. */
struct receiver *receiver_take(struct engine *engine);
/* Takes it back, empties it and frees its stream, which `dialect` made. */
void receiver_give_back(struct engine *engine, struct receiver *receiver,
                        const struct dialect *dialect);
/* Frees the pool; lent receivers are not in it. */
void receivers_free(struct engine *engine);

/* What has arrived of the answer, borrowed from the call; an empty head before the head arrives. */
struct heard call_received(const struct call *call);
/* The answer's head arrived: records status and head, and corrects the clock by its Date. */
void call_head(struct engine *engine, struct call *call, int status, struct slice head);
/* Bytes of the body arrived. False: the answer cannot become complete, receiver->why says why;
 * break the exchange off. */
MUST_CHECK bool call_body(struct engine *engine, struct call *call, struct slice bytes);

#endif
