#include "io/kafka/offsets.h"

#include <librdkafka/rdkafka.h>
#include <string.h>

#include "base/check.h"
#include "base/memory.h"
#include "io/loop/log_sink.h"

#define READS_MIN          64 /* room at first; each partition has at most two: sent and waiting */
#define READ_TIMEOUT_MS    5000
#define COMMIT_AGAIN_MS    500   /* after a commit that failed */
#define REFUSED_AGAIN_MS   60000 /* between two lines about refused commits */
#define METADATA_BYTES_MAX 1048576
#define MEMBERSHIP_MAX     65536
#define BARRED_MS          1000 /* the longest wait for a generation after a join */

/* A read that has no answer yet. */
struct read {
    struct tenure tenure;
    uint32_t ticket;
    bool is_sent; /* in the running request */
};

/* The offset of a slot that is to be committed. */
struct kept {
    uint32_t epoch;
    bool is_set, is_sent; /* is_sent: in the running commit, and unchanged since */
    int64_t offset;
    struct buf metadata;
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
    bool is_reading, is_committing, must_commit;
    bool is_barred; /* no commit until the generation after a join, or until barred_until_ms */
    struct buf barred_membership;
    int64_t barred_until_ms;
    struct kept *kept; /* PARTITIONS_MAX; NULL under exactly_once */
    size_t kept_end;   /* slots from here on have never kept an offset */
    int64_t now_ms, commit_due_ms;
    int64_t commit_after_ms; /* no commit before */
    uint32_t failures;       /* failed commits in a row */
    int64_t logged_ms;       /* when a refused commit was logged; 0 = never */
    struct log_sink *sink;
};

static void on_event(rd_kafka_t *client, void *opaque)
{
    (void)client;
    struct kafka_offsets *offsets = opaque;
    offsets->wake.wake(offsets->wake.self);
}

static bool options_make(struct kafka_offsets *offsets)
{
    char error[KAFKA_ERROR_MAX];
    offsets->options =
        rd_kafka_AdminOptions_new(offsets->client, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS);
    if (offsets->options == NULL)
        return false;
    CHECK(rd_kafka_AdminOptions_set_require_stable_offsets(offsets->options, 1) == NULL);
    return rd_kafka_AdminOptions_set_request_timeout(offsets->options, READ_TIMEOUT_MS, error,
                                                     sizeof error) == RD_KAFKA_RESP_ERR_NO_ERROR;
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
    offsets->sink = sink;
    offsets->wake = wake;
    offsets->queue = rd_kafka_queue_new(offsets->client);
    rd_kafka_queue_cb_event_enable(offsets->queue, on_event, offsets);
    buf_init(&offsets->barred_membership, MEMBERSHIP_MAX);
    if (!config->exactly_once)
        offsets->kept = memory_new(PARTITIONS_MAX * sizeof *offsets->kept);
    if (!options_make(offsets) || (!config->exactly_once && offsets->kept == NULL)) {
        kafka_offsets_free(offsets);
        return NULL;
    }
    return offsets;
}

void kafka_offsets_attach(struct kafka_offsets *offsets, struct engine *engine)
{
    offsets->engine = engine;
}

/* ---- reading ---- */

/* The read of this tenure that is not sent yet, or a new one. */
static struct read *read_take(struct kafka_offsets *offsets, struct tenure tenure)
{
    for (size_t i = 0; i < offsets->read_count; i++) {
        struct read *read = &offsets->reads[i];
        if (!read->is_sent && read->tenure.slot == tenure.slot &&
            read->tenure.epoch == tenure.epoch)
            return read;
    }
    if (offsets->read_count == offsets->read_room) {
        size_t room = offsets->read_room == 0 ? READS_MIN : offsets->read_room * 2;
        offsets->reads = memory_resize(offsets->reads, room * sizeof *offsets->reads);
        CHECK(offsets->reads != NULL);
        offsets->read_room = room;
    }
    return &offsets->reads[offsets->read_count++];
}

void kafka_offsets_read(struct kafka_offsets *offsets, struct tenure tenure, uint32_t ticket)
{
    *read_take(offsets, tenure) = (struct read){.tenure = tenure, .ticket = ticket};
    if (kafka_offsets_holds(offsets, tenure))
        offsets->must_commit = true;
    offsets->wake.wake(offsets->wake.self);
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
        if (read->is_sent &&
            rd_kafka_topic_partition_list_find(list, part->topic, part->partition) == NULL)
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
        offsets->is_reading = true;
    }
    rd_kafka_topic_partition_list_destroy(list);
}

static void read_answer(struct kafka_offsets *offsets, const struct read *read,
                        const rd_kafka_topic_partition_t *found)
{
    enum err err = ERR_IO;
    int64_t offset = -1;
    struct slice metadata = SLICE_NULL;
    if (found != NULL && found->err == RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT) {
        err = ERR_UNSTABLE;
    } else if (found != NULL && found->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        err = OK;
        offset = found->offset >= 0 ? found->offset : -1;
        metadata = slice_of(found->metadata_size > 0 ? found->metadata : "", found->metadata_size);
    }
    if (offsets->engine != NULL)
        engine_offsets_read(offsets->engine, read->tenure, read->ticket, err, offset, metadata);
}

/* Answers the reads that were sent. `list` is NULL when the request failed. */
static void reads_answer(struct kafka_offsets *offsets, rd_kafka_topic_partition_list_t *list)
{
    offsets->is_reading = false;
    size_t left = 0;
    for (size_t i = 0; i < offsets->read_count; i++) {
        struct read read = offsets->reads[i];
        const struct part *part = kafka_consumer_part(offsets->consumer, read.tenure);
        if (part == NULL)
            continue;
        if (!read.is_sent) {
            offsets->reads[left++] = read;
            continue;
        }
        read_answer(offsets, &read,
                    list == NULL
                        ? NULL
                        : rd_kafka_topic_partition_list_find(list, part->topic, part->partition));
    }
    offsets->read_count = left;
}

static void on_read(struct kafka_offsets *offsets, rd_kafka_event_t *event)
{
    rd_kafka_topic_partition_list_t *copy = NULL;
    if (rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        size_t count = 0;
        const rd_kafka_group_result_t **groups = rd_kafka_ListConsumerGroupOffsets_result_groups(
            rd_kafka_event_ListConsumerGroupOffsets_result(event), &count);
        if (count == 1 && rd_kafka_group_result_error(groups[0]) == NULL)
            copy = rd_kafka_topic_partition_list_copy(rd_kafka_group_result_partitions(groups[0]));
    }
    reads_answer(offsets, copy);
    if (copy != NULL)
        rd_kafka_topic_partition_list_destroy(copy);
}

/* ---- committing, under at_least_once ---- */

void kafka_offsets_keep(struct kafka_offsets *offsets, const struct batch_offset *offset)
{
    CHECK(offsets->kept != NULL && offset->tenure.slot < PARTITIONS_MAX);
    struct kept *kept = &offsets->kept[offset->tenure.slot];
    if (kept->metadata.limit == 0)
        buf_init(&kept->metadata, METADATA_BYTES_MAX);
    if (offset->tenure.slot >= offsets->kept_end)
        offsets->kept_end = offset->tenure.slot + 1;
    buf_reset(&kept->metadata);
    buf_add(&kept->metadata, offset->metadata);
    CHECK(!kept->metadata.failed);
    kept->epoch = offset->tenure.epoch;
    kept->offset = offset->offset;
    kept->is_set = true;
    kept->is_sent = false;
}

void kafka_offsets_commit(struct kafka_offsets *offsets)
{
    offsets->must_commit = offsets->kept != NULL;
}

bool kafka_offsets_holds(const struct kafka_offsets *offsets, struct tenure tenure)
{
    return offsets->kept != NULL && offsets->kept[tenure.slot].is_set &&
           offsets->kept[tenure.slot].epoch == tenure.epoch;
}

size_t kafka_offsets_held(const struct kafka_offsets *offsets)
{
    size_t count = 0;
    for (size_t i = 0; i < offsets->kept_end; i++)
        count += offsets->kept[i].is_set;
    return count;
}

bool kafka_offsets_holds_any(const struct kafka_offsets *offsets)
{
    return kafka_offsets_held(offsets) > 0;
}

void kafka_offsets_give_up(struct kafka_offsets *offsets, struct tenure tenure, int64_t waited_ms)
{
    const struct part *part = kafka_consumer_part(offsets->consumer, tenure);
    if (part == NULL || !kafka_offsets_holds(offsets, tenure))
        return;
    struct kept *kept = &offsets->kept[tenure.slot];
    struct log_field fields[] = {
        FIELD_TEXT("topic", slice_of_text(part->topic)),
        FIELD_INT("partition", part->partition),
        FIELD_INT("offset", kept->offset),
        FIELD_INT("waited_ms", waited_ms),
    };
    log_sink_add(offsets->sink, LOG_OFFSETS_NOT_COMMITTED, fields, COUNT_OF(fields));
    kept->is_set = false;
}

/* Drops the offsets of tenures that are over: another member may own the partition now. */
static void kept_forget(struct kafka_offsets *offsets)
{
    for (size_t i = 0; i < offsets->kept_end; i++) {
        struct kept *kept = &offsets->kept[i];
        struct tenure tenure = {.slot = (uint32_t)i, .epoch = kept->epoch};
        const struct part *part =
            kept->is_set ? kafka_consumer_part(offsets->consumer, tenure) : NULL;
        kept->is_set = part != NULL && part->state != PART_LEFT;
    }
}

static void kept_send(struct kafka_offsets *offsets)
{
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new((int)offsets->kept_end);
    for (size_t i = 0; i < offsets->kept_end; i++) {
        struct kept *kept = &offsets->kept[i];
        if (!kept->is_set)
            continue;
        struct tenure tenure = {.slot = (uint32_t)i, .epoch = kept->epoch};
        const struct part *part = kafka_consumer_part(offsets->consumer, tenure);
        kept->is_sent = true;
        rd_kafka_topic_partition_t *element =
            rd_kafka_topic_partition_list_add(list, part->topic, part->partition);
        element->offset = kept->offset;
        element->metadata = rd_kafka_mem_malloc(offsets->client, kept->metadata.len + 1);
        memcpy(element->metadata, buf_text(&kept->metadata), kept->metadata.len + 1);
        element->metadata_size = kept->metadata.len;
    }
    offsets->is_committing =
        list->cnt > 0 && rd_kafka_commit_queue(offsets->client, list, offsets->queue, NULL, NULL) ==
                             RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_topic_partition_list_destroy(list);
    offsets->must_commit = false;
    offsets->commit_due_ms = offsets->now_ms + offsets->config->commit_interval_ms;
}

/* A commit behind a JoinGroup would be too late (io/kafka/joins.h), so it waits for the generation
 * that follows. */
static void commit_bar(struct kafka_offsets *offsets)
{
    offsets->is_barred = true;
    offsets->barred_until_ms = offsets->now_ms + BARRED_MS;
    buf_reset(&offsets->barred_membership);
    kafka_consumer_membership(offsets->consumer, &offsets->barred_membership);
}

static bool commit_may_go(struct kafka_offsets *offsets)
{
    if (kafka_consumer_is_joining(offsets->consumer)) {
        commit_bar(offsets);
        return false;
    }
    if (!offsets->is_barred)
        return true;
    struct buf membership OWNED_BY(buf_done);
    buf_init(&membership, MEMBERSHIP_MAX);
    kafka_consumer_membership(offsets->consumer, &membership);
    offsets->is_barred =
        offsets->now_ms < offsets->barred_until_ms &&
        slice_equal(buf_slice(&membership), buf_slice(&offsets->barred_membership));
    return !offsets->is_barred;
}

/* Answers reads that waited for the commit with an error. */
static void commit_failed(struct kafka_offsets *offsets)
{
    offsets->commit_after_ms = offsets->commit_due_ms = offsets->now_ms + COMMIT_AGAIN_MS;
    size_t left = 0;
    for (size_t i = 0; i < offsets->read_count; i++) {
        struct read read = offsets->reads[i];
        if (!read.is_sent && kafka_offsets_holds(offsets, read.tenure))
            read_answer(offsets, &read, NULL);
        else
            offsets->reads[left++] = read;
    }
    offsets->read_count = left;
}

/* The remedy of an error that lasts; NULL = the error may pass. */
static const char *refusal_remedy(rd_kafka_resp_err_t err)
{
    switch ((int)err) {
    case RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE:
        return "set kafka.offset_metadata_max to at most the brokers' offset.metadata.max.bytes";
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
        return "grant the right Read on the group";
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
        return "grant the right Read on the topic";
    default:
        return NULL;
    }
}

/* Logs a refused commit. One that may pass is logged only if the next try fails as well. */
static void refusal_log(struct kafka_offsets *offsets, rd_kafka_resp_err_t err,
                        const struct kept *kept, const struct part *part)
{
    const char *remedy = refusal_remedy(err);
    bool was_logged =
        offsets->logged_ms != 0 && offsets->now_ms - offsets->logged_ms < REFUSED_AGAIN_MS;
    if (was_logged || (remedy == NULL && offsets->failures < 2))
        return;
    offsets->logged_ms = offsets->now_ms;
    struct log_field fields[] = {
        FIELD_TEXT("topic", slice_of_text(part->topic)),
        FIELD_INT("partition", part->partition),
        FIELD_INT("offset", kept->offset),
        FIELD_TEXT("reason", slice_of_text(rd_kafka_err2str(err))),
        FIELD_TEXT("remedy", slice_of_text(remedy != NULL ? remedy : "the worker retries it")),
    };
    log_sink_add(offsets->sink, LOG_OFFSETS_REFUSED, fields, COUNT_OF(fields));
}

/* The error of a partition in the commit's answer. */
static rd_kafka_resp_err_t commit_error(rd_kafka_event_t *event, const struct part *part)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_event_topic_partition_list(event);
    const rd_kafka_topic_partition_t *element =
        list == NULL ? NULL
                     : rd_kafka_topic_partition_list_find(list, part->topic, part->partition);
    if (element != NULL && element->err != RD_KAFKA_RESP_ERR_NO_ERROR)
        return element->err;
    return rd_kafka_event_error(event);
}

static void on_commit(struct kafka_offsets *offsets, rd_kafka_event_t *event)
{
    offsets->is_committing = false;
    kept_forget(offsets);
    bool failed = false;
    offsets->failures++;
    for (size_t i = 0; i < offsets->kept_end; i++) {
        struct kept *kept = &offsets->kept[i];
        struct tenure tenure = {.slot = (uint32_t)i, .epoch = kept->epoch};
        if (!kept->is_set)
            continue;
        const struct part *part = kafka_consumer_part(offsets->consumer, tenure);
        rd_kafka_resp_err_t err = commit_error(event, part);
        if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
            refusal_log(offsets, err, kept, part);
        failed = failed || err != RD_KAFKA_RESP_ERR_NO_ERROR;
        if (kept->is_sent)
            kept->is_set = err != RD_KAFKA_RESP_ERR_NO_ERROR;
        kept->is_sent = false;
    }
    if (failed)
        commit_failed(offsets);
    else
        offsets->failures = 0;
}

int64_t kafka_offsets_step(struct kafka_offsets *offsets, int64_t now_ms)
{
    offsets->now_ms = now_ms;
    rd_kafka_event_t *event;
    while ((event = rd_kafka_queue_poll(offsets->queue, 0)) != NULL) {
        if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_LISTCONSUMERGROUPOFFSETS_RESULT)
            on_read(offsets, event);
        else if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_OFFSET_COMMIT)
            on_commit(offsets, event);
        rd_kafka_event_destroy(event);
    }
    kept_forget(offsets);
    bool holds = !offsets->is_committing && kafka_offsets_holds_any(offsets);
    if (offsets->must_commit || offsets->commit_due_ms < offsets->commit_after_ms)
        offsets->commit_due_ms = offsets->commit_after_ms;
    if (holds && now_ms >= offsets->commit_due_ms && commit_may_go(offsets)) {
        kept_send(offsets);
        holds = false;
    }
    reads_send(offsets);
    return holds && !offsets->is_barred ? offsets->commit_due_ms : INT64_MAX;
}

void kafka_offsets_free(struct kafka_offsets *offsets)
{
    if (offsets == NULL)
        return;
    rd_kafka_queue_cb_event_enable(offsets->queue, NULL, NULL);
    rd_kafka_queue_destroy(offsets->queue);
    if (offsets->options != NULL)
        rd_kafka_AdminOptions_destroy(offsets->options);
    for (size_t i = 0; i < offsets->kept_end; i++)
        buf_done(&offsets->kept[i].metadata);
    buf_done(&offsets->barred_membership);
    memory_free(offsets->kept);
    memory_free(offsets->reads);
    memory_free(offsets);
}
