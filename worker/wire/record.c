#include "wire/record.h"

const struct header *headers_last(struct headers headers, const char *name)
{
    struct slice wanted = slice_of_text(name);
    for (size_t i = headers.count; i > 0; i--)
        if (slice_equal(headers.list[i - 1].name, wanted))
            return &headers.list[i - 1];
    return NULL;
}

static bool copy_headers(struct arena *arena, struct headers headers, struct headers *ret_copy)
{
    struct header *list = arena_new_array(arena, headers.count, sizeof *list);
    if (list == NULL)
        return false;
    for (size_t i = 0; i < headers.count; i++)
        if (!arena_copy(arena, headers.list[i].name, &list[i].name) ||
            !arena_copy(arena, headers.list[i].value, &list[i].value))
            return false;
    *ret_copy = (struct headers){.list = list, .count = headers.count};
    return true;
}

bool record_copy(struct arena *arena, const struct record *record, struct record *ret_copy)
{
    struct record copy = *record;
    if (!arena_copy(arena, record->topic, &copy.topic) ||
        !arena_copy(arena, record->key, &copy.key) ||
        !arena_copy(arena, record->value, &copy.value) ||
        !copy_headers(arena, record->headers, &copy.headers))
        return false;
    *ret_copy = copy;
    return true;
}
