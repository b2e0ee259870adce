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

#define LAST_WRITE_MS 1000
#define LOOK_UP_MS    100 /* how often the writer checks `gives_up` */

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
    /* Under the lock: */
    struct buf waiting;
    uint64_t dropped; /* lines that no line has reported yet */
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

/* Adds the line that reports dropped lines, if it fits. Under the lock. */
static void dropped_add(struct log_sink *sink)
{
    struct log_field field = FIELD_INT("lines", (int64_t)sink->dropped);
    struct buf line OWNED_BY(buf_done);
    buf_init(&line, LOG_LINE_BYTES_MAX);
    line_make(sink, LOG_LOG_LINES_DROPPED, &field, 1, &line);
    if (!line.failed && sink->waiting.len + line.len <= LOG_SINK_BYTES_MAX) {
        buf_add(&sink->waiting, buf_slice(&line));
        sink->dropped = 0;
    }
}

/* Writes all bytes, however long the reader takes. Gives up when the descriptor fails, or when the
 * sink must end. Pieces of PIPE_BUF bytes do not block once the descriptor is ready for writing. */
static void bytes_write(struct log_sink *sink, struct slice bytes)
{
    while (bytes.len > 0 && !atomic_load(&sink->gives_up)) {
        struct pollfd ready = {.fd = sink->config.fd, .events = POLLOUT};
        if (poll(&ready, 1, LOOK_UP_MS) != 1)
            continue;
        ssize_t wrote =
            write(sink->config.fd, bytes.ptr, bytes.len < PIPE_BUF ? bytes.len : PIPE_BUF);
        if (wrote >= 0)
            bytes = slice_sub(bytes, (size_t)wrote, bytes.len);
        else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
            return;
    }
}

static void *writer_run(void *argument)
{
    struct log_sink *sink = argument;
    (void)pthread_mutex_lock(&sink->lock);
    for (;;) {
        while (sink->waiting.len == 0 && !sink->ending)
            (void)pthread_cond_wait(&sink->added, &sink->lock);
        if (sink->waiting.len == 0)
            break;
        struct buf full = sink->waiting;
        sink->waiting = sink->taken;
        sink->taken = full;
        if (sink->dropped > 0)
            dropped_add(sink);
        sink->idle = false;
        (void)pthread_mutex_unlock(&sink->lock);
        bytes_write(sink, buf_slice(&sink->taken));
        buf_reset(&sink->taken);
        (void)pthread_mutex_lock(&sink->lock);
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
        sink->dropped++;
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
