#include "wire/bedrock/message.h"

/* --- the pieces --- */

void message_init(struct message_texts *texts, size_t limit)
{
    buf_init(&texts->content, limit);
    buf_init(&texts->tool_calls, limit);
    buf_init(&texts->invalid_tool_calls, limit);
    buf_add_byte(&texts->tool_calls, '[');
    buf_add_byte(&texts->invalid_tool_calls, '[');
}

void message_done(struct message_texts *texts)
{
    buf_done(&texts->content);
    buf_done(&texts->tool_calls);
    buf_done(&texts->invalid_tool_calls);
}

void message_add_call(struct message_texts *texts, bool is_valid, struct slice name,
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

/* The text of a JSON string. */
static enum err text_of(struct arena *scratch, struct slice quoted, struct slice *ret_text)
{
    const struct json *string;
    enum err err = json_parse(scratch, quoted, &string, NULL);
    if (err != OK)
        return err;
    return json_string(scratch, string, ret_text) ? OK : ERR_NO_MEMORY;
}

enum err message_add_call_in_parts(struct arena *scratch, struct message_texts *texts,
                                   struct slice name, struct slice parts, struct slice id)
{
    const struct json *args;
    struct slice text;
    struct buf quoted OWNED_BY(buf_done);
    buf_init(&quoted, parts.len + 2);
    buf_add_byte(&quoted, '"');
    buf_add(&quoted, parts);
    buf_add_byte(&quoted, '"');
    if (quoted.failed != OK)
        return quoted.failed;
    enum err err = text_of(scratch, buf_slice(&quoted), &text);
    if (err != OK)
        return err;
    if (text.len == 0) {
        message_add_call(texts, true, name, SLICE("{}"), id);
        return OK;
    }
    /* Models write bare line breaks in texts, which LangChain accepts, too. */
    err = json_parse_loosely(scratch, text, &args, NULL);
    if (err == ERR_NO_MEMORY)
        return err;
    bool is_valid = err == OK && args->kind == JSON_OBJECT;
    message_add_call(texts, is_valid, name, is_valid ? args->source : buf_slice(&quoted), id);
    return OK;
}

enum err message_keep(struct message_texts *texts, struct arena *arena, struct answer *ret_answer)
{
    buf_add_byte(&texts->tool_calls, ']');
    buf_add_byte(&texts->invalid_tool_calls, ']');
    enum err err = message_keep_buf(arena, &texts->content, &ret_answer->content);
    if (err == OK)
        err = message_keep_buf(arena, &texts->tool_calls, &ret_answer->tool_calls);
    if (err == OK)
        err = message_keep_buf(arena, &texts->invalid_tool_calls, &ret_answer->invalid_tool_calls);
    return err;
}

/* --- what is kept --- */

enum err message_keep_slice(struct arena *arena, struct slice text, struct slice *ret_copy)
{
    if (arena_copy(arena, text, ret_copy))
        return OK;
    return text.len > arena->limit - arena->held ? ERR_TOO_LARGE : ERR_NO_MEMORY;
}

enum err message_keep_buf(struct arena *arena, const struct buf *buf, struct slice *ret_copy)
{
    if (buf->failed != OK)
        return buf->failed;
    return message_keep_slice(arena, buf->len == 0 ? SLICE("") : buf_slice(buf), ret_copy);
}

enum err message_keep_string(struct arena *arena, const struct json *node, struct slice *ret_text)
{
    struct slice text;
    if (!json_is(node, JSON_STRING))
        return OK;
    return json_string(arena, node, &text) ? message_keep_slice(arena, text, ret_text)
                                           : ERR_NO_MEMORY;
}

enum err message_failed(struct why *why, enum err err)
{
    if (err == ERR_TOO_LARGE)
        return why_set(why, ERR_RESPONSE_TOO_LARGE, NULL,
                       "the answer is larger than the worker's limit");
    return why_set(why, err, NULL, "%s", "");
}

/* --- counts --- */

void message_no_usage(struct usage_counts *ret_counts)
{
    *ret_counts = (struct usage_counts){
        .cache_write_1h_tokens = ANSWER_COUNT_ABSENT,
        .reasoning_tokens = ANSWER_COUNT_ABSENT,
    };
}

int64_t message_count(const struct json *object, const char *name)
{
    int64_t count;
    return json_int64(json_member(object, name), &count) && count >= 0 ? count
                                                                       : ANSWER_COUNT_ABSENT;
}
