/* Where log lines go: a file descriptor or a function. Lines are made in the calling thread and
 * written by a thread of the sink, so that a reader who stops reading (a full pipe, a stopped
 * terminal) never holds the loop. At most LOG_SINK_BYTES_MAX wait; what does not fit is counted,
 * and a line says how many were dropped. Any thread may log. */
#ifndef IO_LOOP_LOG_SINK_H
#define IO_LOOP_LOG_SINK_H

#include "base/attr.h"
#include "telemetry/event.h"

#define LOG_SINK_BYTES_MAX (1U << 20) /* waiting to be written */
#define LOG_LINE_BYTES_MAX 8192

enum log_format {
    LOG_FORMAT_AUTO,
    LOG_FORMAT_WORDS,
    LOG_FORMAT_JSON
}; /* auto: words on a terminal, JSON elsewhere */

struct log_config {
    enum log_level level; /* this and graver ones are written */
    enum log_format format;
    int fd; /* 2 = stderr; borrowed, never closed */
    /* Instead of fd when not NULL: called with each line, by the logging thread; must not log. */
    void (*write)(void *self, enum log_event event, struct slice line);
    void *self;
};

struct log_sink;

MUST_CHECK struct log_sink *
log_sink_new(const struct log_config *config); /* NULL: out of memory or threads */
/* Writes what waits (for at most a second: the reader may be gone) and ends the thread. */
void log_sink_free(struct log_sink *sink);
void log_sink_add(struct log_sink *sink, enum log_event event, const struct log_field *fields,
                  size_t count);
/* For the last line before abort(): written at once by the caller, if the descriptor takes it
 * without waiting. */
void log_sink_add_now(struct log_sink *sink, enum log_event event, const struct log_field *fields,
                      size_t count);

#endif
