/* The validator: whatever schema and value it gets, it ends, and what it says of a value is at most
 * eight lines of UTF-8; a schema that was refused has a reason. Input: {"schema": …, "value": …}.
 */
#include <stdint.h>

#include "base/check.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "wire/formats/json_number.h"
#include "wire/formats/json_schema.h"

#define ARENA_LIMIT ((size_t)64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_faults(const struct buf *faults)
{
    struct slice rest = buf_slice(faults);
    size_t lines = rest.len > 0;
    CHECK(faults->failed == OK && utf8_valid_len(rest) == rest.len);
    for (size_t i = 0; i < rest.len; i++)
        lines += rest.ptr[i] == '\n';
    CHECK(lines <= JSON_SCHEMA_FAULTS_MAX);
}

static void check_numbers(const struct json *list)
{
    for (const struct json *a = list->first; a != NULL; a = a->next) {
        const struct json *b = a->next;
        if (a->kind != JSON_NUMBER)
            continue;
        CHECK(json_number_compare(a, a) == 0);
        if (json_is(b, JSON_NUMBER))
            CHECK(json_number_compare(a, b) == -json_number_compare(b, a));
    }
}

static void check_value(struct arena *arena, const struct json *schema, const struct json *value)
{
    struct buf faults OWNED_BY(buf_done);
    struct buf again OWNED_BY(buf_done);
    buf_init(&faults, JSON_SCHEMA_TEXT_MAX);
    buf_init(&again, JSON_SCHEMA_TEXT_MAX);
    enum err err = json_schema_validate(arena, schema, value, &faults);
    CHECK(err == OK || err == ERR_TOO_LARGE);
    check_faults(&faults);
    CHECK(json_schema_validate(arena, schema, value, &again) == err || err == OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t live = memory_live();
    struct arena arena;
    const struct json *root = NULL;
    struct why why;
    why_clear(&why);
    arena_init(&arena, ARENA_LIMIT);
    if (json_parse_loosely(&arena, slice_of(data, size), &root, NULL) == OK) {
        const struct json *schema = json_member(root, "schema"),
                          *value = json_member(root, "value");
        if (schema != NULL && value != NULL) {
            enum err err = json_schema_check(&arena, schema, "schema", &why);
            CHECK(err == OK || (err == ERR_INVALID && why.field[0] != '\0'));
            if (err == OK)
                check_value(&arena, schema, value);
            check_numbers(value);
        }
    }
    arena_done(&arena);
    CHECK(memory_live() == live);
    return 0;
}
