/* Reads CSV (RFC 4180) in pieces, of a file of any size: fields in quotes may hold commas, doubled
 * quotes and new lines. Lines end in LF or CRLF; a BOM is skipped. One row is held at a time, of at
 * most CSV_ROW_BYTES and CSV_FIELDS_MAX fields. */
#ifndef APP_BOOKS_CSV_H
#define APP_BOOKS_CSV_H

#include "base/attr.h"
#include "base/buf.h"

#define CSV_ROW_BYTES  ((size_t)1024 * 1024)
#define CSV_FIELDS_MAX 2000

enum csv_state { CSV_BEGINS, CSV_IN_FIELD, CSV_IN_QUOTES, CSV_BEHIND_QUOTE };

struct csv {
    struct buf text; /* of the row */
    uint32_t ends[CSV_FIELDS_MAX];
    size_t count; /* fields */
    enum csv_state state;
    bool is_over; /* the row was given out */
    int64_t line; /* where the row begins, from 1 */
    int64_t next_line;
    const char *fault; /* static; NULL = none */
};

void csv_init(struct csv *csv);
void csv_done(struct csv *csv);
/* Takes bytes off `piece` until a row is whole. False: it needs more bytes, or `fault` is set. */
MUST_CHECK bool csv_next(struct csv *csv, struct slice *piece);
/* The file has ended: is there a last row without a new line? Sets `fault` when it is cut within
 * quotes. */
MUST_CHECK bool csv_end(struct csv *csv);
/* A field of the row, borrowed until the next one; empty when it has fewer. */
struct slice csv_field(const struct csv *csv, size_t i);

#endif
