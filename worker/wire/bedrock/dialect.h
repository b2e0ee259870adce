/* A dialect: how the worker calls a model. It is a pair of rows: an API of Bedrock Runtime
 * (where its calls go, how its answers are framed) and a family of models (what the bodies say).
 * The verbs below are all that callers need; the rows' functions take the dialect first, so that
 * rows can share them. A new row is a constant in its own folder and a line in
 * dialects.c.
 * Source: AWS, "Amazon Bedrock Runtime API Reference". */
#ifndef WIRE_BEDROCK_DIALECT_H
#define WIRE_BEDROCK_DIALECT_H

#include "base/attr.h"
#include "wire/bedrock/eventstream.h"
#include "wire/chat/answer.h"
#include "wire/chat/request.h"
#include "wire/formats/json.h"
#include "wire/formats/why.h"

/* Bytes that decode, step and end may hold while they read a text of that length. */
#define DIALECT_SCRATCH_BYTES(text_len) ((size_t)JSON_NODES_MAX * 128 + 4 * (text_len))

struct dialect;

/* State of one stream: its family's. Lives in the arena given at its start. */
struct stream;

/* What the worker has heard of an answer, borrowed, and what it asked. */
struct heard {
    int status;        /* HTTP */
    struct slice head; /* status line and headers as they came: ask http_header */
    const struct request *request;
    struct slice body; /* whole; null while a stream comes */
};

/* Headers of a call beside those that every call has; each is signed. */
#define CALL_HEADERS_MAX 8
struct call_headers {
    struct call_header {
        const char *name;
        struct slice value; /* without controls; borrowed from the request, or in `text` */
    } list[CALL_HEADERS_MAX];
    size_t count;
    struct buf text; /* of one value; its owner frees it */
};

struct api {
    struct api_name name;
    const char *content_type; /* of a request's body */
    const char *stream_type;  /* of an answer that is a stream: an event stream, framed */
    /* The path of a call, percent-encoded: `/model/<model>/…`. */
    void (*add_path)(const struct dialect *dialect, struct slice model, bool stream,
                     struct buf *ret_path);
    /* NULL: it has none. ERR_TOO_LARGE, ERR_NO_MEMORY. */
    enum err (*add_headers)(const struct dialect *dialect, const struct request *request,
                            bool stream, struct call_headers *ret_headers);
    /* Takes the family's event out of a frame of the stream; its payload may lie in `payload`.
     * NULL: the frames are the family's events. ERR_BROKEN_STREAM with words. */
    enum err (*unwrap)(const struct dialect *dialect, const struct event *frame,
                       struct buf *payload, struct event *ret_event, struct why *ret_why);
};

/* What each function does stands at the verb of its name below. */
struct family {
    const char *name;
    bool can_stream;
    /* Whether it can call the request's model. NULL: it calls them all. */
    bool (*serves)(const struct family *family, const struct request *request);
    /* In which forms it takes a conversation. NULL: in Converse's. */
    struct request_forms (*forms)(const struct family *family);
    /* Whether the body has a place for all of the request; else the field at fault, and who takes
     * it. NULL: it has. ERR_UNSUPPORTED_FIELD, ERR_INVALID. */
    enum err (*check)(const struct family *family, const struct request *request,
                      struct why *ret_why);
    const char *trial_body; /* that Bedrock refuses (status 400) before a model computes, if these
                               credentials may use the model: for `check --connect` */
    enum err (*encode)(const struct dialect *dialect, const struct request *request,
                       struct buf *ret_body);
    /* The max_tokens of a body whose request names none. NULL: none. */
    uint32_t (*max_tokens)(const struct family *family);
    /* The member of CountTokens' `input`: `"converse":{…}`. NULL: `invokeModel` with the body of
     * encode. A failure sticks in the buf. */
    void (*add_counted)(const struct dialect *dialect, const struct request *request,
                        struct buf *ret_body);
    enum err (*decode)(const struct dialect *dialect, struct arena *arena,
                       const struct heard *heard, struct answer *ret_answer, struct why *ret_why);
    /* NULL, all five, where can_stream is false. */
    enum err (*stream_start)(const struct dialect *dialect, struct arena *arena,
                             const struct heard *heard, size_t answer_limit,
                             struct stream **ret_stream);
    enum err (*stream_step)(const struct dialect *dialect, struct stream *stream,
                            const struct event *event, struct stream_step *ret_step,
                            struct why *ret_why);
    enum err (*stream_end)(const struct dialect *dialect, struct stream *stream,
                           struct answer *ret_answer, struct why *ret_why);
    void (*stream_heard)(const struct dialect *dialect, const struct stream *stream,
                         struct usage_counts *ret_counts, size_t *ret_text_bytes);
    void (*stream_done)(const struct dialect *dialect, struct stream *stream);
};

struct dialect {
    const struct api *api;
    const struct family *family;
};

void dialect_add_path(const struct dialect *dialect, struct slice model, bool stream,
                      struct buf *ret_path);
/* Likewise of a request's call, which may be one that counts tokens. NULL: of a call without a
 * request. */
void dialect_add_request_path(const struct dialect *dialect, const struct request *request,
                              struct slice model, bool stream, struct buf *ret_path);
/* Adds the headers that only this API has. `ret_headers` is zeroed before; its owner frees the
 * text. ERR_TOO_LARGE, ERR_NO_MEMORY. */
MUST_CHECK enum err dialect_add_headers(const struct dialect *dialect,
                                        const struct request *request, bool stream,
                                        struct call_headers *ret_headers);
/* The body of a call. ERR_TOO_LARGE, ERR_NO_MEMORY of the buf. */
MUST_CHECK enum err dialect_encode(const struct dialect *dialect, const struct request *request,
                                   struct buf *ret_body);
/* The max_tokens that the body has where the request names none; 0 = none. */
uint32_t dialect_max_tokens(const struct dialect *dialect);
/* Whether the call of this request asks for a stream: the request wants one and the family has it.
 */
bool dialect_streams(const struct dialect *dialect, const struct request *request);
/* Whether the answer with this head comes as a stream. */
bool dialect_is_stream(const struct dialect *dialect, const struct heard *heard);

/* A whole body of status 200. ERR_BAD_ANSWER with words when it is not one, ERR_RESPONSE_TOO_LARGE
 * when the arena cannot hold it. */
MUST_CHECK enum err dialect_decode(const struct dialect *dialect, struct arena *arena,
                                   const struct heard *heard, struct answer *ret_answer,
                                   struct why *ret_why);

/* A stream begins: its head is heard. At most answer_limit bytes of the answer are kept. */
MUST_CHECK enum err dialect_stream_start(const struct dialect *dialect, struct arena *arena,
                                         const struct heard *heard, size_t answer_limit,
                                         struct stream **ret_stream);
/* One frame. Exceptions in the stream come back as their error (why filled); unknown events as no
 * chunk. ERR_RESPONSE_TOO_LARGE when more was said than answer_limit, ERR_BROKEN_STREAM when it
 * makes no sense. */
MUST_CHECK enum err dialect_stream_step(const struct dialect *dialect, struct stream *stream,
                                        const struct event *frame, struct stream_step *ret_step,
                                        struct why *ret_why);
/* At the end of the body: the whole answer, or ERR_BROKEN_STREAM when its end is missing. */
MUST_CHECK enum err dialect_stream_end(const struct dialect *dialect, struct stream *stream,
                                       struct answer *ret_answer, struct why *ret_why);
/* What was said so far, for an estimated usage record: counts if they came, and the bytes of text
 * heard. */
void dialect_stream_heard(const struct dialect *dialect, const struct stream *stream,
                          struct usage_counts *ret_counts, size_t *ret_text_bytes);
/* Frees what is not in the arena. */
void dialect_stream_done(const struct dialect *dialect, struct stream *stream);

#endif
