#include "io/kafka/log.h"

#include <librdkafka/rdkafka.h>
#include <stdarg.h>
#include <string.h>

#include "base/check.h"
#include "io/loop/clock.h"

#define TEXT_BYTES_MAX 1024
#define LEVEL_DEBUG    7 /* of syslog; librdkafka uses it only with its property `debug` */

void kafka_log_init(struct kafka_log *log, struct kafka_lines *lines, const char *client)
{
    *log = (struct kafka_log){.lines = lines, .sink = kafka_lines_sink(lines), .client = client};
    kafka_certificate_init(&log->certificate);
    CHECK(pthread_mutex_init(&log->lock, NULL) == 0);
}

void kafka_log_done(struct kafka_log *log)
{
    kafka_certificate_done(&log->certificate);
    (void)pthread_mutex_destroy(&log->lock);
}

/* May this line be logged? When it begins a new span, *ret_left_out is the number of lines that the
 * last span left out. */
static bool line_is_due(struct kafka_log *log, unsigned *ret_left_out)
{
    int64_t now_ms = clock_monotonic_ms();
    *ret_left_out = 0;
    (void)pthread_mutex_lock(&log->lock);
    if (log->span_start_ms == 0 || now_ms - log->span_start_ms >= KAFKA_LINES_SPAN_MS) {
        *ret_left_out = log->left_out;
        log->span_start_ms = now_ms;
        log->logged = log->left_out = 0;
    }
    bool is_due = log->logged < KAFKA_LINES_MAX;
    if (is_due)
        log->logged++;
    else
        log->left_out++;
    (void)pthread_mutex_unlock(&log->lock);
    return is_due;
}

static void line_write(struct kafka_log *log, enum log_event event, struct slice line)
{
    struct log_field fields[] = {FIELD_TEXT("client", slice_of_text(log->client)),
                                 FIELD_TEXT("text", line)};
    log_sink_add(log->sink, event, fields, COUNT_OF(fields));
}

static void add_left_out(struct buf *line, unsigned left_out)
{
    if (left_out > 0)
        buf_addf(line, " (%u lines before this one were left out)", left_out);
}

void kafka_log_add(struct kafka_log *log, enum log_event event, const char *format, ...)
{
    unsigned left_out;
    if (!line_is_due(log, &left_out))
        return;
    struct buf line OWNED_BY(buf_done);
    buf_init(&line, TEXT_BYTES_MAX);
    va_list args;
    va_start(args, format);
    buf_addv(&line, format, args);
    va_end(args);
    add_left_out(&line, left_out);
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

static bool right_is_due(struct kafka_log *log, size_t right, uint64_t name_hash)
{
    int64_t now_ms = clock_monotonic_ms();
    (void)pthread_mutex_lock(&log->lock);
    bool is_same = log->rights[right].logged_ms != 0 && log->rights[right].name_hash == name_hash;
    bool is_due = !is_same || now_ms - log->rights[right].logged_ms >= KAFKA_RIGHT_AGAIN_MS;
    if (is_due) {
        log->rights[right].name_hash = name_hash;
        log->rights[right].logged_ms = now_ms;
    }
    (void)pthread_mutex_unlock(&log->lock);
    return is_due;
}

bool kafka_log_right(struct kafka_log *log, int code, const char *operation, struct slice name,
                     const char *consequence)
{
    size_t i = 0;
    while (i < COUNT_OF(RIGHTS) && (int)RIGHTS[i].code != code)
        i++;
    if (i == COUNT_OF(RIGHTS))
        return false;
    if (!right_is_due(log, i, slice_hash(name, 0)))
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

void kafka_log_line(struct kafka_log *log, const char *facility, const char *line)
{
    enum log_event event;
    unsigned left_out;
    enum held_when when = kafka_lines_find(facility, line, &event);
    if (when == HELD_ALWAYS || (when == HELD_WHILE && kafka_lines_hold(log->lines, event)) ||
        !line_is_due(log, &left_out))
        return;
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, TEXT_BYTES_MAX);
    buf_addf(&text, "%s: %.*s", facility, TEXT_BYTES_MAX / 2, line);
    add_left_out(&text, left_out);
    if (when == HELD_WHILE)
        kafka_lines_delay(log->lines, event, log->client, buf_slice(&text));
    else
        line_write(log, LOG_LIBRDKAFKA_LOG, buf_slice(&text));
}

void kafka_log_callback(const struct rd_kafka_s *client, int level, const char *facility,
                        const char *line)
{
    struct kafka_log *log = rd_kafka_opaque(client);
    /* Normal on a new cluster, whose coordinator takes a moment to start. */
    bool is_usual = strcmp(facility, "GETPID") == 0 && strstr(line, "retrying") != NULL;
    if (is_usual)
        line_write(log, LOG_LIBRDKAFKA_DETAIL, slice_of_text(line));
    else if (level >= LEVEL_DEBUG)
        line_write(log, LOG_LIBRDKAFKA_LOG, slice_of_text(line));
    else
        kafka_log_line(log, facility, line);
}
