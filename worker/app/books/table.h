/* A view as a table for people: aligned columns, numbers with separators, a bar for each row, and
 * totals, at most `columns` wide. What has no room is left out, and a line says so; long texts are
 * clipped. Money is rounded to millionths. */
#ifndef APP_BOOKS_TABLE_H
#define APP_BOOKS_TABLE_H

#include "app/books/view.h"

struct table_look {
    size_t columns;
    size_t rows_max;  /* of the table; the others are one row; 0 = all */
    bool has_escapes; /* headings and totals are bold, bars are blocks */
};

void table_add(struct buf *buf, const struct view *view, const struct table_look *look);

#endif
