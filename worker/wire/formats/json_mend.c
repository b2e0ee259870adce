#include "wire/formats/json_mend.h"

#include "base/buf.h"
#include "base/utf8.h"
#include "wire/formats/json_plain.h"

#define STAND_IN      "\xef\xbf\xbd" /* U+FFFD */
#define ESCAPE_LEN    6              /* \uXXXX */
#define GROWTH_MAX    6              /* a control character and its escape */
#define SURROGATE_MIN 0xd800
#define LOW_MIN       0xdc00
#define SURROGATE_MAX 0xdfff

int32_t json_hex4(struct slice text, size_t at)
{
    int32_t value = 0;
    if (at > text.len || text.len - at < 4)
        return -1;
    for (size_t i = at; i < at + 4; i++) {
        char byte = text.ptr[i];
        if (byte >= '0' && byte <= '9')
            value = value * 16 + (byte - '0');
        else if ((byte >= 'a' && byte <= 'f') || (byte >= 'A' && byte <= 'F'))
            value = value * 16 + (byte & 0x0f) + 9;
        else
            return -1;
    }
    return value;
}

int32_t json_low_half(struct slice text, size_t at, int32_t unit)
{
    bool is_high = unit >= SURROGATE_MIN && unit < LOW_MIN;
    if (!is_high || !slice_starts(slice_sub(text, at, SIZE_MAX), SLICE("\\u")))
        return -1;
    int32_t low = json_hex4(text, at + 2);
    return low >= LOW_MIN && low <= SURROGATE_MAX ? low : -1;
}

/* Characters that stand for themselves, if they are UTF-8. */
static void add_plain(struct buf *out, struct slice text)
{
    while (text.len > 0) {
        size_t valid = utf8_valid_len(text);
        buf_add(out, slice_sub(text, 0, valid));
        if (valid == text.len)
            return;
        buf_add(out, SLICE(STAND_IN));
        text = slice_sub(text, valid + 1, SIZE_MAX);
    }
}

/* The escape at `at`; returns its length. */
static size_t add_escape(struct buf *out, struct slice text, size_t at)
{
    int32_t unit =
        slice_starts(slice_sub(text, at, 2), SLICE("\\u")) ? json_hex4(text, at + 2) : -1;
    bool is_pair = json_low_half(text, at + ESCAPE_LEN, unit) >= 0;
    if (unit == 0 || (unit >= SURROGATE_MIN && unit <= SURROGATE_MAX && !is_pair)) {
        buf_add(out, SLICE(STAND_IN));
        return ESCAPE_LEN;
    }
    struct slice whole = slice_sub(text, at, is_pair ? 2 * ESCAPE_LEN : 2);
    buf_add(out, whole);
    return whole.len;
}

static void add_control(struct buf *out, unsigned char byte)
{
    if (byte == 0)
        buf_add(out, SLICE(STAND_IN));
    else
        buf_addf(out, "\\u%04x", byte);
}

/* The string whose quote is at `at`, up to behind its end; returns where that is. */
static size_t add_string(struct buf *out, struct slice text, size_t at)
{
    buf_add_byte(out, text.ptr[at++]);
    while (at < text.len) {
        size_t plain = json_plain_len(text, at);
        add_plain(out, slice_sub(text, at, plain));
        at += plain;
        if (at == text.len)
            break;
        char byte = text.ptr[at];
        if (byte == '\\') {
            at += add_escape(out, text, at);
            continue;
        }
        at++;
        if (byte == '"') {
            buf_add_byte(out, byte);
            break;
        }
        add_control(out, (unsigned char)byte);
    }
    return at;
}

bool json_mend(struct arena *arena, struct slice text, struct slice *ret_text)
{
    struct buf out OWNED_BY(buf_done);
    buf_init(&out, text.len * GROWTH_MAX);
    for (size_t at = 0; at < text.len;) {
        struct slice rest = slice_sub(text, at, SIZE_MAX);
        size_t before = slice_find(rest, '"');
        buf_add(&out, slice_sub(rest, 0, before));
        at += before;
        if (at < text.len)
            at = add_string(&out, text, at);
    }
    return out.failed == OK && arena_copy(arena, buf_slice(&out), ret_text);
}
