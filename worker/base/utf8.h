/* UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/slice.h"

/* Index of the first byte that is not part of valid UTF-8; text.len when all is. */
size_t utf8_valid_len(struct slice text);
/* Code points in valid UTF-8. */
size_t utf8_count(struct slice text);
/* The longest prefix of at most `max` bytes that ends between code points. */
struct slice utf8_clip(struct slice text, size_t max);

#endif
