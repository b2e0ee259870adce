/* Instants are int64 milliseconds since 1970-01-01T00:00:00Z (wall time). Text forms: RFC 3339 with
 * Z (records), the basic form 20240102T030405Z (SigV4), the HTTP date of RFC 9110 (clock skew).
 * Years 1970 to 9999. */
#ifndef BASE_INSTANT_H
#define BASE_INSTANT_H

#include "base/attr.h"
#include "base/buf.h"
#include "base/slice.h"

/* `2026-11-22T10:00:00.123Z`; always three decimals. */
void instant_add_rfc3339(struct buf *buf, int64_t wall_ms);
/* `20261122T100000Z`; 16 bytes. */
void instant_add_basic(struct buf *buf, int64_t wall_ms);
/* RFC 3339 with any offset and 0 to 9 decimals (cut to ms); lower-case t and z are accepted. A leap
 * second counts as the second after. */
MUST_CHECK bool instant_from_rfc3339(struct slice text, int64_t *ret_wall_ms);
/* IMF-fixdate only (RFC 9110): `Sun, 06 Nov 1994 08:49:37 GMT`. */
MUST_CHECK bool instant_from_http_date(struct slice text, int64_t *ret_wall_ms);

#endif
