/* Spans: pieces of a trace that have ended, as their maker describes them, and the context of a
 * trace as W3C writes it (Trace Context, level 1: traceparent). Everything is borrowed. Pure data;
 * telemetry/trace/otlp.c writes spans, telemetry/trace/spans.h keeps them. */
#ifndef TELEMETRY_TRACE_SPAN_H
#define TELEMETRY_TRACE_SPAN_H

#include "base/random.h"
#include "base/slice.h"

#define SPAN_ATTRIBUTES_MAX 24
#define SPAN_LINKS_MAX      128 /* OpenTelemetry's limit; later ones are counted in the span */
#define TRACEPARENT_LEN     55
#define TRACESTATE_MAX      512

struct trace_id {
    uint8_t bytes[16];
};

struct span_id {
    uint8_t bytes[8]; /* all 0 = none */
};

/* A place in a trace. */
struct span_context {
    struct trace_id trace;
    struct span_id span;
    bool is_sampled;
};

/* As OTLP numbers them. */
enum span_kind { SPAN_CLIENT = 3, SPAN_CONSUMER = 5 };

/* A named value: a number when text is null. */
struct span_attribute {
    const char *name;
    struct slice text;
    int64_t number;
    bool is_list; /* a list of this one text */
};

struct span {
    struct span_context at;
    struct span_id parent;
    bool is_parent_remote; /* the parent was made by another process */
    struct slice state;    /* tracestate; null = none */
    struct slice name;
    enum span_kind kind;
    int64_t start_wall_ms, end_wall_ms;
    struct span_attribute attributes[SPAN_ATTRIBUTES_MAX];
    size_t attribute_count;
    const struct span_context *links;
    size_t link_count;  /* at most SPAN_LINKS_MAX */
    size_t links_left;  /* there were more */
    struct slice error; /* why it failed; null = it did not */
};

/* Reads a traceparent. False: it is none, as W3C says, and *ret_context is unchanged. */
bool span_context_read(struct slice traceparent, struct span_context *ret_context);
/* Writes it, without a NUL. */
void span_context_write(const struct span_context *context, char ret_text[TRACEPARENT_LEN]);
/* New ids, never all 0. */
void trace_id_new(struct trace_id *ret_id, struct random *random);
void span_id_new(struct span_id *ret_id, struct random *random);
bool span_id_is_none(const struct span_id *id);

/* Add an attribute; a null text, and one beyond the limit, is left out. */
void span_add_text(struct span *span, const char *name, struct slice text);
void span_add_list(struct span *span, const char *name, struct slice text);
void span_add_number(struct span *span, const char *name, int64_t number);

#endif
