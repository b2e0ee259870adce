/* Texts that are nearly JSON, mended. Between json.c and what services say: an answer that was paid
 * for is not thrown away for an odd character in it. Inside of strings U+0000, lone surrogates and
 * invalid UTF-8 become U+FFFD (as Unicode's "maximal subpart" practice and the WHATWG's decoders
 * have it), bare control characters are escaped. All else stays. */
#ifndef WIRE_FORMATS_JSON_MEND_H
#define WIRE_FORMATS_JSON_MEND_H

#include "base/arena.h"
#include "base/attr.h"
#include "base/slice.h"

/* A mended copy in the arena; false when out of memory. It need not be JSON after all. */
MUST_CHECK bool json_mend(struct arena *arena, struct slice text, struct slice *ret_text);

/* Four hexadecimal digits at `at`, behind `\u`; -1 when they are none. */
int32_t json_hex4(struct slice text, size_t at);
/* The low half that makes a pair of the high surrogate `unit`, in the escape at `at`; else -1. */
int32_t json_low_half(struct slice text, size_t at, int32_t unit);

#endif
