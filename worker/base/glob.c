#include "base/glob.h"

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
