#include "sim/reply.h"

#include <string.h>

#include "base/utf8.h"
#include "wire/bedrock/eventstream.h"
#include "wire/formats/json.h"

#define PAYLOAD_BYTES_MAX (64 * 1024)
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

static void add_usage(struct buf *buf, const struct plan *plan)
{
    json_add_name(buf, "usage");
    buf_add_byte(buf, '{');
    json_add_int_member(buf, "inputTokens", plan->input_tokens);
    json_add_int_member(buf, "outputTokens", plan->output_tokens);
    json_add_int_member(buf, "totalTokens", plan->input_tokens + plan->output_tokens);
    buf_add_byte(buf, '}');
}

static void add_metrics(struct buf *buf, const struct plan *plan, int64_t latency_ms)
{
    json_add_name(buf, "metrics");
    buf_add_byte(buf, '{');
    json_add_int_member(buf, "latencyMs",
                        plan->metrics_ms != SIM_UNSET ? plan->metrics_ms : latency_ms);
    buf_add_byte(buf, '}');
}

void sim_reply_whole(struct buf *ret_head, struct buf *ret_tail, const struct plan *plan,
                     int64_t latency_ms)
{
    buf_add_byte(ret_head, '{');
    add_metrics(ret_head, plan, latency_ms);
    json_add_name(ret_head, "output");
    buf_add_text(ret_head, "{\"message\":{\"content\":[{\"text\":");
    json_add_string(ret_head, plan->text);
    if (ret_head->failed == OK)
        buf_cut(ret_head, ret_head->len - 1); /* the filler follows inside the quotes */
    buf_add_text(ret_tail, "\"}],\"role\":\"assistant\"}},\"stopReason\":");
    json_add_string(ret_tail, plan->stop_reason);
    add_usage(ret_tail, plan);
    buf_add_byte(ret_tail, '}');
}

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

static void add_delta(struct buf *payload, const struct plan *plan, struct reply_stream *stream)
{
    char filler[PIECE_BYTES_MOST];
    struct slice piece;
    if (plan->pieces != NULL && stream->piece < plan->pieces->count) {
        piece = plan->pieces->list[stream->piece++];
    } else if (stream->given < plan->text.len) {
        piece = next_word(slice_sub(plan->text, stream->given, plan->text.len));
    } else {
        size_t len = fill_piece(plan, stream->given);
        sim_reply_fill(filler, stream->given - plan->text.len, len);
        piece = slice_of(filler, len);
    }
    stream->given += piece.len;
    buf_add_text(payload, "{\"contentBlockIndex\":0,\"delta\":{\"text\":");
    json_add_string(payload, piece);
    buf_add_byte(payload, '}');
}

/* Adds the payload of the next event without its closing brace; returns the event's name. */
static const char *add_payload(struct buf *payload, struct plan *plan, struct reply_stream *stream,
                               int64_t latency_ms)
{
    size_t total = plan->text.len + plan->fill_bytes;
    switch (stream->phase) {
    case REPLY_START:
        buf_add_text(payload, "{\"role\":\"assistant\"");
        stream->phase = total > 0 ? REPLY_DELTAS : REPLY_BLOCK_STOP;
        return "messageStart";
    case REPLY_DELTAS:
        add_delta(payload, plan, stream);
        if (stream->given >= total)
            stream->phase = REPLY_BLOCK_STOP;
        return "contentBlockDelta";
    case REPLY_BLOCK_STOP:
        buf_add_text(payload, "{\"contentBlockIndex\":0");
        stream->phase = REPLY_STOP;
        return "contentBlockStop";
    case REPLY_STOP:
        buf_add_text(payload, "{\"stopReason\":");
        json_add_string(payload, plan->stop_reason);
        stream->phase = REPLY_METADATA;
        return "messageStop";
    case REPLY_METADATA:
    case REPLY_END:
    default:
        buf_add_byte(payload, '{');
        add_metrics(payload, plan, latency_ms);
        add_usage(payload, plan);
        stream->phase = REPLY_END;
        return "metadata";
    }
}

bool sim_reply_frame(struct buf *buf, struct plan *plan, struct reply_stream *stream,
                     int64_t latency_ms)
{
    struct buf payload OWNED_BY(buf_done);
    buf_init(&payload, PAYLOAD_BYTES_MAX);
    if (stream->phase == REPLY_END)
        return false;
    const char *type = add_payload(&payload, plan, stream, latency_ms);
    add_padding(&payload, plan);
    buf_add_byte(&payload, '}');
    if (payload.failed != OK)
        buf->failed = payload.failed;
    else
        add_event(buf, type, &payload);
    stream->frames++;
    return true;
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
