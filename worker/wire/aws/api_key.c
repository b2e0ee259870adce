#include "wire/aws/api_key.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/instant.h"
#include "wire/formats/base64.h"

#define KEY_MAX       ((size_t)64 * 1024)
#define EXPIRES_MAX_S INT64_C(31536000)

/* The value of a parameter of the URL's query; the null slice = it has none. */
static struct slice parameter(struct slice url, const char *name)
{
    struct slice sought = slice_of_text(name);
    struct slice rest = slice_sub(url, slice_find(url, '?') + 1, url.len);
    while (rest.len > 0) {
        struct slice part = slice_sub(rest, 0, slice_find(rest, '&'));
        if (slice_starts(part, sought) && part.len > sought.len && part.ptr[sought.len] == '=')
            return slice_sub(part, sought.len + 1, part.len);
        rest = slice_sub(rest, part.len + 1, rest.len);
    }
    return SLICE_NULL;
}

/* Reads `20260102T030405Z`. */
static bool read_date(struct slice date, int64_t *ret_wall_ms)
{
    char text[32];
    if (date.len != 16)
        return false;
    const char *d = date.ptr;
    int len = snprintf(text, sizeof text, "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", d, d + 4, d + 6, d + 9,
                       d + 11, d + 13);
    return d[8] == 'T' && d[15] == 'Z' &&
           instant_from_rfc3339(slice_of(text, (size_t)len), ret_wall_ms);
}

int64_t api_key_expires_ms(struct slice key)
{
    struct slice prefix = SLICE("bedrock-api-key-");
    struct buf url;
    size_t offset;
    int64_t date_ms, expires_s, end_ms = INT64_MAX;
    if (!slice_starts(key, prefix) || key.len > KEY_MAX)
        return INT64_MAX;
    buf_init(&url, KEY_MAX);
    bool is_url = buf_reserve(&url, key.len) != NULL &&
                  base64_add_decoded(&url, slice_sub(key, prefix.len, key.len), &offset) == OK;
    if (is_url && read_date(parameter(buf_slice(&url), "X-Amz-Date"), &date_ms) &&
        slice_to_int64(parameter(buf_slice(&url), "X-Amz-Expires"), &expires_s) && expires_s >= 0 &&
        expires_s <= EXPIRES_MAX_S)
        end_ms = date_ms + expires_s * 1000;
    if (url.ptr != NULL)
        explicit_bzero(url.ptr, url.len);
    buf_done(&url);
    return end_ms;
}
