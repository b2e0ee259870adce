/* InvokeModel in a test: a request's body, a whole answer, and a stream of chunks, read by the
 * family that the request's model belongs to. Needs unit.h included before. */
#ifndef UNIT_INVOKE_KIT_H
#define UNIT_INVOKE_KIT_H

#include "unit/request_kit.h"
#include "wire/bedrock/dialects.h"
#include "wire/bedrock/invoke/invoke.h"

#define INVOKE_KIT_LIMIT  ((size_t)4 << 20)
#define INVOKE_CHUNKS_MAX 64

struct invoke_kit {
    struct request_kit ask;
    const struct dialect *dialect;
    struct buf value; /* of the record */
    struct buf body;  /* of the request */
    struct buf head;  /* of the answer */
    struct arena arena;
    struct answer answer;
    struct why why;
    struct stream *stream;
    struct stream_step step;
    struct buf chunks; /* content, tool_call_chunks, metadata of each, a line each */
};

/* Reads a request and encodes it: `{"model":…,` and what follows. */
static inline void invoke_kit_ask(struct invoke_kit *kit, const char *model, const char *rest)
{
    *kit = (struct invoke_kit){.stream = NULL};
    request_kit_init(&kit->ask);
    buf_init(&kit->value, INVOKE_KIT_LIMIT);
    buf_init(&kit->body, INVOKE_KIT_LIMIT);
    buf_init(&kit->head, INVOKE_KIT_LIMIT);
    buf_init(&kit->chunks, INVOKE_KIT_LIMIT);
    arena_init(&kit->arena, INVOKE_KIT_LIMIT);
    buf_addf(&kit->value, "{\"model\":\"%s\",\"api\":\"invoke\",%s}", model, rest);
    enum err err = request_kit_read(&kit->ask, buf_slice(&kit->value));
    if (err != OK)
        print_error("%s\n  %s: %s\n", buf_text(&kit->value), kit->ask.why.field,
                    kit->ask.why.message);
    assert_int_equal(err, OK);
    kit->dialect = dialect_for(NULL, &kit->ask.request);
    assert_int_equal(dialect_encode(kit->dialect, &kit->ask.request, &kit->body), OK);
    buf_add_text(&kit->head, "HTTP/1.1 200 OK\r\n");
}

static inline void invoke_kit_done(struct invoke_kit *kit)
{
    if (kit->stream != NULL)
        dialect_stream_done(kit->dialect, kit->stream);
    request_kit_done(&kit->ask);
    buf_done(&kit->value);
    buf_done(&kit->body);
    buf_done(&kit->head);
    buf_done(&kit->chunks);
    arena_done(&kit->arena);
}

static inline struct heard invoke_kit_heard(struct invoke_kit *kit, const char *body)
{
    return (struct heard){200, buf_slice(&kit->head), &kit->ask.request, slice_of_text(body)};
}

static inline enum err invoke_kit_decode(struct invoke_kit *kit, const char *body)
{
    struct heard heard = invoke_kit_heard(kit, body);
    return dialect_decode(kit->dialect, &kit->arena, &heard, &kit->answer, &kit->why);
}

static inline void invoke_add_base64(struct buf *buf, struct slice bytes)
{
    static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < bytes.len; i += 3) {
        unsigned char group[3] = {0, 0, 0};
        size_t len = bytes.len - i < 3 ? bytes.len - i : 3;
        memcpy(group, bytes.ptr + i, len);
        unsigned word = (unsigned)group[0] << 16 | (unsigned)group[1] << 8 | group[2];
        for (size_t j = 0; j < 4; j++)
            buf_add_byte(buf, j > len ? '=' : DIGITS[word >> (18 - 6 * j) & 63U]);
    }
}

/* A frame with this payload. */
static inline enum err invoke_kit_frame(struct invoke_kit *kit, struct slice payload)
{
    struct heard heard = invoke_kit_heard(kit, NULL);
    if (kit->stream == NULL)
        assert_int_equal(
            dialect_stream_start(kit->dialect, &kit->arena, &heard, INVOKE_KIT_LIMIT, &kit->stream),
            OK);
    struct event event = {.kind = EVENT_KIND_EVENT, .type = SLICE("chunk"), .payload = payload};
    enum err err = dialect_stream_step(kit->dialect, kit->stream, &event, &kit->step, &kit->why);
    if (err != OK || !kit->step.is_chunk)
        return err;
    buf_add(&kit->chunks, kit->step.content);
    if (kit->step.tool_call_chunks.ptr != NULL)
        buf_addf(&kit->chunks, " calls %.*s", SLICE_ARG(kit->step.tool_call_chunks));
    if (kit->step.metadata.ptr != NULL)
        buf_addf(&kit->chunks, " {%.*s}", SLICE_ARG(kit->step.metadata));
    buf_add_text(&kit->chunks, kit->step.has_usage ? " usage" : "");
    buf_add_text(&kit->chunks, kit->step.is_last ? " last\n" : "\n");
    return OK;
}

/* A chunk whose bytes are this JSON. */
static inline enum err invoke_kit_chunk(struct invoke_kit *kit, const char *json)
{
    struct buf payload OWNED_BY(buf_done);
    buf_init(&payload, INVOKE_KIT_LIMIT);
    buf_add_text(&payload, "{\"bytes\":\"");
    invoke_add_base64(&payload, slice_of_text(json));
    buf_add_text(&payload, "\",\"p\":\"abcd\"}");
    return invoke_kit_frame(kit, buf_slice(&payload));
}

static inline enum err invoke_kit_end(struct invoke_kit *kit)
{
    return dialect_stream_end(kit->dialect, kit->stream, &kit->answer, &kit->why);
}

#endif
