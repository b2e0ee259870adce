/* Checks values against JSON Schemas as a worker does, for the comparison with Python's jsonschema:
 * one object {"schema": …, "value": …} a line on standard input, and for each a line with an array
 * of what is wrong: of the value, or `schema: …` of the schema. */
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "wire/formats/json_schema.h"

#define ARENA_BYTES_MAX ((size_t)64 * 1024 * 1024)

static void tell(struct slice faults)
{
    struct buf line OWNED_BY(buf_done);
    buf_init(&line, ARENA_BYTES_MAX);
    buf_add_byte(&line, '[');
    for (struct slice rest = faults; rest.len > 0;) {
        size_t len = slice_find(rest, '\n');
        json_add_comma(&line);
        json_add_string(&line, slice_sub(rest, 0, len));
        rest = slice_sub(rest, len + 1, SIZE_MAX);
    }
    buf_add_byte(&line, ']');
    CHECK(line.failed == OK);
    (void)puts(buf_text(&line));
}

static void check_one(struct slice text)
{
    struct arena arena OWNED_BY(arena_done);
    struct buf faults OWNED_BY(buf_done);
    const struct json *root;
    struct why why;
    arena_init(&arena, ARENA_BYTES_MAX);
    buf_init(&faults, JSON_SCHEMA_TEXT_MAX);
    CHECK(json_parse(&arena, text, &root, NULL) == OK);
    const struct json *schema = json_member(root, "schema");
    enum err err = json_schema_check(&arena, schema, "", &why);
    if (err != OK)
        buf_addf(&faults, "schema: %s %s", why.field, why.message);
    else if (json_schema_validate(&arena, schema, json_member(root, "value"), &faults) != OK)
        buf_addf(&faults, "schema: too many steps");
    tell(buf_slice(&faults));
}

int main(void)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t len = 0;
    while ((len = getline(&line, &room, stdin)) > 0)
        check_one(slice_of(line, (size_t)len - (line[len - 1] == '\n')));
    free(line);
    return 0;
}
