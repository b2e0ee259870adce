/* Any bytes as a traceparent and as a collector's answer: what is read as a context is written as
 * it came, and no more spans are rejected than were sent. */
#include <stdint.h>

#include "base/check.h"
#include "telemetry/trace/otlp.h"

#define SENT 5

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice bytes = slice_of(data, size);
    struct span_context context;
    char text[TRACEPARENT_LEN];
    CHECK(otlp_rejected(bytes, SENT) <= SENT);
    if (!span_context_read(bytes, &context))
        return 0;
    span_context_write(&context, text);
    struct slice came = slice_sub(slice_trim(bytes), 3, TRACEPARENT_LEN - 5);
    CHECK(slice_equal(came, slice_of(text + 3, TRACEPARENT_LEN - 5)));
    return 0;
}
