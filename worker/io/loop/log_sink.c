#include "io/loop/log_sink.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "io/loop/clock.h"

#define LAST_WRITE_MS  1000
#define ERROR_TEXT_MAX 128
#define LOOK_UP_MS     100 /* how often the writer checks `gives_up` */

struct log_sink {
    struct log_config config;
    atomic_int level;    /* of struct log_config */
    atomic_bool is_text; /* else JSON */
    pthread_mutex_t lock;
    pthread_cond_t added;   /* for the writer: lines wait, or the sink ends */
    pthread_cond_t written; /* for log_sink_free */
    pthread_t writer;
    bool has_writer;
    atomic_bool gives_up;
    atomic_int_least64_t counts[LOG_EVENT_COUNT];
    struct buf taken; /* the writer's: the lines that it writes now */
    bool is_mid_line; /* the writer's: the last write ended there */
    /* Under the lock: */
    struct buf waiting;
    uint64_t dropped;    /* lines that no line has reported yet */
    uint64_t reported;   /* lines that a waiting line reports */
    size_t reported_end; /* of that line in `waiting` */
    int failure;         /* errno of the last write; 0 = it went well */
    bool ending;
    struct log_recent recent[LOG_RECENT_MAX]; /* a ring */
    size_t recent_count;                      /* since the start */
    bool idle;                                /* the writer has written all lines that it took */
};

static void line_make(const struct log_sink *sink, enum log_event event,
                      const struct log_field *fields, size_t count, struct buf *ret_line)
{
    if (atomic_load_explicit(&sink->is_text, memory_order_relaxed))
        log_add_text(ret_line, clock_wall_ms(), event, fields, count);
    else
        log_add_json(ret_line, clock_wall_ms(), event, fields, count);
}

/* Counts lines that are lost; the event once for each gap, because the line about it may come much
 * later. Under the lock. */
static void dropped_count(struct log_sink *sink, uint64_t lines)
{
    if (sink->dropped == 0 && lines > 0)
        (void)atomic_fetch_add(&sink->counts[LOG_LOG_LINES_DROPPED], 1);
    sink->dropped += lines;
}

/* Adds the line that reports dropped lines, if it fits. Under the lock. */
static void dropped_add(struct log_sink *sink)
{
    char text[ERROR_TEXT_MAX];
    const char *reason = sink->failure == 0 ? "their reader is too slow"
                                            : strerror_r(sink->failure, text, sizeof text);
    const struct log_field fields[] = {FIELD_INT("lines", (int64_t)sink->dropped),
                                       FIELD_TEXT("reason", slice_of_text(reason))};
    struct buf line OWNED_BY(buf_done);
    buf_init(&line, LOG_LINE_BYTES_MAX);
    line_make(sink, LOG_LOG_LINES_DROPPED, fields, COUNT_OF(fields), &line);
    if (line.failed || sink->waiting.len + line.len > LOG_SINK_BYTES_MAX)
        return;
    buf_add(&sink->waiting, buf_slice(&line));
    sink->reported = sink->dropped;
    sink->reported_end = sink->waiting.len;
    sink->dropped = 0;
}

/* Writes all bytes, however long the reader takes, and returns those that it did not write, because
 * the descriptor failed or the sink must end. Pieces of PIPE_BUF bytes do not block once the
 * descriptor is ready for writing. */
static struct slice bytes_write(struct log_sink *sink, struct slice bytes, int *ret_failure)
{
    *ret_failure = 0;
    while (bytes.len > 0 && !atomic_load(&sink->gives_up)) {
        struct pollfd ready = {.fd = sink->config.fd, .events = POLLOUT};
        if (poll(&ready, 1, LOOK_UP_MS) != 1)
            continue;
        size_t len = bytes.len < PIPE_BUF ? bytes.len : PIPE_BUF;
        ssize_t wrote = write(sink->config.fd, bytes.ptr, len);
        if (wrote > 0) {
            sink->is_mid_line = bytes.ptr[wrote - 1] != '\n';
            bytes = slice_sub(bytes, (size_t)wrote, bytes.len);
        } else if (wrote < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
            *ret_failure = errno;
            break;
        }
    }
    return bytes;
}

/* Writes what was taken. A line that was cut, because a disk was full, ends first. */
static struct slice taken_write(struct log_sink *sink, int *ret_failure)
{
    *ret_failure = 0;
    if (sink->is_mid_line && bytes_write(sink, SLICE("\n"), ret_failure).len > 0)
        return buf_slice(&sink->taken);
    return bytes_write(sink, buf_slice(&sink->taken), ret_failure);
}

/* Takes note of lines that could not be written. `reported` of them are of earlier failures, in the
 * line that ends at `end`. Under the lock. */
static void lines_lose(struct log_sink *sink, struct slice left, uint64_t reported, size_t end)
{
    uint64_t lines = 0;
    for (size_t i = 0; i < left.len; i++)
        lines += left.ptr[i] == '\n';
    bool is_unreported = reported > 0 && sink->taken.len - left.len < end;
    dropped_count(sink, is_unreported ? lines - 1 + reported : lines);
}

static void *writer_run(void *argument)
{
    struct log_sink *sink = argument;
    (void)pthread_mutex_lock(&sink->lock);
    for (;;) {
        while (sink->waiting.len == 0 && !sink->ending)
            (void)pthread_cond_wait(&sink->added, &sink->lock);
        if (sink->waiting.len == 0 || atomic_load(&sink->gives_up))
            break;
        struct buf full = sink->waiting;
        sink->waiting = sink->taken;
        sink->taken = full;
        uint64_t reported = sink->reported;
        size_t reported_end = sink->reported_end;
        sink->reported = 0;
        /* Where writing fails, the next line brings the report: a report alone would try for ever.
         */
        if (sink->dropped > 0 && sink->failure == 0)
            dropped_add(sink);
        sink->idle = false;
        (void)pthread_mutex_unlock(&sink->lock);
        int failure;
        struct slice left = taken_write(sink, &failure);
        (void)pthread_mutex_lock(&sink->lock);
        sink->failure = failure;
        lines_lose(sink, left, reported, reported_end);
        buf_reset(&sink->taken);
        sink->idle = true;
        (void)pthread_cond_signal(&sink->written);
    }
    (void)pthread_mutex_unlock(&sink->lock);
    return NULL;
}

void log_sink_set(struct log_sink *sink, enum log_level level, enum log_format format)
{
    const struct log_config *config = &sink->config;
    bool is_text = format == LOG_FORMAT_TEXT ||
                   (format == LOG_FORMAT_AUTO && config->write == NULL && isatty(config->fd) == 1);
    atomic_store_explicit(&sink->level, (int)level, memory_order_relaxed);
    atomic_store_explicit(&sink->is_text, is_text, memory_order_relaxed);
}

struct log_sink *log_sink_new(const struct log_config *config)
{
    struct log_sink *sink = memory_new(sizeof *sink);
    if (sink == NULL)
        return NULL;
    sink->config = *config;
    sink->idle = true;
    log_sink_set(sink, config->level, config->format);
    buf_init(&sink->waiting, LOG_SINK_BYTES_MAX);
    buf_init(&sink->taken, LOG_SINK_BYTES_MAX);
    CHECK(pthread_mutex_init(&sink->lock, NULL) == 0);
    CHECK(pthread_cond_init(&sink->added, NULL) == 0);
    CHECK(pthread_cond_init(&sink->written, NULL) == 0);
    sink->has_writer = config->write == NULL;
    if (sink->has_writer && pthread_create(&sink->writer, NULL, writer_run, sink) != 0) {
        sink->has_writer = false;
        log_sink_free(sink);
        return NULL;
    }
    return sink;
}

/* Waits until the writer is done; false when the reader is too slow. Under the lock. */
static bool writer_wait(struct log_sink *sink)
{
    struct timespec until;
    CHECK(clock_gettime(CLOCK_REALTIME, &until) == 0);
    until.tv_sec += LAST_WRITE_MS / 1000;
    while (sink->waiting.len > 0 || !sink->idle) {
        if (pthread_cond_timedwait(&sink->written, &sink->lock, &until) == ETIMEDOUT)
            return sink->waiting.len == 0 && sink->idle;
    }
    return true;
}

void log_sink_free(struct log_sink *sink)
{
    if (sink == NULL)
        return;
    if (sink->has_writer) {
        (void)pthread_mutex_lock(&sink->lock);
        sink->ending = true;
        (void)pthread_cond_signal(&sink->added);
        bool done = writer_wait(sink);
        (void)pthread_mutex_unlock(&sink->lock);
        atomic_store(&sink->gives_up, !done);
        (void)pthread_join(sink->writer, NULL);
    }
    (void)pthread_cond_destroy(&sink->written);
    (void)pthread_cond_destroy(&sink->added);
    (void)pthread_mutex_destroy(&sink->lock);
    buf_done(&sink->waiting);
    buf_done(&sink->taken);
    memory_free(sink);
}

static void recent_keep(struct log_sink *sink, enum log_event event, const struct log_field *fields,
                        size_t count)
{
    struct buf sentence OWNED_BY(buf_done);
    buf_init(&sentence, LOG_LINE_BYTES_MAX);
    log_add_sentence(&sentence, event, fields, count);
    struct slice text = utf8_clip(buf_slice(&sentence), LOG_RECENT_BYTES_MAX - 1);
    (void)pthread_mutex_lock(&sink->lock);
    struct log_recent *recent = &sink->recent[sink->recent_count++ % LOG_RECENT_MAX];
    recent->wall_ms = clock_wall_ms();
    recent->event = event;
    if (text.len > 0)
        memcpy(recent->sentence, text.ptr, text.len);
    recent->sentence[text.len] = '\0';
    (void)pthread_mutex_unlock(&sink->lock);
}

bool log_sink_recent(struct log_sink *sink, size_t age, struct log_recent *ret_recent)
{
    (void)pthread_mutex_lock(&sink->lock);
    bool is_kept = age < sink->recent_count && age < LOG_RECENT_MAX;
    if (is_kept)
        *ret_recent = sink->recent[(sink->recent_count - 1 - age) % LOG_RECENT_MAX];
    (void)pthread_mutex_unlock(&sink->lock);
    return is_kept;
}

void log_sink_add(struct log_sink *sink, enum log_event event, const struct log_field *fields,
                  size_t count)
{
    (void)atomic_fetch_add_explicit(&sink->counts[event], 1, memory_order_relaxed);
    if (log_event_level(event) <= LOG_WARN)
        recent_keep(sink, event, fields, count);
    if ((int)log_event_level(event) > atomic_load_explicit(&sink->level, memory_order_relaxed))
        return;
    struct buf line OWNED_BY(buf_done);
    buf_init(&line, LOG_LINE_BYTES_MAX);
    line_make(sink, event, fields, count, &line);
    if (sink->config.write != NULL) {
        if (!line.failed)
            sink->config.write(sink->config.self, event, buf_slice(&line));
        return;
    }
    (void)pthread_mutex_lock(&sink->lock);
    if (sink->dropped > 0)
        dropped_add(sink);
    if (line.failed || sink->dropped > 0 || sink->waiting.len + line.len > LOG_SINK_BYTES_MAX) {
        dropped_count(sink, 1);
    } else {
        buf_add(&sink->waiting, buf_slice(&line));
        (void)pthread_cond_signal(&sink->added);
    }
    (void)pthread_mutex_unlock(&sink->lock);
}

int64_t log_sink_count(const struct log_sink *sink, enum log_event event)
{
    return atomic_load_explicit(&sink->counts[event], memory_order_relaxed);
}

void log_sink_add_now(struct log_sink *sink, enum log_event event, const struct log_field *fields,
                      size_t count)
{
    struct buf line OWNED_BY(buf_done);
    buf_init(&line, LOG_LINE_BYTES_MAX);
    line_make(sink, event, fields, count, &line);
    if (line.failed)
        return;
    if (sink->config.write != NULL) {
        sink->config.write(sink->config.self, event, buf_slice(&line));
        return;
    }
    struct pollfd ready = {.fd = sink->config.fd, .events = POLLOUT};
    if (poll(&ready, 1, 0) == 1)
        (void)!write(sink->config.fd, line.ptr, line.len);
}
