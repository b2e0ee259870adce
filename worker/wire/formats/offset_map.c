#include "wire/formats/offset_map.h"

#include <string.h>

#include "base/check.h"
#include "wire/formats/hash.h"

/*
 * The runs are written with 92 printable symbols (`!` to `~` without `"` and `\`), by their index:
 *
 *    0 .. 30   one open offset of kind 0 .. 30
 *   31 .. 61   a run of open offsets of kind 0 .. 30, a number follows: its length
 *   62 .. 90   1 .. 29 offsets that are done
 *   91         a run of done offsets, a number follows: its length - 30
 *
 * Kind 0: never begun. Kinds 1 .. 15: begun so often, nothing under way. Kinds 16 .. 30: begun 1 ..
 * 15 times, the last of them under way. A number is little-endian in base 46: symbols 0 .. 45 end
 * it, 46 .. 91 go on.
 */
enum {
    SYMBOLS = 92,
    KINDS = 31,
    OPEN_RUN = 31,
    DONE_ONE = 62,
    DONE_SHORT_MAX = 29,
    DONE_RUN = 91,
    DIGITS = 46,
    OPEN_RUN_MIN = 3,
    WORD_LEN = 6,
    NUMBER_LEN_MAX = 12,
};

static const char VERSION[] = OFFSET_MAP_VERSION;
static const char ALPHABET[] = "!#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`"
                               "abcdefghijklmnopqrstuvwxyz{|}~";
_Static_assert(sizeof ALPHABET == SYMBOLS + 1, "every symbol once");
_Static_assert(sizeof VERSION - 1 + 2 * WORD_LEN == OFFSET_MAP_HEAD_LEN,
               "head: version, nonce, CRC");

static void add_symbol(struct buf *buf, int symbol)
{
    CHECK(symbol >= 0 && symbol < SYMBOLS);
    buf_add_byte(buf, ALPHABET[symbol]);
}

static int symbol_of(char byte)
{
    if (byte <= ' ' || byte > '~' || byte == '"' || byte == '\\')
        return -1;
    return byte - '!' - (byte > '"') - (byte > '\\');
}

static void add_number(struct buf *buf, uint64_t value)
{
    while (value >= DIGITS) {
        add_symbol(buf, DIGITS + (int)(value % DIGITS));
        value /= DIGITS;
    }
    add_symbol(buf, (int)value);
}

/* A 32-bit word in six digits. */
static void add_word(struct buf *buf, uint32_t word)
{
    for (int i = 0; i < WORD_LEN; i++) {
        add_symbol(buf, (int)(word % DIGITS));
        word /= DIGITS;
    }
}

static void add_done(struct buf *buf, int64_t length)
{
    if (length <= 0)
        return;
    if (length <= DONE_SHORT_MAX) {
        add_symbol(buf, DONE_ONE + (int)length - 1);
        return;
    }
    add_symbol(buf, DONE_RUN);
    add_number(buf, (uint64_t)(length - DONE_SHORT_MAX - 1));
}

static int kind_of(const struct offset_open *open)
{
    CHECK(open->begun <= OFFSET_MAP_BEGUN_MAX);
    CHECK(!open->is_running || open->begun > 0);
    return open->is_running ? OFFSET_MAP_BEGUN_MAX + open->begun : open->begun;
}

static void add_open(struct buf *buf, int kind, size_t length)
{
    if (length >= OPEN_RUN_MIN) {
        add_symbol(buf, OPEN_RUN + kind);
        add_number(buf, length);
        return;
    }
    for (size_t i = 0; i < length; i++)
        add_symbol(buf, kind);
}

static void add_runs(struct buf *buf, int64_t front, int64_t last, const struct offset_open *open,
                     size_t count)
{
    int64_t position = front;
    for (size_t i = 0; i < count;) {
        CHECK(open[i].offset >= position && open[i].offset <= last);
        add_done(buf, open[i].offset - position);
        size_t length = 1;
        int kind = kind_of(&open[i]);
        while (i + length < count && open[i + length].offset == open[i].offset + (int64_t)length &&
               kind_of(&open[i + length]) == kind)
            length++;
        add_open(buf, kind, length);
        position = open[i].offset + (int64_t)length;
        i += length;
    }
    add_done(buf, last + 1 - position);
}

/* Of front, nonce and runs: what belongs together. */
static uint32_t checksum(int64_t front, struct slice nonce, struct slice runs)
{
    char text[24];
    size_t len = sizeof text;
    uint64_t rest = (uint64_t)front;
    do
        text[--len] = (char)('0' + rest % 10);
    while ((rest /= 10) > 0);
    uint32_t crc = hash_crc32(0, slice_of(text + len, sizeof text - len));
    return hash_crc32(hash_crc32(crc, nonce), runs);
}

void offset_map_add(struct buf *buf, int64_t front, int64_t last, const struct offset_open *open,
                    size_t count, uint32_t nonce)
{
    CHECK(front >= 0);
    CHECK(count == 0 || last >= front);
    struct buf runs OWNED_BY(buf_done);
    buf_init(&runs, buf->limit);
    add_runs(&runs, front, last, open, count);
    struct buf word OWNED_BY(buf_done);
    buf_init(&word, WORD_LEN);
    add_word(&word, nonce);
    buf_add_text(buf, VERSION);
    buf_add(buf, buf_slice(&word));
    add_word(buf, checksum(front, buf_slice(&word), buf_slice(&runs)));
    buf_add(buf, buf_slice(&runs));
    if (buf->failed == OK && (runs.failed != OK || word.failed != OK))
        buf->failed = ERR_NO_MEMORY;
}

static bool read_number(struct slice *text, int64_t *ret_value)
{
    uint64_t value = 0;
    uint64_t unit = 1;
    for (int i = 0; i < NUMBER_LEN_MAX && text->len > 0; i++) {
        int symbol = symbol_of(text->ptr[0]);
        *text = slice_sub(*text, 1, text->len);
        if (symbol < 0)
            return false;
        uint64_t part;
        if (__builtin_mul_overflow((uint64_t)(symbol % DIGITS), unit, &part) ||
            __builtin_add_overflow(value, part, &value) || value > INT64_MAX - DONE_SHORT_MAX - 1)
            return false;
        if (symbol < DIGITS) {
            *ret_value = (int64_t)value;
            return true;
        }
        if (__builtin_mul_overflow(unit, (uint64_t)DIGITS, &unit))
            return false;
    }
    return false;
}

static bool read_word(struct slice text, uint32_t *ret_word)
{
    uint64_t word = 0;
    for (size_t i = WORD_LEN; i-- > 0;) {
        int symbol = symbol_of(text.ptr[i]);
        if (symbol < 0 || symbol >= DIGITS)
            return false;
        word = word * DIGITS + (uint64_t)symbol;
    }
    *ret_word = (uint32_t)word;
    return word <= UINT32_MAX;
}

static struct offset_run open_run(int kind, int64_t length)
{
    bool is_running = kind > OFFSET_MAP_BEGUN_MAX;
    return (struct offset_run){
        .length = length,
        .begun = (uint8_t)(is_running ? kind - OFFSET_MAP_BEGUN_MAX : kind),
        .is_running = is_running,
    };
}

bool offset_map_take_run(struct slice *runs, struct offset_run *ret_run)
{
    int64_t length = 0;
    int symbol = symbol_of(runs->ptr[0]);
    *runs = slice_sub(*runs, 1, runs->len);
    if (symbol < 0)
        return false;
    if (symbol < KINDS) {
        *ret_run = open_run(symbol, 1);
        return true;
    }
    if (symbol < DONE_ONE) {
        bool is_read = read_number(runs, &length) && length >= 1;
        *ret_run = open_run(symbol - OPEN_RUN, length);
        return is_read;
    }
    *ret_run = (struct offset_run){.length = symbol - DONE_ONE + 1, .is_done = true};
    if (symbol < DONE_RUN)
        return true;
    if (!read_number(runs, &length))
        return false;
    ret_run->length = length + DONE_SHORT_MAX + 1;
    return true;
}

/* What does not fit is counted all the same. */
static enum err read_runs(struct slice text, int64_t *position, struct offset_open *ret_open,
                          size_t room, size_t *ret_count)
{
    uint64_t count = 0; /* no more than there are offsets */
    while (text.len > 0) {
        struct offset_run run;
        int64_t next;
        if (!offset_map_take_run(&text, &run) ||
            __builtin_add_overflow(*position, run.length, &next))
            return ERR_FORMAT;
        uint64_t opened = run.is_done ? 0 : (uint64_t)run.length;
        for (uint64_t i = 0; count + opened <= room && i < opened; i++) {
            ret_open[count + i] = (struct offset_open){
                .offset = *position + (int64_t)i,
                .begun = run.begun,
                .is_running = run.is_running,
            };
        }
        count += opened;
        *position = next;
    }
    *ret_count = count;
    return count <= room ? OK : ERR_TOO_LARGE;
}

enum err offset_map_read_head(struct slice metadata, struct offset_map_head *ret_head)
{
    size_t version_len = sizeof VERSION - 1;
    if (metadata.len == 0)
        return ERR_NOT_FOUND;
    if (!slice_starts(metadata, slice_of(VERSION, version_len - 1)))
        return ERR_NOT_ALLOWED;
    if (metadata.len < OFFSET_MAP_HEAD_LEN ||
        !slice_starts(metadata, slice_of(VERSION, version_len)))
        return ERR_FORMAT;
    ret_head->nonce = slice_sub(metadata, version_len, WORD_LEN);
    ret_head->runs = slice_sub(metadata, OFFSET_MAP_HEAD_LEN, metadata.len);
    return read_word(slice_sub(metadata, version_len + WORD_LEN, WORD_LEN), &ret_head->crc)
               ? OK
               : ERR_FORMAT;
}

bool offset_map_fits(const struct offset_map_head *head, int64_t front)
{
    return front >= 0 && head->crc == checksum(front, head->nonce, head->runs);
}

enum err offset_map_read(struct slice metadata, int64_t front, struct offset_open *ret_open,
                         size_t room, size_t *ret_count, int64_t *ret_last)
{
    struct offset_map_head head;
    enum err err = offset_map_read_head(metadata, &head);
    if (err != OK)
        return err;
    if (!offset_map_fits(&head, front))
        return ERR_FORMAT;
    int64_t position = front;
    err = read_runs(head.runs, &position, ret_open, room, ret_count);
    if (err != OK)
        return err;
    *ret_last = position - 1;
    return OK;
}

size_t offset_map_gap_cost(int64_t lower, int64_t upper)
{
    int64_t gap = upper - lower - 1;
    if (gap <= 0)
        return 0;
    size_t cost = 1;
    if (gap <= DONE_SHORT_MAX)
        return cost;
    for (int64_t rest = gap - DONE_SHORT_MAX - 1;; rest /= DIGITS) {
        cost++;
        if (rest < DIGITS)
            return cost;
    }
}
