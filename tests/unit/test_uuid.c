#include "unit/unit.h"

#include "base/uuid.h"

static void a_uuid_has_the_form_of_version_7(void **state)
{
    (void)state;
    struct random random;
    random_init(&random, 6);
    for (int i = 0; i < 1000; i++) {
        struct uuid uuid;
        uuid_new(&uuid, INT64_C(0x0193aabbccdd), &random);
        assert_memory_equal(uuid.text, "0193aabb-ccdd-7", 15);
        for (size_t at = 0; at < UUID_TEXT_LEN; at++) {
            if (at == 8 || at == 13 || at == 18 || at == 23)
                assert_int_equal(uuid.text[at], '-');
            else
                assert_non_null(memchr("0123456789abcdef", uuid.text[at], 16));
        }
        assert_non_null(memchr("89ab", uuid.text[19], 4));
    }
}

static void every_random_digit_takes_every_value(void **state)
{
    (void)state;
    struct random random;
    unsigned seen[UUID_TEXT_LEN] = {0};
    random_init(&random, 7);
    for (int i = 0; i < 2000; i++) {
        struct uuid uuid;
        uuid_new(&uuid, 0, &random);
        for (size_t at = 0; at < UUID_TEXT_LEN; at++) {
            char digit = uuid.text[at];
            if (digit != '-')
                seen[at] |= 1U << (digit <= '9' ? digit - '0' : digit - 'a' + 10);
        }
    }
    for (size_t at = 15; at < UUID_TEXT_LEN; at++)
        if (at != 18 && at != 23)
            assert_int_equal(seen[at], at == 19 ? 0x0f00 : 0xffff);
}

static void later_uuids_sort_after_earlier_ones(void **state)
{
    (void)state;
    struct random random;
    struct uuid before, after;
    random_init(&random, 8);
    uuid_new(&before, INT64_C(1763805600000), &random);
    for (int64_t i = 1; i < 1000; i++) {
        uuid_new(&after, INT64_C(1763805600000) + i, &random);
        assert_true(slice_compare(uuid_slice(&before), uuid_slice(&after)) < 0);
        before = after;
    }
    assert_int_equal(uuid_slice(&after).len, 36);
}

static void uuids_of_one_moment_differ(void **state)
{
    (void)state;
    struct random random;
    struct uuid a, b;
    random_init(&random, 9);
    uuid_new(&a, 1, &random);
    uuid_new(&b, 1, &random);
    assert_memory_not_equal(a.text, b.text, UUID_TEXT_LEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_uuid_has_the_form_of_version_7),
        cmocka_unit_test(every_random_digit_takes_every_value),
        cmocka_unit_test(later_uuids_sort_after_earlier_ones),
        cmocka_unit_test(uuids_of_one_moment_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
