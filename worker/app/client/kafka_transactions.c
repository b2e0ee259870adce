#include "app/client/kafka_transactions.h"

#include <librdkafka/rdkafka.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "app/client/parts.h"
#include "io/kafka/produce.h"
#include "io/loop/clock.h"

static void write_name(struct slice topic, char ret_name[TOPIC_BYTES_MAX])
{
    slice_write(topic, ret_name, TOPIC_BYTES_MAX);
}

/* ---- positions ---- */

static enum err find_committed(struct client *client, const char *topic, int32_t partition,
                               int64_t timeout_ms, struct client_place *place)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    const rd_kafka_topic_partition_t *element =
        rd_kafka_topic_partition_list_add(list, topic, partition);
    rd_kafka_resp_err_t code = rd_kafka_committed(client->consumer, list, (int)timeout_ms);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        code = element->err;
    place->committed = element->offset >= 0 ? element->offset : -1;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR && element->metadata_size > 0)
        buf_add(place->metadata, slice_of(element->metadata, element->metadata_size));
    rd_kafka_topic_partition_list_destroy(list);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ? place->metadata->failed
                                              : client_fail(client, "committed offset", code);
}

enum err client_look_up(struct client *client, struct slice topic, int32_t partition,
                        int64_t timeout_ms, struct client_place *ret_place)
{
    char name[TOPIC_BYTES_MAX];
    write_name(topic, name);
    rd_kafka_resp_err_t code = rd_kafka_query_watermark_offsets(
        client->consumer, name, partition, &ret_place->low, &ret_place->high, (int)timeout_ms);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return client_fail(client, name, code);
    return find_committed(client, name, partition, timeout_ms, ret_place);
}

/* ---- reading ---- */

enum err client_follow_from(struct client *client, struct slice topic, const int64_t *offsets,
                            int32_t count, int64_t timeout_ms)
{
    rd_kafka_topic_t *handle = NULL;
    int32_t partitions = 0;
    enum err err = client_open(client, topic, timeout_ms, &partitions, &handle);
    if (err != OK)
        return err;
    if (count > partitions)
        return client_fail(client, rd_kafka_topic_name(handle),
                           RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    size_t index = client->topic_count - 1;
    for (int32_t i = 0; i < count && err == OK; i++) {
        err = client_start(client, handle, i, offsets[i]);
        client->partitions[index] = err == OK ? i + 1 : i;
    }
    return err;
}

/* Reads one record into a queue of its own. A missing offset makes librdkafka go elsewhere, which
 * shows. */
enum err client_read_at(struct client *client, struct slice topic, int32_t partition,
                        int64_t offset, int64_t timeout_ms, struct record *ret_record)
{
    char name[TOPIC_BYTES_MAX];
    write_name(topic, name);
    rd_kafka_topic_t *handle = rd_kafka_topic_new(client->consumer, name, NULL);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client->consumer);
    enum err err = ERR_IO;
    if (handle == NULL || rd_kafka_consume_start_queue(handle, partition, offset, queue) != 0) {
        err = client_fail(client, name, rd_kafka_last_error());
    } else {
        err = client_take(client, rd_kafka_consume_queue(queue, (int)timeout_ms), ret_record);
        if (err == OK && ret_record->offset != offset)
            err = ERR_NOT_FOUND;
        (void)rd_kafka_consume_stop(handle, partition);
    }
    rd_kafka_queue_destroy(queue);
    if (handle != NULL)
        rd_kafka_topic_destroy(handle);
    return err;
}

/* ---- transactions ---- */

static bool is_fenced(int code)
{
    return code == RD_KAFKA_RESP_ERR__FENCED || code == RD_KAFKA_RESP_ERR_PRODUCER_FENCED ||
           code == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH;
}

/* What an error of a step leaves; destroys it. OK = none; ERR_TIMEOUT = the transaction must be
 * aborted; ERR_FENCED, ERR_UNSTABLE as client_transact, ERR_NOT_ALLOWED. Trusts the codes more than
 * librdkafka's flags, which are wrong in 2.0.2. */
static enum err judge(struct client *client, const char *what, rd_kafka_error_t *error)
{
    char text[CLIENT_REASON_MAX];
    if (error == NULL)
        return OK;
    int code = (int)rd_kafka_error_code(error);
    bool is_fatal = rd_kafka_error_is_fatal(error) != 0;
    bool is_passing =
        rd_kafka_error_txn_requires_abort(error) != 0 || rd_kafka_error_is_retriable(error) != 0;
    client_set_reason(client, what, rd_kafka_error_string(error));
    rd_kafka_error_destroy(error);
    int fatal = (int)rd_kafka_fatal_error(client->producer, text, sizeof text);
    if (is_fenced(code) || is_fenced(fatal))
        return ERR_FENCED;
    if (code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED ||
        code == RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
        return ERR_NOT_ALLOWED;
    return is_fatal || fatal != 0 || !is_passing ? ERR_UNSTABLE : ERR_TIMEOUT;
}

enum err client_fence(struct client *client, int64_t timeout_ms)
{
    rd_kafka_error_t *error = rd_kafka_init_transactions(client->producer, (int)timeout_ms);
    enum err err = judge(client, "no transaction coordinator answers", error);
    return err == OK || err == ERR_NOT_ALLOWED ? err : ERR_IO;
}

static rd_kafka_topic_partition_list_t *make_offsets(struct client *client,
                                                     const struct client_batch *batch)
{
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new((int)batch->offset_count);
    for (size_t i = 0; i < batch->offset_count; i++) {
        const struct client_offset *offset = &batch->offsets[i];
        char name[TOPIC_BYTES_MAX];
        write_name(offset->topic, name);
        rd_kafka_topic_partition_t *element =
            rd_kafka_topic_partition_list_add(list, name, offset->partition);
        char *metadata = rd_kafka_mem_malloc(client->producer, offset->metadata.len + 1);
        slice_write(offset->metadata, metadata, offset->metadata.len + 1);
        element->offset = offset->offset;
        element->metadata = metadata;
        element->metadata_size = offset->metadata.len;
    }
    return list;
}

static enum err send_offsets(struct client *client, const struct client_batch *batch,
                             const char *group_id, int64_t timeout_ms, size_t *ret_rejected)
{
    rd_kafka_topic_partition_list_t *list = make_offsets(client, batch);
    rd_kafka_consumer_group_metadata_t *group = rd_kafka_consumer_group_metadata_new(group_id);
    rd_kafka_error_t *error =
        rd_kafka_send_offsets_to_transaction(client->producer, list, group, (int)timeout_ms);
    bool is_too_large =
        error != NULL && rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE;
    enum err err = judge(client, "cannot commit offsets", error);
    rd_kafka_consumer_group_metadata_destroy(group);
    rd_kafka_topic_partition_list_destroy(list);
    if (err != OK)
        *ret_rejected = batch->record_count;
    return is_too_large ? ERR_TOO_LARGE : err;
}

/* Queues a record; waits while the queue is full, until `end_ms`. */
static int queue(struct client *client, const struct client_batch *batch, size_t index,
                 int64_t end_ms)
{
    const struct record *record = &batch->records[index];
    const struct output output = {
        .topic = record->topic,
        .partition = RD_KAFKA_PARTITION_UA,
        .key = record->key,
        .value = record->value,
        .headers = record->headers.list,
        .header_count = record->headers.count,
    };
    int code = RD_KAFKA_RESP_ERR__QUEUE_FULL;
    while (code == RD_KAFKA_RESP_ERR__QUEUE_FULL && clock_monotonic_ms() < end_ms) {
        code = kafka_produce(client->producer, NULL, &output, true, (void *)(uintptr_t)(index + 1));
        rd_kafka_poll(client->producer, code == RD_KAFKA_RESP_ERR__QUEUE_FULL ? 100 : 0);
    }
    return code;
}

/* Sends the records and waits for their delivery reports. */
static enum err send_records(struct client *client, const struct client_batch *batch,
                             int64_t end_ms, size_t *ret_rejected)
{
    client->rejected = RD_KAFKA_RESP_ERR_NO_ERROR;
    client->rejected_record = 0;
    int code = RD_KAFKA_RESP_ERR_NO_ERROR;
    size_t sent = 0;
    for (; sent < batch->record_count && code == RD_KAFKA_RESP_ERR_NO_ERROR; sent++)
        code = queue(client, batch, sent, end_ms);
    *ret_rejected = sent > 0 ? sent - 1 : 0;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        int64_t left_ms = end_ms - clock_monotonic_ms();
        code = rd_kafka_flush(client->producer, left_ms > 0 ? (int)left_ms : 0);
        if (client->rejected != RD_KAFKA_RESP_ERR_NO_ERROR) {
            code = client->rejected;
            *ret_rejected = client->rejected_record - 1;
        }
    }
    client->rejected = RD_KAFKA_RESP_ERR_NO_ERROR;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return OK;
    (void)client_fail(client, "cannot send", code);
    enum err refusal = kafka_refusal(code);
    return refusal == OK ? ERR_TIMEOUT : refusal;
}

static enum err abort_transaction(struct client *client, enum err cause)
{
    char reason[CLIENT_REASON_MAX];
    memcpy(reason, client->reason, sizeof reason);
    rd_kafka_error_t *error = rd_kafka_abort_transaction(client->producer, -1);
    enum err err = judge(client, "cannot abort the transaction", error);
    if (err == ERR_FENCED)
        return err;
    if (err != OK) /* the broker aborts it in the end, or a successor does */
        return ERR_UNSTABLE;
    memcpy(client->reason, reason, sizeof reason);
    return cause;
}

enum err client_transact(struct client *client, const struct client_batch *batch,
                         int64_t timeout_ms, size_t *ret_rejected)
{
    int64_t end_ms = clock_monotonic_ms() + timeout_ms;
    char group_id[CLIENT_REASON_MAX];
    size_t room = sizeof group_id;
    *ret_rejected = 0;
    enum err err =
        judge(client, "cannot begin a transaction", rd_kafka_begin_transaction(client->producer));
    if (err != OK)
        return err == ERR_TIMEOUT ? ERR_UNSTABLE : err;
    if (rd_kafka_conf_get(rd_kafka_conf(client->consumer), "group.id", group_id, &room) !=
        RD_KAFKA_CONF_OK)
        group_id[0] = '\0';
    err = send_records(client, batch, end_ms, ret_rejected);
    if (err == OK)
        err = send_offsets(client, batch, group_id, timeout_ms, ret_rejected);
    if (err == OK) {
        err = judge(client, "cannot commit", rd_kafka_commit_transaction(client->producer, -1));
        if (err != ERR_TIMEOUT)
            return err;
    }
    return err == ERR_FENCED || err == ERR_UNSTABLE ? err : abort_transaction(client, err);
}
