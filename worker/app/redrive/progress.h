/* Which dead letters of one partition were redriven: the front, below which all are, and a bit for
 * each one above it. Filters make holes, so that one offset is not enough. The progress is
 * committed as the metadata of the front (Kafka's offset_metadata), in the transaction that sends
 * the requests.
 *
 * Text form, of printable ASCII: `rd1`, then `b` (bits, the lowest of each byte first) or `r`
 * (lengths of runs, LEB128, alternating from one that is not redriven), whichever is shorter, then
 * base64 (RFC 4648) of four bytes of CRC-32, little-endian, over the front in decimal and the rest,
 * and of the rest. The empty text means no offset above the front. */
#ifndef APP_REDRIVE_PROGRESS_H
#define APP_REDRIVE_PROGRESS_H

#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"

#define PROGRESS_SPAN_MAX 8388608 /* offsets between the front and the last redriven one */

struct progress {
    int64_t front; /* lowest offset that is not redriven */
    int64_t base;  /* the offset of the first bit; a multiple of 8 below or at the front */
    struct buf bits;
};

/* Starts at `front` >= 0, with nothing redriven above it. progress_done frees it. */
void progress_init(struct progress *progress, int64_t front);
void progress_done(struct progress *progress);
/* Reads a committed offset and its metadata into a new progress. ERR_FORMAT: the metadata is
 * damaged, of another front, or not redrive's. ERR_LATER_VERSION: a later `rd`. ERR_TOO_LARGE,
 * ERR_NO_MEMORY. The progress needs progress_done in any case. */
MUST_CHECK enum err progress_read(struct progress *progress, int64_t front, struct slice text);
/* Whether the letter at this offset was redriven. */
bool progress_has(const struct progress *progress, int64_t offset);
/* Marks an offset; moves the front when it is the lowest. ERR_TOO_LARGE: it is PROGRESS_SPAN_MAX
 * or more above the front. ERR_NO_MEMORY. */
MUST_CHECK enum err progress_mark(struct progress *progress, int64_t offset);
/* Marks the offsets of [from, to): those that hold no letter (markers of transactions, deleted
 * records). Errors as progress_mark. */
MUST_CHECK enum err progress_mark_span(struct progress *progress, int64_t from, int64_t to);
/* Appends the text form. */
void progress_add_text(const struct progress *progress, struct buf *text);
/* Makes `ret_copy`, which must not be initialized, equal to it. ERR_NO_MEMORY. */
MUST_CHECK enum err progress_copy(const struct progress *progress, struct progress *ret_copy);

#endif
