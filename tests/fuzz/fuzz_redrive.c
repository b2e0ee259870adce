/* The progress of `redrive`: metadata as any program may have committed it. What is accepted reads
 * back the same. The first eight bytes are the front; a ninth that is odd puts a head over the rest
 * that fits, so that bits and runs are reached. */
#include <stdint.h>
#include <string.h>

#include "app/redrive/progress.h"
#include "base/check.h"
#include "wire/formats/base64.h"
#include "wire/formats/hash.h"

#define LOOKED 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void seal(struct buf *text, int64_t front, char form, struct slice rest)
{
    struct buf number OWNED_BY(buf_done), sealed OWNED_BY(buf_done);
    buf_init(&number, 32);
    buf_init(&sealed, rest.len + 4);
    buf_add_int(&number, front);
    buf_add_byte(&number, form);
    uint32_t crc = hash_crc32(hash_crc32(0, buf_slice(&number)), rest);
    for (int i = 0; i < 4; i++)
        buf_add_byte(&sealed, (char)(unsigned char)(crc >> (8 * i)));
    buf_add(&sealed, rest);
    buf_add_text(text, "rd1");
    buf_add_byte(text, form);
    base64_add(text, buf_slice(&sealed));
}

static void check_again(const struct progress *progress, int64_t front)
{
    struct progress again;
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, (size_t)1 << 24);
    progress_add_text(progress, &text);
    CHECK(progress_read(&again, front, buf_slice(&text)) == OK && again.front == front);
    for (int64_t at = 0; at < LOOKED; at++)
        CHECK(progress_has(&again, front + at) == progress_has(progress, front + at));
    progress_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 9)
        return 0;
    struct progress progress;
    struct buf sealed OWNED_BY(buf_done);
    int64_t front;
    memcpy(&front, data, sizeof front);
    front = front < 0 ? -1 : front >> 8;
    struct slice text = slice_of((const char *)data + 9, size - 9);
    buf_init(&sealed, (size_t)1 << 24);
    if (data[8] & 1) {
        front = front < 0 ? 0 : front;
        seal(&sealed, front, data[8] & 2 ? 'b' : 'r', text);
        text = buf_slice(&sealed);
    }
    if (progress_read(&progress, front, text) == OK)
        check_again(&progress, front);
    progress_done(&progress);
    return 0;
}
