#include "io/kafka/handles.h"

#include <librdkafka/rdkafka.h>
#include <string.h>

#include "base/check.h"
#include "base/memory.h"
#include "io/kafka/partitions.h"

#define ROOM_MIN 64 /* a power of two, as every room */

/* Where this name is, or may be put. */
static size_t place_of(const struct kafka_handles *handles, struct slice name)
{
    size_t place = slice_hash(name, 0) & (handles->room - 1);
    while (handles->table[place] != NULL &&
           !slice_equal_text(name, rd_kafka_topic_name(handles->table[place])))
        place = (place + 1) & (handles->room - 1);
    return place;
}

/* Keeps the table at most half full. */
static void grow(struct kafka_handles *handles)
{
    struct kafka_handles old = *handles;
    if (old.count * 2 < old.room)
        return;
    handles->room = old.room == 0 ? ROOM_MIN : old.room * 2;
    handles->table = memory_new(handles->room * sizeof *handles->table);
    CHECK(handles->table != NULL);
    for (size_t i = 0; i < old.room; i++)
        if (old.table[i] != NULL)
            handles->table[place_of(handles, slice_of_text(rd_kafka_topic_name(old.table[i])))] =
                old.table[i];
    memory_free(old.table);
}

struct rd_kafka_topic_s *handles_find(struct kafka_handles *handles, struct rd_kafka_s *client,
                                      struct slice topic)
{
    char name[TOPIC_NAME_MAX + 1];
    if (topic.len > TOPIC_NAME_MAX)
        return NULL;
    grow(handles);
    size_t place = place_of(handles, topic);
    if (handles->table[place] != NULL)
        return handles->table[place];
    if (topic.len > 0)
        memcpy(name, topic.ptr, topic.len);
    name[topic.len] = '\0';
    struct rd_kafka_topic_s *handle = rd_kafka_topic_new(client, name, NULL);
    handles->table[place] = handle;
    handles->count += handle != NULL;
    return handle;
}

void handles_clear(struct kafka_handles *handles)
{
    for (size_t i = 0; i < handles->room; i++)
        if (handles->table[i] != NULL)
            rd_kafka_topic_destroy(handles->table[i]);
    memory_free(handles->table);
    *handles = (struct kafka_handles){0};
}
