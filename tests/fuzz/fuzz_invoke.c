/* Answers of InvokeModel. The first byte chooses the family, the second one how it answers:
 *
 *     w    the rest is a whole body: decoded or rejected, the decoded parts are JSON
 *     else each line is a chunk of a stream, as JSON; one that begins with `!` is a frame's payload
 *     t    … and the request lets the model think
 *
 * Every chunk is JSON, no string follows a list in a run, nothing follows the last one, and both
 * add up to the message: strings, and the strings of blocks that have an index. */
#include <stdint.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/memory.h"
#include "wire/bedrock/invoke/invoke.h"
#include "wire/formats/json.h"

#define ARENA_LIMIT  ((size_t)64 << 20)
#define ANSWER_LIMIT ((size_t)1 << 20)
#define PARTS_MAX    64 /* of a run; with more, its sums are not checked */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct request asked(bool thinks)
{
    return (struct request){
        .additional_fields = thinks ? SLICE("{\"thinking\":{\"type\":\"adaptive\"}}") : SLICE_NULL,
        .model = SLICE("model"),
        .stream = true,
        .parameters[PARAMETER_STOP] = SLICE("[\"END\",\"ND two\",\"\\n\\n\"]"),
    };
}

/* --- checks --- */

/* NULL: a value as deep as the reader allows lies deeper in what is made of it. */
static const struct json *parse(struct arena *arena, struct slice text)
{
    const struct json *root = NULL;
    struct json_fault fault;
    CHECK(text.ptr != NULL);
    enum err err = json_parse_loosely(arena, text, &root, &fault);
    CHECK(err == OK || slice_equal_text(slice_of_text(fault.words), "nested too deeply"));
    return err == OK ? root : NULL;
}

static void check_kind(struct slice text, enum json_kind kind)
{
    struct arena arena OWNED_BY(arena_done);
    arena_init(&arena, ARENA_LIMIT);
    const struct json *root = parse(&arena, text);
    CHECK(root == NULL || root->kind == kind);
}

static void check_members(struct slice members)
{
    struct buf object OWNED_BY(buf_done);
    buf_init(&object, ARENA_LIMIT);
    buf_add_byte(&object, '{');
    buf_add(&object, members);
    buf_add_byte(&object, '}');
    check_kind(buf_slice(&object), JSON_OBJECT);
}

static void check_answer(const struct answer *answer)
{
    const struct usage_counts *usage = &answer->usage;
    check_kind(answer->content, answer->content.ptr[0] == '"' ? JSON_STRING : JSON_ARRAY);
    check_kind(answer->tool_calls, JSON_ARRAY);
    check_kind(answer->invalid_tool_calls, JSON_ARRAY);
    check_members(answer->metadata);
    CHECK(usage->input_tokens >= usage->cache_read_tokens && usage->cache_read_tokens >= 0);
    CHECK(usage->output_tokens >= 0 && usage->total_tokens >= 0 && usage->cache_write_tokens >= 0);
    if (usage->raw.ptr != NULL)
        check_kind(usage->raw, JSON_OBJECT);
}

/* --- a whole answer --- */

static void decode(const struct dialect *dialect, struct slice data)
{
    struct arena arena OWNED_BY(arena_done);
    struct buf body OWNED_BY(buf_done);
    const struct request request = asked(false);
    struct answer answer;
    struct why why;
    arena_init(&arena, ARENA_LIMIT);
    buf_init(&body, ARENA_LIMIT);
    buf_add(&body, data);
    struct heard heard = {.status = 200,
                          .head = SLICE("HTTP/1.1 200 OK\r\n"
                                        "X-Amzn-Bedrock-Input-Token-Count: 5\r\n"),
                          .request = &request,
                          .body = buf_slice(&body)};
    enum err err = dialect_decode(dialect, &arena, &heard, &answer, &why);
    buf_reset(&body);
    if (err == OK)
        check_answer(&answer);
    else
        CHECK((err == ERR_BAD_ANSWER || err == ERR_RESPONSE_TOO_LARGE) && why.err == err);
}

/* --- a stream --- */

/* A string of a block, as the chunks add it up. */
struct part {
    int64_t index;
    struct slice name;
    struct buf text;
};

struct run {
    const struct dialect *dialect;
    struct stream *stream;
    struct buf text; /* of all chunks that are strings */
    struct arena arena;
    struct part parts[PARTS_MAX];
    size_t count;
    bool has_lists, was_last, is_full;
};

static void part_add(struct run *run, int64_t index, struct slice name, struct slice text)
{
    struct part *part = run->parts;
    while (part < run->parts + run->count &&
           (part->index != index || !slice_equal(part->name, name)))
        part++;
    run->is_full = run->is_full || part == run->parts + PARTS_MAX;
    if (run->is_full)
        return;
    if (part == run->parts + run->count) {
        *part = (struct part){.index = index};
        CHECK(arena_copy(&run->arena, name, &part->name));
        buf_init(&part->text, ARENA_LIMIT);
        run->count++;
    }
    buf_add(&part->text, text);
}

/* The strings of a block that comes in pieces; its type, id and name come once. */
static void add_block(struct run *run, const struct json *block)
{
    static const char *const once[] = {"type", "id", "name", "data"};
    struct arena arena OWNED_BY(arena_done);
    int64_t index;
    struct slice text;
    arena_init(&arena, ARENA_LIMIT);
    if (!json_int64(json_member(block, "index"), &index))
        return;
    for (const struct json *member = block->first; member != NULL; member = member->next)
        if (member->kind == JSON_STRING && !slice_is_one_of(member->name, once, COUNT_OF(once)) &&
            json_string(&arena, member, &text))
            part_add(run, index, member->name, text);
}

static void check_block(struct run *run, const struct json *block)
{
    struct arena arena OWNED_BY(arena_done);
    int64_t index;
    struct slice text;
    arena_init(&arena, ARENA_LIMIT);
    if (!json_int64(json_member(block, "index"), &index))
        return;
    for (struct part *part = run->parts; part < run->parts + run->count; part++) {
        if (part->index != index)
            continue;
        const struct json *member = json_member_of(block, part->name);
        CHECK(member != NULL && json_string(&arena, member, &text));
        CHECK(slice_equal(text, part->text.len == 0 ? SLICE("") : buf_slice(&part->text)));
    }
}

static void check_step(struct run *run, const struct stream_step *step)
{
    struct arena arena OWNED_BY(arena_done);
    struct slice text = SLICE_NULL;
    arena_init(&arena, ARENA_LIMIT);
    if (!step->is_chunk)
        return;
    CHECK(!run->was_last);
    const struct json *content = parse(&arena, step->content);
    if (json_is(content, JSON_STRING)) {
        CHECK(json_string(&arena, content, &text));
        buf_add(&run->text, text);
        CHECK(!run->has_lists);
    } else {
        CHECK(content == NULL || content->kind == JSON_ARRAY);
        run->has_lists = true;
        for (const struct json *block = content == NULL ? NULL : content->first; block != NULL;
             block = block->next)
            add_block(run, block);
    }
    if (step->tool_call_chunks.ptr != NULL)
        check_kind(step->tool_call_chunks, JSON_ARRAY);
    check_members(step->metadata);
    run->was_last = step->is_last;
}

static enum err hear_line(struct run *run, struct slice line, struct why *ret_why)
{
    struct event event = {.kind = EVENT_KIND_EVENT, .type = SLICE("chunk"), .payload = line};
    const struct family *family = run->dialect->family;
    struct stream_step step = {.is_chunk = false};
    enum err err;
    why_clear(ret_why);
    if (line.len > 0 && line.ptr[0] == '!') {
        event.payload = slice_sub(line, 1, SIZE_MAX);
        err = dialect_stream_step(run->dialect, run->stream, &event, &step, ret_why);
    } else {
        err = family->stream_step(run->dialect, run->stream, &event, &step, ret_why);
    }
    CHECK(err == OK || (ret_why->err == err && !step.is_chunk));
    if (err == OK)
        check_step(run, &step);
    return err;
}

static void check_end(struct run *run)
{
    struct arena arena OWNED_BY(arena_done);
    struct answer answer;
    struct slice text = SLICE_NULL;
    struct why why;
    arena_init(&arena, ARENA_LIMIT);
    enum err err = dialect_stream_end(run->dialect, run->stream, &answer, &why);
    CHECK(err == OK || !run->was_last || err == ERR_RESPONSE_TOO_LARGE);
    if (err != OK)
        return;
    check_answer(&answer);
    const struct json *content = parse(&arena, answer.content);
    for (const struct json *block = json_is(content, JSON_ARRAY) ? content->first : NULL;
         !run->is_full && block != NULL; block = block->next)
        check_block(run, block);
    if (!run->was_last || !json_is(content, JSON_STRING))
        return;
    CHECK(json_string(&arena, content, &text) && slice_equal(text, buf_slice(&run->text)));
}

static void hear(const struct dialect *dialect, struct slice rest, bool thinks)
{
    struct arena arena OWNED_BY(arena_done);
    static struct run run;
    run = (struct run){.dialect = dialect};
    const struct request request = asked(thinks);
    struct heard heard = {.status = 200, .head = SLICE(""), .request = &request};
    struct why why;
    enum err err = OK;
    arena_init(&arena, ARENA_LIMIT);
    arena_init(&run.arena, ARENA_LIMIT);
    buf_init(&run.text, ARENA_LIMIT);
    buf_add_text(&run.text, "");
    CHECK(dialect_stream_start(dialect, &arena, &heard, ANSWER_LIMIT, &run.stream) == OK);
    while (err == OK && rest.len > 0) {
        size_t len = slice_find(rest, '\n');
        err = hear_line(&run, slice_sub(rest, 0, len), &why);
        rest = slice_sub(rest, len + 1, SIZE_MAX);
    }
    if (err == OK)
        check_end(&run);
    dialect_stream_done(dialect, run.stream);
    buf_done(&run.text);
    for (size_t i = 0; i < run.count; i++)
        buf_done(&run.parts[i].text);
    arena_done(&run.arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t live = memory_live();
    if (size < 2)
        return 0;
    const struct dialect *dialect = &invoke_dialects[data[0] % INVOKE_FAMILY_COUNT];
    struct slice rest = slice_of(data + 2, size - 2);
    if (data[1] == 'w')
        decode(dialect, rest);
    else
        hear(dialect, rest, data[1] == 't');
    CHECK(memory_live() == live);
    return 0;
}
