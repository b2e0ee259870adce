#include "engine/call.h"

#include <string.h>

#include "base/check.h"
#include "base/memory.h"
#include "engine/attempt.h"
#include "engine/chunks.h"
#include "engine/current.h"
#include "wire/bedrock/fault.h"
#include "wire/bedrock/invocation.h"

#define URL_BYTES_MAX      (16 * 1024)
#define HEADERS_BYTES      (64 * 1024)
#define BODY_BYTES_MAX     25000000      /* Bedrock's own limit of a body */
#define BODY_BESIDE        (16 * 1024)   /* bytes of a body beyond what its job is charged for */
#define SCRATCH_KEPT_MAX   (1024 * 1024) /* a larger scratch is freed after use */
#define MODEL_ERROR_STATUS 424
#define TOKEN_BYTES        4 /* UTF-8 bytes of one estimated token */

/* ---- the pool ---- */

enum err calls_init(struct engine *engine)
{
    uint32_t count = engine->config.max_in_flight;
    engine->calls.all = memory_new(count * sizeof(struct call));
    engine->calls.free = memory_new(count * sizeof(uint32_t));
    if (engine->calls.all == NULL || engine->calls.free == NULL)
        return ERR_NO_MEMORY;
    for (uint32_t i = 0; i < count; i++) {
        engine->calls.all[i].index = i;
        engine->calls.free[i] = count - 1 - i;
    }
    engine->calls.free_count = count;
    engine->calls.cuts = 1;
    buf_init(&engine->calls.url, URL_BYTES_MAX);
    buf_init(&engine->calls.headers, HEADERS_BYTES);
    buf_init(&engine->calls.body, BODY_BYTES_MAX);
    return OK;
}

void call_free(struct engine *engine, struct call *call)
{
    CHECK(call->job != NULL);
    if (call->receiver != NULL)
        receiver_give_back(engine, call->receiver, call->attempt->dialect);
    memory_free(call->text);
    call->text = NULL;
    call->receiver = NULL;
    call->job = NULL;
    engine->calls.free[engine->calls.free_count++] = call->index;
    engine->calls.open_count--;
    if (engine->calls.ended < engine->config.max_in_flight)
        engine->calls.ended++;
}

void calls_done(struct engine *engine)
{
    for (uint32_t i = 0; engine->calls.all != NULL && i < engine->config.max_in_flight; i++)
        if (engine->calls.all[i].job != NULL)
            call_free(engine, &engine->calls.all[i]);
    receivers_free(engine);
    buf_done(&engine->calls.url);
    buf_done(&engine->calls.headers);
    buf_done(&engine->calls.body);
    memory_free(engine->calls.all);
    memory_free(engine->calls.free);
}

uint32_t calls_open(const struct engine *engine)
{
    return engine->calls.open_count;
}

uint32_t calls_free(const struct engine *engine)
{
    return engine->calls.free_count;
}

uint32_t calls_room(const struct engine *engine)
{
    const struct calls *calls = &engine->calls;
    uint32_t ahead = engine->config.write_ahead ? calls->ended : 0;
    return calls->free_count + ahead > calls->marked ? calls->free_count + ahead - calls->marked
                                                     : 0;
}

void calls_mark(struct engine *engine, int change)
{
    CHECK(change > 0 || engine->calls.marked > 0);
    engine->calls.marked += (uint32_t)change;
}

void calls_cut(struct engine *engine)
{
    engine->calls.ended = 0;
    engine->calls.cuts++;
}

/* ---- the request ---- */

/* The headers in which AWS's SDKs describe an attempt. */
static void add_attempt(struct engine *engine, const struct job *job, const struct attempt *attempt)
{
    struct buf *headers = &engine->calls.headers;
    invocation_add_header(headers, "amz-sdk-invocation-id", uuid_slice(&job->invocation));
    buf_addf(headers, "amz-sdk-request: attempt=%d", attempt->number);
    /* The settings do not limit throttled attempts. */
    if ((uint32_t)attempt->number <= job->terms->retry.max_attempts)
        buf_addf(headers, "; max=%u", job->terms->retry.max_attempts);
    buf_add(headers, SLICE("\r\n"));
}

/* A body holds the text of its request, so max_held_bytes bounds the bodies of all calls too. */
static size_t body_bytes_max(uint64_t charged)
{
    return charged + BODY_BESIDE < BODY_BYTES_MAX ? (size_t)charged + BODY_BESIDE : BODY_BYTES_MAX;
}

uint64_t engine_calls_memory_bound(const struct engine_config *config)
{
    uint64_t count = config->max_in_flight;
    uint64_t body = body_bytes_max(JOB_ARENA_LIMIT(config->max_request_bytes));
    uint64_t bodies = count * body < config->max_held_bytes ? count * body : config->max_held_bytes;
    uint64_t each = sizeof(struct call) + URL_BYTES_MAX + HEADERS_BYTES + BODY_BESIDE +
                    RECEIVER_BYTES_MAX(config->max_answer_bytes);
    /* The engine decodes one answer at a time. */
    return count * each + bodies + RECEIVER_ARENA_MAX(config->max_answer_bytes) +
           DIALECT_SCRATCH_BYTES(config->max_answer_bytes);
}

static struct slice take_piece(char **to, const struct buf *from)
{
    struct slice piece = {*to, from->len};
    if (from->len > 0)
        memcpy(*to, from->ptr, from->len);
    *to += from->len;
    return piece;
}

/* Copies url, headers and body from the engine's scratch into one block of the call. */
static enum err take_request(struct engine *engine, struct call *call)
{
    size_t len = engine->calls.url.len + engine->calls.headers.len + engine->calls.body.len;
    call->text = memory_resize(NULL, len);
    if (call->text == NULL)
        return ERR_NO_MEMORY;
    char *to = call->text;
    call->request.url = take_piece(&to, &engine->calls.url);
    call->request.url.len--; /* without its NUL */
    call->request.headers = take_piece(&to, &engine->calls.headers);
    call->request.body = take_piece(&to, &engine->calls.body);
    return OK;
}

/* A large body is not copied: its buf takes url and headers too and becomes the block. */
static enum err take_large_request(struct engine *engine, struct call *call)
{
    struct buf *body = &engine->calls.body, text;
    size_t url_len = engine->calls.url.len, headers_len = engine->calls.headers.len;
    size_t body_len = body->len;
    body->limit += url_len + headers_len;
    buf_add(body, buf_slice(&engine->calls.url));
    buf_add(body, buf_slice(&engine->calls.headers));
    if (body->failed != OK)
        return body->failed;
    buf_init(&text, body->limit);
    buf_move(body, &text);
    call->text = text.ptr;
    if (text.room - text.len > SCRATCH_KEPT_MAX) {
        char *smaller = memory_resize(text.ptr, text.len);
        call->text = smaller != NULL ? smaller : text.ptr;
    }
    call->request.body = slice_of(call->text, body_len);
    call->request.url = slice_of(call->text + body_len, url_len - 1); /* without its NUL */
    call->request.headers = slice_of(call->text + body_len + url_len, headers_len);
    return OK;
}

/* A large body gets its room at once: it holds the text of its request. */
static enum err begin_body(struct buf *body, const struct job *job)
{
    size_t len = job->record.value.len + BODY_BESIDE;
    buf_reset(body);
    body->limit = body_bytes_max(job->charged);
    if (len > body->limit)
        len = body->limit;
    if (len > SCRATCH_KEPT_MAX && buf_reserve(body, len) == NULL)
        return body->failed;
    return OK;
}

static enum err write_request(struct engine *engine, struct call *call)
{
    struct job *job = call->job;
    const struct attempt *attempt = call->attempt;
    struct target *target = job->target;
    buf_reset(&engine->calls.url);
    buf_reset(&engine->calls.headers);
    enum err err = begin_body(&engine->calls.body, job);
    if (err == OK)
        err = dialect_encode(attempt->dialect, &job->request, &engine->calls.body);
    if (err != OK)
        return err;
    struct invocation invocation = {
        .endpoint = &target->endpoint,
        .dialect = attempt->dialect,
        .request = &job->request,
        .model = attempt->model,
        .stream = dialect_streams(attempt->dialect, &job->request),
        .body = buf_slice(&engine->calls.body),
        .region = attempt->region,
        .user_agent = engine->config.user_agent,
        .wall_ms = engine->wall_ms + attempt->clock_offset_ms,
    };
    err = invocation_add(&engine->calls.url, &engine->calls.headers, &invocation,
                         &target->identity->credentials, &target->key);
    add_attempt(engine, job, attempt);
    if (err == OK)
        err = engine->calls.headers.failed;
    if (err != OK)
        return err;
    return engine->calls.body.room > SCRATCH_KEPT_MAX ? take_large_request(engine, call)
                                                      : take_request(engine, call);
}

enum err call_begin(struct engine *engine, struct job *job, struct attempt *attempt,
                    struct why *ret_why)
{
    CHECK(job->target->identity->has_credentials && engine->calls.free_count > 0);
    struct call *call = &engine->calls.all[engine->calls.free[--engine->calls.free_count]];
    engine->calls.open_count++;
    *call = (struct call){
        .index = call->index,
        .generation = call->generation + 1,
        .job = job,
        .attempt = attempt,
    };
    enum err err = write_request(engine, call);
    if (engine->calls.body.room > SCRATCH_KEPT_MAX)
        buf_done(&engine->calls.body);
    if (err != OK) {
        call_free(engine, call);
        return why_set(ret_why, err, NULL, "the worker cannot build the call: %s", err_words(err));
    }
    job->call = call;
    engine->ports.call_start(engine->ports.self, call_ref_of(call), &call->request);
    return OK;
}

struct call *call_find(struct engine *engine, struct call_ref ref)
{
    if (ref.index >= engine->config.max_in_flight)
        return NULL;
    struct call *call = &engine->calls.all[ref.index];
    if (call->job == NULL || call->generation != ref.generation)
        return NULL;
    current_set_call(call);
    return call;
}

/* ---- the verdict ---- */

void call_break_off(struct engine *engine, struct call *call)
{
    call->was_sent = engine->ports.call_cancel(engine->ports.self, call_ref_of(call));
}

/* Judges an exchange that failed; io gives the text. */
static enum err judge_exchange(const struct call *call, const struct call_end *end,
                               struct why *ret_why)
{
    enum err err = end->err;
    if (err == ERR_CONNECTION && call->is_streaming)
        err = ERR_BROKEN_STREAM;
    if (err == ERR_TOO_LARGE || (err == ERR_BROKEN_STREAM && !call->is_streaming))
        err = ERR_BAD_ANSWER;
    return why_set(ret_why, err, NULL, "%.*s", SLICE_ARG(end->words));
}

struct slice call_head_text(const struct call *call)
{
    return call->receiver == NULL ? SLICE("") : buf_slice(&call->receiver->head);
}

static struct slice body_of(const struct call *call)
{
    return call->receiver == NULL ? SLICE("") : buf_slice(&call->receiver->body);
}

/* Judges a body with status 200 that is not an answer: an error if it has a type or a message. */
static enum err judge_no_answer(const struct call *call, struct verdict *ret)
{
    struct why fault;
    enum err err = fault_of_answer(call->status, call_head_text(call), body_of(call), &fault);
    if (fault.type[0] == '\0' && !fault.is_foreign)
        return ERR_BAD_ANSWER;
    ret->why = fault;
    return err;
}

/* Judges a whole body. */
static enum err judge_body(struct call *call, struct verdict *ret)
{
    const struct dialect *dialect = call->attempt->dialect;
    if (call->status != 200 || dialect_streams(dialect, &call->job->request)) {
        ret->received_bytes = 0;
        return fault_of_answer(call->status, call_head_text(call), body_of(call), &ret->why);
    }
    struct heard heard = call_received(call);
    enum err err = dialect_decode(dialect, &call->receiver->arena, &heard, &ret->answer, &ret->why);
    if (err == OK || err == ERR_BAD_ANSWER)
        ret->received_bytes = ret->answer.text_bytes;
    return err == ERR_BAD_ANSWER ? judge_no_answer(call, ret) : err;
}

static enum err judge_answer(struct call *call, struct verdict *ret)
{
    const struct dialect *dialect = call->attempt->dialect;
    if (!call->is_streaming)
        return judge_body(call, ret);
    struct stream *stream = call->receiver->stream;
    if (stream == NULL || !event_reader_is_between(&call->receiver->reader))
        return why_set(&ret->why, ERR_BROKEN_STREAM, NULL, "the stream ended %s",
                       stream == NULL ? "before its first event" : "inside a frame");
    return dialect_stream_end(dialect, stream, &ret->answer, &ret->why);
}

/* A stream that arrived to its end is an answer, however the exchange ended: a second call would be
 * billed too. */
static enum err judge_end(struct call *call, const struct call_end *end, struct verdict *ret)
{
    bool is_clean = end == NULL || end->err == OK;
    if ((is_clean || call->is_streaming) && judge_answer(call, ret) == OK)
        return OK;
    return is_clean ? ret->why.err : judge_exchange(call, end, &ret->why);
}

/* Whether an error's body is incomplete. Its head has type and status, so they count in any case.
 * (Only the body has the cause of a model's error.) */
static bool is_cut_error(const struct call *call, const struct call_end *end)
{
    bool is_cut = (end != NULL && end->err != OK) ||
                  (call->receiver != NULL && call->receiver->why.err != OK);
    return is_cut && call->status != 0 && call->status != 200 && call->status != MODEL_ERROR_STATUS;
}

static const char *estimate_reason(const struct call *call, enum err err)
{
    if (call->is_cancelling)
        return "cancelled";
    if (err == ERR_TIMEOUT || err == ERR_MODEL_TIMEOUT)
        return "timeout";
    return call->is_streaming ? "stream_cut" : "no_counts";
}

/* The best known counts: those of the stream, else a token for every four bytes of text. */
static void estimate(const struct call *call, size_t received_bytes,
                     struct usage_counts *ret_counts)
{
    if (call->receiver != NULL && call->receiver->stream != NULL)
        dialect_stream_heard(call->attempt->dialect, call->receiver->stream, ret_counts,
                             &received_bytes);
    if (ret_counts->known)
        return;
    int64_t input = (int64_t)((call->job->request.text_bytes + TOKEN_BYTES - 1) / TOKEN_BYTES);
    int64_t output = (int64_t)((received_bytes + TOKEN_BYTES - 1) / TOKEN_BYTES);
    *ret_counts = (struct usage_counts){
        .input_tokens = input,
        .output_tokens = output,
        .total_tokens = input + output,
        .cache_write_1h_tokens = ANSWER_COUNT_ABSENT,
        .reasoning_tokens = ANSWER_COUNT_ABSENT,
    };
}

static void judge(struct engine *engine, struct call *call, const struct call_end *end,
                  struct verdict *ret_verdict)
{
    struct verdict *ret = ret_verdict;
    memset(ret, 0, sizeof *ret);
    ret->status = call->status;
    ret->received_bytes = call->status == 200 ? body_of(call).len : 0; /* of an incomplete one */
    ret->retry_after_ms = http_retry_after_ms(call_head_text(call), engine->wall_ms);
    enum err err;
    bool was_sent = true;
    if (call->is_cancelling) {
        err = why_set(&ret->why, ERR_CANCELLED, NULL, "%s", err_words(ERR_CANCELLED));
        was_sent = call->was_sent;
    } else if (is_cut_error(call, end)) {
        err = fault_of_answer(call->status, call_head_text(call), SLICE(""), &ret->why);
    } else if (call->receiver != NULL && call->receiver->why.err != OK) {
        ret->why = call->receiver->why;
        err = ret->why.err;
    } else {
        err = judge_end(call, end, ret);
        was_sent = end == NULL || end->err == OK || end->was_sent;
    }
    CHECK(err == OK || ret->why.err == err);
    if (err == OK) {
        chunks_end(engine, call, &ret->answer);
        attempt_tier(call->attempt, ret->answer.service_tier);
        ret->is_billable = true;
        ret->counts = ret->answer.usage;
        if (ret->counts.known)
            return;
        estimate(call, ret->received_bytes, &ret->counts);
        ret->estimated_reason = "no_counts";
        return;
    }
    /* Bedrock does not bill an error status; it may bill anything else that reached it. */
    bool is_error = call->status != 0 && call->status != 200 && err != ERR_MODEL_TIMEOUT;
    ret->is_billable = was_sent && !is_error;
    if (ret->is_billable) {
        ret->estimated_reason = estimate_reason(call, err);
        estimate(call, ret->received_bytes, &ret->counts);
    }
}

void call_judge(struct engine *engine, struct call *call, const struct call_end *end,
                struct verdict *ret_verdict)
{
    judge(engine, call, end, ret_verdict);
    if (call->job->request.count_tokens)
        ret_verdict->is_billable = false;
}

void verdict_add_failure(const struct verdict *verdict, struct buf *text)
{
    const struct why *why = &verdict->why;
    if (verdict->status == 0)
        buf_add_text(text, why->message);
    else
        buf_addf(text, "status %d%s%s, %s", verdict->status, why->type[0] != '\0' ? " " : "",
                 why->type, err_words(why->err));
}
