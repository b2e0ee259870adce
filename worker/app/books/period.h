/* Times and months as people write them, for windows. All are UTC. */
#ifndef APP_BOOKS_PERIOD_H
#define APP_BOOKS_PERIOD_H

#include "base/attr.h"
#include "base/slice.h"

/* Reads `2026-11-22T10:00:00Z` (any offset), `2026-11-22` (its midnight), `2026-11` (the first of
 * the month), or a duration before `now_ms` such as `36h` or `30d`. False when `text` is none. */
#define PERIOD_TIME_WORDS                                                                          \
    "2026-11-22T10:00:00Z, 2026-11-22, 2026-11 or a duration before now such as 36h"
MUST_CHECK bool period_read_time(struct slice text, int64_t now_ms, int64_t *ret_ms);
/* Reads a month such as `2026-11`: from its first moment to that of the next one. */
MUST_CHECK bool period_read_month(struct slice text, int64_t *ret_since_ms, int64_t *ret_until_ms);
/* The first moments of the month that holds a time, and of the next one. */
void period_of_month(int64_t ms, int64_t *ret_since_ms, int64_t *ret_until_ms);
/* The first moment of the day that holds a time. */
int64_t period_day(int64_t ms);

#define PERIOD_DAY_MS INT64_C(86400000)

#endif
