/* Any bytes as an event stream: read or rejected, with the same result in pieces of any size.
 * With an odd first byte the CRCs are corrected first, so that the fuzzer reaches the code
 * behind them. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/memory.h"
#include "wire/bedrock/eventstream.h"
#include "wire/formats/hash.h"

#define FRAME_LIMIT 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
    size_t events;
    uint32_t sum;
    enum err err;
    bool between;
};

static uint32_t read_u32(const char *ptr)
{
    const uint8_t *bytes = (const uint8_t *)ptr;
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static void write_u32(char *ptr, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        ptr[i] = (char)(value >> (24 - 8 * i));
}

static void repair(char *bytes, size_t len)
{
    for (size_t at = 0; len - at >= 16;) {
        uint32_t total = read_u32(bytes + at);
        write_u32(bytes + at + 8, hash_crc32(0, slice_of(bytes + at, 8)));
        if (total < 16 || total > len - at)
            return;
        write_u32(bytes + at + total - 4, hash_crc32(0, slice_of(bytes + at, total - 4)));
        at += total;
    }
}

static void note(struct seen *seen, const struct event *event)
{
    CHECK((unsigned)event->kind <= EVENT_KIND_OTHER);
    seen->events++;
    seen->sum = hash_crc32(seen->sum + (uint32_t)event->kind, event->type);
    seen->sum = hash_crc32(seen->sum, event->message);
    seen->sum = hash_crc32(seen->sum, event->content_type);
    seen->sum = hash_crc32(seen->sum, event->payload);
}

static struct seen feed(struct slice bytes, size_t step)
{
    struct event_reader reader;
    struct event event;
    struct seen seen = {.err = ERR_NOT_FOUND};
    event_reader_init(&reader, FRAME_LIMIT);
    for (size_t at = 0; at < bytes.len && seen.err == ERR_NOT_FOUND; at += step) {
        CHECK(event_reader_hear(&reader, slice_sub(bytes, at, step)) == OK);
        while ((seen.err = event_reader_next(&reader, &event)) == OK)
            note(&seen, &event);
    }
    CHECK(seen.err == ERR_NOT_FOUND || seen.err == ERR_BROKEN_STREAM || seen.err == ERR_TOO_LARGE);
    seen.between = event_reader_is_between(&reader);
    event_reader_done(&reader);
    return seen;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > FRAME_LIMIT)
        return 0;
    size_t len = size - 2;
    char *bytes = malloc(len + 1);
    CHECK(bytes != NULL);
    memcpy(bytes, data + 2, len);
    if (data[0] % 2 == 1)
        repair(bytes, len);
    struct seen whole = feed(slice_of(bytes, len), len + 1);
    struct seen pieces = feed(slice_of(bytes, len), (size_t)data[1] + 1);
    CHECK(whole.events == pieces.events);
    CHECK(whole.sum == pieces.sum);
    CHECK(whole.err == pieces.err);
    CHECK(whole.between == pieces.between);
    free(bytes);
    CHECK(memory_live() == 0);
    return 0;
}
