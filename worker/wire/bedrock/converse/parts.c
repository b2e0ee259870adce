#include "wire/bedrock/converse/parts.h"

/* Members that have a place of their own in the records, or say nothing. */
static const char *const placed_names[] = {
    "output", "usage", "stopReason", "p", "ResponseMetadata", "model_name", "model_provider",
};

enum err converse_failed(struct why *why, enum err err)
{
    if (err == ERR_TOO_LARGE)
        return why_set(why, ERR_RESPONSE_TOO_LARGE, NULL,
                       "the answer is larger than the worker's limit");
    return why_set(why, err, NULL, "%s", "");
}

enum err converse_keep_slice(struct arena *arena, struct slice text, struct slice *ret_copy)
{
    if (arena_copy(arena, text, ret_copy))
        return OK;
    return text.len > arena->limit - arena->held ? ERR_TOO_LARGE : ERR_NO_MEMORY;
}

enum err converse_keep(struct arena *arena, const struct buf *buf, struct slice *ret_copy)
{
    if (buf->failed != OK)
        return buf->failed;
    return converse_keep_slice(arena, buf->len == 0 ? SLICE("") : buf_slice(buf), ret_copy);
}

enum err converse_keep_string(struct arena *arena, const struct json *node, struct slice *ret_text)
{
    struct slice text;
    if (!json_is(node, JSON_STRING))
        return OK;
    return json_string(arena, node, &text) ? converse_keep_slice(arena, text, ret_text)
                                           : ERR_NO_MEMORY;
}

enum err converse_add_metadata(struct buf *metadata, const struct json *object,
                               const struct json *given)
{
    size_t left = CONVERSE_MEMBERS_MAX;
    for (const struct json *member = object->first; member != NULL && left > 0;
         member = member->next, left--) {
        bool is_told = json_member_of(given, member->name) != NULL ||
                       slice_is_one_of(member->name, placed_names, COUNT_OF(placed_names));
        if (member->kind != JSON_NULL && !is_told)
            json_add_copy(metadata, member);
    }
    return metadata->failed;
}

void converse_answer_init(struct converse_answer *texts, size_t limit)
{
    buf_init(&texts->content, limit);
    buf_init(&texts->tool_calls, limit);
    buf_init(&texts->invalid_tool_calls, limit);
    buf_add_byte(&texts->tool_calls, '[');
    buf_add_byte(&texts->invalid_tool_calls, '[');
}

void converse_answer_done(struct converse_answer *texts)
{
    buf_done(&texts->content);
    buf_done(&texts->tool_calls);
    buf_done(&texts->invalid_tool_calls);
}

enum err converse_answer_keep(struct converse_answer *texts, struct arena *arena,
                              struct answer *ret_answer)
{
    buf_add_byte(&texts->tool_calls, ']');
    buf_add_byte(&texts->invalid_tool_calls, ']');
    enum err err = converse_keep(arena, &texts->content, &ret_answer->content);
    if (err == OK)
        err = converse_keep(arena, &texts->tool_calls, &ret_answer->tool_calls);
    if (err == OK)
        err = converse_keep(arena, &texts->invalid_tool_calls, &ret_answer->invalid_tool_calls);
    return err;
}

void converse_add_tool_call(struct converse_answer *texts, bool is_valid, struct slice name,
                            struct slice args, struct slice id)
{
    struct buf *calls = is_valid ? &texts->tool_calls : &texts->invalid_tool_calls;
    json_add_comma(calls);
    buf_add_byte(calls, '{');
    json_add_member(calls, "name", name);
    json_add_member(calls, "args", args);
    json_add_member(calls, "id", id);
    json_add_text_member(calls, "type", is_valid ? SLICE("tool_call") : SLICE("invalid_tool_call"));
    buf_add_byte(calls, '}');
}

/* --- counts --- */

void converse_no_usage(struct usage_counts *ret_counts)
{
    *ret_counts = (struct usage_counts){
        .cache_write_1h_tokens = ANSWER_COUNT_ABSENT,
        .reasoning_tokens = ANSWER_COUNT_ABSENT,
    };
}

/* A count that makes sense, else ANSWER_COUNT_ABSENT. */
static int64_t count_of(const struct json *object, const char *name)
{
    int64_t count;
    return json_int64(json_member(object, name), &count) && count >= 0 ? count
                                                                       : ANSWER_COUNT_ABSENT;
}

/* Older answers spell it …InputTokenCount. */
static int64_t cache_count_of(const struct json *usage, const char *name, const char *older_name)
{
    int64_t count = count_of(usage, name);
    if (count == ANSWER_COUNT_ABSENT)
        count = count_of(usage, older_name);
    return count == ANSWER_COUNT_ABSENT ? 0 : count;
}

/* Cache writes that live for `ttl`. */
static int64_t writes_of(const struct json *usage, const char *ttl)
{
    int64_t sum = ANSWER_COUNT_ABSENT;
    const struct json *details = json_member(usage, "cacheDetails");
    if (!json_is(details, JSON_ARRAY))
        return sum;
    for (const struct json *detail = details->first; detail != NULL; detail = detail->next) {
        int64_t count = count_of(detail, "inputTokens");
        if (count == ANSWER_COUNT_ABSENT || !json_equal_text(json_member(detail, "ttl"), ttl))
            continue;
        if (__builtin_add_overflow(sum == ANSWER_COUNT_ABSENT ? 0 : sum, count, &sum))
            return ANSWER_COUNT_ABSENT;
    }
    return sum;
}

enum err converse_usage(struct arena *arena, const struct json *usage,
                        struct usage_counts *ret_counts)
{
    int64_t input = count_of(usage, "inputTokens");
    int64_t output = count_of(usage, "outputTokens");
    int64_t total = count_of(usage, "totalTokens");
    int64_t read = cache_count_of(usage, "cacheReadInputTokens", "cacheReadInputTokenCount");
    int64_t written = cache_count_of(usage, "cacheWriteInputTokens", "cacheWriteInputTokenCount");
    int64_t sum;
    if (!json_is(usage, JSON_OBJECT))
        return OK;
    enum err err = converse_keep_slice(arena, usage->source, &ret_counts->raw);
    if (err != OK)
        return err;
    if (input == ANSWER_COUNT_ABSENT || output == ANSWER_COUNT_ABSENT ||
        __builtin_add_overflow(input, read, &input) ||
        __builtin_add_overflow(input, written, &input) ||
        __builtin_add_overflow(input, output, &sum))
        return OK;
    ret_counts->input_tokens = input;
    ret_counts->output_tokens = output;
    ret_counts->total_tokens = total == ANSWER_COUNT_ABSENT ? sum : total;
    ret_counts->cache_read_tokens = read;
    ret_counts->cache_write_tokens = written;
    ret_counts->cache_write_5m_tokens = writes_of(usage, "5m");
    ret_counts->cache_write_1h_tokens = writes_of(usage, "1h");
    ret_counts->known = true;
    return OK;
}

void converse_reasoning_tokens(const struct json *additional, struct usage_counts *ret_counts)
{
    const struct json *details =
        json_member(json_member(additional, "usage"), "output_tokens_details");
    ret_counts->reasoning_tokens = count_of(details, "thinking_tokens");
}

const struct json *converse_only_member(const struct json *node)
{
    return json_is(node, JSON_OBJECT) && node->count == 1 ? node->first : NULL;
}

size_t converse_text_bytes(const struct json *string)
{
    if (!json_is(string, JSON_STRING))
        return 0;
    struct slice text = slice_sub(string->source, 1, string->source.len - 2);
    size_t bytes = 0;
    for (size_t at = 0; at < text.len; bytes++) {
        bool is_escape = text.ptr[at] == '\\';
        bool is_unicode = is_escape && at + 1 < text.len && text.ptr[at + 1] == 'u';
        at += is_unicode ? 6 : is_escape ? 2 : 1;
        bytes += is_unicode ? 1 : 0;
    }
    return bytes;
}
