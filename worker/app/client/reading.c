#include "app/client/reading.h"

#include "base/instant.h"

int64_t reading_int(const struct json *object, const char *name, int64_t otherwise)
{
    int64_t value = 0;
    const struct json *member = json_member(object, name);
    return member != NULL && json_int64(member, &value) ? value : otherwise;
}

struct slice reading_text(struct arena *arena, const struct json *object, const char *name)
{
    struct slice text = SLICE_NULL;
    const struct json *member = json_member(object, name);
    if (!json_is(member, JSON_STRING) || !json_string(arena, member, &text))
        return SLICE_NULL;
    return text;
}

struct slice reading_subject(const struct record *record)
{
    const struct header *header = headers_last(record->headers, "ce_subject");
    return header != NULL ? header->value : SLICE_NULL;
}

static int64_t span_ms(struct arena *arena, const struct json *timing)
{
    int64_t from = 0, to = 0;
    if (!instant_from_rfc3339(reading_text(arena, timing, "received_at"), &from) ||
        !instant_from_rfc3339(reading_text(arena, timing, "answered_at"), &to))
        return -1;
    return to - from;
}

enum err reading_of_response(struct arena *arena, struct slice value, struct reading *ret_reading)
{
    const struct json *root = NULL;
    enum err err = json_parse_loosely(arena, value, &root, NULL);
    if (err != OK)
        return err;
    const struct json *status = json_member(root, "status");
    const struct json *error = json_member(root, "error");
    const struct json *usage = json_member(root, "usage");
    const struct json *attempts = json_member(root, "attempts");
    if (!json_is(status, JSON_STRING))
        return ERR_FORMAT;
    *ret_reading = (struct reading){
        .id = reading_text(arena, root, "id"),
        .message_id = reading_text(arena, json_member(root, "message"), "id"),
        .is_ok = json_equal_text(status, "ok"),
        .model = reading_text(arena, root, "model"),
        .error_code = reading_text(arena, error, "code"),
        .error_type = reading_text(arena, error, "type"),
        .error_message = reading_text(arena, error, "message"),
        .calls = attempts != NULL ? attempts->count : 0,
        .input_tokens = reading_int(usage, "input_tokens", 0),
        .output_tokens = reading_int(usage, "output_tokens", 0),
        .duration_ms = span_ms(arena, json_member(root, "timing")),
        .content = json_member(json_member(root, "message"), "content"),
    };
    return OK;
}

enum err reading_of_chunk(struct arena *arena, struct slice value,
                          struct chunk_reading *ret_reading)
{
    const struct json *root = NULL;
    enum err err = json_parse_loosely(arena, value, &root, NULL);
    if (err != OK)
        return err;
    *ret_reading = (struct chunk_reading){
        .run = reading_text(arena, root, "run"),
        .seq = reading_int(root, "seq", -1),
        .is_last = json_is(json_member(root, "last"), JSON_TRUE),
        .content = json_member(root, "content"),
    };
    return ret_reading->run.ptr != NULL && ret_reading->seq >= 0 ? OK : ERR_FORMAT;
}

void reading_add_text(struct arena *arena, const struct json *content, struct buf *ret_text)
{
    struct slice text = SLICE_NULL;
    if (json_is(content, JSON_STRING) && json_string(arena, content, &text))
        buf_add(ret_text, text);
    if (!json_is(content, JSON_ARRAY))
        return;
    for (const struct json *block = content->first; block != NULL; block = block->next) {
        struct slice type = reading_text(arena, block, "type");
        text = reading_text(arena, block, "text");
        if (text.ptr != NULL)
            buf_add(ret_text, text);
        else if (type.ptr != NULL)
            buf_addf(ret_text, "[%.*s]", SLICE_ARG(type));
    }
}

static bool is_control(struct slice text, size_t at, size_t *ret_len)
{
    unsigned char byte = (unsigned char)text.ptr[at];
    bool is_c1 = byte == 0xc2 && at + 1 < text.len && (unsigned char)text.ptr[at + 1] < 0xa0;
    *ret_len = is_c1 ? 2 : 1;
    return is_c1 || byte == 0x7f || (byte < 0x20 && byte != '\n' && byte != '\t');
}

void reading_add_shown(struct slice text, struct buf *ret_text)
{
    size_t from = 0, len = 0;
    for (size_t at = 0; at < text.len; at += len) {
        if (!is_control(text, at, &len))
            continue;
        buf_add(ret_text, slice_sub(text, from, at - from));
        from = at + len;
    }
    buf_add(ret_text, slice_sub(text, from, text.len));
}
