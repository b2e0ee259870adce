#include "wire/formats/why.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

/* What is cut off in the middle of a code point must lie behind the part that is kept. */
#define CODE_POINT_BYTES_MAX 4

void why_clear(struct why *why)
{
    why->err = OK;
    why->type[0] = '\0';
    why->field[0] = '\0';
    why->message[0] = '\0';
    why->others = NULL;
    why->is_foreign = false;
}

/* Bytes of the valid code point at the start of `text`, or 0. */
static size_t code_point_len(struct slice text)
{
    unsigned char first = (unsigned char)text.ptr[0];
    size_t len = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    struct slice point = slice_sub(text, 0, len);
    return point.len == len && utf8_valid_len(point) == len ? len : 0;
}

static bool is_control(struct slice point)
{
    unsigned char first = (unsigned char)point.ptr[0];
    if (point.len == 1)
        return first < 0x20 || first == 0x7f;
    return point.len == 2 && first == 0xc2 && (unsigned char)point.ptr[1] < 0xa0;
}

/* Nearly all of what is copied are letters of ASCII, in the path of every value that is read. */
static size_t copy_plain(char *ret_text, size_t room, struct slice text)
{
    size_t len = 0;
    while (len < text.len && len + 1 < room && text.ptr[len] >= ' ' && text.ptr[len] < 0x7f) {
        ret_text[len] = text.ptr[len];
        len++;
    }
    return len;
}

void why_copy(char *ret_text, size_t room, struct slice text)
{
    size_t len = copy_plain(ret_text, room, text);
    for (size_t at = len; at < text.len;) {
        struct slice rest = slice_sub(text, at, CODE_POINT_BYTES_MAX);
        struct slice point = slice_sub(rest, 0, code_point_len(rest));
        struct slice shown = point.len == 0 ? SLICE("?") : is_control(point) ? SLICE(" ") : point;
        if (len + shown.len >= room)
            break;
        memcpy(ret_text + len, shown.ptr, shown.len);
        len += shown.len;
        at += point.len == 0 ? 1 : point.len;
    }
    ret_text[len] = '\0';
}

enum err why_set(struct why *why, enum err err, const char *field, const char *format, ...)
{
    char message[WHY_MESSAGE_MAX + CODE_POINT_BYTES_MAX];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(message, sizeof message, format, args);
    va_end(args);
    why_clear(why);
    why->err = err;
    why_copy(why->field, sizeof why->field, slice_of_text(field));
    if (len > 0)
        why_copy(why->message, sizeof why->message, slice_of_text(message));
    return err;
}
