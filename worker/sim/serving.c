#include "sim/parts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/memory.h"

#define CALL_ARENA_BYTES_MAX (4 * 1024 * 1024)
#define TARGET_BYTES_MAX     8192
#define STATS_BYTES_MAX      8192

/* Begins a request: splits its target and keeps the parts. */
void *serving_new(void *self, const char *target, struct MHD_Connection *connection)
{
    struct sim *sim = self;
    struct served *served = memory_new(sizeof *served);
    if (served == NULL)
        return NULL;
    served->sim = sim;
    served->connection = connection;
    served->stage = STAGE_HEAD;
    arena_init(&served->arena, CALL_ARENA_BYTES_MAX);
    buf_init(&served->body, (size_t)sim->config->body_bytes_max);
    timer_init(&served->timer);
    list_add_last(&sim->open, &served->link);
    struct slice whole = slice_of(target, strnlen(target, TARGET_BYTES_MAX));
    if (!arena_copy(&served->arena, whole, &whole))
        return served; /* the empty path gives an error later */
    size_t mark = slice_find(whole, '?');
    served->path = slice_sub(whole, 0, mark);
    served->query = slice_sub(whole, mark + 1, whole.len);
    return served;
}

/* Copies a header for the ledger: other bytes than printable ASCII become question marks. */
static struct slice header_kept(struct served *served, const char *name)
{
    struct slice value = judging_header(served, name);
    struct slice copy = SLICE_NULL;
    if (value.len == 0 || !arena_copy(&served->arena, slice_sub(value, 0, TAG_BYTES_MAX), &copy))
        return SLICE_NULL;
    char *text = arena_new(&served->arena, copy.len);
    for (size_t i = 0; text != NULL && i < copy.len; i++)
        text[i] = copy.ptr[i] >= ' ' && copy.ptr[i] <= '~' ? copy.ptr[i] : '?';
    return text != NULL ? slice_of(text, copy.len) : SLICE_NULL;
}

/* Makes a request id in the form of a random UUID. Seeded, because nothing depends on it. */
static void make_request_id(struct served *served)
{
    static const char DIGITS[] = "0123456789abcdef";
    uint64_t high = random_next(&served->sim->random);
    uint64_t low = random_next(&served->sim->random);
    for (size_t i = 0; i < REQUEST_ID_LEN; i++) {
        uint64_t *source = i < 18 ? &high : &low;
        bool is_hyphen = i == 8 || i == 13 || i == 18 || i == 23;
        served->request_id[i] = is_hyphen ? '-' : DIGITS[*source & 15];
        if (!is_hyphen)
            *source >>= 4;
    }
    served->request_id[14] = '4';
    served->request_id[19] = 'a';
}

void serving_begin(struct served *served)
{
    struct sim *sim = served->sim;
    struct counters *counters = &sim->counters;
    struct journal_call *facts = &served->facts;
    served->begun = true;
    facts->serial = ++sim->serial;
    facts->operation = OPERATIONS[served->operation].name;
    facts->request_id = slice_of(served->request_id, REQUEST_ID_LEN);
    facts->model = check_model_id(served->model) ? served->model : SLICE_NULL;
    facts->invocation_id = header_kept(served, "amz-sdk-invocation-id");
    facts->sdk_request = header_kept(served, "amz-sdk-request");
    journal_begin(&sim->journal, facts, sim->now_ms);
    atomic_fetch_add_explicit(&counters->calls, 1, memory_order_relaxed);
    int64_t open = atomic_fetch_add_explicit(&counters->open, 1, memory_order_relaxed) + 1;
    if (open > atomic_load_explicit(&counters->open_most, memory_order_relaxed))
        atomic_store_explicit(&counters->open_most, open, memory_order_relaxed);
}

/* Handles the whole body; from here on the request is a call. */
static enum MHD_Result begin(struct served *served, const char *method)
{
    struct sim *sim = served->sim;
    served->facts.started_us = sim_wall_us();
    served->started_ms = sim->now_ms;
    make_request_id(served);
    judging_decide(served, method);
    buf_done(&served->body);
    if (served->operation != OPERATION_ANY) /* other requests are not calls */
        serving_begin(served);
    int64_t latency_ms = served->refusal.type == NULL ? served->plan.latency_ms : 0;
    served->stage = STAGE_WAITING;
    if (served->refusal.type == NULL && served->plan.fault == FAULT_STALL) {
        latency_ms = sim->config->stall_ms;
        served->fault_done = true;
    }
    if (latency_ms > 0) {
        sim_wait(served, sim->now_ms + latency_ms);
        return MHD_YES;
    }
    return writing_start(served);
}

static void add_stats(struct buf *buf, struct sim *sim)
{
    struct sim_stats stats;
    counters_read(&sim->counters, &stats);
    buf_addf(buf,
             "{\"calls\":%lld,\"ok\":%lld,\"errors\":%lld,\"gone\":%lld,\"open\":%lld,"
             "\"open_most\":%lld,\"input_tokens\":%lld,\"output_tokens\":%lld,\"faults\":{",
             (long long)stats.calls, (long long)stats.ok, (long long)stats.errors,
             (long long)stats.gone, (long long)stats.open, (long long)stats.open_most,
             (long long)stats.input_tokens, (long long)stats.output_tokens);
    bool is_first = true;
    for (int fault = FAULT_NONE + 1; fault < FAULT_COUNT; fault++) {
        if (stats.faults[fault] == 0)
            continue;
        buf_addf(buf, "%s\"%s\":%lld", is_first ? "" : ",", FAULTS[fault].word,
                 (long long)stats.faults[fault]);
        is_first = false;
    }
    buf_add_text(buf, "}}\n");
}

static enum MHD_Result give_stats(struct served *served)
{
    buf_init(&served->out, STATS_BYTES_MAX);
    add_stats(&served->out, served->sim);
    return writing_text(served, 200, "application/json", buf_slice(&served->out));
}

/* Handles the whole head. */
static enum MHD_Result read_head(struct served *served, const char *method)
{
    struct sim *sim = served->sim;
    judging_find_operation(served, method);
    served->stage = STAGE_BODY;
    if (served->operation == OPERATION_ANY ||
        plan_early(&sim->planner, served->model, served->operation) == FAULT_NONE)
        return MHD_YES;
    served->facts.started_us = sim_wall_us();
    served->started_ms = sim->now_ms;
    served->plan.fault = FAULT_RESET_EARLY;
    make_request_id(served);
    serving_begin(served);
    writing_reset(served);
    return MHD_NO;
}

static void take_body(struct served *served, const char *data, size_t len)
{
    if (!served->too_large)
        buf_add(&served->body, slice_of(data, len));
    if (served->body.failed != OK) {
        served->too_large = true;
        buf_done(&served->body);
    }
}

enum MHD_Result serving_step(void *self, struct MHD_Connection *connection, const char *url,
                             const char *method, const char *version, const char *data,
                             size_t *data_len, void **context)
{
    struct served *served = *context;
    (void)self;
    (void)connection;
    (void)url;
    (void)version;
    if (served == NULL || atomic_load_explicit(&served->sim->stopping, memory_order_relaxed))
        return MHD_NO;
    switch (served->stage) {
    case STAGE_HEAD:
        return read_head(served, method);
    case STAGE_BODY:
        if (*data_len > 0) {
            take_body(served, data, *data_len);
            *data_len = 0;
            return MHD_YES;
        }
        if (slice_equal(served->path, SLICE("/_sim/stats")))
            return give_stats(served);
        return begin(served, method);
    case STAGE_WAITING:
        return served->gone ? MHD_NO : writing_start(served);
    case STAGE_RAW:
        return served->gone ? MHD_NO : writing_raw(served);
    case STAGE_WRITING:
    case STAGE_ENDED:
    default:
        return MHD_NO;
    }
}

/* Has the client closed or reset the connection? Leaves bytes of a next request in the socket. */
static bool is_client_gone(const struct served *served)
{
    char byte;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(served->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (info == NULL)
        return false;
    ssize_t got = recv(info->connect_fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
}

void serving_wake(struct served *served)
{
    /* In a stream, sending the next frame finds out. */
    bool is_writing = served->stage == STAGE_WRITING && served->sim->now_ms >= served->due_ms;
    served->gone = !is_writing && is_client_gone(served);
    if (!served->gone && served->sim->now_ms < served->due_ms) {
        sim_wait(served, served->due_ms);
        return;
    }
    served->suspended = false;
    MHD_resume_connection(served->connection);
}

/* The outcome for the ledger. */
static const char *outcome_of(const struct served *served, bool whole)
{
    enum fault fault = served->plan.fault;
    bool planned = fault != FAULT_NONE && !writing_is_right(fault);
    if (served->refusal.type != NULL)
        return served->refusal.type;
    if (planned && (served->cut || served->fault_done || whole))
        return FAULTS[fault].kind == FAULT_KIND_STATUS ? FAULTS[fault].type : FAULTS[fault].word;
    if (whole)
        return "ok";
    if (atomic_load_explicit(&served->sim->stopping, memory_order_relaxed))
        return "stopped";
    return "client_gone";
}

/* The tokens that the call bills: a model that has begun costs, whether or not its output arrives.
 */
static void bill(struct served *served, bool whole)
{
    const struct plan *plan = &served->plan;
    struct journal_call *facts = &served->facts;
    enum fault_costs costs = FAULTS[plan->fault].costs;
    size_t total = plan_bytes(plan);
    bool is_stream = OPERATIONS[served->operation].streams;
    if (served->refusal.type != NULL || costs == FAULT_COSTS_NOTHING ||
        plan->stop_reason.len == 0 || served->operation == OPERATION_COUNT_TOKENS)
        return;
    if (is_stream && !whole)
        costs = costs == FAULT_COSTS_ALL ? FAULT_COSTS_SENT : costs;
    facts->billed = true;
    facts->input_tokens = plan->input_tokens + plan->cache_read + plan->cache_write;
    facts->cache_read_tokens = plan->cache_read;
    facts->cache_write_tokens = plan->cache_write;
    facts->cache_write_1h_tokens = plan->cache_long;
    if (costs == FAULT_COSTS_ALL)
        facts->output_tokens = plan->output_tokens;
    else if (costs == FAULT_COSTS_SENT && served->stream.given >= total)
        facts->output_tokens = plan->output_tokens;
    else if (costs == FAULT_COSTS_SENT)
        facts->output_tokens =
            (int64_t)((double)plan->output_tokens * (double)served->stream.given / (double)total);
}

static void count(struct served *served)
{
    struct counters *counters = &served->sim->counters;
    const struct journal_call *facts = &served->facts;
    atomic_fetch_sub_explicit(&counters->open, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&counters->input_tokens, facts->input_tokens, memory_order_relaxed);
    atomic_fetch_add_explicit(&counters->output_tokens, facts->output_tokens, memory_order_relaxed);
    if (strcmp(facts->outcome, "ok") == 0)
        atomic_fetch_add_explicit(&counters->ok, 1, memory_order_relaxed);
    if (strcmp(facts->outcome, "client_gone") == 0)
        atomic_fetch_add_explicit(&counters->gone, 1, memory_order_relaxed);
    if (facts->status != 0 && facts->status != 200)
        atomic_fetch_add_explicit(&counters->errors, 1, memory_order_relaxed);
    if (served->plan.fault != FAULT_NONE)
        atomic_fetch_add_explicit(&counters->faults[served->plan.fault], 1, memory_order_relaxed);
}

static void end_call(struct served *served, bool whole)
{
    struct sim *sim = served->sim;
    struct journal_call *facts = &served->facts;
    facts->ended_us = sim_wall_us();
    facts->outcome = outcome_of(served, whole);
    facts->fault = served->plan.fault != FAULT_NONE ? FAULTS[served->plan.fault].word : NULL;
    facts->whole = whole;
    bill(served, whole);
    struct quota_usage usage = {facts->input_tokens, facts->cache_read_tokens,
                                facts->output_tokens};
    if (served->bucket != NULL)
        quota_end(served->bucket, served->reserved_tokens, &usage);
    count(served);
    journal_end(&sim->journal, facts, sim->now_ms);
}

void serving_ended(void *self, struct MHD_Connection *connection, void **context,
                   enum MHD_RequestTerminationCode code)
{
    struct served *served = *context;
    (void)self;
    (void)connection;
    *context = NULL;
    if (served == NULL)
        return;
    if (served->begun)
        end_call(served, code == MHD_REQUEST_TERMINATED_COMPLETED_OK && !served->cut);
    timers_stop(&served->sim->timers, &served->timer);
    link_out(&served->link);
    buf_done(&served->body);
    buf_done(&served->out);
    buf_done(&served->tail);
    arena_done(&served->arena);
    memory_free(served);
}
