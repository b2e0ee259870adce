#include "io/kafka/topic_ids.h"

#include <librdkafka/rdkafka.h>
#include <string.h>

#include "base/check.h"
#include "base/memory.h"
#include "io/kafka/admin.h"
#include "io/kafka/partitions.h"

#define ASK_TIMEOUT_MS 5000
#define ID_BYTES       16

struct topic_ids_entry {
    char topic[TOPIC_NAME_MAX + 1];
    enum err err;
    char id[ID_BYTES];
    bool has_id;
    int32_t partitions;
};

void topic_ids_init(struct kafka_topic_ids *ids, struct rd_kafka_s *client,
                    struct rd_kafka_queue_s *queue)
{
    *ids = (struct kafka_topic_ids){.client = client, .queue = queue, .broker_id = -1};
}

void topic_ids_done(struct kafka_topic_ids *ids)
{
    memory_free(ids->entries);
    *ids = (struct kafka_topic_ids){0};
}

enum err topic_ids_find(const struct kafka_topic_ids *ids, const char *topic, struct slice *ret_id,
                        int32_t *ret_partitions)
{
    *ret_id = SLICE_NULL;
    *ret_partitions = 0;
    for (size_t i = 0; i < ids->count; i++) {
        const struct topic_ids_entry *entry = &ids->entries[i];
        if (strcmp(entry->topic, topic) != 0)
            continue;
        if (entry->has_id)
            *ret_id = slice_of(entry->id, ID_BYTES);
        *ret_partitions = entry->partitions;
        return entry->err;
    }
    return ids->has_failed ? ERR_IO : OK;
}

#if ADMIN_DESCRIBES_TOPICS

void topic_ids_ask(struct kafka_topic_ids *ids, const char *const *topics, size_t count)
{
    CHECK(count > 0 && !ids->is_asking);
    ids->count = 0;
    ids->has_failed = false;
    const char **names = memory_new(count * sizeof *names);
    CHECK(names != NULL);
    memcpy(names, topics, count * sizeof *names);
    /* Without a broker it waits for the controller, which the in-memory cluster of librdkafka does
     * not have. A broker may be away: after a failure the other way is tried. */
    admin_describe_topics(ids->client, names, count, ids->failures % 2 == 0 ? ids->broker_id : -1,
                          ASK_TIMEOUT_MS, ids->queue);
    memory_free(names);
    ids->is_asking = true;
}

static void big_endian(int64_t bits, char *ret_bytes)
{
    for (int i = 0; i < 8; i++)
        ret_bytes[i] = (char)((uint64_t)bits >> (56 - 8 * i));
}

/* A right that is missing leaves id and partitions unknown: reading the records says so. */
static enum err err_of(const rd_kafka_error_t *error)
{
    rd_kafka_resp_err_t code =
        error == NULL ? RD_KAFKA_RESP_ERR_NO_ERROR : rd_kafka_error_code(error);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ||
                   code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
                   code == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED
               ? OK
               : ERR_IO;
}

static void entry_read(struct topic_ids_entry *entry, const rd_kafka_TopicDescription_t *topic)
{
    size_t partitions = 0;
    (void)slice_write(slice_of_text(rd_kafka_TopicDescription_name(topic)), entry->topic,
                      sizeof entry->topic);
    const rd_kafka_error_t *error = rd_kafka_TopicDescription_error(topic);
    entry->err = err_of(error);
    entry->has_id = false;
    entry->partitions = 0;
    if (error != NULL && rd_kafka_error_code(error) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    (void)rd_kafka_TopicDescription_partitions(topic, &partitions);
    entry->partitions = (int32_t)partitions;
    const rd_kafka_Uuid_t *id = rd_kafka_TopicDescription_topic_id(topic);
    int64_t most = id == NULL ? 0 : rd_kafka_Uuid_most_significant_bits(id);
    int64_t least = id == NULL ? 0 : rd_kafka_Uuid_least_significant_bits(id);
    entry->has_id = most != 0 || least != 0;
    big_endian(most, entry->id);
    big_endian(least, entry->id + ID_BYTES / 2);
}

static void topics_read(struct kafka_topic_ids *ids, rd_kafka_event_t *event)
{
    size_t count = 0;
    rd_kafka_resp_err_t err = rd_kafka_event_error(event);
    ids->has_failed =
        err != RD_KAFKA_RESP_ERR_NO_ERROR && err != RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE;
    ids->failures = ids->has_failed ? ids->failures + 1 : 0;
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    const rd_kafka_TopicDescription_t **topics =
        rd_kafka_DescribeTopics_result_topics(rd_kafka_event_DescribeTopics_result(event), &count);
    ids->entries = memory_resize(ids->entries, (count + 1) * sizeof *ids->entries);
    CHECK(ids->entries != NULL);
    for (size_t i = 0; i < count; i++)
        entry_read(&ids->entries[i], topics[i]);
    ids->count = count;
}

bool topic_ids_answer(struct kafka_topic_ids *ids, struct rd_kafka_op_s *event)
{
    if (rd_kafka_event_type(event) != RD_KAFKA_EVENT_DESCRIBETOPICS_RESULT)
        return false;
    ids->is_asking = false;
    topics_read(ids, event);
    return true;
}

#else

void topic_ids_ask(struct kafka_topic_ids *ids, const char *const *topics, size_t count)
{
    (void)topics;
    CHECK(count > 0 && !ids->is_asking);
}

bool topic_ids_answer(struct kafka_topic_ids *ids, struct rd_kafka_op_s *event)
{
    (void)ids;
    (void)event;
    return false;
}

#endif
