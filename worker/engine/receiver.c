#include "engine/receiver.h"

#include <string.h>

#include "base/check.h"
#include "base/instant.h"
#include "base/memory.h"
#include "engine/attempt.h"
#include "engine/chunks.h"
#include "engine/identity.h"

#define RECEIVERS_KEPT_MAX  256         /* free ones in the pool; more are freed */
#define RECEIVER_KEPT_BYTES (64 * 1024) /* a larger buffer or arena of a free one is freed */

/* ---- the pool ---- */

void receivers_init(struct engine *engine)
{
    link_init(&engine->receivers.free);
}

static struct receiver *receiver_new(struct engine *engine)
{
    struct receiver *receiver = memory_new(sizeof *receiver);
    CHECK(receiver != NULL);
    size_t limit = engine->config.max_answer_bytes;
    link_init(&receiver->link);
    arena_init(&receiver->arena, RECEIVER_ARENA_MAX(limit));
    buf_init(&receiver->head, HTTP_HEAD_BYTES_MAX);
    buf_init(&receiver->body, limit);
    event_reader_init(&receiver->reader, limit);
    return receiver;
}

static void receiver_free(struct receiver *receiver)
{
    event_reader_done(&receiver->reader);
    buf_done(&receiver->body);
    buf_done(&receiver->head);
    arena_done(&receiver->arena);
    memory_free(receiver);
}

static void buf_rewind(struct buf *buf)
{
    if (buf->room > RECEIVER_KEPT_BYTES)
        buf_done(buf);
    else
        buf_reset(buf);
}

struct receiver *receiver_take(struct engine *engine)
{
    struct link *first = list_first(&engine->receivers.free);
    if (first == NULL)
        return receiver_new(engine);
    link_out(first);
    engine->receivers.free_count--;
    return LINK_OWNER(first, struct receiver, link);
}

void receiver_give_back(struct engine *engine, struct receiver *receiver,
                        const struct dialect *dialect)
{
    if (receiver->stream != NULL)
        dialect_stream_done(dialect, receiver->stream);
    if (engine->receivers.free_count == RECEIVERS_KEPT_MAX) {
        receiver_free(receiver);
        return;
    }
    receiver->stream = NULL;
    buf_rewind(&receiver->head);
    buf_rewind(&receiver->body);
    event_reader_done(&receiver->reader);
    event_reader_init(&receiver->reader, engine->config.max_answer_bytes);
    arena_rewind(&receiver->arena, RECEIVER_KEPT_BYTES);
    why_clear(&receiver->why);
    list_add_first(&engine->receivers.free, &receiver->link);
    engine->receivers.free_count++;
}

void receivers_free(struct engine *engine)
{
    while (!link_alone(&engine->receivers.free)) {
        struct receiver *receiver = LINK_OWNER(engine->receivers.free.next, struct receiver, link);
        link_out(&receiver->link);
        receiver_free(receiver);
    }
}

/* ---- the head ---- */

/* Reserves room for the whole body if Content-Length is present and plausible. */
static void reserve_body(struct receiver *receiver, struct slice head)
{
    int64_t len;
    struct slice text = http_header(head, "content-length");
    if (text.ptr != NULL && slice_to_int64(text, &len) && len > 0 && len <= RECEIVER_KEPT_BYTES &&
        (size_t)len <= receiver->body.limit && buf_reserve(&receiver->body, (size_t)len) == NULL)
        buf_reset(&receiver->body);
}

struct heard call_received(const struct call *call)
{
    const struct receiver *receiver = call->receiver;
    return (struct heard){
        .status = call->status,
        .head = receiver == NULL ? SLICE("") : buf_slice(&receiver->head),
        .request = &call->job->request,
        .body = receiver == NULL ? SLICE("") : buf_slice(&receiver->body),
    };
}

void call_head(struct engine *engine, struct call *call, int status, struct slice head)
{
    if (call->receiver == NULL)
        call->receiver = receiver_take(engine);
    call->status = status;
    buf_reset(&call->receiver->head);
    buf_add(&call->receiver->head, head);
    reserve_body(call->receiver, head);
    struct heard heard = call_received(call);
    call->is_streaming = dialect_is_stream(call->attempt->dialect, &heard);
    attempt_head(call->attempt, status, head);
    if (http_header(head, "x-amzn-requestid").ptr == NULL)
        return; /* not from Bedrock: a proxy's clock does not check signatures */
    struct slice date = http_header(head, "date");
    int64_t date_ms;
    if (date.ptr != NULL && instant_from_http_date(date, &date_ms))
        identity_correct_clock(engine, call->job->target->identity, date_ms);
}

/* ---- the stream ---- */

static enum err receive_event(struct engine *engine, struct call *call, const struct event *event)
{
    const struct dialect *dialect = call->attempt->dialect;
    struct receiver *receiver = call->receiver;
    if (receiver->stream == NULL) {
        struct heard heard = call_received(call);
        enum err err = dialect_stream_start(dialect, &receiver->arena, &heard,
                                            engine->config.max_answer_bytes, &receiver->stream);
        if (err != OK)
            return why_set(&receiver->why, err, NULL, "%s", err_words(err));
    }
    struct stream_step step = {0};
    enum err err = dialect_stream_step(dialect, receiver->stream, event, &step, &receiver->why);
    if (err != OK || !step.is_chunk)
        return err;
    struct attempt *attempt = call->attempt;
    if (attempt->first_token_ms < 0 && step.content.len > 2)
        attempt->first_token_ms = engine->now_ms - attempt->started_ms;
    struct usage_counts counts = {0};
    size_t text_bytes;
    if (step.has_usage)
        dialect_stream_heard(dialect, receiver->stream, &counts, &text_bytes);
    chunk_send(engine, call, &step, step.has_usage ? &counts : NULL);
    return OK;
}

static enum err receive_stream(struct engine *engine, struct call *call, struct slice bytes)
{
    enum err err = event_reader_hear(&call->receiver->reader, bytes);
    while (err == OK) {
        struct event event;
        err = event_reader_next(&call->receiver->reader, &event);
        if (err == ERR_NOT_FOUND)
            return OK;
        if (err == OK) {
            err = receive_event(engine, call, &event);
            if (err != OK)
                return err;
        }
    }
    return why_set(&call->receiver->why, err == ERR_TOO_LARGE ? ERR_RESPONSE_TOO_LARGE : err, NULL,
                   "%s",
                   err == ERR_BROKEN_STREAM ? "a frame of the event stream is corrupt"
                                            : "the stream exceeds bedrock.max_answer_size");
}

bool call_body(struct engine *engine, struct call *call, struct slice bytes)
{
    if (call->receiver == NULL) /* no body without a head */
        return true;
    if (call->is_streaming)
        return receive_stream(engine, call, bytes) == OK;
    struct buf *body = &call->receiver->body;
    buf_add(body, bytes);
    if (body->failed == OK)
        return true;
    bool large = body->failed == ERR_TOO_LARGE;
    (void)why_set(&call->receiver->why, large ? ERR_RESPONSE_TOO_LARGE : ERR_NO_MEMORY, NULL, "%s",
                  large ? "the answer exceeds bedrock.max_answer_size" : "out of memory");
    return false;
}
