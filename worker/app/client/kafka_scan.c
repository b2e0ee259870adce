#include "app/client/kafka_scan.h"

#include <librdkafka/rdkafka.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include "app/client/parts.h"
#include "base/memory.h"
#include "io/kafka/conf.h"
#include "io/loop/clock.h"

#define QUEUED_KIB_ALL    32768 /* records that librdkafka holds ahead, all partitions together */
#define QUEUED_KIB_MIN    64
#define QUEUED_KIB_MAX    8192
#define FETCH_KIB_MAX     1024
#define KIB_BYTES         1024
#define VALUE_BYTES       32
#define MAPPED_FROM_BYTES (32 * 1024 * 1024)
#define KEPT_BYTES        (64 * 1024 * 1024)
#define SILENCE_MS        60000 /* after which the brokers do not answer any more */
#define POLL_MS           2     /* between two looks at all partitions */

struct scan_partition {
    int64_t begin, end; /* offsets; `end` is not read */
    int64_t at;         /* the next one */
    int64_t clock_ms;   /* timestamp of the last record */
    bool is_started, is_over;
    bool is_at_end; /* nothing more is there at the moment */
};

struct scan {
    struct client *client;
    struct rd_kafka_topic_s *topic;
    struct scan_partition *partitions;
    int32_t count, open; /* of partitions; those that are not over */
    bool follows;
    int64_t heard_ms; /* when records came last */
    rd_kafka_message_t *messages[SCAN_BATCH];
    size_t message_count;
};

const char *scan_reason(const struct scan *scan)
{
    return client_reason(scan->client);
}

bool scan_is_over(const struct scan *scan)
{
    return scan->open == 0;
}

void scan_progress(const struct scan *scan, int64_t *ret_done, int64_t *ret_all)
{
    *ret_done = *ret_all = 0;
    for (int32_t i = 0; i < scan->count; i++) {
        const struct scan_partition *partition = &scan->partitions[i];
        int64_t all = partition->end - partition->begin, done = partition->at - partition->begin;
        *ret_all += all;
        *ret_done += partition->is_over || done > all ? all : done;
    }
}

/* ---- beginning ---- */

/* Of all partitions, the first offset of this time. */
static enum err find_offsets(struct scan *scan, int64_t time_ms, int64_t timeout_ms,
                             rd_kafka_topic_partition_list_t *ret_list)
{
    for (int32_t i = 0; i < scan->count; i++)
        rd_kafka_topic_partition_list_add(ret_list, rd_kafka_topic_name(scan->topic), i)->offset =
            time_ms < 0 ? 0 : time_ms;
    rd_kafka_resp_err_t code =
        rd_kafka_offsets_for_times(scan->client->consumer, ret_list, (int)timeout_ms);
    for (int i = 0; i < ret_list->cnt && code == RD_KAFKA_RESP_ERR_NO_ERROR; i++)
        code = ret_list->elems[i].err;
    return code == RD_KAFKA_RESP_ERR_NO_ERROR
               ? OK
               : client_fail(scan->client, rd_kafka_topic_name(scan->topic), code);
}

/* Moves the begin (or end) of all partitions to a time. */
static enum err move_to(struct scan *scan, int64_t time_ms, bool is_begin, int64_t timeout_ms)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(scan->count);
    enum err err = find_offsets(scan, time_ms, timeout_ms, list);
    for (int i = 0; i < list->cnt && err == OK; i++) {
        struct scan_partition *partition = &scan->partitions[list->elems[i].partition];
        int64_t offset = list->elems[i].offset;
        if (offset < 0 || offset > partition->end) /* no record of this time or later */
            offset = partition->end;
        if (is_begin)
            partition->begin = offset > partition->begin ? offset : partition->begin;
        else
            partition->end = offset > partition->begin ? offset : partition->begin;
    }
    rd_kafka_topic_partition_list_destroy(list);
    return err;
}

static enum err find_ends(struct scan *scan, int64_t timeout_ms)
{
    for (int32_t i = 0; i < scan->count; i++) {
        struct scan_partition *partition = &scan->partitions[i];
        rd_kafka_resp_err_t code = rd_kafka_query_watermark_offsets(
            scan->client->consumer, rd_kafka_topic_name(scan->topic), i, &partition->begin,
            &partition->end, (int)timeout_ms);
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
            return client_fail(scan->client, rd_kafka_topic_name(scan->topic), code);
    }
    return OK;
}

static void end_partition(struct scan *scan, int32_t i)
{
    struct scan_partition *partition = &scan->partitions[i];
    if (partition->is_started)
        rd_kafka_consume_stop(scan->topic, i);
    scan->open -= !partition->is_over;
    partition->is_over = true;
    partition->is_started = false;
}

static enum err start_partitions(struct scan *scan)
{
    for (int32_t i = 0; i < scan->count; i++) {
        struct scan_partition *partition = &scan->partitions[i];
        partition->at = partition->begin;
        partition->clock_ms = INT64_MIN;
        if (partition->begin >= partition->end && !scan->follows) {
            end_partition(scan, i);
            continue;
        }
        if (rd_kafka_consume_start(scan->topic, i, partition->begin) != 0)
            return client_fail(scan->client, rd_kafka_topic_name(scan->topic),
                               rd_kafka_last_error());
        partition->is_started = true;
    }
    return OK;
}

static enum err begin(struct scan *scan, const struct scan_window *window, int64_t timeout_ms)
{
    enum err err = find_ends(scan, timeout_ms);
    if (err == OK && window->since_ms != SCAN_START)
        err = move_to(scan, window->since_ms, true, timeout_ms);
    if (err == OK && window->until_ms != SCAN_END)
        err = move_to(scan, window->until_ms, false, timeout_ms);
    return err == OK ? start_partitions(scan) : err;
}

/* ---- birth and end ---- */

/* The blocks of fetches come again and again: mapping each anew, as the worker does to save memory
 * (main.c), takes a third of the time of a reading. */
static void keep_blocks(void)
{
    (void)mallopt(M_MMAP_THRESHOLD, MAPPED_FROM_BYTES);
    (void)mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
}

/* Makes the client for this many partitions. */
static struct client *make_client(const struct settings *settings, int32_t partitions,
                                  char *ret_reason)
{
    char queued[VALUE_BYTES], fetched[VALUE_BYTES];
    long kib = QUEUED_KIB_ALL / (partitions > 0 ? partitions : 1);
    kib = kib < QUEUED_KIB_MIN ? QUEUED_KIB_MIN : kib > QUEUED_KIB_MAX ? QUEUED_KIB_MAX : kib;
    (void)snprintf(queued, sizeof queued, "%ld", kib);
    (void)snprintf(fetched, sizeof fetched, "%ld",
                   (kib > FETCH_KIB_MAX ? FETCH_KIB_MAX : kib) * KIB_BYTES);
    const struct client_property properties[] = {
        {"queued.max.messages.kbytes", queued}, {"queued.min.messages", "1000000"},
        {"fetch.message.max.bytes", fetched},   {"enable.partition.eof", "true"},
        {"fetch.queue.backoff.ms", "5"},
    };
    size_t count = COUNT_OF(properties) - (kafka_conf_has_fetch_backoff() ? 0 : 1);
    return client_new_reader(settings, properties, count, ret_reason);
}

/* How many partitions the topic has: the memory for records ahead is divided among them. */
static bool count_partitions(const struct settings *settings, const struct scan_window *window,
                             int64_t timeout_ms, int32_t *ret_count, char *ret_reason)
{
    struct client *client = make_client(settings, 1, ret_reason);
    if (client == NULL)
        return false;
    enum err err = client_topic(client, window->topic, timeout_ms, ret_count);
    if (err == ERR_NOT_FOUND)
        (void)snprintf(ret_reason, CLIENT_REASON_MAX,
                       "%.200s; create the topic, or correct topics.usage", client_reason(client));
    else if (err == ERR_NOT_ALLOWED)
        (void)snprintf(ret_reason, CLIENT_REASON_MAX,
                       "%.200s; grant this client access to the topic", client_reason(client));
    else if (err != OK)
        (void)snprintf(ret_reason, CLIENT_REASON_MAX, "%.300s; check %s", client_reason(client),
                       client_suspects(client));
    client_free(client);
    return err == OK;
}

static rd_kafka_topic_t *open_topic(struct client *client, struct slice topic)
{
    char name[TOPIC_BYTES_MAX];
    slice_write(topic, name, sizeof name);
    return rd_kafka_topic_new(client->consumer, name, NULL);
}

struct scan *scan_new(const struct settings *settings, const struct scan_window *window,
                      int64_t timeout_ms, char *ret_reason)
{
    int32_t count = 0;
    keep_blocks();
    if (!count_partitions(settings, window, timeout_ms, &count, ret_reason))
        return NULL;
    struct scan *scan = memory_new(sizeof *scan);
    if (scan != NULL) {
        *scan = (struct scan){.count = count, .open = count, .follows = window->follows};
        scan->partitions = memory_new((size_t)count * sizeof scan->partitions[0]);
        scan->client = make_client(settings, count, ret_reason);
        scan->topic = scan->client != NULL ? open_topic(scan->client, window->topic) : NULL;
        scan->heard_ms = clock_monotonic_ms();
    }
    if (scan != NULL && scan->topic != NULL && scan->partitions != NULL) {
        if (begin(scan, window, timeout_ms) == OK)
            return scan;
        (void)snprintf(ret_reason, CLIENT_REASON_MAX, "%.400s", scan_reason(scan));
    }
    scan_free(scan);
    return NULL;
}

static void drop_messages(struct scan *scan)
{
    for (size_t i = 0; i < scan->message_count; i++)
        rd_kafka_message_destroy(scan->messages[i]);
    scan->message_count = 0;
}

void scan_free(struct scan *scan)
{
    if (scan == NULL)
        return;
    drop_messages(scan);
    for (int32_t i = 0; i < scan->count && scan->topic != NULL; i++)
        if (scan->partitions != NULL)
            end_partition(scan, i);
    if (scan->topic != NULL)
        rd_kafka_topic_destroy(scan->topic);
    client_free(scan->client);
    memory_free(scan->partitions);
    memory_free(scan);
}

/* ---- reading ---- */

static bool is_waited_for(const struct scan_partition *partition)
{
    return !partition->is_over && !partition->is_at_end;
}

/* The time that all partitions which have more have reached. */
static int64_t slowest_ms(const struct scan *scan)
{
    int64_t slowest = INT64_MAX, latest = INT64_MIN;
    for (int32_t i = 0; i < scan->count; i++) {
        const struct scan_partition *partition = &scan->partitions[i];
        if (is_waited_for(partition) && partition->clock_ms < slowest)
            slowest = partition->clock_ms;
        latest = partition->clock_ms > latest ? partition->clock_ms : latest;
    }
    return slowest == INT64_MAX ? latest : slowest;
}

static enum err take_message(struct scan *scan, const rd_kafka_message_t *message,
                             struct scan_batch *batch)
{
    struct scan_partition *partition = &scan->partitions[message->partition];
    rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
    bool is_end = message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR && !is_end)
        return client_fail(scan->client, "cannot read", message->err);
    partition->at = is_end ? message->offset : message->offset + 1;
    partition->is_at_end = is_end;
    bool is_within = !is_end && (scan->follows || message->offset < partition->end);
    if (is_within) {
        int64_t timestamp_ms = rd_kafka_message_timestamp(message, &type);
        partition->clock_ms =
            timestamp_ms > partition->clock_ms ? timestamp_ms : partition->clock_ms;
        batch->records[batch->count++] = (struct scan_record){
            message->partition, message->offset, slice_of(message->payload, message->len)};
    }
    if (!scan->follows && partition->at >= partition->end)
        end_partition(scan, message->partition);
    return OK;
}

/* Reads from one partition. */
static enum err read_partition(struct scan *scan, int32_t i, int64_t timeout_ms,
                               struct scan_batch *batch)
{
    enum err err = OK;
    ssize_t count =
        rd_kafka_consume_batch(scan->topic, i, (int)timeout_ms, scan->messages, SCAN_BATCH);
    if (count < 0)
        return client_fail(scan->client, "cannot read", rd_kafka_last_error());
    scan->message_count = (size_t)count;
    if (count > 0)
        scan->heard_ms = clock_monotonic_ms();
    for (size_t at = 0; at < scan->message_count && err == OK; at++)
        if (!scan->partitions[i].is_over)
            err = take_message(scan, scan->messages[at], batch);
    return err;
}

/* Reads from the first partition, the slowest first, that has records ready. */
static enum err read_ready(struct scan *scan, struct scan_batch *batch)
{
    int64_t slowest = slowest_ms(scan);
    int64_t limit = slowest > INT64_MAX - SCAN_APART_MS ? INT64_MAX : slowest + SCAN_APART_MS;
    enum err err = OK;
    for (int round = 0; round < 2 && batch->count == 0 && err == OK; round++) {
        for (int32_t i = 0; i < scan->count && batch->count == 0 && err == OK; i++) {
            const struct scan_partition *partition = &scan->partitions[i];
            bool is_slow = partition->clock_ms <= slowest;
            if (!partition->is_over && partition->clock_ms <= limit && is_slow == (round == 0)) {
                drop_messages(scan);
                err = read_partition(scan, i, 0, batch);
            }
        }
    }
    return err;
}

enum err scan_next(struct scan *scan, int64_t timeout_ms, struct scan_batch *ret_batch)
{
    int64_t end_ms = clock_monotonic_ms() + timeout_ms;
    enum err err = OK;
    ret_batch->count = 0;
    while (err == OK && ret_batch->count == 0 && !scan_is_over(scan)) {
        err = read_ready(scan, ret_batch);
        int64_t now_ms = clock_monotonic_ms();
        if (err != OK || ret_batch->count > 0 || now_ms >= end_ms)
            break;
        if (!scan->follows && now_ms - scan->heard_ms > SILENCE_MS)
            err =
                client_fail(scan->client, "no broker sends records", RD_KAFKA_RESP_ERR__TIMED_OUT);
        rd_kafka_poll(scan->client->consumer, POLL_MS);
    }
    ret_batch->now_ms = slowest_ms(scan);
    return err;
}
