/* Finds partitions in lists of thousands: librdkafka's own search compares one after the other. */
#ifndef IO_KAFKA_LISTS_H
#define IO_KAFKA_LISTS_H

#include <stdint.h>

struct rd_kafka_topic_partition_list_s;
struct rd_kafka_topic_partition_s;

/* Sorts a list for list_find; NULL is fine. */
void list_sort(struct rd_kafka_topic_partition_list_s *list);
/* The element of this partition in a sorted list, borrowed; NULL: there is none, or no list. */
const struct rd_kafka_topic_partition_s *
list_find(const struct rd_kafka_topic_partition_list_s *list, const char *topic, int32_t partition);

#endif
