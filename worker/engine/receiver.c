#include "engine/receiver.h"

#include <string.h>

#include "base/check.h"
#include "base/instant.h"
#include "base/memory.h"
#include "engine/attempt.h"
#include "engine/chunks.h"
#include "engine/identity.h"

#define HEARINGS_KEPT_MAX  256         /* that nobody has; further ones are freed */
#define HEARING_KEPT_BYTES (64 * 1024) /* a larger buffer or arena of them is freed, too */

/* ---- the pool ---- */

void hearings_init(struct engine *engine)
{
    link_init(&engine->hearings.free);
}

static struct hearing *hearing_new(struct engine *engine)
{
    struct hearing *hearing = memory_new(sizeof *hearing);
    CHECK(hearing != NULL);
    size_t limit = engine->config.max_answer_bytes;
    link_init(&hearing->link);
    arena_init(&hearing->arena, HEARING_ARENA_MAX(limit));
    buf_init(&hearing->head, HTTP_HEAD_BYTES_MAX);
    buf_init(&hearing->body, limit);
    event_reader_init(&hearing->reader, limit);
    return hearing;
}

static void hearing_free(struct hearing *hearing)
{
    event_reader_done(&hearing->reader);
    buf_done(&hearing->body);
    buf_done(&hearing->head);
    arena_done(&hearing->arena);
    memory_free(hearing);
}

static void buf_rewind(struct buf *buf)
{
    if (buf->room > HEARING_KEPT_BYTES)
        buf_done(buf);
    else
        buf_reset(buf);
}

struct hearing *hearing_take(struct engine *engine)
{
    struct link *first = list_first(&engine->hearings.free);
    if (first == NULL)
        return hearing_new(engine);
    link_out(first);
    engine->hearings.free_count--;
    return LINK_OWNER(first, struct hearing, link);
}

void hearing_give_back(struct engine *engine, struct hearing *hearing,
                       const struct dialect *dialect)
{
    if (hearing->stream != NULL)
        dialect_stream_done(dialect, hearing->stream);
    if (engine->hearings.free_count == HEARINGS_KEPT_MAX) {
        hearing_free(hearing);
        return;
    }
    hearing->stream = NULL;
    buf_rewind(&hearing->head);
    buf_rewind(&hearing->body);
    event_reader_done(&hearing->reader);
    event_reader_init(&hearing->reader, engine->config.max_answer_bytes);
    arena_rewind(&hearing->arena, HEARING_KEPT_BYTES);
    why_clear(&hearing->why);
    list_add_first(&engine->hearings.free, &hearing->link);
    engine->hearings.free_count++;
}

void hearings_free(struct engine *engine)
{
    while (!link_alone(&engine->hearings.free)) {
        struct hearing *hearing = LINK_OWNER(engine->hearings.free.next, struct hearing, link);
        link_out(&hearing->link);
        hearing_free(hearing);
    }
}

/* ---- the head ---- */

/* Room for the whole body at once, when its length is told and believable. */
static void reserve_body(struct hearing *hearing, struct slice head)
{
    int64_t len;
    struct slice text = http_header(head, "content-length");
    if (text.ptr != NULL && slice_to_int64(text, &len) && len > 0 && len <= HEARING_KEPT_BYTES &&
        (size_t)len <= hearing->body.limit && buf_reserve(&hearing->body, (size_t)len) == NULL)
        buf_reset(&hearing->body);
}

struct heard call_heard(const struct call *call)
{
    const struct hearing *hearing = call->hearing;
    return (struct heard){
        .status = call->status,
        .head = hearing == NULL ? SLICE("") : buf_slice(&hearing->head),
        .request = &call->job->request,
        .body = hearing == NULL ? SLICE("") : buf_slice(&hearing->body),
    };
}

void call_head(struct engine *engine, struct call *call, int status, struct slice head)
{
    if (call->hearing == NULL)
        call->hearing = hearing_take(engine);
    call->status = status;
    buf_reset(&call->hearing->head);
    buf_add(&call->hearing->head, head);
    reserve_body(call->hearing, head);
    struct heard heard = call_heard(call);
    call->is_streaming = dialect_is_stream(call->attempt->dialect, &heard);
    attempt_hear_head(call->attempt, status, head);
    if (http_header(head, "x-amzn-requestid").ptr == NULL)
        return; /* not of Bedrock itself: a proxy's clock is not the one that judges signatures */
    struct slice date = http_header(head, "date");
    int64_t date_ms;
    if (date.ptr != NULL && instant_from_http_date(date, &date_ms))
        identity_hear_date(engine, call->job->target->identity, date_ms);
}

/* ---- the stream ---- */

static enum err hear_event(struct engine *engine, struct call *call, const struct event *event)
{
    const struct dialect *dialect = call->attempt->dialect;
    struct hearing *hearing = call->hearing;
    if (hearing->stream == NULL) {
        struct heard heard = call_heard(call);
        enum err err = dialect_stream_start(dialect, &hearing->arena, &heard,
                                            engine->config.max_answer_bytes, &hearing->stream);
        if (err != OK)
            return why_set(&hearing->why, err, NULL, "%s", err_words(err));
    }
    struct stream_step step = {0};
    enum err err = dialect_stream_step(dialect, hearing->stream, event, &step, &hearing->why);
    if (err != OK || !step.is_chunk)
        return err;
    struct attempt *attempt = call->attempt;
    if (attempt->first_token_ms < 0 && step.content.len > 2)
        attempt->first_token_ms = engine->now_ms - attempt->started_ms;
    struct usage_counts counts = {0};
    size_t text_bytes;
    if (step.has_usage)
        dialect_stream_heard(dialect, hearing->stream, &counts, &text_bytes);
    chunk_send(engine, call, &step, step.has_usage ? &counts : NULL);
    return OK;
}

static enum err hear_stream(struct engine *engine, struct call *call, struct slice bytes)
{
    enum err err = event_reader_hear(&call->hearing->reader, bytes);
    while (err == OK) {
        struct event event;
        err = event_reader_next(&call->hearing->reader, &event);
        if (err == ERR_NOT_FOUND)
            return OK;
        if (err == OK) {
            err = hear_event(engine, call, &event);
            if (err != OK)
                return err;
        }
    }
    return why_set(&call->hearing->why, err == ERR_TOO_LARGE ? ERR_RESPONSE_TOO_LARGE : err, NULL,
                   "%s",
                   err == ERR_BROKEN_STREAM ? "a frame of the event stream is corrupt"
                                            : "the stream is over bedrock.max_answer_size");
}

bool call_body(struct engine *engine, struct call *call, struct slice bytes)
{
    if (call->hearing == NULL) /* no body without a head */
        return true;
    if (call->is_streaming)
        return hear_stream(engine, call, bytes) == OK;
    struct buf *body = &call->hearing->body;
    buf_add(body, bytes);
    if (body->failed == OK)
        return true;
    bool large = body->failed == ERR_TOO_LARGE;
    (void)why_set(&call->hearing->why, large ? ERR_RESPONSE_TOO_LARGE : ERR_NO_MEMORY, NULL, "%s",
                  large ? "the answer is over bedrock.max_answer_size" : "out of memory");
    return false;
}
