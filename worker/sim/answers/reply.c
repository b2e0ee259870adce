#include "sim/answers/reply.h"

#include <string.h>

#include "base/utf8.h"
#include "sim/answers/parts.h"
#include "wire/bedrock/eventstream.h"
#include "wire/formats/json.h"
#include "wire/formats/base64.h"

#define PAYLOAD_BYTES_MAX (64 * 1024)
#define CHUNK_BYTES_MAX   (128 * 1024)
#define PIECES_WANTED     512 /* of a large answer */
#define PIECE_BYTES_LEAST 6   /* about a token and a half */
#define FILL_BYTES_LEAST  16
#define PIECE_BYTES_MOST  4096

/* The filler: these 64 bytes, repeated. */
static const char FILL[] = " the quick brown fox jumps over the lazy dog and runs away again";
_Static_assert(sizeof FILL - 1 == 64, "the filler's period");
static const char PADDING[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

void sim_reply_fill(char *to, size_t at, size_t len)
{
    for (size_t done = 0; done < len;) {
        size_t from = (at + done) % (sizeof FILL - 1);
        size_t part = sizeof FILL - 1 - from;
        if (part > len - done)
            part = len - done;
        memcpy(to + done, FILL + from, part);
        done += part;
    }
}

void sim_reply_error(struct buf *buf, enum fault fault, const char *text)
{
    buf_add_byte(buf, '{');
    json_add_text_member(buf, "message", slice_of_text(text));
    if (fault == FAULT_MODEL_ERROR) {
        json_add_int_member(buf, "originalStatusCode", 400);
        json_add_text_member(buf, "resourceName", SLICE("simulated-model"));
    }
    buf_add_byte(buf, '}');
}

static const struct reply_form *form_of(const struct plan *plan)
{
    if (!plan->is_invoke)
        return &FORM_CONVERSE;
    return plan->family != NULL ? plan->family->form : FAMILY_CUSTOM.form;
}

void sim_reply_whole(struct buf *ret_head, struct buf *ret_tail, const struct plan *plan,
                     int64_t latency_ms)
{
    struct reply_out out = {ret_head, ret_tail, latency_ms};
    form_of(plan)->whole(&out, plan);
}

void sim_reply_count(struct buf *buf, const struct plan *plan)
{
    buf_add_byte(buf, '{');
    json_add_int_member(buf, "inputTokens", plan->input_tokens);
    buf_add_byte(buf, '}');
}

bool sim_reply_is_given(const struct plan *plan, const struct reply_stream *stream)
{
    return stream->phase >= REPLY_STOP ||
           (stream->phase >= REPLY_SIGN && stream->block + 1 == plan_block_count(plan) &&
            stream->given >= plan_bytes(plan));
}

/* ---- the pieces of a stream ---- */

/* The end of the next piece: after a word, never inside a character. */
static struct slice next_word(struct slice rest)
{
    size_t len = PIECE_BYTES_LEAST;
    while (len < rest.len && len < 3 * PIECE_BYTES_LEAST && rest.ptr[len] != ' ')
        len++;
    struct slice word = utf8_clip(rest, len);
    return word.len > 0 ? word : rest;
}

static size_t fill_piece(const struct plan *plan, size_t given)
{
    size_t left = plan->text.len + plan->fill_bytes - given;
    size_t len = plan->fill_bytes / PIECES_WANTED;
    if (len < FILL_BYTES_LEAST)
        len = FILL_BYTES_LEAST;
    if (len > PIECE_BYTES_MOST)
        len = PIECE_BYTES_MOST;
    return len < left ? len : left;
}

static struct slice text_piece(const struct plan *plan, struct reply_stream *stream,
                               char filler[PIECE_BYTES_MOST])
{
    if (plan->pieces != NULL && stream->piece < plan->pieces->count)
        return plan->pieces->list[stream->piece++];
    if (stream->at < plan->text.len)
        return next_word(slice_sub(plan->text, stream->at, plan->text.len));
    size_t len = fill_piece(plan, stream->at);
    sim_reply_fill(filler, stream->at - plan->text.len, len);
    return slice_of(filler, len);
}

/* Redacted reasoning comes in one piece; the first of a tool's input is empty, as Bedrock's. */
static struct slice next_piece(const struct plan *plan, struct reply_stream *stream,
                               const struct plan_block *block, char filler[PIECE_BYTES_MOST])
{
    if (block->kind == PLAN_TEXT)
        return text_piece(plan, stream, filler);
    if (block->kind == PLAN_TOOL_USE && !stream->is_begun)
        return SLICE("");
    struct slice rest = slice_sub(block->text, stream->at, block->text.len);
    return block->kind == PLAN_REDACTED ? rest : next_word(rest);
}

/* ---- the steps of a stream ---- */

static void open_block(const struct plan *plan, struct reply_stream *stream,
                       const struct plan_block *block)
{
    bool is_empty = plan_block_bytes(plan, block) == 0 && block->kind != PLAN_TOOL_USE;
    stream->phase = is_empty ? REPLY_BLOCK_STOP : REPLY_DELTAS;
    stream->is_begun = false;
}

static void after_delta(const struct plan *plan, struct reply_stream *stream,
                        const struct plan_block *block)
{
    bool splits = form_of(plan)->splits && block->kind == PLAN_TEXT;
    if (stream->at < plan_block_bytes(plan, block))
        stream->phase = splits ? REPLY_BLOCK_STOP : REPLY_DELTAS;
    else if (block->signature.len > 0 && !block->is_cut)
        stream->phase = REPLY_SIGN;
    else if (block->kind == PLAN_TEXT && plan->cites)
        stream->phase = REPLY_CITE;
    else
        stream->phase = REPLY_BLOCK_STOP;
}

static void close_block(const struct plan *plan, struct reply_stream *stream,
                        const struct plan_block *block)
{
    stream->index++;
    if (stream->at < plan_block_bytes(plan, block)) { /* of a text in several blocks */
        stream->phase = REPLY_BLOCK_START;
        return;
    }
    stream->block++;
    stream->at = 0;
    stream->phase = stream->block < plan_block_count(plan) ? REPLY_BLOCK_START : REPLY_STOP;
}

/* Makes the step at the stream's position, and moves on. */
static void take_step(const struct plan *plan, struct reply_stream *stream,
                      char filler[PIECE_BYTES_MOST], struct reply_step *ret_step)
{
    *ret_step = (struct reply_step){.index = stream->index};
    if (stream->block < plan_block_count(plan))
        ret_step->block = plan_block_at(plan, stream->block);
    struct plan_block *block = &ret_step->block;
    switch (stream->phase) {
    case REPLY_START:
        ret_step->kind = STEP_START;
        stream->phase = REPLY_BLOCK_START;
        return;
    case REPLY_BLOCK_START:
        ret_step->kind = STEP_BLOCK_START;
        open_block(plan, stream, block);
        return;
    case REPLY_DELTAS:
        ret_step->kind = STEP_DELTA;
        ret_step->piece = next_piece(plan, stream, block, filler);
        ret_step->is_first = !stream->is_begun;
        stream->is_begun = true;
        stream->at += ret_step->piece.len;
        stream->given += ret_step->piece.len;
        after_delta(plan, stream, block);
        return;
    case REPLY_SIGN:
        ret_step->kind = STEP_SIGN;
        stream->phase = REPLY_BLOCK_STOP;
        return;
    case REPLY_CITE:
        ret_step->kind = STEP_CITE;
        stream->phase = REPLY_BLOCK_STOP;
        return;
    case REPLY_BLOCK_STOP:
        ret_step->kind = STEP_BLOCK_STOP;
        close_block(plan, stream, block);
        return;
    case REPLY_STOP:
        ret_step->kind = STEP_STOP;
        stream->phase = REPLY_METADATA;
        return;
    case REPLY_METADATA:
    case REPLY_END:
    default:
        ret_step->kind = STEP_METADATA;
        stream->phase = REPLY_END;
        return;
    }
}

/* ---- frames ---- */

static void add_event(struct buf *buf, const char *type, const struct buf *payload)
{
    const struct event_header headers[] = {{":event-type", slice_of_text(type)},
                                           {":content-type", SLICE("application/json")},
                                           {":message-type", SLICE("event")}};
    event_add(buf, headers, COUNT_OF(headers), buf_slice(payload));
}

/* Adds the padding member `p` to some events, as Bedrock does, so that an observer of the encrypted
 * stream cannot see the lengths of tokens. */
static void add_padding(struct buf *payload, struct plan *plan)
{
    if (plan->padding_rate > 0 && chance_draw(&plan->random) < plan->padding_rate) {
        size_t len = 1 + (size_t)random_below(&plan->random, sizeof PADDING - 1);
        json_add_text_member(payload, "p", slice_of(PADDING, len));
    }
}

/* Puts the chunk of a family into the event of InvokeModelWithResponseStream. */
static void wrap_chunk(struct buf *payload)
{
    struct buf chunk OWNED_BY(buf_done);
    buf_init(&chunk, CHUNK_BYTES_MAX);
    buf_move(payload, &chunk);
    buf_add_text(payload, "{\"bytes\":\"");
    base64_add(payload, buf_slice(&chunk));
    buf_add_byte(payload, '"');
    if (chunk.failed != OK)
        payload->failed = chunk.failed;
}

bool sim_reply_frame(struct buf *buf, struct plan *plan, struct reply_stream *stream,
                     int64_t latency_ms)
{
    char filler[PIECE_BYTES_MOST];
    struct buf payload OWNED_BY(buf_done);
    const struct reply_form *form = form_of(plan);
    const char *type = NULL;
    buf_init(&payload, PAYLOAD_BYTES_MAX);
    while (type == NULL && stream->phase != REPLY_END) {
        struct reply_step step;
        take_step(plan, stream, filler, &step);
        step.given = stream->given;
        step.latency_ms = latency_ms;
        type = form->step(&payload, plan, &step);
    }
    if (type == NULL)
        return false;
    if (plan->is_invoke)
        wrap_chunk(&payload);
    add_padding(&payload, plan);
    buf_add_byte(&payload, '}');
    if (payload.failed != OK)
        buf->failed = payload.failed;
    else
        add_event(buf, type, &payload);
    stream->frames++;
    return true;
}

void sim_reply_bad_event(struct buf *buf, const struct plan *plan)
{
    struct buf payload OWNED_BY(buf_done);
    buf_init(&payload, PAYLOAD_BYTES_MAX);
    buf_add_text(&payload, plan->is_invoke ? "{\"bytes\":\"e30*\"}" : "{\"contentBlockIndex\":");
    if (payload.failed != OK)
        buf->failed = payload.failed;
    else
        add_event(buf, plan->is_invoke ? "chunk" : "contentBlockDelta", &payload);
}

void sim_reply_exception(struct buf *buf, enum fault fault)
{
    const struct fault_row *row = &FAULTS[fault];
    struct buf payload OWNED_BY(buf_done);
    buf_init(&payload, PAYLOAD_BYTES_MAX);
    if (fault == FAULT_STREAM_ERROR) {
        const struct event_header headers[] = {{":error-code", slice_of_text(row->type)},
                                               {":error-message", slice_of_text(row->text)},
                                               {":message-type", SLICE("error")}};
        event_add(buf, headers, COUNT_OF(headers), SLICE(""));
        return;
    }
    buf_add_byte(&payload, '{');
    json_add_text_member(&payload, "message", slice_of_text(row->text));
    buf_add_byte(&payload, '}');
    const struct event_header headers[] = {{":exception-type", slice_of_text(row->type)},
                                           {":content-type", SLICE("application/json")},
                                           {":message-type", SLICE("exception")}};
    event_add(buf, headers, COUNT_OF(headers), buf_slice(&payload));
}
