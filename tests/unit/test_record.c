#include "unit/unit.h"

#include "wire/record.h"

static void a_copied_record_stands_alone(void **state)
{
    (void)state;
    char bytes[] = "topic key value name header";
    struct header list[] = {{slice_of(bytes + 16, 4), slice_of(bytes + 21, 6)},
                            {slice_of(bytes + 16, 4), SLICE_NULL}};
    struct record record = {.topic = slice_of(bytes, 5),
                            .key = slice_of(bytes + 6, 3),
                            .value = slice_of(bytes + 10, 5),
                            .offset = 7,
                            .headers = {list, 2}};
    struct record copy;
    struct arena arena;
    arena_init(&arena, 1 << 16);
    assert_true(record_copy(&arena, &record, &copy));
    memset(bytes, 'x', sizeof bytes);
    memset(list, 0, sizeof list);
    assert_slice(copy.topic, "topic");
    assert_slice(copy.key, "key");
    assert_slice(copy.value, "value");
    assert_int_equal(copy.offset, 7);
    assert_slice(copy.headers.list[0].value, "header");
    assert_null(headers_last(copy.headers, "name")->value.ptr);
    assert_null(headers_last(copy.headers, "Name"));
    arena_reset(&arena);
    record = (struct record){.value = SLICE_NULL, .key = SLICE("")};
    assert_true(record_copy(&arena, &record, &copy));
    assert_null(copy.value.ptr);
    assert_non_null(copy.key.ptr);
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copied_record_stands_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
