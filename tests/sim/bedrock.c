#include "world.h"

#include <string.h>

#include "engine/pacing.h"
#include "wire/bedrock/eventstream.h"

#define SLOW_MS       600000
#define ANSWER_TOKENS 10

/* The outcome of a call; drawn when it begins. */
enum outcome {
    CALL_OK,
    CALL_INVALID, /* an answer without the value that the request wants */
    CALL_THROTTLED,
    CALL_SERVER_ERROR,
    CALL_REFUSED_CONNECTION,
    CALL_TIMEOUT,
    CALL_CUT,
    CALL_CORRUPT,
    CALL_EXCEPTION,
    CALL_REJECTED
};

#define VALUE_TEXT "{\\\"a\\\":\\\"" CANARY "\\\"}"
#define ANSWER_FORMAT                                                                              \
    "{\"output\":{\"message\":{\"role\":\"assistant\",\"content\":[{\"text\":\"%s\"}]}},"          \
    "\"stopReason\":\"end_turn\",\"usage\":{\"inputTokens\":7,\"outputTokens\":3,\"totalTokens\":" \
    "10},\"metrics\":{\"latencyMs\":5}}"

static bool is_retryable(enum outcome outcome)
{
    return outcome != CALL_OK && outcome != CALL_INVALID && outcome != CALL_REJECTED;
}

/* An error status costs nothing, nor does a call that never arrived. */
static bool is_billable(enum outcome outcome)
{
    return outcome != CALL_THROTTLED && outcome != CALL_SERVER_ERROR && outcome != CALL_REJECTED &&
           outcome != CALL_REFUSED_CONNECTION;
}

static enum outcome draw(struct world *world, const struct fake_record *record)
{
    static const struct {
        enum fault fault;
        enum outcome outcome;
    } FAULTS[] = {
        {FAULT_THROTTLE, CALL_THROTTLED},
        {FAULT_SERVER_ERROR, CALL_SERVER_ERROR},
        {FAULT_REFUSED_CONNECTION, CALL_REFUSED_CONNECTION},
        {FAULT_TIMEOUT, CALL_TIMEOUT},
        {FAULT_CUT, CALL_CUT},
        {FAULT_CORRUPT, CALL_CORRUPT},
        {FAULT_EXCEPTION, CALL_EXCEPTION},
        {FAULT_REJECTED, CALL_REJECTED},
    };
    for (size_t i = 0; i < COUNT_OF(FAULTS); i++)
        if (world_chance(world, FAULTS[i].fault))
            return FAULTS[i].outcome;
    return record->wants_json && random_below(&world->random, 3) == 0 ? CALL_INVALID : CALL_OK;
}

/* A request must be answered or abandoned before a later one of its lane is called. */
static void check_order(struct world *world, const struct worker *worker, int log, int64_t offset)
{
    const struct fake_record *record = &world->logs[log].records[offset];
    if (world->config.ordering == ORDERING_NONE ||
        (world->config.ordering == ORDERING_KEY && record->key < 0))
        return;
    for (int64_t earlier = 0; earlier < offset; earlier++) {
        const struct fake_record *other = &world->logs[log].records[earlier];
        if (other->answers > 0 || other->kind == REQUEST_GAP || other->kind == REQUEST_EXPIRING ||
            other->is_gone || (world->config.ordering == ORDERING_KEY && other->key != record->key))
            continue;
        for (int i = 0; i < CALLS_MAX; i++) {
            const struct fake_call *call = &worker->calls[i];
            MUST(world, !call->is_open || call->log != log || call->offset != earlier);
        }
        if (world->retries_for_ever)
            MUST(world, !worker->tried[log][earlier].is_retrying);
    }
}

static void check_retry(struct world *world, struct worker *worker, uint32_t call, int log,
                        int64_t offset)
{
    struct tried *tried = &worker->tried[log][offset];
    MUST(world, tried->failed < (int)world->config.retry.max_attempts);
    MUST(world, tried->invalid <= CORRECTIONS_MAX);
    const struct target *target = worker->engine->calls.all[call].job->target;
    int64_t rested_ms = fallback_rested_ms(world, worker->engine, target);
    if (!tried->is_retrying) {
        tried->first_ms = world->now_ms;
        tried->rested_ms = rested_ms;
    } else {
        MUST(world, world->now_ms - tried->first_ms - (rested_ms - tried->rested_ms) <=
                        world->config.retry.max_elapsed_ms);
    }
}

/* A member that the group has removed and that does not know it yet, and its successor. */
static bool has_two_owners(const struct world *world, int log)
{
    int owners = 0;
    for (int i = 0; i < world->worker_count; i++)
        owners += world->workers[i].engine != NULL && world->workers[i].has_tenure[log];
    return owners > 1;
}

static void on_call_start(void *self, struct call_ref ref, const struct http_request *request)
{
    struct port *port = self;
    struct world *world = port->world;
    struct worker *worker = port->worker;
    MUST(world, ref.index < CALLS_MAX && !worker->calls[ref.index].is_open);
    const char *marker = memmem(request->body.ptr, request->body.len, "[[id:", 5);
    MUST(world, marker != NULL);
    int log;
    long long offset;
    char text[32];
    (void)snprintf(text, sizeof text, "%.*s", (int)sizeof text - 1, marker);
    MUST(world, sscanf(text, "[[id:%d/%lld]]", &log, &offset) == 2);
    struct fake_record *record = kafka_record(world, log, offset);
    world_note(world, "w%d begins a call for %d/%lld", worker->index, log, offset);
    /* A committed request is never called again. (Under at_least_once only the heartbeat stops a
     * worker that stood still.) */
    bool has_two = has_two_owners(world, log);
    MUST(world, record->answers == 0 || !world->config.exactly_once);
    MUST(world, !record->is_done || (!world->config.exactly_once && has_two));
    MUST(world, record->may_call || has_two); /* nor one with a result that is not lost */
    MUST(world, record->kind != REQUEST_BAD_JSON && record->reply != REPLY_MISSING &&
                    record->reply != REPLY_FORBIDDEN);
    MUST(world, !worker->is_stopping); /* a drain begins no call */
    MUST(world, worker->has_tenure[log] && !worker->is_revoking[log]);
    check_order(world, worker, log, offset);
    check_retry(world, worker, ref.index, log, offset);
    turns_call_began(world, worker, ref.index);
    int model = fallback_model(world, request->url);
    fallback_call_began(world, worker, record, model);
    world->calls++;
    record->may_call = false;
    record->holder = worker->index;
    record->holder_life = (int)worker->incarnation;
    worker->calls[ref.index] = (struct fake_call){
        .is_open = true,
        .ref = ref,
        .log = log,
        .offset = offset,
        .key = record->key,
        .model = model,
    };
    quotas_call_began(world, worker, ref);
    marks_call_began(world, worker, log, offset, has_two);
    audit_call_began(world, worker, log, offset);
    enum outcome outcome = fallback_is_out(world, model) ? CALL_SERVER_ERROR : draw(world, record);
    if (outcome != CALL_REFUSED_CONNECTION && !quotas_take(world, &worker->calls[ref.index]))
        outcome = CALL_THROTTLED;
    int64_t delay_ms = world_chance(world, FAULT_SLOW) ? SLOW_MS : 1 + world_delay(world, 1500);
    if (world->pin == PIN_SLOW_MODEL)
        delay_ms = record->model == 0 ? SLOW_MS : 1000;
    world_note(world, "w%d calls %d/%lld: %d in %lld", worker->index, log, offset, (int)outcome,
               (long long)delay_ms);
    struct sim_event *event = world_add(world, EVENT_CALL_STEP, worker, delay_ms);
    event->a = (int)ref.index;
    event->b = ref.generation;
    event->step = (int)outcome;
}

static bool on_call_cancel(void *self, struct call_ref ref)
{
    struct port *port = self;
    struct fake_call *call = &port->worker->calls[ref.index];
    MUST(port->world, call->is_open && call->ref.generation == ref.generation);
    call->is_open = false;
    quotas_call_ended(port->world, port->worker, call, 0, true);
    if (call->is_heard)
        return true; /* it stays incomplete */
    kafka_record(port->world, call->log, call->offset)->may_call = true;
    audit_call_ended(port->world, port->worker, call->log, call->offset,
                     !kafka_record(port->world, call->log, call->offset)->is_count);
    return true;
}

static void frame(struct buf *buf, const char *message_type, const char *type, const char *payload)
{
    bool is_event = strcmp(message_type, "event") == 0;
    struct event_header headers[] = {
        {":message-type", slice_of_text(message_type)},
        {is_event ? ":event-type" : ":exception-type", slice_of_text(type)},
        {":content-type", SLICE("application/json")},
    };
    event_add(buf, headers, COUNT_OF(headers), slice_of_text(payload));
}

/* What the model says: the value that the request wants, or something. */
static const char *text_of(const struct fake_record *record, enum outcome outcome)
{
    return record->wants_json && outcome == CALL_OK ? VALUE_TEXT : CANARY;
}

static void stream_text(struct buf *buf, enum outcome outcome, const char *text)
{
    char delta[128];
    (void)snprintf(delta, sizeof delta, "{\"contentBlockIndex\":0,\"delta\":{\"text\":\"%s\"}}",
                   text);
    frame(buf, "event", "messageStart", "{\"role\":\"assistant\"}");
    frame(buf, "event", "contentBlockDelta", delta);
    if (outcome == CALL_EXCEPTION) {
        frame(buf, "exception", "throttlingException", "{\"message\":\"slow down\"}");
        return;
    }
    frame(buf, "event", "contentBlockStop", "{\"contentBlockIndex\":0}");
    frame(buf, "event", "messageStop", "{\"stopReason\":\"end_turn\"}");
    frame(buf, "event", "metadata",
          "{\"usage\":{\"inputTokens\":7,\"outputTokens\":3,\"totalTokens\":10},\"metrics\":{"
          "\"latencyMs\":5}}");
    if (outcome == CALL_CUT)
        buf_cut(buf, buf->len - 20);
    if (outcome == CALL_CORRUPT)
        buf->ptr[buf->len / 2] ^= 0x10;
}

/* The engine may cancel the exchange while it hears the body. */
static void hear_stream(struct world *world, struct worker *worker, struct fake_call *call,
                        enum outcome outcome, struct call_end *ret_end)
{
    struct call_ref ref = call->ref;
    struct buf body;
    buf_init(&body, 1 << 16);
    stream_text(&body, outcome, text_of(kafka_record(world, call->log, call->offset), outcome));
    engine_call_head(
        worker->engine, ref, 200,
        SLICE("HTTP/1.1 200 OK\r\ncontent-type: application/vnd.amazon.eventstream\r\n\r\n"));
    size_t cut = random_below(&world->random, body.len);
    engine_call_body(worker->engine, ref, slice_sub(buf_slice(&body), 0, cut));
    if (call->is_open)
        engine_call_body(worker->engine, ref, slice_sub(buf_slice(&body), cut, body.len));
    buf_done(&body);
    if (outcome == CALL_CUT && random_below(&world->random, 2) == 0)
        *ret_end = (struct call_end){ERR_CONNECTION, true, SLICE("connection reset")};
}

static void hear(struct world *world, struct worker *worker, struct fake_call *call,
                 enum outcome outcome)
{
    struct call_ref ref = call->ref;
    const struct fake_record *record = kafka_record(world, call->log, call->offset);
    char answer[512];
    struct call_end end = {OK, true, SLICE("")};
    static const struct {
        int status;
        const char *head;
    } REFUSALS[] = {
        [CALL_THROTTLED] = {429, "HTTP/1.1 429 x\r\nx-amzn-errortype: ThrottlingException\r\n\r\n"},
        [CALL_SERVER_ERROR] =
            {500, "HTTP/1.1 500 x\r\nx-amzn-errortype: InternalServerException\r\n\r\n"},
        [CALL_REJECTED] = {400, "HTTP/1.1 400 x\r\nx-amzn-errortype: ValidationException\r\n\r\n"},
    };
    switch (outcome) {
    case CALL_THROTTLED:
    case CALL_SERVER_ERROR:
    case CALL_REJECTED:
        engine_call_head(worker->engine, ref, REFUSALS[outcome].status,
                         slice_of_text(REFUSALS[outcome].head));
        engine_call_body(worker->engine, ref, SLICE("{\"message\":\"no\"}"));
        break;
    case CALL_REFUSED_CONNECTION:
        end = (struct call_end){ERR_CONNECTION, false, SLICE("connection refused")};
        break;
    case CALL_TIMEOUT:
        end = (struct call_end){ERR_TIMEOUT, true, SLICE("no first byte in time")};
        break;
    case CALL_OK:
    case CALL_INVALID:
    case CALL_CUT:
    case CALL_CORRUPT:
    case CALL_EXCEPTION:
        if (record->stream) {
            hear_stream(world, worker, call, outcome, &end);
        } else if (outcome == CALL_OK || outcome == CALL_INVALID) {
            (void)snprintf(answer, sizeof answer, ANSWER_FORMAT, text_of(record, outcome));
            engine_call_head(worker->engine, ref, 200,
                             SLICE("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n"));
            engine_call_body(worker->engine, ref,
                             slice_of_text(record->is_count ? "{\"inputTokens\":7}" : answer));
        } else {
            end = (struct call_end){ERR_CONNECTION, true, SLICE("connection reset")};
        }
        break;
    }
    if (!call->is_open)
        return;
    call->is_open = false;
    engine_call_ended(worker->engine, ref, &end);
}

/* Whether a lost tenure left the call, and its record has not come again. */
static bool is_shelved(const struct worker *worker, const struct fake_call *call)
{
    const struct account *account = &worker->accounts[call->log][call->offset];
    return account->is_renounced && !account->has_come;
}

/* Whether the model is shown what is wrong with its answer and called again. */
static bool is_asked_again(const struct worker *worker, const struct fake_call *call)
{
    bool is_leaving = worker->is_stopping || !worker->has_tenure[call->log] ||
                      worker->is_revoking[call->log] || is_shelved(worker, call);
    return !is_leaving && worker->tried[call->log][call->offset].invalid <= CORRECTIONS_MAX;
}

void bedrock_step(struct world *world, struct worker *worker, const struct sim_event *event)
{
    struct fake_call *call = &worker->calls[event->a];
    enum outcome outcome = (enum outcome)event->step;
    if (!call->is_open || call->ref.generation != event->b)
        return;
    struct fake_record *record = kafka_record(world, call->log, call->offset);
    bool throttled = outcome == CALL_THROTTLED || (outcome == CALL_EXCEPTION && record->stream);
    struct outage *outage = &worker->outages[call->model];
    bool is_failure = is_retryable(outcome) && !throttled;
    if (call->model == 0)
        fallback_call_ended(world, worker, is_failure);
    if (is_failure)
        (void)outage_failure(outage, (uint64_t)call->log << 32 | (uint64_t)call->offset);
    else if (!throttled)
        outage_answer(outage);
    /* What costs nothing is not the request's fault while its model is down. */
    bool is_free =
        outcome == CALL_SERVER_ERROR || outcome == CALL_REFUSED_CONNECTION || record->is_count;
    if (is_failure && !(is_free && outage_is_on(outage)))
        worker->tried[call->log][call->offset].failed++;
    /* What a fallback rejects, its first choice may take. What fails on the shelf is not called
     * again: its request is dropped, which is logged, or has the answer that it kept. */
    bool is_called_again =
        !is_shelved(worker, call) &&
        (is_retryable(outcome) || (outcome == CALL_REJECTED && call->model == FALLBACK));
    struct tried *tried = &worker->tried[call->log][call->offset];
    tried->invalid += outcome == CALL_INVALID;
    tried->is_retrying =
        is_called_again || (outcome == CALL_INVALID && is_asked_again(worker, call));
    record->may_call = record->may_call || is_called_again || outcome == CALL_INVALID;
    call->is_heard = true;
    quotas_call_ended(world, worker, call,
                      is_billable(outcome) && !record->is_count ? ANSWER_TOKENS : 0,
                      outcome != CALL_THROTTLED);
    record->paid += outcome == CALL_OK;
    audit_call_ended(world, worker, call->log, call->offset,
                     is_billable(outcome) && !record->is_count);
    hear(world, worker, call, outcome);
}

void bedrock_worker_died(struct worker *worker)
{
    for (int i = 0; i < CALLS_MAX; i++)
        worker->calls[i].is_open = false;
}

void bedrock_ports(struct ports *ports)
{
    ports->call_start = on_call_start;
    ports->call_cancel = on_call_cancel;
}
