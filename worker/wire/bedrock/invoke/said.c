#include "wire/bedrock/invoke/parts.h"

#include <string.h>

#include "base/check.h"
#include "base/utf8.h"
#include "wire/formats/http.h"

/* A message is longer in JSON than its texts are, and tool inputs come twice. */
#define SAID_GROWTH_MAX  8
#define SAID_FRAME_BYTES 2048

static const char METRICS[] = "amazon-bedrock-invocationMetrics";
/* A guardrail's verdict, in Bedrock's words. */
static const char ACTION[] = "amazon-bedrock-guardrailAction";
static const char TRACE[] = "amazon-bedrock-trace";

/* --- what a family says --- */

enum err said_wrong(struct said *said, const char *words)
{
    return why_set(said->why, said->is_whole ? ERR_BAD_ANSWER : ERR_BROKEN_STREAM, NULL, "%s",
                   words);
}

static enum err failed(struct said *said, enum err err)
{
    return err == OK ? OK : message_failed(said->why, err);
}

enum err said_charge(struct said *said, size_t bytes)
{
    CHECK(said->held <= said->limit);
    if (bytes > said->limit - said->held)
        return failed(said, ERR_TOO_LARGE);
    said->held += bytes;
    return OK;
}

enum err said_text(struct said *said, struct slice text)
{
    enum err err = said_charge(said, text.len);
    if (err != OK)
        return err;
    size_t before = said->text.len;
    said->answer.text_bytes += text.len;
    stops_hear(&said->stops, text, &said->text);
    buf_add(&said->content, slice_sub(buf_slice(&said->text), before, SIZE_MAX));
    said->step.is_chunk = true;
    return failed(said, said->text.failed);
}

/* The text is whole: what might have been the beginning of a stop text is a part of it. True: it
 * was cut at one. */
static bool end_text(struct said *said)
{
    size_t before = said->text.len;
    bool is_cut = stops_end(&said->stops, &said->text);
    buf_add(&said->content, slice_sub(buf_slice(&said->text), before, SIZE_MAX));
    return is_cut;
}

enum err said_string(struct said *said, const struct json *string)
{
    struct slice text;
    if (!json_is(string, JSON_STRING))
        return OK;
    if (!json_string(&said->scratch, string, &text))
        return failed(said, ERR_NO_MEMORY);
    return said_text(said, text);
}

enum err said_stop(struct said *said, const struct json *reason)
{
    if (!json_is(reason, JSON_STRING) || said->answer.stop_reason.ptr != NULL)
        return OK;
    bool is_cut = end_text(said);
    enum err err =
        is_cut ? OK : message_keep_string(said->arena, reason, &said->answer.stop_reason);
    if (is_cut)
        said->answer.stop_reason = SLICE("stop_sequence");
    if (err == OK && !said->is_whole) {
        json_add_member(&said->chunk_metadata, "stop_reason",
                        is_cut ? SLICE("\"stop_sequence\"") : reason->source);
        said->step.is_chunk = true;
    }
    return failed(said, err);
}

enum err said_metadata(struct said *said, const char *name, const struct json *value)
{
    struct said_name *known = said->names;
    if (value == NULL || value->kind == JSON_NULL)
        return OK;
    while (known != NULL && strcmp(known->name, name) != 0)
        known = known->next;
    if (known != NULL)
        return OK;
    known = arena_new(said->arena, sizeof *known);
    if (known == NULL)
        return failed(said, ERR_NO_MEMORY);
    *known = (struct said_name){said->names, name};
    said->names = known;
    json_add_member(&said->metadata, name, value->source);
    json_add_member(&said->chunk_metadata, name, value->source);
    said->step.is_chunk = true;
    return said_charge(said, value->source.len);
}

void said_end(struct said *said)
{
    said->ended = true;
    said->step.is_chunk = true;
}

/* --- counts --- */

static void take(int64_t *count, int64_t given)
{
    if (given != ANSWER_COUNT_ABSENT)
        *count = given;
}

/* Adds up what is known: all but input and output may be absent. */
static void sum_up(struct said *said)
{
    const struct said_counts *counts = &said->counts;
    struct usage_counts *usage = &said->answer.usage;
    int64_t read = counts->cache_read > 0 ? counts->cache_read : 0;
    int64_t written = counts->cache_write > 0 ? counts->cache_write : 0;
    int64_t input = counts->input, total = 0;
    usage->known = false;
    if (counts->input == ANSWER_COUNT_ABSENT || counts->output == ANSWER_COUNT_ABSENT ||
        __builtin_add_overflow(input, read, &input) ||
        __builtin_add_overflow(input, written, &input) ||
        __builtin_add_overflow(input, counts->output, &total))
        return;
    usage->input_tokens = input;
    usage->output_tokens = counts->output;
    usage->total_tokens = total;
    usage->cache_read_tokens = read;
    usage->cache_write_tokens = written;
    usage->cache_write_5m_tokens = counts->cache_write_5m;
    usage->cache_write_1h_tokens = counts->cache_write_1h;
    take(&usage->reasoning_tokens, counts->reasoning);
    usage->known = usage->is_detailed = true;
}

enum err said_usage(struct said *said, const struct said_counts *counts)
{
    struct said_counts *known = &said->counts;
    take(&known->input, counts->input);
    take(&known->output, counts->output);
    take(&known->cache_read, counts->cache_read);
    take(&known->cache_write, counts->cache_write);
    take(&known->cache_write_5m, counts->cache_write_5m);
    take(&known->cache_write_1h, counts->cache_write_1h);
    take(&known->reasoning, counts->reasoning);
    said->has_counted = counts->output != ANSWER_COUNT_ABSENT;
    sum_up(said);
    if (counts->raw.ptr == NULL)
        return OK;
    json_add_comma(&said->raw);
    buf_add(&said->raw, counts->raw);
    return said_charge(said, counts->raw.len);
}

struct said_counts said_no_counts(void)
{
    return (struct said_counts){
        .input = ANSWER_COUNT_ABSENT,
        .output = ANSWER_COUNT_ABSENT,
        .cache_read = ANSWER_COUNT_ABSENT,
        .cache_write = ANSWER_COUNT_ABSENT,
        .cache_write_5m = ANSWER_COUNT_ABSENT,
        .cache_write_1h = ANSWER_COUNT_ABSENT,
        .reasoning = ANSWER_COUNT_ABSENT,
    };
}

/* The count in a header, in `raw` too. */
static int64_t header_count(struct slice head, const char *name, struct buf *raw)
{
    int64_t count;
    struct slice text = http_header(head, name);
    if (text.ptr == NULL || !slice_to_int64(text, &count) || count < 0)
        return ANSWER_COUNT_ABSENT;
    json_add_int_member(raw, name, count);
    return count;
}

/* Bedrock counts in headers for every family; what only the body says stays. */
static enum err read_head(struct said *said, struct slice head)
{
    struct said_counts counts = said_no_counts();
    struct buf raw OWNED_BY(buf_done);
    buf_init(&raw, SAID_FRAME_BYTES);
    counts.input = header_count(head, "x-amzn-bedrock-input-token-count", &raw);
    counts.output = header_count(head, "x-amzn-bedrock-output-token-count", &raw);
    counts.cache_read = header_count(head, "x-amzn-bedrock-cache-read-input-token-count", &raw);
    counts.cache_write = header_count(head, "x-amzn-bedrock-cache-write-input-token-count", &raw);
    counts.raw = raw.len > 0 ? buf_slice(&raw) : SLICE_NULL;
    return said_usage(said, &counts);
}

/* The metrics beside the last chunk; a count that the family said itself stays, if it is the better
 * one. */
static enum err read_metrics(struct said *said, const struct json *metrics)
{
    struct said_counts counts = said_no_counts();
    const bool stays = said->row->shape->counts_well;
    const struct said_counts known = stays ? said->counts : said_no_counts();
    struct buf raw OWNED_BY(buf_done);
    buf_init(&raw, said->limit);
    if (!json_is(metrics, JSON_OBJECT))
        return OK;
    json_add_member(&raw, METRICS, metrics->source);
    if (raw.failed != OK)
        return failed(said, raw.failed);
    if (known.input == ANSWER_COUNT_ABSENT)
        counts.input = message_count(metrics, "inputTokenCount");
    if (known.output == ANSWER_COUNT_ABSENT)
        counts.output = message_count(metrics, "outputTokenCount");
    if (known.cache_read == ANSWER_COUNT_ABSENT)
        counts.cache_read = message_count(metrics, "cacheReadInputTokenCount");
    if (known.cache_write == ANSWER_COUNT_ABSENT)
        counts.cache_write = message_count(metrics, "cacheWriteInputTokenCount");
    counts.raw = buf_slice(&raw);
    said_end(said);
    return said_usage(said, &counts);
}

/* What Bedrock adds to the body of any family. */
static enum err read_added(struct said *said, const struct json *root)
{
    const struct json *action = json_member(root, ACTION), *trace = json_member(root, TRACE);
    enum err err = OK;
    if (json_is(action, JSON_STRING))
        err = said_metadata(said, ACTION, action);
    if (err == OK && json_is(trace, JSON_OBJECT))
        err = said_metadata(said, TRACE, trace);
    if (err == OK && trace != NULL)
        said->is_judged = true;
    return err == OK ? read_metrics(said, json_member(root, METRICS)) : err;
}

/* --- begin and end --- */

static enum err begin(struct said *said, const struct dialect *dialect, struct arena *arena,
                      const struct heard *heard, size_t limit)
{
    size_t longest = limit * SAID_GROWTH_MAX + SAID_FRAME_BYTES;
    said->arena = arena;
    said->row = invoke_row_of(dialect);
    said->request = heard->request;
    said->limit = limit;
    said->counts = said_no_counts();
    message_no_usage(&said->answer.usage);
    buf_init(&said->text, limit);
    buf_init(&said->raw, longest);
    buf_init(&said->metadata, longest);
    buf_init(&said->content, longest);
    buf_init(&said->tool_calls, longest);
    buf_init(&said->chunk_metadata, longest);
    const struct shape *shape = said->row->shape;
    struct slice tier = http_header(heard->head, "x-amzn-bedrock-service-tier");
    enum err err = OK;
    if (tier.len > 0 && utf8_valid_len(tier) == tier.len)
        err = message_keep_slice(arena, tier, &said->answer.service_tier);
    if (err == OK && said->row->stop_key == NULL)
        err = stops_init(&said->stops, arena, said->request->parameters[PARAMETER_STOP], limit);
    return err == OK && shape->begin != NULL ? shape->begin(said) : err;
}

static void done(struct said *said)
{
    if (said->row != NULL && said->row->shape->done != NULL)
        said->row->shape->done(said);
    arena_done(&said->scratch);
    stops_done(&said->stops);
    buf_done(&said->text);
    buf_done(&said->raw);
    buf_done(&said->metadata);
    buf_done(&said->content);
    buf_done(&said->tool_calls);
    buf_done(&said->chunk_metadata);
}

static enum err keep_text(struct said *said, struct answer *ret_answer)
{
    struct message_texts texts OWNED_BY(message_done);
    message_init(&texts, said->content.limit);
    json_add_string(&texts.content, buf_slice(&said->text));
    return message_keep(&texts, said->arena, ret_answer);
}

/* `{"prompt_tokens":…}`, as LangChain has it. */
static void add_usage(struct buf *kwargs, const struct usage_counts *usage)
{
    json_add_name(kwargs, "usage");
    buf_add_byte(kwargs, '{');
    json_add_int_member(kwargs, "prompt_tokens",
                        usage->input_tokens - usage->cache_read_tokens - usage->cache_write_tokens);
    json_add_int_member(kwargs, "completion_tokens", usage->output_tokens);
    json_add_int_member(kwargs, "cache_read_input_tokens", usage->cache_read_tokens);
    json_add_int_member(kwargs, "cache_write_input_tokens", usage->cache_write_tokens);
    json_add_int_member(kwargs, "total_tokens", usage->total_tokens);
    buf_add_byte(kwargs, '}');
}

/* What LangChain says of a whole answer in additional_kwargs, and in response_metadata again. */
static enum err keep_kwargs(struct said *said, struct answer *answer)
{
    struct buf kwargs OWNED_BY(buf_done);
    buf_init(&kwargs, said->content.limit);
    if (answer->usage.known)
        add_usage(&kwargs, &answer->usage);
    json_add_text_member(&kwargs, "stop_reason", answer->stop_reason);
    json_add_text_member(&kwargs, "model_id", said->request->model);
    return message_keep_buf(said->arena, &kwargs, &answer->additional_kwargs);
}

static enum err keep_raw(struct said *said, struct answer *answer)
{
    struct buf raw OWNED_BY(buf_done);
    buf_init(&raw, said->raw.limit + 2);
    if (said->raw.len == 0)
        return said->raw.failed;
    buf_add_byte(&raw, '{');
    buf_add(&raw, buf_slice(&said->raw));
    buf_add_byte(&raw, '}');
    return message_keep_buf(said->arena, &raw, &answer->usage.raw);
}

static enum err keep(struct said *said, struct answer *ret_answer)
{
    const struct shape *shape = said->row->shape;
    if (end_text(said))
        said->answer.stop_reason = SLICE("stop_sequence");
    struct answer answer = said->answer;
    enum err err = shape->keep != NULL ? shape->keep(said, &answer) : keep_text(said, &answer);
    if (err == OK)
        err = message_keep_buf(said->arena, &said->metadata, &answer.metadata);
    if (err == OK)
        err = keep_raw(said, &answer);
    if (err == OK && said->is_whole)
        err = keep_kwargs(said, &answer);
    if (err != OK)
        return failed(said, err);
    *ret_answer = answer;
    return OK;
}

/* --- a whole answer --- */

static enum err parse_whole(struct said *said, struct slice body, const struct json **ret_root)
{
    struct json_fault fault;
    arena_init(&said->scratch, DIALECT_SCRATCH_BYTES(body.len));
    enum err err = json_parse_loosely(&said->scratch, body, ret_root, &fault);
    if (err == ERR_FORMAT && slice_starts(slice_trim(body), SLICE("<")))
        return said_wrong(said, "status 200 with a body that is not Bedrock's: a proxy's page?");
    if (err == ERR_FORMAT)
        return why_set(said->why, ERR_BAD_ANSWER, NULL,
                       "the answer is invalid JSON at line %zu, column %zu: %s", fault.line,
                       fault.column, fault.words);
    return failed(said, err);
}

/* An answer that Bedrock counted was paid for: where the family's text is not in it, its JSON is
 * the content. */
static enum err read_whole(struct said *said, const struct json *root, struct slice head)
{
    enum err seen = said->row->shape->read(said, root);
    if (seen != OK && seen != ERR_BAD_ANSWER)
        return seen;
    enum err err = read_head(said, head);
    if (err != OK || seen == OK)
        return err;
    if (!said->answer.usage.known)
        return seen;
    why_clear(said->why);
    return said_text(said, root->source);
}

enum err invoke_decode(const struct dialect *dialect, struct arena *arena,
                       const struct heard *heard, struct answer *ret_answer, struct why *ret_why)
{
    struct said said OWNED_BY(done) = {.is_whole = true, .why = ret_why};
    const struct json *root = NULL;
    why_clear(ret_why);
    size_t limit = heard->body.len * SAID_GROWTH_MAX + SAID_FRAME_BYTES;
    enum err err = failed(&said, begin(&said, dialect, arena, heard, limit));
    if (err == OK)
        err = parse_whole(&said, heard->body, &root);
    if (err == OK)
        err = read_whole(&said, root, heard->head);
    if (err == OK)
        err = read_added(&said, root);
    return err == OK ? keep(&said, ret_answer) : err;
}

/* --- a stream --- */

struct stream {
    struct said said;
};

enum err invoke_stream_start(const struct dialect *dialect, struct arena *arena,
                             const struct heard *heard, size_t answer_limit,
                             struct stream **ret_stream)
{
    struct stream *stream = arena_new(arena, sizeof *stream);
    if (stream == NULL)
        return ERR_NO_MEMORY;
    enum err err = begin(&stream->said, dialect, arena, heard, answer_limit);
    if (err != OK) {
        done(&stream->said);
        return err;
    }
    *ret_stream = stream;
    return OK;
}

/* The step's content as JSON: a string, or the array of what the shape wrote. */
static enum err close_step(struct said *said)
{
    struct buf text OWNED_BY(buf_done);
    struct buf *content = &said->content;
    buf_init(&text, content->limit);
    if (said->is_list) {
        buf_add_byte(content, ']');
    } else {
        json_add_string(&text, buf_slice(content));
        buf_reset(content);
        buf_add(content, buf_slice(&text));
    }
    if (said->tool_calls.len > 1)
        buf_add_byte(&said->tool_calls, ']');
    said->step.content = buf_slice(content);
    if (said->tool_calls.len > 1)
        said->step.tool_call_chunks = buf_slice(&said->tool_calls);
    if (said->chunk_metadata.len > 0)
        said->step.metadata = buf_slice(&said->chunk_metadata);
    said->begun = said->begun || said->step.is_chunk;
    said->step.is_last = said->ended;
    said->step.has_usage = said->ended && said->answer.usage.known;
    const struct buf *bufs[] = {content, &said->tool_calls, &said->chunk_metadata, &said->metadata,
                                &said->raw};
    for (size_t i = 0; i < COUNT_OF(bufs); i++)
        if (bufs[i]->failed != OK)
            return failed(said, bufs[i]->failed);
    return OK;
}

/* A guardrail took the model's place: its text comes with the counts and the trace, and no metrics
 * follow. */
static bool is_blocked(const struct said *said)
{
    return said->is_judged && said->has_counted && said->answer.stop_reason.ptr == NULL;
}

static enum err hear(struct said *said, struct slice payload)
{
    const struct json *root = NULL;
    arena_init(&said->scratch, DIALECT_SCRATCH_BYTES(payload.len));
    enum err err = json_parse_loosely(&said->scratch, payload, &root, NULL);
    if (err == ERR_FORMAT)
        return said_wrong(said, "a chunk that is invalid JSON");
    if (err != OK)
        return failed(said, err);
    buf_reset(&said->content);
    buf_reset(&said->tool_calls);
    buf_reset(&said->chunk_metadata);
    said->has_counted = false;
    buf_add_byte(&said->tool_calls, '[');
    if (said->is_list)
        buf_add_byte(&said->content, '[');
    err = said->row->shape->hear(said, root);
    if (err == OK)
        err = read_added(said, root);
    if (is_blocked(said))
        said_end(said);
    if (said->ended)
        (void)end_text(said);
    return err == OK ? close_step(said) : err;
}

enum err invoke_stream_step(const struct dialect *dialect, struct stream *stream,
                            const struct event *event, struct stream_step *ret_step,
                            struct why *ret_why)
{
    struct said *said = &stream->said;
    (void)dialect;
    /* The answer is whole: OpenAI's `[DONE]`, or nothing that could still be sent. */
    bool is_nothing = said->ended || slice_equal_text(event->payload, "[DONE]");
    if (!slice_equal_text(event->type, "chunk") || is_nothing)
        return OK;
    said->why = ret_why;
    said->step = (struct stream_step){.is_chunk = false};
    enum err err = hear(said, event->payload);
    arena_reset(&said->scratch);
    if (err == OK && said->step.is_chunk)
        *ret_step = said->step;
    return err;
}

enum err invoke_stream_end(const struct dialect *dialect, struct stream *stream,
                           struct answer *ret_answer, struct why *ret_why)
{
    struct said *said = &stream->said;
    (void)dialect;
    why_clear(ret_why);
    said->why = ret_why;
    if (!said->ended && !said->is_judged && said->answer.stop_reason.ptr == NULL)
        return said_wrong(said, "the stream ended before its last chunk");
    return keep(said, ret_answer);
}

void invoke_stream_heard(const struct dialect *dialect, const struct stream *stream,
                         struct usage_counts *ret_counts, size_t *ret_text_bytes)
{
    (void)dialect;
    *ret_counts = stream->said.answer.usage;
    *ret_text_bytes = stream->said.answer.text_bytes;
}

void invoke_stream_done(const struct dialect *dialect, struct stream *stream)
{
    (void)dialect;
    done(&stream->said);
}
