#include "io/io.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/check.h"
#include "base/memory.h"
#include "io/kafka/tokens.h"
#include "io/parts.h"

#define KAFKA_TICK_MS 200 /* longest time between two services of Kafka's rooms */
#define STOP_GRACE_MS                                                                              \
    20000                  /* after the drain's end, for the last commit; then the watchdog acts   \
                            */
#define FLUSH_MS     3000  /* at the end, for offsets and chunks that are on their way */
#define CLOSE_MS     8000  /* for the consumer to leave its group */
#define JOINING_MS   2000  /* the same while the group rebalances: it hears nothing until the end */
#define FREE_MS      30000 /* for everything else */
#define HUNG_FREE_MS 2000  /* the same when the consumer has not left */
#define RESOLVER_MS  2000  /* for running look-ups of names, at the very end */
#define LAST_TURN_MS 20
#define HEADLINE_MAX 2048
#define STALL_MS     100   /* a longer pause of the loop counts as a stall */
#define SPANS_MS     3000  /* at the end, for the last spans */
#define SPANS_LOG_MS 60000 /* between lines about spans that do not arrive */

/* ---- waking ---- */

static void on_wake(uv_async_t *wake)
{
    (void)wake;
}

/* ---- making and unmaking ---- */

static bool loop_make(struct io *io)
{
    if (uv_loop_init(&io->loop) != 0)
        return false;
    io->has_loop = true;
    alarm_init(&io->alarm, &io->loop);
    return uv_async_init(&io->loop, &io->wake, on_wake) == 0;
}

static bool server_make(struct io *io, char *ret_error)
{
    char problem[SERVER_PROBLEM_MAX];
    io->server = server_new(&io->loop, &io->config.server, problem);
    if (io->server == NULL && io->config.server.may_take_next) {
        struct log_field field = FIELD_TEXT("reason", slice_of_text(problem));
        log_sink_add(io->sink, LOG_PAGES_UNSERVED, &field, 1);
        return true;
    }
    io->is_setting_wrong = io->server == NULL;
    if (io->server == NULL)
        (void)snprintf(ret_error, KAFKA_ERROR_MAX, "telemetry.http.address: %s", problem);
    return io->server != NULL;
}

/* The client has room for the engine's calls, the identities' and the exporter's. */
static struct http *http_make(struct io *io)
{
    struct http_config config = io->config.http;
    config.max_in_flight += io_identity_count(io);
    if (io->config.traces.spans != NULL)
        config.max_in_flight++;
    return http_new(&io->loop, &config);
}

static bool exporter_make(struct io *io)
{
    if (io->config.traces.spans == NULL)
        return true;
    io->exporter = exporter_new(io->http, &io->config.traces);
    return io->exporter != NULL;
}

/* Without a budget nothing is read. */
static bool spending_make(struct io *io, struct loop_wake wake, char *ret_error)
{
    if (io->config.spending.since_ms < 0)
        return true;
    io->spending =
        kafka_spending_new(&io->config.kafka, &io->config.spending, io->lines, wake, ret_error);
    return io->spending != NULL;
}

static bool rooms_make(struct io *io, char *ret_error)
{
    const struct kafka_config *kafka = &io->config.kafka;
    struct loop_wake wake = {.wake = io_wake, .self = io};
    notify_open(&io->notify);
    io->sink = log_sink_new(&io->config.log);
    io->watchdog = watchdog_new();
    if (io->sink == NULL || io->watchdog == NULL || !loop_make(io))
        return false;
    signals_ignore_pipe();
    io->signals = (struct signals){.wake = wake,
                                   .stops = &io->stops,
                                   .hurries = &io->hurries,
                                   .hang_ups = &io->hang_ups,
                                   .exit_code = IO_EXIT_STOPPED_AT_ONCE};
    /* Before the first thread starts, because a signal may follow its first log line. */
    if (io->config.handle_signals)
        signals_set(&io->signals);
    if (io->config.server.address != NULL && io->config.server.address[0] != '\0' &&
        !server_make(io, ret_error))
        return false;
    io->http = http_make(io);
    io->releases = memory_new(PARTITIONS_MAX * sizeof *io->releases);
    if (io->http == NULL || io->releases == NULL || !io_calls_make(io) ||
        !io_identities_make(io, wake) || !exporter_make(io) || !io_tokens_make(io))
        return false;
    io->lines = kafka_lines_new(io->sink);
    if (io->lines == NULL)
        return false;
    io->consumer = kafka_consumer_new(kafka, io->lines, wake, ret_error);
    if (io->consumer == NULL)
        return false;
    io->chunks = kafka_chunks_new(kafka, io->lines, wake, ret_error);
    if (io->chunks == NULL)
        return false;
    io->committer = kafka_committer_new(kafka, io->lines, wake, ret_error);
    if (io->committer == NULL)
        return false;
    io->session_ms = kafka_conf_number(kafka, KAFKA_CONSUMER, "session.timeout.ms");
    io->offsets = kafka_offsets_new(kafka, io->consumer, io->sink, wake);
    io->siblings = kafka_siblings_new(kafka, io->consumer, wake);
    io->lookup = kafka_lookup_new(kafka, io->consumer, io->sink, wake);
    io->lags = kafka_lags_new(kafka, io->consumer, io->lookup);
    return io->offsets != NULL && io->siblings != NULL && io->lookup != NULL && io->lags != NULL &&
           spending_make(io, wake, ret_error);
}

struct io *io_new(const struct io_config *config, char *ret_error, size_t room,
                  bool *ret_is_setting)
{
    *ret_is_setting = false;
    char error[KAFKA_ERROR_MAX] = "out of memory or threads";
    struct io *io = memory_new(sizeof *io);
    if (io != NULL) {
        io->config = *config;
        io->made_ms = clock_monotonic_ms();
        io->started_wall_ms = clock_wall_ms();
        io_ports_make(io);
        if (rooms_make(io, error))
            return io;
        *ret_is_setting = io->is_setting_wrong;
        io_free(io);
    }
    (void)snprintf(ret_error, room, "%s", error);
    return NULL;
}

const struct ports *io_ports(struct io *io)
{
    return &io->ports;
}

void io_attach(struct io *io, struct engine *engine)
{
    io->engine = engine;
    identities_attach(io->identities, engine, io->config.identity_count);
    kafka_consumer_attach(io->consumer, engine);
    kafka_offsets_attach(io->offsets, engine);
    kafka_siblings_attach(io->siblings, engine);
    kafka_lookup_attach(io->lookup, engine);
    kafka_lags_attach(io->lags, engine);
    kafka_chunks_attach(io->chunks, engine);
}

static void http_end(struct io *io)
{
    if (io->http == NULL)
        return;
    http_close(io->http);
    while (!http_is_closed(io->http))
        (void)uv_run(&io->loop, UV_RUN_ONCE);
    http_free(io->http);
    io->http = NULL;
}

static void server_end(struct io *io)
{
    if (io->server == NULL)
        return;
    server_close(io->server);
    while (!server_is_closed(io->server))
        (void)uv_run(&io->loop, UV_RUN_ONCE);
    server_free(io->server);
    io->server = NULL;
}

static void loop_end(struct io *io)
{
    if (!io->has_loop)
        return;
    if (io->wake.type == UV_ASYNC)
        uv_close((uv_handle_t *)&io->wake, NULL);
    alarm_close(&io->alarm);
    (void)uv_run(&io->loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&io->loop);
}

/* The exit code of an abnormal end. */
static int exit_code_at_least(const struct io *io)
{
    return io->exit_code != 0 ? io->exit_code : IO_EXIT_STOPPED_AT_ONCE;
}

/* librdkafka does not end a client while its group rebalances. Nothing is left to lose then. */
static void free_begin(struct io *io)
{
    if (io->watchdog == NULL)
        return;
    if (io->has_left_hanging)
        watchdog_set(io->watchdog, HUNG_FREE_MS, io->exit_code);
    else
        watchdog_set(io->watchdog, FREE_MS, exit_code_at_least(io));
}

void io_free(struct io *io)
{
    if (io == NULL)
        return;
    signals_unset(&io->signals);
    free_begin(io);
    if (io->committer != NULL)
        kafka_committer_stop(io->committer);
    server_end(io);
    identities_free(io->identities);
    http_end(io);
    exporter_free(io->exporter);
    kafka_lookup_free(io->lookup);
    kafka_lags_free(io->lags);
    kafka_siblings_free(io->siblings);
    kafka_spending_free(io->spending);
    kafka_offsets_free(io->offsets);
    kafka_committer_free(io->committer);
    kafka_chunks_free(io->chunks);
    kafka_consumer_free(io->consumer);
    kafka_lines_free(io->lines);
    kafka_tokens_free(io->config.kafka.tokens);
    loop_end(io);
    notify_close(&io->notify);
    log_sink_free(io->sink);
    watchdog_free(io->watchdog);
    memory_free(io->releases);
    memory_free(io);
}

/* ---- the turn ---- */

void io_stop(struct io *io)
{
    (void)atomic_fetch_add(&io->stops, 1);
    (void)uv_async_send(&io->wake);
}

static void stop_begin(struct io *io)
{
    if (io->is_stopping)
        return;
    io->is_stopping = true;
    io->stop_until_ms = io->now_ms + io->config.drain_timeout_ms;
    watchdog_set(io->watchdog, io->config.drain_timeout_ms + STOP_GRACE_MS,
                 IO_EXIT_STOPPED_AT_ONCE);
    notify_stopping(&io->notify, io->config.drain_timeout_ms + STOP_GRACE_MS + FREE_MS);
    identities_cancel(io->identities);
    engine_stop(io->engine);
}

/* A second signal: the engine cancels its calls and commits what it can; the handler of signals
 * ends the process soon. */
static void hurry_begin(struct io *io)
{
    if (io->is_hurrying)
        return;
    io->is_hurrying = true;
    io->exit_code = exit_code_at_least(io);
    engine_hurry(io->engine);
}

static void stop_serve(struct io *io)
{
    if (atomic_load(&io->stops) > 0)
        stop_begin(io);
    if (atomic_load(&io->hurries) > 0)
        hurry_begin(io);
}

/* Joins the group once the producer is ready: the worker must not take requests whose results it
 * cannot publish. */
static void join_when_ready(struct io *io)
{
    char error[KAFKA_ERROR_MAX];
    if (io->has_subscribed || io->is_stopping || !kafka_committer_is_ready(io->committer))
        return;
    io->has_subscribed = true;
    io->subscribed_ms = io->now_ms;
    if (kafka_consumer_subscribe(io->consumer, error))
        return;
    struct log_field fields[] = {FIELD_TEXT("client", SLICE("consumer")),
                                 FIELD_TEXT("text", slice_of_text(error))};
    log_sink_add(io->sink, LOG_LIBRDKAFKA_ERROR, fields, COUNT_OF(fields));
    io->exit_code = IO_EXIT_STOPPED_AT_ONCE;
    stop_begin(io);
}

static void batch_take(struct io *io)
{
    struct batch_end end;
    const struct batch *batch = kafka_committer_take(io->committer, &end);
    if (batch == NULL)
        return;
    if (!io->config.kafka.exactly_once && end.outcome == BATCH_COMMITTED) {
        for (size_t i = 0; i < batch->offset_count; i++)
            kafka_offsets_keep(io->offsets, &batch->offsets[i]);
        if (batch->is_last)
            kafka_offsets_commit(io->offsets);
    }
    engine_batch_ended(io->engine, &end);
}

/* Releases partitions whose offsets are committed. Gives up after a while, before the group removes
 * this member. */
static void releases_serve(struct io *io)
{
    int64_t most_ms =
        io->config.drain_timeout_ms > FLUSH_MS ? io->config.drain_timeout_ms : FLUSH_MS;
    size_t left = 0;
    for (size_t i = 0; i < io->release_count; i++) {
        struct release release = io->releases[i];
        int64_t waited_ms = io->now_ms - release.since_ms;
        if (waited_ms >= most_ms)
            kafka_offsets_give_up(io->offsets, release.tenure, waited_ms);
        if (kafka_offsets_holds(io->offsets, release.tenure) &&
            kafka_consumer_part(io->consumer, release.tenure) != NULL)
            io->releases[left++] = release;
        else
            kafka_consumer_release(io->consumer, release.tenure);
    }
    io->release_count = left;
}

/* Serves Kafka's rooms, when one of them called io_wake or it is time. */
static void kafka_serve(struct io *io)
{
    if (!atomic_exchange(&io->woken, false) && io->now_ms < io->kafka_due_ms)
        return;
    join_when_ready(io);
    batch_take(io);
    releases_serve(io);
    io_tokens_step(io);
    kafka_consumer_step(io->consumer, io->now_ms);
    io_arrival_serve(io);
    kafka_offsets_set_broker(io->offsets, kafka_lookup_broker(io->lookup));
    int64_t offsets_due_ms = kafka_offsets_step(io->offsets, io->now_ms);
    kafka_siblings_step(io->siblings);
    kafka_lookup_step(io->lookup, io->now_ms);
    kafka_lags_step(io->lags, io->now_ms);
    kafka_chunks_step(io->chunks);
    bool has_usage = io->spending != NULL && kafka_spending_step(io->spending, io->engine);
    kafka_lines_step(io->lines, io->now_ms);
    io->kafka_due_ms = io->now_ms + KAFKA_TICK_MS;
    if (offsets_due_ms < io->kafka_due_ms)
        io->kafka_due_ms = offsets_due_ms;
    if (has_usage)
        io->kafka_due_ms = io->now_ms;
    if (kafka_consumer_failed(io->consumer) && !io->is_stopping) {
        io->exit_code = IO_EXIT_STOPPED_AT_ONCE;
        stop_begin(io);
    }
}

static void time_take(struct io *io)
{
    io->now_ms = clock_monotonic_ms();
    uv_update_time(&io->loop);
    io->uv_ahead_ms = (int64_t)uv_now(&io->loop) - io->now_ms;
}

/* Makes the loop turn at `due_ms`, even without an event. */
static void turn_again_at(struct io *io, int64_t due_ms)
{
    alarm_move(&io->alarm, due_ms + io->uv_ahead_ms);
}

/* Counts the time that the loop worked, until `slept_ms`, or slept beyond what was due. */
static void stall_count(struct io *io, int64_t turned_ms, int64_t slept_ms)
{
    int64_t wake_ms = io->turn_due_ms > slept_ms ? io->turn_due_ms : slept_ms;
    if (turned_ms > 0 && slept_ms - turned_ms > STALL_MS)
        io->stalled_ms += slept_ms - turned_ms;
    if (turned_ms > 0 && io->now_ms - wake_ms > STALL_MS)
        io->stalled_ms += io->now_ms - wake_ms;
}

/* A sign of life for the service manager, and now and then a line. */
static void notify_serve(struct io *io)
{
    if (!notify_step(&io->notify, io->now_ms) || io->config.add_headline == NULL)
        return;
    struct buf headline OWNED_BY(buf_done);
    buf_init(&headline, HEADLINE_MAX);
    io->config.add_headline(io->config.headline_self, &headline);
    notify_status(&io->notify, buf_slice(&headline));
}

/* Lets the app look after its settings. */
static void watch_serve(struct io *io)
{
    int hang_ups = atomic_load(&io->hang_ups);
    bool is_asked = hang_ups != io->hang_ups_served;
    io->hang_ups_served = hang_ups;
    if (io->config.watch != NULL && !io->is_stopping)
        io->config.watch(io->config.watch_self, io->now_ms, is_asked);
}

void io_change(struct io *io, const struct io_config *config)
{
    http_set_limits(io->http, &config->http);
    log_sink_set(io->sink, config->log.level, config->log.format);
}

/* Sends spans that are due. Returns when it is to be called again. */
static int64_t spans_serve(struct io *io)
{
    uint64_t count;
    if (io->exporter == NULL)
        return INT64_MAX;
    int64_t due_ms = exporter_step(io->exporter, io->now_ms);
    if (io->now_ms < io->spans_log_due_ms)
        return due_ms;
    const char *reason = exporter_trouble(io->exporter, &count);
    if (reason == NULL)
        return due_ms;
    const struct log_field fields[] = {FIELD_INT("spans", (int64_t)count),
                                       FIELD_TEXT("reason", slice_of_text(reason))};
    log_sink_add(io->sink, LOG_SPANS_LOST, fields, COUNT_OF(fields));
    io->spans_log_due_ms = io->now_ms + SPANS_LOG_MS;
    return due_ms;
}

/* One turn of the loop: waits for an event, unless there is `more` to do, and serves every
 * room. True: there is more to do. */
static bool turn(struct io *io, bool more)
{
    int64_t turned_ms = io->now_ms, slept_ms = clock_monotonic_ms();
    (void)uv_run(&io->loop, more ? UV_RUN_NOWAIT : UV_RUN_ONCE);
    time_take(io);
    stall_count(io, turned_ms, slept_ms);
    engine_time(io->engine, io->now_ms, clock_wall_ms());
    kafka_consumer_turn(io->consumer);
    stop_serve(io);
    kafka_serve(io);
    notify_serve(io);
    watch_serve(io);
    int64_t keys_due_ms = identities_step(io->identities, io->now_ms);
    http_step(io->http);
    bool has_more = kafka_consumer_pump(io->consumer);
    int64_t due_ms = engine_turn(io->engine);
    int64_t spans_due_ms = spans_serve(io);
    if (spans_due_ms < due_ms)
        due_ms = spans_due_ms;
    if (keys_due_ms < due_ms)
        due_ms = keys_due_ms;
    bool has_news = http_obey(io->http);
    if (io->server != NULL && server_step(io->server))
        has_news = true;
    io->turn_due_ms = due_ms < io->kafka_due_ms ? due_ms : io->kafka_due_ms;
    turn_again_at(io, io->turn_due_ms);
    return has_more || has_news || due_ms <= io->now_ms;
}

/* ---- the end ---- */

/* A turn without the engine, while the worker ends. */
static void last_turn(struct io *io)
{
    turn_again_at(io, io->now_ms + LAST_TURN_MS);
    (void)uv_run(&io->loop, UV_RUN_ONCE);
    alarm_clear(&io->alarm);
    time_take(io);
    stop_serve(io);
    (void)notify_step(&io->notify, io->now_ms);
    kafka_consumer_turn(io->consumer);
    kafka_consumer_step(io->consumer, io->now_ms);
    (void)kafka_offsets_step(io->offsets, io->now_ms);
    kafka_chunks_step(io->chunks);
    if (io->exporter == NULL)
        return;
    http_step(io->http);
    (void)spans_serve(io);
    bool has_news = http_obey(io->http);
    (void)has_news;
}

/* Sends the last spans while the consumer leaves, and not much longer. */
static void last_spans(struct io *io)
{
    int64_t until_ms = io->now_ms + SPANS_MS;
    while (io->exporter != NULL && exporter_is_busy(io->exporter) && io->now_ms < until_ms)
        last_turn(io);
}

/* Whether the coordinator reads nothing more now (io/kafka/joins.h). */
static bool is_rebalancing(struct io *io)
{
    return kafka_consumer_is_joining(io->consumer) || kafka_consumer_is_syncing(io->consumer);
}

/* Waits until offsets are committed and chunks delivered. No commit may go while the consumer
 * joins its group again; that may last until the drain must end. */
static void last_flush(struct io *io)
{
    int64_t until_ms = io->now_ms + FLUSH_MS;
    int64_t drain_ms = io->stop_until_ms > io->now_ms ? io->stop_until_ms - io->now_ms : 0;
    watchdog_set(io->watchdog, drain_ms + FREE_MS, exit_code_at_least(io));
    while ((kafka_offsets_holds_any(io->offsets) || kafka_chunks_waiting(io->chunks) > 0) &&
           io->now_ms < until_ms) {
        kafka_offsets_commit(io->offsets);
        last_turn(io);
        if (kafka_offsets_holds_any(io->offsets) && is_rebalancing(io) &&
            io->now_ms < io->stop_until_ms)
            until_ms = io->now_ms + FLUSH_MS;
    }
    if (!kafka_offsets_holds_any(io->offsets))
        return;
    struct log_field field = FIELD_INT("partitions", (int64_t)kafka_offsets_held(io->offsets));
    log_sink_add(io->sink, LOG_STOP_LEFT_OFFSETS, &field, 1);
    io->exit_code = exit_code_at_least(io);
}

/* Leaves the group. While it rebalances, the coordinator reads that message only at the end of the
 * rebalance, and a dead member may delay that for as long as its session. */
static void last_leave(struct io *io)
{
    int64_t begun_ms = io->now_ms;
    bool is_over = false;
    kafka_consumer_close_begin(io->consumer);
    while (!kafka_consumer_closed(io->consumer) && !is_over) {
        last_turn(io);
        int64_t most_ms = is_rebalancing(io) ? JOINING_MS : CLOSE_MS;
        is_over = io->now_ms - begun_ms >= most_ms;
    }
    io->has_left_hanging = !kafka_consumer_closed(io->consumer);
    struct log_field field = FIELD_INT("session_ms", io->session_ms);
    if (io->has_left_hanging)
        log_sink_add(io->sink, LOG_CLOSE_HANGS, &field, 1);
}

static void close_all(struct io *io)
{
    kafka_offsets_attach(io->offsets, NULL);
    kafka_siblings_attach(io->siblings, NULL);
    kafka_lookup_attach(io->lookup, NULL);
    kafka_chunks_attach(io->chunks, NULL);
    kafka_committer_stop(io->committer);
    last_flush(io);
    watchdog_set(io->watchdog, FREE_MS, exit_code_at_least(io));
    if (io->exporter != NULL)
        exporter_hurry(io->exporter);
    last_leave(io);
    last_spans(io);
    if (io->http != NULL)
        http_close(io->http); /* io_run waits for it at the end */
}

static void files_raise(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

int io_run(struct io *io)
{
    CHECK(io->engine != NULL);
    files_raise();
    io_wake(io);
    bool more = false;
    while (!io->has_ended)
        more = turn(io, more);
    close_all(io);
    signals_unset(&io->signals);
    struct log_field field = FIELD_INT("exit_code", io->exit_code);
    log_sink_add(io->sink, LOG_STOPPED, &field, 1);
    /* A running look-up cannot be aborted while the resolver does not answer. Nothing is left
     * to lose, so the watchdog may end the process. */
    watchdog_set(io->watchdog, RESOLVER_MS, io->exit_code);
    http_end(io);
    watchdog_stop(io->watchdog);
    return io->exit_code;
}
