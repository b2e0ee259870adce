#include "app/worker.h"

#include <stdio.h>
#include <string.h>

#include "app/exit_code.h"
#include "app/pages/pages.h"
#include "base/check.h"
#include "base/memory.h"
#include "io/aws/credentials.h"
#include "io/kafka/library.h"

struct worker {
    struct assembly assembly;
    struct io *io;
    struct engine *engine;
    struct pages pages;
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

static void log_start(const struct worker *worker)
{
    const struct engine_config *engine = &worker->assembly.engine;
    const struct log_field started[] = {
        FIELD_TEXT("version", SLICE(BEDROCK_VERSION)),
        FIELD_TEXT("group", engine->output.group_id),
        FIELD_TEXT("transactional_id", engine->transactional_id),
        FIELD_TEXT("guarantee",
                   engine->exactly_once ? SLICE("exactly_once") : SLICE("at_least_once")),
        FIELD_TEXT("region", engine->region),
    };
    log_line(worker, LOG_STARTED, started, COUNT_OF(started));
    struct memory_bound bound;
    assembly_memory_bound(&worker->assembly, &bound);
    const struct log_field memory[] = {
        FIELD_INT("bytes", (int64_t)bound.total_bytes),
        FIELD_INT("held_bytes", (int64_t)bound.held_bytes),
        FIELD_INT("calls_bytes", (int64_t)bound.calls_bytes),
        FIELD_INT("kafka_bytes", (int64_t)bound.kafka_bytes),
    };
    log_line(worker, LOG_MEMORY_BOUND, memory, COUNT_OF(memory));
    log_pages(worker);
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

/* Makes io and the engine. False: ret_reason says why. */
static bool make_parts(struct worker *worker, char *ret_reason)
{
    worker->pages.metrics = metrics_new();
    worker->assembly.engine.metrics = worker->pages.metrics;
    worker->assembly.io.server.answer = pages_answer;
    worker->assembly.io.server.self = &worker->pages;
    worker->io = io_new(&worker->assembly.io, ret_reason, ASSEMBLY_REASON_MAX);
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
    worker->assembly.io.handle_signals = options->handle_signals;
    worker->assembly.io.log.write = options->log;
    worker->assembly.io.log.self = options->log_self;
    if (!is_made || !make_parts(worker, ret_reason)) {
        worker_free(worker);
        return NULL;
    }
    return worker;
}

/* Gives the engine its first credentials, which it copies. */
static void give_credentials(const struct worker *worker)
{
    struct credentials_store store OWNED_BY(credentials_done);
    credentials_init(&store);
    enum err err = credentials_load(&store, &worker->assembly.aws);
    engine_credentials(worker->engine, err == OK ? &store.credentials : NULL,
                       err == ERR_NO_CREDENTIALS ? slice_of_text(store.reason)
                                                 : slice_of_text(err_words(err)));
}

int worker_run(struct worker *worker)
{
    log_start(worker);
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
    metrics_free(worker->pages.metrics);
    assembly_done(&worker->assembly);
    memory_free(worker);
}
