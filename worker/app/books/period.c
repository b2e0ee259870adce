#include "app/books/period.h"

#include "base/buf.h"
#include "base/instant.h"
#include "yaml/units.h"

#define TEXT_BYTES  40
#define MONTH_BYTES 7 /* 2026-11 */
#define DAYS_MAX    31

/* Reads `text` with `rest` behind it. */
static bool read_with(struct slice text, struct slice rest, int64_t *ret_ms)
{
    struct buf whole;
    buf_init(&whole, TEXT_BYTES);
    buf_add(&whole, text);
    buf_add(&whole, rest);
    bool is_one = whole.failed == OK && instant_from_rfc3339(buf_slice(&whole), ret_ms);
    buf_done(&whole);
    return is_one;
}

static bool read_month_begin(struct slice text, int64_t *ret_ms)
{
    return text.len == MONTH_BYTES && read_with(text, SLICE("-01T00:00:00Z"), ret_ms);
}

bool period_read_time(struct slice text, int64_t now_ms, int64_t *ret_ms)
{
    int64_t span_ms = 0;
    if (instant_from_rfc3339(text, ret_ms) || read_with(text, SLICE("T00:00:00Z"), ret_ms) ||
        read_month_begin(text, ret_ms))
        return true;
    if (!units_read_span(text, &span_ms) || span_ms > now_ms)
        return false;
    *ret_ms = now_ms - span_ms;
    return true;
}

int64_t period_day(int64_t ms)
{
    return ms - ms % PERIOD_DAY_MS;
}

/* The month of a time, as text. */
static void add_month(struct buf *buf, int64_t ms)
{
    instant_add_rfc3339(buf, ms);
    if (buf->failed == OK)
        buf_cut(buf, MONTH_BYTES);
}

void period_of_month(int64_t ms, int64_t *ret_since_ms, int64_t *ret_until_ms)
{
    struct buf text;
    buf_init(&text, TEXT_BYTES);
    add_month(&text, ms);
    *ret_since_ms = period_day(ms);
    (void)read_month_begin(buf_slice(&text), ret_since_ms);
    buf_reset(&text);
    add_month(&text, *ret_since_ms + DAYS_MAX * PERIOD_DAY_MS); /* a day of the next month */
    *ret_until_ms = *ret_since_ms + DAYS_MAX * PERIOD_DAY_MS;
    (void)read_month_begin(buf_slice(&text), ret_until_ms);
    buf_done(&text);
}

bool period_read_month(struct slice text, int64_t *ret_since_ms, int64_t *ret_until_ms)
{
    if (!read_month_begin(text, ret_since_ms))
        return false;
    period_of_month(*ret_since_ms, ret_since_ms, ret_until_ms);
    return true;
}
