#include "io/kafka/epochs.h"

#include <librdkafka/rdkafka.h>

#if RD_KAFKA_VERSION >= 0x02010000

void kafka_set_epoch(struct rd_kafka_topic_partition_s *element, int32_t leader_epoch)
{
    if (leader_epoch >= 0)
        rd_kafka_topic_partition_set_leader_epoch(element, leader_epoch);
}

int32_t kafka_epoch_of(const struct rd_kafka_topic_partition_s *element)
{
    return rd_kafka_topic_partition_get_leader_epoch(element);
}

int32_t kafka_record_epoch(const struct rd_kafka_message_s *message)
{
    return rd_kafka_message_leader_epoch(message);
}

#else

void kafka_set_epoch(struct rd_kafka_topic_partition_s *element, int32_t leader_epoch)
{
    (void)element;
    (void)leader_epoch;
}

int32_t kafka_epoch_of(const struct rd_kafka_topic_partition_s *element)
{
    (void)element;
    return -1;
}

int32_t kafka_record_epoch(const struct rd_kafka_message_s *message)
{
    (void)message;
    return -1;
}

#endif
