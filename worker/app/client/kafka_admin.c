/* The administration of topics by the commands' Kafka client: properties, creating, deleting. */
#include "app/client/parts.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <string.h>

/* The value of a property in the answer to DescribeConfigs; NULL = it is missing. */
static const char *find_property(rd_kafka_event_t *event, const char *name,
                                 rd_kafka_resp_err_t *ret_code)
{
    size_t resource_count = 0, entry_count = 0;
    const rd_kafka_ConfigResource_t **resources = rd_kafka_DescribeConfigs_result_resources(
        rd_kafka_event_DescribeConfigs_result(event), &resource_count);
    if (resource_count != 1)
        return NULL;
    *ret_code = rd_kafka_ConfigResource_error(resources[0]);
    const rd_kafka_ConfigEntry_t **entries =
        rd_kafka_ConfigResource_configs(resources[0], &entry_count);
    for (size_t i = 0; i < entry_count; i++) {
        if (strcmp(rd_kafka_ConfigEntry_name(entries[i]), name) == 0)
            return rd_kafka_ConfigEntry_value(entries[i]);
    }
    return NULL;
}

/* Queries the properties of a topic; the caller owns the event. NULL: no answer came. */
static rd_kafka_event_t *describe(struct client *client, struct slice topic, int64_t timeout_ms)
{
    char name[TOPIC_BYTES_MAX];
    (void)snprintf(name, sizeof name, "%.*s", SLICE_ARG(topic));
    rd_kafka_ConfigResource_t *resource =
        rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client->producer);
    rd_kafka_DescribeConfigs(client->producer, &resource, 1, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, (int)timeout_ms);
    rd_kafka_queue_destroy(queue);
    rd_kafka_ConfigResource_destroy(resource);
    return event;
}

enum err client_topic_property(struct client *client, struct slice topic, const char *name,
                               int64_t timeout_ms, char *ret_value, size_t room)
{
    rd_kafka_event_t *event = describe(client, topic, timeout_ms);
    rd_kafka_resp_err_t code =
        event != NULL ? rd_kafka_event_error(event) : RD_KAFKA_RESP_ERR__TIMED_OUT;
    const char *value = NULL;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        value = find_property(event, name, &code);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR && value == NULL)
        code = RD_KAFKA_RESP_ERR_INVALID_CONFIG;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        (void)snprintf(ret_value, room, "%s", value);
    if (event != NULL)
        rd_kafka_event_destroy(event);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ? OK : client_fail(client, name, code);
}

/* ---- creating and deleting topics ---- */

/* Waits for the answer to an admin request; returns the worst result of its topics. */
static enum err take_admin(struct client *client, rd_kafka_queue_t *queue, int64_t timeout_ms,
                           const char *what, rd_kafka_resp_err_t harmless)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, (int)timeout_ms);
    rd_kafka_resp_err_t code =
        event != NULL ? rd_kafka_event_error(event) : RD_KAFKA_RESP_ERR__TIMED_OUT;
    const rd_kafka_topic_result_t **results = NULL;
    size_t count = 0;
    if (event != NULL && rd_kafka_event_type(event) == RD_KAFKA_EVENT_CREATETOPICS_RESULT)
        results =
            rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
    else if (event != NULL && rd_kafka_event_type(event) == RD_KAFKA_EVENT_DELETETOPICS_RESULT)
        results =
            rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event), &count);
    char words[CLIENT_REASON_MAX] = "";
    for (size_t i = 0; i < count && code == RD_KAFKA_RESP_ERR_NO_ERROR; i++) {
        code = rd_kafka_topic_result_error(results[i]);
        if (code == harmless)
            code = RD_KAFKA_RESP_ERR_NO_ERROR;
        else if (rd_kafka_topic_result_error_string(results[i]) != NULL)
            (void)snprintf(words, sizeof words, "%s",
                           rd_kafka_topic_result_error_string(results[i]));
    }
    if (event != NULL)
        rd_kafka_event_destroy(event);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return OK;
    enum err err = client_fail(client, what, code);
    if (words[0] != '\0') /* the broker's own words say more */
        client_set_reason(client, what, words);
    return err;
}

enum err client_create(struct client *client, const struct slice *topics, size_t count,
                       int partitions, int64_t timeout_ms)
{
    rd_kafka_NewTopic_t *requests[CLIENT_TOPICS_MAX];
    char reason[CLIENT_REASON_MAX] = "";
    size_t made = 0;
    for (; made < count && made < CLIENT_TOPICS_MAX; made++) {
        char name[TOPIC_BYTES_MAX];
        (void)snprintf(name, sizeof name, "%.*s", SLICE_ARG(topics[made]));
        requests[made] = rd_kafka_NewTopic_new(name, partitions, -1, reason, sizeof reason);
        if (requests[made] == NULL)
            break;
    }
    enum err err = OK;
    if (made == count) {
        rd_kafka_queue_t *queue = rd_kafka_queue_new(client->producer);
        rd_kafka_CreateTopics(client->producer, requests, count, NULL, queue);
        err = take_admin(client, queue, timeout_ms, "cannot make topics",
                         RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS);
        rd_kafka_queue_destroy(queue);
    } else {
        client_set_reason(client, "cannot make topics", reason);
        err = ERR_IO;
    }
    rd_kafka_NewTopic_destroy_array(requests, made);
    return err;
}

/* What librdkafka is to create; NULL: ret_reason (CLIENT_REASON_MAX) says why not. */
static rd_kafka_NewTopic_t *new_topic(const struct client_new_topic *topic, char *ret_reason)
{
    char name[TOPIC_BYTES_MAX];
    (void)snprintf(name, sizeof name, "%.*s", SLICE_ARG(topic->name));
    rd_kafka_NewTopic_t *request = rd_kafka_NewTopic_new(name, topic->partitions, topic->replicas,
                                                         ret_reason, CLIENT_REASON_MAX);
    for (size_t i = 0; i < topic->count && request != NULL; i++) {
        const struct client_property *property = &topic->properties[i];
        (void)rd_kafka_NewTopic_set_config(request, property->name, property->value);
    }
    return request;
}

enum err client_create_one(struct client *client, const struct client_new_topic *topic,
                           int64_t timeout_ms)
{
    char reason[CLIENT_REASON_MAX] = "";
    rd_kafka_NewTopic_t *request = new_topic(topic, reason);
    if (request == NULL) {
        client_set_reason(client, "cannot create the topic", reason);
        return ERR_IO;
    }
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(client->producer, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    (void)rd_kafka_AdminOptions_set_validate_only(options, topic->only_tries, reason,
                                                  sizeof reason);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client->producer);
    rd_kafka_CreateTopics(client->producer, &request, 1, options, queue);
    enum err err = take_admin(client, queue, timeout_ms, "cannot create the topic",
                              RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS);
    rd_kafka_queue_destroy(queue);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_NewTopic_destroy(request);
    return err;
}

enum err client_delete(struct client *client, const struct slice *topics, size_t count,
                       int64_t timeout_ms)
{
    rd_kafka_DeleteTopic_t *requests[CLIENT_TOPICS_MAX];
    size_t made = 0;
    for (; made < count && made < CLIENT_TOPICS_MAX; made++) {
        char name[TOPIC_BYTES_MAX];
        (void)snprintf(name, sizeof name, "%.*s", SLICE_ARG(topics[made]));
        requests[made] = rd_kafka_DeleteTopic_new(name);
    }
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client->producer);
    rd_kafka_DeleteTopics(client->producer, requests, made, NULL, queue);
    enum err err = take_admin(client, queue, timeout_ms, "cannot remove topics",
                              RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    rd_kafka_queue_destroy(queue);
    rd_kafka_DeleteTopic_destroy_array(requests, made);
    return err;
}
