#include "wire/formats/base64.h"

#define NO 0x80 /* no character of base64 */

/* clang-format off */
static const uint8_t VALUE_OF[256] = {
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, 62, NO, NO, NO, 63,
    52, 53, 54, 55, 56, 57, 58, 59, 60, 61, NO, NO, NO, NO, NO, NO,
    NO, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
    15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, NO, NO, NO, NO, NO,
    NO, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
    41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
};
/* clang-format on */

static const char LETTERS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static uint8_t value_of(char letter)
{
    return VALUE_OF[(unsigned char)letter];
}

/* How many characters from the begin on are of base64, padding apart. */
static size_t plain_len(struct slice text)
{
    const unsigned char *at = (const unsigned char *)text.ptr;
    size_t len = 0;
    for (; text.len - len >= 8; len += 8, at += 8) {
        unsigned int found = VALUE_OF[at[0]] | VALUE_OF[at[1]] | VALUE_OF[at[2]] | VALUE_OF[at[3]] |
                             VALUE_OF[at[4]] | VALUE_OF[at[5]] | VALUE_OF[at[6]] | VALUE_OF[at[7]];
        if (found >= NO)
            break;
    }
    while (len < text.len && value_of(text.ptr[len]) != NO)
        len++;
    return len;
}

static size_t padding_len(struct slice text)
{
    if (text.len == 0 || text.len % 4 != 0 || text.ptr[text.len - 1] != '=')
        return 0;
    return text.ptr[text.len - 2] == '=' ? 2 : 1;
}

static const char *words_of(char letter)
{
    if (letter == '-' || letter == '_')
        return "is base64url; write + for - and / for _";
    if (letter == '=')
        return "is padding, which may stand only where it fills the last four characters";
    return "is not base64";
}

bool base64_check(struct slice text, struct base64_flaw *ret_flaw)
{
    struct slice plain = slice_sub(text, 0, text.len - padding_len(text));
    size_t len = plain_len(plain);
    if (len == plain.len && text.len % 4 == 0)
        return true;
    *ret_flaw =
        len == plain.len
            ? (struct base64_flaw){text.len, "is missing: base64 ends at a multiple of four "
                                             "characters, padded with ="}
            : (struct base64_flaw){len, words_of(plain.ptr[len])};
    return false;
}

/* `text` is checked, and as long as `count` times four characters. */
static void decode(const char *text, size_t count, unsigned char *ret_bytes)
{
    for (size_t i = 0; i < count; i++, text += 4, ret_bytes += 3) {
        uint32_t bits = (uint32_t)(value_of(text[0]) & 63) << 18 |
                        (uint32_t)(value_of(text[1]) & 63) << 12 |
                        (uint32_t)(value_of(text[2]) & 63) << 6 | (value_of(text[3]) & 63);
        ret_bytes[0] = (unsigned char)(bits >> 16);
        ret_bytes[1] = (unsigned char)(bits >> 8);
        ret_bytes[2] = (unsigned char)bits;
    }
}

enum err base64_add_decoded(struct buf *buf, struct slice text, size_t *ret_offset)
{
    struct base64_flaw flaw;
    *ret_offset = text.len;
    if (!base64_check(text, &flaw)) {
        *ret_offset = flaw.at;
        return ERR_FORMAT;
    }
    if (text.len == 0)
        return buf->failed;
    char *to = buf_reserve(buf, text.len / 4 * 3);
    if (to == NULL)
        return buf->failed;
    decode(text.ptr, text.len / 4, (unsigned char *)to);
    buf->len += text.len / 4 * 3 - padding_len(text);
    return OK;
}

/* One to three bytes as four characters. */
static void encode(const unsigned char *bytes, size_t count, char *ret_text)
{
    uint32_t bits = (uint32_t)bytes[0] << 16;
    bits |= count > 1 ? (uint32_t)bytes[1] << 8 : 0;
    bits |= count > 2 ? (uint32_t)bytes[2] : 0;
    ret_text[0] = LETTERS[bits >> 18 & 63];
    ret_text[1] = LETTERS[bits >> 12 & 63];
    ret_text[2] = count > 1 ? LETTERS[bits >> 6 & 63] : '=';
    ret_text[3] = count > 2 ? LETTERS[bits & 63] : '=';
}

void base64_add(struct buf *buf, struct slice bytes)
{
    size_t count = bytes.len / 3 + (bytes.len % 3 > 0);
    if (count > SIZE_MAX / 4) {
        buf->failed = buf->failed != OK ? buf->failed : ERR_TOO_LARGE;
        return;
    }
    char *to = count > 0 ? buf_reserve(buf, 4 * count) : NULL;
    if (to == NULL)
        return;
    const unsigned char *from = (const unsigned char *)bytes.ptr;
    for (size_t at = 0; at < bytes.len; at += 3, to += 4)
        encode(from + at, bytes.len - at < 3 ? bytes.len - at : 3, to);
    buf->len += 4 * count;
}
