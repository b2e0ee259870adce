/* Any bytes as the head of an answer: values lie within it, and waits lie within their bounds. */
#include <stdint.h>

#include "base/check.h"
#include "base/instant.h"
#include "wire/formats/http.h"

#define WALL_MS     INT64_C(1795342272000)
#define WAIT_MAX_MS INT64_C(900000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_for(struct slice head, const char *name)
{
    struct slice value = http_header(head, name);
    if (value.ptr == NULL)
        return;
    CHECK(value.ptr >= head.ptr);
    CHECK(value.ptr + value.len <= head.ptr + head.len);
    CHECK(slice_find(value, '\n') == value.len);
    CHECK(slice_equal(value, slice_trim(value)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const NAMES[] = {
        "content-type", "x-amzn-errortype", "x-amzn-requestid", "retry-after", "date", ""};
    struct slice head = slice_of(data, size);
    int64_t date_ms;
    for (size_t i = 0; i < COUNT_OF(NAMES); i++)
        look_for(head, NAMES[i]);
    int64_t wait_ms = http_retry_after_ms(head, WALL_MS);
    CHECK(wait_ms >= -1);
    CHECK(wait_ms <= WAIT_MAX_MS);
    if (instant_from_http_date(http_header(head, "date"), &date_ms))
        CHECK(date_ms >= 0);
    return 0;
}
