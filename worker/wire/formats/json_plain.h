/* What of a JSON string stands for itself: everything but quotes, backslashes and control
 * characters. Between json.c, which reads strings, and json_write.c, which writes them; eight bytes
 * at a time, because strings are most of a request. */
#ifndef WIRE_FORMATS_JSON_PLAIN_H
#define WIRE_FORMATS_JSON_PLAIN_H

#include <string.h>

#include "base/slice.h"

#define JSON_EACH_BYTE(byte) (0x0101010101010101U * (byte))

/* Not zero when one of the eight bytes is a quote, a backslash or a control character. */
static inline uint64_t json_has_special(uint64_t word)
{
    uint64_t quote = word ^ JSON_EACH_BYTE('"');
    uint64_t backslash = word ^ JSON_EACH_BYTE('\\');
    uint64_t found = (quote - JSON_EACH_BYTE(1)) & ~quote;
    found |= (backslash - JSON_EACH_BYTE(1)) & ~backslash;
    found |= (word - JSON_EACH_BYTE(0x20)) & ~word;
    return found & JSON_EACH_BYTE(0x80);
}

/* How many bytes from `at` on stand for themselves in a JSON string. */
static inline size_t json_plain_len(struct slice text, size_t at)
{
    size_t from = at;
    uint64_t word;
    while (text.len - at >= sizeof word) {
        memcpy(&word, text.ptr + at, sizeof word);
        if (json_has_special(word))
            break;
        at += sizeof word;
    }
    while (at < text.len) {
        unsigned char byte = (unsigned char)text.ptr[at];
        if (byte == '"' || byte == '\\' || byte < 0x20)
            break;
        at++;
    }
    return at - from;
}

#endif
