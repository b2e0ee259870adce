/* Cuts a text at the first of its stop texts, for models whose body has no member for them. The
 * text comes in pieces; what may be the beginning of a stop text is held back, so that the result
 * is the same however the text is cut into pieces. First is what begins first. All memory lies in
 * the arena that the stops were given; the work is linear in the text for each stop text (Knuth,
 * Morris and Pratt). Stop texts and pieces are UTF-8, so cuts lie between characters. */
#ifndef WIRE_BEDROCK_INVOKE_STOPS_H
#define WIRE_BEDROCK_INVOKE_STOPS_H

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "wire/formats/json.h"

#define STOPS_MAX 64 /* stop texts of one request that the worker itself looks for */

struct stop;

struct stops {
    struct stop *all;
    size_t count;
    uint64_t heard;     /* bytes, of the whole text */
    uint64_t found;     /* where the first stop text begins; UINT64_MAX = none was seen whole */
    bool is_cut;        /* nothing more belongs to the text */
    struct buf pending; /* the last bytes heard, which may begin a stop text */
};

/* `texts`: a JSON array of strings, none of them empty, or a null slice; those beyond STOPS_MAX are
 * not looked for. `limit`: of what is held back. ERR_NO_MEMORY. */
MUST_CHECK enum err stops_init(struct stops *stops, struct arena *arena, struct slice texts,
                               size_t limit);
void stops_done(struct stops *stops);
/* Adds a piece of the text; appends what of it is known to stand before every stop text. Failures
 * are the buffers' own. */
void stops_hear(struct stops *stops, struct slice piece, struct buf *ret_text);
/* The text ends, as far as one can know: appends what was held back. True: it was cut. */
bool stops_end(struct stops *stops, struct buf *ret_text);

#endif
