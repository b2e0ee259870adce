#include "wire/formats/json_camel.h"

#include "base/buf.h"
#include "wire/formats/json_plain.h"

/* Behind a string's closing quote; `from` is behind its opening one. */
static size_t string_end(struct slice text, size_t from)
{
    for (;;) {
        from += json_plain_len(text, from);
        if (from >= text.len)
            return text.len;
        if (text.ptr[from] == '"')
            return from + 1;
        from += text.ptr[from] == '\\' ? 2 : 1;
        if (from > text.len)
            return text.len;
    }
}

static bool is_name(struct slice text, size_t behind)
{
    struct slice rest = slice_trim(slice_sub(text, behind, SIZE_MAX));
    return rest.len > 0 && rest.ptr[0] == ':';
}

/* source_content → sourceContent; `name` has its quotes. */
static void add_name(struct buf *json, struct slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        char next = i + 1 < name.len ? name.ptr[i + 1] : '\0';
        if (name.ptr[i] == '_' && i > 1 && next >= 'a' && next <= 'z') {
            buf_add_byte(json, (char)(next - 'a' + 'A'));
            i++;
        } else {
            buf_add_byte(json, name.ptr[i]);
        }
    }
}

static void add(struct buf *json, struct slice source)
{
    size_t end;
    for (size_t at = 0; at < source.len; at = end) {
        bool is_string = source.ptr[at] == '"';
        end = is_string ? string_end(source, at + 1) : at + 1;
        struct slice token = slice_sub(source, at, end - at);
        if (is_string && is_name(source, end))
            add_name(json, token);
        else
            buf_add(json, token);
    }
}

bool json_camel(struct arena *arena, struct slice source, struct slice *ret_json)
{
    struct buf json OWNED_BY(buf_done);
    buf_init(&json, source.len);
    if (slice_find(source, '_') == source.len) {
        *ret_json = source;
        return true;
    }
    add(&json, source);
    return json.failed == OK && arena_copy(arena, buf_slice(&json), ret_json);
}
