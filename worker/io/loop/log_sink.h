/* Writes log lines to a file descriptor, or passes them to a function. The calling thread formats a
 * line, and the sink's writer thread writes it, so that a reader that stops reading (a full pipe, a
 * stopped terminal) never blocks the loop. At most LOG_SINK_BYTES_MAX wait; the sink drops further
 * lines, and those that cannot be written (a full disk), counts them, and logs how many as soon as
 * it can (LOG_LINES_DROPPED, which log_sink_count counts at once). Any thread may log. */
#ifndef IO_LOOP_LOG_SINK_H
#define IO_LOOP_LOG_SINK_H

#include "base/attr.h"
#include "telemetry/event.h"

#define LOG_SINK_BYTES_MAX (1U << 20) /* waiting to be written */
#define LOG_LINE_BYTES_MAX 8192

/* AUTO: text on a terminal, JSON elsewhere. */
enum log_format { LOG_FORMAT_AUTO, LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

struct log_config {
    enum log_level level; /* the sink writes events of this level and above */
    enum log_format format;
    int fd; /* borrowed, never closed */
    /* Takes each line instead of `fd`, if not NULL. The logging thread calls it; it must not log.
     */
    void (*write)(void *self, enum log_event event, struct slice line);
    void *self;
};

#define LOG_RECENT_MAX       50 /* warnings and errors that the sink remembers */
#define LOG_RECENT_BYTES_MAX 400

/* A warning or an error, as it was logged. */
struct log_recent {
    int64_t wall_ms;
    enum log_event event;
    char sentence[LOG_RECENT_BYTES_MAX]; /* clipped */
};

struct log_sink;

/* Starts the sink and its writer thread. NULL: out of memory or threads. */
MUST_CHECK struct log_sink *log_sink_new(const struct log_config *config);
/* Waits up to a second until the waiting lines are written, then ends the thread. NULL is fine. */
void log_sink_free(struct log_sink *sink);
/* Changes level and format for later lines. Any thread. */
void log_sink_set(struct log_sink *sink, enum log_level level, enum log_format format);
/* Logs one line. Never blocks on the reader. */
void log_sink_add(struct log_sink *sink, enum log_event event, const struct log_field *fields,
                  size_t count);
/* How often this event was logged, also below the level that the sink writes. Any thread. */
int64_t log_sink_count(const struct log_sink *sink, enum log_event event);
/* Copies the warning or error that was logged `age` such events ago; 0 = the last one. False: there
 * is none, or it is forgotten. Any thread. */
bool log_sink_recent(struct log_sink *sink, size_t age, struct log_recent *ret_recent);
/* Writes the line in the calling thread, if the descriptor accepts it without waiting: for the last
 * line before abort(). */
void log_sink_add_now(struct log_sink *sink, enum log_event event, const struct log_field *fields,
                      size_t count);

#endif
