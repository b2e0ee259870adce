#include "unit/unit.h"

#include "base/random.h"

/* The first outputs of xoshiro256** whose state SplitMix64 filled from seed 0. */
static void the_generator_is_xoshiro256(void **state)
{
    (void)state;
    struct random random;
    random_init(&random, 0);
    assert_true(random_next(&random) == 0x99ec5f36cb75f2b4U);
    assert_true(random_next(&random) == 0xbf6e1f784956452aU);
    assert_true(random_next(&random) == 0x1a5f849d4933e6e0U);
}

static void equal_seeds_give_equal_numbers(void **state)
{
    (void)state;
    struct random a, b, other;
    random_init(&a, 42);
    random_init(&b, 42);
    random_init(&other, 43);
    size_t same = 0;
    for (int i = 0; i < 100; i++) {
        uint64_t drawn = random_next(&a);
        assert_true(drawn == random_next(&b));
        same += drawn == random_next(&other);
    }
    assert_int_equal(same, 0);
}

static void numbers_below_a_bound_are_uniform(void **state)
{
    (void)state;
    struct random random;
    size_t seen[7] = {0};
    random_init(&random, 1);
    for (int i = 0; i < 70000; i++)
        seen[random_below(&random, COUNT_OF(seen))]++;
    for (size_t i = 0; i < COUNT_OF(seen); i++)
        assert_in_range(seen[i], 9500, 10500);
}

static void every_bound_is_accepted(void **state)
{
    (void)state;
    struct random random;
    random_init(&random, 2);
    bool upper_half = false;
    for (int i = 0; i < 1000; i++) {
        assert_true(random_below(&random, 1) == 0);
        assert_true(random_below(&random, 3) < 3);
        uint64_t bound = (UINT64_C(1) << 63) + 1;
        uint64_t drawn = random_below(&random, bound);
        assert_true(drawn < bound);
        upper_half = upper_half || drawn > bound / 2;
        assert_true(random_below(&random, UINT64_MAX) < UINT64_MAX);
    }
    assert_true(upper_half);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_generator_is_xoshiro256),
        cmocka_unit_test(equal_seeds_give_equal_numbers),
        cmocka_unit_test(numbers_below_a_bound_are_uniform),
        cmocka_unit_test(every_bound_is_accepted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
