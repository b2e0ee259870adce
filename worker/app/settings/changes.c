/* Compares two readings of the settings: which rows differ. Scalars are compared as values, so that
 * `10s` and `10000ms` are the same; lists, maps and files by their hashes (hashes.c). */
#include "app/settings/parts.h"

#include <string.h>

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
    case SETTING_TAGS:
    case SETTING_TEMPLATES:
    case SETTING_PRICES:
    case SETTING_QUOTAS:
    case SETTING_TENANTS:
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
