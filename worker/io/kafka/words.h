/* The lines and errors of one librdkafka client as log events: KAFKA_WORDS and KAFKA_ERROR, at most
 * a handful in some seconds, so that a cluster that is away cannot fill a disk. Any thread may
 * speak. The opaque of each client begins with its kafka_words: kafka_words_hear is the log
 * callback of all. */
#ifndef IO_KAFKA_WORDS_H
#define IO_KAFKA_WORDS_H

#include <pthread.h>

#include "io/loop/log_sink.h"

#define KAFKA_LINES_MAX     5 /* of one client in one span */
#define KAFKA_LINES_SPAN_MS 30000

#define KAFKA_RIGHTS         4 /* kinds of them */
#define KAFKA_RIGHT_AGAIN_MS 60000

struct rd_kafka_s;

struct kafka_words {
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

void kafka_words_init(struct kafka_words *words, struct log_sink *sink, const char *client);
void kafka_words_done(struct kafka_words *words);
/* event: LOG_LIBRDKAFKA_LOG or LOG_LIBRDKAFKA_ERROR. */
void kafka_words_say(struct kafka_words *words, enum log_event event, const char *format, ...)
    PRINTF(3, 4);
/* Is this code of librdkafka's a right that the broker's ACLs do not give? Then a line says which
 * one (RIGHT_MISSING) on what, and what comes of it; the same one once a minute. operation NULL:
 * the one that the resource needs. */
bool kafka_words_right(struct kafka_words *words, int code, const char *operation,
                       struct slice name, const char *consequence);
/* For rd_kafka_conf_set_log_cb. */
void kafka_words_hear(const struct rd_kafka_s *client, int level, const char *facility,
                      const char *line);

#endif
