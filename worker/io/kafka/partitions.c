#include "io/kafka/partitions.h"

#include <librdkafka/rdkafka.h>
#include <string.h>

#include "base/check.h"
#include "base/memory.h"
#include "io/kafka/epochs.h"

#define BURST_MAX    8           /* records of a partition before the next partition's turn */
#define PUMP_MAX     256         /* records in one turn of the loop */
#define BEHIND_MAX   256         /* partitions in one question for the logs' ends */
#define HEADERS_KEPT HEADERS_MAX /* room that is kept from one record to the next */

bool parts_init(struct parts *parts, uint64_t queued_max)
{
    *parts = (struct parts){0};
    fetch_turns_init(&parts->turns, queued_max);
    parts->slots = memory_new(PARTITIONS_MAX * sizeof *parts->slots);
    parts->buckets = memory_new(PART_BUCKETS * sizeof(struct part *));
    return parts->slots != NULL && parts->buckets != NULL;
}

void parts_done(struct parts *parts)
{
    for (size_t i = 0; i < parts->end; i++) {
        if (parts->slots[i].state != PART_FREE)
            part_free(&parts->slots[i]);
    }
    memory_free(parts->slots);
    memory_free(parts->buckets);
    memory_free(parts->headers);
    *parts = (struct parts){0};
}

static struct part **bucket_of(const struct parts *parts, const char *topic, int32_t partition)
{
    uint64_t hash = slice_hash(slice_of_text(topic), (uint64_t)partition);
    return &parts->buckets[hash & (PART_BUCKETS - 1)];
}

struct part *parts_take(struct parts *parts, const char *topic, int32_t partition)
{
    size_t slot = parts->free_from;
    while (slot < parts->end && parts->slots[slot].state != PART_FREE)
        slot++;
    size_t len = strlen(topic);
    if (slot == PARTITIONS_MAX || len > TOPIC_NAME_MAX)
        return NULL;
    if (slot == parts->end)
        parts->end++;
    struct part *part = &parts->slots[slot];
    CHECK(part->queue == NULL);
    part->parts = parts;
    part->state = PART_WAITING;
    part->epoch = ++parts->last_epoch;
    part->is_assigned = part->is_paused = part->is_stopped = part->must_restart = false;
    memcpy(part->topic, topic, len + 1);
    part->partition = partition;
    part->start_offset = part->next_offset = 0;
    part->start_epoch = -1;
    part->high = -1;
    part->end_offset = -1;
    part->still = (struct still){0};
    fetch_turn_init(&part->turn);
    part->queued = 0;
    part->is_only_end = false;
    struct part **bucket = bucket_of(parts, topic, partition);
    part->next = *bucket;
    *bucket = part;
    parts->free_from = slot + 1;
    return part;
}

struct part *parts_find(struct parts *parts, const char *topic, int32_t partition)
{
    struct part *part = *bucket_of(parts, topic, partition);
    while (part != NULL && (part->partition != partition || strcmp(part->topic, topic) != 0))
        part = part->next;
    return part;
}

struct part *parts_at(struct parts *parts, struct tenure tenure)
{
    if (tenure.slot >= parts->end)
        return NULL;
    struct part *part = &parts->slots[tenure.slot];
    return part->state != PART_FREE && part->epoch == tenure.epoch ? part : NULL;
}

uint32_t parts_running(const struct parts *parts, uint32_t *ret_waiting)
{
    uint32_t count = 0;
    *ret_waiting = 0;
    for (size_t i = 0; i < parts->end; i++) {
        count += parts->slots[i].state == PART_RUNNING;
        *ret_waiting +=
            parts->slots[i].state == PART_WAITING || parts->slots[i].state == PART_READY;
    }
    return count;
}

struct tenure part_tenure(const struct part *part)
{
    return (struct tenure){.slot = (uint32_t)(part - part->parts->slots), .epoch = part->epoch};
}

static size_t slot_of(const struct part *part)
{
    return (size_t)(part - part->parts->slots);
}

static uint64_t bit_of(size_t slot)
{
    return (uint64_t)1 << slot % PARTS_PER_WORD;
}

static void more_set(struct part *part)
{
    size_t slot = slot_of(part);
    (void)atomic_fetch_or(&part->parts->more[slot / PARTS_PER_WORD], bit_of(slot));
}

static void more_clear(struct part *part)
{
    size_t slot = slot_of(part);
    (void)atomic_fetch_and(&part->parts->more[slot / PARTS_PER_WORD], ~bit_of(slot));
}

size_t parts_next(const struct parts *parts, size_t from, size_t to)
{
    while (from < to) {
        uint64_t bits = atomic_load(&parts->more[from / PARTS_PER_WORD]);
        bits >>= from % PARTS_PER_WORD;
        if (bits != 0) {
            from += (size_t)__builtin_ctzll(bits);
            return from < to ? from : to;
        }
        from = (from / PARTS_PER_WORD + 1) * PARTS_PER_WORD;
    }
    return to;
}

/* A thread of librdkafka calls this. */
static void on_queue_filled(rd_kafka_t *client, void *opaque)
{
    (void)client;
    struct part *part = opaque;
    more_set(part);
    part->parts->wake(part->parts->wake_self);
}

void part_open(struct part *part)
{
    CHECK(part->queue == NULL);
    part->queue = rd_kafka_queue_get_partition(part->parts->client, part->topic, part->partition);
    CHECK(part->queue != NULL);
    rd_kafka_queue_forward(part->queue, NULL);
    rd_kafka_queue_cb_event_enable(part->queue, on_queue_filled, part);
    more_set(part);
}

void parts_pause(struct parts *parts, rd_kafka_topic_partition_list_t *list, bool pause)
{
    if (list->cnt == 0)
        return;
    rd_kafka_resp_err_t err = pause ? rd_kafka_pause_partitions(parts->client, list)
                                    : rd_kafka_resume_partitions(parts->client, list);
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
        kafka_log_add(parts->log, LOG_LIBRDKAFKA_ERROR, "%s of %d partitions: %s",
                      pause ? "pause" : "resume", list->cnt, rd_kafka_err2str(err));
}

static void pause_one(struct part *part, bool pause)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    (void)rd_kafka_topic_partition_list_add(list, part->topic, part->partition);
    parts_pause(part->parts, list, pause);
    rd_kafka_topic_partition_list_destroy(list);
    part->is_paused = pause;
}

static void parts_seek(struct parts *parts, rd_kafka_topic_partition_list_t *list)
{
    if (list->cnt == 0)
        return;
    rd_kafka_error_t *error = rd_kafka_seek_partitions(parts->client, list, 0);
    if (error == NULL)
        return;
    kafka_log_add(parts->log, LOG_LIBRDKAFKA_ERROR, "seek of %s-%d, %d partitions: %s",
                  list->elems[0].topic, (int)list->elems[0].partition, list->cnt,
                  rd_kafka_error_string(error));
    rd_kafka_error_destroy(error);
}

void parts_resume(struct parts *parts, rd_kafka_topic_partition_list_t *list)
{
    for (int i = 0; i < list->cnt; i++) {
        struct part *part = parts_find(parts, list->elems[i].topic, list->elems[i].partition);
        if (part == NULL)
            continue;
        bool is_start = part->next_offset == 0;
        list->elems[i].offset = is_start ? part->start_offset : part->next_offset;
        kafka_set_epoch(&list->elems[i], is_start ? part->start_epoch : -1);
        more_set(part);
    }
    parts_seek(parts, list);
    parts_pause(parts, list, false);
}

void part_hold(struct part *part)
{
    CHECK(part->state == PART_RUNNING);
    fetch_turn_reset(&part->parts->turns, &part->turn);
    pause_one(part, true);
    part->state = PART_WAITING;
    part->must_restart = false;
}

/* Seeks before it resumes, so that nothing is fetched at the old offset between the two. A part
 * that librdkafka has stopped can only be assigned again. */
void part_go(struct part *part, int64_t offset, int32_t leader_epoch)
{
    CHECK(part->state == PART_WAITING && part->is_assigned);
    part->state = PART_RUNNING;
    part->start_offset = offset;
    part->start_epoch = leader_epoch;
    if (part->is_stopped)
        part_must_restart(part);
    else
        part_seek(part, offset, leader_epoch);
    pause_one(part, false);
}

void part_seek(struct part *part, int64_t offset, int32_t leader_epoch)
{
    CHECK(part->state == PART_RUNNING);
    part->start_offset = offset;
    part->start_epoch = leader_epoch;
    part->next_offset = 0;
    part->end_offset = -1;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_t *element =
        rd_kafka_topic_partition_list_add(list, part->topic, part->partition);
    element->offset = offset;
    kafka_set_epoch(element, leader_epoch);
    parts_seek(part->parts, list);
    rd_kafka_topic_partition_list_destroy(list);
    more_set(part);
}

void part_check_epoch(struct part *part)
{
    if (part != NULL && part->state == PART_RUNNING && part->start_epoch >= 0)
        part_seek(part, part->start_offset, part->start_epoch);
}

/* One that waits for its turn is paused in librdkafka, which keeps that. */
void part_restarted(struct part *part)
{
    if (part->turn.step != FETCH_OPEN)
        pause_one(part, false);
    fetch_turn_reset(&part->parts->turns, &part->turn);
    part->is_stopped = part->must_restart = false;
    part->next_offset = 0;
    more_set(part);
}

void part_free(struct part *part)
{
    if (part->queue != NULL) {
        rd_kafka_queue_cb_event_enable(part->queue, NULL, NULL);
        rd_kafka_queue_destroy(part->queue);
        part->queue = NULL;
    }
    more_clear(part);
    fetch_turn_reset(&part->parts->turns, &part->turn);
    struct part **place = bucket_of(part->parts, part->topic, part->partition);
    while (*place != NULL && *place != part)
        place = &(*place)->next;
    CHECK(*place == part);
    *place = part->next;
    if (slot_of(part) < part->parts->free_from)
        part->parts->free_from = slot_of(part);
    part->state = PART_FREE;
    part->is_assigned = false;
}

/* ---- records ---- */

/* Makes room for `count` headers; returns how many there is room for. */
static size_t headers_room(struct parts *parts, size_t count)
{
    if (count > parts->headers_room) {
        struct header *more = memory_resize(parts->headers, count * sizeof *more);
        if (more == NULL)
            return parts->headers_room;
        parts->headers = more;
        parts->headers_room = count;
    }
    return count;
}

/* Reads all headers, however many, because a dead letter repeats them. librdkafka reads none of a
 * record with more than 100000; a record whose headers cannot be read counts as one with a header
 * missing. */
static void headers_read(struct parts *parts, const rd_kafka_message_t *message,
                         struct record *ret_record)
{
    rd_kafka_headers_t *headers = NULL;
    rd_kafka_resp_err_t err = rd_kafka_message_headers(message, &headers);
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        ret_record->headers_sent = err == RD_KAFKA_RESP_ERR__NOENT ? 0 : 1;
        return;
    }
    ret_record->headers_sent = rd_kafka_header_cnt(headers);
    size_t room = headers_room(parts, ret_record->headers_sent), count = 0;
    const char *name;
    const void *value;
    size_t size;
    while (count < room && rd_kafka_header_get_all(headers, count, &name, &value, &size) ==
                               RD_KAFKA_RESP_ERR_NO_ERROR) {
        parts->headers[count].name = slice_of_text(name);
        parts->headers[count].value = value == NULL ? SLICE_NULL : slice_of(value, size);
        count++;
    }
    ret_record->headers = (struct headers){.list = parts->headers, .count = count};
}

static void headers_forget(struct parts *parts)
{
    if (parts->headers_room <= HEADERS_KEPT)
        return;
    memory_free(parts->headers);
    parts->headers = NULL;
    parts->headers_room = 0;
}

static enum timestamp_type timestamp_type_of(rd_kafka_timestamp_type_t type)
{
    if (type == RD_KAFKA_TIMESTAMP_CREATE_TIME)
        return TIMESTAMP_CREATE;
    return type == RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME ? TIMESTAMP_APPEND : TIMESTAMP_NONE;
}

static void record_pass_on(struct part *part, const rd_kafka_message_t *message)
{
    if (message->offset < part->next_offset)
        return;
    part->next_offset = message->offset + 1;
    rd_kafka_timestamp_type_t type;
    struct record record = {
        .topic = slice_of_text(part->topic),
        .partition = part->partition,
        .offset = message->offset,
        .leader_epoch = kafka_record_epoch(message),
        .timestamp_ms = rd_kafka_message_timestamp(message, &type),
        .key = message->key == NULL ? SLICE_NULL : slice_of(message->key, message->key_len),
        .value = message->payload == NULL ? SLICE_NULL : slice_of(message->payload, message->len),
    };
    headers_read(part->parts, message, &record);
    if (part->turn.step == FETCH_OPEN)
        fetch_turn_take(&part->parts->turns, &part->turn, record.key.len + record.value.len);
    record.timestamp_type = timestamp_type_of(type);
    if (record.timestamp_type == TIMESTAMP_NONE)
        record.timestamp_ms = -1;
    engine_record(part->parts->engine, part_tenure(part), &record);
    headers_forget(part->parts);
}

/* Where the log was cut: librdkafka says it only in the words of its error. */
static int64_t cut_end(const char *text)
{
    static const struct slice END = {"broker end offset is ", 21};
    const char *at = text == NULL ? NULL : strstr(text, END.ptr);
    int64_t end;
    if (at == NULL)
        return text != NULL && strstr(text, "truncation") != NULL ? OUT_OF_RANGE_CUT : OUT_OF_RANGE;
    struct slice number = slice_of_text(at + END.len);
    number.len = strspn(number.ptr, "-0123456789");
    return slice_to_int64(number, &end) && end >= 0 ? end : OUT_OF_RANGE_CUT;
}

static void part_stopped(struct part *part, const char *text)
{
    part->is_stopped = true;
    engine_partition_out_of_range(part->parts->engine, part_tenure(part), cut_end(text));
}

static void end_pass_on(struct part *part, int64_t offset)
{
    if (offset > part->next_offset)
        part->next_offset = offset;
    part->end_offset = part->next_offset;
    engine_partition_end(part->parts->engine, part_tenure(part), offset);
}

static void message_pass_on(struct part *part, const rd_kafka_message_t *message)
{
    fetch_turn_await_none(&part->parts->turns, &part->turn);
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
        record_pass_on(part, message);
    else if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
        end_pass_on(part, message->offset);
    else if (message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET)
        part_stopped(part, rd_kafka_message_errstr(message));
    else if (!kafka_log_right(part->parts->log, (int)message->err, NULL, slice_of_text(part->topic),
                              "the worker takes no request of this topic until it is granted"))
        kafka_log_add(part->parts->log, LOG_LIBRDKAFKA_ERROR, "%s-%d: %s", part->topic,
                      (int)part->partition, rd_kafka_message_errstr(message));
}

/* Passes on up to BURST_MAX messages and returns their number. */
static size_t part_pump(struct part *part)
{
    size_t count = 0;
    /* Cleared first, because a record that arrives from here on sets it again. */
    more_clear(part);
    while (count < BURST_MAX && engine_room(part->parts->engine, part_tenure(part)) > 0) {
        rd_kafka_message_t *message = rd_kafka_consume_queue(part->queue, 0);
        if (message == NULL) {
            engine_partition_empty(part->parts->engine, part_tenure(part));
            return count;
        }
        message_pass_on(part, message);
        rd_kafka_message_destroy(message);
        count++;
    }
    more_set(part);
    return count;
}

/* Says to the engine where the log of a running part ends, as far as fetches or parts_ends_found
 * showed it. */
static void end_note(struct part *part)
{
    int64_t low = -1, high = -1;
    (void)rd_kafka_get_watermark_offsets(part->parts->client, part->topic, part->partition, &low,
                                         &high);
    if (high < part->high)
        high = part->high;
    if (high >= 0)
        engine_partition_high(part->parts->engine, part_tenure(part), high);
}

rd_kafka_topic_partition_list_t *parts_behind(struct parts *parts)
{
    rd_kafka_topic_partition_list_t *list = NULL;
    for (size_t i = 0; i < parts->end && (list == NULL || list->cnt < BEHIND_MAX); i++) {
        parts->behind = parts->behind + 1 < parts->end ? parts->behind + 1 : 0;
        struct part *part = &parts->slots[parts->behind];
        bool is_fetched = part->turn.step == FETCH_OPEN &&
                          parts_next(parts, parts->behind, parts->behind + 1) != parts->behind;
        if (part->state != PART_RUNNING || is_fetched)
            continue;
        if (list == NULL)
            list = rd_kafka_topic_partition_list_new(1);
        rd_kafka_topic_partition_list_add(list, part->topic, part->partition)->offset =
            RD_KAFKA_OFFSET_END;
    }
    return list;
}

void parts_ends_found(struct parts *parts, const rd_kafka_topic_partition_list_t *ends)
{
    for (int i = 0; i < ends->cnt; i++) {
        const rd_kafka_topic_partition_t *end = &ends->elems[i];
        struct part *part = parts_find(parts, end->topic, end->partition);
        if (part != NULL && end->err == RD_KAFKA_RESP_ERR_NO_ERROR && end->offset >= 0)
            part->high = end->offset;
    }
}

/* One burst of each partition in these slots whose queue may hold something. False: the engine is
 * full; the next round begins where this one ended. */
static bool pump_slots(struct parts *parts, size_t from, size_t to, size_t *total)
{
    for (size_t slot = parts_next(parts, from, to); slot < to;
         slot = parts_next(parts, slot + 1, to)) {
        struct part *part = &parts->slots[slot];
        if (part->state != PART_RUNNING || part->turn.step != FETCH_OPEN)
            continue;
        if (engine_is_full(parts->engine)) {
            parts->cursor = slot;
            return false;
        }
        *total += part_pump(part);
    }
    return true;
}

void part_drop(struct part *part)
{
    rd_kafka_message_t *message;
    more_clear(part);
    while ((message = rd_kafka_consume_queue(part->queue, 0)) != NULL)
        rd_kafka_message_destroy(message);
}

bool parts_pump(struct parts *parts)
{
    size_t total = 0, before;
    do {
        before = total;
        size_t start = parts->end > 0 ? parts->cursor % parts->end : 0;
        parts->cursor = start + 1;
        if (!pump_slots(parts, start, parts->end, &total) || !pump_slots(parts, 0, start, &total))
            return false;
    } while (total > before && total < PUMP_MAX);
    return total > before;
}

static bool part_is_still(struct part *part, bool has_brokers, int64_t now_ms)
{
    int64_t low = -1;
    struct still_look look = {.next = part->next_offset, .end = part->end_offset, .high = -1};
    look.may_come = has_brokers && !part->is_stopped && part->turn.step == FETCH_OPEN &&
                    engine_partition_is_idle(part->parts->engine, part_tenure(part));
    if (rd_kafka_get_watermark_offsets(part->parts->client, part->topic, part->partition, &low,
                                       &look.high) != RD_KAFKA_RESP_ERR_NO_ERROR)
        look.high = -1;
    if (look.high < part->high)
        look.high = part->high;
    if (look.next == 0)
        look.next = part->start_offset < 0 ? low : part->start_offset;
    return still_note(&part->still, &look, now_ms);
}

void parts_look(struct parts *parts, bool has_brokers, int64_t now_ms)
{
    size_t from = parts->look * parts->end / PARTS_LOOKS;
    size_t to = (parts->look + 1) * parts->end / PARTS_LOOKS;
    if (parts->look == 0)
        parts->found_still = (struct tenure){0, 0};
    for (size_t i = from; i < to && parts->engine != NULL; i++) {
        struct part *part = &parts->slots[i];
        if (part->state != PART_RUNNING)
            continue;
        end_note(part);
        if (part_is_still(part, has_brokers, now_ms) && parts->found_still.epoch == 0)
            parts->found_still = part_tenure(part);
    }
    parts->look = (parts->look + 1) % PARTS_LOOKS;
    if (parts->look == 0 || parts->found_still.epoch != 0)
        parts->still = parts->found_still;
}

const struct part *parts_still(struct parts *parts)
{
    return parts->still.epoch == 0 ? NULL : parts_at(parts, parts->still);
}
