/* A buf: owned, growing bytes with a limit given at birth and a sticky failure. Once an addition
 * fails (limit or memory) every later one does nothing and `failed` says why: ask once, at the end.
 * The content is not NUL-terminated unless buf_text() is used. buf_done frees it; a done or zeroed
 * buf with a limit of 0 takes nothing. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/slice.h"

struct buf {
    char *ptr;
    size_t len;
    size_t room;     /* bytes allocated */
    size_t limit;    /* most bytes that `len` may reach */
    enum err failed; /* OK, ERR_TOO_LARGE or ERR_NO_MEMORY */
};

void buf_init(struct buf *buf, size_t limit);
void buf_done(struct buf *buf);  /* leaves it as buf_init with the same limit */
void buf_reset(struct buf *buf); /* empty and not failed; keeps the room */
void buf_add(struct buf *buf, struct slice s);
void buf_add_text(struct buf *buf, const char *text); /* a string of our own */
void buf_add_byte(struct buf *buf, char byte);
void buf_add_int(struct buf *buf, int64_t value); /* decimal */
void buf_addf(struct buf *buf, const char *format, ...) PRINTF(2, 3);
void buf_addv(struct buf *buf, const char *format, va_list args) PRINTF(2, 0);
void buf_cut(struct buf *buf, size_t len);          /* shorten to len <= buf->len */
void buf_drop_front(struct buf *buf, size_t count); /* forget the first bytes (moves the rest) */
/* Makes room for `len` more bytes and returns where to write them (then raise buf->len); NULL when
 * failed. */
MUST_CHECK char *buf_reserve(struct buf *buf, size_t len);
struct slice buf_slice(const struct buf *buf); /* borrowed until the next change */
const char *buf_text(struct buf *buf);         /* NUL-terminated view; "" when failed */
/* Gives the bytes up to `ret_owner` (an initialised, empty buf), leaving `buf` empty. */
void buf_move(struct buf *buf, struct buf *ret_owner);

#endif
