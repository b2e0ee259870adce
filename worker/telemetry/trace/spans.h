/* The spans that wait for their collector: a bounded queue in memory, which drops and counts what
 * it has no room for, so it delays nothing. The engine adds, io's exporter takes; one
 * thread. */
#ifndef TELEMETRY_TRACE_SPANS_H
#define TELEMETRY_TRACE_SPANS_H

#include "telemetry/trace/otlp.h"

#define SPANS_MAX             2048
#define SPANS_BYTES_MAX       ((size_t)16 * 1024 * 1024)
#define SPANS_BATCH_MAX       512
#define SPANS_BATCH_BYTES_MAX ((size_t)4 * 1024 * 1024)

/* What became of a span. */
enum spans_outcome {
    SPANS_SENT,
    SPANS_DROPPED,  /* the queue was full, or there was no memory */
    SPANS_REJECTED, /* by the collector */
    SPANS_LOST,     /* the collector could not be reached in time */
    SPANS_OUTCOME_COUNT
};

/* How spans are made; borrowed. */
struct spans_config {
    double ratio;          /* of the traces that begin here, 0 to 1 */
    bool prompts, answers; /* … go out, too */
    bool is_for_llm;       /* with LangSmith's marks */
    struct otlp_resource resource;
};

struct spans;

/* NULL: no memory. */
MUST_CHECK struct spans *spans_new(const struct spans_config *config);
void spans_free(struct spans *spans); /* NULL is fine */
const struct spans_config *spans_config(const struct spans *spans);
/* Writes and keeps a span, or drops it. */
void spans_add(struct spans *spans, const struct span *span);
/* Number of spans that wait. */
size_t spans_waiting(const struct spans *spans);
/* Moves the oldest spans, at most SPANS_BATCH_MAX, into the body of a request. Returns their
 * number; 0: there is none, or no memory, and the batch was dropped. */
size_t spans_take(struct spans *spans, struct buf *ret_body);
/* Counts what became of spans that were taken. */
void spans_end(struct spans *spans, enum spans_outcome outcome, size_t count);
uint64_t spans_count(const struct spans *spans, enum spans_outcome outcome);
/* A word for people and metrics; a constant. */
const char *spans_outcome_word(enum spans_outcome outcome);

#endif
