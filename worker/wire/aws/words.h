/* The words of a command line, split as Python's shlex.split does (POSIX mode): blanks separate
 * words, '…' keeps everything, "…" keeps everything but \" and \\, and a backslash outside of
 * quotes keeps the next character. Nothing is expanded, and no shell takes part. botocore splits
 * `credential_process` and the headings of `config` by it. */
#ifndef WIRE_AWS_WORDS_H
#define WIRE_AWS_WORDS_H

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "base/slice.h"

/* Splits `text` into at most `max` words, each a copy with a NUL behind it, from the arena.
 * ERR_FORMAT: a quote has no end, or a backslash ends the text; ERR_TOO_LARGE: there are more
 * words; ERR_NO_MEMORY. */
MUST_CHECK enum err words_split(struct arena *arena, struct slice text, struct slice *ret_words,
                                size_t max, size_t *ret_count);

#endif
