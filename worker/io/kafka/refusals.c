#include "io/kafka/refusals.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/memory.h"
#include "io/kafka/produce.h"
#include "io/kafka/topic_limits.h"

struct refusal_note {
    const struct output *output;
    size_t index;
    int code;
    int32_t partition;
    int64_t limit; /* of its topic, when it is too large; 0 = unknown */
};

void refusals_done(struct refusals *refusals)
{
    memory_free(refusals->notes);
    memory_free(refusals->told);
    *refusals = (struct refusals){0};
}

void refusals_clear(struct refusals *refusals)
{
    refusals->count = 0;
}

void refusals_add(struct refusals *refusals, const struct batch *batch, size_t index, int code,
                  int32_t partition)
{
    if (refusals->count == refusals->room) {
        size_t room = refusals->room == 0 ? 64 : refusals->room * 2;
        refusals->notes = memory_resize(refusals->notes, room * sizeof *refusals->notes);
        refusals->told = memory_resize(refusals->told, room * sizeof *refusals->told);
        CHECK(refusals->notes != NULL && refusals->told != NULL);
        refusals->room = room;
    }
    refusals->notes[refusals->count++] = (struct refusal_note){
        .output = batch->outputs[index], .index = index, .code = code, .partition = partition};
}

static size_t bytes_of(const struct output *output)
{
    size_t bytes = output->key.len + output->value.len;
    for (size_t i = 0; i < output->header_count; i++)
        bytes += output->headers[i].name.len + output->headers[i].value.len;
    return bytes;
}

static int by_partition(const void *a, const void *b)
{
    const struct refusal_note *one = a, *other = b;
    int order = slice_compare(one->output->topic, other->output->topic);
    if (order == 0)
        order = (one->partition > other->partition) - (one->partition < other->partition);
    return order != 0 ? order : (one->index > other->index) - (one->index < other->index);
}

static int by_index(const void *a, const void *b)
{
    const struct batch_refusal *one = a, *other = b;
    return (one->index > other->index) - (one->index < other->index);
}

static bool are_together(const struct refusal_note *one, const struct refusal_note *other)
{
    return one->partition == other->partition &&
           slice_equal(one->output->topic, other->output->topic);
}

/* Whether the record is at fault, whatever was sent with it. */
static bool is_sure(const struct refusals *refusals, size_t i, int64_t set_bytes)
{
    const struct refusal_note *note = &refusals->notes[i];
    enum err err = kafka_refusal(note->code);
    bool has_left = i > 0 && are_together(note, note - 1);
    bool has_right = i + 1 < refusals->count && are_together(note, note + 1);
    return (err != ERR_TOO_LARGE && err != ERR_INVALID) || note->partition < 0 ||
           (!has_left && !has_right) || bytes_of(note->output) >= (uint64_t)set_bytes ||
           (note->limit > 0 && kafka_set_bytes(note->output) > (uint64_t)note->limit);
}

static bool is_too_large(const struct refusal_note *note)
{
    return kafka_refusal(note->code) == ERR_TOO_LARGE;
}

static bool has_topic(const struct slice *topics, size_t count, struct slice topic)
{
    for (size_t i = 0; i < count; i++)
        if (slice_equal(topics[i], topic))
            return true;
    return false;
}

size_t refusals_large_topics(const struct refusals *refusals, struct slice *ret_topics, size_t room)
{
    size_t count = 0;
    for (size_t i = 0; i < refusals->count && count < room; i++) {
        const struct refusal_note *note = &refusals->notes[i];
        if (is_too_large(note) && note->partition >= 0 &&
            !has_topic(ret_topics, count, note->output->topic))
            ret_topics[count++] = note->output->topic;
    }
    return count;
}

int refusals_first_code(const struct refusals *refusals)
{
    CHECK(refusals->count > 0);
    const struct refusal_note *first = &refusals->notes[0];
    for (size_t i = 1; i < refusals->count; i++)
        if (refusals->notes[i].index < first->index)
            first = &refusals->notes[i];
    return first->code;
}

static void tell(struct refusals *refusals, size_t i, int64_t set_bytes)
{
    const struct refusal_note *note = &refusals->notes[i];
    refusals->told[i] = (struct batch_refusal){.index = note->index,
                                               .err = kafka_refusal(note->code),
                                               .is_sure = is_sure(refusals, i, set_bytes),
                                               .bytes_max = (uint64_t)note->limit};
}

/* Lowers *least, 0 = none, to `bytes`. */
static void lower(size_t *least, size_t bytes)
{
    if (*least == 0 || bytes < *least)
        *least = bytes > 0 ? bytes : 1;
}

size_t refusals_tell(struct refusals *refusals, const struct topic_limits *limits,
                     int64_t set_bytes, struct batch_end *ret_end, bool *ret_set)
{
    size_t known = 0, unsure = 0, sure = 0;
    *ret_set = false;
    qsort(refusals->notes, refusals->count, sizeof *refusals->notes, by_partition);
    for (size_t i = 0; i < refusals->count; i++) {
        struct refusal_note *note = &refusals->notes[i];
        if (limits != NULL && is_too_large(note))
            note->limit = topic_limits_find(limits, note->output->topic);
        tell(refusals, i, set_bytes);
        enum err err = refusals->told[i].err;
        bool is_brokers = note->partition >= 0;
        *ret_set = *ret_set || (is_brokers && (err == ERR_TOO_LARGE || err == ERR_INVALID));
        if (is_brokers && note->limit > 0 && note->limit < set_bytes)
            lower(&known, (size_t)note->limit);
        else if (!refusals->told[i].is_sure)
            lower(&unsure, bytes_of(note->output));
        else if (is_brokers && err == ERR_TOO_LARGE && bytes_of(note->output) < (size_t)set_bytes)
            lower(&sure, bytes_of(note->output) / 2 + 1);
    }
    qsort(refusals->told, refusals->count, sizeof *refusals->told, by_index);
    ret_end->refusals = refusals->told;
    ret_end->refusal_count = refusals->count;
    return known > 0 ? known : unsure > 0 ? unsure : sure;
}
