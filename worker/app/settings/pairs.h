/* Lists of pairs, `name=value,name=value`, and ratios as OpenTelemetry's variables and
 * telemetry.traces have them. Values may have percent codes (W3C Baggage). Nothing fails except the
 * buf. */
#ifndef APP_SETTINGS_PAIRS_H
#define APP_SETTINGS_PAIRS_H

#include "base/buf.h"

#define PAIRS_BYTES_MAX ((size_t)8 * 1024) /* of a list as headers */

/* The next pair of a list, which loses it; borrowed. False: there is none, or (*ret_is_wrong) it is
 * not a pair. */
bool pairs_next(struct slice *list, struct slice *ret_name, struct slice *ret_value,
                bool *ret_is_wrong);
/* Appends a value without its percent codes. */
void pairs_add_decoded(struct buf *buf, struct slice value);
/* Has it no control characters? */
bool pairs_is_header_value(struct slice value);
/* Appends lines `name: value\r\n`. False: the list is wrong, and lines may be missing. */
bool pairs_add_headers(struct slice list, struct buf *headers);
/* Reads a number from 0 to 1, such as 0.25. False: it is none, and *ret_ratio is unchanged. */
bool pairs_read_ratio(struct slice text, double *ret_ratio);

#endif
