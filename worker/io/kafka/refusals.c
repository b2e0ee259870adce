#include "io/kafka/refusals.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/memory.h"
#include "io/kafka/produce.h"

struct refusal_note {
    const struct output *output;
    size_t index;
    int code;
    int32_t partition;
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
           (!has_left && !has_right) || bytes_of(note->output) >= (uint64_t)set_bytes;
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

size_t refusals_tell(struct refusals *refusals, int64_t set_bytes, struct batch_end *ret_end,
                     bool *ret_set)
{
    size_t unsure = 0, sure = (size_t)set_bytes;
    *ret_set = false;
    qsort(refusals->notes, refusals->count, sizeof *refusals->notes, by_partition);
    for (size_t i = 0; i < refusals->count; i++) {
        const struct refusal_note *note = &refusals->notes[i];
        refusals->told[i] = (struct batch_refusal){.index = note->index,
                                                   .err = kafka_refusal(note->code),
                                                   .is_sure = is_sure(refusals, i, set_bytes)};
        enum err err = refusals->told[i].err;
        bool is_for_content = err == ERR_TOO_LARGE || err == ERR_INVALID;
        *ret_set = *ret_set || (note->partition >= 0 && is_for_content);
        size_t bytes = bytes_of(note->output) > 0 ? bytes_of(note->output) : 1;
        if (!refusals->told[i].is_sure && (unsure == 0 || bytes < unsure))
            unsure = bytes;
        if (refusals->told[i].is_sure && note->partition >= 0 && err == ERR_TOO_LARGE &&
            bytes < sure)
            sure = bytes;
    }
    qsort(refusals->told, refusals->count, sizeof *refusals->told, by_index);
    ret_end->refusals = refusals->told;
    ret_end->refusal_count = refusals->count;
    if (unsure > 0)
        return unsure;
    return sure < (size_t)set_bytes ? sure / 2 + 1 : 0;
}
