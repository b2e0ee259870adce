/* A Converse stream in a test: events in, chunks out, and the sum of the chunks by LangChain's
 * rules (langchain_core's merge_lists): elements with the same `index` become one, their strings
 * joined, their objects merged, their lists appended; elements without an index stand side by side.
 * Needs unit.h included before. */
#ifndef UNIT_STREAM_KIT_H
#define UNIT_STREAM_KIT_H

#include "wire/bedrock/converse/converse.h"
#include "wire/bedrock/converse/items.h"
#include "wire/formats/json.h"

#define STREAM_KIT_LIMIT ((size_t)1 << 20)
#define SUM_ELEMENTS_MAX 512
#define SUM_MEMBERS_MAX  8

struct stream_kit {
    struct arena arena;
    struct stream *stream;
    struct stream_step step;
    struct answer answer;
    struct why why;
};

static inline void stream_kit_init(struct stream_kit *kit, size_t limit)
{
    *kit = (struct stream_kit){.stream = NULL};
    arena_init(&kit->arena, STREAM_KIT_LIMIT);
    assert_int_equal(dialect_stream_start(&dialect_converse, &kit->arena,
                                          &(struct heard){.status = 200}, limit, &kit->stream),
                     OK);
}

static inline void stream_kit_done(struct stream_kit *kit)
{
    dialect_stream_done(&dialect_converse, kit->stream);
    arena_done(&kit->arena);
}

static inline enum err stream_kit_hear(struct stream_kit *kit, const char *type,
                                       const char *payload)
{
    const struct event event = {
        .kind = EVENT_KIND_EVENT, .type = slice_of_text(type), .payload = slice_of_text(payload)};
    return dialect_stream_step(&dialect_converse, kit->stream, &event, &kit->step, &kit->why);
}

static inline enum err stream_kit_end(struct stream_kit *kit)
{
    return dialect_stream_end(&dialect_converse, kit->stream, &kit->answer, &kit->why);
}

#define TEXT_DELTA(text)                                                                           \
    "{\"contentBlockIndex\":0,\"delta\":{\"text\":\"" text "\"},\"p\":\"abcdefgh\"}"
#define TEXT_CHUNK(text) "[{\"type\":\"text\",\"text\":\"" text "\",\"index\":0}]"
#define STOP             "{\"stopReason\":\"end_turn\",\"p\":\"abc\"}"
#define COUNTS                                                                                     \
    "{\"metrics\":{\"latencyMs\":713},\"p\":\"ab\",\"usage\":{\"inputTokens\":29,"                 \
    "\"outputTokens\":21,\"totalTokens\":50}}"

struct expected_event {
    const char *type, *payload, *content, *tool_call_chunks, *metadata;
};

/* Every event gives the chunk beside it. */
static inline void assert_chunks(struct stream_kit *kit, const struct expected_event *events,
                                 size_t count)
{
    for (size_t i = 0; i < count; i++) {
        enum err err = stream_kit_hear(kit, events[i].type, events[i].payload);
        if (err != OK)
            fail_msg("%s: %s", events[i].payload, kit->why.message);
        assert_true(kit->step.is_chunk);
        assert_slice(kit->step.content, events[i].content);
        if (events[i].tool_call_chunks == NULL)
            assert_null(kit->step.tool_call_chunks.ptr);
        else
            assert_slice(kit->step.tool_call_chunks, events[i].tool_call_chunks);
        if (events[i].metadata == NULL)
            assert_null(kit->step.metadata.ptr);
        else
            assert_slice(kit->step.metadata, events[i].metadata);
    }
}

static inline void assert_message(struct stream_kit *kit, const char *content,
                                  const char *tool_calls)
{
    assert_int_equal(stream_kit_end(kit), OK);
    assert_slice(kit->answer.content, content);
    assert_slice(kit->answer.tool_calls, tool_calls);
}

static inline void hear_end(struct stream_kit *kit)
{
    assert_int_equal(stream_kit_hear(kit, "messageStop", STOP), OK);
    assert_false(kit->step.is_last);
    assert_int_equal(stream_kit_hear(kit, "metadata", COUNTS), OK);
    assert_true(kit->step.is_last);
}

/* --- the sum --- */

/* A member: a string's inside or a list's elements so far (objects go one level down by
 * `name.inner`). */
struct sum_member {
    char name[64];
    char kind; /* 's', 'l' or '?' */
    struct buf value;
};

struct sum_element {
    int64_t index; /* -1 = none */
    struct sum_member members[SUM_MEMBERS_MAX];
    size_t count;
};

struct sum {
    struct sum_element elements[SUM_ELEMENTS_MAX];
    size_t count;
};

static inline void sum_done(struct sum *sum)
{
    for (size_t i = 0; i < sum->count; i++)
        for (size_t j = 0; j < sum->elements[i].count; j++)
            buf_done(&sum->elements[i].members[j].value);
    sum->count = 0;
}

static inline struct sum_member *sum_member(struct sum_element *element, const char *name)
{
    for (size_t i = 0; i < element->count; i++)
        if (strcmp(element->members[i].name, name) == 0)
            return &element->members[i];
    assert_true(element->count < SUM_MEMBERS_MAX);
    struct sum_member *member = &element->members[element->count++];
    snprintf(member->name, sizeof member->name, "%s", name);
    member->kind = '?';
    buf_init(&member->value, STREAM_KIT_LIMIT);
    return member;
}

static inline void sum_value(struct sum_element *element, const char *name,
                             const struct json *value)
{
    struct sum_member *member = sum_member(element, name);
    char kind = value->kind == JSON_STRING ? 's' : value->kind == JSON_ARRAY ? 'l' : '?';
    if (member->kind != '?')
        assert_int_equal(member->kind, kind);
    struct slice inside =
        kind == '?' ? value->source : slice_sub(value->source, 1, value->source.len - 2);
    if (kind == 'l' && member->value.len > 0)
        buf_add_byte(&member->value, ',');
    member->kind = kind;
    buf_add(&member->value, inside);
}

static inline void sum_object(struct sum_element *element, const struct json *object, bool is_first)
{
    for (const struct json *member = object->first; member != NULL; member = member->next) {
        char name[64];
        if (slice_equal_text(member->name, "index") ||
            (slice_equal_text(member->name, "type") && !is_first))
            continue;
        snprintf(name, sizeof name, "%.*s", SLICE_ARG(member->name));
        if (!slice_equal_text(member->name, "reasoning_content") &&
            !slice_equal_text(member->name, "source")) {
            sum_value(element, name, member);
            continue;
        }
        for (const struct json *inner = member->first; inner != NULL; inner = inner->next) {
            snprintf(name, sizeof name, "%.*s.%.*s", SLICE_ARG(member->name),
                     SLICE_ARG(inner->name));
            sum_value(element, name, inner);
        }
    }
}

static inline void sum_add(struct sum *sum, struct slice content)
{
    struct arena arena OWNED_BY(arena_done);
    const struct json *list = NULL;
    arena_init(&arena, STREAM_KIT_LIMIT);
    assert_int_equal(json_parse(&arena, content, &list, NULL), OK);
    assert_int_equal(list->kind, JSON_ARRAY);
    for (const struct json *node = list->first; node != NULL; node = node->next) {
        int64_t index;
        size_t at = sum->count;
        if (!json_int64(json_member(node, "index"), &index))
            index = -1;
        for (size_t i = 0; index >= 0 && i < sum->count; i++)
            if (sum->elements[i].index == index)
                at = i;
        bool is_first = at == sum->count;
        assert_true(at < SUM_ELEMENTS_MAX);
        if (is_first)
            sum->elements[sum->count++] = (struct sum_element){.index = index};
        sum_object(&sum->elements[at], node, is_first);
    }
}

static inline void assert_sums_equal(const struct sum *a, const struct sum *b)
{
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        struct sum_element seen = a->elements[i];
        assert_int_equal(seen.index, b->elements[i].index);
        assert_int_equal(seen.count, b->elements[i].count);
        for (size_t j = 0; j < seen.count; j++) {
            const struct sum_member *wanted = &b->elements[i].members[j];
            struct sum_member *member = sum_member(&seen, wanted->name);
            assert_int_equal(member->kind, wanted->kind);
            assert_int_equal(member->value.len, wanted->value.len);
            if (wanted->value.len > 0)
                assert_memory_equal(member->value.ptr, wanted->value.ptr, wanted->value.len);
        }
    }
}

#endif
