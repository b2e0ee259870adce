#include "io/kafka/joins.h"

#include <librdkafka/rdkafka.h>

/* API keys of Kafka's protocol */
#define JOIN_GROUP 11
#define SYNC_GROUP 14
#define NAME       "bedrock-worker-joins"

static struct kafka_join *join_of(struct kafka_joins *joins, int16_t api_key)
{
    return api_key == JOIN_GROUP ? &joins->join : api_key == SYNC_GROUP ? &joins->sync : NULL;
}

static rd_kafka_resp_err_t request_sent(rd_kafka_t *client, int fd, const char *broker, int32_t id,
                                        int16_t api_key, int16_t api_version, int32_t correlation,
                                        size_t size, void *opaque)
{
    (void)client, (void)fd, (void)broker, (void)id;
    (void)api_version, (void)correlation, (void)size;
    struct kafka_join *join = join_of(opaque, api_key);
    if (join != NULL)
        (void)atomic_fetch_add(&join->sent, 1);
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* librdkafka calls this also when the connection ends without an answer. */
static rd_kafka_resp_err_t response_received(rd_kafka_t *client, int fd, const char *broker,
                                             int32_t id, int16_t api_key, int16_t api_version,
                                             int32_t correlation, size_t size, int64_t rtt,
                                             rd_kafka_resp_err_t err, void *opaque)
{
    (void)client, (void)fd, (void)broker, (void)id, (void)rtt, (void)err;
    (void)api_version, (void)correlation, (void)size;
    struct kafka_join *join = join_of(opaque, api_key);
    if (join != NULL)
        atomic_store(&join->answered, atomic_load(&join->sent));
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

static rd_kafka_resp_err_t client_made(rd_kafka_t *client, const rd_kafka_conf_t *conf,
                                       void *opaque, char *error, size_t error_size)
{
    (void)conf, (void)error, (void)error_size;
    rd_kafka_resp_err_t err =
        rd_kafka_interceptor_add_on_request_sent(client, NAME, request_sent, opaque);
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
        return err;
    return rd_kafka_interceptor_add_on_response_received(client, NAME, response_received, opaque);
}

bool kafka_joins_watch(struct rd_kafka_conf_s *conf, struct kafka_joins *joins)
{
    return rd_kafka_conf_interceptor_add_on_new(conf, NAME, client_made, joins) ==
           RD_KAFKA_RESP_ERR_NO_ERROR;
}

static bool is_under_way(struct kafka_join *join)
{
    return atomic_load(&join->sent) != atomic_load(&join->answered);
}

bool kafka_joins_under_way(struct kafka_joins *joins)
{
    return is_under_way(&joins->join);
}

bool kafka_joins_sync_under_way(struct kafka_joins *joins)
{
    return is_under_way(&joins->sync);
}
