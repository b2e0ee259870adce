/* The start of every unit test: cmocka in its required order, and assertions about slices and
 * bufs. */
#ifndef UNIT_UNIT_H
#define UNIT_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/slice.h"

/* The slice holds exactly these bytes. */
#define assert_slice(seen, text)                                                                   \
    do {                                                                                           \
        struct slice slice_seen = (seen);                                                          \
        assert_non_null(slice_seen.ptr);                                                           \
        assert_int_equal(slice_seen.len, strlen(text));                                            \
        assert_memory_equal(slice_seen.ptr, (text), slice_seen.len);                               \
    } while (0)

/* The buf holds exactly these bytes and did not fail. */
#define assert_buf(buf, text)                                                                      \
    do {                                                                                           \
        assert_int_equal((buf)->failed, OK);                                                       \
        assert_string_equal(buf_text(buf), (text));                                                \
    } while (0)

#endif
