/* What others may know of io: its port, how the worker stands, its metrics and its last warnings.
 */
#include <stdio.h>

#include "io/kafka/library.h"
#include "io/loop/process.h"
#include "io/parts.h"
#include "telemetry/metrics.h"

int io_server_port(const struct io *io)
{
    return io->server == NULL ? 0 : server_port(io->server);
}

void io_health(struct io *io, struct io_health *ret_health)
{
    const struct part *still = kafka_consumer_still(io->consumer);
    *ret_health = (struct io_health){.has_subscribed = io->has_subscribed,
                                     .has_joined = io->has_joined,
                                     .is_stopping = io->is_stopping};
    if (still == NULL)
        return;
    ret_health->still_topic = slice_of_text(still->topic);
    ret_health->still_partition = still->partition;
}

static void set_events(const struct io *io, struct metrics *metrics)
{
    for (enum log_event event = 0; event < LOG_EVENT_COUNT; event++) {
        struct slice name = slice_of_text(log_event_name(event));
        if (log_event_level(event) <= LOG_WARN)
            metrics_raise(metrics, METRIC_EVENTS, &name, log_sink_count(io->sink, event));
    }
}

static void set_rebalances(const struct io *io, struct metrics *metrics)
{
    static const char *const names[REBALANCE_KINDS] = {[REBALANCE_ASSIGNED] = "assigned",
                                                       [REBALANCE_REVOKED] = "revoked",
                                                       [REBALANCE_LOST] = "lost"};
    for (enum rebalance_kind kind = 0; kind < REBALANCE_KINDS; kind++) {
        struct slice name = slice_of_text(names[kind]);
        metrics_raise(metrics, METRIC_REBALANCES, &name,
                      kafka_consumer_rebalances(io->consumer, kind));
    }
}

void io_meter(struct io *io, struct metrics *metrics)
{
    const struct slice versions[] = {SLICE(BEDROCK_VERSION),
                                     slice_of_text(kafka_library_version_text())};
    set_events(io, metrics);
    set_rebalances(io, metrics);
    metrics_raise(metrics, METRIC_LOOP_STALL, NULL, io->stalled_ms);
    process_meter(metrics, io->started_wall_ms);
    metrics_set(metrics, METRIC_BUILD_INFO, versions, 1);
    for (enum spans_outcome outcome = 0;
         io->config.traces.spans != NULL && outcome < SPANS_OUTCOME_COUNT; outcome++) {
        struct slice word = slice_of_text(spans_outcome_word(outcome));
        int64_t count = (int64_t)spans_count(io->config.traces.spans, outcome);
        metrics_raise(metrics, METRIC_SPANS, &word, count);
    }
}

bool io_recent(struct io *io, size_t age, struct log_recent *ret_recent)
{
    return log_sink_recent(io->sink, age, ret_recent);
}

/* ---- arrival ---- */

/* Logs how the worker gets into its group. */
static void arrival_log(struct io *io, enum arrival_news news, const struct arrival_look *look)
{
    static const enum log_event EVENTS[] = {[ARRIVAL_WAITS] = LOG_JOIN_WAITS,
                                            [ARRIVAL_REBALANCES] = LOG_REBALANCE_WAITS,
                                            [ARRIVAL_NONE] = LOG_READY_IDLE,
                                            [ARRIVAL_READY] = LOG_READY};
    char reason[128] = "the brokers do not know its topics yet";
    int32_t partitions = kafka_lookup_partitions(io->lookup);
    if (partitions > 0)
        (void)snprintf(reason, sizeof reason,
                       "its topics have %d partitions, and other members have them; it gets one "
                       "when a member gives one up or leaves",
                       (int)partitions);
    const struct log_field fields[] = {
        FIELD_TEXT("group", io->config.kafka.group_id),
        FIELD_INT("start_ms", io->now_ms - io->made_ms),
        FIELD_INT("join_ms", io->now_ms - io->subscribed_ms),
        FIELD_INT("partitions", look->partitions),
        FIELD_INT("waited_ms", arrival_waited_ms(&io->arrival, io->now_ms)),
        FIELD_INT("session_ms", io->session_ms),
        FIELD_TEXT("reason", news == ARRIVAL_NONE ? slice_of_text(reason) : SLICE("")),
    };
    log_sink_add(io->sink, EVENTS[news], fields, COUNT_OF(fields));
}

void io_arrival_serve(struct io *io)
{
    struct arrival_look look = kafka_consumer_arrival(io->consumer);
    if (look.has_joined && !io->has_joined) {
        io->has_joined = true;
        notify_ready(&io->notify);
    }
    enum arrival_news news = arrival_note(&io->arrival, &look, io->now_ms);
    if (news != ARRIVAL_NO_NEWS && !io->is_stopping)
        arrival_log(io, news, &look);
}
