#include "io/kafka/group.h"

#include <librdkafka/rdkafka.h>
#include <string.h>

#define GENERATION_AT 7 /* in the serialized metadata: behind "CGMDv2:" */

static void forget_bytes(struct kafka_group *group)
{
    if (group->bytes != NULL)
        rd_kafka_mem_free(group->client, group->bytes);
    group->bytes = NULL;
}

void kafka_group_forget(struct kafka_group *group)
{
    forget_bytes(group);
    group->is_read = false;
}

/* Do the bytes name a member id and a generation? Without them the client may not commit. */
static bool is_member(const char *bytes, size_t size)
{
    int32_t generation;
    size_t group_id_at = GENERATION_AT + sizeof generation;
    if (group_id_at >= size)
        return false;
    memcpy(&generation, bytes + GENERATION_AT, sizeof generation);
    size_t member_id_at = group_id_at + strnlen(bytes + group_id_at, size - group_id_at) + 1;
    return generation >= 0 && member_id_at < size && bytes[member_id_at] != '\0';
}

static void metadata_read(struct kafka_group *group)
{
    if (group->is_read)
        return;
    group->is_read = true;
    if (group->is_over || rd_kafka_assignment_lost(group->client))
        return;
    rd_kafka_consumer_group_metadata_t *metadata = rd_kafka_consumer_group_metadata(group->client);
    if (metadata == NULL)
        return;
    void *bytes = NULL;
    rd_kafka_error_t *error =
        rd_kafka_consumer_group_metadata_write(metadata, &bytes, &group->size);
    rd_kafka_consumer_group_metadata_destroy(metadata);
    if (error != NULL) {
        rd_kafka_error_destroy(error);
        return;
    }
    group->bytes = bytes;
    if (!is_member(group->bytes, group->size))
        forget_bytes(group);
}

struct slice kafka_group_serialized(struct kafka_group *group)
{
    metadata_read(group);
    return group->bytes == NULL ? SLICE_NULL : slice_of(group->bytes, group->size);
}

struct rd_kafka_consumer_group_metadata_s *kafka_group_metadata(struct kafka_group *group)
{
    struct slice bytes = kafka_group_serialized(group);
    if (bytes.ptr == NULL)
        return NULL;
    rd_kafka_consumer_group_metadata_t *metadata = NULL;
    rd_kafka_error_t *error =
        rd_kafka_consumer_group_metadata_read(&metadata, bytes.ptr, bytes.len);
    if (error == NULL)
        return metadata;
    rd_kafka_error_destroy(error);
    return NULL;
}
