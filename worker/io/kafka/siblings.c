#include "io/kafka/siblings.h"

#include <librdkafka/rdkafka.h>
#include <string.h>

#include "base/check.h"
#include "base/memory.h"
#include "io/kafka/admin.h"

#define READ_TIMEOUT_MS 5000

/* A partition that waits for the maps. */
struct question {
    struct tenure tenure;
    uint32_t ticket;
    bool is_sent; /* in the running request */
};

struct kafka_siblings {
    const struct kafka_config *config;
    struct kafka_consumer *consumer;
    struct engine *engine;
    rd_kafka_t *client;
    rd_kafka_queue_t *queue;
    rd_kafka_AdminOptions_t *options;
    struct loop_wake wake;
    struct question *questions;
    size_t count, room;
    bool is_reading;
};

static void on_event(rd_kafka_t *client, void *opaque)
{
    (void)client;
    struct kafka_siblings *siblings = opaque;
    siblings->wake.wake(siblings->wake.self);
}

struct kafka_siblings *kafka_siblings_new(const struct kafka_config *config,
                                          struct kafka_consumer *consumer, struct loop_wake wake)
{
    struct kafka_siblings *siblings = memory_new(sizeof *siblings);
    if (siblings == NULL)
        return NULL;
    siblings->config = config;
    siblings->consumer = consumer;
    siblings->client = kafka_consumer_client(consumer);
    siblings->wake = wake;
    siblings->queue = rd_kafka_queue_new(siblings->client);
    rd_kafka_queue_cb_event_enable(siblings->queue, on_event, siblings);
    siblings->options = admin_options(siblings->client, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS,
                                      READ_TIMEOUT_MS);
    if (siblings->options != NULL)
        return siblings;
    kafka_siblings_free(siblings);
    return NULL;
}

void kafka_siblings_attach(struct kafka_siblings *siblings, struct engine *engine)
{
    siblings->engine = engine;
}

void kafka_siblings_read(struct kafka_siblings *siblings, struct tenure tenure, uint32_t ticket)
{
    if (siblings->count == siblings->room) {
        size_t room = siblings->room == 0 ? 16 : siblings->room * 2;
        siblings->questions =
            memory_resize(siblings->questions, room * sizeof *siblings->questions);
        CHECK(siblings->questions != NULL);
        siblings->room = room;
    }
    siblings->questions[siblings->count++] = (struct question){.tenure = tenure, .ticket = ticket};
    siblings->wake.wake(siblings->wake.self);
}

/* Sends a request for all offsets of the group. */
static void ask(struct kafka_siblings *siblings)
{
    if (siblings->is_reading || siblings->count == 0)
        return;
    char group_id[TOPIC_NAME_MAX + 1] = "";
    struct slice group = siblings->config->group_id;
    memcpy(group_id, group.ptr, group.len < TOPIC_NAME_MAX ? group.len : TOPIC_NAME_MAX);
    rd_kafka_ListConsumerGroupOffsets_t *request =
        rd_kafka_ListConsumerGroupOffsets_new(group_id, NULL);
    rd_kafka_ListConsumerGroupOffsets(siblings->client, &request, 1, siblings->options,
                                      siblings->queue);
    rd_kafka_ListConsumerGroupOffsets_destroy(request);
    siblings->is_reading = true;
    for (size_t i = 0; i < siblings->count; i++)
        siblings->questions[i].is_sent = true;
}

static void answer(struct kafka_siblings *siblings, const struct question *question,
                   const rd_kafka_topic_partition_list_t *list, struct committed *others)
{
    const struct part *part = kafka_consumer_part(siblings->consumer, question->tenure);
    size_t count = 0;
    if (part == NULL || siblings->engine == NULL)
        return;
    for (int i = 0; list != NULL && i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *found = &list->elems[i];
        if (found->offset < 0 || found->partition == part->partition ||
            strcmp(found->topic, part->topic) != 0)
            continue;
        others[count++] =
            (struct committed){.offset = found->offset,
                               .metadata = slice_of(found->metadata_size > 0 ? found->metadata : "",
                                                    found->metadata_size)};
    }
    engine_siblings_read(siblings->engine, question->tenure, question->ticket,
                         list == NULL ? ERR_IO : OK, others, count);
}

/* Answers the questions that were sent. `list` is NULL when the request failed. */
static void answer_all(struct kafka_siblings *siblings, const rd_kafka_topic_partition_list_t *list)
{
    size_t room = list == NULL ? 1 : (size_t)list->cnt + 1, left = 0;
    struct committed *found = memory_new(room * sizeof *found);
    CHECK(found != NULL);
    siblings->is_reading = false;
    for (size_t i = 0; i < siblings->count; i++) {
        struct question question = siblings->questions[i];
        if (question.is_sent)
            answer(siblings, &question, list, found);
        else
            siblings->questions[left++] = question;
    }
    siblings->count = left;
    memory_free(found);
}

static void on_read(struct kafka_siblings *siblings, rd_kafka_event_t *event)
{
    const rd_kafka_topic_partition_list_t *list = NULL;
    if (rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        size_t count = 0;
        const rd_kafka_group_result_t **groups = rd_kafka_ListConsumerGroupOffsets_result_groups(
            rd_kafka_event_ListConsumerGroupOffsets_result(event), &count);
        if (count == 1 && rd_kafka_group_result_error(groups[0]) == NULL)
            list = rd_kafka_group_result_partitions(groups[0]);
    }
    answer_all(siblings, list);
}

void kafka_siblings_step(struct kafka_siblings *siblings)
{
    rd_kafka_event_t *event;
    while ((event = rd_kafka_queue_poll(siblings->queue, 0)) != NULL) {
        if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_LISTCONSUMERGROUPOFFSETS_RESULT)
            on_read(siblings, event);
        rd_kafka_event_destroy(event);
    }
    ask(siblings);
}

void kafka_siblings_free(struct kafka_siblings *siblings)
{
    if (siblings == NULL)
        return;
    rd_kafka_queue_cb_event_enable(siblings->queue, NULL, NULL);
    rd_kafka_queue_destroy(siblings->queue);
    if (siblings->options != NULL)
        rd_kafka_AdminOptions_destroy(siblings->options);
    memory_free(siblings->questions);
    memory_free(siblings);
}
