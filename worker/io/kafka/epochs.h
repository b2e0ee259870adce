/* Leader epochs (KIP-320) of offsets and records, which librdkafka has since 2.1.0; with an older
 * one they are unknown, -1. */
#ifndef IO_KAFKA_EPOCHS_H
#define IO_KAFKA_EPOCHS_H

#include <stdint.h>

struct rd_kafka_topic_partition_s;
struct rd_kafka_message_s;

/* Sets the epoch of the record before the element's offset; -1 = none. */
void kafka_set_epoch(struct rd_kafka_topic_partition_s *element, int32_t leader_epoch);
/* The epoch committed beside the element's offset. */
int32_t kafka_epoch_of(const struct rd_kafka_topic_partition_s *element);
/* The epoch of a record. */
int32_t kafka_record_epoch(const struct rd_kafka_message_s *message);

#endif
