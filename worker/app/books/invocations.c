#include "app/books/invocations.h"

#include <string.h>

#include "base/instant.h"
#include "base/memory.h"
#include "wire/formats/json_scan.h"

#define ROOM_MIN 1024

void invocations_init(struct invocations *invocations, uint64_t seed)
{
    memset(invocations, 0, sizeof *invocations); /* no copy of it: it is large */
    invocations->first_ms = INT64_MAX;
    invocations->last_ms = INT64_MIN;
    ids_init(&invocations->ids, INVOCATIONS_MAX, seed);
}

void invocations_done(struct invocations *invocations)
{
    ids_done(&invocations->ids);
    memory_free(invocations->list);
    invocations->list = NULL;
}

/* ---- the log ---- */

struct line {
    struct invocation call;
    int64_t at_ms;
    int64_t read, written; /* input of caches */
    bool has_id, has_time, has_counts, is_error;
};

static bool read_count(struct slice value, int64_t *ret_count)
{
    return slice_to_int64(value, ret_count) && *ret_count >= 0 && *ret_count <= ENTRY_COUNT_MAX;
}

/* Takes a member of `input` or `output`. False: it is a count that is none. */
static bool take_count(struct line *line, struct slice name, struct slice value)
{
    int64_t *into = slice_equal(name, SLICE("inputTokenCount"))             ? &line->call.input
                    : slice_equal(name, SLICE("outputTokenCount"))          ? &line->call.output
                    : slice_equal(name, SLICE("cacheReadInputTokenCount"))  ? &line->read
                    : slice_equal(name, SLICE("cacheWriteInputTokenCount")) ? &line->written
                                                                            : NULL;
    if (into == NULL)
        return true;
    line->has_counts = true;
    return read_count(value, into);
}

static bool take_counts(struct line *line, struct json_scan *scan)
{
    struct slice name, value;
    bool are_good = true;
    if (!json_scan_enter(scan))
        return json_scan_value(scan, &value);
    while (json_scan_next(scan, &name) && json_scan_value(scan, &value))
        are_good = take_count(line, name, value) && are_good;
    return are_good;
}

static bool take_member(struct line *line, struct json_scan *scan, struct slice name)
{
    struct slice value, text;
    if (slice_equal(name, SLICE("input")) || slice_equal(name, SLICE("output")))
        return take_counts(line, scan);
    if (!json_scan_value(scan, &value))
        return false;
    if (slice_equal(name, SLICE("requestId")))
        line->has_id = json_scan_plain(value, &text) && entry_id_read(text, &line->call.id);
    else if (slice_equal(name, SLICE("timestamp")))
        line->has_time = json_scan_plain(value, &text) && instant_from_rfc3339(text, &line->at_ms);
    else if (slice_equal(name, SLICE("errorCode")))
        line->is_error = true;
    return true;
}

/* NULL, or what is wrong. */
static const char *read_line(struct slice text, struct line *ret_line)
{
    struct json_scan scan;
    struct slice name;
    bool are_good = true;
    *ret_line = (struct line){.has_id = false};
    json_scan_begin(&scan, text);
    while (json_scan_next(&scan, &name))
        are_good = take_member(ret_line, &scan, name) && are_good;
    if (!json_scan_is_whole(&scan))
        return "is no JSON object, or is cut";
    if (!are_good)
        return "has a count of tokens that is none";
    if (!ret_line->has_id)
        return "has no requestId that is a UUID: is it an invocation log of Bedrock?";
    return ret_line->has_time ? NULL : "has no timestamp";
}

static bool make_room(struct invocations *invocations)
{
    if (invocations->count < invocations->room)
        return true;
    size_t room = invocations->room == 0 ? ROOM_MIN : 2 * invocations->room;
    struct invocation *list = memory_resize(invocations->list, room * sizeof *list);
    if (list == NULL)
        return false;
    invocations->list = list;
    invocations->room = room;
    return true;
}

static enum err add_call(struct invocations *invocations, const struct line *line)
{
    if (!make_room(invocations))
        return ERR_NO_MEMORY;
    uint32_t *place = ids_put(&invocations->ids, &line->call.id);
    if (place == NULL)
        return ERR_TOO_LARGE;
    if (*place != 0)
        return OK; /* the same line in two files */
    struct invocation *call = &invocations->list[invocations->count++];
    *call = line->call;
    call->input += line->read + line->written;
    *place = (uint32_t)invocations->count;
    if (line->at_ms < invocations->first_ms)
        invocations->first_ms = line->at_ms;
    if (line->at_ms > invocations->last_ms)
        invocations->last_ms = line->at_ms;
    return OK;
}

enum err invocations_take_line(struct invocations *invocations, struct slice text)
{
    struct line line;
    text = slice_trim(text);
    if (text.len == 0)
        return OK;
    invocations->lines++;
    invocations->why = read_line(text, &line);
    if (invocations->why != NULL)
        return ERR_FORMAT;
    if (line.is_error || !line.has_counts) {
        invocations->rejected++;
        return OK;
    }
    return add_call(invocations, &line);
}

/* ---- both ---- */

static void name(struct invocations *invocations, enum invocation_side side,
                 const struct invocation_named *named)
{
    int64_t count = invocations->counts[side]++;
    if (count < INVOCATIONS_NAMED_MAX)
        invocations->named[side][count] = *named;
}

enum err invocations_hear(void *self, const struct entry *entry)
{
    struct invocations *invocations = self;
    struct invocation_named named = {.input = -1,
                                     .output = -1,
                                     .book_input = entry->counts[COUNT_INPUT],
                                     .book_output = entry->counts[COUNT_OUTPUT]};
    if (!entry_id_read(entry->bedrock_request_id, &named.id)) {
        invocations->without_id++;
        return OK;
    }
    const uint32_t *place = ids_find(&invocations->ids, &named.id);
    if (place == NULL) {
        if (entry->started_ms >= invocations->first_ms && entry->started_ms <= invocations->last_ms)
            name(invocations, SIDE_ONLY_BOOK, &named);
        return OK;
    }
    struct invocation *call = &invocations->list[*place - 1];
    call->is_heard = true;
    named.input = call->input;
    named.output = call->output;
    if (named.input == named.book_input && named.output == named.book_output)
        invocations->equal++;
    else
        name(invocations, SIDE_DIFFERS, &named);
    return OK;
}

void invocations_end(struct invocations *invocations)
{
    for (size_t i = 0; i < invocations->count; i++) {
        const struct invocation *call = &invocations->list[i];
        if (!call->is_heard)
            name(invocations, SIDE_ONLY_LOG,
                 &(struct invocation_named){call->id, call->input, call->output, -1, -1});
    }
}
