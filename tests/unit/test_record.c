#include "unit/unit.h"

#include "wire/formats/record.h"

static void a_copied_record_outlives_its_source(void **state)
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

static void copied_headers_take_the_stated_bytes(void **state)
{
    (void)state;
    static struct header list[5000];
    for (size_t i = 0; i < COUNT_OF(list); i++)
        list[i] = (struct header){SLICE(""), i % 2 == 0 ? SLICE_NULL : SLICE("v")};
    struct record record = {.headers = {list, COUNT_OF(list)}};
    struct record copy;
    struct arena arena;
    size_t bytes = headers_copy_bytes(record.headers);
    assert_int_equal(bytes, COUNT_OF(list) * sizeof(struct header) + COUNT_OF(list) / 2);
    arena_init(&arena, bytes + 64);
    assert_true(record_copy(&arena, &record, &copy));
    assert_int_equal(copy.headers.count, COUNT_OF(list));
    assert_int_equal(copy.headers_sent, COUNT_OF(list));
    assert_null(copy.headers.list[4998].value.ptr);
    assert_non_null(copy.headers.list[4999].name.ptr);
    assert_slice(copy.headers.list[4999].value, "v");
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copied_record_outlives_its_source),
        cmocka_unit_test(copied_headers_take_the_stated_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
