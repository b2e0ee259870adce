#include "wire/formats/record.h"

#include <string.h>

const struct header *headers_last(struct headers headers, const char *name)
{
    struct slice wanted = slice_of_text(name);
    for (size_t i = headers.count; i > 0; i--)
        if (slice_equal(headers.list[i - 1].name, wanted))
            return &headers.list[i - 1];
    return NULL;
}

struct slice headers_text(struct headers headers, const char *name)
{
    const struct header *header = headers_last(headers, name);
    return header == NULL || header->value.len == 0 ? SLICE_NULL : header->value;
}

size_t headers_copy_bytes(struct headers headers)
{
    size_t bytes = headers.count * sizeof(struct header);
    for (size_t i = 0; i < headers.count; i++)
        bytes += headers.list[i].name.len + headers.list[i].value.len;
    return bytes;
}

static struct slice put(char **to, struct slice bytes)
{
    if (bytes.ptr == NULL)
        return SLICE_NULL;
    struct slice copy = slice_of(*to, bytes.len);
    if (bytes.len > 0)
        memcpy(*to, bytes.ptr, bytes.len);
    *to += bytes.len;
    return copy;
}

/* One block, the list first: there may be many small ones. */
static bool copy_headers(struct arena *arena, struct headers headers, struct headers *ret_copy)
{
    struct header *list = arena_new(arena, headers_copy_bytes(headers));
    if (list == NULL)
        return false;
    char *to = (char *)(list + headers.count);
    for (size_t i = 0; i < headers.count; i++) {
        list[i].name = put(&to, headers.list[i].name);
        list[i].value = put(&to, headers.list[i].value);
    }
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
    if (copy.headers_sent < copy.headers.count)
        copy.headers_sent = copy.headers.count;
    *ret_copy = copy;
    return true;
}
