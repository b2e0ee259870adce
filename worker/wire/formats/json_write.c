#include "wire/formats/json.h"

#include "wire/formats/json_plain.h"

static void add_escape(struct buf *buf, char byte)
{
    static const char LETTERS[0x20] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    unsigned char code = (unsigned char)byte;
    if (code < sizeof LETTERS && LETTERS[code] == '\0') {
        buf_addf(buf, "\\u%04x", code);
        return;
    }
    buf_add_byte(buf, '\\');
    buf_add_byte(buf, code < sizeof LETTERS ? LETTERS[code] : byte);
}

/* Most strings need no escapes: they take one step. */
static bool add_plain_string(struct buf *buf, struct slice text)
{
    if (json_plain_len(text, 0) != text.len)
        return false;
    char *at = buf_reserve(buf, text.len + 2);
    if (at == NULL)
        return true;
    at[0] = '"';
    if (text.len > 0)
        memcpy(at + 1, text.ptr, text.len);
    at[text.len + 1] = '"';
    buf->len += text.len + 2;
    return true;
}

void json_add_string(struct buf *buf, struct slice text)
{
    if (add_plain_string(buf, text))
        return;
    size_t at = 0;
    buf_add_byte(buf, '"');
    while (at < text.len && buf->failed == OK) {
        size_t len = json_plain_len(text, at);
        buf_add(buf, slice_sub(text, at, len));
        at += len;
        if (at < text.len)
            add_escape(buf, text.ptr[at++]);
    }
    buf_add_byte(buf, '"');
}

static bool is_first(const struct buf *buf)
{
    return buf->len == 0 || buf->ptr[buf->len - 1] == '{' || buf->ptr[buf->len - 1] == '[';
}

void json_add_comma(struct buf *buf)
{
    if (!is_first(buf))
        buf_add_byte(buf, ',');
}

static void add_any_name(struct buf *buf, struct slice name)
{
    json_add_comma(buf);
    json_add_string(buf, name);
    buf_add_byte(buf, ':');
}

void json_add_copy(struct buf *buf, const struct json *member)
{
    add_any_name(buf, member->name);
    buf_add(buf, member->source);
}

void json_add_name(struct buf *buf, const char *name)
{
    bool has_comma = !is_first(buf);
    struct slice text = slice_of_text(name);
    size_t len = text.len + (has_comma ? 4 : 3);
    if (json_plain_len(text, 0) != text.len) {
        add_any_name(buf, text);
        return;
    }
    char *at = buf_reserve(buf, len);
    if (at == NULL)
        return;
    if (has_comma)
        *at++ = ',';
    *at++ = '"';
    memcpy(at, text.ptr, text.len);
    at[text.len] = '"';
    at[text.len + 1] = ':';
    buf->len += len;
}

void json_add_member(struct buf *buf, const char *name, struct slice raw_value)
{
    if (raw_value.ptr == NULL)
        return;
    json_add_name(buf, name);
    buf_add(buf, raw_value);
}

void json_add_text_member(struct buf *buf, const char *name, struct slice text)
{
    if (text.ptr == NULL)
        return;
    json_add_name(buf, name);
    json_add_string(buf, text);
}

void json_add_int_member(struct buf *buf, const char *name, int64_t value)
{
    json_add_name(buf, name);
    buf_add_int(buf, value);
}

void json_add_bool_member(struct buf *buf, const char *name, bool value)
{
    json_add_name(buf, name);
    buf_add_text(buf, value ? "true" : "false");
}
