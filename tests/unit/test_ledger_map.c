/* How a ledger reads offset metadata from the broker, and the bound of its own. */
#include "unit/ledger_kit.h"

#define MESSAGES_MAX 400

/* ---- metadata ---- */

static void metadata_that_is_not_a_map_leaves_the_offset_unchanged(void **state)
{
    (void)state;
    static const struct {
        const char *metadata;
        enum err err;
    } CASES[] = {
        {"", OK},
        {"NTA0NA==", ERR_NOT_ALLOWED},
        {"bw2!!!!!!!!!!!!!!!!", ERR_FORMAT},
        {"bw9 of a later version", ERR_LATER_VERSION},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct ledger ledger OWNED_BY(ledger_done);
        struct slice metadata = slice_of_text(CASES[i].metadata);
        assert_int_equal(ledger_init(&ledger, MAP_LIMIT), OK);
        assert_int_equal(ledger_open(&ledger, 42, metadata), CASES[i].err);
        assert_int_equal(ledger_front(&ledger), 42);
        assert_int_equal(ledger.count, 0);
        assert_true(ledger_agrees(&ledger, 42, metadata));
        assert_false(ledger_agrees(&ledger, 41, metadata));
        assert_false(ledger_agrees(&ledger, 42, SLICE("x")));
        assert_false(ledger_take(&ledger, 41, 1).is_open);
        assert_true(ledger_take(&ledger, 42, 1).is_open);
    }
}

static void metadata_of_any_length_is_recognized(void **state)
{
    (void)state;
    static char bytes[70000];
    struct ledger ledger OWNED_BY(ledger_done);
    memset(bytes, 'x', sizeof bytes);
    struct slice metadata = slice_of(bytes, sizeof bytes);
    assert_int_equal(ledger_init(&ledger, 256), OK);
    assert_int_equal(ledger_open(&ledger, 42, metadata), ERR_NOT_ALLOWED);
    assert_true(ledger_agrees(&ledger, 42, metadata));
    bytes[sizeof bytes - 1] = 'y';
    metadata.len--;
    assert_false(ledger_agrees(&ledger, 42, metadata));
}

/* kafka.offset_metadata_max was larger when this map was written. */
static void a_map_over_the_limit_is_kept_until_it_has_shrunk(void **state)
{
    (void)state;
    struct ledger ledger OWNED_BY(ledger_done);
    struct buf map OWNED_BY(buf_done);
    buf_init(&map, LEDGER_MAP_BYTES_MAX);
    open_ledger(&ledger, 65536, 0, SLICE_NULL);
    for (int64_t i = 0; i < 8000; i++) {
        take(&ledger, i);
        begin(&ledger, i);
    }
    for (int64_t i = 1; i < 8000; i += 2)
        finish(&ledger, i);
    commit(&ledger, &map);
    assert_true(map.len > 4096);
    ledger_done(&ledger);
    open_ledger(&ledger, 256, 0, buf_slice(&map));
    assert_int_equal(ledger.count, 4000);
    for (int64_t i = 0; i < 8000; i++) {
        assert_int_equal(ledger_room(&ledger), 1);
        assert_true(ledger_fits(&ledger, i));
        assert_int_equal(ledger_take(&ledger, i, 1).is_open, i % 2 == 0);
    }
    assert_int_equal(ledger_room(&ledger), 0);
    assert_false(ledger_fits(&ledger, 8000));
    commit(&ledger, &map);
    assert_true(map.len > 4000);
    for (int64_t i = 0; i < 8000; i += 2) {
        ledger_record(&ledger, i, true);
        finish(&ledger, i);
    }
    commit(&ledger, &map);
    assert_int_equal(map.len, OFFSET_MAP_HEAD_LEN);
    assert_true(ledger_room(&ledger) > 0);
}

/* A map of version 0.1.0 as full as that version let it become: its open offsets have these gaps
 * between them. */
static void fill_bw1(struct ledger *ledger, int64_t gap, struct buf *ret_map)
{
    static struct offset_open open[MAP_LIMIT];
    size_t gap_cost = gap == 0 ? 0 : gap < 30 ? 1 : 2; /* in bw1 */
    size_t count = 0;
    for (size_t bytes = 15; bytes + 1 + gap_cost <= MAP_LIMIT; bytes += 1 + gap_cost) {
        open[count] = (struct offset_open){.offset = (int64_t)count * (gap + 1)};
        count++;
    }
    buf_reset(ret_map);
    offset_map_add_bw1(ret_map, 0, open[count - 1].offset + gap, open, count, 1);
    open_ledger(ledger, MAP_LIMIT, 0, buf_slice(ret_map));
    for (size_t i = 0; i < count; i++)
        take(ledger, open[i].offset);
}

static bool is_bw1(const struct buf *map)
{
    return slice_starts(buf_slice(map), SLICE("bw1"));
}

static void a_full_map_of_the_first_version_never_grows_over_the_limit(void **state)
{
    (void)state;
    static const int64_t GAPS[] = {0, 1, 29, 30, 35, 36};
    struct random random;
    random_init(&random, 3);
    for (size_t i = 0; i < COUNT_OF(GAPS); i++) {
        struct ledger ledger OWNED_BY(ledger_done);
        struct buf map OWNED_BY(buf_done);
        buf_init(&map, LEDGER_MAP_BYTES_MAX);
        fill_bw1(&ledger, GAPS[i], &map);
        bool is_full = ledger_map_bound(&ledger) > MAP_LIMIT;
        assert_int_equal(is_full, GAPS[i] < 30 || GAPS[i] > 35); /* bw2 says those shorter */
        assert_true(!is_full || ledger_room(&ledger) <= 1);
        for (size_t k = 0; k < ledger.count; k += 2) /* no run saves a symbol */
            ledger_mark(&ledger, ledger.entries[k].offset);
        commit(&ledger, &map);
        assert_int_equal(is_bw1(&map), is_full);
        while (ledger.count > 0) {
            finish(&ledger, ledger.entries[random_below(&random, ledger.count)].offset);
            bool was_bw1 = is_bw1(&map);
            commit(&ledger, &map);
            assert_true(map.len <= MAP_LIMIT);
            assert_true(was_bw1 || !is_bw1(&map));
        }
        assert_false(is_bw1(&map));
        assert_true(ledger_room(&ledger) > 1);
    }
}

static void a_map_of_the_first_version_that_fits_is_replaced_at_once(void **state)
{
    (void)state;
    static const struct offset_open OPEN = {.offset = 5};
    struct ledger ledger OWNED_BY(ledger_done);
    struct buf map OWNED_BY(buf_done);
    buf_init(&map, LEDGER_MAP_BYTES_MAX);
    offset_map_add_bw1(&map, 5, 6, &OPEN, 1, 1);
    open_ledger(&ledger, MAP_LIMIT, 5, buf_slice(&map));
    take(&ledger, 5);
    commit(&ledger, &map);
    assert_false(is_bw1(&map));
}

static void a_map_with_too_many_open_offsets_is_rejected(void **state)
{
    (void)state;
    struct ledger ledger OWNED_BY(ledger_done);
    struct buf map OWNED_BY(buf_done);
    buf_init(&map, MAP_LIMIT);
    size_t count = LEDGER_OPEN_MAX + 1;
    struct offset_open *open = memory_new(count * sizeof *open);
    assert_non_null(open);
    for (size_t i = 0; i < count; i++)
        open[i].offset = (int64_t)i;
    offset_map_add(&map, 0, LEDGER_OPEN_MAX, open, count, &(struct offset_map_stamp){.nonce = 1});
    assert_int_equal(ledger_init(&ledger, MAP_LIMIT), OK);
    assert_int_equal(ledger_open(&ledger, 0, buf_slice(&map)), ERR_FORMAT);
    assert_int_equal(ledger.count, 0);
    buf_reset(&map);
    offset_map_add(&map, 0, LEDGER_OPEN_MAX, open, count - 1,
                   &(struct offset_map_stamp){.nonce = 1});
    assert_int_equal(ledger_open(&ledger, 0, buf_slice(&map)), OK);
    assert_int_equal(ledger.count, LEDGER_OPEN_MAX);
    memory_free(open);
}

/* ---- the bound ---- */

/* The worst case: every kind differs from its neighbour, so that no run saves a symbol. */
static void begin_differently(struct ledger *ledger, size_t i)
{
    if (i % 2 == 0)
        ledger_begin(ledger, ledger->entries[i].offset);
}

static void assert_within_bound(const struct ledger *ledger)
{
    struct buf map OWNED_BY(buf_done);
    buf_init(&map, LEDGER_MAP_BYTES_MAX);
    assert_int_equal(ledger_add_map(ledger, &(struct offset_map_stamp){.nonce = 1}, &map), OK);
    assert_true(map.len <= OFFSET_MAP_HEAD_LEN + ledger->cost);
    assert_true(map.len <= ledger->map_bytes_max);
}

static void fill(struct ledger *ledger, struct random *random, int64_t gap_bits)
{
    int64_t offset = 0;
    while (ledger->count < MESSAGES_MAX && ledger_room(ledger) > 0) {
        if (random_below(random, 4) == 0)
            offset +=
                (int64_t)random_below(random, 1ULL << random_below(random, (uint64_t)gap_bits));
        assert_true(ledger_fits(ledger, offset));
        take(ledger, offset++);
    }
    for (size_t i = 0; i < ledger->count; i++)
        begin_differently(ledger, i);
}

static void random_orders_of_finishing_keep_the_bound(void **state)
{
    (void)state;
    struct random random;
    struct buf map OWNED_BY(buf_done);
    random_init(&random, 6);
    buf_init(&map, LEDGER_MAP_BYTES_MAX);
    for (int round = 0; round < 60; round++) {
        struct ledger ledger OWNED_BY(ledger_done);
        open_ledger(&ledger, 128 + random_below(&random, 900), 0, SLICE_NULL);
        fill(&ledger, &random, 1 + (int64_t)random_below(&random, 58));
        assert_within_bound(&ledger);
        if (random_below(&random, 2) == 0) /* the log ends far behind the last one */
            ledger_end(&ledger, ledger.next + (int64_t)random_below(&random, 1ULL << 61));
        while (ledger.count > 0) {
            finish(&ledger, ledger.entries[random_below(&random, ledger.count)].offset);
            commit(&ledger, &map);
            assert_true(map.len <= ledger.map_bytes_max);
            assert_within_bound(&ledger);
        }
    }
}

/* All 5,040 orders of 7 offsets with the gaps that cost most. */
static void finish_in_order(const size_t order[7], const int64_t offsets[7])
{
    struct ledger ledger OWNED_BY(ledger_done);
    struct buf map OWNED_BY(buf_done);
    buf_init(&map, LEDGER_MAP_BYTES_MAX);
    open_ledger(&ledger, 256, 0, SLICE_NULL);
    for (size_t i = 0; i < 7; i++) {
        take(&ledger, offsets[i]);
        begin_differently(&ledger, i);
    }
    ledger_end(&ledger, offsets[6] + 40);
    size_t most = ledger.cost + OFFSET_MAP_HEAD_LEN;
    for (size_t i = 0; i < 7; i++) {
        finish(&ledger, offsets[order[i]]);
        commit(&ledger, &map);
        assert_true(map.len <= most);
        assert_within_bound(&ledger);
    }
    assert_int_equal(map.len, OFFSET_MAP_HEAD_LEN);
}

static bool next_order(size_t order[7])
{
    size_t i = 6;
    while (i > 0 && order[i - 1] > order[i])
        i--;
    if (i == 0)
        return false;
    size_t k = 6;
    while (order[k] < order[i - 1])
        k--;
    size_t swapped = order[k];
    order[k] = order[i - 1];
    order[i - 1] = swapped;
    for (size_t low = i, high = 6; low < high; low++, high--) {
        swapped = order[low];
        order[low] = order[high];
        order[high] = swapped;
    }
    return true;
}

static void every_order_of_seven_messages_keeps_the_bound(void **state)
{
    (void)state;
    static const int64_t OFFSETS[][7] = {
        {0, 1, 2, 3, 4, 5, 6},
        {0, 2, 4, 6, 8, 10, 12},
        {5, 36, 67, 98, 99, 175, 252},
        {0, 30, 31, 62, 10000, 20001, 200000},
    };
    for (size_t i = 0; i < COUNT_OF(OFFSETS); i++) {
        size_t order[7] = {0, 1, 2, 3, 4, 5, 6};
        int orders = 0;
        do {
            finish_in_order(order, OFFSETS[i]);
            orders++;
        } while (next_order(order));
        assert_int_equal(orders, 5040);
    }
}

static void a_full_map_has_room_again_after_a_commit(void **state)
{
    (void)state;
    struct ledger ledger OWNED_BY(ledger_done);
    struct buf map OWNED_BY(buf_done);
    buf_init(&map, MAP_LIMIT);
    open_ledger(&ledger, MAP_LIMIT, 0, SLICE_NULL);
    while (ledger_room(&ledger) > 0)
        take(&ledger, ledger.next);
    assert_true(ledger.count > 800);
    assert_false(ledger_fits(&ledger, ledger.next));
    for (int64_t offset = 1; offset < 100; offset++)
        finish(&ledger, offset);
    assert_int_equal(ledger_room(&ledger), 0); /* finished is not committed */
    commit(&ledger, &map);
    assert_true(ledger_room(&ledger) > 0);
    assert_true(map.len <= MAP_LIMIT);
}

/* A successor may always take the open offsets of a map, even of a full one. A record above it does
 * not fit, which shows only when it comes. */
static void a_full_map_accepts_its_open_offsets_and_none_above(void **state)
{
    (void)state;
    struct ledger ledger OWNED_BY(ledger_done);
    struct buf map OWNED_BY(buf_done);
    buf_init(&map, MAP_LIMIT);
    open_ledger(&ledger, 64, 0, SLICE_NULL);
    for (int64_t i = 0; ledger_room(&ledger) > 0; i++) {
        take(&ledger, i);
        begin(&ledger, i);
    }
    ledger_end(&ledger, ledger.next + 3);
    commit(&ledger, &map);
    int64_t open = (int64_t)ledger.count;
    pass_on(&ledger, &map);
    for (int64_t i = 0; i < open; i++) {
        assert_int_equal(ledger_room(&ledger), 1);
        assert_true(ledger_fits(&ledger, i));
        take(&ledger, i);
    }
    assert_int_equal(ledger_room(&ledger), 1); /* there may be one among the last three */
    assert_true(ledger_fits(&ledger, open + 2));
    assert_false(ledger_fits(&ledger, open + 3));
    ledger_end(&ledger, open + 3);
    assert_int_equal(ledger_room(&ledger), 0);
}

static bool make_ledger(void *self)
{
    (void)self;
    struct ledger ledger;
    bool made = ledger_init(&ledger, MAP_LIMIT) == OK;
    ledger_done(&ledger);
    return made;
}

static void a_ledger_without_memory_fails(void **state)
{
    (void)state;
    memory_fail_after(0);
    assert_false(make_ledger(NULL));
    memory_fail_after(-1);
    assert_true(make_ledger(NULL));
    struct ledger ledger OWNED_BY(ledger_done);
    struct buf map OWNED_BY(buf_done);
    buf_init(&map, MAP_LIMIT);
    open_ledger(&ledger, MAP_LIMIT, 0, SLICE_NULL);
    take(&ledger, 0);
    begin(&ledger, 0);
    for (int64_t passes = 0;; passes++) {
        buf_reset(&map);
        memory_fail_after(passes);
        enum err err = ledger_add_map(&ledger, &(struct offset_map_stamp){.nonce = 1}, &map);
        memory_fail_after(-1);
        if (err == OK)
            break;
        assert_int_equal(err, ERR_NO_MEMORY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(metadata_that_is_not_a_map_leaves_the_offset_unchanged),
        cmocka_unit_test(metadata_of_any_length_is_recognized),
        cmocka_unit_test(a_map_over_the_limit_is_kept_until_it_has_shrunk),
        cmocka_unit_test(a_full_map_of_the_first_version_never_grows_over_the_limit),
        cmocka_unit_test(a_map_of_the_first_version_that_fits_is_replaced_at_once),
        cmocka_unit_test(a_map_with_too_many_open_offsets_is_rejected),
        cmocka_unit_test(random_orders_of_finishing_keep_the_bound),
        cmocka_unit_test(every_order_of_seven_messages_keeps_the_bound),
        cmocka_unit_test(a_full_map_has_room_again_after_a_commit),
        cmocka_unit_test(a_full_map_accepts_its_open_offsets_and_none_above),
        cmocka_unit_test(a_ledger_without_memory_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
