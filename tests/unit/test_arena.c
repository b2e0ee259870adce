#include "unit/unit.h"

#include <stdalign.h>

#include "base/arena.h"
#include "base/random.h"
#include "unit/torture.h"

static bool is_aligned(const void *ptr)
{
    return (uintptr_t)ptr % alignof(max_align_t) == 0;
}

static void allocations_are_zeroed_aligned_and_disjoint(void **state)
{
    (void)state;
    struct arena arena OWNED_BY(arena_done);
    struct random random;
    static struct {
        unsigned char *ptr;
        size_t size;
    } pieces[2000];
    arena_init(&arena, 16 << 20);
    random_init(&random, 3);
    for (size_t i = 0; i < COUNT_OF(pieces); i++) {
        pieces[i].size = (size_t)random_below(&random, i % 50 == 0 ? 20000 : 100);
        pieces[i].ptr = arena_new(&arena, pieces[i].size);
        assert_non_null(pieces[i].ptr);
        assert_true(is_aligned(pieces[i].ptr));
        for (size_t at = 0; at < pieces[i].size; at++)
            assert_int_equal(pieces[i].ptr[at], 0);
        memset(pieces[i].ptr, (int)(i % 251), pieces[i].size);
    }
    for (size_t i = 0; i < COUNT_OF(pieces); i++)
        for (size_t at = 0; at < pieces[i].size; at++)
            assert_int_equal(pieces[i].ptr[at], i % 251);
}

static void an_arena_stops_at_its_limit(void **state)
{
    (void)state;
    struct arena arena OWNED_BY(arena_done);
    arena_init(&arena, 10000);
    size_t got = 0;
    while (arena_new(&arena, 100) != NULL)
        got++;
    assert_true(arena.held <= 10000);
    assert_true(got >= 80);
    assert_true(got < 100);
    assert_null(arena_new(&arena, 10000));
    assert_null(arena_new(&arena, SIZE_MAX));
    assert_null(arena_new(&arena, SIZE_MAX - 20));
}

static void a_limit_can_be_used_to_its_last_byte(void **state)
{
    (void)state;
    size_t size = 4096;
    for (bool fits = false; !fits; size -= fits ? 0 : 16) {
        struct arena arena OWNED_BY(arena_done);
        arena_init(&arena, 4096);
        fits = arena_new(&arena, size) != NULL;
        assert_int_equal(arena.held, fits ? 4096 : 0);
    }
    assert_true(size > 4000);
}

static void an_arena_with_less_than_a_block_allocates_nothing(void **state)
{
    (void)state;
    struct arena arena OWNED_BY(arena_done);
    arena_init(&arena, 8);
    assert_null(arena_new(&arena, 1));
    assert_int_equal(arena.held, 0);
}

static void a_reset_frees_everything_and_the_arena_can_be_used_again(void **state)
{
    (void)state;
    int64_t live = memory_live();
    struct arena arena;
    arena_init(&arena, 100000);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 500; i++)
            assert_non_null(arena_new(&arena, 100));
        assert_true(memory_live() > live);
        arena_reset(&arena);
        assert_int_equal(memory_live(), live);
        assert_int_equal(arena.held, 0);
    }
    arena_done(&arena);
    arena_done(&arena);
}

static void a_wipe_frees_everything_too(void **state)
{
    (void)state;
    int64_t live = memory_live();
    struct arena arena;
    arena_init(&arena, 100000);
    arena_wipe(&arena);
    for (int i = 0; i < 500; i++) {
        char *secret = arena_new(&arena, 100);
        assert_non_null(secret);
        memset(secret, 's', 100);
    }
    arena_wipe(&arena);
    assert_int_equal(memory_live(), live);
    assert_int_equal(arena.held, 0);
    assert_non_null(arena_new(&arena, 1));
    arena_done(&arena);
}

static void an_arena_wastes_less_than_half_of_its_memory(void **state)
{
    (void)state;
    struct arena arena OWNED_BY(arena_done);
    arena_init(&arena, 64 << 20);
    size_t asked = 0;
    for (int i = 0; i < 20000; i++) {
        assert_non_null(arena_new(&arena, 64));
        asked += 64;
        assert_true(arena.held <= 2 * asked + 2 * ARENA_BLOCK_MIN);
    }
}

static void array_sizes_that_overflow_are_rejected(void **state)
{
    (void)state;
    struct arena arena OWNED_BY(arena_done);
    arena_init(&arena, 10000);
    assert_null(arena_new_array(&arena, SIZE_MAX / 4, 8));
    assert_non_null(arena_new_array(&arena, 10, 8));
    assert_non_null(arena_new_array(&arena, 0, 8));
    assert_non_null(arena_new(&arena, 0));
}

static void a_copied_text_ends_with_a_nul(void **state)
{
    (void)state;
    struct arena arena OWNED_BY(arena_done);
    struct slice copy = SLICE("x");
    arena_init(&arena, 10000);
    assert_true(arena_copy(&arena, SLICE("sixteen bytes ok"), &copy));
    assert_slice(copy, "sixteen bytes ok");
    assert_int_equal(copy.ptr[copy.len], 0);
    assert_true(arena_copy(&arena, SLICE(""), &copy));
    assert_slice(copy, "");
    assert_true(arena_copy(&arena, SLICE_NULL, &copy));
    assert_null(copy.ptr);
    assert_false(arena_copy(&arena, slice_of("x", SIZE_MAX), &copy));
    assert_false(arena_copy(&arena, slice_of("x", 20000), &copy));
}

static bool fill(void *self)
{
    (void)self;
    struct arena arena OWNED_BY(arena_done);
    arena_init(&arena, 1 << 20);
    for (int i = 0; i < 1000; i++)
        if (arena_new(&arena, 200) == NULL)
            return false;
    return true;
}

static void an_arena_survives_failed_allocations(void **state)
{
    (void)state;
    assert_true(torture(fill, NULL) > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allocations_are_zeroed_aligned_and_disjoint),
        cmocka_unit_test(an_arena_stops_at_its_limit),
        cmocka_unit_test(a_limit_can_be_used_to_its_last_byte),
        cmocka_unit_test(an_arena_with_less_than_a_block_allocates_nothing),
        cmocka_unit_test(a_reset_frees_everything_and_the_arena_can_be_used_again),
        cmocka_unit_test(a_wipe_frees_everything_too),
        cmocka_unit_test(an_arena_wastes_less_than_half_of_its_memory),
        cmocka_unit_test(array_sizes_that_overflow_are_rejected),
        cmocka_unit_test(a_copied_text_ends_with_a_nul),
        cmocka_unit_test(an_arena_survives_failed_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
