/* Private to io.c (birth, the turn, the end), ports.c (the engine's commands and its calls' events)
 * and meter.c (what others may know). */
#ifndef IO_PARTS_H
#define IO_PARTS_H

#include <stdatomic.h>
#include <uv.h>

#include "io/io.h"
#include "io/loop/alarm.h"
#include "io/loop/notify.h"
#include "io/loop/signals.h"
#include "io/aws/identities.h"
#include "io/export/exporter.h"
#include "io/kafka/chunks.h"
#include "io/kafka/committer.h"
#include "io/kafka/consumer.h"
#include "io/kafka/lags.h"
#include "io/kafka/lookup.h"
#include "io/kafka/offsets.h"
#include "io/kafka/siblings.h"
#include "io/kafka/spending.h"
#include "io/loop/watchdog.h"

/* A partition that the engine has released, and that waits for the commit of its last offset (under
 * at_least_once). */
struct release {
    struct tenure tenure;
    int64_t since_ms;
};

struct io {
    struct io_config config;
    struct ports ports;
    uv_loop_t loop;
    uv_async_t wake;
    struct alarm alarm; /* for work that is due without an event */
    bool has_loop;
    atomic_bool woken;   /* a room of Kafka called io_wake */
    atomic_int stops;    /* requests to stop so far */
    atomic_int hurries;  /* signals behind them */
    atomic_int hang_ups; /* SIGHUPs so far */
    int hang_ups_served;
    struct signals signals;
    struct log_sink *sink;
    struct kafka_lines *lines; /* of its Kafka clients */
    struct watchdog *watchdog;
    struct notify notify; /* the service manager */
    struct http *http;
    struct server *server;          /* NULL = none */
    struct exchange_channel *calls; /* of the engine */
    struct exporter *exporter;      /* of spans; NULL = none */
    int64_t spans_log_due_ms;
    struct identities *identities;
    struct kafka_consumer *consumer;
    struct kafka_offsets *offsets;
    struct kafka_siblings *siblings;
    struct kafka_spending *spending; /* NULL = no tenant has a budget */
    struct kafka_lookup *lookup;
    struct kafka_lags *lags;
    struct kafka_committer *committer;
    struct kafka_chunks *chunks;
    struct engine *engine;
    int64_t session_ms; /* of its membership */
    int64_t made_ms, now_ms, kafka_due_ms, turn_due_ms;
    int64_t stalled_ms;  /* sum of the loop's pauses over 100 ms */
    int64_t uv_ahead_ms; /* uv's clock minus clock_monotonic_ms, which counts suspensions too */
    int64_t started_wall_ms;
    bool has_subscribed, has_joined; /* the group */
    struct arrival arrival;          /* into it */
    int64_t subscribed_ms;
    bool is_setting_wrong; /* why io_new failed */
    bool is_stopping, is_hurrying, has_ended;
    bool has_left_hanging; /* the consumer has not closed */
    int exit_code;
    struct release *releases; /* PARTITIONS_MAX */
    size_t release_count;
    int64_t stop_until_ms; /* when the drain must end */
};

/* Logs how the worker gets into its group. Once in a turn of Kafka's rooms. */
void io_arrival_serve(struct io *io);
/* Makes the loop turn and serve Kafka's rooms. Any thread. */
void io_wake(void *self);
/* Fills in io->ports. */
void io_ports_make(struct io *io);
/* Opens the engine's channel of exchanges. False: out of memory. */
MUST_CHECK bool io_calls_make(struct io *io);
/* The number of identities: the engine's, and behind them the one that logs in to Kafka. */
uint32_t io_identity_count(const struct io *io);
/* Makes the identities. False: out of memory or threads. */
MUST_CHECK bool io_identities_make(struct io *io, struct loop_wake wake);
/* Makes what the Kafka clients log in with, if they need it. False: out of memory. */
MUST_CHECK bool io_tokens_make(struct io *io);
/* Passes on the keys of Kafka's identity, when they change. */
void io_tokens_step(struct io *io);

#endif
