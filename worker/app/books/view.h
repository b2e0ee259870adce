/* The rows of a book in the order in which they are printed, and their total. Rows without a call,
 * whose calls were replaced, are left out. Borrows the book, which must not take records
 * meanwhile. */
#ifndef APP_BOOKS_VIEW_H
#define APP_BOOKS_VIEW_H

#include "app/books/book.h"

enum view_order {
    VIEW_BY_KEY,  /* the columns' values, in the order of bytes */
    VIEW_BY_COST, /* the most expensive first, then most tokens; by key if the first column is a
                     time */
};

struct view {
    const struct book *book;
    const struct tally_row **rows;
    size_t count;
    struct sums total;
};

/* ERR_NO_MEMORY. */
MUST_CHECK enum err view_init(struct view *view, const struct book *book, enum view_order order);
void view_done(struct view *view);
/* Whether any call has a cost. */
bool view_has_cost(const struct sums *sums);

#endif
