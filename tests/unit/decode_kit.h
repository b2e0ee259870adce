/* A whole answer of Converse in a test: a body in, content and calls out. Needs unit.h included
 * before. */
#ifndef UNIT_DECODE_KIT_H
#define UNIT_DECODE_KIT_H

#include <stdio.h>

#include "wire/bedrock/converse/converse.h"

#define DECODE_KIT_LIMIT ((size_t)16 << 20)

/* A whole answer around the blocks of its message. */
#define ANSWER(blocks)                                                                             \
    "{\"metrics\":{\"latencyMs\":672},\"output\":{\"message\":{\"content\":[" blocks               \
    "],\"role\":\"assistant\"}},\"stopReason\":\"end_turn\",\"usage\":{\"inputTokens\":29,"        \
    "\"outputTokens\":21,\"totalTokens\":50}}"

struct decoded {
    struct arena arena;
    struct answer answer;
    struct why why;
    enum err err;
};

/* The body is freed before the answer is checked: the answer must not point into it. */
static inline void decode(struct decoded *decoded, const char *text)
{
    size_t len = strlen(text);
    struct buf body OWNED_BY(buf_done);
    *decoded = (struct decoded){.err = OK};
    arena_init(&decoded->arena, DECODE_KIT_LIMIT);
    buf_init(&body, len + 1);
    buf_add(&body, slice_of(text, len));
    decoded->err = dialect_decode(&dialect_converse, &decoded->arena,
                                  &(struct heard){.status = 200, .body = buf_slice(&body)},
                                  &decoded->answer, &decoded->why);
}

static inline void decoded_done(struct decoded *decoded)
{
    arena_done(&decoded->arena);
}

static inline void assert_content(const char *body, const char *content, const char *tool_calls,
                                  const char *invalid_tool_calls)
{
    struct decoded decoded;
    decode(&decoded, body);
    assert_int_equal(decoded.err, OK);
    assert_slice(decoded.answer.content, content);
    assert_slice(decoded.answer.tool_calls, tool_calls);
    assert_slice(decoded.answer.invalid_tool_calls, invalid_tool_calls);
    decoded_done(&decoded);
}

#endif
