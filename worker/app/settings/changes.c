/* Compares two readings of the settings: which rows differ. Scalars are compared as values, so that
 * `10s` and `10000ms` are the same; lists and maps by a hash of what was read, with the variables
 * replaced. */
#include "app/settings/parts.h"

#include <string.h>

#define HASH_START 0xcbf29ce484222325U /* FNV-1a, 64 bits */
#define HASH_PRIME 0x100000001b3U

static uint64_t add_bytes(uint64_t hash, struct slice bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        hash = (hash ^ (unsigned char)bytes.ptr[i]) * HASH_PRIME;
    return (hash ^ bytes.len) * HASH_PRIME;
}

uint64_t settings_text_hash(struct slice text)
{
    return add_bytes(HASH_START, text);
}

static uint64_t add_node(uint64_t hash, const struct settings_reader *reader,
                         const struct document_node *node)
{
    struct buf text OWNED_BY(buf_done);
    char name[UNITS_NAME_MAX];
    buf_init(&text, DOCUMENT_BYTES_MAX);
    if (units_add_expanded(&text, node->text, &reader->environment, name) != OK) {
        buf_reset(&text);
        buf_add(&text, node->text);
    }
    hash = (hash ^ (uint64_t)node->kind) * HASH_PRIME;
    hash = (hash ^ (uint64_t)node->is_plain) * HASH_PRIME;
    hash = add_bytes(hash, node->key);
    hash = (hash ^ node->count) * HASH_PRIME;
    return add_bytes(hash, buf_slice(&text));
}

uint64_t settings_node_hash(const struct settings_reader *reader, const struct document_node *node)
{
    const struct document_node *waiting[DOCUMENT_DEPTH_MAX + 1];
    uint64_t hash = add_node(HASH_START, reader, node);
    size_t depth = 0;
    waiting[depth++] = node->first;
    while (depth > 0) {
        const struct document_node *next = waiting[depth - 1];
        if (next == NULL) {
            depth--;
            continue;
        }
        waiting[depth - 1] = next->next;
        hash = add_node(hash, reader, next);
        if (next->first != NULL && depth < COUNT_OF(waiting))
            waiting[depth++] = next->first;
    }
    return hash;
}

/* The value of a row; the settings are an array of bytes here. */
static const void *value_of(const struct settings *settings, const struct setting_row *row)
{
    return (const char *)settings + row->value_at;
}

static uint64_t hash_of(const struct settings *settings, const struct setting_row *row)
{
    uint64_t hash;
    memcpy(&hash, (const char *)&settings->hashes + row->hash_at, sizeof hash);
    return hash;
}

bool settings_differ(const struct settings *a, const struct settings *b,
                     const struct setting_row *row)
{
    const void *left = value_of(a, row), *right = value_of(b, row);
    switch (row->kind) {
    case SETTING_TEXT:
        return !slice_equal(*(const struct slice *)left, *(const struct slice *)right);
    case SETTING_FLAG:
        return *(const bool *)left != *(const bool *)right;
    case SETTING_CHOICE:
        return *(const int *)left != *(const int *)right;
    case SETTING_COUNT:
    case SETTING_SPAN:
    case SETTING_SIZE:
        return *(const int64_t *)left != *(const int64_t *)right;
    case SETTING_LIST:
    case SETTING_PROPERTIES:
    case SETTING_ALIASES:
    case SETTING_TEMPLATES:
        break;
    }
    return hash_of(a, row) != hash_of(b, row);
}

size_t settings_add_changes(const struct settings *from, const struct settings *to, bool reloads,
                            struct buf *buf)
{
    size_t count = 0, found = 0;
    const struct setting_row *rows = settings_rows(&count);
    for (size_t i = 0; i < count; i++) {
        if (rows[i].reloads != reloads || !settings_differ(from, to, &rows[i]))
            continue;
        buf_addf(buf, "%s%s", found > 0 ? ", " : "", rows[i].path);
        found++;
    }
    return found;
}
