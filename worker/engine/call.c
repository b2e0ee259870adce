#include "engine/call.h"

#include <string.h>

#include "base/check.h"
#include "base/memory.h"
#include "base/instant.h"
#include "wire/fault.h"
#include "wire/hash.h"

#define CALL_TEXT_MAX       (64 * 1024) /* url and headers */
#define CALL_BODY_MAX       25000000    /* Bedrock's own limit of a body */
#define CALL_ARENA_SLACK    (64 * 1024)
#define ANSWER_ARENA_FACTOR 12 /* nodes and decoded text beside the bytes of an answer */
#define TOKEN_BYTES         4  /* UTF-8 bytes that an estimated token counts */

enum err calls_init(struct engine *engine)
{
    uint32_t count = engine->config.max_in_flight;
    engine->calls = memory_new(count * sizeof(struct call));
    engine->free_calls = memory_new(count * sizeof(uint32_t));
    if (engine->calls == NULL || engine->free_calls == NULL)
        return ERR_NO_MEMORY;
    for (uint32_t i = 0; i < count; i++) {
        engine->calls[i].index = i;
        engine->free_calls[i] = count - 1 - i;
    }
    engine->free_call_count = count;
    return OK;
}

static size_t arena_limit(const struct engine *engine)
{
    return engine->config.max_answer_bytes * ANSWER_ARENA_FACTOR + CALL_ARENA_SLACK;
}

static void call_init(struct engine *engine, struct call *call, struct job *job)
{
    uint32_t index = call->index;
    uint32_t generation = call->generation;
    *call = (struct call){
        .index = index,
        .generation = generation + 1,
        .job = job,
        .started_ms = engine->now_ms,
        .first_token_ms = -1,
    };
    arena_init(&call->arena, arena_limit(engine));
    buf_init(&call->text, CALL_TEXT_MAX);
    buf_init(&call->body, CALL_BODY_MAX);
    buf_init(&call->heard, engine->config.max_answer_bytes);
    buf_init(&call->head, HTTP_HEAD_BYTES_MAX);
    event_reader_init(&call->reader, engine->config.max_answer_bytes);
}

void call_free(struct engine *engine, struct call *call)
{
    CHECK(call->job != NULL);
    if (call->stream != NULL)
        call->job->dialect->stream_done(call->stream);
    call->stream = NULL;
    event_reader_done(&call->reader);
    buf_done(&call->head);
    buf_done(&call->heard);
    buf_done(&call->body);
    buf_done(&call->text);
    arena_done(&call->arena);
    call->job = NULL;
    engine->free_calls[engine->free_call_count++] = call->index;
    engine->calling--;
}

void calls_done(struct engine *engine)
{
    for (uint32_t i = 0; engine->calls != NULL && i < engine->config.max_in_flight; i++)
        if (engine->calls[i].job != NULL)
            call_free(engine, &engine->calls[i]);
    memory_free(engine->calls);
    memory_free(engine->free_calls);
}

static void add_header(struct buf *buf, const char *name, struct slice value)
{
    buf_add_text(buf, name);
    buf_add(buf, SLICE(": "));
    buf_add(buf, value);
    buf_add(buf, SLICE("\r\n"));
}

/* Signs and adds the header lines behind the URL in call->text. */
static enum err add_headers(struct engine *engine, struct call *call, struct slice path,
                            const struct attempt *attempt)
{
    struct target *target = call->job->target;
    struct sigv4_header signed_headers[] = {{SLICE("content-type"), SLICE("application/json")}};
    struct sigv4_request request = {
        .method = SLICE("POST"),
        .host = target->endpoint.host,
        .path = path,
        .query = SLICE(""),
        .headers = signed_headers,
        .header_count = COUNT_OF(signed_headers),
        .body = buf_slice(&call->body),
        .region = target->region,
        .service = SLICE("bedrock"),
        .wall_ms = engine->wall_ms + call->clock_offset_ms,
    };
    enum err err = sigv4_add_headers(&call->text, &request, &engine->credentials, &target->key);
    add_header(&call->text, "Content-Type", SLICE("application/json"));
    add_header(&call->text, "User-Agent", engine->config.user_agent);
    add_header(&call->text, "amz-sdk-invocation-id", uuid_slice(&call->job->invocation));
    buf_addf(&call->text, "amz-sdk-request: attempt=%d; max=%u\r\n", attempt->number,
             engine->config.retry_max_attempts);
    return err;
}

static enum err write_request(struct engine *engine, struct call *call,
                              const struct attempt *attempt)
{
    struct job *job = call->job;
    const struct endpoint *endpoint = &job->target->endpoint;
    enum err err = job->dialect->encode(&job->request, &call->body);
    if (err != OK)
        return err;
    buf_add(&call->text, endpoint->scheme);
    buf_add(&call->text, SLICE("://"));
    buf_add(&call->text, endpoint->host);
    size_t path_at = call->text.len;
    buf_add(&call->text, endpoint->base_path);
    job->dialect->add_path(job->request.model, job->request.stream, &call->text);
    size_t url_len = call->text.len;
    buf_add_byte(&call->text, '\0');
    struct slice path;
    struct slice url = slice_sub(buf_slice(&call->text), 0, url_len);
    if (call->text.failed != OK ||
        !arena_copy(&call->arena, slice_sub(url, path_at, url_len), &path))
        return ERR_NO_MEMORY;
    err = add_headers(engine, call, path, attempt);
    if (err != OK)
        return err;
    if (call->text.failed != OK)
        return call->text.failed;
    struct slice text = buf_slice(&call->text);
    call->request = (struct http_request){
        .url = slice_sub(text, 0, url_len),
        .headers = slice_sub(text, url_len + 1, text.len),
        .body = buf_slice(&call->body),
    };
    return OK;
}

enum err call_begin(struct engine *engine, struct job *job, const struct attempt *attempt,
                    struct why *ret_why)
{
    if (!engine->has_credentials)
        return why_set(ret_why, ERR_NO_CREDENTIALS, NULL, "%s", engine->credentials_reason);
    CHECK(engine->free_call_count > 0);
    struct call *call = &engine->calls[engine->free_calls[--engine->free_call_count]];
    engine->calling++;
    call_init(engine, call, job);
    call->credentials_version = engine->credentials_version;
    call->clock_offset_ms = clock_skew_offset_ms(&engine->clock);
    enum err err = write_request(engine, call, attempt);
    if (err != OK) {
        call_free(engine, call);
        return why_set(ret_why, err, NULL, "the call could not be made up: %s", err_words(err));
    }
    job->call = call;
    engine->ports.call_start(engine->ports.self, call_ref_of(call), &call->request);
    return OK;
}

struct call *call_find(struct engine *engine, struct call_ref ref)
{
    if (ref.index >= engine->config.max_in_flight)
        return NULL;
    struct call *call = &engine->calls[ref.index];
    return call->job != NULL && call->generation == ref.generation ? call : NULL;
}

void call_head(struct engine *engine, struct call *call, int status, struct slice head)
{
    call->status = status;
    buf_reset(&call->head);
    buf_add(&call->head, head);
    struct slice type = http_header(head, "content-type");
    call->is_streaming = status == 200 && call->job->request.stream && type.ptr != NULL &&
                         slice_starts(type, SLICE("application/vnd.amazon.eventstream"));
    struct slice date = http_header(head, "date");
    int64_t date_ms;
    if (date.ptr != NULL && instant_from_http_date(date, &date_ms))
        clock_skew_hear(&engine->clock, engine->wall_ms, date_ms);
    /* The last chunk of a stream tells them, before the call has ended. */
    struct attempt *attempt = &call->job->attempts[call->job->attempt_count - 1];
    attempt->status = status;
    struct slice id = http_header(head, "x-amzn-requestid");
    if (id.ptr != NULL)
        why_copy(attempt->bedrock_request_id, sizeof attempt->bedrock_request_id, id);
}

int32_t call_chunk_partition(const struct engine *engine, const struct job *job)
{
    if (job->record.key.ptr != NULL || engine->chunk_partitions <= 0)
        return -1;
    return (int32_t)(hash_murmur2(job->request.id) % (uint32_t)engine->chunk_partitions);
}

static void send_chunk(struct engine *engine, struct call *call, const struct stream_step *step)
{
    struct job *job = call->job;
    if (call->first_token_ms < 0 && step->content.len > 2)
        call->first_token_ms = engine->now_ms - call->started_ms;
    if (call->is_chunk_refused)
        return;
    struct usage_counts counts = {0};
    size_t text_bytes;
    if (step->has_usage)
        job->dialect->stream_heard(call->stream, &counts, &text_bytes);
    struct chunk_facts facts = {
        .record = &job->record,
        .request = &job->request,
        .attempt = &job->attempts[job->attempt_count - 1],
        .api = job->dialect->api,
        .seq = call->chunk_seq,
        .step = step,
        .usage = step->has_usage ? &counts : NULL,
        .partition = call_chunk_partition(engine, job),
        .wall_ms = engine->wall_ms,
    };
    struct output *chunk;
    if (output_chunk(&engine->config.output, &facts, &chunk) != OK) {
        call->is_chunk_refused = true;
        return;
    }
    call->chunk_seq++;
    job->last_run = facts.attempt->call;
    job->last_run_attempt = facts.attempt->number;
    job->last_run_seq = call->chunk_seq;
    engine->ports.chunk_send(engine->ports.self, call_ref_of(call), chunk);
}

static enum err hear_event(struct engine *engine, struct call *call, const struct event *event)
{
    const struct dialect *dialect = call->job->dialect;
    if (call->stream == NULL) {
        enum err err =
            dialect->stream_start(&call->arena, engine->config.max_answer_bytes, &call->stream);
        if (err != OK)
            return why_set(&call->why, err, NULL, "%s", err_words(err));
    }
    struct stream_step step = {0};
    enum err err = dialect->stream_step(call->stream, event, &step, &call->why);
    if (err != OK)
        return err;
    if (step.is_chunk)
        send_chunk(engine, call, &step);
    call->is_whole = call->is_whole || step.is_last;
    return OK;
}

static enum err hear_stream(struct engine *engine, struct call *call, struct slice bytes)
{
    enum err err = event_reader_hear(&call->reader, bytes);
    while (err == OK) {
        struct event event;
        err = event_reader_next(&call->reader, &event);
        if (err == ERR_NOT_FOUND)
            return OK;
        if (err == OK) {
            err = hear_event(engine, call, &event);
            if (err != OK)
                return err;
        }
    }
    return why_set(&call->why, err == ERR_TOO_LARGE ? ERR_RESPONSE_TOO_LARGE : err, NULL, "%s",
                   err == ERR_BROKEN_STREAM ? "a frame of the event stream is corrupt"
                                            : "the stream is over bedrock.max_answer_size");
}

bool call_body(struct engine *engine, struct call *call, struct slice bytes)
{
    if (call->is_streaming)
        return hear_stream(engine, call, bytes) == OK;
    buf_add(&call->heard, bytes);
    if (call->heard.failed == OK)
        return true;
    bool large = call->heard.failed == ERR_TOO_LARGE;
    (void)why_set(&call->why, large ? ERR_RESPONSE_TOO_LARGE : ERR_NO_MEMORY, NULL, "%s",
                  large ? "the answer is over bedrock.max_answer_size" : "out of memory");
    return false;
}

void call_break_off(struct engine *engine, struct call *call)
{
    engine->ports.call_cancel(engine->ports.self, call_ref_of(call));
}

/* How the exchange itself failed, in the words of io. */
static enum err judge_exchange(const struct call *call, const struct call_end *end,
                               struct why *ret_why)
{
    enum err err = end->err;
    if (err == ERR_CONNECTION && call->is_streaming)
        err = ERR_BROKEN_STREAM;
    if (err == ERR_TOO_LARGE)
        err = ERR_BAD_ANSWER;
    return why_set(ret_why, err, NULL, "%.*s", SLICE_ARG(end->words));
}

static enum err judge_answer(struct call *call, struct verdict *ret)
{
    const struct dialect *dialect = call->job->dialect;
    if (!call->is_streaming) {
        if (call->status != 200 || call->job->request.stream)
            return fault_of_answer(call->status, buf_slice(&call->head), buf_slice(&call->heard),
                                   &ret->why);
        return dialect->decode(&call->arena, buf_slice(&call->heard), &ret->answer, &ret->why);
    }
    if (call->stream == NULL || !event_reader_is_between(&call->reader))
        return why_set(&ret->why, ERR_BROKEN_STREAM, NULL, "the stream ended %s",
                       call->stream == NULL ? "before its first event" : "inside a frame");
    return dialect->stream_end(call->stream, &ret->answer, &ret->why);
}

static const char *estimate_reason(const struct call *call, enum err err)
{
    if (call->is_cancelling)
        return "cancelled";
    if (err == ERR_TIMEOUT || err == ERR_MODEL_TIMEOUT)
        return "timeout";
    return call->is_streaming ? "stream_cut" : "no_counts";
}

/* The best counts known: what the stream said, else bytes of text by the quarter. */
static void estimate(const struct call *call, struct usage_counts *ret_counts)
{
    size_t heard_bytes = 0;
    if (call->stream != NULL)
        call->job->dialect->stream_heard(call->stream, ret_counts, &heard_bytes);
    if (ret_counts->known)
        return;
    int64_t input = (int64_t)((call->job->request.text_bytes + TOKEN_BYTES - 1) / TOKEN_BYTES);
    int64_t output = (int64_t)((heard_bytes + TOKEN_BYTES - 1) / TOKEN_BYTES);
    *ret_counts = (struct usage_counts){
        .input_tokens = input,
        .output_tokens = output,
        .total_tokens = input + output,
        .cache_write_1h_tokens = ANSWER_COUNT_ABSENT,
        .reasoning_tokens = ANSWER_COUNT_ABSENT,
    };
}

void call_judge(struct engine *engine, struct call *call, const struct call_end *end,
                struct verdict *ret_verdict)
{
    struct verdict *ret = ret_verdict;
    memset(ret, 0, sizeof *ret);
    ret->status = call->status;
    ret->retry_after_ms = http_retry_after_ms(buf_slice(&call->head), engine->wall_ms);
    enum err err;
    bool was_sent = true;
    if (call->why.err != OK) {
        ret->why = call->why;
        err = call->why.err;
    } else if (end != NULL && end->err != OK) {
        err = judge_exchange(call, end, &ret->why);
        was_sent = end->was_sent;
    } else {
        err = judge_answer(call, ret);
    }
    CHECK(err == OK || ret->why.err == err);
    if (err == OK) {
        ret->is_billable = true;
        ret->counts = ret->answer.usage;
        if (ret->counts.known)
            return;
        estimate(call, &ret->counts);
        ret->estimated_reason = "no_counts";
        return;
    }
    /* A refusal by status costs nothing; anything else that reached the service may have been
     * billed. */
    bool refused = call->status != 0 && call->status != 200 && err != ERR_MODEL_TIMEOUT;
    ret->is_billable = was_sent && !refused;
    if (ret->is_billable) {
        ret->estimated_reason = estimate_reason(call, err);
        estimate(call, &ret->counts);
    }
}
