/* bedrock-sim's cache of prompts. */
#include "unit/unit.h"

#include "sim/caches.h"

#define MINUTE_MS 60000

static struct conversation with_marks(const struct asked_mark *marks, size_t count)
{
    struct conversation conversation = {.mark_count = count};
    for (size_t i = 0; i < count; i++)
        conversation.marks[i] = marks[i];
    return conversation;
}

static void check_use(struct caches *caches, const struct asked_mark *marks, size_t count,
                      int64_t now_ms, struct cache_use expected)
{
    struct conversation conversation = with_marks(marks, count);
    struct cache_use use = caches_use(caches, SLICE("m"), &conversation, now_ms);
    assert_int_equal(use.read, expected.read);
    assert_int_equal(use.written, expected.written);
    assert_int_equal(use.written_long, expected.written_long);
}

static void a_prefix_is_written_once_and_read_until_its_time_is_over(void **state)
{
    (void)state;
    struct caches caches;
    const struct asked_mark marks[] = {{1, 40, true}, {2, 100, false}};
    assert_int_equal(caches_init(&caches), OK);
    check_use(&caches, marks, 2, 0, (struct cache_use){0, 100, 40});
    check_use(&caches, marks, 2, 4 * MINUTE_MS, (struct cache_use){100, 0, 0});
    /* reading has kept it for five minutes more */
    check_use(&caches, marks, 2, 8 * MINUTE_MS, (struct cache_use){100, 0, 0});
    /* the longer prefix is gone, the one of an hour is not */
    check_use(&caches, marks, 2, 20 * MINUTE_MS, (struct cache_use){40, 60, 0});
    check_use(&caches, marks, 2, 90 * MINUTE_MS, (struct cache_use){0, 100, 40});
    caches_done(&caches);
}

static void the_longest_prefix_that_is_kept_is_read(void **state)
{
    (void)state;
    struct caches caches;
    const struct asked_mark one = {2, 100, false};
    const struct asked_mark three[] = {{1, 40, false}, {2, 100, false}, {3, 130, false}};
    assert_int_equal(caches_init(&caches), OK);
    check_use(&caches, &one, 1, 0, (struct cache_use){0, 100, 0});
    check_use(&caches, three, 3, 1, (struct cache_use){100, 30, 0});
    check_use(&caches, NULL, 0, 2, (struct cache_use){0, 0, 0});
    caches_done(&caches);
}

static void many_prefixes_overwrite_the_oldest(void **state)
{
    (void)state;
    struct caches caches;
    assert_int_equal(caches_init(&caches), OK);
    for (uint64_t i = 1; i < 100000; i++) {
        const struct asked_mark mark = {i, 10, false};
        check_use(&caches, &mark, 1, (int64_t)i, (struct cache_use){0, 10, 0});
        check_use(&caches, &mark, 1, (int64_t)i, (struct cache_use){10, 0, 0});
    }
    caches_done(&caches);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_prefix_is_written_once_and_read_until_its_time_is_over),
        cmocka_unit_test(the_longest_prefix_that_is_kept_is_read),
        cmocka_unit_test(many_prefixes_overwrite_the_oldest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
