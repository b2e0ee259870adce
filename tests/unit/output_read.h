/* Looking into outputs, for the tests of the encoders. Needs cmocka.h included before. */
#ifndef UNIT_OUTPUT_READ_H
#define UNIT_OUTPUT_READ_H

#include <string.h>

#include "wire/formats/json.h"
#include "wire/outputs/output.h"

static inline void assert_text(struct slice bytes, const char *text)
{
    char shown[4096];
    assert_non_null(bytes.ptr);
    size_t len = bytes.len < sizeof shown - 1 ? bytes.len : sizeof shown - 1;
    memcpy(shown, bytes.ptr, len);
    shown[len] = '\0';
    assert_string_equal(shown, text);
    assert_int_equal(bytes.len, strlen(text));
}

/* The only header of that name. */
static inline struct slice header_of(const struct output *output, const char *name)
{
    struct slice found = SLICE_NULL;
    size_t count = 0;
    for (size_t i = 0; i < output->header_count; i++) {
        if (!slice_equal_text(output->headers[i].name, name))
            continue;
        found = output->headers[i].value;
        count++;
    }
    assert_int_equal(count, 1);
    return found;
}

static inline bool has_header(const struct output *output, const char *name)
{
    for (size_t i = 0; i < output->header_count; i++)
        if (slice_equal_text(output->headers[i].name, name))
            return true;
    return false;
}

/* The value's root, which must be JSON of the strict kind; in the arena. */
static inline const struct json *value_of(struct arena *arena, const struct output *output)
{
    const struct json *root = NULL;
    struct json_fault fault;
    assert_int_equal(json_parse(arena, output->value, &root, &fault), OK);
    return root;
}

#endif
