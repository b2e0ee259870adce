#include "telemetry/trace/span.h"

#include <string.h>

/* ---- contexts ---- */

static int digit_of(char letter)
{
    if (letter >= '0' && letter <= '9')
        return letter - '0';
    return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

/* Reads bytes in lower-case hex. False: there is another letter. */
static bool read_hex(const char *text, size_t count, uint8_t *ret_bytes)
{
    for (size_t i = 0; i < count; i++) {
        int high = digit_of(text[2 * i]), low = digit_of(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        ret_bytes[i] = (uint8_t)(high * 16 + low);
    }
    return true;
}

static bool is_zero(const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

bool span_context_read(struct slice traceparent, struct span_context *ret_context)
{
    struct slice text = slice_trim(traceparent);
    struct span_context read;
    uint8_t version, flags;
    memset(&read, 0, sizeof read);
    if (text.len < TRACEPARENT_LEN || text.ptr[2] != '-' || text.ptr[35] != '-' ||
        text.ptr[52] != '-')
        return false;
    if (!read_hex(text.ptr, 1, &version) ||
        !read_hex(text.ptr + 3, sizeof read.trace.bytes, read.trace.bytes) ||
        !read_hex(text.ptr + 36, sizeof read.span.bytes, read.span.bytes) ||
        !read_hex(text.ptr + 53, 1, &flags))
        return false;
    /* A later version may have more behind it. */
    bool ends = text.len == TRACEPARENT_LEN || (version != 0 && text.ptr[TRACEPARENT_LEN] == '-');
    if (version == 0xff || !ends || is_zero(read.trace.bytes, sizeof read.trace.bytes) ||
        span_id_is_none(&read.span))
        return false;
    read.is_sampled = (flags & 1) != 0;
    *ret_context = read;
    return true;
}

static char *write_hex(const uint8_t *bytes, size_t count, char *to)
{
    static const char DIGITS[] = "0123456789abcdef";
    for (size_t i = 0; i < count; i++) {
        *to++ = DIGITS[bytes[i] >> 4];
        *to++ = DIGITS[bytes[i] & 15];
    }
    return to;
}

void span_context_write(const struct span_context *context, char ret_text[TRACEPARENT_LEN])
{
    char *to = ret_text;
    const uint8_t version = 0, flags = context->is_sampled ? 1 : 0;
    to = write_hex(&version, 1, to);
    *to++ = '-';
    to = write_hex(context->trace.bytes, sizeof context->trace.bytes, to);
    *to++ = '-';
    to = write_hex(context->span.bytes, sizeof context->span.bytes, to);
    *to++ = '-';
    (void)write_hex(&flags, 1, to);
}

/* ---- ids ---- */

void trace_id_new(struct trace_id *ret_id, struct random *random)
{
    do {
        uint64_t halves[2] = {random_next(random), random_next(random)};
        memcpy(ret_id->bytes, halves, sizeof halves);
    } while (is_zero(ret_id->bytes, sizeof ret_id->bytes));
}

void span_id_new(struct span_id *ret_id, struct random *random)
{
    do {
        uint64_t bits = random_next(random);
        memcpy(ret_id->bytes, &bits, sizeof bits);
    } while (span_id_is_none(ret_id));
}

bool span_id_is_none(const struct span_id *id)
{
    return is_zero(id->bytes, sizeof id->bytes);
}

/* ---- attributes ---- */

static void add(struct span *span, struct span_attribute attribute)
{
    if (span->attribute_count < SPAN_ATTRIBUTES_MAX)
        span->attributes[span->attribute_count++] = attribute;
}

void span_add_text(struct span *span, const char *name, struct slice text)
{
    if (text.ptr != NULL)
        add(span, (struct span_attribute){.name = name, .text = text});
}

void span_add_list(struct span *span, const char *name, struct slice text)
{
    if (text.ptr != NULL)
        add(span, (struct span_attribute){.name = name, .text = text, .is_list = true});
}

void span_add_number(struct span *span, const char *name, int64_t number)
{
    add(span, (struct span_attribute){.name = name, .number = number});
}
