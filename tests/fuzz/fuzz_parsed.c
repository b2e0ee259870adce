/* Structured output: whatever an answer holds, its parsed value is JSON on one line, what is wrong
 * is UTF-8, and the answer can go back into the conversation or is refused. Input: {"schema": …,
 * "content": …, "tool_calls": …, "invalid_tool_calls": …}. */
#include <stdint.h>
#include <stdio.h>

#include "base/check.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "wire/chat/correction.h"
#include "wire/chat/parsed.h"

#define ARENA_LIMIT ((size_t)64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const methods[] = {"function_calling", "json_schema", "prompt_prefill"};

static struct slice source_of(const struct json *root, const char *name, struct slice other)
{
    const struct json *node = json_member(root, name);
    return node == NULL ? other : node->source;
}

static void check_answer(struct arena *arena, const struct answer *answer)
{
    const struct json *value = NULL;
    if (answer->parsed.ptr != NULL) {
        CHECK(json_parse_loosely(arena, answer->parsed, &value, NULL) == OK);
        CHECK(slice_find(answer->parsed, '\n') == answer->parsed.len);
    }
    CHECK(utf8_valid_len(answer->parsing_error) == answer->parsing_error.len);
    CHECK(!answer->is_invalid || answer->parsing_error.len > 0);
}

static void try_method(const struct json *root, size_t method)
{
    struct arena arena;
    struct buf value OWNED_BY(buf_done);
    struct request request;
    struct why why;
    struct catalog catalog = {.default_model = SLICE("m.x")};
    arena_init(&arena, ARENA_LIMIT);
    buf_init(&value, ARENA_LIMIT);
    buf_addf(&value,
             "{\"messages\":[[\"human\",\"x\"]],\"structured_output\":{\"method\":\"%s\","
             "\"validate\":true,\"retry_invalid\":3,\"name\":\"T\",\"schema\":%.*s}}",
             methods[method], SLICE_ARG(source_of(root, "schema", SLICE("{}"))));
    struct record record = {.topic = SLICE("requests"), .value = buf_slice(&value)};
    struct request_source source = {&record, &catalog, NULL};
    struct answer answer = {
        .content = source_of(root, "content", SLICE("\"\"")),
        .tool_calls = source_of(root, "tool_calls", SLICE("[]")),
        .invalid_tool_calls = source_of(root, "invalid_tool_calls", SLICE("[]")),
    };
    if (request_from_headers(&arena, &record, &request, &why) == OK &&
        request_read(&arena, &record, &catalog, &request, &why) == OK) {
        parsed_read(&arena, ARENA_LIMIT, &request, &answer);
        check_answer(&arena, &answer);
        size_t turns = request.turn_count;
        if (answer.is_invalid) {
            enum err err = correction_add(&arena, &source, &answer, &request);
            CHECK(err == OK ? request.turn_count > turns : request.turn_count == turns);
        }
    }
    arena_done(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t live = memory_live();
    struct arena arena;
    const struct json *root = NULL;
    arena_init(&arena, ARENA_LIMIT);
    if (json_parse(&arena, slice_of(data, size), &root, NULL) == OK)
        for (size_t i = 0; i < COUNT_OF(methods); i++)
            try_method(root, i);
    arena_done(&arena);
    CHECK(memory_live() == live);
    return 0;
}
