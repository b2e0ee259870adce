#include "wire/formats/offset_map.h"

#include <string.h>

#include "base/check.h"
#include "wire/formats/hash.h"

/*
 * The runs are written with 92 printable symbols (`!` to `~` without `"` and `\`), by their index:
 *
 *    0 .. 27   one open offset of kind 0 .. 27
 *   28 .. 55   a run of open offsets of kind 0 .. 27, a number follows: its length
 *   56 .. 90   1 .. 35 offsets that are done
 *   91         a run of done offsets, a number follows: its length - 36
 *
 * Kind 0: never begun. Kinds 1 .. 9: begun so often, nothing under way. Kinds 10 .. 18: begun 1 ..
 * 9 times, the last of them marked. Kinds 19 .. 27: the last of them under way. A number is
 * little-endian in base 46: symbols 0 .. 45 end it, 46 .. 91 go on. In the head a word of 32 bits
 * has six digits of base 46, the number of partitions three of base 92.
 *
 * bw1 begins with nonce and checksum too. It has kinds 0 .. 30: begun up to 15 times, and no mark.
 */
enum {
    SYMBOLS = 92,
    DONE_RUN = 91,
    DIGITS = 46,
    OPEN_RUN_MIN = 3,
    WORD_LEN = 6,
    COUNT_LEN = 3,
    VERSION_LEN = 3,
    SEALED_AT = VERSION_LEN + 2 * WORD_LEN,
    NUMBER_LEN_MAX = 12,
    DONE_SHORT_MOST = 35, /* of any version */
};

/* What differs between versions. */
struct layout {
    int begun_max;
    int kinds;  /* of open offsets */
    int states; /* of the last call of a kind above 0: ended, marked (only if three), under way */
    size_t head_len;
};

static const struct layout LAYOUTS[OFFSET_MAP_NUMBER + 1] = {
    [1] = {.begun_max = 15, .kinds = 31, .states = 2, .head_len = SEALED_AT},
    [2] = {.begun_max = 9, .kinds = 28, .states = 3, .head_len = OFFSET_MAP_HEAD_LEN},
#ifdef BEDROCK_NEXT_MAP
    [3] = {.begun_max = 9, .kinds = 28, .states = 3, .head_len = OFFSET_MAP_HEAD_LEN},
#endif
};
#define OWN (&LAYOUTS[OFFSET_MAP_NUMBER])

static const char VERSION[] = OFFSET_MAP_VERSION;
static const char ALPHABET[] = "!#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`"
                               "abcdefghijklmnopqrstuvwxyz{|}~";
_Static_assert(sizeof ALPHABET == SYMBOLS + 1, "every symbol once");
_Static_assert(sizeof VERSION - 1 == VERSION_LEN, "`bw` and a digit");
_Static_assert(SEALED_AT + 2 * WORD_LEN + COUNT_LEN == OFFSET_MAP_HEAD_LEN,
               "head: version, nonce, CRC, topic, second, partitions");
_Static_assert(OFFSET_MAP_PARTITIONS_MAX == SYMBOLS * SYMBOLS * SYMBOLS - 1,
               "what three symbols can say");

static int open_run_of(const struct layout *layout)
{
    return layout->kinds;
}

static int done_one_of(const struct layout *layout)
{
    return 2 * layout->kinds;
}

static int done_short_max_of(const struct layout *layout)
{
    return DONE_RUN - 2 * layout->kinds;
}

uint32_t offset_map_topic(struct slice topic_id)
{
    uint32_t hash = hash_crc32(0, topic_id);
    return topic_id.len > 0 && hash == 0 ? 1 : hash;
}

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

/* A value in `len` digits of this base, the lowest first. */
static void add_digits(struct buf *buf, uint32_t value, int len, uint32_t base)
{
    for (int i = 0; i < len; i++) {
        add_symbol(buf, (int)(value % base));
        value /= base;
    }
}

/* A 32-bit word in six digits. */
static void add_word(struct buf *buf, uint32_t word)
{
    add_digits(buf, word, WORD_LEN, DIGITS);
}

static void add_done(struct buf *buf, const struct layout *layout, int64_t length)
{
    int64_t short_max = done_short_max_of(layout);
    if (length <= 0)
        return;
    if (length <= short_max) {
        add_symbol(buf, done_one_of(layout) + (int)length - 1);
        return;
    }
    add_symbol(buf, DONE_RUN);
    add_number(buf, (uint64_t)(length - short_max - 1));
}

static int kind_of(const struct layout *layout, const struct offset_open *open)
{
    CHECK(open->begun <= OFFSET_MAP_BEGUN_MAX);
    CHECK(!open->is_under_way || open->begun > 0);
    CHECK(!open->is_marked || open->is_under_way);
    int state = open->is_under_way ? layout->states - 1 : 0;
    if (open->is_marked && layout->states > 2)
        state = 1;
    return state * layout->begun_max + open->begun;
}

static void add_open(struct buf *buf, const struct layout *layout, int kind, size_t length)
{
    if (length >= OPEN_RUN_MIN) {
        add_symbol(buf, open_run_of(layout) + kind);
        add_number(buf, length);
        return;
    }
    for (size_t i = 0; i < length; i++)
        add_symbol(buf, kind);
}

static void add_runs(struct buf *buf, const struct layout *layout, int64_t front, int64_t last,
                     const struct offset_open *open, size_t count)
{
    int64_t position = front;
    for (size_t i = 0; i < count;) {
        CHECK(open[i].offset >= position && open[i].offset <= last);
        add_done(buf, layout, open[i].offset - position);
        size_t length = 1;
        int kind = kind_of(layout, &open[i]);
        while (i + length < count && open[i + length].offset == open[i].offset + (int64_t)length &&
               kind_of(layout, &open[i + length]) == kind)
            length++;
        add_open(buf, layout, kind, length);
        position = open[i].offset + (int64_t)length;
        i += length;
    }
    add_done(buf, layout, last + 1 - position);
}

/* Of front, nonce and the rest: what belongs together. */
static uint32_t checksum(int64_t front, struct slice nonce, struct slice sealed)
{
    char text[24];
    size_t len = sizeof text;
    uint64_t rest = (uint64_t)front;
    do
        text[--len] = (char)('0' + rest % 10);
    while ((rest /= 10) > 0);
    uint32_t crc = hash_crc32(0, slice_of(text + len, sizeof text - len));
    return hash_crc32(hash_crc32(crc, nonce), sealed);
}

static void add_stamp(struct buf *buf, const struct offset_map_stamp *stamp)
{
    uint32_t partitions = stamp->partitions;
    add_word(buf, stamp->topic);
    add_word(buf, stamp->second);
    add_digits(buf, partitions < OFFSET_MAP_PARTITIONS_MAX ? partitions : OFFSET_MAP_PARTITIONS_MAX,
               COUNT_LEN, SYMBOLS);
}

/* Adds version, nonce, checksum and what it seals. */
static void add_sealed(struct buf *buf, const char *version, int64_t front, uint32_t nonce,
                       struct buf *sealed)
{
    struct buf word OWNED_BY(buf_done);
    buf_init(&word, WORD_LEN);
    add_word(&word, nonce);
    buf_add_text(buf, version);
    buf_add(buf, buf_slice(&word));
    add_word(buf, checksum(front, buf_slice(&word), buf_slice(sealed)));
    buf_add(buf, buf_slice(sealed));
    if (buf->failed == OK && (sealed->failed != OK || word.failed != OK))
        buf->failed = ERR_NO_MEMORY;
}

void offset_map_add(struct buf *buf, int64_t front, int64_t last, const struct offset_open *open,
                    size_t count, const struct offset_map_stamp *stamp)
{
    CHECK(front >= 0);
    CHECK(count == 0 || last >= front);
    struct buf sealed OWNED_BY(buf_done);
    buf_init(&sealed, buf->limit);
    add_stamp(&sealed, stamp);
    add_runs(&sealed, OWN, front, last, open, count);
    add_sealed(buf, VERSION, front, stamp->nonce, &sealed);
}

void offset_map_add_bw1(struct buf *buf, int64_t front, int64_t last,
                        const struct offset_open *open, size_t count, uint32_t nonce)
{
    CHECK(front >= 0);
    CHECK(count == 0 || last >= front);
    struct buf runs OWNED_BY(buf_done);
    buf_init(&runs, buf->limit);
    add_runs(&runs, &LAYOUTS[1], front, last, open, count);
    add_sealed(buf, "bw1", front, nonce, &runs);
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
            __builtin_add_overflow(value, part, &value) || value > INT64_MAX - DONE_SHORT_MOST - 1)
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

/* `len` digits of this base at the start of the text, which has them. */
static bool read_digits(struct slice text, size_t len, unsigned base, uint64_t *ret_value)
{
    *ret_value = 0;
    for (size_t i = len; i-- > 0;) {
        int symbol = symbol_of(text.ptr[i]);
        if (symbol < 0 || (unsigned)symbol >= base)
            return false;
        *ret_value = *ret_value * base + (uint64_t)symbol;
    }
    return true;
}

static bool read_word(struct slice text, uint32_t *ret_word)
{
    uint64_t word;
    if (!read_digits(text, WORD_LEN, DIGITS, &word) || word > UINT32_MAX)
        return false;
    *ret_word = (uint32_t)word;
    return true;
}

static struct offset_run open_run(const struct layout *layout, int kind, int64_t length)
{
    int state = kind == 0 ? 0 : (kind - 1) / layout->begun_max;
    int begun = kind == 0 ? 0 : (kind - 1) % layout->begun_max + 1;
    return (struct offset_run){
        .length = length,
        .begun = (uint8_t)(begun < OFFSET_MAP_BEGUN_MAX ? begun : OFFSET_MAP_BEGUN_MAX),
        .is_under_way = state > 0,
        .is_marked = state > 0 && state < layout->states - 1,
    };
}

bool offset_map_take_run(int number, struct slice *runs, struct offset_run *ret_run)
{
    CHECK(number >= 1 && number <= OFFSET_MAP_NUMBER);
    const struct layout *layout = &LAYOUTS[number];
    int64_t length = 0;
    int symbol = symbol_of(runs->ptr[0]);
    *runs = slice_sub(*runs, 1, runs->len);
    if (symbol < 0)
        return false;
    if (symbol < layout->kinds) {
        *ret_run = open_run(layout, symbol, 1);
        return true;
    }
    if (symbol < done_one_of(layout)) {
        bool is_read = read_number(runs, &length) && length >= 1;
        *ret_run = open_run(layout, symbol - open_run_of(layout), length);
        return is_read;
    }
    *ret_run = (struct offset_run){.length = symbol - done_one_of(layout) + 1, .is_done = true};
    if (symbol < DONE_RUN)
        return true;
    if (!read_number(runs, &length))
        return false;
    ret_run->length = length + done_short_max_of(layout) + 1;
    return true;
}

/* What does not fit is counted all the same. */
static enum err read_runs(const struct offset_map_head *head, int64_t *position,
                          struct offset_open *ret_open, size_t room, size_t *ret_count)
{
    struct slice text = head->runs;
    uint64_t count = 0; /* no more than there are offsets */
    while (text.len > 0) {
        struct offset_run run;
        int64_t next;
        if (!offset_map_take_run(head->number, &text, &run) ||
            __builtin_add_overflow(*position, run.length, &next))
            return ERR_FORMAT;
        uint64_t opened = run.is_done ? 0 : (uint64_t)run.length;
        for (uint64_t i = 0; count + opened <= room && i < opened; i++) {
            ret_open[count + i] = (struct offset_open){
                .offset = *position + (int64_t)i,
                .begun = run.begun,
                .is_under_way = run.is_under_way,
                .is_marked = run.is_marked,
            };
        }
        count += opened;
        *position = next;
    }
    *ret_count = count;
    return count <= room ? OK : ERR_TOO_LARGE;
}

/* The number of a map's version; 0: none that this program knows. */
static enum err read_version(struct slice metadata, int *ret_number)
{
    if (metadata.len == 0)
        return ERR_NOT_FOUND;
    if (!slice_starts(metadata, slice_of(VERSION, VERSION_LEN - 1)))
        return ERR_NOT_ALLOWED;
    if (metadata.len < VERSION_LEN)
        return ERR_FORMAT;
    *ret_number = metadata.ptr[VERSION_LEN - 1] - '0';
    if (*ret_number > OFFSET_MAP_NUMBER)
        return ERR_LATER_VERSION;
    return *ret_number >= 1 ? OK : ERR_FORMAT;
}

static bool read_stamp(struct slice text, struct offset_map_stamp *ret)
{
    uint64_t partitions;
    if (!read_word(text, &ret->topic) ||
        !read_word(slice_sub(text, WORD_LEN, text.len), &ret->second) ||
        !read_digits(slice_sub(text, (size_t)2 * WORD_LEN, text.len), COUNT_LEN, SYMBOLS,
                     &partitions))
        return false;
    ret->partitions = (uint32_t)partitions;
    return true;
}

enum err offset_map_read_head(struct slice metadata, struct offset_map_head *ret_head)
{
    memset(ret_head, 0, sizeof *ret_head);
    enum err err = read_version(metadata, &ret_head->number);
    if (err != OK)
        return err;
    const struct layout *layout = &LAYOUTS[ret_head->number];
    if (metadata.len < layout->head_len)
        return ERR_FORMAT;
    ret_head->nonce = slice_sub(metadata, VERSION_LEN, WORD_LEN);
    ret_head->sealed = slice_sub(metadata, SEALED_AT, metadata.len);
    ret_head->runs = slice_sub(metadata, layout->head_len, metadata.len);
    if (!read_word(slice_sub(metadata, VERSION_LEN + WORD_LEN, WORD_LEN), &ret_head->crc))
        return ERR_FORMAT;
    bool has_stamp = layout->head_len > SEALED_AT;
    return !has_stamp || read_stamp(ret_head->sealed, &ret_head->stamp) ? OK : ERR_FORMAT;
}

bool offset_map_fits(const struct offset_map_head *head, int64_t front)
{
    return front >= 0 && head->crc == checksum(front, head->nonce, head->sealed);
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
    err = read_runs(&head, &position, ret_open, room, ret_count);
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
    int64_t short_max = done_short_max_of(OWN);
    if (gap <= short_max)
        return cost;
    for (int64_t rest = gap - short_max - 1;; rest /= DIGITS) {
        cost++;
        if (rest < DIGITS)
            return cost;
    }
}
