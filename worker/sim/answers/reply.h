/* The bytes of answers: the JSON of a whole answer, the frames of a stream one by one
 * (vnd.amazon.eventstream), errors and exceptions (Bedrock API reference, Converse, ConverseStream,
 * InvokeModel). The filler behind an answer's text is generated while it is sent, so that a large
 * answer needs no memory. Only the bufs fail. */
#ifndef SIM_ANSWERS_REPLY_H
#define SIM_ANSWERS_REPLY_H

#include "base/buf.h"
#include "sim/plan.h"

/* The position in a stream. */
struct reply_stream {
    enum reply_phase {
        REPLY_START,
        REPLY_BLOCK_START,
        REPLY_DELTAS,
        REPLY_SIGN,
        REPLY_CITE,
        REPLY_BLOCK_STOP,
        REPLY_STOP,
        REPLY_METADATA,
        REPLY_END
    } phase;
    size_t block;   /* the part of the answer */
    size_t index;   /* its number in the stream */
    size_t at;      /* bytes of this part that are in frames */
    size_t given;   /* bytes of all parts that are in frames */
    size_t piece;   /* the next of plan->pieces */
    int64_t frames; /* made so far */
    bool is_begun;  /* this part has a delta */
};

/* Appends the JSON body of an error; `text` is its message. */
void sim_reply_error(struct buf *buf, enum fault fault, const char *text);
/* Makes a whole answer: `ret_head`, then plan->fill_bytes of filler, then `ret_tail`. */
void sim_reply_whole(struct buf *ret_head, struct buf *ret_tail, const struct plan *plan,
                     int64_t latency_ms);
/* Appends the answer of CountTokens. */
void sim_reply_count(struct buf *buf, const struct plan *plan);
/* Appends the next frame; false at the end. */
bool sim_reply_frame(struct buf *buf, struct plan *plan, struct reply_stream *stream,
                     int64_t latency_ms);
/* Are all parts of the answer in frames? */
bool sim_reply_is_given(const struct plan *plan, const struct reply_stream *stream);
/* Appends the exception or error frame of a fault. */
void sim_reply_exception(struct buf *buf, enum fault fault);
/* Appends an event that no client can read, in a frame that is right. */
void sim_reply_bad_event(struct buf *buf, const struct plan *plan);
/* Writes `len` bytes of the endless filler from its byte `at` on: ASCII that JSON need not escape.
 */
void sim_reply_fill(char *to, size_t at, size_t len);

#endif
