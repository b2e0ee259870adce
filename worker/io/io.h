/* The worker's input and output: Kafka, Bedrock, clock, signals and log, behind the commands and
 * events of engine/ports.h. A libuv loop runs in the thread that calls io_run; committer, look-ups,
 * watchdog and log sink have their threads. A service manager that asked for it hears when the
 * worker has joined its group, how it stands, and that it stops (io/loop/notify.h).
 *
 * The app calls, in this order: io_new, engine_new(…, io_ports(io), …), io_attach, io_run, io_free,
 * engine_free. The engine goes last, because io borrows the outputs of the open batch from it until
 * io_free has ended the committer. */
#ifndef IO_IO_H
#define IO_IO_H

#include "base/attr.h"
#include "engine/ports.h"
#include "io/loop/clock.h"
#include "io/aws/chain.h"
#include "io/export/exporter.h"
#include "io/http/client.h"
#include "io/kafka/conf.h"
#include "io/kafka/spending.h"
#include "io/loop/log_sink.h"
#include "io/server/server.h"

#define IO_EXIT_STOPPED_AT_ONCE 1 /* after a second SIGTERM or SIGINT, or by the watchdog */

/* Everything is borrowed until io_free. */
struct io_config {
    struct kafka_config kafka;
    struct http_config http;
    const struct chain_identity *identities; /* as whom calls are signed */
    uint32_t identity_count;                 /* at least 1: those that the engine uses; with
                                                KAFKA_AUTH_MSK_IAM the list has one more, Kafka's */
    struct log_config log;
    struct exporter_config traces;   /* spans NULL = none */
    struct server_config server;     /* for people and probes; an empty address = none */
    struct spending_config spending; /* since_ms below 0: usage is not read */
    int64_t drain_timeout_ms;        /* the watchdog ends the process some seconds after it */
    /* Appends one line about the worker for the service manager; NULL = none. */
    void (*add_headline)(void *self, struct buf *ret_text);
    void *headline_self;
    /* Called in each turn of the loop until the worker stops; `is_asked`: a SIGHUP came. It may
     * call io_change. NULL = none. */
    void (*watch)(void *self, int64_t now_ms, bool is_asked);
    void *watch_self;
    bool handle_signals; /* SIGTERM and SIGINT stop the engine; false: only io_stop does */
};

struct io;
struct metrics;

/* Makes the clients and the loop, and ignores SIGPIPE, SIGXFSZ. With handle_signals it notes
 * SIGTERM, SIGINT and SIGHUP from here on, for io_run. NULL: ret_error (`room` > 0 bytes) says why,
 * and *ret_is_setting whether a setting is at fault (an address that cannot be bound). */
MUST_CHECK struct io *io_new(const struct io_config *config, char *ret_error, size_t room,
                             bool *ret_is_setting);
/* The ports for engine_new, and for log lines of the app before and after io_run. Borrowed. */
const struct ports *io_ports(struct io *io);
/* Sets the engine that receives events. */
void io_attach(struct io *io, struct engine *engine);
/* How the worker stands, for health pages. */
struct io_health {
    bool has_subscribed; /* the producer is ready, so that the worker may join its group */
    bool has_joined;     /* the group gave partitions, or none, at least once */
    bool is_stopping;
    struct slice still_topic; /* a partition that stands still (io/kafka/still.h); null = none */
    int32_t still_partition;
};
/* The port of io_config.server; 0 = none. */
int io_server_port(const struct io *io);
void io_health(struct io *io, struct io_health *ret_health);
/* Sets the gauges and counters that io knows, in these metrics. */
void io_meter(struct io *io, struct metrics *metrics);
/* The warning or error that was logged `age` such events ago: log_sink_recent. */
bool io_recent(struct io *io, size_t age, struct log_recent *ret_recent);
/* Changes what may change while io runs: the limits of time for calls that begin from now on, and
 * level and format of the log. It looks at nothing else of `config`. Loop thread only. */
void io_change(struct io *io, const struct io_config *config);
/* Runs until the engine calls ports.ended, then leaves the group, which takes a limited time.
 * Raises the soft limit of open files first. Returns the exit code. A second signal (with
 * handle_signals) cancels the running calls and commits what it can; it, a third one and the
 * watchdog end the process by _exit (io/loop/signals.h), which is safe because everything that
 * counts is in Kafka. */
MUST_CHECK int io_run(struct io *io);
/* Stops as a SIGTERM does. Any thread, any number of times. */
void io_stop(struct io *io);
/* Ends all threads and clients. NULL is fine. */
void io_free(struct io *io);

#endif
