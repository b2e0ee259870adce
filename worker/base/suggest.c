#include "base/suggest.h"

#include <stdint.h>
#include <string.h>

/* A name in lower case, without `_` and `-`. */
struct plain {
    char text[SUGGEST_NAME_MAX];
    size_t len;
};

static bool make_plain(struct slice name, struct plain *ret_plain)
{
    ret_plain->len = 0;
    if (name.len > SUGGEST_NAME_MAX)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char byte = name.ptr[i];
        if (byte == '_' || byte == '-')
            continue;
        if (byte >= 'A' && byte <= 'Z')
            byte = (char)(byte - 'A' + 'a');
        ret_plain->text[ret_plain->len++] = byte;
    }
    return true;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment; keeps three rows of the table, because a row needs the two before it.
 */
static size_t distance_of(const struct plain *a, const struct plain *b)
{
    size_t rows[3][SUGGEST_NAME_MAX + 1];
    for (size_t j = 0; j <= b->len; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a->len; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3], *above_that = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b->len; j++) {
            bool same = a->text[i - 1] == b->text[j - 1];
            row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + (same ? 0 : 1));
            if (i > 1 && j > 1 && a->text[i - 1] == b->text[j - 2] &&
                a->text[i - 2] == b->text[j - 1])
                row[j] = least(row[j], above_that[j - 2] + 1);
        }
    }
    return rows[a->len % 3][b->len];
}

void suggest_init(struct suggest *suggest, struct slice name)
{
    *suggest = (struct suggest){.name = name, .nearest = SLICE_NULL, .distance = SIZE_MAX};
}

void suggest_offer(struct suggest *suggest, struct slice candidate)
{
    struct plain name, other;
    if (!make_plain(suggest->name, &name) || !make_plain(candidate, &other))
        return;
    size_t distance = distance_of(&name, &other);
    size_t most = name.len / 3;
    if (distance > most || distance >= suggest->distance)
        return;
    suggest->nearest = candidate;
    suggest->distance = distance;
}
