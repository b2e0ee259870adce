/* Answers of Converse and the messages that langchain-aws makes of them: vectors/answers.inc. */
#include "unit/unit.h"

#include "wire/bedrock/converse/converse.h"
#include "wire/formats/json.h"
#include "wire/outputs/draft.h"

#define LIMIT     ((size_t)1 << 20)
#define PAIRS_MAX 4096

struct vector {
    const char *name;
    bool is_stream, is_thinking;
    const char *said, *content, *tool_calls, *metadata, *usage;
};

static const struct vector vectors[] = {
#define WHOLE(name, ...)  {name, false, __VA_ARGS__},
#define STREAM(name, ...) {name, true, __VA_ARGS__},
#include "vectors/answers.inc"
};

/* --- JSON with its members in any order --- */

static bool is_nothing(const struct json *node)
{
    return node == NULL || (node->kind == JSON_NUMBER && slice_equal_text(node->source, "0"));
}

static bool are_strings_equal(struct arena *arena, const struct json *a, const struct json *b)
{
    struct slice one, other;
    return json_string(arena, a, &one) && json_string(arena, b, &other) && slice_equal(one, other);
}

struct pairs {
    struct {
        const struct json *a, *b;
    } list[PAIRS_MAX];
    size_t count;
};

static void add_pair(struct pairs *pairs, const struct json *a, const struct json *b)
{
    assert_true(pairs->count < PAIRS_MAX);
    pairs->list[pairs->count].a = a;
    pairs->list[pairs->count++].b = b;
}

/* Whether every member of `a` has a counterpart, which may be missing where a count is 0. */
static bool add_members(struct pairs *pairs, const struct json *a, const struct json *b, bool adds)
{
    for (const struct json *member = a->first; member != NULL; member = member->next) {
        const struct json *other = json_member_of(b, member->name);
        if (other == NULL && !is_nothing(member))
            return false;
        if (other != NULL && adds)
            add_pair(pairs, member, other);
    }
    return true;
}

static bool are_equal(struct arena *arena, const struct json *a, const struct json *b)
{
    static struct pairs pairs;
    pairs.count = 0;
    add_pair(&pairs, a, b);
    while (pairs.count > 0) {
        a = pairs.list[--pairs.count].a;
        b = pairs.list[pairs.count].b;
        if (a->kind != b->kind)
            return false;
        if (a->kind == JSON_STRING && !are_strings_equal(arena, a, b))
            return false;
        if (a->kind == JSON_NUMBER && !slice_equal(a->source, b->source))
            return false;
        if (a->kind == JSON_OBJECT &&
            (!add_members(&pairs, a, b, true) || !add_members(&pairs, b, a, false)))
            return false;
        if (a->kind == JSON_ARRAY && a->count != b->count)
            return false;
        if (a->kind == JSON_ARRAY)
            for (a = a->first, b = b->first; a != NULL; a = a->next, b = b->next)
                add_pair(&pairs, a, b);
    }
    return true;
}

static void assert_json(const char *name, struct slice seen, const char *wanted)
{
    struct arena arena OWNED_BY(arena_done);
    const struct json *a = NULL, *b = NULL;
    arena_init(&arena, (size_t)16 << 20);
    assert_int_equal(json_parse(&arena, seen, &a, NULL), OK);
    assert_int_equal(json_parse(&arena, slice_of_text(wanted), &b, NULL), OK);
    if (!are_equal(&arena, a, b))
        fail_msg("%s:\n  %.*s\nis not\n  %s", name, SLICE_ARG(seen), wanted);
}

/* --- the vectors --- */

static void assert_answer(const struct vector *vector, const struct answer *answer)
{
    struct buf metadata OWNED_BY(buf_done), usage OWNED_BY(buf_done);
    buf_init(&metadata, LIMIT);
    buf_init(&usage, LIMIT);
    buf_addf(&metadata, "{%.*s}", SLICE_ARG(answer->metadata));
    buf_add_byte(&usage, '{');
    output_add_usage_metadata(&usage, &answer->usage);
    buf_add_byte(&usage, '}');
    assert_json(vector->name, answer->content, vector->content);
    assert_json(vector->name, answer->tool_calls, vector->tool_calls);
    assert_json(vector->name, buf_slice(&metadata), vector->metadata);
    struct slice counts = slice_sub(buf_slice(&usage), strlen("{\"usage_metadata\":"), SIZE_MAX);
    assert_json(vector->name, slice_sub(counts, 0, counts.len - 1), vector->usage);
    assert_slice(answer->invalid_tool_calls, "[]");
}

static void stream(const struct heard *heard, const struct vector *vector, struct arena *arena)
{
    struct stream *stream = NULL;
    struct answer answer;
    struct why why;
    struct slice rest = slice_of_text(vector->said);
    assert_int_equal(dialect_stream_start(&dialect_converse, arena, heard, LIMIT, &stream), OK);
    while (rest.len > 0) {
        struct stream_step step;
        struct slice line = slice_sub(rest, 0, slice_find(rest, '\n'));
        size_t at = slice_find(line, ' ');
        const struct event event = {.kind = EVENT_KIND_EVENT,
                                    .type = slice_sub(line, 0, at),
                                    .payload = slice_sub(line, at + 1, SIZE_MAX)};
        assert_int_equal(dialect_stream_step(&dialect_converse, stream, &event, &step, &why), OK);
        rest = slice_sub(rest, line.len + 1, SIZE_MAX);
    }
    assert_int_equal(dialect_stream_end(&dialect_converse, stream, &answer, &why), OK);
    assert_answer(vector, &answer);
    dialect_stream_done(&dialect_converse, stream);
}

static void decode(struct heard *heard, const struct vector *vector, struct arena *arena)
{
    struct answer answer;
    struct why why;
    heard->body = slice_of_text(vector->said);
    assert_int_equal(dialect_decode(&dialect_converse, arena, heard, &answer, &why), OK);
    assert_answer(vector, &answer);
}

static void messages_are_those_that_langchain_makes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(vectors); i++) {
        struct arena arena;
        struct request request = {.stream = vectors[i].is_stream};
        struct heard heard = {.status = 200, .request = &request};
        if (vectors[i].is_thinking)
            request.traits.has = 1U << TRAIT_INLINE_REASONING;
        arena_init(&arena, (size_t)16 << 20);
        if (vectors[i].is_stream)
            stream(&heard, &vectors[i], &arena);
        else
            decode(&heard, &vectors[i], &arena);
        arena_done(&arena);
    }
    assert_true(COUNT_OF(vectors) > 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_those_that_langchain_makes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
