/* Where spans go and how many are made: by the settings (telemetry.traces), else by OpenTelemetry's
 * variables (OTEL_*), else by LangSmith's (LANGSMITH_*). The first of them that names a collector
 * decides about endpoint and headers; none means that no span is made. A variable with a wrong
 * value is ignored, as OpenTelemetry asks, and named in `ignored`. Source: OpenTelemetry, "SDK
 * environment variables" and "OTLP exporter"; LangSmith, "Trace with OpenTelemetry". */
#ifndef APP_SETTINGS_TRACING_H
#define APP_SETTINGS_TRACING_H

#include "app/settings/settings.h"
#include "telemetry/trace/spans.h"

#define TRACING_IGNORED_MAX    8
#define TRACING_ATTRIBUTES_MAX 16

struct tracing {
    bool is_on;
    struct slice url, headers; /* as struct exporter_config */
    const char *source;        /* for people: "telemetry.traces", the variable's name */
    struct spans_config spans;
    struct span_attribute resource[TRACING_ATTRIBUTES_MAX];
    struct {
        const char *name, *fault; /* constants */
    } ignored[TRACING_IGNORED_MAX];
    size_t ignored_count;
    struct arena arena; /* its texts, which may be secret */
};

/* Fills *ret_tracing; `instance` names this worker and is borrowed. False: no memory. Call
 * tracing_done in any case. */
MUST_CHECK bool tracing_make(struct tracing *ret_tracing, const struct settings *settings,
                             struct slice instance, struct environment environment);
void tracing_done(struct tracing *tracing);

#endif
