/* Prints an offset map (wire/formats/offset_map.h) for people. */
#ifndef APP_CLIENT_MAP_READING_H
#define APP_CLIENT_MAP_READING_H

#include "base/buf.h"

/* Appends the content of a committed offset's metadata to `ret_page`, line by line. `front` is the
 * committed offset; < 0 = unknown: offsets are then relative to it, and the checksum cannot be
 * verified. False: `ret_fault` says what is wrong and where, and the page has what is readable. */
MUST_CHECK bool map_reading_add(struct slice metadata, int64_t front, struct buf *ret_page,
                                struct buf *ret_fault);

#endif
