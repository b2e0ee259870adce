#include "io/kafka/topic_limits.h"

#include <librdkafka/rdkafka.h>
#include <stdlib.h>
#include <string.h>

#include "io/kafka/admin.h"
#include "io/loop/clock.h"

#define PROPERTY       "max.message.bytes"
#define ASK_TIMEOUT_MS 1000
#define KEPT_MS        300000

void topic_limits_forget(struct topic_limits *limits)
{
    size_t kept = 0;
    if (limits->count == 0)
        return;
    int64_t now_ms = clock_monotonic_ms();
    for (size_t i = 0; i < limits->count; i++)
        if (limits->list[i].until_ms > now_ms)
            limits->list[kept++] = limits->list[i];
    limits->count = kept;
}

static struct topic_limit *place_of(struct topic_limits *limits, const char *topic)
{
    for (size_t i = 0; i < limits->count; i++)
        if (strcmp(limits->list[i].topic, topic) == 0)
            return &limits->list[i];
    return limits->count < TOPIC_LIMITS_MAX ? &limits->list[limits->count++] : NULL;
}

static int64_t limit_of(const rd_kafka_ConfigResource_t *resource)
{
    size_t count = 0;
    if (rd_kafka_ConfigResource_error(resource) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return 0;
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(resource, &count);
    for (size_t i = 0; i < count; i++) {
        const char *value = rd_kafka_ConfigEntry_value(entries[i]);
        if (value != NULL && strcmp(rd_kafka_ConfigEntry_name(entries[i]), PROPERTY) == 0)
            return strtoll(value, NULL, 10);
    }
    return 0;
}

static void answer_take(struct topic_limits *limits, rd_kafka_event_t *event)
{
    size_t count = 0;
    if (rd_kafka_event_type(event) != RD_KAFKA_EVENT_DESCRIBECONFIGS_RESULT ||
        rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    const rd_kafka_ConfigResource_t **resources = rd_kafka_DescribeConfigs_result_resources(
        rd_kafka_event_DescribeConfigs_result(event), &count);
    for (size_t i = 0; i < count; i++) {
        const char *topic = rd_kafka_ConfigResource_name(resources[i]);
        int64_t bytes = limit_of(resources[i]);
        struct topic_limit *place =
            bytes > 0 && strlen(topic) <= TOPIC_NAME_MAX ? place_of(limits, topic) : NULL;
        if (place == NULL)
            continue;
        *place = (struct topic_limit){.bytes = bytes, .until_ms = clock_monotonic_ms() + KEPT_MS};
        memcpy(place->topic, topic, strlen(topic));
    }
}

void topic_limits_ask(struct topic_limits *limits, struct rd_kafka_s *client,
                      const struct slice *topics, size_t count, int32_t broker_id)
{
    rd_kafka_ConfigResource_t *resources[TOPIC_LIMITS_MAX];
    char name[TOPIC_NAME_MAX + 1], error[512];
    size_t asked = 0;
    topic_limits_forget(limits);
    for (size_t i = 0; i < count && asked < TOPIC_LIMITS_MAX; i++) {
        slice_write(topics[i], name, sizeof name);
        if (topics[i].len > 0 && topics[i].len <= TOPIC_NAME_MAX)
            resources[asked++] = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name);
    }
    rd_kafka_AdminOptions_t *options =
        admin_options(client, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, ASK_TIMEOUT_MS);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
    if (asked > 0 && options != NULL) {
        if (broker_id >= 0)
            (void)rd_kafka_AdminOptions_set_broker(options, broker_id, error, sizeof error);
        rd_kafka_DescribeConfigs(client, resources, asked, options, queue);
        rd_kafka_event_t *event = rd_kafka_queue_poll(queue, ASK_TIMEOUT_MS);
        if (event != NULL) {
            answer_take(limits, event);
            rd_kafka_event_destroy(event);
        }
    }
    rd_kafka_queue_destroy(queue);
    if (options != NULL)
        rd_kafka_AdminOptions_destroy(options);
    rd_kafka_ConfigResource_destroy_array(resources, asked);
}

int64_t topic_limits_find(const struct topic_limits *limits, struct slice topic)
{
    for (size_t i = 0; i < limits->count; i++)
        if (slice_equal_text(topic, limits->list[i].topic))
            return limits->list[i].bytes;
    return 0;
}

int64_t topic_limits_least(const struct topic_limits *limits, int64_t none)
{
    int64_t least = none;
    for (size_t i = 0; i < limits->count; i++)
        if (limits->list[i].bytes < least)
            least = limits->list[i].bytes;
    return least;
}
