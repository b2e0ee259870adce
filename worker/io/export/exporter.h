/* Sends spans to a collector by OTLP/HTTP: one request at a time over the pool of io/http, as a
 * channel of its own, a batch when SPANS_BATCH_MAX spans wait or EXPORTER_INTERVAL_MS have passed.
 * By the protocol's rules (OTLP 1.x, "OTLP/HTTP response") it sends a batch again after 429, 502,
 * 503, 504 and lost connections, with growing pauses, jitter and Retry-After; what else fails is
 * counted as rejected, and a partial success is never repeated. It delays nothing: while it waits,
 * the queue drops and counts. All in the loop's thread. */
#ifndef IO_EXPORT_EXPORTER_H
#define IO_EXPORT_EXPORTER_H

#include "base/attr.h"
#include "io/http/client.h"
#include "telemetry/trace/spans.h"

#define EXPORTER_INTERVAL_MS 5000
#define EXPORTER_TIMEOUT_MS  10000  /* of one request */
#define EXPORTER_GIVE_UP_MS  120000 /* of one batch */

/* Everything is borrowed until exporter_free. */
struct exporter_config {
    struct spans *spans;
    struct slice url;     /* with a NUL behind it */
    struct slice headers; /* lines `Name: value\r\n` of the settings; may be secret */
    uint64_t seed;        /* for jitter */
};

struct exporter;

/* Opens its channel, for one exchange. NULL: no memory. */
MUST_CHECK struct exporter *exporter_new(struct http *http, const struct exporter_config *config);
/* After http_close. NULL is fine. */
void exporter_free(struct exporter *exporter);
/* Starts what is due; returns when it is to be called again. Call it once per turn. */
int64_t exporter_step(struct exporter *exporter, int64_t now_ms);
/* From now on, spans do not wait for a full batch, and none is sent a second time. */
void exporter_hurry(struct exporter *exporter);
/* Has it anything to send? */
bool exporter_is_busy(const struct exporter *exporter);
/* Why the last batch that did not arrive was given up, once: NULL = nothing new. `ret_count` is
 * how many spans were lost since the last time. */
const char *exporter_trouble(struct exporter *exporter, uint64_t *ret_count);

#endif
