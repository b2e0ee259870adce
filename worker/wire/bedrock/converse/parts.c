#include "wire/bedrock/converse/parts.h"

/* Members that have a place of their own in the records, or say nothing. */
static const char *const placed_names[] = {
    "output",           "usage",      "stopReason",           "p",
    "ResponseMetadata", "model_name", "inference_profile_id", "model_provider",
};

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

/* --- counts --- */

/* Older answers spell it …InputTokenCount. */
static int64_t cache_count_of(const struct json *usage, const char *name, const char *older_name)
{
    int64_t count = message_count(usage, name);
    if (count == ANSWER_COUNT_ABSENT)
        count = message_count(usage, older_name);
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
        int64_t count = message_count(detail, "inputTokens");
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
    int64_t input = message_count(usage, "inputTokens");
    int64_t output = message_count(usage, "outputTokens");
    int64_t total = message_count(usage, "totalTokens");
    int64_t read = cache_count_of(usage, "cacheReadInputTokens", "cacheReadInputTokenCount");
    int64_t written = cache_count_of(usage, "cacheWriteInputTokens", "cacheWriteInputTokenCount");
    int64_t sum;
    if (!json_is(usage, JSON_OBJECT))
        return OK;
    enum err err = message_keep_slice(arena, usage->source, &ret_counts->raw);
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
    ret_counts->reasoning_tokens = message_count(details, "thinking_tokens");
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

/* Converse has no choice `none`: without tools the model cannot call one. */
bool converse_has_tools(const struct request *request)
{
    return request->tool_count > 0 && request->tool_choice.kind != TOOL_CHOICE_NONE;
}
