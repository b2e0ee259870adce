/* Spans in OTLP's protobuf form (OTLP 1.x, "OTLP/HTTP", binary encoding), by libprotobuf-c; the
 * only room that sees it. A span is written once, when it has ended; a request to a collector
 * embeds the written spans as they are. Texts that are not UTF-8 become `?` where they are not. */
#ifndef TELEMETRY_TRACE_OTLP_H
#define TELEMETRY_TRACE_OTLP_H

#include "base/arena.h"
#include "base/buf.h"
#include "telemetry/trace/span.h"

/* What all spans of a process have in common: service.name … */
struct otlp_resource {
    const struct span_attribute *attributes;
    size_t count; /* at most SPAN_ATTRIBUTES_MAX */
    struct slice version;
};

/* A written span. */
struct otlp_span {
    uint8_t *bytes; /* for memory_free */
    size_t len;
};

/* Writes a span; `scratch` is used for the call. False: no memory. */
MUST_CHECK bool otlp_write_span(struct arena *scratch, const struct span *span,
                                struct otlp_span *ret_written);
/* Appends the body of a request to a collector; its failure sticks in the buf. */
void otlp_add_request(struct arena *scratch, const struct otlp_resource *resource,
                      const struct otlp_span *spans, size_t count, struct buf *ret_body);
/* How many of `count` spans a collector's answer says that it rejected; 0 when it is unreadable. */
size_t otlp_rejected(struct slice answer, size_t count);

#endif
