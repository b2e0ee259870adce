/* Private to the writers of answers: the form of each family, and what they share. A whole answer
 * is written around its text, because the text's filler is made while it is sent. A stream is a row
 * of steps; a form writes the payload of a step, or says that its streams have none there. */
#ifndef SIM_ANSWERS_PARTS_H
#define SIM_ANSWERS_PARTS_H

#include "sim/answers/forms.h"
#include "sim/answers/reply.h"

enum reply_kind {
    STEP_START,
    STEP_BLOCK_START,
    STEP_DELTA, /* a piece of a block's content */
    STEP_SIGN,  /* the signature under reasoning */
    STEP_CITE,  /* the citation of a text */
    STEP_BLOCK_STOP,
    STEP_STOP,
    STEP_METADATA
};

struct reply_step {
    enum reply_kind kind;
    size_t index;            /* of the block in the stream */
    struct plan_block block; /* of BLOCK_START to BLOCK_STOP */
    struct slice piece;      /* of DELTA */
    bool is_first;           /* of the block's deltas */
    size_t given;            /* bytes of all pieces so far */
    int64_t latency_ms;
};

/* Where a whole answer goes: `head` until its text, then `tail`. */
struct reply_out {
    struct buf *at; /* head or tail */
    struct buf *tail;
    int64_t latency_ms;
};

struct reply_form {
    void (*whole)(struct reply_out *out, const struct plan *plan);
    /* Writes a payload and returns the event's name; NULL: this stream has no event here. */
    const char *(*step)(struct buf *payload, const struct plan *plan,
                        const struct reply_step *step);
    bool splits; /* each piece of text is a block */
};

/* The text as a JSON string; what follows goes behind the filler. */
void reply_add_text(struct reply_out *out, const struct plan *plan);
/* The family's word for why the answer ended. */
struct slice reply_reason(const struct plan *plan);
/* The input of a call: `{}` when it was cut. */
struct slice reply_input(const struct plan_block *block);
bool reply_has(const struct plan *plan, enum plan_kind kind);

/* Converse's members, which nova's InvokeModel has as well. */
void reply_add_content(struct reply_out *out, const struct plan *plan);
const char *reply_converse_payload(struct buf *payload, const struct plan *plan,
                                   const struct reply_step *step);
void reply_add_trace(struct buf *buf, const struct plan *plan, bool is_converse);

/* Members that Bedrock adds to bodies of InvokeModel: the guardrail's verdict; and, beside the last
 * chunk, the counts. */
void reply_add_verdict(struct buf *buf, const struct plan *plan, bool is_last);
void reply_add_counts(struct buf *buf, const struct plan *plan, int64_t latency_ms);
/* Ends a chunk's object. */
void reply_end_chunk(struct buf *payload, const struct plan *plan, const struct reply_step *step,
                     bool is_last);

#endif
