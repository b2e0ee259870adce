/* The offset map: metadata as any program may have written it, at any front. An accepted map is
 * consistent, fits no other front, and reads back the same after it is written again. The first
 * eight bytes are the front; a ninth that is odd puts a head over the rest that fits, so that the
 * runs are reached: of the first version, or with its second bit of the present one. A few bytes
 * can name a million open offsets, which take the same paths as a few hundred: the target checks
 * only some of such maps. */
#include <stdint.h>
#include <string.h>

#include "base/check.h"
#include "base/memory.h"
#include "engine/ledger.h"
#include "wire/formats/hash.h"
#include "wire/formats/offset_map.h"

#define OPEN_MAX    5000
#define USUAL_MAX   300  /* open offsets; the ledger has grown its room by then */
#define FIRST_RUNS  4096 /* the corpora and a repeated finding are checked completely */
#define LARGE_EACH  64   /* afterwards about one large map in this many is checked */
#define BYTES_LIMIT ((size_t)1 << 24)
#define NONCE       "!!!!!!"
#define NONCE_LEN   6
#define DIGITS      46

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void seal(struct buf *buf, int64_t front, const char *version, struct slice sealed)
{
    static const char ALPHABET[] = "!#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNO";
    struct buf number OWNED_BY(buf_done);
    buf_init(&number, 32);
    buf_add_int(&number, front);
    uint32_t crc = hash_crc32(0, buf_slice(&number));
    crc = hash_crc32(hash_crc32(crc, slice_of_text(NONCE)), sealed);
    buf_add_text(buf, version);
    buf_add_text(buf, NONCE);
    for (int i = 0; i < NONCE_LEN; i++, crc /= DIGITS)
        buf_add_byte(buf, ALPHABET[crc % DIGITS]);
    buf_add(buf, sealed);
}

static void check_open(const struct offset_open *open, size_t count, int64_t front, int64_t last)
{
    int64_t before = front - 1;
    CHECK(last >= front - 1);
    for (size_t i = 0; i < count; i++) {
        CHECK(open[i].offset > before && open[i].offset <= last);
        CHECK(open[i].begun <= OFFSET_MAP_BEGUN_MAX);
        CHECK(!open[i].is_under_way || open[i].begun > 0);
        CHECK(!open[i].is_marked || open[i].is_under_way);
        before = open[i].offset;
    }
}

static void check_again(const struct offset_open *open, size_t count, int64_t front, int64_t last)
{
    static struct offset_open again[OPEN_MAX];
    struct buf buf OWNED_BY(buf_done);
    size_t again_count;
    int64_t again_last;
    buf_init(&buf, BYTES_LIMIT);
    offset_map_add(&buf, front, last, open, count, &(struct offset_map_stamp){.nonce = 1});
    CHECK(offset_map_read(buf_slice(&buf), front, again, OPEN_MAX, &again_count, &again_last) ==
          OK);
    CHECK(again_count == count && again_last == last);
    for (size_t i = 0; i < count; i++)
        CHECK(again[i].offset == open[i].offset && again[i].begun == open[i].begun &&
              again[i].is_under_way == open[i].is_under_way &&
              again[i].is_marked == open[i].is_marked);
    CHECK(front == INT64_MAX || offset_map_read(buf_slice(&buf), front + 1, again, OPEN_MAX,
                                                &again_count, &again_last) == ERR_FORMAT);
}

/* A ledger opens any map, and its next commit can be read. */
static void check_ledger(struct slice metadata, int64_t front)
{
    struct ledger ledger OWNED_BY(ledger_done);
    struct buf map OWNED_BY(buf_done);
    buf_init(&map, LEDGER_MAP_BYTES_MAX * 2);
    CHECK(ledger_init(&ledger, OFFSET_MAP_BYTES_MAX) == OK);
    enum err err = ledger_open(&ledger, front, metadata);
    if (err != OK) {
        CHECK(err == ERR_FORMAT || err == ERR_NOT_ALLOWED || err == ERR_LATER_VERSION);
        return;
    }
    if (metadata.len <= LEDGER_MAP_BYTES_MAX)
        CHECK(ledger_agrees(&ledger, front, metadata));
    if (ledger_room(&ledger) > 0 && ledger_fits(&ledger, front))
        (void)ledger_take(&ledger, front, 1);
    CHECK(ledger_add_map(&ledger, &(struct offset_map_stamp){.nonce = 2}, &map) == OK);
    static struct offset_open open[LEDGER_OPEN_MAX];
    size_t count;
    int64_t last;
    CHECK(offset_map_read(buf_slice(&map), ledger_front(&ledger), open, LEDGER_OPEN_MAX, &count,
                          &last) == OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct offset_open open[OPEN_MAX];
    if (size < 9)
        return 0;
    int64_t front;
    memcpy(&front, data, sizeof front);
    front = front < 0 ? -1 : front & (INT64_MAX >> (data[8] >> 2));
    struct slice rest = slice_of((const char *)data + 9, size - 9);
    struct buf sealed OWNED_BY(buf_done);
    buf_init(&sealed, BYTES_LIMIT);
    if (data[8] & 1) {
        front = front < 0 ? 0 : front;
        seal(&sealed, front, data[8] & 2 ? OFFSET_MAP_VERSION : "bw1", rest);
        rest = buf_slice(&sealed);
    }
    size_t count = 0;
    int64_t last = -1;
    enum err err = offset_map_read(rest, front, open, OPEN_MAX, &count, &last);
    CHECK((err == ERR_TOO_LARGE) == (count > OPEN_MAX));
    static size_t runs;
    if (++runs > FIRST_RUNS && runs % LARGE_EACH != 0 && count > USUAL_MAX)
        return 0;
    if (err == OK) {
        check_open(open, count, front, last);
        check_again(open, count, front, last);
    }
    if (front < INT64_MAX / 2)
        check_ledger(rest, front);
    return 0;
}
