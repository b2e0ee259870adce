#include "io/kafka/commits.h"

#include <librdkafka/rdkafka.h>
#include <string.h>

#include "base/check.h"
#include "base/memory.h"
#include "io/kafka/epochs.h"
#include "io/kafka/lists.h"
#include "io/loop/log_sink.h"

#define COMMIT_AGAIN_MS    500   /* after a commit that failed */
#define REFUSED_AGAIN_MS   60000 /* between two lines about refused commits */
#define METADATA_BYTES_MAX 1048576
#define COMMIT_BYTES_MAX   (512 * 1024) /* brokers refuse more than about twice that */
#define OFFSET_BESIDE      (150 + 2 * TOPIC_NAME_MAX)
#define MEMBERSHIP_MAX     65536
#define BARRED_MS          1000 /* the longest wait for a generation after a join */

/* The offset of a slot that is to be committed. */
struct kept {
    uint32_t epoch;
    bool is_set, is_sent; /* is_sent: in the running commit, and unchanged since */
    uint64_t batch,
        sent_batch; /* whose offset it is; and what the running commit has, 0 = nothing */
    int64_t offset;
    int32_t leader_epoch;
    struct buf metadata;
};

bool commits_init(struct kafka_commits *commits, const struct kafka_config *config,
                  struct kafka_consumer *consumer, struct rd_kafka_queue_s *queue,
                  struct log_sink *sink)
{
    *commits = (struct kafka_commits){
        .config = config,
        .consumer = consumer,
        .client = kafka_consumer_client(consumer),
        .queue = queue,
        .sink = sink,
    };
    buf_init(&commits->barred_membership, MEMBERSHIP_MAX);
    if (!config->exactly_once)
        commits->kept = memory_new(PARTITIONS_MAX * sizeof *commits->kept);
    return config->exactly_once || commits->kept != NULL;
}

void commits_done(struct kafka_commits *commits)
{
    for (size_t i = 0; i < commits->kept_end; i++)
        buf_done(&commits->kept[i].metadata);
    buf_done(&commits->barred_membership);
    memory_free(commits->kept);
}

/* The only function that changes is_set. */
static void kept_set(struct kafka_commits *commits, struct kept *kept, bool is_set)
{
    if (is_set && !kept->is_set)
        commits->held++;
    if (!is_set && kept->is_set)
        commits->held--;
    kept->is_set = is_set;
}

void commits_keep(struct kafka_commits *commits, const struct batch_offset *offset)
{
    CHECK(commits->kept != NULL && offset->tenure.slot < PARTITIONS_MAX);
    struct kept *kept = &commits->kept[offset->tenure.slot];
    if (kept->metadata.limit == 0)
        buf_init(&kept->metadata, METADATA_BYTES_MAX);
    if (offset->tenure.slot >= commits->kept_end)
        commits->kept_end = offset->tenure.slot + 1;
    buf_reset(&kept->metadata);
    buf_add(&kept->metadata, offset->metadata);
    CHECK(!kept->metadata.failed);
    if (kept->epoch != offset->tenure.epoch)
        kept->sent_batch = 0;
    kept->epoch = offset->tenure.epoch;
    kept->offset = offset->offset;
    kept->leader_epoch = offset->leader_epoch;
    kept_set(commits, kept, true);
    kept->batch = offset->batch;
    kept->is_sent = false;
}

void commits_request(struct kafka_commits *commits)
{
    commits->must_commit = commits->kept != NULL;
}

bool commits_hold(const struct kafka_commits *commits, struct tenure tenure)
{
    return commits->kept != NULL && commits->kept[tenure.slot].is_set &&
           commits->kept[tenure.slot].epoch == tenure.epoch;
}

size_t commits_held(const struct kafka_commits *commits)
{
    return commits->held;
}

void commits_give_up(struct kafka_commits *commits, struct tenure tenure, int64_t waited_ms)
{
    const struct part *part = kafka_consumer_part(commits->consumer, tenure);
    if (part == NULL || !commits_hold(commits, tenure))
        return;
    struct kept *kept = &commits->kept[tenure.slot];
    struct log_field fields[] = {
        FIELD_TEXT("topic", slice_of_text(part->topic)),
        FIELD_INT("partition", part->partition),
        FIELD_INT("offset", kept->offset),
        FIELD_INT("waited_ms", waited_ms),
    };
    log_sink_add(commits->sink, LOG_OFFSETS_NOT_COMMITTED, fields, COUNT_OF(fields));
    kept_set(commits, kept, false);
}

/* Drops the offsets of tenures that are over: another member may own the partition now. */
static void kept_forget(struct kafka_commits *commits)
{
    for (size_t i = 0; i < commits->kept_end; i++) {
        struct kept *kept = &commits->kept[i];
        struct tenure tenure = {.slot = (uint32_t)i, .epoch = kept->epoch};
        const struct part *part =
            kept->is_set ? kafka_consumer_part(commits->consumer, tenure) : NULL;
        kept_set(commits, kept, part != NULL && part->state != PART_LEFT);
    }
}

/* Commits as many offsets as one commit takes; the others have their turn next. */
static void kept_send(struct kafka_commits *commits)
{
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new((int)commits->kept_end);
    size_t bytes = 0, first = commits->send_from;
    for (size_t i = 0; i < commits->kept_end; i++) {
        size_t slot = (first + i) % commits->kept_end;
        struct kept *kept = &commits->kept[slot];
        if (!kept->is_set)
            continue;
        bytes += kept->metadata.len + OFFSET_BESIDE;
        if (bytes > COMMIT_BYTES_MAX && list->cnt > 0)
            break;
        commits->send_from = (slot + 1) % commits->kept_end;
        struct tenure tenure = {.slot = (uint32_t)slot, .epoch = kept->epoch};
        const struct part *part = kafka_consumer_part(commits->consumer, tenure);
        kept->is_sent = true;
        kept->sent_batch = kept->batch;
        rd_kafka_topic_partition_t *element =
            rd_kafka_topic_partition_list_add(list, part->topic, part->partition);
        element->offset = kept->offset;
        kafka_set_epoch(element, kept->leader_epoch);
        element->metadata = rd_kafka_mem_malloc(commits->client, kept->metadata.len + 1);
        memcpy(element->metadata, buf_text(&kept->metadata), kept->metadata.len + 1);
        element->metadata_size = kept->metadata.len;
    }
    commits->is_committing =
        list->cnt > 0 && rd_kafka_commit_queue(commits->client, list, commits->queue, NULL, NULL) ==
                             RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_topic_partition_list_destroy(list);
    commits->must_commit = false;
    commits->commit_due_ms = commits->now_ms + commits->config->commit_interval_ms;
}

/* A commit behind a JoinGroup would be too late (io/kafka/joins.h), so it waits for the generation
 * that follows. */
static void commit_bar(struct kafka_commits *commits)
{
    commits->is_barred = true;
    commits->barred_until_ms = commits->now_ms + BARRED_MS;
    buf_reset(&commits->barred_membership);
    kafka_consumer_membership(commits->consumer, &commits->barred_membership);
}

static bool commit_may_go(struct kafka_commits *commits)
{
    if (kafka_consumer_is_joining(commits->consumer)) {
        commit_bar(commits);
        return false;
    }
    if (kafka_consumer_is_syncing(commits->consumer)) {
        commits->is_barred = true; /* no longer than that: the generation is the new one */
        return false;
    }
    if (!commits->is_barred)
        return true;
    struct buf membership OWNED_BY(buf_done);
    buf_init(&membership, MEMBERSHIP_MAX);
    kafka_consumer_membership(commits->consumer, &membership);
    commits->is_barred =
        commits->now_ms < commits->barred_until_ms &&
        slice_equal(buf_slice(&membership), buf_slice(&commits->barred_membership));
    return !commits->is_barred;
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
static void refusal_log(struct kafka_commits *commits, rd_kafka_resp_err_t err,
                        const struct kept *kept, const struct part *part)
{
    const char *remedy = refusal_remedy(err);
    bool was_logged =
        commits->logged_ms != 0 && commits->now_ms - commits->logged_ms < REFUSED_AGAIN_MS;
    if (was_logged || (remedy == NULL && commits->failures < 2))
        return;
    commits->logged_ms = commits->now_ms;
    struct log_field fields[] = {
        FIELD_TEXT("topic", slice_of_text(part->topic)),
        FIELD_INT("partition", part->partition),
        FIELD_INT("offset", kept->offset),
        FIELD_TEXT("reason", slice_of_text(rd_kafka_err2str(err))),
        FIELD_TEXT("remedy", slice_of_text(remedy != NULL ? remedy : "the worker retries it")),
    };
    log_sink_add(commits->sink, LOG_OFFSETS_REFUSED, fields, COUNT_OF(fields));
}

/* The error of a partition in the commit's answer. */
static rd_kafka_resp_err_t commit_error(rd_kafka_event_t *event, const struct part *part)
{
    const rd_kafka_topic_partition_t *element =
        list_find(rd_kafka_event_topic_partition_list(event), part->topic, part->partition);
    if (element != NULL && element->err != RD_KAFKA_RESP_ERR_NO_ERROR)
        return element->err;
    return rd_kafka_event_error(event);
}

bool commits_answer(struct kafka_commits *commits, rd_kafka_event_t *event, int64_t now_ms)
{
    commits->now_ms = now_ms;
    commits->is_committing = false;
    kept_forget(commits);
    list_sort(rd_kafka_event_topic_partition_list(event));
    bool failed = false;
    commits->failures++;
    for (size_t i = 0; i < commits->kept_end; i++) {
        struct kept *kept = &commits->kept[i];
        struct tenure tenure = {.slot = (uint32_t)i, .epoch = kept->epoch};
        if (!kept->is_set)
            continue;
        const struct part *part = kafka_consumer_part(commits->consumer, tenure);
        rd_kafka_resp_err_t err = commit_error(event, part);
        if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
            refusal_log(commits, err, kept, part);
        failed = failed || err != RD_KAFKA_RESP_ERR_NO_ERROR;
        if (err == RD_KAFKA_RESP_ERR_NO_ERROR && kept->sent_batch != 0 && commits->engine != NULL)
            engine_offsets_committed(commits->engine, tenure, kept->sent_batch);
        kept->sent_batch = 0;
        if (kept->is_sent)
            kept_set(commits, kept, err != RD_KAFKA_RESP_ERR_NO_ERROR);
        kept->is_sent = false;
    }
    if (failed)
        commits->commit_after_ms = commits->commit_due_ms = now_ms + COMMIT_AGAIN_MS;
    else
        commits->failures = 0;
    return !failed;
}

int64_t commits_step(struct kafka_commits *commits, int64_t now_ms)
{
    commits->now_ms = now_ms;
    if (commits->must_commit || commits->commit_due_ms < commits->commit_after_ms)
        commits->commit_due_ms = commits->commit_after_ms;
    if (commits->held == 0 || commits->is_committing)
        return INT64_MAX;
    if (now_ms < commits->commit_due_ms)
        return commits->is_barred ? INT64_MAX : commits->commit_due_ms;
    kept_forget(commits);
    if (commits->held > 0 && commit_may_go(commits)) {
        kept_send(commits);
        return INT64_MAX;
    }
    return commits->held == 0 || commits->is_barred ? INT64_MAX : commits->commit_due_ms;
}
