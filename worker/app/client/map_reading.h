/* An offset map (wire/formats/offset_map.h) as a person reads it. */
#ifndef APP_CLIENT_MAP_READING_H
#define APP_CLIENT_MAP_READING_H

#include "base/buf.h"

/* Appends what the metadata of a committed offset says to `ret_page`, line by line. `front` is that
 * offset; < 0 = not known: then offsets count from it, and the checksum cannot be verified. false:
 * `ret_fault` says what is wrong and where; the page has what could be read. */
MUST_CHECK bool map_reading_add(struct slice metadata, int64_t front, struct buf *ret_page,
                                struct buf *ret_fault);

#endif
