#include "wire/bedrock/converse/parts.h"

#include "wire/bedrock/converse/items.h"

/*
 * A ConverseStream, event by event. What the chunks say adds up, by LangChain's rules, to the
 * message that the end gives:
 *
 *     a known delta   [{"type":"text","text":" la","index":0}]    merged through `index`
 *     all else        [{"contentBlockIndex":2,"delta":{…}}]       without `index`: side by side
 *
 * So the message of a stream is a list of blocks with their index, in the order in which they were
 * first heard of.
 */

struct stream {
    struct arena *arena;
    struct arena scratch;                           /* emptied after each event */
    struct items items;                             /* the message so far */
    struct buf content, tool_calls, chunk_metadata; /* of the last step */
    struct buf metadata;                            /* of all steps, without stopReason */
    struct answer answer;                           /* stop reason, tier, counts */
    bool started, stopped, counted; /* messageStart, messageStop, metadata were heard */
};

/* One event while it is read. */
struct reading {
    struct stream *stream;
    const struct json *payload;
    struct stream_step *step;
    struct why *why;
};

static enum err broken(struct reading *reading, const char *words)
{
    return why_set(reading->why, ERR_BROKEN_STREAM, NULL, "%s", words);
}

/* --- the events --- */

static enum err read_start(struct reading *reading)
{
    reading->step->is_chunk = !reading->stream->started;
    reading->stream->started = true;
    return OK;
}

/* ITEMS_NO_INDEX when the event has none that makes sense. */
static int64_t read_index(const struct reading *reading)
{
    int64_t index;
    return json_int64(json_member(reading->payload, "contentBlockIndex"), &index) && index >= 0
               ? index
               : ITEMS_NO_INDEX;
}

static enum err read_block(struct reading *reading, bool is_start)
{
    struct stream *stream = reading->stream;
    const struct json *said = json_member(reading->payload, is_start ? "start" : "delta");
    if (said == NULL || said->kind == JSON_NULL)
        return OK;
    enum err err = items_hear(
        &stream->items,
        &(struct block_event){.index = read_index(reading), .is_start = is_start, .said = said},
        &stream->content, &stream->tool_calls);
    reading->step->is_chunk = stream->content.len > 1;
    return err == OK ? OK : message_failed(reading->why, err);
}

static enum err read_block_start(struct reading *reading)
{
    return read_block(reading, true);
}

static enum err read_block_delta(struct reading *reading)
{
    return read_block(reading, false);
}

static enum err read_block_stop(struct reading *reading)
{
    items_stop(&reading->stream->items, read_index(reading), &reading->stream->content);
    reading->step->is_chunk = true;
    return OK;
}

/* What the other of the two events said, as an object: LangChain would add up repeated members.
 */
static enum err parse_given(struct stream *stream, const struct json **ret_given)
{
    struct slice text;
    struct buf object OWNED_BY(buf_done);
    buf_init(&object, stream->metadata.len + 2);
    *ret_given = NULL;
    if (stream->metadata.len == 0)
        return OK;
    buf_add_byte(&object, '{');
    buf_add(&object, buf_slice(&stream->metadata));
    buf_add_byte(&object, '}');
    enum err err = message_keep_buf(&stream->scratch, &object, &text);
    return err == OK ? json_parse_loosely(&stream->scratch, text, ret_given, NULL) : err;
}

/* What an event adds to response_metadata, in its chunk and in the answer. */
static enum err add_metadata(struct reading *reading)
{
    struct stream *stream = reading->stream;
    const struct json *given;
    size_t before = stream->metadata.len;
    enum err err = parse_given(stream, &given);
    if (err == OK)
        err = converse_add_metadata(&stream->metadata, reading->payload, given);
    if (err != OK)
        return err;
    struct slice added = slice_sub(buf_slice(&stream->metadata), before, SIZE_MAX);
    if (before > 0)
        added = slice_sub(added, 1, SIZE_MAX);
    if (added.len > 0)
        json_add_comma(&stream->chunk_metadata);
    buf_add(&stream->chunk_metadata, added);
    return items_charge(&stream->items, added.len);
}

static enum err read_message_stop(struct reading *reading)
{
    struct stream *stream = reading->stream;
    const struct json *reason = json_member(reading->payload, "stopReason");
    if (stream->stopped)
        return broken(reading, "a second messageStop");
    stream->stopped = true;
    items_stop_all(&stream->items, &stream->content);
    if (json_is(reason, JSON_STRING))
        json_add_member(&stream->chunk_metadata, "stopReason", reason->source);
    enum err err = message_keep_string(stream->arena, reason, &stream->answer.stop_reason);
    if (err == OK)
        err = add_metadata(reading);
    if (err == OK)
        converse_reasoning_tokens(json_member(reading->payload, "additionalModelResponseFields"),
                                  &stream->answer.usage);
    reading->step->is_chunk = true;
    return err == OK ? OK : message_failed(reading->why, err);
}

static enum err read_metadata(struct reading *reading)
{
    struct stream *stream = reading->stream;
    const struct json *tier = json_member(json_member(reading->payload, "serviceTier"), "type");
    if (stream->counted)
        return broken(reading, "a second metadata event");
    stream->counted = true;
    int64_t reasoning = stream->answer.usage.reasoning_tokens;
    enum err err = converse_usage(stream->arena, json_member(reading->payload, "usage"),
                                  &stream->answer.usage);
    stream->answer.usage.reasoning_tokens = reasoning;
    if (err == OK)
        err = message_keep_string(stream->arena, tier, &stream->answer.service_tier);
    if (err == OK)
        err = add_metadata(reading);
    reading->step->is_chunk = true;
    reading->step->has_usage = stream->answer.usage.known;
    return err == OK ? OK : message_failed(reading->why, err);
}

typedef enum err read_event(struct reading *reading);

static const struct {
    const char *type;
    read_event *read;
    bool is_content; /* belongs before messageStop */
} events[] = {
    {"contentBlockDelta", read_block_delta, true}, {"contentBlockStart", read_block_start, true},
    {"contentBlockStop", read_block_stop, true},   {"messageStart", read_start, true},
    {"messageStop", read_message_stop, false},     {"metadata", read_metadata, false},
};

static void close_step(struct stream *stream, struct stream_step *step)
{
    buf_add_byte(&stream->content, ']');
    step->content = buf_slice(&stream->content);
    if (stream->tool_calls.len > 1) {
        buf_add_byte(&stream->tool_calls, ']');
        step->tool_call_chunks = buf_slice(&stream->tool_calls);
    }
    if (stream->chunk_metadata.len > 0)
        step->metadata = buf_slice(&stream->chunk_metadata);
    step->is_last = stream->stopped && stream->counted;
}

static enum err step_failed(const struct stream *stream)
{
    const struct buf *bufs[] = {&stream->content, &stream->tool_calls, &stream->chunk_metadata,
                                &stream->metadata};
    for (size_t i = 0; i < COUNT_OF(bufs); i++)
        if (bufs[i]->failed != OK)
            return bufs[i]->failed;
    return OK;
}

static enum err read_payload(struct reading *reading, struct slice payload, size_t row)
{
    struct stream *stream = reading->stream;
    size_t texts_len = payload.len + stream->metadata.len;
    arena_init(&stream->scratch, DIALECT_SCRATCH_BYTES(texts_len));
    enum err err = json_parse_loosely(&stream->scratch, payload, &reading->payload, NULL);
    if (err == ERR_NO_MEMORY)
        return message_failed(reading->why, err);
    if (err != OK || !json_is(reading->payload, JSON_OBJECT))
        return broken(reading, "an event that is not a JSON object");
    if (events[row].is_content && stream->stopped)
        return broken(reading, "content after messageStop");
    buf_reset(&stream->content);
    buf_reset(&stream->tool_calls);
    buf_reset(&stream->chunk_metadata);
    buf_add_byte(&stream->content, '[');
    buf_add_byte(&stream->tool_calls, '[');
    err = events[row].read(reading);
    if (err != OK)
        return err;
    close_step(stream, reading->step);
    err = step_failed(stream);
    return err == OK ? OK : message_failed(reading->why, err);
}

enum err converse_stream_step(const struct dialect *dialect, struct stream *stream,
                              const struct event *event, struct stream_step *ret_step,
                              struct why *ret_why)
{
    struct stream_step step = {.is_chunk = false};
    struct reading reading = {.stream = stream, .step = &step, .why = ret_why};
    size_t row = 0;
    (void)dialect;
    while (row < COUNT_OF(events) && !slice_equal_text(event->type, events[row].type))
        row++;
    if (row == COUNT_OF(events))
        return OK;
    enum err err = read_payload(&reading, event->payload, row);
    arena_reset(&stream->scratch);
    if (err == OK && step.is_chunk)
        *ret_step = step;
    return err;
}

/* --- begin and end --- */

enum err converse_stream_start(const struct dialect *dialect, struct arena *arena,
                               const struct heard *heard, size_t answer_limit,
                               struct stream **ret_stream)
{
    (void)dialect;
    (void)heard;
    struct stream *stream = arena_new(arena, sizeof *stream);
    if (stream == NULL)
        return ERR_NO_MEMORY;
    stream->arena = arena;
    items_init(&stream->items, arena, answer_limit);
    /* A delta's chunk says it twice when it is a tool's input, with names around it. */
    buf_init(&stream->content, answer_limit + ITEMS_FRAME_BYTES);
    buf_init(&stream->tool_calls, answer_limit + ITEMS_FRAME_BYTES);
    buf_init(&stream->chunk_metadata, answer_limit + ITEMS_FRAME_BYTES);
    buf_init(&stream->metadata, answer_limit);
    message_no_usage(&stream->answer.usage);
    *ret_stream = stream;
    return OK;
}

enum err converse_stream_end(const struct dialect *dialect, struct stream *stream,
                             struct answer *ret_answer, struct why *ret_why)
{
    struct answer answer = stream->answer;
    (void)dialect;
    why_clear(ret_why);
    if (!stream->stopped || !stream->counted)
        return why_set(ret_why, ERR_BROKEN_STREAM, NULL, "the stream ended before its %s",
                       stream->stopped ? "metadata" : "messageStop");
    enum err err = items_keep(&stream->items, &answer);
    if (err == OK)
        err = message_keep_buf(stream->arena, &stream->metadata, &answer.metadata);
    if (err != OK)
        return message_failed(ret_why, err);
    *ret_answer = answer;
    return OK;
}

void converse_stream_heard(const struct dialect *dialect, const struct stream *stream,
                           struct usage_counts *ret_counts, size_t *ret_text_bytes)
{
    (void)dialect;
    *ret_counts = stream->answer.usage;
    *ret_text_bytes = stream->items.text_bytes;
}

void converse_stream_done(const struct dialect *dialect, struct stream *stream)
{
    (void)dialect;
    arena_done(&stream->scratch);
    items_done(&stream->items);
    buf_done(&stream->content);
    buf_done(&stream->tool_calls);
    buf_done(&stream->chunk_metadata);
    buf_done(&stream->metadata);
}
