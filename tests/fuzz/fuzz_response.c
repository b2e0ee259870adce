/* Any bytes as the body of an answer, of a model that reasons in its text and of others: decoded or
 * rejected; the decoded parts are JSON that LangChain can load and do not point into the body. */
#include <stdint.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/memory.h"
#include "wire/bedrock/converse/converse.h"
#include "wire/formats/json.h"

#define ARENA_LIMIT ((size_t)64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct json *parse(struct arena *arena, struct slice text)
{
    const struct json *root = NULL;
    CHECK(text.ptr != NULL);
    CHECK(json_parse_loosely(arena, text, &root, NULL) == OK);
    return root;
}

static void check_answer(const struct answer *answer)
{
    struct arena arena OWNED_BY(arena_done);
    struct buf metadata OWNED_BY(buf_done);
    arena_init(&arena, ARENA_LIMIT);
    buf_init(&metadata, ARENA_LIMIT);
    const struct json *content = parse(&arena, answer->content);
    CHECK(content->kind == JSON_STRING || content->kind == JSON_ARRAY);
    for (const struct json *block = content->first; block != NULL; block = block->next)
        CHECK(block->kind == JSON_OBJECT);
    CHECK(parse(&arena, answer->tool_calls)->kind == JSON_ARRAY);
    CHECK(parse(&arena, answer->invalid_tool_calls)->kind == JSON_ARRAY);
    buf_add_byte(&metadata, '{');
    buf_add(&metadata, answer->metadata);
    buf_add_byte(&metadata, '}');
    CHECK(parse(&arena, buf_slice(&metadata))->kind == JSON_OBJECT);
    const struct usage_counts *usage = &answer->usage;
    CHECK(usage->input_tokens >= usage->cache_read_tokens && usage->cache_read_tokens >= 0);
    CHECK(usage->output_tokens >= 0 && usage->total_tokens >= 0 && usage->cache_write_tokens >= 0);
    CHECK(!usage->known || usage->raw.ptr != NULL);
}

/* The same bytes as the answer to a request that counts tokens. */
static void try_count(struct slice body)
{
    struct request request = {.count_tokens = true};
    struct heard heard = {.status = 200, .request = &request, .body = body};
    struct arena arena;
    struct answer answer;
    struct why why;
    arena_init(&arena, ARENA_LIMIT);
    if (dialect_decode(&dialect_converse, &arena, &heard, &answer, &why) == OK)
        CHECK(answer.usage.known && answer.usage.input_tokens >= 0 && answer.content.ptr == NULL);
    else
        CHECK(why.err == ERR_BAD_ANSWER);
    arena_done(&arena);
}

static void try_body(struct slice bytes, const struct request *request)
{
    int64_t live = memory_live();
    struct arena arena;
    struct answer answer;
    struct why why;
    struct buf body;
    arena_init(&arena, ARENA_LIMIT);
    buf_init(&body, ARENA_LIMIT);
    buf_add(&body, bytes);
    const struct heard heard = {.status = 200, .body = buf_slice(&body), .request = request};
    enum err err = dialect_decode(&dialect_converse, &arena, &heard, &answer, &why);
    buf_done(&body);
    if (err == OK)
        check_answer(&answer);
    else
        CHECK((err == ERR_BAD_ANSWER || err == ERR_RESPONSE_TOO_LARGE) && why.err == err);
    arena_done(&arena);
    CHECK(memory_live() == live);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct request thinking = {.traits = {.has = 1U << TRAIT_INLINE_REASONING}};
    try_body(slice_of(data, size), NULL);
    try_body(slice_of(data, size), &thinking);
    try_count(slice_of(data, size));
    return 0;
}
