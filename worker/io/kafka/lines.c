#include "io/kafka/lines.h"

#include <pthread.h>
#include <string.h>

#include "base/check.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "io/loop/clock.h"

#define WAITING_MAX 16

struct waiting {
    enum log_event event;
    unsigned begun; /* how often the event had begun when the line came */
    int64_t due_ms;
    const char *client;
    char text[KAFKA_LINE_MAX];
};

/* How an event stands of which lines are held back. */
struct standing {
    bool is_now;
    unsigned begun; /* times */
    unsigned held;  /* lines, since it began */
};

struct kafka_lines {
    struct log_sink *sink;
    pthread_mutex_t lock;
    /* Under the lock: */
    struct standing standing[LOG_EVENT_COUNT];
    struct waiting waiting[WAITING_MAX]; /* in the order in which they came */
    size_t waiting_count;
};

static const struct {
    const char *facility, *part, *without;
    enum log_event event;
    enum held_when when;
} ROWS[] = {
#define HELD(facility, part, without, event, when)                                                 \
    {facility, part, without, LOG_##event, HELD_##when},
#include "io/kafka/held.def"
#undef HELD
};

struct kafka_lines *kafka_lines_new(struct log_sink *sink)
{
    struct kafka_lines *lines = memory_new(sizeof *lines);
    if (lines == NULL)
        return NULL;
    lines->sink = sink;
    CHECK(pthread_mutex_init(&lines->lock, NULL) == 0);
    return lines;
}

struct log_sink *kafka_lines_sink(struct kafka_lines *lines)
{
    return lines->sink;
}

enum held_when kafka_lines_find(const char *facility, const char *line, enum log_event *ret_event)
{
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        if (strcmp(facility, ROWS[i].facility) != 0 || strstr(line, ROWS[i].part) == NULL ||
            (ROWS[i].without[0] != '\0' && strstr(line, ROWS[i].without) != NULL))
            continue;
        *ret_event = ROWS[i].event;
        return ROWS[i].when;
    }
    return HELD_NOT;
}

void kafka_lines_begin(struct kafka_lines *lines, enum log_event event)
{
    struct standing *standing = &lines->standing[event];
    (void)pthread_mutex_lock(&lines->lock);
    if (!standing->is_now) {
        standing->is_now = true;
        standing->begun++;
        standing->held = 0;
    }
    (void)pthread_mutex_unlock(&lines->lock);
}

/* Under the lock: holds back the lines of this event that waited for it. */
static void hold_waiting(struct kafka_lines *lines, enum log_event event)
{
    size_t left = 0;
    for (size_t i = 0; i < lines->waiting_count; i++) {
        struct waiting *waiting = &lines->waiting[i];
        if (waiting->event == event && waiting->begun != lines->standing[event].begun)
            lines->standing[event].held++;
        else if (left++ != i)
            lines->waiting[left - 1] = *waiting;
    }
    lines->waiting_count = left;
}

unsigned kafka_lines_end(struct kafka_lines *lines, enum log_event event)
{
    struct standing *standing = &lines->standing[event];
    (void)pthread_mutex_lock(&lines->lock);
    hold_waiting(lines, event);
    unsigned held = standing->is_now ? standing->held : 0;
    standing->is_now = false;
    (void)pthread_mutex_unlock(&lines->lock);
    return held;
}

bool kafka_lines_hold(struct kafka_lines *lines, enum log_event event)
{
    (void)pthread_mutex_lock(&lines->lock);
    bool is_held = lines->standing[event].is_now;
    if (is_held)
        lines->standing[event].held++;
    (void)pthread_mutex_unlock(&lines->lock);
    return is_held;
}

static void write_line(struct kafka_lines *lines, const char *client, struct slice text)
{
    const struct log_field fields[] = {FIELD_TEXT("client", slice_of_text(client)),
                                       FIELD_TEXT("text", text)};
    log_sink_add(lines->sink, LOG_LIBRDKAFKA_LOG, fields, COUNT_OF(fields));
}

void kafka_lines_delay(struct kafka_lines *lines, enum log_event event, const char *client,
                       struct slice text)
{
    text = utf8_clip(text, KAFKA_LINE_MAX - 1);
    (void)pthread_mutex_lock(&lines->lock);
    bool has_room = lines->waiting_count < WAITING_MAX;
    if (has_room) {
        struct waiting *waiting = &lines->waiting[lines->waiting_count++];
        waiting->event = event;
        waiting->begun = lines->standing[event].begun;
        waiting->due_ms = clock_monotonic_ms() + KAFKA_LINES_WAIT_MS;
        waiting->client = client;
        memcpy(waiting->text, text.ptr, text.len);
        waiting->text[text.len] = '\0';
    }
    (void)pthread_mutex_unlock(&lines->lock);
    if (!has_room)
        write_line(lines, client, text);
}

/* Takes the first line that is due; false: none is. */
static bool take_due(struct kafka_lines *lines, int64_t now_ms, struct waiting *ret_waiting)
{
    (void)pthread_mutex_lock(&lines->lock);
    for (size_t i = 0; i < lines->waiting_count; i++)
        hold_waiting(lines, lines->waiting[i].event);
    bool is_due = lines->waiting_count > 0 && lines->waiting[0].due_ms <= now_ms;
    if (is_due) {
        *ret_waiting = lines->waiting[0];
        lines->waiting_count--;
        memmove(lines->waiting, lines->waiting + 1, lines->waiting_count * sizeof *ret_waiting);
    }
    (void)pthread_mutex_unlock(&lines->lock);
    return is_due;
}

void kafka_lines_step(struct kafka_lines *lines, int64_t now_ms)
{
    struct waiting waiting;
    while (take_due(lines, now_ms, &waiting))
        write_line(lines, waiting.client, slice_of_text(waiting.text));
}

void kafka_lines_free(struct kafka_lines *lines)
{
    if (lines == NULL)
        return;
    kafka_lines_step(lines, INT64_MAX);
    (void)pthread_mutex_destroy(&lines->lock);
    memory_free(lines);
}
