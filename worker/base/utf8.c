#include "base/utf8.h"

#include <string.h>

#define HIGH_BITS 0x8080808080808080U

/* The length in bytes of the code point at `bytes`, of which `count` > 0 are left; 0 when it is not
 * valid (RFC 3629, section 4). */
static size_t code_point_len(const unsigned char *bytes, size_t count)
{
    unsigned char lead = bytes[0];
    size_t len;
    unsigned char low = 0x80, high = 0xbf; /* of the second byte */
    if (lead < 0x80)
        return 1;
    if (lead >= 0xc2 && lead <= 0xdf) {
        len = 2;
    } else if (lead >= 0xe0 && lead <= 0xef) {
        len = 3;
        low = lead == 0xe0 ? 0xa0 : low;
        high = lead == 0xed ? 0x9f : high;
    } else if (lead >= 0xf0 && lead <= 0xf4) {
        len = 4;
        low = lead == 0xf0 ? 0x90 : low;
        high = lead == 0xf4 ? 0x8f : high;
    } else {
        return 0;
    }
    if (count < len || bytes[1] < low || bytes[1] > high)
        return 0;
    for (size_t i = 2; i < len; i++)
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
    return len;
}

size_t utf8_valid_len(struct slice text)
{
    const unsigned char *bytes = (const unsigned char *)text.ptr;
    size_t at = 0;
    while (at < text.len) {
        uint64_t word;
        if (text.len - at >= sizeof word) {
            memcpy(&word, bytes + at, sizeof word);
            if ((word & HIGH_BITS) == 0) {
                at += sizeof word;
                continue;
            }
        }
        size_t len = code_point_len(bytes + at, text.len - at);
        if (len == 0)
            return at;
        at += len;
    }
    return at;
}

static bool is_continuation(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

size_t utf8_count(struct slice text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++)
        count += !is_continuation(text.ptr[i]);
    return count;
}

struct slice utf8_clip(struct slice text, size_t max)
{
    if (text.len <= max)
        return text;
    size_t at = max;
    while (at > 0 && max - at < 3 && is_continuation(text.ptr[at]))
        at--;
    /* No code point has more than three continuation bytes: the text is not UTF-8, so cut at `max`.
     */
    if (is_continuation(text.ptr[at]))
        at = max;
    return slice_sub(text, 0, at);
}
