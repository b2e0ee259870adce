#include "base/buf.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/memory.h"

#define BUF_ROOM_MIN 64

void buf_init(struct buf *buf, size_t limit)
{
    *buf = (struct buf){.limit = limit};
}

void buf_done(struct buf *buf)
{
    memory_free(buf->ptr);
    buf_init(buf, buf->limit);
}

void buf_wipe(struct buf *buf)
{
    if (buf->ptr != NULL)
        explicit_bzero(buf->ptr, buf->room);
    buf_done(buf);
}

void buf_reset(struct buf *buf)
{
    buf->len = 0;
    buf->failed = OK;
}

/* Allocates room for `len` more bytes and for a NUL, which the limit does not count. */
static bool make_room(struct buf *buf, size_t len)
{
    size_t need;
    if (buf->failed != OK)
        return false;
    CHECK(buf->len <= buf->room);
    /* buf_move may have given the buf an allocation above its limit. */
    if (__builtin_add_overflow(buf->len, len, &need) || need == SIZE_MAX ||
        (len > 0 && need > buf->limit)) {
        buf->failed = ERR_TOO_LARGE;
        return false;
    }
    if (need < buf->room)
        return true;
    size_t room = buf->room < BUF_ROOM_MIN / 2 ? BUF_ROOM_MIN : buf->room * 2;
    if (room < buf->room || room > buf->limit)
        room = buf->limit;
    if (room <= need)
        room = need + 1;
    char *ptr = memory_resize(buf->ptr, room);
    if (ptr == NULL) {
        buf->failed = ERR_NO_MEMORY;
        return false;
    }
    buf->ptr = ptr;
    buf->room = room;
    return true;
}

void buf_add(struct buf *buf, struct slice s)
{
    if (s.len == 0 || !make_room(buf, s.len))
        return;
    memcpy(buf->ptr + buf->len, s.ptr, s.len);
    buf->len += s.len;
}

void buf_add_text(struct buf *buf, const char *text)
{
    buf_add(buf, slice_of_text(text));
}

void buf_add_byte(struct buf *buf, char byte)
{
    if (!make_room(buf, 1))
        return;
    buf->ptr[buf->len++] = byte;
}

void buf_add_int(struct buf *buf, int64_t value)
{
    char digits[20];
    size_t at = sizeof digits;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (value < 0)
        digits[--at] = '-';
    buf_add(buf, slice_of(digits + at, sizeof digits - at));
}

void buf_addf(struct buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    buf_addv(buf, format, args);
    va_end(args);
}

void buf_addv(struct buf *buf, const char *format, va_list args)
{
    if (buf->failed != OK)
        return;
    va_list again;
    va_copy(again, args);
    size_t free_room = buf->room - buf->len;
    int printed = vsnprintf(free_room == 0 ? NULL : buf->ptr + buf->len, free_room, format, args);
    CHECK(printed >= 0);
    size_t len = (size_t)printed;
    bool fitted = len < free_room;
    if (make_room(buf, len)) {
        if (!fitted)
            (void)vsnprintf(buf->ptr + buf->len, len + 1, format, again);
        buf->len += len;
    }
    va_end(again);
}

void buf_cut(struct buf *buf, size_t len)
{
    CHECK(len <= buf->len);
    buf->len = len;
}

void buf_drop_front(struct buf *buf, size_t count)
{
    CHECK(count <= buf->len);
    if (count == 0)
        return;
    memmove(buf->ptr, buf->ptr + count, buf->len - count);
    buf->len -= count;
}

char *buf_reserve(struct buf *buf, size_t len)
{
    return make_room(buf, len) ? buf->ptr + buf->len : NULL;
}

struct slice buf_slice(const struct buf *buf)
{
    return slice_of(buf->ptr == NULL ? "" : buf->ptr, buf->len);
}

const char *buf_text(struct buf *buf)
{
    if (buf->len == 0 || !make_room(buf, 0))
        return "";
    buf->ptr[buf->len] = '\0';
    return buf->ptr;
}

void buf_move(struct buf *buf, struct buf *ret_owner)
{
    CHECK(ret_owner->len == 0);
    memory_free(ret_owner->ptr);
    ret_owner->ptr = buf->ptr;
    ret_owner->len = buf->len;
    ret_owner->room = buf->room;
    ret_owner->failed = buf->failed;
    buf_init(buf, buf->limit);
}
