/* A buf: bytes that grow up to a limit given at birth, owned by the buf. Its failure is sticky:
 * once an addition fails, because of the limit or the heap, every later addition does nothing and
 * `failed` keeps the cause, so that callers check once, at the end. The content has no NUL at its
 * end; buf_text() adds one. A zeroed buf has a limit of 0: it is valid and takes nothing. */
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

/* Makes an empty buf of at most `limit` bytes; allocates nothing yet. */
void buf_init(struct buf *buf, size_t limit);
/* Frees the bytes and leaves an empty buf with the same limit. */
void buf_done(struct buf *buf);
/* The same, and overwrites the bytes first: for secrets. What the buf left behind when it grew
 * stays as it was: reserve the room first. */
void buf_wipe(struct buf *buf);
/* Empties the buf and clears its failure; keeps the allocation. */
void buf_reset(struct buf *buf);
/* Append bytes, a NUL-terminated string (not its NUL), one byte, or a number in decimal. */
void buf_add(struct buf *buf, struct slice s);
void buf_add_text(struct buf *buf, const char *text);
void buf_add_byte(struct buf *buf, char byte);
void buf_add_int(struct buf *buf, int64_t value);
/* Append as printf does. */
void buf_addf(struct buf *buf, const char *format, ...) PRINTF(2, 3);
void buf_addv(struct buf *buf, const char *format, va_list args) PRINTF(2, 0);
/* Shortens the content to `len` bytes; `len` must not exceed buf->len. */
void buf_cut(struct buf *buf, size_t len);
/* Removes the first `count` bytes and moves the rest to the front. */
void buf_drop_front(struct buf *buf, size_t count);
/* Allocates room for `len` more bytes and returns where they go; the caller writes them and raises
 * buf->len. NULL when the buf has failed. */
MUST_CHECK char *buf_reserve(struct buf *buf, size_t len);
/* The content, borrowed until the buf changes. */
struct slice buf_slice(const struct buf *buf);
/* The content with a NUL behind it, borrowed until the buf changes; "" when the buf has failed. */
const char *buf_text(struct buf *buf);
/* Moves the content, its allocation and failure to `ret_owner`, which must be initialized and empty
 * and keeps its own limit; leaves `buf` empty. */
void buf_move(struct buf *buf, struct buf *ret_owner);

#endif
