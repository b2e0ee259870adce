/* Dialects: how a family of models is spoken to. One row each; Converse is the first, InvokeModel's
 * families follow. */
#ifndef WIRE_BEDROCK_DIALECT_H
#define WIRE_BEDROCK_DIALECT_H

#include "wire/chat/answer.h"
#include "wire/bedrock/eventstream.h"
#include "wire/formats/json.h"
#include "wire/chat/request.h"
#include "wire/formats/why.h"

#define STREAM_BLOCKS_MAX 4096
/* Bytes that decode, stream_step and stream_end may hold while they read a text of that length. */
#define DIALECT_SCRATCH_BYTES(text_len) ((size_t)JSON_NODES_MAX * 128 + 4 * (text_len))

/* State of one stream; opaque to the engine. Lives in the arena given at its start. */
struct stream;

struct dialect {
    const char *api; /* "converse": the `api` of records */
    /* `/model/<label>/converse[-stream]`, percent-encoded. */
    void (*add_path)(struct slice model, bool stream, struct buf *ret_path);
    enum err (*encode)(const struct request *request, struct buf *ret_body);
    /* A whole body of status 200. ERR_BAD_ANSWER with words when it is not one,
     * ERR_RESPONSE_TOO_LARGE when the arena cannot hold it. */
    enum err (*decode)(struct arena *arena, struct slice body, struct answer *ret_answer,
                       struct why *ret_why);
    enum err (*stream_start)(struct arena *arena, size_t answer_limit, struct stream **ret_stream);
    /* One event. Exceptions in the stream come back as their error (why filled); unknown events as
     * no chunk. ERR_RESPONSE_TOO_LARGE when more was said than answer_limit, ERR_BROKEN_STREAM when
     * it makes no sense. */
    enum err (*stream_step)(struct stream *stream, const struct event *event,
                            struct stream_step *ret_step, struct why *ret_why);
    /* At the end of the body: the whole answer, or ERR_BROKEN_STREAM when messageStop or metadata
     * is missing. */
    enum err (*stream_end)(struct stream *stream, struct answer *ret_answer, struct why *ret_why);
    /* What was said so far, for an estimated usage record: counts if they came, and the bytes of
     * text heard. */
    void (*stream_heard)(const struct stream *stream, struct usage_counts *ret_counts,
                         size_t *ret_text_bytes);
    void (*stream_done)(struct stream *stream); /* frees what is not in the arena */
};

extern const struct dialect dialect_converse;

/* The dialect for a request: the one row so far. */
const struct dialect *dialect_for(const struct request *request);

#endif
