/* UTF-8 by RFC 3629, which excludes overlong forms, surrogates and code points above U+10FFFF. No
 * function allocates or fails. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/slice.h"

/* The index of the first byte that is not part of valid UTF-8; text.len when all of it is. */
size_t utf8_valid_len(struct slice text);
/* The number of code points of valid UTF-8. */
size_t utf8_count(struct slice text);
/* The longest prefix of at most `max` bytes that ends between code points; borrowed. */
struct slice utf8_clip(struct slice text, size_t max);

#endif
