#include "wire/formats/http.h"

#include "base/instant.h"

#define RETRY_AFTER_MAX_MS (INT64_C(15) * 60 * 1000)

struct slice http_header(struct slice head, const char *name)
{
    struct slice wanted = slice_of_text(name);
    struct slice found = SLICE_NULL;
    size_t at = 0;
    while (at < head.len) {
        struct slice rest = slice_sub(head, at, head.len);
        struct slice line = slice_sub(rest, 0, slice_find(rest, '\n'));
        at += line.len + 1;
        size_t colon = slice_find(line, ':');
        if (colon < line.len && slice_equal_nocase(slice_sub(line, 0, colon), wanted))
            found = slice_trim(slice_sub(line, colon + 1, line.len));
    }
    return found;
}

static int64_t clamp(int64_t delay_ms)
{
    if (delay_ms < 0)
        return 0;
    return delay_ms > RETRY_AFTER_MAX_MS ? RETRY_AFTER_MAX_MS : delay_ms;
}

/* Digits only, so that a number too long for int64 still means "very long". */
static bool read_count(struct slice text, int64_t *ret_count)
{
    if (text.len == 0)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
    }
    if (!slice_to_int64(text, ret_count))
        *ret_count = INT64_MAX;
    return true;
}

int64_t http_retry_after_ms(struct slice head, int64_t wall_ms)
{
    int64_t count;
    int64_t until_ms;
    int64_t from_ms;
    if (read_count(http_header(head, "x-amz-retry-after"), &count))
        return clamp(count);
    struct slice text = http_header(head, "retry-after");
    if (read_count(text, &count))
        return clamp(count > RETRY_AFTER_MAX_MS / 1000 ? RETRY_AFTER_MAX_MS : count * 1000);
    if (text.len == 0 || !instant_from_http_date(text, &until_ms))
        return -1;
    /* Both dates are of one clock, which need not be ours. */
    if (!instant_from_http_date(http_header(head, "date"), &from_ms))
        from_ms = wall_ms;
    return clamp(until_ms - from_ms);
}
