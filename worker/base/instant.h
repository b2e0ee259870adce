/* Instants: int64 milliseconds since 1970-01-01T00:00:00Z (wall time), and their text forms: RFC
 * 3339 (records, log lines), ISO 8601 basic (AWS Signature Version 4) and the HTTP date of RFC 9110
 * (clock skew). The forms cover the years 1970 to 9999: printing clips other instants to that
 * range, and reading rejects them. */
#ifndef BASE_INSTANT_H
#define BASE_INSTANT_H

#include "base/attr.h"
#include "base/buf.h"
#include "base/slice.h"

/* Appends `2026-11-22T10:00:00.123Z`; always three decimals. */
void instant_add_rfc3339(struct buf *buf, int64_t wall_ms);
/* Appends `20261122T100000Z`, 16 bytes. */
void instant_add_basic(struct buf *buf, int64_t wall_ms);
/* Reads an RFC 3339 date-time with any offset and 0 to 9 decimals (cut to ms); accepts lower-case t
 * and z. A leap second counts as the second after it. False when `text` is none. */
MUST_CHECK bool instant_from_rfc3339(struct slice text, int64_t *ret_wall_ms);
/* Reads an IMF-fixdate (RFC 9110): `Sun, 06 Nov 1994 08:49:37 GMT`. False when `text` is none, or
 * its weekday is wrong. */
MUST_CHECK bool instant_from_http_date(struct slice text, int64_t *ret_wall_ms);

#endif
