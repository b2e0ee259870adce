#include "io/kafka/offsets.h"

#include <librdkafka/rdkafka.h>
#include <string.h>

#include "base/check.h"
#include "base/memory.h"
#include "io/kafka/admin.h"
#include "io/kafka/commits.h"
#include "io/kafka/epochs.h"
#include "io/kafka/lists.h"
#include "io/kafka/topic_ids.h"

#define READS_MIN       64 /* room at first; each partition has at most two: sent and waiting */
#define READ_TIMEOUT_MS 5000

/* A read that has no answer yet. */
struct read {
    struct tenure tenure;
    uint32_t ticket;
    bool is_sent; /* in the running request */
};

struct kafka_offsets {
    const struct kafka_config *config;
    struct kafka_consumer *consumer;
    struct engine *engine;
    rd_kafka_t *client;
    rd_kafka_queue_t *queue;
    rd_kafka_AdminOptions_t *options;
    struct loop_wake wake;
    struct read *reads;
    size_t read_count, read_room;
    size_t places[PARTITIONS_MAX];          /* by slot: where its read that is not sent may be */
    bool is_reading;                        /* a request for them runs … */
    bool is_asking;                         /* … and its first answer has not come */
    rd_kafka_topic_partition_list_t *found; /* that answer; NULL = none, or the request failed */
    struct kafka_topic_ids topic_ids;
    struct kafka_commits commits;
};

static void on_event(rd_kafka_t *client, void *opaque)
{
    (void)client;
    struct kafka_offsets *offsets = opaque;
    offsets->wake.wake(offsets->wake.self);
}

static bool options_make(struct kafka_offsets *offsets)
{
    offsets->options =
        admin_options(offsets->client, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS, READ_TIMEOUT_MS);
    if (offsets->options == NULL)
        return false;
    CHECK(rd_kafka_AdminOptions_set_require_stable_offsets(offsets->options, 1) == NULL);
    return true;
}

struct kafka_offsets *kafka_offsets_new(const struct kafka_config *config,
                                        struct kafka_consumer *consumer, struct log_sink *sink,
                                        struct loop_wake wake)
{
    struct kafka_offsets *offsets = memory_new(sizeof *offsets);
    if (offsets == NULL)
        return NULL;
    offsets->config = config;
    offsets->consumer = consumer;
    offsets->client = kafka_consumer_client(consumer);
    offsets->wake = wake;
    offsets->queue = rd_kafka_queue_new(offsets->client);
    rd_kafka_queue_cb_event_enable(offsets->queue, on_event, offsets);
    topic_ids_init(&offsets->topic_ids, offsets->client, offsets->queue);
    if (!commits_init(&offsets->commits, config, consumer, offsets->queue, sink) ||
        !options_make(offsets)) {
        kafka_offsets_free(offsets);
        return NULL;
    }
    return offsets;
}

void kafka_offsets_set_broker(struct kafka_offsets *offsets, int32_t broker_id)
{
    offsets->topic_ids.broker_id = broker_id;
}

void kafka_offsets_attach(struct kafka_offsets *offsets, struct engine *engine)
{
    offsets->engine = offsets->commits.engine = engine;
}

/* ---- reading ---- */

/* The read of this tenure that is not sent yet, or a new one. */
static struct read *read_take(struct kafka_offsets *offsets, struct tenure tenure)
{
    size_t *place = &offsets->places[tenure.slot];
    struct read *last = *place < offsets->read_count ? &offsets->reads[*place] : NULL;
    if (last != NULL && !last->is_sent && last->tenure.slot == tenure.slot &&
        last->tenure.epoch == tenure.epoch)
        return last;
    if (offsets->read_count == offsets->read_room) {
        size_t room = offsets->read_room == 0 ? READS_MIN : offsets->read_room * 2;
        offsets->reads = memory_resize(offsets->reads, room * sizeof *offsets->reads);
        CHECK(offsets->reads != NULL);
        offsets->read_room = room;
    }
    *place = offsets->read_count;
    return &offsets->reads[offsets->read_count++];
}

static void read_keep(struct kafka_offsets *offsets, size_t place, struct read read)
{
    offsets->reads[place] = read;
    offsets->places[read.tenure.slot] = place;
}

void kafka_offsets_read(struct kafka_offsets *offsets, struct tenure tenure, uint32_t ticket)
{
    *read_take(offsets, tenure) = (struct read){.tenure = tenure, .ticket = ticket};
    if (kafka_offsets_holds(offsets, tenure))
        commits_request(&offsets->commits);
    offsets->wake.wake(offsets->wake.self);
}

/* Asks what the topics of the list are now. */
static void topics_ask(struct kafka_offsets *offsets, rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_topic_partition_list_sort(list, NULL, NULL);
    const char **names = memory_new((size_t)list->cnt * sizeof *names);
    size_t count = 0;
    CHECK(names != NULL);
    for (int i = 0; i < list->cnt; i++)
        if (count == 0 || strcmp(names[count - 1], list->elems[i].topic) != 0)
            names[count++] = list->elems[i].topic;
    topic_ids_ask(&offsets->topic_ids, names, count);
    memory_free(names);
}

/* Sends a request for all partitions that can be read now. */
static void reads_send(struct kafka_offsets *offsets)
{
    if (offsets->is_reading || offsets->read_count == 0)
        return;
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new((int)offsets->read_count);
    for (size_t i = 0; i < offsets->read_count; i++) {
        struct read *read = &offsets->reads[i];
        const struct part *part = kafka_consumer_part(offsets->consumer, read->tenure);
        read->is_sent = part != NULL && !kafka_offsets_holds(offsets, read->tenure);
        if (read->is_sent) /* a tenure has one read that is not sent */
            (void)rd_kafka_topic_partition_list_add(list, part->topic, part->partition);
    }
    if (list->cnt > 0) {
        char group_id[TOPIC_NAME_MAX + 1] = "";
        size_t len = offsets->config->group_id.len < TOPIC_NAME_MAX ? offsets->config->group_id.len
                                                                    : TOPIC_NAME_MAX;
        memcpy(group_id, offsets->config->group_id.ptr, len);
        rd_kafka_ListConsumerGroupOffsets_t *request =
            rd_kafka_ListConsumerGroupOffsets_new(group_id, list);
        rd_kafka_ListConsumerGroupOffsets(offsets->client, &request, 1, offsets->options,
                                          offsets->queue);
        rd_kafka_ListConsumerGroupOffsets_destroy(request);
        offsets->is_reading = offsets->is_asking = true;
        topics_ask(offsets, list);
    }
    rd_kafka_topic_partition_list_destroy(list);
}

static void read_answer(struct kafka_offsets *offsets, const struct read *read,
                        const rd_kafka_topic_partition_t *found)
{
    enum err err = ERR_IO;
    struct committed committed = {.offset = -1};
    if (found != NULL && topic_ids_find(&offsets->topic_ids, found->topic, &committed.topic_id,
                                        &committed.topic_partitions) != OK) {
        err = ERR_IO;
    } else if (found != NULL && found->err == RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT) {
        err = ERR_UNSTABLE;
    } else if (found != NULL && found->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        err = OK;
        committed.offset = found->offset >= 0 ? found->offset : -1;
        committed.leader_epoch = kafka_epoch_of(found);
        committed.metadata =
            slice_of(found->metadata_size > 0 ? found->metadata : "", found->metadata_size);
    }
    if (offsets->engine != NULL)
        engine_offsets_read(offsets->engine, read->tenure, read->ticket, err,
                            err == OK ? &committed : NULL);
}

/* Answers the reads that were sent, when offsets and topics are there. */
static void reads_answer(struct kafka_offsets *offsets)
{
    rd_kafka_topic_partition_list_t *list = offsets->found;
    offsets->is_reading = false;
    list_sort(list);
    size_t left = 0;
    for (size_t i = 0; i < offsets->read_count; i++) {
        struct read read = offsets->reads[i];
        const struct part *part = kafka_consumer_part(offsets->consumer, read.tenure);
        if (part == NULL)
            continue;
        if (!read.is_sent) {
            read_keep(offsets, left++, read);
            continue;
        }
        read_answer(offsets, &read, list_find(list, part->topic, part->partition));
    }
    offsets->read_count = left;
    if (list != NULL)
        rd_kafka_topic_partition_list_destroy(list);
    offsets->found = NULL;
}

static void on_read(struct kafka_offsets *offsets, rd_kafka_event_t *event)
{
    offsets->is_asking = false;
    if (rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        size_t count = 0;
        const rd_kafka_group_result_t **groups = rd_kafka_ListConsumerGroupOffsets_result_groups(
            rd_kafka_event_ListConsumerGroupOffsets_result(event), &count);
        if (count == 1 && rd_kafka_group_result_error(groups[0]) == NULL)
            offsets->found =
                rd_kafka_topic_partition_list_copy(rd_kafka_group_result_partitions(groups[0]));
    }
}

/* Answers reads that waited for the commit with an error. */
static void waiting_reads_fail(struct kafka_offsets *offsets)
{
    size_t left = 0;
    for (size_t i = 0; i < offsets->read_count; i++) {
        struct read read = offsets->reads[i];
        if (!read.is_sent && kafka_offsets_holds(offsets, read.tenure))
            read_answer(offsets, &read, NULL);
        else
            read_keep(offsets, left++, read);
    }
    offsets->read_count = left;
}

/* ---- commits ---- */

void kafka_offsets_keep(struct kafka_offsets *offsets, const struct batch_offset *offset)
{
    commits_keep(&offsets->commits, offset);
}

void kafka_offsets_commit(struct kafka_offsets *offsets)
{
    commits_request(&offsets->commits);
}

bool kafka_offsets_holds(const struct kafka_offsets *offsets, struct tenure tenure)
{
    return commits_hold(&offsets->commits, tenure);
}

bool kafka_offsets_holds_any(const struct kafka_offsets *offsets)
{
    return commits_held(&offsets->commits) > 0;
}

size_t kafka_offsets_held(const struct kafka_offsets *offsets)
{
    return commits_held(&offsets->commits);
}

void kafka_offsets_give_up(struct kafka_offsets *offsets, struct tenure tenure, int64_t waited_ms)
{
    commits_give_up(&offsets->commits, tenure, waited_ms);
}

static void event_serve(struct kafka_offsets *offsets, rd_kafka_event_t *event, int64_t now_ms)
{
    if (topic_ids_answer(&offsets->topic_ids, event))
        return;
    if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_LISTCONSUMERGROUPOFFSETS_RESULT)
        on_read(offsets, event);
    else if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_OFFSET_COMMIT &&
             !commits_answer(&offsets->commits, event, now_ms))
        waiting_reads_fail(offsets);
}

int64_t kafka_offsets_step(struct kafka_offsets *offsets, int64_t now_ms)
{
    rd_kafka_event_t *event;
    while ((event = rd_kafka_queue_poll(offsets->queue, 0)) != NULL) {
        event_serve(offsets, event, now_ms);
        rd_kafka_event_destroy(event);
    }
    if (offsets->is_reading && !offsets->is_asking && !offsets->topic_ids.is_asking)
        reads_answer(offsets);
    int64_t due_ms = commits_step(&offsets->commits, now_ms);
    reads_send(offsets);
    return due_ms;
}

void kafka_offsets_free(struct kafka_offsets *offsets)
{
    if (offsets == NULL)
        return;
    rd_kafka_queue_cb_event_enable(offsets->queue, NULL, NULL);
    rd_kafka_queue_destroy(offsets->queue);
    if (offsets->options != NULL)
        rd_kafka_AdminOptions_destroy(offsets->options);
    commits_done(&offsets->commits);
    topic_ids_done(&offsets->topic_ids);
    if (offsets->found != NULL)
        rd_kafka_topic_partition_list_destroy(offsets->found);
    memory_free(offsets->reads);
    memory_free(offsets);
}
