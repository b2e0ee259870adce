/* Lines as the events of a ConverseStream: a letter for the event's type, then its payload. Every
 * chunk is JSON, nothing follows the last one, and an end needs its two events. */
#include <stdint.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/memory.h"
#include "wire/bedrock/converse/converse.h"
#include "wire/formats/json.h"

#define ARENA_LIMIT  ((size_t)64 << 20)
#define ANSWER_LIMIT ((size_t)1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct {
    char letter;
    enum event_kind kind;
    const char *type;
} types[] = {
    {'m', EVENT_KIND_EVENT, "messageStart"},
    {'s', EVENT_KIND_EVENT, "contentBlockStart"},
    {'d', EVENT_KIND_EVENT, "contentBlockDelta"},
    {'e', EVENT_KIND_EVENT, "contentBlockStop"},
    {'t', EVENT_KIND_EVENT, "messageStop"},
    {'c', EVENT_KIND_EVENT, "metadata"},
    {'x', EVENT_KIND_EXCEPTION, "throttlingException"},
    {'u', EVENT_KIND_EVENT, "unheardOf"},
    {'o', EVENT_KIND_OTHER, "metadata"},
};

static void check_list(struct slice text)
{
    struct arena arena OWNED_BY(arena_done);
    const struct json *root = NULL;
    struct json_fault fault;
    arena_init(&arena, ARENA_LIMIT);
    enum err err = json_parse_loosely(&arena, text, &root, &fault);
    /* A value as deep as the reader allows lies deeper in its chunk. */
    CHECK(err == OK || slice_equal_text(slice_of_text(fault.words), "nested too deeply"));
    CHECK(err != OK || root->kind == JSON_ARRAY);
    for (const struct json *item = err == OK ? root->first : NULL; item != NULL; item = item->next)
        CHECK(item->kind == JSON_OBJECT);
}

static void check_step(const struct stream_step *step, bool was_last)
{
    if (!step->is_chunk)
        return;
    CHECK(!was_last);
    check_list(step->content);
    if (step->tool_call_chunks.ptr != NULL)
        check_list(step->tool_call_chunks);
}

static enum err hear_line(struct stream *stream, struct slice line, struct stream_step *ret_step,
                          struct why *ret_why)
{
    size_t row = 0;
    char letter = line.len > 0 ? line.ptr[0] : 'u';
    while (row + 1 < sizeof types / sizeof types[0] && types[row].letter != letter)
        row++;
    const struct event event = {.kind = types[row].kind,
                                .type = slice_of_text(types[row].type),
                                .payload = slice_sub(line, 1, SIZE_MAX)};
    return dialect_stream_step(&dialect_converse, stream, &event, ret_step, ret_why);
}

static void check_end(struct stream *stream, bool was_last)
{
    struct answer answer;
    struct why why;
    enum err err = dialect_stream_end(&dialect_converse, stream, &answer, &why);
    CHECK((err == OK) == was_last || err == ERR_RESPONSE_TOO_LARGE);
    if (err != OK)
        return;
    check_list(answer.content);
    check_list(answer.tool_calls);
    check_list(answer.invalid_tool_calls);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t live = memory_live();
    struct slice rest = slice_of(data, size);
    struct arena arena;
    struct stream *stream;
    struct why why;
    bool was_last = false;
    enum err err = OK;
    arena_init(&arena, ARENA_LIMIT);
    CHECK(dialect_stream_start(&dialect_converse, &arena, &(struct heard){.status = 200},
                               ANSWER_LIMIT, &stream) == OK);
    while (err == OK && rest.len > 0) {
        struct stream_step step;
        size_t len = slice_find(rest, '\n');
        err = hear_line(stream, slice_sub(rest, 0, len), &step, &why);
        CHECK(err == OK || (why.err == err && !step.is_chunk));
        check_step(&step, was_last);
        was_last = was_last || (err == OK && step.is_last);
        rest = slice_sub(rest, len + 1, SIZE_MAX);
    }
    if (err == OK)
        check_end(stream, was_last);
    dialect_stream_done(&dialect_converse, stream);
    arena_done(&arena);
    CHECK(memory_live() == live);
    return 0;
}
