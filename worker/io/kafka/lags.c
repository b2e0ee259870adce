#include "io/kafka/lags.h"

#include <librdkafka/rdkafka.h>
#include <string.h>

#include "base/check.h"
#include "base/memory.h"
#include "io/kafka/admin.h"
#include "io/kafka/lists.h"
#include "io/loop/clock.h"
#include "policy/lag_life.h"

#define LOOK_TIMEOUT_MS 5000 /* for all questions of a look: others wait for the thread */
#define QUERY_MIN_MS    100
#define FAILED_EVERY_MS 15000
#define SOON_MS         200   /* after a rebalance, so that one look sees all that it moved */
#define ALONE_EVERY_MS  60000 /* while no other worker has a partition */
#define POLL_MORE_MS    1000
#define COMMITS_MISSED  2 /* silence shorter than so many intervals between commits says nothing */

struct kafka_lags {
    const struct kafka_config *config;
    struct kafka_consumer *consumer;
    struct kafka_lookup *lookup;
    struct engine *engine;
    bool is_asking, is_alone;
    int64_t due_ms;
    int64_t moves;        /* rebalances so far, when the present look began … */
    int64_t moves_before; /* … and when the one before did */
    int64_t looks;
    rd_kafka_topic_partition_list_t *before; /* what was committed then; NULL = unknown */
    struct lag_part *parts;                  /* likewise, in the same order */
    /* The thread's, while is_asking; the lists are NULL when the look failed: */
    int64_t until_ms; /* when the look gives up */
    rd_kafka_topic_partition_list_t *committed, *ends;
};

/* ---- in the look-up thread ---- */

/* What is left for the next question of the look. */
static int time_left(const struct kafka_lags *lags)
{
    int64_t left_ms = lags->until_ms - clock_monotonic_ms();
    return left_ms > QUERY_MIN_MS ? (int)left_ms : QUERY_MIN_MS;
}

/* Adds the topic's partitions. False: the question failed; a topic that does not exist has none. */
static bool add_topic(const struct kafka_lags *lags, struct slice topic,
                      rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_t *client = kafka_consumer_client(lags->consumer);
    const struct rd_kafka_metadata *metadata = NULL;
    char name[TOPIC_NAME_MAX + 1];
    slice_write(topic, name, sizeof name);
    rd_kafka_topic_t *handle = rd_kafka_topic_new(client, name, NULL);
    if (handle == NULL)
        return false;
    bool is_read = rd_kafka_metadata(client, 0, handle, &metadata, time_left(lags)) ==
                   RD_KAFKA_RESP_ERR_NO_ERROR;
    for (int i = 0; is_read && metadata->topic_cnt == 1 && i < metadata->topics[0].partition_cnt;
         i++)
        rd_kafka_topic_partition_list_add(list, name, metadata->topics[0].partitions[i].id);
    if (is_read)
        rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(handle);
    return is_read;
}

/* All partitions of the request topics; NULL: a question failed, or there are none. */
static rd_kafka_topic_partition_list_t *list_all(const struct kafka_lags *lags)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    bool is_whole = true;
    for (size_t i = 0; i < lags->config->topic_count && is_whole; i++)
        is_whole = add_topic(lags, lags->config->topics[i], list);
    if (is_whole && list->cnt > 0)
        return list;
    rd_kafka_topic_partition_list_destroy(list);
    return NULL;
}

/* Those for which something is committed, with a hash of the map. */
static rd_kafka_topic_partition_list_t *pick(const rd_kafka_topic_partition_list_t *found)
{
    rd_kafka_topic_partition_list_t *picked = rd_kafka_topic_partition_list_new(found->cnt);
    for (int i = 0; i < found->cnt; i++) {
        const rd_kafka_topic_partition_t *one = &found->elems[i];
        if (one->err != RD_KAFKA_RESP_ERR_NO_ERROR || one->offset < 0)
            continue;
        rd_kafka_topic_partition_t *kept =
            rd_kafka_topic_partition_list_add(picked, one->topic, one->partition);
        kept->offset = one->offset;
        kept->opaque =
            (void *)(uintptr_t)slice_hash(slice_of(one->metadata, one->metadata_size), 0);
    }
    list_sort(picked);
    return picked;
}

static rd_kafka_event_t *ask_group(const struct kafka_lags *lags, rd_kafka_queue_t *queue,
                                   const rd_kafka_topic_partition_list_t *partitions)
{
    rd_kafka_t *client = kafka_consumer_client(lags->consumer);
    char group_id[TOPIC_NAME_MAX + 1] = "";
    struct slice group = lags->config->group_id;
    memcpy(group_id, group.ptr, group.len < TOPIC_NAME_MAX ? group.len : TOPIC_NAME_MAX);
    rd_kafka_AdminOptions_t *options =
        admin_options(client, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS, time_left(lags));
    rd_kafka_ListConsumerGroupOffsets_t *request =
        rd_kafka_ListConsumerGroupOffsets_new(group_id, partitions);
    CHECK(options != NULL);
    rd_kafka_ListConsumerGroupOffsets(client, &request, 1, options, queue);
    rd_kafka_ListConsumerGroupOffsets_destroy(request);
    rd_kafka_AdminOptions_destroy(options);
    return rd_kafka_queue_poll(queue, time_left(lags) + POLL_MORE_MS);
}

/* What the group has committed for these. NULL: the question failed. */
static rd_kafka_topic_partition_list_t *
read_committed(const struct kafka_lags *lags, const rd_kafka_topic_partition_list_t *partitions)
{
    rd_kafka_topic_partition_list_t *picked = NULL;
    rd_kafka_queue_t *queue = rd_kafka_queue_new(kafka_consumer_client(lags->consumer));
    rd_kafka_event_t *event = ask_group(lags, queue, partitions);
    if (event != NULL && rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        size_t count = 0;
        const rd_kafka_group_result_t **groups = rd_kafka_ListConsumerGroupOffsets_result_groups(
            rd_kafka_event_ListConsumerGroupOffsets_result(event), &count);
        if (count == 1 && rd_kafka_group_result_error(groups[0]) == NULL)
            picked = pick(rd_kafka_group_result_partitions(groups[0]));
    }
    if (event != NULL)
        rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    return picked;
}

/* Where the logs of these partitions end. NULL: the question failed. */
static rd_kafka_topic_partition_list_t *read_ends(const struct kafka_lags *lags,
                                                  const rd_kafka_topic_partition_list_t *committed)
{
    rd_kafka_topic_partition_list_t *ends = rd_kafka_topic_partition_list_copy(committed);
    for (int i = 0; i < ends->cnt; i++)
        ends->elems[i].offset = RD_KAFKA_OFFSET_END;
    if (ends->cnt == 0 ||
        rd_kafka_offsets_for_times(kafka_consumer_client(lags->consumer), ends, time_left(lags)) ==
            RD_KAFKA_RESP_ERR_NO_ERROR) {
        list_sort(ends);
        return ends;
    }
    rd_kafka_topic_partition_list_destroy(ends);
    return NULL;
}

static void look(void *self)
{
    struct kafka_lags *lags = self;
    lags->until_ms = clock_monotonic_ms() + LOOK_TIMEOUT_MS;
    rd_kafka_topic_partition_list_t *partitions = list_all(lags);
    lags->committed = partitions != NULL ? read_committed(lags, partitions) : NULL;
    lags->ends = lags->committed != NULL ? read_ends(lags, lags->committed) : NULL;
    if (partitions != NULL)
        rd_kafka_topic_partition_list_destroy(partitions);
}

/* ---- in the loop ---- */

/* What this look shows of each partition, with what is remembered of it. NULL: no memory. */
static struct lag_part *make_parts(const struct kafka_lags *lags)
{
    const rd_kafka_topic_partition_list_t *committed = lags->committed;
    struct lag_part *parts = memory_new((size_t)committed->cnt * sizeof *parts + 1);
    for (int i = 0; parts != NULL && i < committed->cnt; i++) {
        const rd_kafka_topic_partition_t *now = &committed->elems[i];
        const rd_kafka_topic_partition_t *end = list_find(lags->ends, now->topic, now->partition);
        const rd_kafka_topic_partition_t *was = list_find(lags->before, now->topic, now->partition);
        bool has_end = end != NULL && end->err == RD_KAFKA_RESP_ERR_NO_ERROR;
        parts[i] = (struct lag_part){
            .offset = now->offset,
            .map = (uint32_t)(uintptr_t)now->opaque,
            .end = has_end ? end->offset : -1,
            .is_mine = kafka_consumer_has(lags->consumer, now->topic, now->partition),
        };
        if (was != NULL)
            parts[i].life = lags->parts[was - lags->before->elems].life;
    }
    return parts;
}

static int64_t moves(const struct kafka_lags *lags)
{
    int64_t sum = 0;
    for (int kind = 0; kind < REBALANCE_KINDS; kind++)
        sum += kafka_consumer_rebalances(lags->consumer, (enum rebalance_kind)kind);
    return sum;
}

static void list_drop(rd_kafka_topic_partition_list_t **list)
{
    if (*list != NULL)
        rd_kafka_topic_partition_list_destroy(*list);
    *list = NULL;
}

/* Keeps what this look has shown for the next one. */
static void keep(struct kafka_lags *lags, struct lag_part *parts)
{
    list_drop(&lags->before);
    memory_free(lags->parts);
    lags->before = lags->committed;
    lags->parts = parts;
    lags->committed = NULL;
    lags->moves_before = lags->moves;
}

static void report(struct kafka_lags *lags, int64_t now_ms)
{
    bool have_moved =
        lags->before == NULL || lags->moves != lags->moves_before || moves(lags) != lags->moves;
    int64_t patience_ms = COMMITS_MISSED * lags->config->commit_interval_ms;
    struct lag_part *parts = make_parts(lags);
    if (parts == NULL)
        return;
    struct lag_look shown = lag_parts_look(
        parts, (size_t)lags->committed->cnt, have_moved,
        patience_ms > LAG_LIFE_PATIENCE_MS ? patience_ms : LAG_LIFE_PATIENCE_MS, now_ms);
    uint32_t mine = shown.mine_busy + shown.mine_idle, all = shown.all_busy + shown.all_idle;
    lags->is_alone = mine == all && all > 0;
    lags->looks++;
    engine_group_looked(lags->engine, &(struct group_look){.mine_busy = shown.mine_busy,
                                                           .mine_idle = shown.mine_idle,
                                                           .all_busy = shown.all_busy,
                                                           .all_idle = shown.all_idle,
                                                           .mine_done = shown.mine_done,
                                                           .all_done = shown.all_done});
    keep(lags, parts);
}

static void looked(void *self, int64_t now_ms)
{
    struct kafka_lags *lags = self;
    bool has_failed = lags->ends == NULL;
    lags->is_asking = false;
    if (!has_failed && lags->engine != NULL)
        report(lags, now_ms);
    lags->due_ms = now_ms + (has_failed       ? FAILED_EVERY_MS
                             : lags->is_alone ? ALONE_EVERY_MS
                                              : LAGS_EVERY_MS);
    list_drop(&lags->committed);
    list_drop(&lags->ends);
}

struct kafka_lags *kafka_lags_new(const struct kafka_config *config,
                                  struct kafka_consumer *consumer, struct kafka_lookup *lookup)
{
    struct kafka_lags *lags = memory_new(sizeof *lags);
    if (lags == NULL)
        return NULL;
    lags->config = config;
    lags->consumer = consumer;
    lags->lookup = lookup;
    return lags;
}

void kafka_lags_attach(struct kafka_lags *lags, struct engine *engine)
{
    lags->engine = engine;
}

void kafka_lags_step(struct kafka_lags *lags, int64_t now_ms)
{
    int64_t present = moves(lags);
    if (lags->is_asking || lags->engine == NULL)
        return;
    if (present != lags->moves && lags->due_ms > now_ms + SOON_MS)
        lags->due_ms = now_ms + SOON_MS;
    if (now_ms < lags->due_ms)
        return;
    if (!engine_wants_group(lags->engine) || kafka_consumer_brokers_down(lags->consumer)) {
        lags->due_ms = now_ms + SOON_MS;
        return;
    }
    lags->moves = present;
    lags->is_asking = true;
    kafka_lookup_task(lags->lookup, (struct kafka_task){look, looked, lags});
}

int64_t kafka_lags_looks(const struct kafka_lags *lags)
{
    return lags->looks;
}

void kafka_lags_free(struct kafka_lags *lags)
{
    if (lags == NULL)
        return;
    list_drop(&lags->before);
    list_drop(&lags->committed);
    list_drop(&lags->ends);
    memory_free(lags->parts);
    memory_free(lags);
}
