#include "io/kafka_words.h"

#include <librdkafka/rdkafka.h>
#include <stdarg.h>
#include <string.h>

#include "base/check.h"
#include "io/clock.h"

#define WORDS_BYTES_MAX 1024
#define LEVEL_DEBUG     7 /* syslog's; librdkafka speaks so only when its property `debug` is set */

void kafka_words_init(struct kafka_words *words, struct log_sink *sink, const char *client)
{
    *words = (struct kafka_words){.sink = sink, .client = client};
    CHECK(pthread_mutex_init(&words->lock, NULL) == 0);
}

void kafka_words_done(struct kafka_words *words)
{
    (void)pthread_mutex_destroy(&words->lock);
}

/* May this line be written? ret_left_out: how many were not, when a new span begins. */
static bool line_may_go(struct kafka_words *words, unsigned *ret_left_out)
{
    int64_t now_ms = clock_monotonic_ms();
    *ret_left_out = 0;
    (void)pthread_mutex_lock(&words->lock);
    if (words->span_start_ms == 0 || now_ms - words->span_start_ms >= KAFKA_LINES_SPAN_MS) {
        *ret_left_out = words->left_out;
        words->span_start_ms = now_ms;
        words->lines = words->left_out = 0;
    }
    bool may_go = words->lines < KAFKA_LINES_MAX;
    if (may_go)
        words->lines++;
    else
        words->left_out++;
    (void)pthread_mutex_unlock(&words->lock);
    return may_go;
}

static void line_write(struct kafka_words *words, enum log_event event, struct slice line)
{
    struct log_field fields[] = {FIELD_TEXT("client", slice_of_text(words->client)),
                                 FIELD_TEXT("words", line)};
    log_sink_add(words->sink, event, fields, COUNT_OF(fields));
}

void kafka_words_say(struct kafka_words *words, enum log_event event, const char *format, ...)
{
    unsigned left_out;
    if (!line_may_go(words, &left_out))
        return;
    struct buf line OWNED_BY(buf_done);
    buf_init(&line, WORDS_BYTES_MAX);
    va_list args;
    va_start(args, format);
    buf_addv(&line, format, args);
    va_end(args);
    if (left_out > 0)
        buf_addf(&line, " (%u lines before this one were left out)", left_out);
    line_write(words, event, buf_slice(&line));
}

void kafka_words_hear(const struct rd_kafka_s *client, int level, const char *facility,
                      const char *line)
{
    struct kafka_words *words = rd_kafka_opaque(client);
    /* Said in other lines before, except when it is fatal. */
    if (strcmp(facility, "ERROR") == 0 && strstr(line, "Fatal") == NULL)
        return;
    if (level >= LEVEL_DEBUG)
        line_write(words, LOG_KAFKA_WORDS, slice_of_text(line));
    else
        kafka_words_say(words, LOG_KAFKA_WORDS, "%s: %.*s", facility, WORDS_BYTES_MAX / 2, line);
}
