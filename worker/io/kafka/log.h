/* What one librdkafka client logs, as log events (LIBRDKAFKA_LOG, LIBRDKAFKA_ERROR): at most
 * KAFKA_LINES_MAX lines in KAFKA_LINES_SPAN_MS, so that a cluster that is away cannot fill a disk.
 * Any thread may speak. The opaque of each client begins with its kafka_log: kafka_log_hear is the
 * log callback of all. */
#ifndef IO_KAFKA_LOG_H
#define IO_KAFKA_LOG_H

#include <pthread.h>

#include "io/loop/log_sink.h"

#define KAFKA_LINES_MAX     5 /* of one client in one span */
#define KAFKA_LINES_SPAN_MS 30000

#define KAFKA_RIGHTS         4 /* kinds of them */
#define KAFKA_RIGHT_AGAIN_MS 60000

struct rd_kafka_s;
struct rd_kafka_error_s;

struct kafka_log {
    struct log_sink *sink;
    const char *client; /* "consumer", "publisher", "chunks" */
    pthread_mutex_t lock;
    int64_t span_start_ms;
    unsigned lines, left_out; /* of this span */
    /* which missing rights were told last, and when */
    struct {
        uint64_t name_hash;
        int64_t told_ms;
    } rights[KAFKA_RIGHTS];
};

void kafka_log_init(struct kafka_log *log, struct log_sink *sink, const char *client);
void kafka_log_done(struct kafka_log *log);
/* event: LOG_LIBRDKAFKA_LOG or LOG_LIBRDKAFKA_ERROR. */
void kafka_log_add(struct kafka_log *log, enum log_event event, const char *format, ...)
    PRINTF(3, 4);
/* Logs an error object of librdkafka's as `what: …` and destroys it; NULL is no error. */
void kafka_log_error(struct kafka_log *log, const char *what, struct rd_kafka_error_s *error);
/* Is this code of librdkafka's a right that the broker's ACLs do not give? Then a line says which
 * one (RIGHT_MISSING) on what, and what comes of it; the same one once a minute. operation NULL:
 * the one that the resource needs. */
bool kafka_log_right(struct kafka_log *log, int code, const char *operation, struct slice name,
                     const char *consequence);
/* For rd_kafka_conf_set_log_cb. */
void kafka_log_hear(const struct rd_kafka_s *client, int level, const char *facility,
                    const char *line);

#endif
