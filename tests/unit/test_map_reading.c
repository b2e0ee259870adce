/* An offset map as a person reads it: maps that the worker writes, and damaged ones. */
#include "unit/unit.h"

#include <string.h>

#include "app/client/map_reading.h"
#include "wire/formats/offset_map.h"

#define FRONT 1041
#define LIMIT 65536

static const struct offset_open OPEN[] = {
    {1041, 1, true, false},  {1043, 0, false, false}, {1044, 0, false, false},
    {1045, 0, false, false}, {1050, 3, false, false}, {1100, 2, true, false},
    {1102, 9, true, true},
};
#define LAST 1150

static const struct offset_map_stamp STAMP = {
    .nonce = 12345, .topic = 0xc0ffee, .second = 1795000000, .partitions = 48};

static void make_map(struct buf *ret_map)
{
    buf_init(ret_map, LIMIT);
    offset_map_add(ret_map, FRONT, LAST, OPEN, COUNT_OF(OPEN), &STAMP);
    assert_int_equal(ret_map->failed, OK);
}

/* Reads it; the page must be `page` (NULL = not looked at), and the fault `fault`. */
static void assert_reads(struct slice map, int64_t front, const char *page, const char *fault)
{
    struct buf said OWNED_BY(buf_done), wrong OWNED_BY(buf_done);
    buf_init(&said, LIMIT);
    buf_init(&wrong, LIMIT);
    assert_int_equal(map_reading_add(map, front, &said, &wrong), fault[0] == '\0');
    assert_string_equal(buf_text(&wrong), fault);
    if (page != NULL)
        assert_string_equal(buf_text(&said), page);
}

static void a_map_is_shown_run_by_run(void **state)
{
    (void)state;
    struct buf map OWNED_BY(buf_done);
    make_map(&map);
    assert_reads(buf_slice(&map), FRONT,
                 "version    bw2\n"
                 "nonce      3H'!!!\n"
                 "made       2026-11-18T11:06:40.000Z\n"
                 "topic      00c0ffee, a hash of its id\n"
                 "partitions 48\n"
                 "offset     1041: everything below it is completed\n"
                 "checksum   right\n"
                 "offsets\n"
                 "  1041                    open, begun once, call running\n"
                 "  1042                    completed\n"
                 "  1043 to 1045            open, not begun\n"
                 "  1046 to 1049            completed\n"
                 "  1050                    open, begun 3 times\n"
                 "  1051 to 1099            completed\n"
                 "  1100                    open, begun 2 times, call running\n"
                 "  1101                    completed\n"
                 "  1102                    open, begun 9 times, call marked\n"
                 "  1103 to 1150            completed\n"
                 "  1151 and above: the map says nothing\n",
                 "");
}

static void offsets_are_relative_when_the_front_is_unknown(void **state)
{
    (void)state;
    struct buf map OWNED_BY(buf_done);
    const struct offset_open open = {8, 0, false, false};
    buf_init(&map, LIMIT);
    offset_map_add(&map, 7, 9, &open, 1, &(struct offset_map_stamp){.nonce = STAMP.nonce});
    assert_reads(buf_slice(&map), -1,
                 "version    bw2\n"
                 "nonce      3H'!!!\n"
                 "offset     unknown: offsets count from it, and the checksum is not verified\n"
                 "offsets\n"
                 "  +0                      completed\n"
                 "  +1                      open, not begun\n"
                 "  +2                      completed\n"
                 "  +3 and above: the map says nothing\n",
                 "");
}

static void a_map_of_another_offset_has_a_wrong_checksum(void **state)
{
    (void)state;
    struct buf map OWNED_BY(buf_done);
    make_map(&map);
    assert_reads(buf_slice(&map), FRONT + 1, NULL,
                 "the checksum does not match offset 1042: the map is damaged, or it belongs to "
                 "another offset");
}

static void a_map_with_a_flipped_byte_is_shown_as_damaged(void **state)
{
    (void)state;
    struct buf map OWNED_BY(buf_done), page OWNED_BY(buf_done), fault OWNED_BY(buf_done);
    make_map(&map);
    buf_init(&page, LIMIT);
    buf_init(&fault, LIMIT);
    for (size_t i = 0; i < map.len; i++) {
        map.ptr[i] ^= 1;
        buf_reset(&page);
        buf_reset(&fault);
        assert_false(map_reading_add(buf_slice(&map), FRONT, &page, &fault));
        assert_true(fault.len > 0);
        map.ptr[i] ^= 1;
    }
}

static void a_damaged_run_is_named_with_its_byte(void **state)
{
    (void)state;
    assert_reads(SLICE("bw1aaaaaa!!!!!!!!\"!"), -1,
                 "version    bw1\n"
                 "nonce      aaaaaa\n"
                 "offset     unknown: offsets count from it, and the checksum is not verified\n"
                 "offsets\n"
                 "  +0                      open, not begun\n"
                 "  +1                      open, not begun\n",
                 "the map is damaged at byte 18 of 19: no run of offsets is there");
    assert_reads(SLICE("bw1aaaaaa!!!!!!~"), -1, NULL,
                 "the map is damaged at byte 16 of 16: no run of offsets is there");
}

static void metadata_without_a_head_is_explained(void **state)
{
    (void)state;
    assert_reads(SLICE(""), 0, "", "the metadata is empty: no worker committed this offset");
    assert_reads(SLICE("other"), 0, "",
                 "the metadata does not begin with bw: another program committed this offset");
    assert_reads(SLICE("bw3aaaaaa!!!!!!"), 0, "",
                 "a later version of the worker wrote the map: this program reads up to bw2");
    assert_reads(SLICE("bw1aaaaaa!!!"), 0, "",
                 "the map is cut: it has 12 bytes, and its head has 15");
    assert_reads(SLICE("bw1aaaaaa!!!!!~"), 0, "", "the head, bytes 1 to 15, is damaged");
    assert_reads(SLICE("bw2aaaaaa!!!!!!"), 0, "",
                 "the map is cut: it has 15 bytes, and its head has 30");
    assert_reads(SLICE("bw2aaaaaa!!!!!!!!!!!~!!!!!!!!!"), 0, "",
                 "the head, bytes 1 to 30, is damaged");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_map_is_shown_run_by_run),
        cmocka_unit_test(offsets_are_relative_when_the_front_is_unknown),
        cmocka_unit_test(a_map_of_another_offset_has_a_wrong_checksum),
        cmocka_unit_test(a_map_with_a_flipped_byte_is_shown_as_damaged),
        cmocka_unit_test(a_damaged_run_is_named_with_its_byte),
        cmocka_unit_test(metadata_without_a_head_is_explained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
