#include "io/kafka/rebalances.h"

#include <librdkafka/rdkafka.h>

#include "base/check.h"
#include "base/memory.h"

#define BEGIN_MAX      256  /* partitions in a turn */
#define GONE_CHECK_MS  500  /* between two checks of the membership while partitions leave */
#define ASSIGN_WAIT_MS 1000 /* for the offsets of an assignment; later ones start later */

struct rebalance {
    struct link link;
    bool is_assign, begun;
    int64_t begun_ms;
    rd_kafka_topic_partition_list_t *list;
    int begun_count; /* partitions that it has begun with */
    int ready;       /* the engine has done its part for those before this one */
};

void rebalances_init(struct kafka_rebalances *rebalances, struct parts *parts,
                     struct kafka_group *group)
{
    link_init(&rebalances->queue);
    rebalances->parts = parts;
    rebalances->group = group;
}

static void rebalance_drop(struct rebalance *rebalance)
{
    link_out(&rebalance->link);
    rd_kafka_topic_partition_list_destroy(rebalance->list);
    memory_free(rebalance);
}

static void part_lose(struct part *part)
{
    if (part->state == PART_LEFT)
        return;
    part->state = PART_LEFT;
    if (part->parts->engine != NULL)
        engine_partition_lost(part->parts->engine, part_tenure(part));
    if (!part->is_assigned)
        part_free(part);
}

static void list_lose(struct kafka_rebalances *rebalances,
                      const rd_kafka_topic_partition_list_t *list)
{
    for (int i = 0; i < list->cnt; i++) {
        struct part *part =
            parts_find(rebalances->parts, list->elems[i].topic, list->elems[i].partition);
        if (part != NULL)
            part_lose(part);
    }
}

void rebalances_lose_all(struct kafka_rebalances *rebalances)
{
    for (size_t i = 0; i < rebalances->parts->end; i++) {
        if (rebalances->parts->slots[i].state != PART_FREE)
            part_lose(&rebalances->parts->slots[i]);
    }
}

/* Whether it is in librdkafka's assignment, running or not yet started. */
static bool is_held(const struct part *part)
{
    return part->state == PART_RUNNING || (part->state == PART_WAITING && part->is_assigned);
}

/* Opens its queue here already, because librdkafka takes some microseconds for each. */
static void part_begin(struct kafka_rebalances *rebalances, struct part *part)
{
    part_open(part);
    engine_partition_assigned(rebalances->parts->engine, part_tenure(part),
                              slice_of_text(part->topic), part->partition);
}

/* Begins with the next BEGIN_MAX partitions: thousands in one turn would hold up all calls. */
static void rebalance_begin(struct kafka_rebalances *rebalances, struct rebalance *rebalance,
                            int64_t now_ms)
{
    int end = rebalance->begun_count + BEGIN_MAX;
    if (end > rebalance->list->cnt || rebalances->parts->engine == NULL)
        end = rebalance->list->cnt;
    rebalance->begun_ms = now_ms;
    for (; rebalance->begun_count < end && rebalances->parts->engine != NULL;
         rebalance->begun_count++) {
        const rd_kafka_topic_partition_t *element = &rebalance->list->elems[rebalance->begun_count];
        struct part *part = parts_find(rebalances->parts, element->topic, element->partition);
        if (rebalance->is_assign) {
            part = part != NULL ? NULL
                                : parts_take(rebalances->parts, element->topic, element->partition);
            if (part == NULL)
                kafka_log_add(rebalances->parts->log, LOG_LIBRDKAFKA_ERROR,
                              "%s-%d has no free slot (a worker takes %d partitions at most)",
                              element->topic, (int)element->partition, PARTITIONS_MAX);
            else
                part_begin(rebalances, part);
        } else if (part != NULL && is_held(part)) {
            part->state = PART_LEAVING;
            engine_partition_revoked(rebalances->parts->engine, part_tenure(part));
        }
    }
    rebalance->begun = end == rebalance->list->cnt;
}

/* Has the engine done its part for every partition of the rebalance? An assignment waits only a
 * short time: a partition with a pending transaction, or one that cannot be read, must not stop
 * the others. */
static bool rebalance_is_ready(struct kafka_rebalances *rebalances, struct rebalance *rebalance,
                               int64_t now_ms)
{
    if (rebalance->is_assign && now_ms - rebalance->begun_ms >= ASSIGN_WAIT_MS)
        return true;
    for (; rebalance->ready < rebalance->list->cnt && rebalances->parts->engine != NULL;
         rebalance->ready++) {
        const rd_kafka_topic_partition_t *element = &rebalance->list->elems[rebalance->ready];
        const struct part *part = parts_find(rebalances->parts, element->topic, element->partition);
        if (part != NULL && part->state == (rebalance->is_assign ? PART_WAITING : PART_LEAVING))
            return false;
    }
    return true;
}

static void assign_answer(struct kafka_rebalances *rebalances, const struct rebalance *rebalance)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(rebalance->list->cnt);
    rd_kafka_topic_partition_list_t *now = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_t *later = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_t *checked = rd_kafka_topic_partition_list_new(1);
    for (int i = 0; i < rebalance->list->cnt; i++) {
        const rd_kafka_topic_partition_t *element = &rebalance->list->elems[i];
        struct part *part = parts_find(rebalances->parts, element->topic, element->partition);
        if (part == NULL || part->is_assigned ||
            (part->state != PART_READY && part->state != PART_WAITING))
            continue;
        part->is_assigned = true;
        part->is_paused = part->state == PART_WAITING;
        (void)rd_kafka_topic_partition_list_add(part->is_paused          ? later
                                                : part->start_epoch >= 0 ? checked
                                                                         : now,
                                                part->topic, part->partition);
        rd_kafka_topic_partition_list_add(list, part->topic, part->partition)->offset =
            part->is_paused ? 0 : part->start_offset;
        if (!part->is_paused)
            part->state = PART_RUNNING;
    }
    /* Before the assignment, so that nothing is fetched of a paused one in between, nor before an
     * epoch is checked: a fetch would only say that the offset is out of range. A partition may
     * still be paused from its last time with this worker. */
    parts_pause(rebalances->parts, later, true);
    parts_pause(rebalances->parts, checked, true);
    parts_pause(rebalances->parts, now, false);
    kafka_log_error(rebalances->parts->log, "assign",
                    rd_kafka_incremental_assign(rebalances->parts->client, list));
    for (int i = 0; i < checked->cnt; i++)
        part_check_epoch(
            parts_find(rebalances->parts, checked->elems[i].topic, checked->elems[i].partition));
    parts_pause(rebalances->parts, checked, false);
    rd_kafka_topic_partition_list_destroy(checked);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_topic_partition_list_destroy(now);
    rd_kafka_topic_partition_list_destroy(later);
}

static void unassign_answer(struct kafka_rebalances *rebalances, const struct rebalance *rebalance)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(rebalance->list->cnt);
    for (int i = 0; i < rebalance->list->cnt; i++) {
        const rd_kafka_topic_partition_t *element = &rebalance->list->elems[i];
        struct part *part = parts_find(rebalances->parts, element->topic, element->partition);
        if (part == NULL)
            continue;
        if (part->is_assigned)
            (void)rd_kafka_topic_partition_list_add(list, part->topic, part->partition);
        part_free(part);
    }
    kafka_log_error(rebalances->parts->log, "unassign",
                    rd_kafka_incremental_unassign(rebalances->parts->client, list));
    rd_kafka_topic_partition_list_destroy(list);
}

/* Checks by the member id whether the membership has ended, which librdkafka does not report while
 * it waits for an answer. If so, the partitions of this rebalance are lost. The engine decides
 * about the others, because it sees that the membership has changed. */
static void leaving_check(struct kafka_rebalances *rebalances, const struct rebalance *rebalance,
                          int64_t now_ms)
{
    if (rebalance->is_assign || now_ms - rebalances->gone_checked_ms < GONE_CHECK_MS)
        return;
    rebalances->gone_checked_ms = now_ms;
    if (kafka_group_serialized(rebalances->group).ptr == NULL)
        list_lose(rebalances, rebalance->list);
}

static void answer(struct kafka_rebalances *rebalances, int64_t now_ms)
{
    struct link *first;
    while ((first = list_first(&rebalances->queue)) != NULL) {
        struct rebalance *rebalance = LINK_OWNER(first, struct rebalance, link);
        if (!rebalance->begun)
            rebalance_begin(rebalances, rebalance, now_ms);
        else
            leaving_check(rebalances, rebalance, now_ms);
        if (!rebalance->begun || !rebalance_is_ready(rebalances, rebalance, now_ms))
            return;
        rebalances->has_assignment = rebalances->has_assignment || rebalance->is_assign;
        if (rebalance->is_assign)
            assign_answer(rebalances, rebalance);
        else
            unassign_answer(rebalances, rebalance);
        rebalance_drop(rebalance);
    }
}

bool rebalances_are_beginning(struct kafka_rebalances *rebalances)
{
    struct link *first = list_first(&rebalances->queue);
    if (first == NULL)
        return false;
    const struct rebalance *rebalance = LINK_OWNER(first, struct rebalance, link);
    return !rebalance->begun;
}

/* Stopped partitions are assigned again: librdkafka stops a partition whose offset is out of range,
 * and only an assignment restarts it. Not while a rebalance runs, because librdkafka would take the
 * assignment for its answer. */
bool rebalances_must_restart(struct kafka_rebalances *rebalances)
{
    struct parts *parts = rebalances->parts;
    if (!parts->may_restart || !link_alone(&rebalances->queue))
        return false;
    for (size_t i = 0; i < parts->end; i++)
        if (parts->slots[i].state == PART_RUNNING && parts->slots[i].must_restart)
            return true;
    parts->may_restart = false;
    return false;
}

void rebalances_restart(struct kafka_rebalances *rebalances)
{
    for (size_t i = 0; i < rebalances->parts->end && link_alone(&rebalances->queue); i++) {
        struct part *part = &rebalances->parts->slots[i];
        if (part->state != PART_RUNNING || !part->must_restart)
            continue;
        rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
        (void)rd_kafka_topic_partition_list_add(list, part->topic, part->partition);
        kafka_log_error(rebalances->parts->log, "stop",
                        rd_kafka_incremental_unassign(rebalances->parts->client, list));
        list->elems[0].offset = part->start_offset;
        if (part->start_epoch >= 0)
            parts_pause(rebalances->parts, list, true);
        kafka_log_error(rebalances->parts->log, "start",
                        rd_kafka_incremental_assign(rebalances->parts->client, list));
        part_restarted(part);
        part_check_epoch(part);
        if (part->start_epoch >= 0)
            parts_pause(rebalances->parts, list, false);
        rd_kafka_topic_partition_list_destroy(list);
    }
}

void rebalances_serve(struct kafka_rebalances *rebalances, int64_t now_ms)
{
    answer(rebalances, now_ms);
}

void rebalances_add(struct kafka_rebalances *rebalances, rd_kafka_event_t *event)
{
    const rd_kafka_topic_partition_list_t *list = rd_kafka_event_topic_partition_list(event);
    bool is_assign = rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
    bool is_lost = !is_assign && rd_kafka_assignment_lost(rebalances->parts->client);
    rebalances->counts[is_assign ? REBALANCE_ASSIGNED
                       : is_lost ? REBALANCE_LOST
                                 : REBALANCE_REVOKED]++;
    if (is_lost) {
        list_lose(rebalances, list);
        struct link *first = list_first(&rebalances->queue);
        /* The loss overrules the queued rebalances; the partitions that they assign are lost too.
         */
        while (first != NULL) {
            struct rebalance *overruled = LINK_OWNER(first, struct rebalance, link);
            if (overruled->is_assign)
                list_lose(rebalances, overruled->list);
            rebalance_drop(overruled);
            first = list_first(&rebalances->queue);
        }
    }
    struct rebalance *rebalance = memory_new(sizeof *rebalance);
    CHECK(rebalance != NULL);
    rebalance->is_assign = is_assign;
    rebalance->list = rd_kafka_topic_partition_list_copy(list);
    link_init(&rebalance->link);
    list_add_last(&rebalances->queue, &rebalance->link);
}

void rebalances_done(struct kafka_rebalances *rebalances)
{
    struct link *first;
    while ((first = list_first(&rebalances->queue)) != NULL)
        rebalance_drop(LINK_OWNER(first, struct rebalance, link));
}
