/* Reads the members of a JSON object in passing: no tree, no copies, no allocation. For readers of
 * millions of records that need a few members of each. It follows the structure (brackets, commas,
 * strings, literals) and looks no deeper into what the caller skips: a text that it takes to its
 * end may still be no valid JSON inside of skipped values, escapes or bytes of strings. Names and
 * values are spans of the text. A failure is sticky. */
#ifndef WIRE_FORMATS_JSON_SCAN_H
#define WIRE_FORMATS_JSON_SCAN_H

#include <string.h>

#include "base/attr.h"
#include "base/slice.h"

#define JSON_SCAN_DEPTH_MAX 64 /* nesting of arrays and objects, within skipped values too */

struct json_scan {
    const char *at, *end;
    unsigned depth;   /* objects that were entered and not left */
    bool has_members; /* the current object had one already */
    bool failed;
};

/* Begins; the text must hold one object, which is entered at once. */
void json_scan_begin(struct json_scan *scan, struct slice text);
/* Goes to the next member of the current object and gives its name as written, without quotes.
 * False: the object has ended, and the scan is behind it in its parent; or the scan failed. The
 * caller must take the value by one of the next two. */
MUST_CHECK bool json_scan_next(struct json_scan *scan, struct slice *ret_name);
/* Whether `len` bytes are the same; most names have 8 to 16, which takes no call. */
static inline bool json_scan_same(const char *a, const char *b, size_t len)
{
    uint64_t first_a, first_b, last_a, last_b;
    if (len < sizeof first_a || len > 2 * sizeof first_a)
        return memcmp(a, b, len) == 0;
    memcpy(&first_a, a, sizeof first_a);
    memcpy(&first_b, b, sizeof first_b);
    memcpy(&last_a, a + len - sizeof last_a, sizeof last_a);
    memcpy(&last_b, b + len - sizeof last_b, sizeof last_b);
    return first_a == first_b && last_a == last_b;
}

/* Goes to the next member if the text goes on with `quoted`, its name in quotes and the colon, as
 * `"id":`, without blanks: for readers that know what mostly comes. False: nothing is taken. */
MUST_CHECK static inline bool json_scan_expect(struct json_scan *scan, struct slice quoted)
{
    const char *at = scan->at + (scan->has_members ? 1 : 0);
    if (scan->failed || scan->depth == 0 || at > scan->end ||
        (size_t)(scan->end - at) < quoted.len || at[quoted.len - 1] != ':' ||
        (scan->has_members && *scan->at != ',') || !json_scan_same(at, quoted.ptr, quoted.len))
        return false;
    scan->at = at + quoted.len;
    scan->has_members = true;
    return true;
}
/* Takes the value if it is a string without escapes, and gives what is between its quotes. False:
 * it is another value, and nothing is taken. */
MUST_CHECK bool json_scan_string(struct json_scan *scan, struct slice *ret_text);
/* Takes the value as it is written: with quotes or brackets. */
MUST_CHECK bool json_scan_value(struct json_scan *scan, struct slice *ret_value);
/* Enters the value; false when it is no object, and nothing is taken. */
MUST_CHECK bool json_scan_enter(struct json_scan *scan);
/* All objects were left, and only white space follows? */
MUST_CHECK bool json_scan_is_whole(const struct json_scan *scan);

/* The text of a string without escapes: what is between its quotes. False: no string, or one with
 * escapes. */
MUST_CHECK bool json_scan_plain(struct slice value, struct slice *ret_text);

#endif
