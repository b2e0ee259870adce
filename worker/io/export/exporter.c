#include "io/export/exporter.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"

#define PAUSE_MIN_MS    1000
#define PAUSE_MAX_MS    30000
#define ANSWER_MAX      ((size_t)16 * 1024) /* read of a collector's answer */
#define HEADERS_MAX_LEN ((size_t)16 * 1024)
#define BODY_MAX        ((size_t)32 * 1024 * 1024)
#define REASON_MAX      128

enum exporter_step_kind { EXPORTER_IDLE, EXPORTER_SENDING, EXPORTER_RESTING };

struct exporter {
    struct exporter_config config;
    struct exchange_channel *channel;
    struct random random;
    enum exporter_step_kind step;
    struct call_ref ref;
    struct http_request request;
    struct buf headers, body; /* of the batch under way */
    size_t count;             /* its spans */
    int64_t first_ms;         /* when it was first sent */
    uint32_t tries;
    int64_t
        due_ms; /* SENDING: the request's deadline; RESTING: when to send again; IDLE: a batch */
    int64_t now_ms;
    bool is_hurrying;
    int status; /* of the answer under way */
    int64_t retry_after_ms;
    struct buf answer;
    char reason[REASON_MAX];
    uint64_t trouble; /* spans lost since it was last asked */
};

/* ---- the end of a batch ---- */

static void batch_done(struct exporter *exporter)
{
    buf_done(&exporter->body);
    exporter->count = 0;
    exporter->step = EXPORTER_IDLE;
    exporter->due_ms = exporter->now_ms + EXPORTER_INTERVAL_MS;
}

static void batch_failed(struct exporter *exporter, enum spans_outcome outcome)
{
    spans_end(exporter->config.spans, outcome, exporter->count);
    exporter->trouble += exporter->count;
    batch_done(exporter);
}

/* The collector took it, or part of it. */
static void batch_taken(struct exporter *exporter)
{
    size_t rejected = otlp_rejected(buf_slice(&exporter->answer), exporter->count);
    spans_end(exporter->config.spans, SPANS_SENT, exporter->count - rejected);
    spans_end(exporter->config.spans, SPANS_REJECTED, rejected);
    if (rejected > 0)
        (void)snprintf(exporter->reason, sizeof exporter->reason, "it rejects some of them");
    exporter->trouble += rejected;
    batch_done(exporter);
}

/* Between half and all of a pause that doubles, and at least what the collector asks for. */
static int64_t pause_of(struct exporter *exporter)
{
    int64_t pause_ms = PAUSE_MIN_MS;
    for (uint32_t i = 1; i < exporter->tries && pause_ms < PAUSE_MAX_MS; i++)
        pause_ms *= 2;
    pause_ms = pause_ms < PAUSE_MAX_MS ? pause_ms : PAUSE_MAX_MS;
    pause_ms = pause_ms / 2 + (int64_t)random_below(&exporter->random, (uint64_t)pause_ms / 2 + 1);
    return exporter->retry_after_ms > pause_ms ? exporter->retry_after_ms : pause_ms;
}

static void send_later(struct exporter *exporter)
{
    int64_t again_ms = exporter->now_ms + pause_of(exporter);
    if (exporter->is_hurrying || again_ms - exporter->first_ms > EXPORTER_GIVE_UP_MS) {
        batch_failed(exporter, SPANS_LOST);
        return;
    }
    exporter->step = EXPORTER_RESTING;
    exporter->due_ms = again_ms;
}

static bool is_passing(int status)
{
    return status == 429 || status == 502 || status == 503 || status == 504;
}

/* ---- the channel's events ---- */

static void on_head(void *self, struct call_ref ref, int status, struct slice head)
{
    struct exporter *exporter = self;
    (void)ref;
    exporter->status = status;
    exporter->retry_after_ms = http_retry_after_ms(head, 0);
}

/* More than the limit is not read: the answer is then unreadable, which is not an error. */
static void on_body(void *self, struct call_ref ref, struct slice bytes)
{
    (void)ref;
    buf_add(&((struct exporter *)self)->answer, bytes);
}

static void on_ended(void *self, struct call_ref ref, const struct call_end *end)
{
    struct exporter *exporter = self;
    (void)ref;
    if (exporter->status == 0 || (end->err != OK && exporter->status / 100 == 2)) {
        (void)snprintf(exporter->reason, sizeof exporter->reason, "%.*s", SLICE_ARG(end->words));
        send_later(exporter);
        return;
    }
    if (exporter->status / 100 == 2) {
        batch_taken(exporter);
        return;
    }
    (void)snprintf(exporter->reason, sizeof exporter->reason, "it answers with status %d",
                   exporter->status);
    if (is_passing(exporter->status))
        send_later(exporter);
    else
        batch_failed(exporter, SPANS_REJECTED);
}

/* ---- sending ---- */

static void send_batch(struct exporter *exporter)
{
    exporter->ref.generation++;
    exporter->tries++;
    exporter->status = 0;
    exporter->retry_after_ms = -1;
    buf_reset(&exporter->answer);
    exporter->request = (struct http_request){
        .url = exporter->config.url,
        .headers = buf_slice(&exporter->headers),
        .body = buf_slice(&exporter->body),
    };
    exporter->step = EXPORTER_SENDING;
    exporter->due_ms = exporter->now_ms + EXPORTER_TIMEOUT_MS;
    http_start(exporter->channel, exporter->ref, &exporter->request);
}

static void begin_batch(struct exporter *exporter)
{
    size_t waiting = spans_waiting(exporter->config.spans);
    if (waiting == 0) {
        exporter->due_ms = exporter->now_ms + EXPORTER_INTERVAL_MS;
        return;
    }
    bool is_due = exporter->now_ms >= exporter->due_ms || exporter->is_hurrying;
    if (waiting < SPANS_BATCH_MAX && !is_due)
        return;
    buf_reset(&exporter->body);
    exporter->count = spans_take(exporter->config.spans, &exporter->body);
    exporter->first_ms = exporter->now_ms;
    exporter->tries = 0;
    if (exporter->count > 0)
        send_batch(exporter);
    else
        batch_done(exporter);
}

int64_t exporter_step(struct exporter *exporter, int64_t now_ms)
{
    exporter->now_ms = now_ms;
    bool is_due = now_ms >= exporter->due_ms;
    if (exporter->step == EXPORTER_SENDING && is_due) {
        (void)http_cancel(exporter->channel, exporter->ref);
        (void)snprintf(exporter->reason, sizeof exporter->reason, "it did not answer within %d s",
                       EXPORTER_TIMEOUT_MS / 1000);
        exporter->retry_after_ms = -1;
        send_later(exporter);
    } else if (exporter->step == EXPORTER_RESTING && exporter->is_hurrying) {
        batch_failed(exporter, SPANS_LOST);
    } else if (exporter->step == EXPORTER_RESTING && is_due) {
        send_batch(exporter);
    }
    if (exporter->step == EXPORTER_IDLE)
        begin_batch(exporter);
    return exporter->due_ms;
}

void exporter_hurry(struct exporter *exporter)
{
    exporter->is_hurrying = true;
}

bool exporter_is_busy(const struct exporter *exporter)
{
    return exporter->step != EXPORTER_IDLE || spans_waiting(exporter->config.spans) > 0;
}

const char *exporter_trouble(struct exporter *exporter, uint64_t *ret_count)
{
    *ret_count = exporter->trouble;
    exporter->trouble = 0;
    return *ret_count == 0 ? NULL : exporter->reason;
}

/* ---- birth and end ---- */

struct exporter *exporter_new(struct http *http, const struct exporter_config *config)
{
    struct exporter *exporter = memory_new(sizeof *exporter);
    if (exporter == NULL)
        return NULL;
    struct exchange_hearer hearer = {
        .self = exporter, .head = on_head, .body = on_body, .ended = on_ended};
    exporter->config = *config;
    exporter->due_ms = INT64_MIN;
    random_init(&exporter->random, config->seed);
    buf_init(&exporter->headers, HEADERS_MAX_LEN);
    buf_init(&exporter->body, BODY_MAX);
    buf_init(&exporter->answer, ANSWER_MAX);
    buf_add(&exporter->headers, SLICE("Content-Type: application/x-protobuf\r\n"));
    buf_add(&exporter->headers, config->headers);
    exporter->channel = http_channel_open(http, &hearer, 1);
    if (exporter->channel != NULL && exporter->headers.failed == OK)
        return exporter;
    exporter_free(exporter);
    return NULL;
}

void exporter_free(struct exporter *exporter)
{
    if (exporter == NULL)
        return;
    buf_done(&exporter->headers);
    buf_done(&exporter->body);
    buf_done(&exporter->answer);
    memory_free(exporter);
}
