#include "io/kafka/words.h"

#include <librdkafka/rdkafka.h>
#include <stdarg.h>
#include <string.h>

#include "base/check.h"
#include "io/loop/clock.h"

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

static const struct {
    rd_kafka_resp_err_t code;
    const char *operation, *resource;
} RIGHTS[KAFKA_RIGHTS] = {
    {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, "Read", "Topic"},
    {RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, "Read", "Group"},
    {RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED, "Write", "TransactionalId"},
    {RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, "IdempotentWrite", "Cluster"},
};

static bool right_may_go(struct kafka_words *words, size_t right, uint64_t name_hash)
{
    int64_t now_ms = clock_monotonic_ms();
    (void)pthread_mutex_lock(&words->lock);
    bool is_same = words->rights[right].told_ms != 0 && words->rights[right].name_hash == name_hash;
    bool may_go = !is_same || now_ms - words->rights[right].told_ms >= KAFKA_RIGHT_AGAIN_MS;
    if (may_go) {
        words->rights[right].name_hash = name_hash;
        words->rights[right].told_ms = now_ms;
    }
    (void)pthread_mutex_unlock(&words->lock);
    return may_go;
}

bool kafka_words_right(struct kafka_words *words, int code, const char *operation,
                       struct slice name, const char *consequence)
{
    size_t i = 0;
    while (i < COUNT_OF(RIGHTS) && (int)RIGHTS[i].code != code)
        i++;
    if (i == COUNT_OF(RIGHTS))
        return false;
    if (!right_may_go(words, i, slice_hash(name, 0)))
        return true;
    struct log_field fields[] = {
        FIELD_TEXT("operation", slice_of_text(operation != NULL ? operation : RIGHTS[i].operation)),
        FIELD_TEXT("resource", slice_of_text(RIGHTS[i].resource)),
        FIELD_TEXT("name", name),
        FIELD_TEXT("consequence", slice_of_text(consequence)),
        FIELD_TEXT("client", slice_of_text(words->client)),
    };
    log_sink_add(words->sink, LOG_RIGHT_MISSING, fields, COUNT_OF(fields));
    return true;
}

/* What the worker says itself, and better: a missing right, and a fatal error other than that. */
static bool line_is_ours(const char *facility, const char *line)
{
    bool is_error = strcmp(facility, "ERROR") == 0 || strcmp(facility, "TXNERR") == 0;
    bool is_right = strstr(line, "Transactional Id authorization failed") != NULL;
    return is_error && (is_right || (facility[0] == 'E' && strstr(line, "Fatal") == NULL));
}

void kafka_words_hear(const struct rd_kafka_s *client, int level, const char *facility,
                      const char *line)
{
    struct kafka_words *words = rd_kafka_opaque(client);
    if (line_is_ours(facility, line))
        return;
    /* A new cluster's coordinator takes a moment. */
    bool is_usual = strcmp(facility, "GETPID") == 0 && strstr(line, "retrying") != NULL;
    if (is_usual)
        line_write(words, LOG_LIBRDKAFKA_DETAIL, slice_of_text(line));
    else if (level >= LEVEL_DEBUG)
        line_write(words, LOG_LIBRDKAFKA_LOG, slice_of_text(line));
    else
        kafka_words_say(words, LOG_LIBRDKAFKA_LOG, "%s: %.*s", facility, WORDS_BYTES_MAX / 2, line);
}
