/* Base64 with its padding (RFC 4648, section 4). Media pass on as they came, so texts are checked
 * without decoding them, eight characters at a time. White space is a flaw here: those who accept
 * it take it out before. */
#ifndef WIRE_FORMATS_BASE64_H
#define WIRE_FORMATS_BASE64_H

#include "base/attr.h"
#include "base/buf.h"
#include "base/slice.h"

/* What is wrong with a text. */
struct base64_flaw {
    size_t at;         /* index of the character; the text's length = the text ends too early */
    const char *words; /* static */
};

/* Whether the text is base64. */
MUST_CHECK bool base64_check(struct slice text, struct base64_flaw *ret_flaw);
/* Appends the bytes that the text encodes. ERR_FORMAT and the index of the character that is wrong
 * (the text's length: it ends too early); ERR_TOO_LARGE, ERR_NO_MEMORY of the buf. */
MUST_CHECK enum err base64_add_decoded(struct buf *buf, struct slice text, size_t *ret_offset);
/* Appends these bytes as base64. */
void base64_add(struct buf *buf, struct slice bytes);

#endif
