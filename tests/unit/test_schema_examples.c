/* The examples of schema/examples: strict JSON, and requests that the worker reads. */
#include "unit/unit.h"

#include <dirent.h>
#include <stdio.h>

#include "unit/request_kit.h"
#include "wire/formats/json.h"

#define EXAMPLES_DIR      SOURCE_DIR "/schema/examples"
#define EXAMPLE_BYTES_MAX 65536

/* NUL-free text of an example, valid until the next one is read. */
static struct slice read_example(const char *name)
{
    static char text[EXAMPLE_BYTES_MAX];
    char path[1024];
    assert_true((size_t)snprintf(path, sizeof path, EXAMPLES_DIR "/%s", name) < sizeof path);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t len = fread(text, 1, sizeof text, file);
    assert_true(len > 0 && len < sizeof text);
    assert_int_equal(fclose(file), 0);
    return slice_of(text, len);
}

typedef void with_example(const char *name);

/* How many there were. */
static int for_each_example(struct slice prefix, with_example *check)
{
    int count = 0;
    DIR *folder = opendir(EXAMPLES_DIR);
    assert_non_null(folder);
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        struct slice name = slice_of_text(entry->d_name);
        if (!slice_starts(name, prefix) || !slice_ends(name, SLICE(".json")))
            continue;
        check(entry->d_name);
        count++;
    }
    assert_int_equal(closedir(folder), 0);
    return count;
}

static void is_read(const char *name)
{
    struct request_kit kit;
    request_kit_init(&kit);
    kit.record.value = read_example(name);
    kit.err = request_from_headers(&kit.arena, &kit.record, &kit.request, &kit.why);
    assert_int_equal(kit.err, OK);
    kit.err = request_read(&kit.arena, &kit.record, &kit.catalog, &kit.request, &kit.why);
    if (kit.err != OK)
        fail_msg("%s: %s %s", name, kit.why.field, kit.why.message);
    assert_true(kit.request.turn_count > 0);
    assert_true(kit.request.model.len > 0);
    request_kit_done(&kit);
}

static void every_example_of_a_request_is_read(void **state)
{
    (void)state;
    assert_true(for_each_example(SLICE("request."), is_read) >= 5);
}

static void is_strict_json(const char *name)
{
    struct arena arena;
    const struct json *root = NULL;
    struct json_fault fault;
    arena_init(&arena, 1 << 24);
    if (json_parse(&arena, read_example(name), &root, &fault) != OK)
        fail_msg("%s:%zu:%zu: %s", name, fault.line, fault.column, fault.words);
    assert_true(json_is(root, JSON_OBJECT));
    arena_done(&arena);
}

static void every_example_is_strict_json(void **state)
{
    (void)state;
    assert_true(for_each_example(SLICE(""), is_strict_json) >= 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_example_of_a_request_is_read),
        cmocka_unit_test(every_example_is_strict_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
