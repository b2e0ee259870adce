#include "base/glob.h"

#include "base/check.h"

static unsigned char fold(char byte, bool ignore_case)
{
    unsigned char letter = (unsigned char)byte;
    if (ignore_case && letter >= 'A' && letter <= 'Z')
        letter = (unsigned char)(letter + ('a' - 'A'));
    return letter;
}

static bool same(char pattern, char text, bool ignore_case)
{
    return pattern == '?' || fold(pattern, ignore_case) == fold(text, ignore_case);
}

/* As glob_match; with `is_glob`, `text` is a glob, whose star only a star matches. */
static bool match(struct slice pattern, struct slice text, bool ignore_case, bool is_glob)
{
    size_t p = 0, t = 0;
    size_t after_star = SIZE_MAX, tried_from = 0;
    while (t < text.len) {
        if (p < pattern.len && pattern.ptr[p] == '*') {
            after_star = ++p;
            tried_from = t;
        } else if (p < pattern.len && !(is_glob && text.ptr[t] == '*') &&
                   same(pattern.ptr[p], text.ptr[t], ignore_case)) {
            p++;
            t++;
        } else if (after_star != SIZE_MAX) {
            /* The last star takes one byte more; earlier stars need not. */
            p = after_star;
            t = ++tried_from;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.ptr[p] == '*')
        p++;
    return p == pattern.len;
}

bool glob_match(struct slice pattern, struct slice text, bool ignore_case)
{
    return match(pattern, text, ignore_case, false);
}

bool glob_covers(struct slice pattern, struct slice other, bool ignore_case)
{
    return match(pattern, other, ignore_case, true);
}

/* ---- two patterns ---- */

/* One row of a table: what holds of the ends of two patterns, from some byte of the one and each
 * byte of the other; the last place is the other's end. */
typedef bool comparison[GLOB_COMPARED_MAX + 1];

/* Whether the rest of `pattern` matches the empty text. */
static bool is_stars(struct slice pattern, size_t from)
{
    while (from < pattern.len && pattern.ptr[from] == '*')
        from++;
    return from == pattern.len;
}

/* `below` holds what is true from the next byte of `a`; fills in `row` for a's byte `at`. */
static void overlap_row(struct slice a, size_t at, struct slice b, const comparison below,
                        comparison row)
{
    bool is_star = a.ptr[at] == '*';
    row[b.len] = is_stars(a, at);
    for (size_t j = b.len; j-- > 0;) {
        bool is_other_star = b.ptr[j] == '*';
        bool are_same = a.ptr[at] == b.ptr[j] || a.ptr[at] == '?' || b.ptr[j] == '?';
        if (is_star || is_other_star)
            row[j] = below[j] || row[j + 1];
        else
            row[j] = are_same && below[j + 1];
    }
}

bool glob_overlaps(struct slice a, struct slice b)
{
    comparison rows[2];
    CHECK(a.len <= GLOB_COMPARED_MAX && b.len <= GLOB_COMPARED_MAX);
    for (size_t j = 0; j <= b.len; j++)
        rows[a.len % 2][j] = is_stars(b, j);
    for (size_t i = a.len; i-- > 0;)
        overlap_row(a, i, b, rows[(i + 1) % 2], rows[i % 2]);
    return rows[0][0];
}
