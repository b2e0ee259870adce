#include "sim/signature.h"

#define PREFIX    "c2ltdWxhdGVk" /* base64 of "simulated" */
#define BYTES_MAX 64

void signature_add(struct buf *buf, struct slice text)
{
    static const char DIGITS[] = "0123456789abcdef";
    uint64_t hash = slice_hash(text, 0);
    buf_add_text(buf, PREFIX);
    for (int i = 0; i < 16; i++)
        buf_add_byte(buf, DIGITS[hash >> (4 * i) & 15]);
}

bool signature_fits(struct slice text, struct slice signature)
{
    struct buf right OWNED_BY(buf_done);
    buf_init(&right, BYTES_MAX);
    if (!slice_starts(signature, SLICE(PREFIX)))
        return true;
    signature_add(&right, text);
    return right.failed != OK || slice_equal(buf_slice(&right), signature);
}
