/* Rows of a view for programs: CSV (RFC 4180, with a heading) and JSON (one object a line). Money
 * has all its decimals. */
#ifndef APP_BOOKS_ROWS_H
#define APP_BOOKS_ROWS_H

#include "app/books/view.h"

/* `has_recorded`: costs are by other prices, and the recorded ones stand behind them. */
void rows_add_csv_heading(struct buf *buf, const struct columns *columns, bool has_recorded);
void rows_add_csv(struct buf *buf, const struct book *book, const struct tally_row *row);
/* Appends one field of CSV, in quotes where it needs them. */
void rows_add_csv_field(struct buf *buf, struct slice text);
void rows_add_json(struct buf *buf, const struct book *book, const struct tally_row *row);

#endif
