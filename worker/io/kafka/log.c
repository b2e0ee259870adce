#include "io/kafka/log.h"

#include <librdkafka/rdkafka.h>
#include <stdarg.h>
#include <string.h>

#include "base/check.h"
#include "io/loop/clock.h"

#define WORDS_BYTES_MAX 1024
#define LEVEL_DEBUG     7 /* syslog's; librdkafka speaks so only when its property `debug` is set */

void kafka_log_init(struct kafka_log *log, struct log_sink *sink, const char *client)
{
    *log = (struct kafka_log){.sink = sink, .client = client};
    CHECK(pthread_mutex_init(&log->lock, NULL) == 0);
}

void kafka_log_done(struct kafka_log *log)
{
    (void)pthread_mutex_destroy(&log->lock);
}

/* May this line be written? ret_left_out: how many were not, when a new span begins. */
static bool line_may_go(struct kafka_log *log, unsigned *ret_left_out)
{
    int64_t now_ms = clock_monotonic_ms();
    *ret_left_out = 0;
    (void)pthread_mutex_lock(&log->lock);
    if (log->span_start_ms == 0 || now_ms - log->span_start_ms >= KAFKA_LINES_SPAN_MS) {
        *ret_left_out = log->left_out;
        log->span_start_ms = now_ms;
        log->lines = log->left_out = 0;
    }
    bool may_go = log->lines < KAFKA_LINES_MAX;
    if (may_go)
        log->lines++;
    else
        log->left_out++;
    (void)pthread_mutex_unlock(&log->lock);
    return may_go;
}

static void line_write(struct kafka_log *log, enum log_event event, struct slice line)
{
    struct log_field fields[] = {FIELD_TEXT("client", slice_of_text(log->client)),
                                 FIELD_TEXT("words", line)};
    log_sink_add(log->sink, event, fields, COUNT_OF(fields));
}

void kafka_log_add(struct kafka_log *log, enum log_event event, const char *format, ...)
{
    unsigned left_out;
    if (!line_may_go(log, &left_out))
        return;
    struct buf line OWNED_BY(buf_done);
    buf_init(&line, WORDS_BYTES_MAX);
    va_list args;
    va_start(args, format);
    buf_addv(&line, format, args);
    va_end(args);
    if (left_out > 0)
        buf_addf(&line, " (%u lines before this one were left out)", left_out);
    line_write(log, event, buf_slice(&line));
}

void kafka_log_error(struct kafka_log *log, const char *what, rd_kafka_error_t *error)
{
    if (error == NULL)
        return;
    kafka_log_add(log, LOG_LIBRDKAFKA_ERROR, "%s: %s", what, rd_kafka_error_string(error));
    rd_kafka_error_destroy(error);
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

static bool right_may_go(struct kafka_log *log, size_t right, uint64_t name_hash)
{
    int64_t now_ms = clock_monotonic_ms();
    (void)pthread_mutex_lock(&log->lock);
    bool is_same = log->rights[right].told_ms != 0 && log->rights[right].name_hash == name_hash;
    bool may_go = !is_same || now_ms - log->rights[right].told_ms >= KAFKA_RIGHT_AGAIN_MS;
    if (may_go) {
        log->rights[right].name_hash = name_hash;
        log->rights[right].told_ms = now_ms;
    }
    (void)pthread_mutex_unlock(&log->lock);
    return may_go;
}

bool kafka_log_right(struct kafka_log *log, int code, const char *operation, struct slice name,
                     const char *consequence)
{
    size_t i = 0;
    while (i < COUNT_OF(RIGHTS) && (int)RIGHTS[i].code != code)
        i++;
    if (i == COUNT_OF(RIGHTS))
        return false;
    if (!right_may_go(log, i, slice_hash(name, 0)))
        return true;
    struct log_field fields[] = {
        FIELD_TEXT("operation", slice_of_text(operation != NULL ? operation : RIGHTS[i].operation)),
        FIELD_TEXT("resource", slice_of_text(RIGHTS[i].resource)),
        FIELD_TEXT("name", name),
        FIELD_TEXT("consequence", slice_of_text(consequence)),
        FIELD_TEXT("client", slice_of_text(log->client)),
    };
    log_sink_add(log->sink, LOG_RIGHT_MISSING, fields, COUNT_OF(fields));
    return true;
}

/* What the worker says itself, and better: a missing right, and a fatal error other than that. */
static bool line_is_ours(const char *facility, const char *line)
{
    bool is_error = strcmp(facility, "ERROR") == 0 || strcmp(facility, "TXNERR") == 0;
    bool is_right = strstr(line, "Transactional Id authorization failed") != NULL;
    return is_error && (is_right || (facility[0] == 'E' && strstr(line, "Fatal") == NULL));
}

void kafka_log_hear(const struct rd_kafka_s *client, int level, const char *facility,
                    const char *line)
{
    struct kafka_log *log = rd_kafka_opaque(client);
    if (line_is_ours(facility, line))
        return;
    /* A new cluster's coordinator takes a moment. */
    bool is_usual = strcmp(facility, "GETPID") == 0 && strstr(line, "retrying") != NULL;
    if (is_usual)
        line_write(log, LOG_LIBRDKAFKA_DETAIL, slice_of_text(line));
    else if (level >= LEVEL_DEBUG)
        line_write(log, LOG_LIBRDKAFKA_LOG, slice_of_text(line));
    else
        kafka_log_add(log, LOG_LIBRDKAFKA_LOG, "%s: %.*s", facility, WORDS_BYTES_MAX / 2, line);
}
