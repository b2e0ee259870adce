#include "unit/unit.h"

#include <stdio.h>

#include "base/memory.h"
#include "base/random.h"
#include "unit/torture.h"
#include "wire/formats/hash.h"
#include "wire/formats/offset_map.h"

#define OPEN_MAX  600
#define MAP_LIMIT 65536

static const struct offset_map_stamp STAMP = {
    .nonce = 12345, .topic = 0x89abcdef, .second = 1795000000, .partitions = 1000};

static void add_map(struct buf *buf, int64_t front, int64_t last, const struct offset_open *open,
                    size_t count)
{
    offset_map_add(buf, front, last, open, count, &STAMP);
    assert_int_equal(buf->failed, OK);
}

static void assert_same(const struct offset_open *seen, const struct offset_open *expected)
{
    assert_true(seen->offset == expected->offset);
    assert_int_equal(seen->begun, expected->begun);
    assert_int_equal(seen->is_under_way, expected->is_under_way);
    assert_int_equal(seen->is_marked, expected->is_marked);
}

/* Writes, reads, compares; returns how long the map is. */
static size_t round_trip(int64_t front, int64_t last, const struct offset_open *open, size_t count)
{
    static struct offset_open seen[OPEN_MAX];
    struct buf buf OWNED_BY(buf_done);
    size_t seen_count = 77;
    int64_t seen_last = -77;
    buf_init(&buf, MAP_LIMIT);
    add_map(&buf, front, last, open, count);
    assert_int_equal(
        offset_map_read(buf_slice(&buf), front, seen, OPEN_MAX, &seen_count, &seen_last), OK);
    assert_int_equal(seen_count, count);
    assert_true(seen_last == last);
    for (size_t i = 0; i < count; i++)
        assert_same(&seen[i], &open[i]);
    for (size_t i = 0; i < buf.len; i++)
        assert_true(buf.ptr[i] > ' ' && buf.ptr[i] <= '~' && buf.ptr[i] != '"' &&
                    buf.ptr[i] != '\\');
    return buf.len;
}

static void a_map_without_open_offsets_is_only_its_head(void **state)
{
    (void)state;
    assert_int_equal(round_trip(0, -1, NULL, 0), OFFSET_MAP_HEAD_LEN);
    assert_int_equal(round_trip(42, 41, NULL, 0), OFFSET_MAP_HEAD_LEN);
    assert_int_equal(round_trip(42, 42, NULL, 0), OFFSET_MAP_HEAD_LEN + 1);
}

static void every_kind_of_open_offset_is_read_back(void **state)
{
    (void)state;
    for (uint8_t begun = 0; begun <= OFFSET_MAP_BEGUN_MAX; begun++) {
        struct offset_open open[] = {{7, begun, false, false},
                                     {9, begun, begun > 0, false},
                                     {11, begun, begun > 0, begun > 0}};
        assert_int_equal(round_trip(7, 11, open, 3), OFFSET_MAP_HEAD_LEN + 5);
    }
}

static void runs_of_one_kind_take_few_symbols(void **state)
{
    (void)state;
    static struct offset_open open[OPEN_MAX];
    for (size_t i = 0; i < OPEN_MAX; i++)
        open[i] = (struct offset_open){1000 + (int64_t)i, 2, true, false};
    for (size_t count = 1; count <= OPEN_MAX; count++)
        assert_true(round_trip(1000, 999 + (int64_t)count, open, count) <= OFFSET_MAP_HEAD_LEN + 4);
}

/* Every gap near a limit of the notation, and offsets as large as Kafka's. */
static void gaps_of_every_size_are_read_back_at_the_stated_cost(void **state)
{
    (void)state;
    int64_t edges[64] = {0, 1, 2, 34, 35, 36, 37};
    size_t count = 7;
    for (int64_t power = 46; power < INT64_MAX / 46 && count + 4 < COUNT_OF(edges); power *= 46)
        for (int64_t i = -1; i < 2; i++)
            edges[count++] = 36 + power + i;
    for (size_t i = 0; i < count; i++) {
        int64_t upper = 5 + edges[i] + 1;
        struct offset_open open[] = {{5, 0, false, false}, {upper, 1, true, false}};
        size_t len = round_trip(5, upper, open, 2);
        assert_int_equal(len, OFFSET_MAP_HEAD_LEN + 2 + offset_map_gap_cost(5, upper));
        assert_true(offset_map_gap_cost(5, upper) <= OFFSET_MAP_GAP_COST_MAX);
        assert_int_equal(round_trip(5, upper - 1, open, 1),
                         OFFSET_MAP_HEAD_LEN + 1 + offset_map_gap_cost(5, upper));
    }
    assert_int_equal(offset_map_gap_cost(0, INT64_MAX), OFFSET_MAP_GAP_COST_MAX);
    struct offset_open open[] = {{0, 0, false, false}, {INT64_MAX - 1, 1, true, false}};
    assert_true(round_trip(0, INT64_MAX - 1, open, 2) > 0);
}

/* What makes the bound of the ledger hold: when an offset finishes, the gap that swallows it costs
 * no more than the two gaps and the offset did. */
static void a_gap_costs_no_more_than_its_parts(void **state)
{
    (void)state;
    struct random random;
    random_init(&random, 4);
    for (int round = 0; round < 200000; round++) {
        int64_t left = (int64_t)random_below(&random, 1ULL << random_below(&random, 61));
        int64_t right = (int64_t)random_below(&random, 1ULL << random_below(&random, 61));
        int64_t middle = left + 1;
        int64_t upper = middle + 1 + right;
        assert_true(offset_map_gap_cost(0, upper) <=
                    offset_map_gap_cost(0, middle) + 1 + offset_map_gap_cost(middle, upper));
    }
}

static size_t random_open(struct random *random, int64_t front, struct offset_open *ret_open,
                          int64_t *ret_last)
{
    size_t count = random_below(random, 60);
    int64_t offset = front;
    int kinds = 1 + (int)random_below(random, 4);
    for (size_t i = 0; i < count; i++) {
        if (random_below(random, 3) == 0)
            offset += (int64_t)random_below(random, 1ULL << random_below(random, 20));
        uint8_t begun = (uint8_t)random_below(random, (uint64_t)kinds);
        bool is_under_way = begun > 0 && random_below(random, 2) > 0;
        bool is_marked = is_under_way && random_below(random, 2) > 0;
        ret_open[i] = (struct offset_open){offset++, begun, is_under_way, is_marked};
    }
    *ret_last = offset - 1 + (int64_t)random_below(random, 50);
    return count;
}

static size_t bound_of(int64_t front, int64_t last, const struct offset_open *open, size_t count)
{
    size_t bound = OFFSET_MAP_HEAD_LEN + count;
    int64_t before = front - 1;
    for (size_t i = 0; i < count; i++) {
        bound += offset_map_gap_cost(before, open[i].offset);
        before = open[i].offset;
    }
    return bound + offset_map_gap_cost(before, last + 1);
}

static void random_maps_are_read_back_and_stay_within_their_bound(void **state)
{
    (void)state;
    struct random random;
    struct offset_open open[60];
    random_init(&random, 1);
    for (int round = 0; round < 5000; round++) {
        int64_t front = (int64_t)random_below(&random, 1ULL << random_below(&random, 50));
        int64_t last;
        size_t count = random_open(&random, front, open, &last);
        assert_true(round_trip(front, last, open, count) <= bound_of(front, last, open, count));
    }
}

static enum err read_any(struct slice metadata, int64_t front)
{
    static struct offset_open open[OPEN_MAX];
    size_t count;
    int64_t last;
    return offset_map_read(metadata, front, open, OPEN_MAX, &count, &last);
}

static void every_flipped_bit_is_rejected(void **state)
{
    (void)state;
    struct random random;
    struct offset_open open[60];
    random_init(&random, 2);
    for (int round = 0; round < 60; round++) {
        int64_t last;
        size_t count = random_open(&random, 500, open, &last);
        struct buf buf OWNED_BY(buf_done);
        buf_init(&buf, MAP_LIMIT);
        add_map(&buf, 500, last, open, count);
        for (size_t bit = 0; bit < buf.len * 8; bit++) {
            buf.ptr[bit / 8] = (char)(buf.ptr[bit / 8] ^ (1 << (bit % 8)));
            enum err err = read_any(buf_slice(&buf), 500);
            assert_true(err == ERR_FORMAT || (err == ERR_NOT_ALLOWED && bit < 16) ||
                        (err == ERR_LATER_VERSION && bit >= 16 && bit < 24));
            buf.ptr[bit / 8] = (char)(buf.ptr[bit / 8] ^ (1 << (bit % 8)));
        }
        assert_int_equal(read_any(buf_slice(&buf), 500), OK);
    }
}

static void a_shortened_or_lengthened_map_is_rejected(void **state)
{
    (void)state;
    struct offset_open open[] = {
        {10, 1, true, false}, {11, 0, false, false}, {400, 3, false, false}};
    struct buf buf OWNED_BY(buf_done);
    buf_init(&buf, MAP_LIMIT);
    add_map(&buf, 10, 900, open, COUNT_OF(open));
    for (size_t len = 2; len < buf.len; len++)
        assert_int_equal(read_any(slice_of(buf.ptr, len), 10), ERR_FORMAT);
    assert_int_equal(read_any(slice_of(buf.ptr, 0), 10), ERR_NOT_FOUND);
    assert_int_equal(read_any(slice_of(buf.ptr, 1), 10), ERR_NOT_ALLOWED);
    buf_add_byte(&buf, '!');
    assert_int_equal(read_any(buf_slice(&buf), 10), ERR_FORMAT);
}

static void a_map_is_valid_only_for_its_front(void **state)
{
    (void)state;
    struct buf buf OWNED_BY(buf_done);
    buf_init(&buf, MAP_LIMIT);
    struct offset_open open[] = {{10, 0, false, false}};
    add_map(&buf, 10, 12, open, 1);
    for (int64_t front = -1; front < 2000; front++)
        assert_int_equal(read_any(buf_slice(&buf), front), front == 10 ? OK : ERR_FORMAT);
    assert_int_equal(read_any(buf_slice(&buf), INT64_MAX), ERR_FORMAT);
}

static void metadata_of_other_programs_is_distinguished_from_damage(void **state)
{
    (void)state;
    static const char *const FOREIGN[] = {"hello", "NTA0NA==", "{\"v\":1}", "b",
                                          "BW1",   " bw1",     "\xff\xfe",  "jAAAAA"};
    for (size_t i = 0; i < COUNT_OF(FOREIGN); i++)
        assert_int_equal(read_any(slice_of_text(FOREIGN[i]), 5), ERR_NOT_ALLOWED);
    assert_int_equal(read_any(SLICE(""), 5), ERR_NOT_FOUND);
    assert_int_equal(read_any(SLICE_NULL, 5), ERR_NOT_FOUND);
    assert_int_equal(read_any(SLICE("bw"), 5), ERR_FORMAT);
    assert_int_equal(read_any(SLICE("bw0"), 5), ERR_FORMAT);
    assert_int_equal(read_any(SLICE("bw1"), 5), ERR_FORMAT);
    assert_int_equal(read_any(SLICE("bw2!!!!!!!!!!!!!!!!!!"), 5), ERR_FORMAT);
}

static void a_map_of_a_later_version_is_distinguished_from_damage(void **state)
{
    (void)state;
    char later[] = "bw3!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!";
    for (later[2] = '3'; later[2] <= '~'; later[2]++)
        assert_int_equal(read_any(slice_of_text(later), 5), ERR_LATER_VERSION);
}

static void the_stamp_is_read_back(void **state)
{
    (void)state;
    static const struct offset_map_stamp STAMPS[] = {
        {0, 0, 0, 0},
        {1, 2, 3, 4},
        {UINT32_MAX, UINT32_MAX, UINT32_MAX, OFFSET_MAP_PARTITIONS_MAX},
    };
    for (size_t i = 0; i < COUNT_OF(STAMPS); i++) {
        struct offset_map_head head;
        struct buf buf OWNED_BY(buf_done);
        buf_init(&buf, MAP_LIMIT);
        offset_map_add(&buf, 5, 4, NULL, 0, &STAMPS[i]);
        assert_int_equal(offset_map_read_head(buf_slice(&buf), &head), OK);
        assert_true(offset_map_fits(&head, 5));
        assert_int_equal(head.number, OFFSET_MAP_NUMBER);
        assert_int_equal(head.stamp.topic, STAMPS[i].topic);
        assert_int_equal(head.stamp.second, STAMPS[i].second);
        assert_int_equal(head.stamp.partitions, STAMPS[i].partitions);
    }
}

static void more_partitions_than_three_symbols_can_say_are_said_as_the_most(void **state)
{
    (void)state;
    struct offset_map_stamp stamp = {.partitions = OFFSET_MAP_PARTITIONS_MAX + 1};
    struct offset_map_head head;
    struct buf buf OWNED_BY(buf_done);
    buf_init(&buf, MAP_LIMIT);
    offset_map_add(&buf, 5, 4, NULL, 0, &stamp);
    assert_int_equal(offset_map_read_head(buf_slice(&buf), &head), OK);
    assert_int_equal(head.stamp.partitions, OFFSET_MAP_PARTITIONS_MAX);
}

static void the_hash_of_a_topic_is_zero_only_for_an_unknown_id(void **state)
{
    (void)state;
    static const char CRC_IS_ZERO[] = {(char)0x9d, 0x0a, (char)0xd9, 0x6d};
    assert_int_equal(offset_map_topic(SLICE("")), 0);
    assert_int_equal(hash_crc32(0, slice_of(CRC_IS_ZERO, 4)), 0);
    assert_int_equal(offset_map_topic(slice_of(CRC_IS_ZERO, 4)), 1);
    assert_int_not_equal(offset_map_topic(SLICE("0123456789abcdef")),
                         offset_map_topic(SLICE("0123456789abcdeg")));
}

/* Handmade runs under a head with a valid checksum. */
static void seal_as(struct buf *buf, const char *version, int64_t front, const char *sealed)
{
    static const char ALPHABET[] = "!#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNO";
    char number[24];
    (void)snprintf(number, sizeof number, "%lld", (long long)front);
    uint32_t crc = hash_crc32(0, slice_of_text(number));
    crc = hash_crc32(hash_crc32(crc, SLICE("!!!!!!")), slice_of_text(sealed));
    buf_reset(buf);
    buf_add_text(buf, version);
    buf_add_text(buf, "!!!!!!");
    for (int i = 0; i < 6; i++, crc /= 46)
        buf_add_byte(buf, ALPHABET[crc % 46]);
    buf_add_text(buf, sealed);
}

static void seal(struct buf *buf, int64_t front, const char *runs)
{
    char sealed[128];
    (void)snprintf(sealed, sizeof sealed, "!!!!!!!!!!!!!!!%s", runs);
    seal_as(buf, OFFSET_MAP_VERSION, front, sealed);
}

/* A map that version 0.1.0 wrote: offset 7 begun 15 times and running, 8 never begun, 29 and then
 * 30 done, 68 begun once, and one done above. */
static void a_map_of_the_first_version_is_read(void **state)
{
    (void)state;
    struct offset_open seen[4];
    struct offset_map_head head;
    size_t count;
    int64_t last;
    struct buf buf OWNED_BY(buf_done);
    buf_init(&buf, MAP_LIMIT);
    seal_as(&buf, "bw1", 7, "@!}~!#a");
    assert_int_equal(offset_map_read(buf_slice(&buf), 7, seen, 4, &count, &last), OK);
    assert_int_equal(count, 3);
    assert_same(&seen[0], &(struct offset_open){7, OFFSET_MAP_BEGUN_MAX, true, false});
    assert_same(&seen[1], &(struct offset_open){8, 0, false, false});
    assert_same(&seen[2], &(struct offset_open){68, 1, false, false});
    assert_true(last == 69);
    assert_int_equal(offset_map_read_head(buf_slice(&buf), &head), OK);
    assert_int_equal(head.number, 1);
    assert_int_equal(head.stamp.second + head.stamp.topic + head.stamp.partitions, 0);
}

static void a_map_in_the_first_version_is_written_as_that_version_wrote_it(void **state)
{
    (void)state;
    static const struct offset_open OPEN[] = {
        {7, 9, true, false}, {8, 0, false, false}, {68, 1, false, false}, {70, 2, true, true}};
    struct buf expected OWNED_BY(buf_done), buf OWNED_BY(buf_done);
    buf_init(&expected, MAP_LIMIT);
    buf_init(&buf, MAP_LIMIT);
    seal_as(&expected, "bw1", 7, ":!~?#a3b");
    offset_map_add_bw1(&buf, 7, 72, OPEN, COUNT_OF(OPEN), 0);
    assert_string_equal(buf_text(&buf), buf_text(&expected));
}

static void add_nonce(struct buf *buf, uint32_t nonce)
{
    offset_map_add(buf, 5, 4, NULL, 0, &(struct offset_map_stamp){.nonce = nonce});
}

/* A map of two commits of the same front is never the same text: the nonce differs. */
static void the_nonce_makes_two_commits_differ(void **state)
{
    (void)state;
    struct buf one OWNED_BY(buf_done);
    struct buf two OWNED_BY(buf_done);
    buf_init(&one, MAP_LIMIT);
    buf_init(&two, MAP_LIMIT);
    uint32_t nonces[] = {0, 1, 45, 46, 91, 92, 1U << 31, UINT32_MAX - 1, UINT32_MAX};
    for (size_t i = 0; i < COUNT_OF(nonces); i++)
        for (size_t k = 0; k < COUNT_OF(nonces); k++) {
            buf_reset(&one);
            buf_reset(&two);
            add_nonce(&one, nonces[i]);
            add_nonce(&two, nonces[k]);
            assert_int_equal(slice_equal(buf_slice(&one), buf_slice(&two)), i == k);
            assert_int_equal(read_any(buf_slice(&one), 5), OK);
        }
}

static void invalid_runs_are_rejected_under_a_valid_checksum(void **state)
{
    (void)state;
    static const struct {
        const char *runs;
        enum err err;
    } CASES[] = {
        {"", OK},
        {"!!!", OK},
        {"\x7f", ERR_FORMAT},
        {" ", ERR_FORMAT},
        {"!\"", ERR_FORMAT},
        {"!\\", ERR_FORMAT},
        {"~", ERR_FORMAT},                /* a run without its number */
        {"A", ERR_FORMAT},                /* likewise */
        {"A!", ERR_FORMAT},               /* a run of none */
        {"A#", OK},                       /* of one */
        {"~|", ERR_FORMAT},               /* a number without its end */
        {"~||||||||||||||", ERR_FORMAT},  /* a number that is too long */
        {"~}}}}}}}}}}}M", ERR_FORMAT},    /* a number over 63 bits */
        {"A}}}}}!", ERR_TOO_LARGE},       /* more open offsets than there is room */
        {"~}}}}}}}}}}%~}}}}}}}}}}%", OK}, /* far, but still an offset */
        {"~}}}}}}}}}}}-~}}}}}}}}}}}-~}}}}}}}}}}}-", ERR_FORMAT}, /* beyond every offset */
    };
    struct buf buf OWNED_BY(buf_done);
    buf_init(&buf, MAP_LIMIT);
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        seal(&buf, 1234, CASES[i].runs);
        enum err err = read_any(buf_slice(&buf), 1234);
        if (err != CASES[i].err)
            fail_msg("runs %s: %s", CASES[i].runs, err_name(err));
    }
}

static void an_array_that_is_too_small_is_not_overrun(void **state)
{
    (void)state;
    struct offset_open open[] = {{0, 0, false, false}, {1, 1, false, false}, {2, 2, false, false}};
    struct offset_open seen[3];
    struct buf buf OWNED_BY(buf_done);
    size_t count;
    int64_t last;
    buf_init(&buf, MAP_LIMIT);
    add_map(&buf, 0, 2, open, 3);
    for (size_t room = 0; room <= 3; room++) {
        assert_int_equal(offset_map_read(buf_slice(&buf), 0, seen, room, &count, &last),
                         room == 3 ? OK : ERR_TOO_LARGE);
        assert_int_equal(count, 3);
    }
}

static void open_offsets_that_do_not_fit_are_counted_but_not_written(void **state)
{
    (void)state;
    static const struct {
        const char *runs;
        size_t count;
    } CASES[] = {
        {"!A.!!", 15},                        /* one, thirteen, one */
        {"A}}}}}!", 201386020},               /* a run of many */
        {"A}}}}}!aA}}}}}!", 402772040},       /* twice, with a gap between */
        {"A}}}}}}}}}}%", 168740306653711268}, /* more than any memory holds */
    };
    struct buf buf OWNED_BY(buf_done);
    buf_init(&buf, MAP_LIMIT);
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct offset_open seen[3] = {{0}, {0}, {-1, 7, true, false}};
        size_t count = 0;
        int64_t last = -1;
        seal(&buf, 1234, CASES[i].runs);
        assert_int_equal(offset_map_read(buf_slice(&buf), 1234, seen, 2, &count, &last),
                         ERR_TOO_LARGE);
        assert_int_equal(count, CASES[i].count);
        assert_int_equal(seen[2].offset, -1);
    }
}

static bool write_one(void *self)
{
    (void)self;
    struct offset_open open[] = {{3, 1, true, false}, {90, 0, false, false}};
    struct buf buf OWNED_BY(buf_done);
    buf_init(&buf, MAP_LIMIT);
    offset_map_add(&buf, 3, 5000, open, 2, &STAMP);
    return buf.failed == OK;
}

static void a_map_without_memory_is_not_written_in_part(void **state)
{
    (void)state;
    assert_true(torture(write_one, NULL) > 0);
}

static void a_map_over_the_limit_of_its_buf_fails(void **state)
{
    (void)state;
    struct buf buf OWNED_BY(buf_done);
    buf_init(&buf, OFFSET_MAP_HEAD_LEN + 1);
    struct offset_open open[] = {{3, 1, true, false}, {4, 2, true, false}};
    offset_map_add(&buf, 3, 3, open, 1, &STAMP);
    assert_int_equal(buf.failed, OK);
    buf_reset(&buf);
    offset_map_add(&buf, 3, 4, open, 2, &STAMP);
    assert_int_not_equal(buf.failed, OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_map_without_open_offsets_is_only_its_head),
        cmocka_unit_test(every_kind_of_open_offset_is_read_back),
        cmocka_unit_test(runs_of_one_kind_take_few_symbols),
        cmocka_unit_test(gaps_of_every_size_are_read_back_at_the_stated_cost),
        cmocka_unit_test(a_gap_costs_no_more_than_its_parts),
        cmocka_unit_test(random_maps_are_read_back_and_stay_within_their_bound),
        cmocka_unit_test(every_flipped_bit_is_rejected),
        cmocka_unit_test(a_shortened_or_lengthened_map_is_rejected),
        cmocka_unit_test(a_map_is_valid_only_for_its_front),
        cmocka_unit_test(metadata_of_other_programs_is_distinguished_from_damage),
        cmocka_unit_test(a_map_of_a_later_version_is_distinguished_from_damage),
        cmocka_unit_test(the_stamp_is_read_back),
        cmocka_unit_test(more_partitions_than_three_symbols_can_say_are_said_as_the_most),
        cmocka_unit_test(the_hash_of_a_topic_is_zero_only_for_an_unknown_id),
        cmocka_unit_test(a_map_of_the_first_version_is_read),
        cmocka_unit_test(a_map_in_the_first_version_is_written_as_that_version_wrote_it),
        cmocka_unit_test(the_nonce_makes_two_commits_differ),
        cmocka_unit_test(invalid_runs_are_rejected_under_a_valid_checksum),
        cmocka_unit_test(an_array_that_is_too_small_is_not_overrun),
        cmocka_unit_test(open_offsets_that_do_not_fit_are_counted_but_not_written),
        cmocka_unit_test(a_map_without_memory_is_not_written_in_part),
        cmocka_unit_test(a_map_over_the_limit_of_its_buf_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
