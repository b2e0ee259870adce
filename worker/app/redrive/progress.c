#include "app/redrive/progress.h"

#include <string.h>

#include "wire/formats/base64.h"
#include "wire/formats/hash.h"

#define VERSION   "rd1"
#define CRC_BYTES 4
#define BITS_MAX  ((size_t)PROGRESS_SPAN_MAX / 8 + 2)
/* Of a text's bytes before base64: bits, or as many runs as make them longer. */
#define BYTES_MAX (BITS_MAX + CRC_BYTES)

void progress_init(struct progress *progress, int64_t front)
{
    progress->front = front;
    progress->base = front - front % 8;
    buf_init(&progress->bits, BITS_MAX);
}

void progress_done(struct progress *progress)
{
    buf_done(&progress->bits);
}

static bool bit(const struct progress *progress, int64_t at)
{
    size_t byte = (size_t)(at / 8);
    return byte < progress->bits.len && (progress->bits.ptr[byte] >> (at % 8) & 1) != 0;
}

bool progress_has(const struct progress *progress, int64_t offset)
{
    return offset < progress->front || bit(progress, offset - progress->base);
}

/* ---- marking ---- */

static void advance(struct progress *progress)
{
    while (bit(progress, progress->front - progress->base))
        progress->front++;
    size_t whole = (size_t)((progress->front - progress->base) / 8);
    size_t dropped = whole < progress->bits.len ? whole : progress->bits.len;
    buf_drop_front(&progress->bits, dropped);
    progress->base += 8 * (int64_t)whole;
}

static enum err set_bit(struct progress *progress, int64_t offset)
{
    if (offset - progress->front >= PROGRESS_SPAN_MAX)
        return ERR_TOO_LARGE;
    int64_t at = offset - progress->base;
    while (progress->bits.failed == OK && progress->bits.len <= (size_t)(at / 8))
        buf_add_byte(&progress->bits, 0);
    if (progress->bits.failed != OK)
        return progress->bits.failed;
    progress->bits.ptr[at / 8] = (char)(progress->bits.ptr[at / 8] | 1 << at % 8);
    return OK;
}

/* Nothing is redriven above a front that skips ahead. */
static void jump(struct progress *progress, int64_t to)
{
    buf_reset(&progress->bits);
    progress->front = to;
    progress->base = to - to % 8;
}

enum err progress_mark_span(struct progress *progress, int64_t from, int64_t to)
{
    int64_t end = progress->base + 8 * (int64_t)progress->bits.len;
    if (from <= progress->front && to >= end) {
        if (to > progress->front)
            jump(progress, to);
        return OK;
    }
    enum err err = OK;
    for (int64_t offset = from > progress->front ? from : progress->front; offset < to && err == OK;
         offset++)
        err = set_bit(progress, offset);
    advance(progress);
    return err;
}

enum err progress_mark(struct progress *progress, int64_t offset)
{
    return progress_mark_span(progress, offset, offset + 1);
}

enum err progress_copy(const struct progress *progress, struct progress *ret_copy)
{
    *ret_copy = (struct progress){.front = progress->front, .base = progress->base};
    buf_init(&ret_copy->bits, BITS_MAX);
    buf_add(&ret_copy->bits, buf_slice(&progress->bits));
    return ret_copy->bits.failed;
}

/* ---- the text ---- */

static uint32_t crc_of(int64_t front, char form, struct slice rest)
{
    struct buf number OWNED_BY(buf_done);
    buf_init(&number, 32);
    buf_add_int(&number, front);
    buf_add_byte(&number, form);
    return hash_crc32(hash_crc32(0, buf_slice(&number)), rest);
}

static void add_run(struct buf *runs, uint64_t length)
{
    for (; length >= 0x80; length >>= 7)
        buf_add_byte(runs, (char)(unsigned char)(length | 0x80));
    buf_add_byte(runs, (char)length);
}

/* Up to the last offset that is redriven. */
static void add_runs(const struct progress *progress, struct buf *runs)
{
    int64_t end = progress->base + 8 * (int64_t)progress->bits.len, start = progress->front;
    bool is_redriven = false;
    for (int64_t offset = start; offset < end; offset++) {
        if (bit(progress, offset - progress->base) == is_redriven)
            continue;
        add_run(runs, (uint64_t)(offset - start));
        start = offset;
        is_redriven = !is_redriven;
    }
    if (is_redriven)
        add_run(runs, (uint64_t)(end - start));
}

void progress_add_text(const struct progress *progress, struct buf *text)
{
    struct buf runs OWNED_BY(buf_done), sealed OWNED_BY(buf_done);
    buf_init(&runs, BYTES_MAX);
    buf_init(&sealed, BYTES_MAX);
    add_runs(progress, &runs);
    if (runs.failed == OK && runs.len == 0)
        return;
    struct slice bits = buf_slice(&progress->bits);
    bool are_runs = runs.failed == OK && runs.len < bits.len;
    struct slice rest = are_runs ? buf_slice(&runs) : bits;
    char form = are_runs ? 'r' : 'b';
    uint32_t crc = crc_of(progress->front, form, rest);
    for (int i = 0; i < CRC_BYTES; i++)
        buf_add_byte(&sealed, (char)(unsigned char)(crc >> (8 * i)));
    buf_add(&sealed, rest);
    buf_add_text(text, VERSION);
    buf_add_byte(text, form);
    base64_add(text, buf_slice(&sealed));
}

static enum err take_bits(struct progress *progress, struct slice bits)
{
    enum err err = OK;
    for (size_t i = 0; i < 8 * bits.len && err == OK; i++)
        if ((bits.ptr[i / 8] >> (i % 8) & 1) != 0 && progress->base + (int64_t)i >= progress->front)
            err = set_bit(progress, progress->base + (int64_t)i);
    return err;
}

/* The length of the next run; false: damaged. */
static bool read_run(struct slice *rest, int64_t *ret_length)
{
    int64_t length = 0;
    for (int shift = 0; shift < 28 && rest->len > 0; shift += 7) {
        unsigned char byte = (unsigned char)rest->ptr[0];
        *rest = slice_sub(*rest, 1, rest->len - 1);
        length |= (int64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *ret_length = length;
            return true;
        }
    }
    return false;
}

static enum err take_runs(struct progress *progress, struct slice rest)
{
    int64_t offset = progress->front, length = 0;
    bool is_redriven = false;
    for (; rest.len > 0; is_redriven = !is_redriven, offset += length) {
        if (!read_run(&rest, &length) || length == 0)
            return ERR_FORMAT;
        if (offset + length - progress->front > PROGRESS_SPAN_MAX)
            return ERR_TOO_LARGE;
        enum err err = is_redriven ? progress_mark_span(progress, offset, offset + length) : OK;
        if (err != OK)
            return err;
    }
    return OK;
}

static enum err take(struct progress *progress, char form, struct slice sealed)
{
    if (sealed.len < CRC_BYTES)
        return ERR_FORMAT;
    struct slice rest = slice_sub(sealed, CRC_BYTES, sealed.len - CRC_BYTES);
    uint32_t crc = 0;
    for (int i = 0; i < CRC_BYTES; i++)
        crc |= (uint32_t)(unsigned char)sealed.ptr[i] << (8 * i);
    if (crc != crc_of(progress->front, form, rest))
        return ERR_FORMAT;
    if (form == 'r')
        return take_runs(progress, rest);
    return form == 'b' ? take_bits(progress, rest) : ERR_FORMAT;
}

enum err progress_read(struct progress *progress, int64_t front, struct slice text)
{
    progress_init(progress, front < 0 ? 0 : front);
    if (text.len == 0 || front < 0)
        return front < 0 ? ERR_FORMAT : OK;
    size_t head = sizeof VERSION;
    if (text.len < head || !slice_starts(text, SLICE(VERSION))) {
        bool is_later = slice_starts(text, SLICE("rd")) && text.len > 2 && text.ptr[2] > '1' &&
                        text.ptr[2] <= '9';
        return is_later ? ERR_LATER_VERSION : ERR_FORMAT;
    }
    struct buf sealed OWNED_BY(buf_done);
    size_t at = 0;
    buf_init(&sealed, BYTES_MAX);
    enum err err = base64_add_decoded(&sealed, slice_sub(text, head, text.len - head), &at);
    if (err == OK)
        err = take(progress, text.ptr[head - 1], buf_slice(&sealed));
    return err == OK && progress_has(progress, front) ? ERR_FORMAT : err;
}
