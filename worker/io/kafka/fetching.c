#include "io/kafka/fetching.h"

#include <librdkafka/rdkafka.h>

#define EVERY_MS  20  /* between two weighings */
#define SELDOM_MS 100 /* the same, far below the limit */
#define ACTS_MAX                                                                                   \
    256              /* partitions that one weighing closes or opens: librdkafka answers for each  \
                      */
#define OVER_MAX 8   /* of them, partitions whose turn is over */
#define FEW      128 /* records that are no backlog */
#define LOG_MS   60000

static bool is_fetched(const struct part *part)
{
    return part->state == PART_RUNNING && part->turn.step == FETCH_OPEN && part->queue != NULL;
}

/* How many records the log has behind those that the engine took, as far as fetches have shown;
 * below 0 = not known. */
static int64_t left_of(const struct part *part)
{
    int64_t low = -1, high = -1;
    int64_t next = part->next_offset > 0 ? part->next_offset : part->start_offset;
    (void)rd_kafka_get_watermark_offsets(part->parts->client, part->topic, part->partition, &low,
                                         &high);
    if (high < part->high)
        high = part->high;
    return high < 0 ? -1 : high - (next < low ? low : next);
}

static void weigh(struct part *part, int64_t now_ms)
{
    size_t queued = rd_kafka_queue_length(part->queue);
    if (queued != part->queued)
        part->is_only_end = queued == 1 && left_of(part) == 0; /* the end of the log */
    part->queued = queued;
    if (part->is_only_end)
        fetch_turn_await_none(&part->parts->turns, &part->turn);
    fetch_turn_weigh(&part->parts->turns, &part->turn, part->is_only_end ? 0 : queued, now_ms);
}

/* Those whose queues may hold something. A fetch that was under way when its partition was closed
 * may bring its records later. */
static void weigh_full(struct parts *parts, int64_t now_ms)
{
    for (size_t slot = parts_next(parts, 0, parts->end); slot < parts->end;
         slot = parts_next(parts, slot + 1, parts->end)) {
        struct part *part = &parts->slots[slot];
        if (is_fetched(part))
            weigh(part, now_ms);
        else if (part->state == PART_RUNNING && part->turn.step != FETCH_OPEN)
            part_drop(part);
    }
}

static bool has_few(const struct part *part)
{
    return part->end_offset == part->next_offset || left_of(part) <= FEW;
}

static void close_one(struct part *part, rd_kafka_topic_partition_list_t *list)
{
    fetch_turn_end(&part->parts->turns, &part->turn, has_few(part));
    part->queued = 0;
    part->is_only_end = false;
    (void)rd_kafka_topic_partition_list_add(list, part->topic, part->partition);
    if (part->parts->engine != NULL)
        engine_partition_empty(part->parts->engine, part_tenure(part));
}

/* Closes what has nothing yet while the limit is exceeded, and up to `over_max` whose turn is over;
 * begins where the last weighing ended. */
static void close_some(struct parts *parts, rd_kafka_topic_partition_list_t *list, int over_max,
                       int64_t now_ms)
{
    for (size_t i = 0; i < parts->end && list->cnt < ACTS_MAX; i++) {
        parts->closing = parts->closing + 1 < parts->end ? parts->closing + 1 : 0;
        struct part *part = &parts->slots[parts->closing];
        if (!is_fetched(part) || part->is_stopped || part->must_restart)
            continue;
        weigh(part, now_ms);
        bool is_over = over_max > 0 && fetch_turn_is_over(&parts->turns, &part->turn, now_ms);
        over_max -= is_over;
        if (is_over || fetch_turn_must_wait(&parts->turns, &part->turn))
            close_one(part, list);
    }
}

static void open_some(struct parts *parts, rd_kafka_topic_partition_list_t *list, int64_t now_ms)
{
    struct fetch_turn *turn;
    while (list->cnt < ACTS_MAX && (turn = fetch_turns_next(&parts->turns, now_ms)) != NULL) {
        const struct part *part = LINK_OWNER(turn, struct part, turn);
        if (part->state != PART_RUNNING)
            fetch_turn_reset(&parts->turns, turn); /* it leaves, or waits for the engine */
        else
            (void)rd_kafka_topic_partition_list_add(list, part->topic, part->partition);
    }
}

static void log_turns(struct parts *parts, int64_t now_ms)
{
    uint32_t waiting;
    if (parts->turns.closed == 0 || now_ms < parts->turns_log_due_ms)
        return;
    parts->turns_log_due_ms = now_ms + LOG_MS;
    const struct log_field fields[] = {
        FIELD_INT("waiting", parts->turns.closed),
        FIELD_INT("partitions", parts_running(parts, &waiting)),
        FIELD_INT("bytes", (int64_t)parts->turns.weight),
    };
    log_sink_add(parts->log->sink, LOG_PARTITIONS_TAKE_TURNS, fields, COUNT_OF(fields));
}

void fetching_serve(struct parts *parts, int64_t now_ms)
{
    if (now_ms < parts->weigh_due_ms)
        return;
    weigh_full(parts, now_ms);
    bool is_far = parts->turns.weight < parts->turns.most / 4;
    parts->weigh_due_ms = now_ms + (is_far ? SELDOM_MS : EVERY_MS);
    if (!fetch_turns_are_taken(&parts->turns))
        return;
    rd_kafka_topic_partition_list_t *opened = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_t *closed = rd_kafka_topic_partition_list_new(1);
    open_some(parts, opened, now_ms);
    int waiting = parts->turns.closed < OVER_MAX ? (int)parts->turns.closed : OVER_MAX;
    close_some(parts, closed, waiting, now_ms);
    parts_resume(parts, opened);
    parts_pause(parts, closed, true);
    log_turns(parts, now_ms);
    rd_kafka_topic_partition_list_destroy(opened);
    rd_kafka_topic_partition_list_destroy(closed);
}
