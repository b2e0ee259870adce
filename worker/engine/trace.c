#include "engine/trace.h"

#include <string.h>

#include "base/utf8.h"
#include "engine/attempt.h"
#include "engine/batch.h"
#include "engine/call.h"
#include "engine/result.h"
#include "engine/way.h"
#include "telemetry/trace/spans.h"

#define NUMBER_TEXT_MAX 24
#define NAME_MAX        300
#define CONTENT_MAX     ((size_t)64 * 1024) /* bytes of a prompt or an answer */
#define RATIO_STEPS     1000000u

static bool is_traced(const struct engine *engine, const struct job *job)
{
    return engine->config.spans != NULL && job->trace.at.is_sampled;
}

/* ---- a request begins ---- */

static bool is_state(struct slice state)
{
    for (size_t i = 0; i < state.len; i++)
        if (state.ptr[i] < ' ' || state.ptr[i] > '~')
            return false;
    return state.len > 0 && state.len <= TRACESTATE_MAX;
}

static void continue_trace(struct job *job, const struct span_context *parent)
{
    const struct header *state = headers_last(job->record.headers, "tracestate");
    job->trace.at.trace = parent->trace;
    job->trace.at.is_sampled = parent->is_sampled;
    job->trace.parent = parent->span;
    if (state != NULL && is_state(state->value))
        job->trace.state = state->value;
}

static void begin_trace(struct engine *engine, struct job *job)
{
    double ratio = spans_config(engine->config.spans)->ratio;
    trace_id_new(&job->trace.at.trace, &engine->random);
    job->trace.at.is_sampled =
        (double)random_below(&engine->random, RATIO_STEPS) < ratio * (double)RATIO_STEPS;
}

/* What goes out for the request names its span. */
static void name_span(struct job *job)
{
    char text[TRACEPARENT_LEN];
    span_context_write(&job->trace.at, text);
    if (!arena_copy(&job->arena, slice_of(text, sizeof text), &job->record.traceparent))
        job->record.traceparent = SLICE_NULL;
}

void trace_take(struct engine *engine, struct job *job)
{
    struct span_context parent;
    if (engine->config.spans == NULL)
        return;
    const struct header *header = headers_last(job->record.headers, "traceparent");
    if (header != NULL && span_context_read(header->value, &parent))
        continue_trace(job, &parent);
    else
        begin_trace(engine, job);
    if (!job->trace.at.is_sampled)
        return;
    span_id_new(&job->trace.at.span, &engine->random);
    span_id_new(&job->trace.chat, &engine->random);
    name_span(job);
}

/* ---- spans ---- */

static struct span span_of(const struct job *job, enum span_kind kind, const char *name)
{
    return (struct span){
        .at = job->trace.at, .state = job->trace.state, .name = slice_of_text(name), .kind = kind};
}

static void add_error(struct span *span, enum err err)
{
    if (err == OK)
        return;
    span_add_text(span, "error.type", slice_of_text(err_code(err)));
    span->error = slice_of_text(err_words(err));
}

/* LangSmith's mark, by which it knows what a span is. */
static void add_mark(const struct engine *engine, struct span *span, const char *mark)
{
    if (spans_config(engine->config.spans)->is_for_llm)
        span_add_text(span, "langsmith.span.kind", slice_of_text(mark));
}

void trace_attempt(struct engine *engine, struct job *job, const struct verdict *verdict)
{
    if (!is_traced(engine, job))
        return;
    const struct attempt *attempt = attempt_last(job);
    struct span span = span_of(job, SPAN_CLIENT, "POST");
    span_id_new(&span.at.span, &engine->random);
    span.parent = job->trace.chat;
    span.start_wall_ms = attempt->started_wall_ms;
    span.end_wall_ms = attempt->started_wall_ms + attempt->duration_ms;
    span_add_text(&span, "http.request.method", SLICE("POST"));
    span_add_text(&span, "server.address", job->target->endpoint.host);
    span_add_text(&span, "url.full", job->call->request.url);
    span_add_text(&span, "cloud.region", attempt->region);
    if (attempt->number > 1)
        span_add_number(&span, "http.request.resend_count", attempt->number - 1);
    if (attempt->status != 0)
        span_add_number(&span, "http.response.status_code", attempt->status);
    if (attempt->bedrock_request_id[0] != '\0')
        span_add_text(&span, "aws.request_id", slice_of_text(attempt->bedrock_request_id));
    if (attempt->error[0] != '\0') {
        span_add_text(&span, "error.type", slice_of_text(attempt->error));
        span.error = slice_of_text(err_words(verdict->why.err));
    }
    spans_add(engine->config.spans, &span);
}

/* ---- the call of the model ---- */

static void add_usage(struct span *span, const struct usage_counts *counts)
{
    const struct {
        const char *name;
        int64_t count;
    } kinds[] = {{"gen_ai.usage.cache_read.input_tokens", counts->cache_read_tokens},
                 {"gen_ai.usage.cache_creation.input_tokens", counts->cache_write_tokens},
                 {"gen_ai.usage.reasoning.output_tokens", counts->reasoning_tokens}};
    if (!counts->known)
        return;
    span_add_number(span, "gen_ai.usage.input_tokens", counts->input_tokens);
    span_add_number(span, "gen_ai.usage.output_tokens", counts->output_tokens);
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (kinds[i].count > 0)
            span_add_number(span, kinds[i].name, kinds[i].count);
}

static struct slice clipped(struct slice text)
{
    size_t valid = utf8_valid_len(slice_sub(text, 0, CONTENT_MAX));
    return text.ptr == NULL ? SLICE_NULL : slice_sub(text, 0, valid);
}

static void add_content(const struct engine *engine, const struct job *job,
                        const struct answer *answer, struct span *span)
{
    const struct spans_config *config = spans_config(engine->config.spans);
    if (config->prompts)
        span_add_text(span, "gen_ai.prompt", clipped(job->record.value));
    if (config->answers && answer != NULL)
        span_add_text(span, "gen_ai.completion", clipped(answer->content));
}

static void add_parameters(const struct request *request, struct span *span)
{
    int64_t max_tokens;
    if (slice_to_int64(request->parameters[PARAMETER_MAX_TOKENS], &max_tokens))
        span_add_number(span, "gen_ai.request.max_tokens", max_tokens);
}

/* `<what> <name>` */
static struct slice named(struct buf *text, const char *what, struct slice name)
{
    buf_init(text, NAME_MAX);
    buf_addf(text, "%s %.*s", what, (int)utf8_clip(name, NAME_MAX / 2).len, name.ptr);
    return buf_slice(text);
}

void trace_chat(struct engine *engine, struct job *job, const struct answer *answer)
{
    if (!is_traced(engine, job) || job->calls == 0 || job->trace.is_chat_made)
        return;
    job->trace.is_chat_made = true;
    struct buf name OWNED_BY(buf_done);
    struct span span = span_of(job, SPAN_CLIENT, "chat");
    span.name = named(&name, "chat", way_own(job)->model);
    span.at.span = job->trace.chat;
    span.parent = job->trace.at.span;
    span.start_wall_ms = job->attempts[0].started_wall_ms;
    span.end_wall_ms = span.start_wall_ms + engine->now_ms - job->attempts[0].started_ms;
    span_add_text(&span, "gen_ai.operation.name", SLICE("chat"));
    span_add_text(&span, "gen_ai.provider.name", SLICE("aws.bedrock"));
    span_add_text(&span, "gen_ai.request.model", way_own(job)->model);
    add_parameters(&job->request, &span);
    if (job->target != NULL)
        span_add_text(&span, "server.address", job->target->endpoint.host);
    if (answer != NULL) {
        span_add_text(&span, "gen_ai.response.model", attempt_last(job)->model);
        span_add_list(&span, "gen_ai.response.finish_reasons", answer->stop_reason);
        add_usage(&span, &answer->usage);
    } else {
        add_error(&span, job->why.err != OK ? job->why.err : ERR_CANCELLED);
    }
    add_mark(engine, &span, "llm");
    add_content(engine, job, answer, &span);
    spans_add(engine->config.spans, &span);
}

/* ---- the request ends ---- */

static void add_record(const struct engine *engine, const struct job *job, struct span *span,
                       char ret_partition[NUMBER_TEXT_MAX])
{
    struct buf number OWNED_BY(buf_done);
    buf_init(&number, NUMBER_TEXT_MAX);
    buf_add_int(&number, job->partition->number);
    slice_write(buf_slice(&number), ret_partition, NUMBER_TEXT_MAX);
    span_add_text(span, "messaging.system", SLICE("kafka"));
    span_add_text(span, "messaging.operation.name", SLICE("process"));
    span_add_text(span, "messaging.operation.type", SLICE("process"));
    span_add_text(span, "messaging.destination.name", job->partition->topic);
    span_add_text(span, "messaging.destination.partition.id", slice_of_text(ret_partition));
    span_add_number(span, "messaging.kafka.offset", job->offset);
    span_add_text(span, "messaging.consumer.group.name", engine->config.output.group_id);
    span_add_text(span, "messaging.message.id", job->request.id);
}

static void make_process(struct engine *engine, struct job *job, bool is_committed)
{
    char partition[NUMBER_TEXT_MAX];
    struct buf name OWNED_BY(buf_done);
    struct span_context link = {.trace = job->trace.at.trace,
                                .span = job->trace.parent,
                                .is_sampled = job->trace.at.is_sampled};
    struct span span = span_of(job, SPAN_CONSUMER, "process");
    span.name = named(&name, "process", job->partition->topic);
    span.parent = job->trace.parent;
    span.is_parent_remote = true;
    span.links = &link;
    span.link_count = span_id_is_none(&job->trace.parent) ? 0 : 1;
    span.start_wall_ms = job->received_wall_ms;
    span.end_wall_ms = job->received_wall_ms + engine->now_ms - job->received_ms;
    add_record(engine, job, &span, partition);
    span_add_text(&span, "bedrock_worker.tenant", job->request.tenant);
    span_add_text(&span, "bedrock_worker.outcome",
                  is_committed ? SLICE("committed") : SLICE("released"));
    add_error(&span, is_committed ? job->why.err : OK);
    add_mark(engine, &span, "chain");
    spans_add(engine->config.spans, &span);
}

void trace_process(struct engine *engine, struct job *job, bool is_committed)
{
    if (is_traced(engine, job))
        make_process(engine, job, is_committed);
}

/* ---- a transaction ends ---- */

/* Links with the sampled requests of the batch. */
static void add_links(struct engine *engine, struct span_context ret_links[SPAN_LINKS_MAX],
                      struct span *span)
{
    for (struct result *result = result_first(engine, RESULT_BATCHED); result != NULL;
         result = result_next(engine, result)) {
        if (result->job == NULL || !is_traced(engine, result->job))
            continue;
        if (span->link_count < SPAN_LINKS_MAX)
            ret_links[span->link_count++] = result->job->trace.at;
        else
            span->links_left++;
    }
    span->links = ret_links;
}

static void make_batch(struct engine *engine, const char *error)
{
    struct span_context links[SPAN_LINKS_MAX];
    struct span span = {.name = SLICE("send"), .kind = SPAN_CLIENT};
    add_links(engine, links, &span);
    if (span.link_count == 0)
        return;
    trace_id_new(&span.at.trace, &engine->random);
    span_id_new(&span.at.span, &engine->random);
    span.end_wall_ms = engine->wall_ms;
    span.start_wall_ms = engine->wall_ms - batch_age_ms(engine);
    span_add_text(&span, "messaging.system", SLICE("kafka"));
    span_add_text(&span, "messaging.operation.name", SLICE("send"));
    span_add_text(&span, "messaging.operation.type", SLICE("send"));
    span_add_number(&span, "messaging.batch.message_count", (int64_t)batch_outputs(engine));
    if (error != NULL) {
        span_add_text(&span, "error.type", slice_of_text(error));
        span.error = slice_of_text("the transaction was aborted");
    }
    spans_add(engine->config.spans, &span);
}

void trace_batch(struct engine *engine, const char *error)
{
    if (engine->config.spans != NULL)
        make_batch(engine, error);
}
