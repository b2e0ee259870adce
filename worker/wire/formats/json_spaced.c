#include "wire/formats/json_spaced.h"

#include "wire/formats/json_mend.h"

#define ESCAPE_LEN 6 /* \uXXXX */

/* UTF-8 (RFC 3629); no surrogate. */
static void add_character(struct buf *buf, uint32_t code)
{
    size_t more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const unsigned char leads[] = {0, 0xc0, 0xe0, 0xf0};
    buf_add_byte(buf, (char)(leads[more] | code >> 6 * more));
    while (more-- > 0)
        buf_add_byte(buf, (char)(0x80 | (code >> 6 * more & 0x3f)));
}

/* A character in place of its escape, unless it must be one. */
static void add_unit(struct buf *buf, uint32_t code)
{
    if (code == '"' || code == '\\') {
        buf_add_byte(buf, '\\');
        buf_add_byte(buf, (char)code);
    } else if (code < 0x20) {
        static const char letters[0x20] = {
            ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
        if (letters[code] == '\0') {
            buf_addf(buf, "\\u%04x", (unsigned)code);
            return;
        }
        buf_add_byte(buf, '\\');
        buf_add_byte(buf, letters[code]);
    } else {
        add_character(buf, code);
    }
}

/* The escape at `at`; returns its length. */
static size_t add_escape(struct buf *buf, struct slice json, size_t at)
{
    struct slice escape = slice_sub(json, at, 2);
    if (slice_equal_text(escape, "\\/")) {
        buf_add_byte(buf, '/');
        return escape.len;
    }
    if (!slice_equal_text(escape, "\\u")) {
        buf_add(buf, escape);
        return escape.len;
    }
    int32_t unit = json_hex4(json, at + 2);
    int32_t low = json_low_half(json, at + ESCAPE_LEN, unit);
    size_t len = low < 0 ? ESCAPE_LEN : 2 * ESCAPE_LEN;
    uint32_t code = low < 0 ? (uint32_t)unit
                            : 0x10000 + (((uint32_t)unit & 0x3ff) << 10 | ((uint32_t)low & 0x3ff));
    add_unit(buf, code);
    return len;
}

/* The string at `at`; returns the byte behind it. */
static size_t add_string(struct buf *buf, struct slice json, size_t at)
{
    buf_add_byte(buf, '"');
    at++;
    while (at < json.len && json.ptr[at] != '"') {
        size_t len = 0;
        while (at + len < json.len && json.ptr[at + len] != '"' && json.ptr[at + len] != '\\')
            len++;
        buf_add(buf, slice_sub(json, at, len));
        at += len;
        if (at < json.len && json.ptr[at] == '\\')
            at += add_escape(buf, json, at);
    }
    buf_add_byte(buf, '"');
    return at + 1;
}

void json_add_spaced(struct buf *buf, struct slice json)
{
    size_t at = 0;
    while (at < json.len) {
        char byte = json.ptr[at];
        if (byte == '"') {
            at = add_string(buf, json, at);
            continue;
        }
        bool is_blank = byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
        if (!is_blank)
            buf_add_byte(buf, byte);
        if (byte == ',' || byte == ':')
            buf_add_byte(buf, ' ');
        at++;
    }
}
