#include "app/settings/tracing.h"

#include <string.h>

#include "app/settings/learn.h"
#include "app/settings/pairs.h"
#include "wire/bedrock/endpoint.h"

#define TRACING_BYTES_MAX ((size_t)64 * 1024)
#define TRACES_PATH       "/v1/traces"
#define LANGSMITH_URL     "https://api.smith.langchain.com"
#define LANGSMITH_PATH    "/otel/v1/traces"

/* What is read, and from where. */
struct reading {
    struct tracing *tracing;
    const struct settings *settings;
    struct environment environment;
    bool is_out_of_memory;
};

static struct slice variable(const struct reading *reading, const char *name)
{
    return slice_trim(slice_of_text(reading->environment.get(reading->environment.self, name)));
}

static bool is_true(const struct reading *reading, const char *name)
{
    return slice_equal_nocase(variable(reading, name), SLICE("true"));
}

static void ignore(struct reading *reading, const char *name, const char *fault)
{
    struct tracing *tracing = reading->tracing;
    if (tracing->ignored_count < TRACING_IGNORED_MAX) {
        tracing->ignored[tracing->ignored_count].name = name;
        tracing->ignored[tracing->ignored_count++].fault = fault;
    }
}

static struct slice keep(struct reading *reading, struct slice text)
{
    struct slice copy = SLICE_NULL;
    if (!arena_copy(&reading->tracing->arena, text, &copy))
        reading->is_out_of_memory = true;
    return copy;
}

static void take_headers(struct reading *reading, struct slice list, const char *name)
{
    struct buf headers OWNED_BY(buf_done);
    buf_init(&headers, PAIRS_BYTES_MAX);
    if (pairs_add_headers(list, &headers))
        reading->tracing->headers = keep(reading, buf_slice(&headers));
    else
        ignore(reading, name, "is not a list such as name=value,name=value");
}

/* ---- the collector ---- */

/* Takes a URL with `path` behind it. False: it is no URL. */
static bool take_url(struct reading *reading, struct slice url, const char *path)
{
    struct endpoint endpoint;
    struct buf whole OWNED_BY(buf_done);
    buf_init(&whole, ENDPOINT_URL_MAX);
    while (path[0] != '\0' && slice_ends(url, SLICE("/")))
        url.len--;
    buf_add(&whole, url);
    buf_add_text(&whole, path);
    if (whole.failed != OK || endpoint_read(buf_slice(&whole), &endpoint) != OK)
        return false;
    reading->tracing->url = keep(reading, buf_slice(&whole));
    return true;
}

static void turn_on(struct reading *reading, const char *source)
{
    reading->tracing->is_on = true;
    reading->tracing->source = source;
}

/* True: the settings say where spans go, or that they go nowhere. */
static bool read_settings(struct reading *reading)
{
    const struct settings *settings = reading->settings;
    struct endpoint endpoint;
    struct slice url = settings->telemetry_traces_endpoint;
    if (url.len == 0 || slice_equal_text(url, "off"))
        return url.len > 0;
    bool has_path = endpoint_read(url, &endpoint) == OK && endpoint.base_path.len > 0;
    if (take_url(reading, url, has_path ? "" : TRACES_PATH))
        turn_on(reading, "telemetry.traces.endpoint");
    take_headers(reading, settings->telemetry_traces_headers, "telemetry.traces.headers");
    return true;
}

/* OpenTelemetry's variable for traces, or else for all signals. */
static struct slice otel(const struct reading *reading, const char *own, const char *common,
                         const char **ret_name)
{
    struct slice value = variable(reading, own);
    *ret_name = value.len > 0 ? own : common;
    return value.len > 0 ? value : variable(reading, common);
}

static bool has_exporter(struct reading *reading)
{
    struct slice exporter = variable(reading, "OTEL_TRACES_EXPORTER");
    const char *name;
    struct slice protocol =
        otel(reading, "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL", &name);
    if (is_true(reading, "OTEL_SDK_DISABLED") || slice_equal_text(exporter, "none"))
        return false;
    if (exporter.len > 0 && !slice_equal_text(exporter, "otlp"))
        ignore(reading, "OTEL_TRACES_EXPORTER", "names no exporter of this worker (otlp, none)");
    if (protocol.len > 0 && !slice_equal_text(protocol, "http/protobuf"))
        ignore(reading, name, "names no protocol of this worker (http/protobuf)");
    return true;
}

static bool read_otel(struct reading *reading)
{
    const char *name;
    struct slice url =
        otel(reading, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT", &name);
    bool is_own = strcmp(name, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") == 0;
    if (url.len == 0)
        return false;
    if (!has_exporter(reading))
        return true;
    if (!take_url(reading, url, is_own ? "" : TRACES_PATH)) {
        ignore(reading, name, "is not a URL such as http://collector:4318");
        return false;
    }
    turn_on(reading, name);
    struct slice headers =
        otel(reading, "OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS", &name);
    take_headers(reading, headers, name);
    return true;
}

static void read_langsmith(struct reading *reading)
{
    struct slice url = variable(reading, "LANGSMITH_ENDPOINT");
    struct slice key = variable(reading, "LANGSMITH_API_KEY");
    struct slice project = variable(reading, "LANGSMITH_PROJECT");
    if (!is_true(reading, "LANGSMITH_TRACING"))
        return;
    if (key.len == 0 || !pairs_is_header_value(key) || !pairs_is_header_value(project)) {
        ignore(reading, "LANGSMITH_TRACING", "needs LANGSMITH_API_KEY, a text of one line");
        return;
    }
    if (!take_url(reading, url.len > 0 ? url : SLICE(LANGSMITH_URL), LANGSMITH_PATH)) {
        ignore(reading, "LANGSMITH_ENDPOINT", "is not a URL such as " LANGSMITH_URL);
        return;
    }
    struct buf headers OWNED_BY(buf_done);
    buf_init(&headers, PAIRS_BYTES_MAX);
    buf_addf(&headers, "x-api-key: %.*s\r\n", SLICE_ARG(key));
    if (project.len > 0)
        buf_addf(&headers, "Langsmith-Project: %.*s\r\n", SLICE_ARG(project));
    reading->tracing->headers = keep(reading, buf_slice(&headers));
    reading->tracing->spans.is_for_llm = true;
    turn_on(reading, "LANGSMITH_TRACING");
}

/* ---- how much ---- */

static void read_sampler(struct reading *reading)
{
    struct spans_config *spans = &reading->tracing->spans;
    struct slice sampler = variable(reading, "OTEL_TRACES_SAMPLER");
    struct slice ratio = variable(reading, "OTEL_TRACES_SAMPLER_ARG");
    if (slice_starts(sampler, SLICE("parentbased_")))
        sampler = slice_sub(sampler, strlen("parentbased_"), sampler.len);
    if (slice_equal_text(sampler, "always_off"))
        spans->ratio = 0;
    else if (slice_equal_text(sampler, "traceidratio") && ratio.len > 0 &&
             !pairs_read_ratio(ratio, &spans->ratio))
        ignore(reading, "OTEL_TRACES_SAMPLER_ARG", "is not a number from 0 to 1");
    else if (sampler.len > 0 && !slice_equal_text(sampler, "always_on") &&
             !slice_equal_text(sampler, "traceidratio"))
        ignore(reading, "OTEL_TRACES_SAMPLER", "names no sampler of this worker");
}

static void read_amount(struct reading *reading)
{
    const struct settings *settings = reading->settings;
    struct spans_config *spans = &reading->tracing->spans;
    spans->ratio = 1;
    read_sampler(reading);
    (void)pairs_read_ratio(settings->telemetry_traces_sample, &spans->ratio);
    spans->prompts =
        settings->telemetry_traces_content && !is_true(reading, "LANGSMITH_HIDE_INPUTS");
    spans->answers =
        settings->telemetry_traces_content && !is_true(reading, "LANGSMITH_HIDE_OUTPUTS");
}

/* ---- the resource ---- */

static void add_attribute(struct reading *reading, struct slice name, struct slice value)
{
    struct otlp_resource *resource = &reading->tracing->spans.resource;
    for (size_t i = 0; i < resource->count; i++)
        if (slice_equal_text(name, reading->tracing->resource[i].name))
            return;
    if (resource->count == TRACING_ATTRIBUTES_MAX || name.len == 0 || value.ptr == NULL)
        return;
    const char *kept = keep(reading, name).ptr;
    if (kept == NULL)
        return;
    reading->tracing->resource[resource->count++] =
        (struct span_attribute){.name = kept, .text = value};
}

static void add_attributes(struct reading *reading)
{
    struct slice list = variable(reading, "OTEL_RESOURCE_ATTRIBUTES"), name, value;
    bool is_wrong = false;
    while (pairs_next(&list, &name, &value, &is_wrong)) {
        struct buf text OWNED_BY(buf_done);
        buf_init(&text, PAIRS_BYTES_MAX);
        pairs_add_decoded(&text, value);
        add_attribute(reading, name, keep(reading, buf_slice(&text)));
    }
    if (is_wrong)
        ignore(reading, "OTEL_RESOURCE_ATTRIBUTES", "is not a list such as name=value,name=value");
}

/* The first of a name wins. */
static void read_resource(struct reading *reading, struct slice instance)
{
    struct tracing *tracing = reading->tracing;
    struct slice service = variable(reading, "OTEL_SERVICE_NAME");
    tracing->spans.resource.attributes = tracing->resource;
    tracing->spans.resource.version = SLICE(BEDROCK_VERSION);
    if (service.len > 0)
        add_attribute(reading, SLICE("service.name"), keep(reading, service));
    add_attributes(reading);
    add_attribute(reading, SLICE("service.name"), SLICE("bedrock-worker"));
    add_attribute(reading, SLICE("service.version"), SLICE(BEDROCK_VERSION));
    add_attribute(reading, SLICE("service.instance.id"), instance);
}

bool tracing_make(struct tracing *ret_tracing, const struct settings *settings,
                  struct slice instance, struct environment environment)
{
    memset(ret_tracing, 0, sizeof *ret_tracing);
    arena_init(&ret_tracing->arena, TRACING_BYTES_MAX);
    struct reading reading = {
        .tracing = ret_tracing, .settings = settings, .environment = environment};
    if (!read_settings(&reading) && !read_otel(&reading))
        read_langsmith(&reading);
    if (ret_tracing->is_on) {
        learn_headers(ret_tracing->headers);
        read_amount(&reading);
        read_resource(&reading, instance);
    }
    return !reading.is_out_of_memory;
}

void tracing_done(struct tracing *tracing)
{
    arena_wipe(&tracing->arena);
}
