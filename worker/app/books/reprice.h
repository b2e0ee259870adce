/* Gives records the cost that another table of prices makes of their counts, as the worker does
 * (engine/pricing.c): by the model and region that were called, the tier that served or was asked
 * for, at the call's start. */
#ifndef APP_BOOKS_REPRICE_H
#define APP_BOOKS_REPRICE_H

#include "wire/outputs/entry.h"
#include "policy/price.h"

struct reprice {
    const struct price_table *prices;
    struct price_memo memo;
    int64_t no_row, no_class, odd; /* calls without a cost: no row applies; a class of tokens that
                                      was used has no price; counts that contradict each other */
};

/* Borrows the prices. */
void reprice_init(struct reprice *reprice, const struct price_table *prices);
/* Replaces the cost of a record: a book_price. `self` is a struct reprice. */
void reprice_entry(void *self, struct entry *entry);

#endif
