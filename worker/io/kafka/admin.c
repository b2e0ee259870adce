#include "io/kafka/admin.h"

#include "base/check.h"

#define ERROR_MAX 512

rd_kafka_AdminOptions_t *admin_options(rd_kafka_t *client, rd_kafka_admin_op_t operation,
                                       int timeout_ms)
{
    char error[ERROR_MAX];
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(client, operation);
    if (options == NULL ||
        rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, error, sizeof error) ==
            RD_KAFKA_RESP_ERR_NO_ERROR)
        return options;
    rd_kafka_AdminOptions_destroy(options);
    return NULL;
}

#if ADMIN_DESCRIBES_TOPICS

void admin_describe_topics(rd_kafka_t *client, const char **names, size_t count, int32_t broker_id,
                           int timeout_ms, rd_kafka_queue_t *queue)
{
    char error[ERROR_MAX];
    rd_kafka_TopicCollection_t *topics = rd_kafka_TopicCollection_of_topic_names(names, count);
    rd_kafka_AdminOptions_t *options =
        admin_options(client, RD_KAFKA_ADMIN_OP_DESCRIBETOPICS, timeout_ms);
    CHECK(options != NULL);
    if (broker_id >= 0)
        CHECK(rd_kafka_AdminOptions_set_broker(options, broker_id, error, sizeof error) ==
              RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_DescribeTopics(client, topics, options, queue);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_TopicCollection_destroy(topics);
}

#endif
