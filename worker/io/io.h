/* The worker's input and output: Kafka, Bedrock, clock, signals and log, behind the commands and
 * events of engine/ports.h. One loop (libuv) in the thread that calls io_run; the committer and the
 * log sink have threads of their own. Made by app in this order: io_new, engine_new(…,
 * io_ports(io), …), io_attach, io_run, io_free, engine_free (io borrows outputs of the open batch
 * from the engine until io_free has joined the committer). */
#ifndef IO_IO_H
#define IO_IO_H

#include "base/attr.h"
#include "engine/ports.h"
#include "io/loop/clock.h"
#include "io/http/client.h"
#include "io/kafka/conf.h"
#include "io/loop/log_sink.h"

#define IO_EXIT_STOPPED_AT_ONCE 1 /* of a second SIGTERM or SIGINT, and of a watchdog */

/* Everything is borrowed for io's life. */
struct io_config {
    struct kafka_config kafka;
    struct http_config http;
    const char *aws_profile; /* whose credentials; "" or NULL = the environment's */
    struct log_config log;
    int64_t drain_timeout_ms; /* the watchdog leaves some seconds after it */
    /* SIGTERM, SIGINT → engine_stop; false: a thread of a bigger program, use io_stop */
    bool handle_signals;
};

struct io;

/* Makes the clients and the loop; with handle_signals hears SIGTERM and SIGINT from here on, for
 * io_run. Ignores SIGPIPE. NULL: ret_error (room > 0) says why, in words. */
MUST_CHECK struct io *io_new(const struct io_config *config, char *ret_error, size_t room);
/* For engine_new, and for log lines of app before and after io_run. */
const struct ports *io_ports(struct io *io);
void io_attach(struct io *io, struct engine *engine);
/* Runs until the engine called ports.ended, then closes the consumer (bounded). Returns the exit
 * code. Raises the soft limit of open files. With handle_signals a second signal, or a watchdog
 * after the drain, ends the process by _exit: what was committed is committed, the broker holds the
 * truth. */
MUST_CHECK int io_run(struct io *io);
/* As one SIGTERM; from any thread, between io_new and io_free, any number of times. */
void io_stop(struct io *io);
void io_free(struct io *io); /* NULL is fine */

#endif
