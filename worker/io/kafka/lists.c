#include "io/kafka/lists.h"

#include <librdkafka/rdkafka.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
    const rd_kafka_topic_partition_t *one = a, *other = b;
    int order = strcmp(one->topic, other->topic);
    if (order != 0)
        return order;
    return (one->partition > other->partition) - (one->partition < other->partition);
}

void list_sort(rd_kafka_topic_partition_list_t *list)
{
    if (list != NULL && list->cnt > 1)
        qsort(list->elems, (size_t)list->cnt, sizeof *list->elems, compare);
}

const rd_kafka_topic_partition_t *list_find(const rd_kafka_topic_partition_list_t *list,
                                            const char *topic, int32_t partition)
{
    if (list == NULL || list->cnt == 0)
        return NULL;
    char name[512];
    size_t len = strlen(topic);
    if (len >= sizeof name)
        return NULL;
    memcpy(name, topic, len + 1);
    const rd_kafka_topic_partition_t wanted = {.topic = name, .partition = partition};
    return bsearch(&wanted, list->elems, (size_t)list->cnt, sizeof *list->elems, compare);
}
