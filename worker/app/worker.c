#include "app/worker.h"

#include <stdio.h>
#include <string.h>

#include "app/exit_code.h"
#include "app/pages/pages.h"
#include "base/check.h"
#include "base/memory.h"
#include "io/aws/alone.h"
#include "io/aws/chain.h"
#include "io/kafka/library.h"

#define TOPICS_TEXT_MAX 4096
#define SIZE_TEXT_MAX   32

#define PARTITIONS_STAY_MS 2000 /* rebalances come in twos */

struct worker {
    struct assembly assembly;
    struct io *io;
    struct engine *engine;
    struct pages pages;
    const char *settings_file; /* NULL = none */
    struct reload reload;
    struct spans *spans;                 /* NULL = none are made */
    size_t partitions, bound_partitions; /* assigned now, and those of the last memory bound */
    int64_t partitions_ms;               /* since when so many are assigned */
};

static void log_line(const struct worker *worker, enum log_event event,
                     const struct log_field *fields, size_t count)
{
    const struct ports *ports = io_ports(worker->io);
    ports->log(ports->self, event, fields, count);
}

static void log_library(const struct worker *worker)
{
    char name[KAFKA_MECHANISM_MAX];
    struct slice mechanism = kafka_library_mechanism(&worker->assembly.io.kafka, name);
    size_t cursor = 0;
    const struct kafka_lack *lack;
    while ((lack = kafka_library_lack(kafka_library_version(), mechanism, &cursor)) != NULL) {
        const struct log_field fields[] = {
            FIELD_TEXT("library", slice_of_text(kafka_library_version_text())),
            FIELD_TEXT("needed", slice_of_text(lack->needed_text)),
            FIELD_TEXT("consequence", slice_of_text(lack->consequence)),
        };
        log_line(worker, LOG_LIBRARY_OLD, fields, COUNT_OF(fields));
    }
}

static void log_pages(const struct worker *worker)
{
    const char *address = worker->assembly.io.server.address;
    const char *colon = address == NULL ? NULL : strrchr(address, ':');
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, 128);
    if (io_server_port(worker->io) == 0 || colon == NULL)
        return;
    buf_addf(&text, "%.*s:%d", (int)(colon - address), address, io_server_port(worker->io));
    const struct log_field field = FIELD_TEXT("address", buf_slice(&text));
    log_line(worker, LOG_PAGES_SERVED, &field, 1);
}

/* The topics with commas between them. */
static void add_topics(const struct engine_config *engine, struct buf *text)
{
    for (size_t i = 0; i < engine->request_topic_count; i++)
        buf_addf(text, "%s%.*s", i > 0 ? ", " : "", SLICE_ARG(engine->request_topics[i]));
}

/* Where spans go: the collector's host, without what may be secret. */
static void log_traces(const struct worker *worker)
{
    const struct tracing *tracing = &worker->assembly.tracing;
    struct endpoint endpoint;
    for (size_t i = 0; i < tracing->ignored_count; i++) {
        const struct log_field fields[] = {
            FIELD_TEXT("name", slice_of_text(tracing->ignored[i].name)),
            FIELD_TEXT("fault", slice_of_text(tracing->ignored[i].fault))};
        log_line(worker, LOG_TRACES_IGNORED, fields, COUNT_OF(fields));
    }
    if (!tracing->is_on || endpoint_read(tracing->url, &endpoint) != OK)
        return;
    const struct log_field fields[] = {FIELD_TEXT("collector", endpoint.host),
                                       FIELD_TEXT("source", slice_of_text(tracing->source))};
    log_line(worker, LOG_SPANS_SENT_TO, fields, COUNT_OF(fields));
}

static void log_started(const struct worker *worker, const char *keys)
{
    const struct engine_config *engine = &worker->assembly.engine;
    const char *file = worker->settings_file;
    struct buf topics OWNED_BY(buf_done);
    buf_init(&topics, TOPICS_TEXT_MAX);
    add_topics(engine, &topics);
    const struct log_field started[] = {
        FIELD_TEXT("version", SLICE(BEDROCK_VERSION)),
        FIELD_TEXT("group", engine->output.group_id),
        FIELD_TEXT("transactional_id", engine->transactional_id),
        FIELD_TEXT("guarantee",
                   engine->exactly_once ? SLICE("exactly_once") : SLICE("at_least_once")),
        FIELD_TEXT("topics", topics.failed == OK ? buf_slice(&topics) : SLICE("many topics")),
        FIELD_TEXT("brokers", worker->assembly.io.kafka.bootstrap_servers),
        FIELD_TEXT("region", engine->region),
        FIELD_TEXT("endpoint", engine->endpoint_url.len > 0 ? engine->endpoint_url
                                                            : SLICE("AWS's own endpoint")),
        FIELD_TEXT("keys", keys == NULL ? SLICE("nowhere yet") : slice_of_text(keys)),
        FIELD_TEXT("settings", file == NULL             ? SLICE("the defaults")
                               : strcmp(file, "-") == 0 ? SLICE("standard input")
                                                        : slice_of_text(file)),
    };
    log_line(worker, LOG_STARTED, started, COUNT_OF(started));
}

/* Writes 1.7 GiB. */
static struct slice size_text(uint64_t bytes, char room[SIZE_TEXT_MAX])
{
    static const char *const UNITS[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    size_t unit = 0;
    double size = (double)bytes;
    for (; size >= 1024 && unit + 1 < COUNT_OF(UNITS); unit++)
        size /= 1024;
    (void)snprintf(room, SIZE_TEXT_MAX, "%.*f %s", unit > 0, size, UNITS[unit]);
    return slice_of_text(room);
}

static void log_memory(struct worker *worker, size_t partitions)
{
    struct memory_bound bound;
    char total[SIZE_TEXT_MAX], held[SIZE_TEXT_MAX], calls[SIZE_TEXT_MAX], kafka[SIZE_TEXT_MAX];
    worker->bound_partitions = partitions;
    assembly_memory_bound(&worker->assembly, partitions, &bound);
    const struct log_field memory[] = {
        FIELD_TEXT("total", size_text(bound.total_bytes, total)),
        FIELD_TEXT("held", size_text(bound.held_bytes, held)),
        FIELD_TEXT("calls", size_text(bound.calls_bytes, calls)),
        FIELD_TEXT("kafka", size_text(bound.kafka_bytes, kafka)),
        FIELD_INT("partitions", (int64_t)partitions),
        FIELD_INT("bytes", (int64_t)bound.total_bytes),
        FIELD_INT("held_bytes", (int64_t)bound.held_bytes),
        FIELD_INT("calls_bytes", (int64_t)bound.calls_bytes),
        FIELD_INT("kafka_bytes", (int64_t)bound.kafka_bytes),
    };
    log_line(worker, LOG_MEMORY_BOUND, memory, COUNT_OF(memory));
}

static void log_start(struct worker *worker, const char *keys)
{
    log_started(worker, keys);
    log_memory(worker, ASSEMBLY_PARTITIONS);
    log_pages(worker);
    log_traces(worker);
    log_library(worker);
    uint64_t limit, needed;
    if (assembly_has_files(&worker->assembly, &limit, &needed))
        return;
    const struct log_field files[] = {
        FIELD_INT("limit", (int64_t)limit),
        FIELD_INT("needed", (int64_t)needed),
    };
    log_line(worker, LOG_FILE_LIMIT_LOW, files, COUNT_OF(files));
}

/* io_config.add_headline. */
static void add_headline(void *self, struct buf *ret_text)
{
    const struct worker *worker = self;
    struct io_health health;
    io_health(worker->io, &health);
    if (!health.has_joined) {
        buf_add_text(ret_text, health.has_subscribed
                                   ? "Joins its group."
                                   : "Waits for the brokers before it joins its group.");
        return;
    }
    if (health.is_stopping)
        buf_add_text(ret_text, "Stops. ");
    engine_headline(worker->engine, ret_text);
}

/* Logs the memory bound again when the number of partitions has changed and stays. */
static void watch_partitions(struct worker *worker, int64_t now_ms)
{
    struct engine_stats stats;
    engine_stats(worker->engine, &stats);
    if (stats.partitions != worker->partitions) {
        worker->partitions = stats.partitions;
        worker->partitions_ms = now_ms;
    }
    if (worker->partitions > 0 && worker->partitions != worker->bound_partitions &&
        now_ms - worker->partitions_ms >= PARTITIONS_STAY_MS)
        log_memory(worker, worker->partitions);
}

/* io_config.watch. */
static void watch(void *self, int64_t now_ms, bool is_asked)
{
    struct worker *worker = self;
    reload_step(&worker->reload, now_ms, is_asked);
    watch_partitions(worker, now_ms);
    worker->pages.has_wrong_settings = worker->reload.has_failed;
}

/* False: out of memory. */
static bool make_spans(struct worker *worker)
{
    struct assembly *assembly = &worker->assembly;
    if (!assembly->tracing.is_on)
        return true;
    worker->spans = spans_new(&assembly->tracing.spans);
    assembly->engine.spans = worker->spans;
    assembly->io.traces = (struct exporter_config){
        .spans = worker->spans,
        .url = assembly->tracing.url,
        .headers = assembly->tracing.headers,
        .seed = assembly->engine.seed,
    };
    return worker->spans != NULL;
}

/* Makes io and the engine. False: ret_reason says why. */
static bool make_parts(struct worker *worker, int *ret_code, char *ret_reason)
{
    bool is_setting;
    worker->pages.metrics = metrics_new();
    worker->assembly.engine.metrics = worker->pages.metrics;
    worker->assembly.io.server.answer = pages_answer;
    worker->assembly.io.server.self = &worker->pages;
    worker->assembly.io.add_headline = add_headline;
    worker->assembly.io.headline_self = worker;
    worker->assembly.io.watch = watch;
    worker->assembly.io.watch_self = worker;
    if (!make_spans(worker)) {
        (void)snprintf(ret_reason, ASSEMBLY_REASON_MAX, "out of memory");
        return false;
    }
    worker->io = io_new(&worker->assembly.io, ret_reason, ASSEMBLY_REASON_MAX, &is_setting);
    if (is_setting)
        *ret_code = EXIT_USAGE;
    if (worker->io == NULL)
        return false;
    worker->engine = engine_new(&worker->assembly.engine, io_ports(worker->io),
                                clock_monotonic_ms(), clock_wall_ms());
    if (worker->engine == NULL) {
        (void)snprintf(ret_reason, ASSEMBLY_REASON_MAX,
                       "out of memory; lower delivery.max_held or delivery.max_in_flight");
        return false;
    }
    io_attach(worker->io, worker->engine);
    worker->pages.io = worker->io;
    worker->pages.engine = worker->engine;
    worker->reload.io = worker->io;
    worker->reload.engine = worker->engine;
    return true;
}

struct worker *worker_new(const struct settings *settings, const struct worker_options *options,
                          int *ret_code, char *ret_reason)
{
    struct worker *worker = memory_new(sizeof *worker);
    *ret_code = EXIT_FAILED;
    if (worker == NULL) {
        (void)snprintf(ret_reason, ASSEMBLY_REASON_MAX, "out of memory");
        return NULL;
    }
    bool is_made = assembly_make(settings, &worker->assembly, ret_reason);
    if (!is_made)
        *ret_code = EXIT_USAGE;
    worker->settings_file = options->settings_file;
    worker->assembly.io.handle_signals = options->handle_signals;
    worker->assembly.io.log.write = options->log;
    worker->assembly.io.log.self = options->log_self;
    reload_init(&worker->reload, options->origin, settings, &worker->assembly);
    if (!is_made || !make_parts(worker, ret_code, ret_reason)) {
        worker_free(worker);
        return NULL;
    }
    return worker;
}

/* Gives the engine its first credentials, which it copies, if they lie at hand, and logs the start
 * with their source. io finds all others, and says why there are none. */
static void give_credentials(struct worker *worker)
{
    struct keys keys OWNED_BY(keys_done);
    struct search_ports ports;
    struct search search;
    keys_init(&keys);
    quick_ports(&ports);
    search_init(&search, &worker->assembly.aws, &ports);
    enum err err = chain_find_as(&search, &worker->assembly.identities[0], &keys);
    log_start(worker, err == OK              ? keys.source
                      : err == ERR_CANCELLED ? "a source that is being asked"
                                             : NULL);
    if (err == OK)
        engine_credentials(worker->engine, 0, &keys.credentials, SLICE_NULL);
}

int worker_run(struct worker *worker)
{
    give_credentials(worker);
    return io_run(worker->io);
}

void worker_stop(struct worker *worker)
{
    io_stop(worker->io);
}

void worker_free(struct worker *worker)
{
    if (worker == NULL)
        return;
    io_free(worker->io);
    if (worker->engine != NULL)
        engine_free(worker->engine);
    reload_done(&worker->reload);
    spans_free(worker->spans);
    metrics_free(worker->pages.metrics);
    assembly_done(&worker->assembly);
    memory_free(worker);
}
