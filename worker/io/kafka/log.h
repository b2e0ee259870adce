/* Turns the log lines of a librdkafka client into log events (LIBRDKAFKA_LOG, LIBRDKAFKA_ERROR,
 * RIGHT_MISSING). A client logs at most KAFKA_LINES_MAX lines per KAFKA_LINES_SPAN_MS, so that an
 * unreachable cluster cannot fill a disk; and none that an event of the worker stands for
 * (io/kafka/lines.h). The opaque of every client must begin with its kafka_log,
 * because kafka_log_callback serves all of them. Any thread may log. */
#ifndef IO_KAFKA_LOG_H
#define IO_KAFKA_LOG_H

#include <pthread.h>

#include "io/kafka/certificate.h"
#include "io/kafka/lines.h"
#include "io/loop/log_sink.h"

#define KAFKA_LINES_MAX     5
#define KAFKA_LINES_SPAN_MS 30000

#define KAFKA_RIGHTS         4     /* kinds of rights */
#define KAFKA_RIGHT_AGAIN_MS 60000 /* between two lines about the same missing right */

struct kafka_tokens;
struct rd_kafka_s;
struct rd_kafka_error_s;

struct kafka_log {
    struct kafka_lines *lines;
    struct log_sink *sink;       /* of the lines */
    const char *client;          /* "consumer", "publisher", "chunks" */
    struct kafka_tokens *tokens; /* that the client logs in with; NULL = none */
    struct kafka_certificate certificate;
    pthread_mutex_t lock;
    int64_t span_start_ms;
    unsigned logged, left_out; /* in this span: logged, and not logged */
    /* of each kind: the missing right that was logged last, and when */
    struct {
        uint64_t name_hash;
        int64_t logged_ms;
    } rights[KAFKA_RIGHTS];
};

/* `lines` is borrowed until kafka_log_done. `client` is a constant that names the client in log
 * lines. */
void kafka_log_init(struct kafka_log *log, struct kafka_lines *lines, const char *client);
void kafka_log_done(struct kafka_log *log);
/* Logs a line as LOG_LIBRDKAFKA_LOG or LOG_LIBRDKAFKA_ERROR. */
void kafka_log_add(struct kafka_log *log, enum log_event event, const char *format, ...)
    PRINTF(3, 4);
/* Logs a librdkafka error as `what: …` and destroys it; NULL is no error. */
void kafka_log_error(struct kafka_log *log, const char *what, struct rd_kafka_error_s *error);
/* Is librdkafka's `code` a right that the broker's ACLs do not grant? If so, logs RIGHT_MISSING
 * with the resource's name and the consequence, the same right once a minute. `operation` NULL: the
 * usual one for the resource. */
bool kafka_log_right(struct kafka_log *log, int code, const char *operation, struct slice name,
                     const char *consequence);
/* Logs a line as librdkafka's, which io/kafka/held.def may hold back. `facility` is librdkafka's
 * word for the kind of line; the worker's own lines about a client have some, too. */
void kafka_log_line(struct kafka_log *log, const char *facility, const char *line);
/* For rd_kafka_conf_set_log_cb. */
void kafka_log_callback(const struct rd_kafka_s *client, int level, const char *facility,
                        const char *line);

#endif
